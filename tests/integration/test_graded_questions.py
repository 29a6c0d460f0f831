"""Graded questions across the buyer: log-probabilities kept, refused, or ignored, and what is remembered."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from flows.evaluation.judge_answers import read_judge_answers
from tasks.campaign import Campaign
from tasks.campaign.statements import AskedStatement
from tasks.catalogue.estimates import Estimates
from tasks.images_api.recover_sent import recover_sent
from tasks.images_api.sidecars import sidecar_file
from tasks.judging.forms import Form
from tasks.judging.replies import stored_text
from tasks.judging.reply_reading import read_reply
from tasks.judging.rubric import rubric_parameters, rubric_prompt
from tasks.ledger import Ledger, Limits, Settlement
from tasks.order import Order
from tasks.orders.judging_plan import plan_judging
from tasks.orders.questions import Questions, forms_of
from tests.support.builders import NOON, RUN_ID
from tests.support.judge_builders import MODEL, RUBRIC, a_question, a_shown_picture, judged, seen
from tests.support.ledgers import open_ledger
from tests.support.planning import CATALOGUE, PROVIDERS, RUN
from tests.support.shop import Opener, Shop

ASKED = tuple(AskedStatement(text, text) for text in RUBRIC)


def question(shop: Shop, form: Form = "log_probabilities") -> Order:
    """Make a question in a form."""
    return a_question(
        a_shown_picture(shop.folder),
        prompt=rubric_prompt(RUBRIC, form),
        parameters=rubric_parameters(MODEL, RUBRIC, form),
    )


def graded(samples: int = 1) -> Campaign:
    """Make a campaign with graded answers."""
    judge = {"rubric": RUBRIC, "answers": "graded", "samples": samples}
    return judged(score={"weights": {"judge": 1}, "judge": judge})


def test_the_probability_of_yes_is_kept_with_the_words_in_ledger_and_sidecar(
    open_shop: Opener, tmp_path: Path
) -> None:
    """A process killed before the ledger was written loses none of it; the model is known to give it."""
    shop = open_shop()
    order = question(shop)
    shop.buy(order)
    reply = shop.ledger.answers.replies(RUN_ID, [order.question])[order.question]
    assert len(reply.yes_at) == len(RUBRIC)
    assert all(0 < chance < 1 for chance in reply.yes_at.values())
    assert shop.ledger.answers.gives_log_probabilities("shop", MODEL) is True
    assert shop.ledger.answers.gives_log_probabilities("shop", "another") is None
    assert sidecar_file(shop.folder, order.order_id).exists()
    (tmp_path / "again").mkdir()
    with open_ledger(tmp_path / "again") as again:
        again.runs.start(RUN_ID, campaign="otters", provider="shop", now=NOON)
        again.orders.plan([order])
        again.orders.send(order, Limits(), NOON)
        assert recover_sent(again, RUN_ID, shop.folder, shop.terms)["received"] == 1
        assert again.answers.replies(RUN_ID, [order.question])[order.question] == reply


def test_a_model_without_log_probabilities_says_so_unbilled_and_is_remembered(open_shop: Opener) -> None:
    """The rejected question costs nothing; a word of five is read instead."""
    shop = open_shop(judge_logprobs=False)
    assert shop.ledger.answers.gives_log_probabilities("shop", MODEL) is None
    shop.buy(question(shop))
    assert shop.record().state == "failed"
    assert Decimal(shop.bill()["total"]["charged_usd"]) == 0
    assert shop.ledger.answers.gives_log_probabilities("shop", MODEL) is False
    words = question(shop, "word_of_five")
    shop.buy(words)
    reply = shop.ledger.answers.replies(RUN_ID, [words.question])[words.question]
    found = read_reply(replace(reply, form="word_of_five"), ASKED)
    assert found is not None
    assert set(found.chances) <= {0.0, 0.25, 0.5, 0.75, 1.0}


WORDS = (
    '{"statement_1": {"answer": "%s", "reason": ""}, "statement_2": {"answer": "yes", "reason": ""}, '
    '"overall": {"reason": "", "grade": "good"}}'
)


def settle(ledger: Ledger, orders: Sequence[Order], content: str) -> None:
    """Settle questions with an answer."""
    ledger.orders.plan(orders)
    for order in orders:
        ledger.orders.send(order, Limits(), NOON)
        ledger.orders.settle(order.order_id, Settlement("received", is_charged=True), (), content)


def test_answers_are_found_in_whichever_form_they_came(tmp_path: Path) -> None:
    """The preferred form counts where it has an answer; one without its log-probabilities is none."""
    campaign, drafts = graded(), [seen(f"c-{n}", sha256=f"{n:064x}") for n in range(4)]
    questions = Questions(campaign, RUN, "/runs/otter")
    preferred, other = forms_of(campaign.score.judge)  # type: ignore[arg-type]
    content = WORDS % "yes"
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN, campaign="otter", provider="openai", now=NOON)
        settle(ledger, questions.all_about(drafts[0], preferred), stored_text(content, {29: 0.8, 74: 0.9}))
        settle(ledger, questions.all_about(drafts[1], other), WORDS % "probably")
        settle(ledger, questions.all_about(drafts[2], preferred), content)
        found = read_judge_answers(ledger, questions, drafts).replies
    assert [found[name].form for name in ("c-0", "c-1")] == ["log_probabilities", "word_of_five"]
    assert (found["c-2"].content, found["c-2"].fault) == (None, "the model gives no log-probabilities")
    assert "c-3" not in found


def test_samples_are_joined_to_one_reply_and_priced_each(tmp_path: Path) -> None:
    """As many orders as answers are averaged, each with an id of its own; the plan knows the most of them."""
    campaign, draft = graded(samples=3), seen("c-1")
    questions = Questions(campaign, RUN, "/runs/otter")
    orders = questions.all_about(draft, "samples")
    assert len({order.order_id for order in orders}) == len({order.question for order in orders}) == 3
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN, campaign="otter", provider="openai", now=NOON)
        for order, word in zip(orders, ("yes", "no", "yes"), strict=True):
            settle(ledger, [order], WORDS % word)
        reply = read_judge_answers(ledger, questions, [draft]).replies["c-1"]
    found = read_reply(reply, ASKED)
    assert found is not None
    assert found.chances == (2 / 3, 1.0)
    estimates = Estimates(CATALOGUE, PROVIDERS.provider("openai"))
    one, three = plan_judging(graded(), estimates), plan_judging(campaign, estimates)
    assert one is not None
    assert three is not None
    assert three.orders == 3 * one.orders
    assert three.high_usd > 2 * one.high_usd
