"""Faults on demand: each kind does over HTTP what it says, and the bill says what it cost."""

import base64
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai.types import ImagesResponse
from PIL import Image

from tasks.emulator.app import create_app
from tasks.emulator.fault_kinds import BILLED, IMAGE_KINDS
from tasks.emulator.faults import FAULT_KINDS, FaultBook, FaultRule, load_rules, read_rules
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tasks.errors import SettingError
from tests.support.child_process import wait_until
from tests.support.emulator_client import BRIEF_S, PATIENT_S

REQUEST: dict[str, Any] = {
    "model": "gpt-image-2.6-flare",
    "prompt": "a fox",
    "quality": "high",
    "size": "1024x640",
}


class Bench:
    """An emulator, a client, and the last entry of the bill."""

    def __init__(self, url: str, client: openai.OpenAI) -> None:
        self.root = url.removesuffix("/v1")
        self.client = client

    def set(self, *rules: dict[str, Any]) -> None:
        """Put rules in force; only an answer that never comes is not waited for."""
        httpx2.post(f"{self.root}/_faults", json={"faults": list(rules)}).raise_for_status()
        hangs = any(rule["kind"] == "bill_then_hang" for rule in rules)
        self.client = self.client.with_options(timeout=BRIEF_S if hangs else PATIENT_S)

    def buy(self, **fields: Any) -> ImagesResponse:
        """Ask for a picture."""
        answer: ImagesResponse = self.client.images.generate(**(REQUEST | fields))
        return answer

    def last(self) -> dict[str, Any]:
        """The bill's last entry."""
        entry: dict[str, Any] = httpx2.get(f"{self.root}/_bill").json()["entries"][-1]
        return entry


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """One emulator for the whole file."""
    with emulator_server(EmulatorSettings(paint="plain")) as url:
        yield url


@pytest.fixture
def bench(emulator: str) -> Iterator[Bench]:
    """The emulator without faults, and an official client."""
    with openai.OpenAI(api_key="k", base_url=emulator, max_retries=0) as client:
        bench = Bench(emulator, client)
        bench.set()
        yield bench


# (rule, exception, status, error type, error code)
ERRORS = [
    ({"kind": "rate_limited"}, openai.RateLimitError, "input-images", "rate_limit_exceeded"),
    ({"kind": "quota"}, openai.RateLimitError, "insufficient_quota", "insufficient_quota"),
    *(
        ({"kind": "quota", "code": code}, openai.RateLimitError, "insufficient_quota", code)
        for code in (
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
        )
    ),
    (
        {"kind": "billing_hard_limit"},
        openai.BadRequestError, "invalid_request_error", "billing_hard_limit_reached",
    ),
    ({"kind": "server_error"}, openai.InternalServerError, "server_error", None),
    (
        {"kind": "server_error", "status": 503},
        openai.InternalServerError, "server_error", "server_overloaded",
    ),
    ({"kind": "slow_down"}, openai.InternalServerError, "server_error", "slow_down"),
    ({"kind": "comet_error"}, openai.InternalServerError, "comet_api_error", "invalid_request"),
    (
        {"kind": "comet_error", "code": "model_not_found"},
        openai.InternalServerError, "comet_api_error", "model_not_found",
    ),
    ({"kind": "moderation"}, openai.BadRequestError, "image_generation_user_error", "moderation_blocked"),
    ({"kind": "retired"}, openai.NotFoundError, "invalid_request_error", "model_not_found"),
    ({"kind": "unverified"}, openai.PermissionDeniedError, "invalid_request_error", None),
    ({"kind": "invalid_key"}, openai.AuthenticationError, "invalid_request_error", "invalid_api_key"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "error", "type", "code"), ERRORS)
def test_an_error_kind_raises_the_clients_own_exception(
    bench: Bench, rule: dict[str, Any], error: type[openai.APIStatusError], type: str, code: str | None
) -> None:
    """Class, type and code are the vendor's, a request id is there, and nothing is charged."""
    bench.set(rule)
    with pytest.raises(error) as caught:
        bench.buy()
    assert (caught.value.type, caught.value.code) == (type, code)
    entry = bench.last()
    assert caught.value.request_id == entry["request_id"]
    assert (entry["charged_nanousd"], entry["fault"], entry["status"]) == (
        0,
        rule["kind"],
        caught.value.status_code,
    )


