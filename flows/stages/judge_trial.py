"""The judge's first dozen answers: whether its rubric tells pictures apart, said before the rest is paid.

A rubric that every picture fulfils scores all pictures alike: the rest of its answers cost money and say
nothing. Comparing pairs has no ceiling, so that is proposed, with its price.
"""

from collections.abc import Sequence
from decimal import Decimal

from flows.evaluation.judge_answers import read_judge_answers
from flows.session.session import Session
from tasks.campaign import Campaign
from tasks.campaign.choice import Duel
from tasks.campaign.statements import statements_of
from tasks.candidate import Candidate
from tasks.catalogue.estimates import Estimates
from tasks.judging.forms import Form
from tasks.judging.replies import Reply
from tasks.judging.reply_reading import read_reply
from tasks.ledger.replanning import add_warnings
from tasks.money import count_of, format_usd
from tasks.order import Order
from tasks.orders.judging_plan import plan_judging
from tasks.orders.questions import Questions

N_FIRST = 12


def first_of_all(judged: Sequence[Candidate]) -> list[Candidate]:
    """Put pictures in the order in which they are judged: each arm and row once, then once more.

    Args:
        judged: The pictures.
    """
    return sorted(judged, key=lambda draft: (draft.replicate, draft.row, draft.arm))


def tell_if_alike(run: Session, questions: Questions, pictures: Sequence[Candidate], form: Form) -> None:
    """Say it, and warn in the report, if the judge scored the first pictures all alike.

    Args:
        run: The run.
        questions: What the questions were made by.
        pictures: All pictures, in the order in which they are asked about.
        form: How the statements are answered.
    """
    first, rest = pictures[:N_FIRST], pictures[N_FIRST:]
    replies = read_judge_answers(run.ledger, questions, first).replies
    values = [
        value
        for draft in first
        if (reply := replies.get(draft.candidate_id))
        and (value := _value(run.campaign, reply, draft)) is not None
    ]
    if len(values) < N_FIRST or len(set(values)) > 1:
        return
    orders = [order for draft in rest for order in questions.all_about(draft, form)]
    known = run.ledger.answers.find([order.question for order in orders])
    left = [order for order in orders if order.question not in known]
    estimates = questions.estimates
    if left and estimates is not None:
        warning = describe_alike(run.campaign, estimates, values[0], left)
        run.display.say(f"{warning} Ctrl-C stops asking; what is paid is kept.")
        add_warnings(run.ledger, run.run_id, [warning])


def _value(campaign: Campaign, reply: Reply, draft: Candidate) -> float | None:
    found = read_reply(reply, statements_of(campaign, draft.row, draft.arm))
    return None if found is None else found.value


def describe_alike(campaign: Campaign, estimates: Estimates, value: float, left: Sequence[Order]) -> str:
    """Say what the judge's answers have in common, what the rest costs, and what comparing pairs would cost.

    Args:
        campaign: The campaign.
        estimates: Prices.
        value: The score of all pictures so far.
        left: The questions that are still to be asked.
    """
    n_left = len({order.draft_id for order in left})
    rest_usd = sum((order.estimate_usd for order in left), Decimal(0))
    score = "full marks" if value == 1 else f"the same score ({value:.2f})"
    return (
        f"The judge gave the first {N_FIRST} pictures {score}: its rubric may not tell the arms apart."
        f" Asking about the other {count_of(n_left, 'picture')} costs up to {format_usd(rest_usd)}."
        f" {_propose_duels(campaign, estimates)}"
    )


def _propose_duels(campaign: Campaign, estimates: Estimates) -> str:
    rules = campaign.score
    if rules.weights.get("duel"):
        return "Duels compare the pictures too: sharpen the rubric, or leave it out."
    model = rules.judge.model if rules.judge else None
    duel = rules.duel or (Duel(model=model) if model else Duel())
    with_duels = rules.model_copy(update={"weights": {"duel": 1.0}, "duel": duel})
    priced = plan_judging(campaign.model_copy(update={"score": with_duels}), estimates)
    most = format_usd(priced.high_usd if priced else Decimal(0))
    return (
        f"Comparing pairs instead has no such ceiling: score.weights: {{duel: 1}}, up to {most};"
        " or sharpen the rubric."
    )
