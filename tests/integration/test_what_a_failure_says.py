"""Failures told only by words, by pages or by codes of others: what follows, and what people are told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import StopRunError
from tasks.images_api.error_meanings import error_meanings
from tasks.images_api.failures import FailureKind, Remedy, failure_of_answer
from tests.support.batch_shop import UPLOAD, Open, orders
from tests.support.gateway import Gateway
from tests.support.shop import order_of

PAGE = b"<!doctype html><html><head><title>Welcome</title></head><body>Log in</body></html>"
ADDRESS = "Look at the address http://gateway.test/v1"
BILLING = "billing and limits"
FIREWALL = "A firewall refuses this machine at the address http://gateway.test/v1"
QUOTA = {"message": "user quota is not enough", "type": "one_api_error", "code": "insufficient_user_quota"}
AZURE: dict[str, Any] = {
    "code": "contentFilter",
    "message": "The response was filtered.",
    "innererror": {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": {
            "hate": {"filtered": False, "severity": "safe"},
            "violence": {"filtered": True, "severity": "high"},
            "sexual": {"filtered": True, "severity": "medium"},
        },
    },
}
THROUGH_A_GATEWAY = {
    "message": "ContentPolicyViolationError: filtered", "type": None, "param": None, "code": "400",
    "provider_specific_fields": {"innererror": AZURE["innererror"]},
}  # fmt: skip
SAFETY = "Your request was rejected by the safety system. safety_violations=[violence]."


OF_THE_USER = "image_generation_user_error"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that answers as told."""
    gateway = Gateway(tmp_path)
    yield gateway
    gateway.shop.ledger.close()


def test_a_page_in_place_of_the_first_answers_stops_the_run_and_costs_nothing(gateway: Gateway) -> None:
    """The address lacks its path: whatever is in flight gets the page too, and nothing more is sent."""
    planned = [order_of(replicate) for replicate in range(12)]
    gateway.answers(200, PAGE, *planned, **{"content-type": "text/html"})
    assert all(record.state == "planned" for record in gateway.shop.records())
    assert sum(record.charged_usd for record in gateway.shop.records()) == 0
    assert gateway.n_requests <= gateway.shop.terms.provider.concurrency
    said = str(gateway.buyer.closed_by)
    assert ADDRESS in said
    assert "up to and including /v1" in said
    assert "was not billed" in said


def test_a_page_after_an_answer_of_the_api_may_have_been_billed(gateway: Gateway) -> None:
    """The address is right: a gateway in between answered for it."""
    one_by_one = gateway.shop.terms.provider.model_copy(update={"concurrency": 1})
    gateway.shop.terms = replace(gateway.shop.terms, provider=one_by_one)
    gateway.answers_in_turn(iter([(200, b'{"data": []}'), (200, PAGE)]), order_of(0), order_of(1))
    ends = [
        (record.state, record.settlement and record.settlement.error_code)
        for record in gateway.shop.records()
    ]
    assert ends == [("unknown", "empty_data"), ("unknown", "web_page")]
    assert gateway.buyer.closed_by is None


def test_a_page_beside_an_answer_of_the_api_stops_nothing(gateway: Gateway) -> None:
    """All in flight are waited for before the address is blamed; then the page may have been billed."""
    answers = iter([(200, PAGE), (200, PAGE), (200, b'{"data": []}')])
    gateway.answers_in_turn(answers, *(order_of(replicate) for replicate in range(3)))
    codes = [record.settlement and record.settlement.error_code for record in gateway.shop.records()]
    assert sorted(map(str, codes)) == ["empty_data", "web_page", "web_page"]
    assert gateway.buyer.closed_by is None


def test_a_page_in_place_of_an_uploads_answer_stops_the_batch_lane(open_bench: Open) -> None:
    """Nothing was bought; the orders are planned again."""
    bench = open_bench(UPLOAD | {"kind": "html_200"})
    bench.sit(*orders(2))
    assert bench.states() == ["planned"] * 2
    assert "Look at the address http://127.0.0.1" in str(bench.closed_by)


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (404, PAGE, {}, ADDRESS),
        (404, {"detail": "Not Found"}, {}, ADDRESS),
        (404, {"error": {"message": "Invalid URL (POST /images/generations)"}}, {}, ADDRESS),
        (404, {"error": {"message": "No such model.", "code": "model_not_found"}}, {}, "drafts.model=NAME"),
        (405, b"", {}, ADDRESS),
        (301, b"", {"location": "https://elsewhere.test/v1/images"}, ADDRESS),
        (303, b"", {"location": "/login"}, ADDRESS),
        (308, PAGE, {}, ADDRESS),
        (403, PAGE, {}, FIREWALL),
        (403, b"denied", {"content-type": "text/html; charset=utf-8"}, FIREWALL),
        (403, {"error": {"message": "No.", "code": "no_such_country"}}, {}, "what the key and the account"),
        (401, {"error": {"message": "Wrong key."}}, {}, "Set a valid key"),
        (407, PAGE, {}, "the proxy of this machine"),
        (511, PAGE, {}, "Sign in to the network"),
        (402, {"error": {"message": "Payment required"}}, {}, BILLING),
        (403, {"error": {"message": "Your organization must be verified to use the model."}}, {},
         "Verify the organization"),
    ],
)  # fmt: skip
def test_a_stop_says_where_to_look(
    gateway: Gateway, status: int, body: object, headers: dict[str, str], words: str
) -> None:
    """Nobody is sent to the billing page for a wrong path."""
    record = gateway.answers(status, body, **headers)
    assert (record.state, record.charged_usd, gateway.n_requests) == ("planned", 0, 1)
    assert isinstance(gateway.buyer.closed_by, StopRunError)
    assert words in str(gateway.buyer.closed_by)
    assert f"http_{status}: HTTP {status}" not in str(gateway.buyer.closed_by)
    assert (BILLING in str(gateway.buyer.closed_by)) == (words == BILLING)
    assert headers.get("location", "") in str(gateway.buyer.closed_by)