@pytest.mark.parametrize("status", [502, 504, 524])
def test_gateway_errors_are_web_pages(bench: Bench, status: int) -> None:
    """502, 504 and 524 come as HTML, as from a proxy."""
    bench.set({"kind": "server_error", "status": status})
    with pytest.raises(openai.InternalServerError) as caught:
        bench.buy()
    assert caught.value.status_code == status
    assert caught.value.response.text.startswith("<html>")


@pytest.mark.parametrize(("retry_after", "header"), [(7, "7"), (200, "200"), (None, None)])
def test_retry_after_is_what_the_rule_says(bench: Bench, retry_after: int | None, header: str | None) -> None:
    """Seconds, a very long wait, or no header at all."""
    bench.set({"kind": "rate_limited", "retry_after": retry_after})
    with pytest.raises(openai.RateLimitError) as caught:
        bench.buy()
    assert caught.value.response.headers.get("retry-after") == header


@pytest.mark.parametrize("stage", ["input", "output"])
@pytest.mark.parametrize("billed", [None, True])
def test_moderation_names_its_stage_and_can_be_billed(bench: Bench, stage: str, billed: bool | None) -> None:
    """Not billed unless the rule says so."""
    bench.set({"kind": "moderation", "stage": stage, "billed": billed})
    with pytest.raises(openai.BadRequestError) as caught:
        bench.buy()
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["moderation_details"]["moderation_stage"] == stage
    assert (bench.last()["charged_nanousd"] > 0) is bool(billed)


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("bill_then_hang", httpx2.ReadTimeout),
        ("bill_then_drop", httpx2.RemoteProtocolError),
        ("truncated_body", httpx2.RemoteProtocolError),
    ],
)
def test_an_answer_that_never_arrives_is_billed(bench: Bench, kind: str, cause: type[Exception]) -> None:
    """The client sees a broken connection; the bill has the charge and says that nobody got the answer."""
    bench.set({"kind": kind})
    with pytest.raises(openai.APIConnectionError) as caught:
        bench.buy()
    assert isinstance(caught.value.__cause__, cause)
    entry = bench.last()
    assert entry["charged_nanousd"] > 0
    assert entry["is_answered"] is False
    assert httpx2.get(f"{bench.root}/_bill").json()["total"]["charged_unanswered_nanousd"] > 0


def test_a_drop_before_the_bill_costs_nothing(bench: Bench) -> None:
    """The connection closes without an answer and without a charge."""
    bench.set({"kind": "drop"})
    with pytest.raises(openai.APIConnectionError):
        bench.buy()
    assert bench.last()["charged_nanousd"] == 0


def test_a_slow_body_arrives_in_the_end(bench: Bench) -> None:
    """Piece by piece, over the time set."""
    bench.set({"kind": "slow_body", "duration_s": 0.5})
    started_s = time.monotonic()
    assert bench.buy().data
    assert time.monotonic() - started_s > 0.4
    wait_until(lambda: bench.last()["is_answered"] is True)  # noted once the last byte is out


def test_html_with_status_200_becomes_a_text(bench: Bench) -> None:
    """What the official client makes of it: no error, no answer, a ``str``."""
    bench.set({"kind": "html_200"})
    answer: Any = bench.buy()
    assert isinstance(answer, str)
    assert bench.last()["charged_nanousd"] == 0


