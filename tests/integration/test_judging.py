"""Questions to a judging model across the buyer: bought once, kept word for word, settled, healed."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import PictureError, StopRunError
from tasks.images_api.answers import Answer
from tasks.images_api.buyer import Purchase
from tasks.images_api.circuit_breaker import for_questions
from tasks.images_api.disk_space import largest_bytes
from tasks.images_api.failures import Failure, FailureKind
from tasks.images_api.picture_files import store_answer
from tasks.images_api.questions import CHAT_READ_TIMEOUT_S, ROOM_BYTES, read_reply
from tasks.images_api.recover_sent import recover_sent
from tasks.images_api.sidecars import sidecar_file
from tasks.judging.rubric import read_rubric_answer
from tasks.ledger import Limits, Settlement
from tasks.ledger.replanning import replan
from tasks.order import Order, Usage
from tasks.redaction import Secret
from tests.support.builders import NOON, RUN_ID
from tests.support.judge_builders import RUBRIC, a_question, a_shown_picture
from tests.support.shop import Opener, Shop

CONTENT = '{"overall": {}}'


def question(shop: Shop, **changes: Any) -> Order:
    """Make a question about one picture in the shop's folder."""
    return a_question(a_shown_picture(shop.folder), **changes)


def test_an_answer_is_paid_by_its_usage_and_kept_word_for_word(open_shop: Opener) -> None:
    """One request; bill, ledger and budget agree; the words are in the ledger and in the sidecar."""
    shop = open_shop()
    order = question(shop)
    shop.buy(order)
    record, bill = shop.record(), shop.bill()
    assert (record.state, bill["total"]["requests"]) == ("received", 1)
    assert record.settlement.cost_usd == Decimal(bill["total"]["charged_usd"]) > 0
    assert bill["entries"][0]["client_request_id"] == order.order_id
    kept = shop.ledger.answers.find([order.question])[order.question]
    assert json.loads(sidecar_file(shop.folder, order.order_id).read_bytes())["content"] == kept
    assert read_rubric_answer(kept, len(RUBRIC)) is not None
    assert shop.ledger.verify() == []
    assert [purchase.n_pictures for purchase in shop.purchases] == [0]


def test_a_question_takes_little_room_and_a_short_wait(open_shop: Opener) -> None:
    """An answer is a few words, whatever the pictures weigh."""
    shop = open_shop()
    assert largest_bytes(question(shop)) == ROOM_BYTES
    assert shop.terms.read_timeout_s(question(shop)) == CHAT_READ_TIMEOUT_S


def test_the_same_question_has_one_name_in_every_run(tmp_path: Path) -> None:
    """The pictures' bytes and their order count, not the run, the place or the file."""
    one, other = a_shown_picture(tmp_path, 1), a_shown_picture(tmp_path, 2)
    name = a_question(one, other).question
    assert a_question(one, other, run_id="20270101-000000-next", arm="B", attempt=1).question == name
    assert a_question(other, one).question != name
    assert a_question(one, other, provider="another").question != name


FAULTS: tuple[tuple[dict[str, Any], str, str | None, bool], ...] = (
    ({"kind": "moderation"}, "refused", "moderation_blocked", False),
    ({"kind": "server_error"}, "failed", "http_500", False),
    ({"kind": "empty_data"}, "unknown", "no_words", True),
    ({"kind": "bill_then_drop"}, "unknown", "RemoteProtocolError", True),
    ({"kind": "missing_usage"}, "received", None, True),
)


@pytest.mark.parametrize(("fault", "state", "code", "is_charged"), FAULTS)
def test_a_fault_means_for_a_question_what_it_means_for_a_picture(
    open_shop: Opener, fault: dict[str, Any], state: str, code: str | None, is_charged: bool
) -> None:
    """The same states, and the estimate where nobody knows what it cost."""
    shop = open_shop(fault)
    shop.buy(question(shop))
    record = shop.record()
    assert (record.state, record.settlement.error_code) == (state, code)
    assert record.charged_usd == (Decimal("0.001") if is_charged else 0)
    assert shop.ledger.verify() == []


def test_a_refusing_model_is_paid_and_has_no_opinion(open_shop: Opener) -> None:
    """The order is refused, charged what the usage says, and no answer is kept."""
    shop = open_shop(judge_refusal_rate=1.0)
    order = question(shop)
    shop.buy(order)
    record = shop.record()
    assert (record.state, record.settlement.error_code) == ("refused", "judge_refused")
    assert record.charged_usd == Decimal(shop.bill()["total"]["charged_usd"]) > 0
    reply = shop.ledger.answers.replies(RUN_ID, [order.question])[order.question]
    assert (reply.content, reply.fault.startswith("the model refused: I'm sorry")) == (None, True)
    assert shop.ledger.verify() == []


