"""The rubric question: a judging model answers each statement with yes or no, and grades the picture.

The judge sees only the picture and the rubric: not the prompt, the arm or other scores. It gives each reason
before its verdict, so that the verdict follows from it. The grade is a word, because models use words more
consistently than numbers.

Source: D. Chen et al. (2024), "MJ-Bench" (arXiv 2407.04842), on words and numbers as grades.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERSION = "1"
GRADES: Mapping[str, float] = {"bad": 0.0, "poor": 0.25, "fair": 0.5, "good": 0.75, "excellent": 1.0}
TOKENS_PER_QUESTION = 160
"""Room for one reason of a sentence or two and its verdict, tokens."""

_INTRODUCTION = """\
You judge one picture. Look at it closely: subjects, anatomy, hands and faces, text, light, edges, background.
Decide for each statement whether it is true of this picture. Give a short reason first, naming what you see;
then answer yes or no. When in doubt, answer no. Then grade the picture as a whole, for somebody who will
publish it: bad, poor, fair, good or excellent.
"""


@dataclass(frozen=True, slots=True)
class RubricAnswer:
    """A judge's answer to a rubric.

    Args:
        verdicts: For each statement, whether it is true of the picture.
        reasons: For each statement, why.
        grade: The picture as a whole, in [0, 1].
        grade_reason: Why.
    """

    verdicts: tuple[bool, ...]
    reasons: tuple[str, ...]
    grade: float
    grade_reason: str

    @property
    def value(self) -> float:
        """Half the share of true statements, half the grade, in [0, 1]."""
        return (sum(self.verdicts) / len(self.verdicts) + self.grade) / 2


def rubric_prompt(rubric: Sequence[str]) -> str:
    """Write the question for a rubric."""
    statements = "\n".join(f"{number}. {statement}" for number, statement in enumerate(rubric, 1))
    return f"{_INTRODUCTION}\nStatements:\n{statements}"


def rubric_parameters(model: str, rubric: Sequence[str]) -> dict[str, Any]:
    """Return the request's fields: the model, no reasoning, a limit for the answer, and its JSON schema."""
    parts = {f"statement_{number}": _statement(text) for number, text in enumerate(rubric, 1)}
    grade = {"type": "string", "enum": list(GRADES)}
    parts["overall"] = closed_object({"reason": {"type": "string"}, "grade": grade})
    most_tokens = TOKENS_PER_QUESTION * (len(rubric) + 1)
    return chat_parameters(model, "picture_verdict", closed_object(parts), most_tokens)


def _statement(text: str) -> dict[str, Any]:
    answer = {"type": "string", "enum": ["yes", "no"]}
    return closed_object({"reason": {"type": "string"}, "answer": answer}) | {"description": text}


def chat_parameters(model: str, name: str, schema: Mapping[str, Any], most_tokens: int) -> dict[str, Any]:
    """Return the fields that every question shares; without reasoning the limit covers all billed tokens.

    Args:
        model: The judging model's id.
        name: A name for the answer's schema.
        schema: The answer's JSON schema.
        most_tokens: The most tokens of the answer.
    """
    return {
        "model": model,
        "reasoning_effort": "none",
        "max_completion_tokens": most_tokens,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": name, "strict": True, "schema": schema},
        },
    }


def closed_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of an object that has exactly these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def read_rubric_answer(content: str, n_statements: int) -> RubricAnswer | None:
    """Read a judge's answer; ``None`` if it does not have the requested form.

    Args:
        content: The answer's text.
        n_statements: How many statements the rubric has.
    """
    answer = read_object(content)
    if answer is None:
        return None
    parts = [answer.get(f"statement_{number}") for number in range(1, n_statements + 1)]
    overall = answer.get("overall")
    if not isinstance(overall, dict) or overall.get("grade") not in GRADES:
        return None
    verdicts: list[bool] = []
    reasons: list[str] = []
    for part in parts:
        if not isinstance(part, dict) or part.get("answer") not in ("yes", "no"):
            return None
        verdicts.append(part["answer"] == "yes")
        reasons.append(str(part.get("reason", "")))
    grade = GRADES[overall["grade"]]
    return RubricAnswer(tuple(verdicts), tuple(reasons), grade, str(overall.get("reason", "")))


def read_object(content: str) -> dict[str, Any] | None:
    """Read a JSON object; ``None`` if the text is not one."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