def test_a_redirect_to_a_web_page(bench: Bench) -> None:
    """A gateway's answer to a wrong path."""
    bench.set({"kind": "redirect_html"})
    answer = httpx2.post(
        f"{bench.root}/v1/images/generations", json=REQUEST, headers={"Authorization": "Bearer k"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (301, "text/html; charset=utf-8")


def test_empty_data_is_a_success_without_pictures(bench: Bench) -> None:
    """Not billed, and no usage either; billed, the usage is there."""
    bench.set({"kind": "empty_data", "times": 1}, {"kind": "empty_data", "billed": True})
    free, billed = bench.buy(), bench.buy()
    assert (free.data, free.usage) == ([], None)
    assert billed.data == []
    assert billed.usage is not None
    assert bench.last()["charged_nanousd"] > 0


def test_spoiled_pictures(bench: Bench) -> None:
    """Another size, another format, text, a cut file and a bomb: each is what it says, and billed."""
    seen: dict[str, bytes] = {}
    for kind in ("wrong_size", "wrong_format", "no_picture", "truncated_png", "bomb"):
        bench.set({"kind": kind})
        seen[kind] = base64.b64decode((bench.buy().data or [])[0].b64_json or "")
        assert bench.last()["charged_nanousd"] > 0
    assert Image.open(io.BytesIO(seen["wrong_size"])).size == (768, 480)
    assert Image.open(io.BytesIO(seen["wrong_format"])).format == "JPEG"
    with pytest.raises(OSError, match="identify"):
        Image.open(io.BytesIO(seen["no_picture"]))
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO(seen["truncated_png"])).load()
    assert len(seen["bomb"]) < 100_000
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(seen["bomb"]))


