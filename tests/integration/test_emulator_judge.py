"""The emulator's chat endpoint, asked by the official clients: it looks and answers in a shape."""

import asyncio
import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import openai
import pytest
from click.testing import CliRunner
from PIL import Image, ImageFilter

from flows.commands.emulator import emulator
from tasks.emulator.faults import FaultRule
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings, PlantedError
from tasks.emulator.vision_judge import VisionJudge, measure
from tests.support.emulator_client import bill_of, client_of

MODEL = "gpt-6-luna"


def a_picture(blur_px: float = 0.0, seed: int = 1) -> Image.Image:
    """Draw soft noise, blurred."""
    noise = np.random.default_rng(seed).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(blur_px))


def png(picture: Image.Image) -> bytes:
    """Encode a picture."""
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


SHARP, BLURRED = png(a_picture(1)), png(a_picture(9))


def messages(*pictures: bytes, text: str = "Look.") -> list[Any]:
    """Ask about pictures in one message of a user."""
    urls = ["data:image/png;base64," + base64.b64encode(data).decode() for data in pictures]
    parts = [{"type": "image_url", "image_url": {"url": url, "detail": "high"}} for url in urls]
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]


def shape(**properties: Any) -> Any:
    """Ask for a closed object."""
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "verdict", "strict": True, "schema": schema},
    }


SHARPNESS = shape(
    sharp={"type": "string", "enum": ["yes", "no"], "description": "Is the picture sharp?"},
    grade={"type": "string", "enum": ["bad", "poor", "fair", "good", "excellent"]},
    reason={"type": "string"},
)
BETTER = shape(better={"type": "string", "enum": ["first", "second", "tie"]})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An emulator whose judge is sure of itself."""
    with emulator_server(EmulatorSettings(paint="plain", judge_noise=0.0)) as address:
        yield address


def answer(url: str, *pictures: bytes, **changes: Any) -> Any:
    """Ask and read the answer's JSON."""
    asked = {"model": MODEL, "messages": messages(*pictures), "response_format": SHARPNESS} | changes
    completion = client_of(url).chat.completions.create(**asked)
    return json.loads(completion.choices[0].message.content or "")


def test_the_official_client_gets_an_answer_in_the_shape_it_asked_for(url: str) -> None:
    """Every property is there, each choice is one of those offered, and the picture decides."""
    sharp, blurred = answer(url, SHARP), answer(url, BLURRED)
    assert (sharp["sharp"], blurred["sharp"]) == ("yes", "no")
    assert set(sharp) == {"sharp", "grade", "reason"}
    grades = ["bad", "poor", "fair", "good", "excellent"]
    assert grades.index(sharp["grade"]) > grades.index(blurred["grade"])
    assert answer(url, SHARP) == sharp


def test_the_official_asynchronous_client_gets_the_same_answer(url: str) -> None:
    """The answer hangs on what is asked, not on who asks or when."""

    async def ask() -> Any:
        async with openai.AsyncOpenAI(api_key="k", base_url=url, max_retries=0) as client:
            found = await client.chat.completions.create(
                model=MODEL, messages=messages(SHARP), response_format=SHARPNESS, reasoning_effort="none"
            )
        return json.loads(found.choices[0].message.content or "")

    assert asyncio.run(ask()) == answer(url, SHARP)


def test_of_two_pictures_the_better_measured_one_is_named_in_either_order(url: str) -> None:
    """Without a bias the place of a picture says nothing."""
    assert answer(url, SHARP, BLURRED, response_format=BETTER) == {"better": "first"}
    assert answer(url, BLURRED, SHARP, response_format=BETTER) == {"better": "second"}
    assert answer(url, SHARP, SHARP, response_format=BETTER) == {"better": "tie"}


def test_a_planted_liking_for_the_first_picture_shows_as_often_as_planted() -> None:
    """With a share of 20 % the worse picture wins in first place a fifth of the time."""
    schema = BETTER["json_schema"]["schema"]
    wrong = [
        VisionJudge([BLURRED, SHARP], seed, noise=0.0, first_bias=0.2).fill(schema)["better"] == "first"
        for seed in range(300)
    ]
    assert 0.13 < np.mean(wrong) < 0.27
    always = VisionJudge([BLURRED, SHARP], 1, noise=0.0, first_bias=1.0)
    assert always.fill(schema) == {"better": "first"}