@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
@pytest.mark.parametrize(
    "body",
    [
        {"error": QUOTA},
        {"error": QUOTA | {"code": ""}},
        [{"error": {"code": 429, "message": "You exceeded your current quota, please check your plan."}}],
        {"error": {"message": "用户额度不足, 剩余额度: ＄-0.000002", "type": "new_api_error"}},
        {"error": {"message": "预扣费额度失败, 用户剩余额度: ＄0.53", "type": "new_api_error"}},
        {"error": {"error": {"message": "Insufficient Balance"}}},
        {"errors": [{"message": "Your credit balance is too low to access the API."}]},
        {"success": False, "error": "账户余额不足"},
    ],
    ids=["code", "words", "list", "chinese", "reserving", "nested", "errors", "text"],
)
def test_a_quota_that_is_used_up_stops_the_run_at_once(gateway: Gateway, status: int, body: object) -> None:
    """By code or by words alone, whatever is around the error; nothing is sent again or waited for."""
    record = gateway.answers(status, body)
    assert (record.state, record.charged_usd, gateway.n_requests) == ("planned", 0, 1)
    assert gateway.shop.waits_s == []
    assert BILLING in str(gateway.buyer.closed_by)


def test_a_quota_that_comes_back_in_a_while_is_waited_for() -> None:
    """Who says when to come again has a limit per minute, whatever it calls it."""
    body = [{"error": {"code": 429, "message": "You exceeded your current quota. Please retry in 20s."}}]
    fault = failure_of_answer(429, body, {}, "")
    assert (fault.kind, fault.retry_after_s) == (FailureKind.rate_limited, 20)
    known = {"error": {"code": "insufficient_quota", "message": "Please retry in 20s."}}
    assert failure_of_answer(429, known, {}, "").kind is FailureKind.stop_run


@pytest.mark.parametrize(
    ("status", "error", "state", "code", "message"),
    [
        (400, {"type": OF_THE_USER, "code": "invalid_image_file", "message": "Invalid image."},
         "failed", "invalid_image_file", "Invalid image."),
        (400, {"type": OF_THE_USER, "code": "image_too_small", "message": "Too small."},
         "failed", "image_too_small", "Too small."),
        (400, {"type": OF_THE_USER, "message": "Invalid image file or mode for image 1"},
         "failed", "http_400", "Invalid image file or mode for image 1"),
        (400, {"type": OF_THE_USER, "message": "Blocked."}, "refused", "http_400", "Blocked."),
        (400, AZURE, "refused", "contentFilter", "violence, sexual: The response was filtered."),
        (400, THROUGH_A_GATEWAY, "refused", "ResponsibleAIPolicyViolation",
         "violence, sexual: ContentPolicyViolationError: filtered"),
        (500, {"message": SAFETY, "type": "server_error"}, "refused", "http_500", SAFETY),
        (500, {"message": "Your request was rejected as a result of our safety system.", "code": "500"},
         "refused", "http_500", "Your request was rejected as a result of our safety system."),
        (400, {"code": "moderation_blocked", "message": "No.",
               "moderation_details": {"moderation_stage": "input", "categories": ["self-harm"]}},
         "refused", "moderation_blocked", "self-harm: No."),
    ],
)  # fmt: skip
def test_moderation_is_told_from_a_wrong_picture_and_said_with_its_categories(
    gateway: Gateway, status: int, error: dict[str, Any], state: str, code: str, message: str
) -> None:
    """Once, free of charge, and the run goes on."""
    record = gateway.answers(status, {"error": error})
    assert (record.state, record.charged_usd, gateway.n_requests) == (state, 0, 1)
    assert (record.settlement.error_code, record.settlement.error_message) == (code, message)
    assert gateway.buyer.closed_by is None


def test_what_is_known_of_errors_names_kinds_and_remedies_that_exist() -> None:
    """And no phrase is so short that any message may hold it."""
    known = error_meanings()
    meanings = [*known.codes.values(), *known.types.values(), *(meaning for _, meaning in known.phrases)]
    for meaning in meanings:
        assert FailureKind[meaning.kind].state in ("planned", "refused", "failed")
        assert meaning.remedy is None or Remedy[meaning.remedy]
        assert (meaning.kind == "stop_run") == (meaning.remedy is not None)
    assert all(len(phrase.encode()) >= 12 for phrase, _ in known.phrases)