def test_a_broken_answer_is_kept_as_it_came(open_shop: Opener) -> None:
    """It was paid for; whoever asked finds no opinion in it."""
    shop = open_shop(judge_broken_rate=1.0)
    order = question(shop)
    shop.buy(order)
    assert shop.record().state == "received"
    kept = shop.ledger.answers.find([order.question])[order.question]
    assert read_rubric_answer(kept, len(RUBRIC)) is None


def test_a_changed_picture_is_not_shown(open_shop: Opener) -> None:
    """The question names the bytes; with others nothing is sent and nothing is spent."""
    shop = open_shop()
    order = question(shop)
    Path(order.references[0].file).write_bytes(b"another picture")
    with pytest.raises(PictureError, match="changed"):
        shop.buy(order)
    assert (shop.record().state, shop.bill()["total"]["requests"]) == ("planned", 0)


def test_no_money_no_question(open_shop: Opener) -> None:
    """The estimate is reserved before anything is sent."""
    shop = open_shop()
    buyer = shop.buy(question(shop), limits=Limits(per_run_usd=Decimal("0.0001")))
    assert (shop.record().state, buyer.closed_by is not None) == ("planned", True)
    assert shop.bill()["total"]["requests"] == 0


def sent(shop: Shop, order: Order) -> Order:
    """Write an order as sent, as a process that was killed leaves it."""
    shop.ledger.orders.plan([order])
    shop.ledger.orders.send(order, Limits(), NOON)
    return order


def test_an_answer_on_disk_heals_a_killed_purchase(open_shop: Opener) -> None:
    """The words and the usage come from the sidecar; nothing is asked again."""
    shop = open_shop()
    order = sent(shop, question(shop))
    usage = Usage(text_input_tokens=1000, output_tokens=100)
    store_answer(shop.folder, order, Answer((), usage, "req-1", CONTENT), 0.5)
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms) == {"received": 1, "unknown": 0}
    assert shop.record().settlement.cost_usd == Decimal("0.00015")
    assert shop.ledger.answers.find([order.question]) == {order.question: CONTENT}
    assert shop.ledger.verify() == []


def test_a_question_without_an_answer_on_disk_is_unknown_after_a_kill(open_shop: Opener) -> None:
    """It may have been billed: it stays charged and is not asked again."""
    shop = open_shop()
    order = sent(shop, question(shop))
    assert recover_sent(shop.ledger, RUN_ID, shop.folder, shop.terms) == {"received": 0, "unknown": 1}
    reply = shop.ledger.answers.replies(RUN_ID, [order.question])[order.question]
    assert (reply.content, reply.fault.startswith("no answer: The process ended")) == (None, True)


def test_every_state_without_an_answer_says_why(open_shop: Opener) -> None:
    """Planned, sent and failed ones; another run's orders say nothing about this one."""
    shop = open_shop()
    orders = [a_question(a_shown_picture(shop.folder, seed)) for seed in range(1, 4)]
    shop.ledger.orders.plan(orders)
    for order in orders[1:]:
        shop.ledger.orders.send(order, Limits(), NOON)
    shop.ledger.orders.settle(orders[2].order_id, Settlement("failed", error_code="http_500"))
    asked = [order.question for order in orders]
    replies = shop.ledger.answers.replies(RUN_ID, [*asked, "q-never-asked"])
    assert [replies[question].fault for question in asked] == [
        "it was not asked",
        "its answer is still pending",
        "the provider failed",
    ]
    assert "q-never-asked" not in replies
    assert shop.ledger.answers.replies(RUN_ID, asked[:1]).keys() == {asked[0]}
    assert shop.ledger.answers.replies("20270101-000000-next", asked) == {}


def answered(shop: Shop, content: str, **changes: Any) -> Order:
    """Settle a question with an answer."""
    order = sent(shop, question(shop, **changes))
    shop.ledger.orders.settle(order.order_id, Settlement("received", is_charged=True), (), content)
    return order


def test_an_answer_serves_every_run_and_the_first_one_counts(open_shop: Opener) -> None:
    """Asked again by hand or elsewhere, the opinion stays the same; a NUL cannot be kept."""
    shop = open_shop()
    order = answered(shop, "first\0")
    answered(shop, "second", attempt=1)
    many = [f"q-{number}" for number in range(1200)]
    assert shop.ledger.answers.find([*many, order.question]) == {order.question: "first"}
    shop.ledger.runs.start("20270101-000000-next", campaign="otters", provider="shop", now=NOON)
    replies = shop.ledger.answers.replies("20270101-000000-next", [order.question])
    assert replies[order.question].content == "first"


def test_a_received_question_without_an_answer_is_found_by_verify(open_shop: Opener) -> None:
    """Words that were paid for and are not there are a fault of the ledger."""
    shop = open_shop()
    order = sent(shop, question(shop))
    shop.ledger.orders.settle(order.order_id, Settlement("received", is_charged=True))
    assert shop.ledger.verify() == [f"order {order.order_id} is received and has no answer."]