def test_noise_makes_answers_differ_between_seeds_only() -> None:
    """The same seed gives the same value; seeds scatter about the measured one."""
    schema = {"type": "number", "minimum": 0, "maximum": 10, "description": "contrast"}
    values = [VisionJudge([BLURRED], seed, noise=0.1, first_bias=0.0).fill(schema) for seed in range(40)]
    assert values[0] == VisionJudge([BLURRED], 0, noise=0.1, first_bias=0.0).fill(schema)
    assert 0.5 < np.std(values) < 1.5
    assert VisionJudge([BLURRED], 0, noise=0.0, first_bias=0.0).fill(schema) == pytest.approx(
        10 * measure(BLURRED)["contrast"]
    )


def test_every_kind_of_value_can_be_asked_for() -> None:
    """Truths, whole numbers, lists and choices of one's own, with a picture and without."""
    eye = VisionJudge([SHARP], 1, noise=0.0, first_bias=0.0)
    assert eye.fill({"type": "boolean", "description": "sharp"}) is True
    assert isinstance(eye.fill({"type": "integer", "minimum": 1, "maximum": 5}), int)
    assert eye.fill({"type": "array", "items": {"type": "boolean"}}) in ([True], [False])
    assert eye.fill({"enum": ["top", "middle", "low"]}) in ("top", "middle", "low")
    blind = VisionJudge([], 1, noise=0.0, first_bias=0.0)
    assert blind.fill({"type": "string"}) == "There is no picture."
    assert blind.fill({"type": "number"}) == 0.5


def test_each_measure_follows_what_is_done_to_a_picture() -> None:
    """Blur takes sharpness, darkness light, a grey wash contrast, and grey colour."""
    picture = a_picture(2)
    seen = measure(png(picture))
    assert measure(png(picture.filter(ImageFilter.GaussianBlur(4))))["sharpness"] < seen["sharpness"]
    assert measure(png(picture.point(lambda level: level // 4)))["light"] < seen["light"]
    assert measure(png(picture.point(lambda level: 100 + level // 8)))["contrast"] < seen["contrast"]
    assert measure(png(picture.convert("L").convert("RGB")))["colour"] == 0
    assert measure(png(Image.new("RGB", (1, 1))))["sharpness"] == 0


def test_the_bill_is_the_usage_at_the_published_price(url: str) -> None:
    """$0.10 for a million tokens sent and $0.50 for a million answered."""
    completion = client_of(url).chat.completions.create(
        model=MODEL, messages=messages(SHARP), response_format=SHARPNESS
    )
    usage = completion.usage
    assert usage is not None
    entry = bill_of(url)["entries"][-1]
    assert entry["charged_nanousd"] == 100 * usage.prompt_tokens + 500 * usage.completion_tokens > 0
    assert (entry["model"], entry["prompt"], entry["lane"]) == (MODEL, "Look.", "interactive")
    larger = png(a_picture().resize((1024, 1024)))
    more = client_of(url).chat.completions.create(
        model=MODEL, messages=messages(larger), response_format=SHARPNESS
    )
    assert more.usage is not None
    # 1,024 patches in place of 12, each counted one fifth more.
    assert more.usage.prompt_tokens - usage.prompt_tokens == 1229 - 15


def test_a_judge_may_be_given_another_price() -> None:
    """The bill follows it; the usage stays what it is."""
    with emulator_server(EmulatorSettings(judge_prices={MODEL: (7, 11)})) as url:
        found = client_of(url).chat.completions.create(
            model=MODEL, messages=messages(SHARP), response_format=SHARPNESS
        )
        assert found.usage is not None
        expected = 7 * found.usage.prompt_tokens + 11 * found.usage.completion_tokens
        assert bill_of(url)["total"]["charged_nanousd"] == expected


def test_free_text_is_answered_in_words(url: str) -> None:
    """Without a shape the answer is a sentence."""
    found = client_of(url).chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "What do you see?"}]
    )
    assert found.choices[0].message.content == "There is no picture."


def test_an_answer_longer_than_allowed_is_cut_and_says_so(url: str) -> None:
    """The usage is at most what was allowed."""
    found = client_of(url).chat.completions.create(
        model=MODEL, messages=messages(SHARP), response_format=SHARPNESS, max_completion_tokens=12
    )
    assert found.choices[0].finish_reason == "length"
    assert found.usage is not None
    assert found.usage.completion_tokens == 12


def test_a_refusal_comes_in_its_own_field_and_is_billed() -> None:
    """The SDK shows a refusal and no content."""
    with emulator_server(EmulatorSettings(judge_refusal_rate=1.0)) as url:
        found = client_of(url).chat.completions.create(
            model=MODEL, messages=messages(SHARP), response_format=SHARPNESS
        )
        assert (found.choices[0].message.content, bool(found.choices[0].message.refusal)) == (None, True)
        assert bill_of(url)["total"]["charged_nanousd"] > 0


def test_broken_json_breaks_off_in_the_middle() -> None:
    """It does not parse, though the answer says that it is whole."""
    with emulator_server(EmulatorSettings(judge_broken_rate=1.0)) as url:
        found = client_of(url).chat.completions.create(
            model=MODEL, messages=messages(SHARP), response_format=SHARPNESS
        )
    with pytest.raises(ValueError, match=r"char \d+"):
        json.loads(found.choices[0].message.content or "")


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"model": "gpt-7"}, "model_not_found"),
    ({"model": ""}, "missing_required_parameter"),
    ({"max_tokens": 5}, "unsupported_parameter"),
    ({"quality": "low"}, "unknown_parameter"),
    ({"reasoning_effort": "huge"}, "invalid_value"),
    ({"n": 2}, "unsupported_value"),
    ({"max_completion_tokens": 0}, "integer_out_of_range"),
    ({"messages": []}, "missing_required_parameter"),
    ({"messages": [{"role": "painter", "content": "x"}]}, "invalid_value"),
    ({"messages": [{"role": "user", "content": []}]}, "invalid_type"),
    ({"messages": [{"role": "user", "content": [{"type": "audio"}]}]}, "invalid_value"),
    ({"response_format": {"type": "xml"}}, "invalid_value"),
    ({"response_format": {"type": "json_schema"}}, "missing_required_parameter"),
)


