"""The emulator's judge about what was painted: as wrong, as biased and as sure as its settings say."""

import json
from typing import Any

import numpy as np
import pytest

from tasks.emulator.images_request import ImagesRequest
from tasks.emulator.log_probabilities import log_probabilities
from tasks.emulator.models import MODELS
from tasks.emulator.painter import paint
from tasks.emulator.replicates import Replicate
from tasks.emulator.vision_judge import VisionJudge
from tasks.judging.rubric import rubric_parameters

TRUE, FALSE = "The picture shows exactly two red mugs", "The picture shows exactly three red mugs"
REQUEST = ImagesRequest(
    "generations", MODELS["gpt-image-2.6-flare"], "Two red mugs on a table", tier="low", size=(64, 64)
)
PICTURE = paint(REQUEST, Replicate(1, None, False), "plain")


def share_of_yes(statement: str, **changes: float) -> float:
    """How often judges of many seeds say yes."""
    settings: dict[str, Any] = {"noise": 0.0, "first_bias": 0.0} | changes
    return float(
        np.mean([VisionJudge([PICTURE], seed, **settings).certainty(statement) > 0.5 for seed in range(400)])
    )


def test_a_right_judge_is_right() -> None:
    """Without errors it says yes to what is true only."""
    assert (share_of_yes(TRUE), share_of_yes(FALSE)) == (1.0, 0.0)


def test_errors_and_a_bias_to_yes_are_as_frequent_as_set() -> None:
    """A fifth of the answers is wrong either way; a bias turns answers into yes only."""
    assert share_of_yes(TRUE, error_rate=0.2) == pytest.approx(0.8, abs=0.07)
    assert share_of_yes(FALSE, error_rate=0.2) == pytest.approx(0.2, abs=0.07)
    assert share_of_yes(TRUE, yes_bias=0.3) == 1.0
    assert share_of_yes(FALSE, yes_bias=0.3) == pytest.approx(0.3, abs=0.08)


def test_noise_changes_how_sure_it_is_and_never_the_answer() -> None:
    """The settings' error rate alone decides how often it is wrong."""
    sure = [VisionJudge([PICTURE], seed, 0.1, 0.0).certainty(TRUE) for seed in range(60)]
    assert min(sure) > 0.5
    assert np.std(sure) > 0
    assert share_of_yes(FALSE, noise=0.1, error_rate=0.2) == pytest.approx(0.2, abs=0.07)


def test_the_reason_says_what_is_seen() -> None:
    """Of a statement that it understands; any other is measured."""
    schema = rubric_parameters("m", [TRUE, "The light is good"])["response_format"]["json_schema"]["schema"]
    answer = VisionJudge([PICTURE], 1, 0.0, 0.0).fill(schema)
    assert answer["statement_1"] == {"reason": "Seen: 2 × red mug; 1 × table.", "answer": "yes"}
    assert answer["statement_2"]["reason"].startswith("Measured: ")


def test_log_probabilities_stand_at_the_answers_and_add_up() -> None:
    """Tokens join to the answer; where a yes or no stands, both words have their share of the probability."""
    judge = VisionJudge([PICTURE], 1, 0.1, 0.0, error_rate=0.5)
    schema = rubric_parameters("m", [TRUE, FALSE])["response_format"]["json_schema"]["schema"]
    content = json.dumps(judge.fill(schema))
    tokens = log_probabilities(content, judge.certainties, 5)
    assert "".join(token["token"] for token in tokens) == content
    answers = [token for token in tokens if len(token["top_logprobs"]) > 1]
    assert len(answers) == len(judge.certainties) == 2
    for token, chance in zip(answers, judge.certainties, strict=True):
        tops = {top["token"]: top["logprob"] for top in token["top_logprobs"]}
        assert np.exp(tops["yes"]) == pytest.approx(chance)
        assert np.exp(tops["yes"]) + np.exp(tops["no"]) == pytest.approx(1)
        assert token["token"] == ("yes" if chance > 0.5 else "no")