def test_planned_questions_give_way_on_resume_but_not_those_a_person_ordered_again(
    open_shop: Opener,
) -> None:
    """The stage asks what it needs when its turn comes."""
    shop = open_shop()
    first, again = question(shop), question(shop, attempt=1)
    shop.ledger.orders.plan([first, again])
    assert [order.order_id for order in replan(shop.ledger, RUN_ID, [], lambda _: True)] == [first.order_id]
    assert [record.order.order_id for record in shop.records()] == [again.order_id]


USAGE = {"prompt_tokens": 10, "completion_tokens": 5}


def said(message: Mapping[str, Any]) -> dict[str, Any]:
    """Wrap a message as the vendor does."""
    return {"choices": [{"message": message}], "usage": USAGE}


BODIES: tuple[tuple[object, FailureKind, str, bool], ...] = (
    ("<html>Welcome</html>", FailureKind.unknown, "web_page", False),
    ([], FailureKind.unknown, "not_json", False),
    ({}, FailureKind.empty, "no_words", False),
    ({"choices": "none"}, FailureKind.empty, "no_words", False),
    ({"choices": [], "usage": USAGE}, FailureKind.empty, "no_words", True),
    ({"choices": ["words"], "usage": USAGE}, FailureKind.empty, "no_words", True),
    ({"choices": [{"message": {"content": [{"type": "image_url"}, 7]}}], "usage": USAGE},
     FailureKind.empty, "no_words", True),
    ({"choices": [{"finish_reason": "content_filter", "message": {"content": None}}], "usage": USAGE},
     FailureKind.refused, "content_filter", True),
    (said({"content": None}), FailureKind.empty, "no_words", True),
    (said({"content": ""}), FailureKind.empty, "no_words", True),
    (said({"content": None, "refusal": "No, sk-live-123456789."}),
     FailureKind.refused, "judge_refused", True),
    ({"error": {"message": "Wait", "code": "slow_down"}}, FailureKind.rate_limited, "slow_down", False),
)  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "code", "has_usage"), BODIES)
def test_an_answer_of_another_shape_is_no_opinion(
    body: object, kind: FailureKind, code: str, has_usage: bool
) -> None:
    """Nothing in an answer is trusted to have the shape it should have."""
    found = read_reply(body, {"x-request-id": "req-1"})
    assert isinstance(found, Failure)
    assert (found.kind, found.code) == (kind, code)
    assert bool(found.usage and found.usage.output_tokens) == has_usage
    assert "sk-live" not in found.message


@pytest.mark.parametrize(
    "choice",
    [
        {"message": {"content": "Yes."}},
        {"message": {"content": [{"type": "text", "text": "Ye"}, {"type": "text", "text": "s."}]}},
        {"message": {"content": {"type": "text", "text": "Yes."}}},
        {"message": {"content": ["Yes."]}},
        {"message": "Yes."},
        {"message": {"content": None}, "text": "Yes."},
    ],
)
def test_words_are_found_wherever_a_gateway_puts_them(choice: dict[str, Any]) -> None:
    """They were paid for."""
    found = read_reply({"choices": [choice], "usage": USAGE}, {})
    assert isinstance(found, Answer)
    assert (found.content, found.usage.output_tokens) == ("Yes.", 5)


def test_words_come_without_the_key_that_a_provider_repeats() -> None:
    """What is kept on disk and in the ledger holds no secret."""
    Secret("k-1234567")
    found = read_reply(said({"content": "key: k-1234567"}), {"x-request-id": "req-1"})
    assert isinstance(found, Answer)
    assert (found.content, found.vendor_request_id, found.usage.output_tokens) == (
        "key: [secret]",
        "req-1",
        5,
    )


def test_a_circuit_breaker_closes_after_failures_in_a_row_only(tmp_path: Path) -> None:
    """An answer or a refusal between begins the count anew; everybody is still told of every end."""
    order = a_question(a_shown_picture(tmp_path))
    told: list[Purchase] = []
    closed: list[Any] = []
    breaker = for_questions(told.append, closed.append, threshold=3)
    fault = Failure(FailureKind.server_fault, "http_500", "The server had an error.")
    for state in ("failed", "unknown", "received", "failed", "failed", "refused", "failed"):
        breaker(Purchase(order, state, 0, Decimal(0), fault))
    assert closed == []
    breaker(Purchase(order, "failed", 0, Decimal(0)))
    breaker(Purchase(order, "unknown", 0, Decimal(0), fault))
    (error,) = closed
    assert isinstance(error, StopRunError)
    assert "3 questions in a row failed; the last: http_500" in str(error)
    breaker(Purchase(order, "failed", 0, Decimal(0)))
    assert "4 questions in a row failed" in str(closed[-1])
    assert len(told) == 10