@pytest.mark.parametrize(("changes", "code"), WRONG)
def test_what_the_vendor_would_not_take_is_refused_and_free(
    url: str, changes: dict[str, Any], code: str
) -> None:
    """The vendor's envelope with its code, and nothing on the bill."""
    body = {"model": MODEL, "messages": messages(SHARP)} | changes
    found = httpx2.post(f"{url}/chat/completions", json=body, headers={"authorization": "Bearer k"})
    assert (found.is_client_error, found.json()["error"]["code"]) == (True, code)
    assert bill_of(url)["entries"][-1]["charged_nanousd"] == 0


LINKS = (
    ({"url": "https://example.org/otter.png"}, "invalid_image_url"),
    ({"url": "data:image/png;base64,***"}, "invalid_base64"),
    ({"url": "data:image/png;base64,AAAA"}, "unsupported_file_mimetype"),
    ({"url": "data:image/png;base64,AAAA", "detail": "huge"}, "invalid_value"),
)


@pytest.mark.parametrize(("link", "code"), LINKS)
def test_a_picture_that_cannot_be_read_is_refused(url: str, link: dict[str, Any], code: str) -> None:
    """It takes data URLs that hold a picture."""
    content: list[Any] = [{"type": "image_url", "image_url": link}]
    with pytest.raises(openai.BadRequestError) as refused:
        client_of(url).chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])
    assert refused.value.code == code


def test_a_strict_shape_must_be_closed_and_require_everything(url: str) -> None:
    """As structured outputs ask, objects inside objects included."""
    loose = shape(inner={"type": "object", "properties": {"a": {"type": "string"}}, "required": []})
    with pytest.raises(openai.BadRequestError, match=r"schema\.inner"):
        answer(url, SHARP, response_format=loose)


FAULTS: tuple[tuple[dict[str, Any], type[Exception], bool], ...] = (
    ({"kind": "quota"}, openai.RateLimitError, False),
    ({"kind": "server_error", "status": 500}, openai.InternalServerError, False),
    ({"kind": "retired"}, openai.NotFoundError, False),
    ({"kind": "bill_then_drop"}, openai.APIConnectionError, True),
    ({"kind": "truncated_body"}, openai.APIConnectionError, True),
)


