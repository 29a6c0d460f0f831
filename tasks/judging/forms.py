"""The forms of the rubric question: how a judge says whether a statement is true, and how sure it is.

Yes or no gives nearly all pictures of a good model full marks, and then tells no arms apart; the probability
of yes still does. It is read from log-probabilities where the model gives them. Then the answer comes before
its reason, because after a reason the model is sure of whatever the reason says. Without them the model
chooses one word of five, or is asked several times.

Source: Z. Lin et al. (2024), "Evaluating Text-to-Visual Generation with Image-to-Text Generation" (VQAScore,
arXiv 2404.01291), on the probability of yes.
"""

from collections.abc import Mapping
from typing import Literal

Form = Literal["yes_no", "first_yes_no", "log_probabilities", "word_of_five", "samples"]
"""``first_yes_no`` is yes or no in Runoff's first words, which did not speak of text in the picture: asked
only in runs that began with it, so that their answers count and stay comparable."""

YES_NO = ("yes", "no")
CERTAINTY: Mapping[str, float] = {
    "yes": 1.0,
    "probably": 0.75,
    "unsure": 0.5,
    "probably not": 0.25,
    "no": 0.0,
}
"""The words of five and the probability of yes that each stands for."""
GRADED_BY: Mapping[Form, str | None] = {
    "yes_no": None,
    "first_yes_no": None,
    "log_probabilities": "log-probabilities",
    "word_of_five": "one word of five",
    "samples": "several answers",
}
"""What the probability of yes was read from."""


NO_SUCH_PARAMETER = frozenset(
    ["unsupported_parameter", "unknown_parameter", "unsupported_value", "invalid_parameter"]
)
"""Codes of a question that was rejected, unbilled, because the model does not know one of its parameters."""


def is_declined(parameters: Mapping[str, object], error_code: str | None) -> bool:
    """Whether a question shows no more than that its model gives no log-probabilities."""
    return "logprobs" in parameters and error_code in NO_SUCH_PARAMETER


def is_yes(chance: float) -> bool:
    """Whether a statement counts as true: its probability of yes is over a half; in doubt it is not."""
    return chance > 0.5