def test_the_bomb_is_a_valid_picture(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    """A careless reader would really decode 400 million pixels from it."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    bench.set({"kind": "bomb"})
    data = base64.b64decode((bench.buy().data or [])[0].b64_json or "")
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (20_000, 20_000)
        assert picture.mode == "1"


def test_fewer_pictures_and_a_lower_tier(bench: Bench) -> None:
    """One picture is missing though all are billed; a lower tier shows in the answer and on the bill."""
    bench.set({"kind": "fewer_pictures"})
    full = bench.buy(n=3)
    assert len(full.data or []) == 2
    assert bench.last()["n"] == 3
    bench.set({"kind": "lower_tier"})
    lower = bench.buy()
    assert lower.quality == "low"
    assert lower.usage is not None
    charged = bench.last()
    assert (charged["quality"], charged["usage"]["output_tokens"]) == ("low", lower.usage.output_tokens)


def test_usage_with_foreign_keys_and_without_any(bench: Bench) -> None:
    """Foreign keys stand beside the vendor's own; or the whole object is missing though the bill has it."""
    bench.set({"kind": "foreign_usage_keys"})
    usage = bench.buy().usage
    assert usage is not None
    assert usage.to_dict()["prompt_tokens"] == 0
    assert usage.output_tokens > 0
    bench.set({"kind": "missing_usage"})
    assert bench.buy().usage is None
    assert bench.last()["usage"]["output_tokens"] > 0


def test_every_kind_is_billed_or_not_as_its_table_says(bench: Bench) -> None:
    """No kind is without effect, and the default charge of each is the documented one."""
    assert set(FAULT_KINDS) >= IMAGE_KINDS
    for kind in sorted(IMAGE_KINDS):
        bench.set({"kind": kind, "duration_s": 0.05})
        try:
            bench.buy()
        except openai.OpenAIError:
            assert bench.last()["fault"] == kind
        assert (bench.last()["charged_nanousd"] > 0) is (kind in BILLED)


def test_a_rule_can_make_a_spoiled_picture_free(bench: Bench) -> None:
    """What a rule says about the charge holds for every kind."""
    bench.set({"kind": "wrong_size", "billed": False})
    assert bench.buy().data
    assert (bench.last()["charged_nanousd"], bench.last()["usage"]) == (0, None)


def test_faults_can_hit_the_models_endpoint(bench: Bench) -> None:
    """A path narrows a rule; the images endpoints stay well."""
    bench.set({"kind": "server_error", "path": "/models"})
    with pytest.raises(openai.InternalServerError):
        bench.client.models.list()
    assert bench.buy().data


def test_rules_fire_by_number_rate_prompt_and_times() -> None:
    """The n-th match, about a share of many, only certain prompts, only so often; the same every time."""
    nth = FaultBook([FaultRule(kind="drop", nth=(2, 4))])
    assert [nth.choose("/v1", "a") is not None for _ in range(5)] == [False, True, False, True, False]
    times = FaultBook([FaultRule(kind="drop", times=2)])
    assert sum(times.choose("/v1", "a") is not None for _ in range(9)) == 2
    prompt = FaultBook([FaultRule(kind="drop", prompt="fox(es)?$")])
    assert [prompt.choose("/v1", text) is not None for text in ("two foxes", "a fox hat", None)] == [
        True,
        False,
        False,
    ]
    rows = []
    for _ in range(2):
        rate = FaultBook([FaultRule(kind="drop", rate=0.1)], seed=3)
        rows.append([rate.choose("/v1", "a") is not None for _ in range(2000)])
    assert rows[0] == rows[1]
    assert 150 < sum(rows[0]) < 250


def test_the_control_endpoint_shows_replaces_and_clears(bench: Bench) -> None:
    """GET tells the rules and how often each fired; a wrong rule changes nothing and is named."""
    bench.set({"kind": "quota", "nth": [1]})
    with pytest.raises(openai.RateLimitError):
        bench.buy()
    shown = httpx2.get(f"{bench.root}/_faults").json()
    assert shown == {"faults": [{"kind": "quota", "nth": [1]}], "fired": [1]}
    for wrong in (
        {"faults": [{"kind": "sulk"}]},
        [{"kind": "drop", "often": 1}],
        [{"kind": "drop", "prompt": "("}],
    ):
        assert httpx2.post(f"{bench.root}/_faults", json=wrong).status_code == 422
    assert httpx2.post(f"{bench.root}/_faults", content=b"{").status_code == 422
    assert httpx2.get(f"{bench.root}/_faults").json() == shown
    assert httpx2.delete(f"{bench.root}/_faults").json() == {"faults": [], "fired": []}


def test_rules_are_read_from_a_file(tmp_path: Path) -> None:
    """YAML with a list of rules; a wrong one is an error that names the file and the kinds."""
    file = tmp_path / "faults.yaml"
    file.write_text(
        "faults:\n  - {kind: bill_then_hang, rate: 0.1}\n  - {kind: rate_limited, retry_after: 200}\n"
    )
    rules = load_rules(file)
    assert [(rule.kind, rule.rate, rule.retry_after) for rule in rules] == [
        ("bill_then_hang", 0.1, 1), ("rate_limited", 1.0, 200),
    ]  # fmt: skip
    assert read_rules({"kind": "drop"}) == (FaultRule(kind="drop"),)
    file.write_text("faults:\n  - {kind: sulk}\n")
    with pytest.raises(SettingError, match=r"faults\.yaml: .*rule 0\.kind.*bill_then_hang"):
        load_rules(file)
    with pytest.raises(SettingError):
        load_rules(tmp_path / "absent.yaml")


async def test_in_process_a_drop_surfaces_as_a_connection_error() -> None:
    """Without a socket there is nothing to drop: the client still sees a failed connection."""
    app = create_app(EmulatorSettings(paint="plain", faults=(FaultRule(kind="bill_then_drop"),)))
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as http,
        openai.AsyncOpenAI(api_key="k", base_url="http://e/v1", max_retries=0, http_client=http) as client,
    ):
        with pytest.raises(openai.APIConnectionError):
            await client.images.generate(**REQUEST)
    assert app.state.emulator.bill.entries[0].charged_nanousd > 0


def test_a_server_with_a_hanging_request_stops_soon() -> None:
    """Leaving the context does not wait for the caller that hangs."""
    with emulator_server(EmulatorSettings(paint="plain", faults=(FaultRule(kind="bill_then_hang"),))) as url:
        with (
            openai.OpenAI(api_key="k", base_url=url, max_retries=0, timeout=0.3) as client,
            pytest.raises(openai.APITimeoutError),
        ):
            client.images.generate(**REQUEST)
        started_s = time.monotonic()
    assert time.monotonic() - started_s < 5
