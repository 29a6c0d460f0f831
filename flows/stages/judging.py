"""The judging stage: asks judging models about a run's unique images, and about finals.

Judging has its own buyer. If the judge is down, asking stops and the run continues without its scores; only a
used-up budget or an interruption closes the run's own buyer too. Each picture is asked about once; pairs are
chosen round by round, because the answers of a round show which pairs are still informative.
"""

import asyncio
from collections.abc import Sequence
from itertools import combinations

from flows.evaluation.judge_answers import JudgeAnswers, pools, read_judge_answers
from flows.evaluation.kept import finals_to_judge
from flows.evaluation.run_questions import questions_of
from flows.session.session import Session
from flows.stages.answers import buy_answers
from flows.stages.judge_trial import N_FIRST, first_of_all, tell_if_alike
from flows.stages.judging_share import ask_within_share
from flows.stages.prefect_task import as_task
from tasks.campaign.statements import statements_of
from tasks.candidate import Candidate, are_one_picture
from tasks.catalogue.estimates import Estimates
from tasks.errors import BudgetError, InterruptError
from tasks.generate import generate
from tasks.judging.duels import in_both_orders, most_pairs, next_pairs
from tasks.judging.forms import Form
from tasks.judging.rubric import is_asked_in
from tasks.ledger.replanning import add_warnings
from tasks.money import count_of, format_share
from tasks.order import Order
from tasks.orders.questions import Questions, forms_of, worth_judging

judge_task = as_task("judge")(generate)


async def judge_drafts(run: Session) -> None:
    """Have the unique images judged and compared, if the campaign weighs it. This spends money.

    Nothing is asked twice: answers of this run and of earlier ones count. A picture without an answer has no
    score by the judge; the run continues.
    """
    if run.buyer.closed_by is not None:
        return
    rules, questions = run.campaign.score, _questions(run)
    drafts = run.ledger.candidates.of_run(run.run_id, "draft")
    if "judge" in rules.weights and rules.judge is not None:
        judged = [draft for draft in drafts if draft.is_survivor]
        asked = [draft for draft in judged if statements_of(run.campaign, draft.row, draft.arm)]
        asked = await asyncio.to_thread(_with_all_beside, questions, asked)
        await _ask_statements(run, questions, first_of_all(asked))
    if "duel" in rules.weights and rules.duel is not None:
        own = [draft for draft in worth_judging(drafts) if draft.is_campaign_draft]
        await _ask_pairs(run, questions, own, rules.duel.per_row)
    tell_stop(run)


async def judge_finals(run: Session) -> int:
    """Have finals judged that are accepted so far and must keep statements of their drafts. Spends money.

    Each is asked about once. One without an answer stays accepted, and is reported as unjudged.

    Returns:
        How many were asked about.
    """
    if run.buyer.closed_by is not None:
        return 0
    finals = await asyncio.to_thread(finals_to_judge, run.stored)
    questions = _questions(run)
    finals = await asyncio.to_thread(_with_all_beside, questions, finals)
    if not finals:
        return 0
    form = await choose_form(run, questions, finals)
    n_asked = await ask_in_flow(
        run, [order for final in finals for order in questions.all_about(final, form)]
    )
    if n_asked:
        tell_stop(run)
    return n_asked


def _with_all_beside(questions: Questions, pictures: Sequence[Candidate]) -> list[Candidate]:
    """Keep the pictures that can be asked about: what the judge sees beside them is still what was sent."""
    return [picture for picture in pictures if not questions.fault_beside(picture)]


def _questions(run: Session) -> Questions:
    estimates = Estimates(run.prepared.catalogue, run.prepared.terms.provider, run.prepared.providers)
    return questions_of(run.stored, estimates)


def tell_stop(run: Session) -> None:
    """Say that the judge is not asked any more, unless the run stops with it."""
    stop = run.judging.stopped_by
    if stop is not None and not isinstance(stop, BudgetError | InterruptError):
        run.display.say(f"The judge is no longer asked; the run continues without it. {stop}")


async def _ask_statements(run: Session, questions: Questions, pictures: Sequence[Candidate]) -> None:
    """Ask about each picture, first about a dozen of them."""
    form = await choose_form(run, questions, pictures)
    groups = [questions.all_about(draft, form) for draft in pictures]
    await ask_within_share(run, groups[:N_FIRST], ask_in_flow)
    tell_if_alike(run, questions, pictures, form)
    warn_of_share(run, await ask_within_share(run, groups, ask_in_flow), "picture")