@pytest.mark.parametrize(("fault", "error", "is_billed"), FAULTS)
def test_faults_meet_chats_as_they_meet_pictures(
    fault: dict[str, Any], error: type[Exception], is_billed: bool
) -> None:
    """The same rules, by path and by text; the same error classes; charged or not as each kind is."""
    rule = FaultRule(**fault, path="chat", prompt="Look")
    with emulator_server(EmulatorSettings(faults=(rule,))) as url:
        with pytest.raises(error):
            answer(url, SHARP)
        assert (bill_of(url)["total"]["charged_nanousd"] > 0) == is_billed


def test_other_faults_change_the_answer_only() -> None:
    """Slow, without a usage, without choices, billed or not."""
    rules = (
        FaultRule(kind="slow_body", duration_s=0.1, nth=(1,)),
        FaultRule(kind="missing_usage", nth=(1,)),
        FaultRule(kind="empty_data", nth=(1,)),
        FaultRule(kind="empty_data", nth=(1,), billed=True),
    )
    with emulator_server(EmulatorSettings(faults=rules)) as url:
        ask = client_of(url).chat.completions.create
        found = [ask(model=MODEL, messages=messages(SHARP), response_format=SHARPNESS) for _ in range(5)]
    slow, uncounted, empty, billed, whole = found
    assert slow.choices[0].message.content == whole.choices[0].message.content
    assert (uncounted.usage, bool(uncounted.choices)) == (None, True)
    assert (empty.choices, empty.usage, bool(billed.usage)) == ([], None, True)


def test_the_list_of_models_tells_those_that_answer(url: str) -> None:
    """With the day they were released, and no end announced."""
    client = client_of(url)
    assert {MODEL, "gpt-image-2.6-flare"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve(MODEL).created == 1_790_035_200


def test_log_probabilities_are_given_where_the_model_has_them_and_refused_where_not() -> None:
    """As the vendor does: with reasoning off, and an unsupported parameter otherwise."""
    asked: Any = {"model": MODEL, "messages": messages(SHARP), "response_format": SHARPNESS}
    wanted: Any = asked | {"logprobs": True, "top_logprobs": 5, "reasoning_effort": "none"}
    with emulator_server(EmulatorSettings(judge_noise=0.0)) as url:
        found = client_of(url).chat.completions.create(**wanted)
        assert found.choices[0].logprobs is not None
        tokens = found.choices[0].logprobs.content or []
        assert "".join(token.token for token in tokens) == found.choices[0].message.content
        with pytest.raises(openai.BadRequestError, match="logprobs"):
            client_of(url).chat.completions.create(**wanted | {"reasoning_effort": "low"})
        with pytest.raises(openai.BadRequestError, match="top_logprobs"):
            client_of(url).chat.completions.create(**wanted | {"logprobs": False})
    with emulator_server(EmulatorSettings(judge_logprobs=False)) as url:
        with pytest.raises(openai.BadRequestError) as refused:
            client_of(url).chat.completions.create(**wanted)
        assert (refused.value.code, refused.value.param) == ("unsupported_parameter", "logprobs")
        assert bill_of(url)["total"]["charged_nanousd"] == 0


def test_the_judge_knows_what_the_emulator_painted_and_where_it_erred() -> None:
    """Painted and judged by HTTP: the prompt is never in the question, only the picture is."""
    statement = "The picture shows exactly two red mugs"
    rules = (PlantedError("extra", 1.0, prompt="watercolour"),)
    with emulator_server(EmulatorSettings(paint="plain", planted_errors=rules)) as url:
        client = client_of(url)
        for style, expected in (("photograph", "yes"), ("watercolour", "no")):
            painted = client.images.generate(
                model="gpt-image-2.6-flare", prompt=f"Two red mugs on a table, {style}", size="1024x1024"
            )
            assert painted.data
            assert painted.data[0].b64_json
            question = shape(right={"type": "string", "enum": ["yes", "no"], "description": statement})
            data = base64.b64decode(painted.data[0].b64_json)
            assert answer(url, data, response_format=question) == {"right": expected}


@pytest.mark.parametrize("text", ["foo=0.1", "extra", "extra=2", "extra=often", "=0.1"])
def test_an_error_that_cannot_be_planted_is_wrong_usage(text: str) -> None:
    """With what is accepted; nothing is served."""
    found = CliRunner().invoke(emulator, ["--plant", text])
    assert found.exit_code == 2
    assert "missing, extra, wrong_colour, misspelt, swapped" in found.output