async def choose_form(run: Session, questions: Questions, pictures: Sequence[Candidate]) -> Form:
    """Choose the form that the judge's model can answer; if nobody knows, one picture is asked about.

    A model without log-probabilities rejects the question, which costs nothing, or answers without them.
    Both are remembered in the ledger. Where neither happened, this run uses the other form and the next asks
    again. Yes or no is asked in the words in which the run began.
    """
    judge = questions.campaign.score.judge
    assert judge is not None
    preferred, other = forms_of(judge)
    if preferred == "yes_no":
        return other if _began_with(run, other) else preferred
    if not pictures:
        return preferred
    seller = judge.provider or run.campaign.provider
    gives = run.ledger.answers.gives_log_probabilities(seller, judge.model)
    if gives is None:
        await ask_within_share(run, [questions.all_about(pictures[0], preferred)], ask_in_flow)
        gives = run.ledger.answers.gives_log_probabilities(seller, judge.model)
    return preferred if gives else other


def warn_of_share(run: Session, n_left: int, noun: str, what: str = "not judged") -> None:
    """Say how much is not asked because judging may take no more of the drafts' cost.

    Args:
        run: The run.
        n_left: How many are left out.
        noun: Of what.
        what: What is not done with them.
    """
    share = run.campaign.score.max_share
    if n_left and share is not None:
        warning = (
            f"score.max_share: {count_of(n_left, noun)} {what}, because judging may cost no more than"
            f" {format_share(share)} of the drafts."
        )
        run.display.say(warning)
        add_warnings(run.ledger, run.run_id, [warning])


def _began_with(run: Session, form: Form) -> bool:
    """Whether a run has asked in a form: it goes on so, and asks about no picture in another way again."""
    records = run.ledger.orders.of_run(run.run_id)
    return any(one.order.is_question and is_asked_in(form, one.order.prompt) for one in records)


async def _ask_pairs(run: Session, questions: Questions, judged: Sequence[Candidate], per_row: int) -> None:
    """Ask round by round until every row has its pairs."""
    by_id = {draft.candidate_id: draft for draft in judged}
    duel = run.campaign.score.duel
    seller = (duel.provider if duel else None) or run.campaign.provider
    while run.judging.closed_at(seller) is None:
        known = read_judge_answers(run.ledger, questions, judged)
        pairs = [
            pair for row, pool in pools(judged).items() for pair in next_round(known, row, pool, per_row)
        ]
        if not pairs:
            return
        groups: dict[frozenset[str], list[Order]] = {}
        for first, second in pairs:
            order = questions.between(by_id[first], by_id[second])
            groups.setdefault(frozenset((first, second)), []).append(order)
        if n_left := await ask_within_share(run, list(groups.values()), ask_in_flow):
            warn_of_share(run, n_left, "pair")
            return


def next_round(
    known: JudgeAnswers, row: int, pool: Sequence[Candidate], per_row: int
) -> list[tuple[str, str]]:
    """Choose the next questions about one row: first pairs that a killed run asked in one order only.

    Args:
        known: The answers so far.
        row: The row.
        pool: Its unique images.
        per_row: How many pairs may be asked in total.

    Returns:
        Candidate ids, the one shown first and the other, once for each order; empty if the row is done.
    """
    asked = known.asked(row)
    halves = sorted((second, first) for first, second in asked if (second, first) not in asked)
    if halves:
        return halves
    ids = [draft.candidate_id for draft in pool]
    n_left = most_pairs(len(ids), per_row) - len({frozenset(pair) for pair in asked})
    duels = [duel for duel in known.duels if duel.row == row]
    alike = {
        draft.candidate_id: draft.standing.similar_cluster
        for draft in pool
        if draft.standing and draft.standing.similar_cluster
    }
    same = [
        (one.candidate_id, other.candidate_id)
        for one, other in combinations(pool, 2)
        if are_one_picture(one, other)
    ]
    return list(in_both_orders(next_pairs(ids, asked, duels, n_left, alike, same)))


async def ask_in_flow(run: Session, orders: Sequence[Order]) -> int:
    """Buy answers in Prefect tasks; see ``buy_answers``. This spends money."""
    return await buy_answers(run, orders, judge_task)
