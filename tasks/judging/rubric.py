"""The rubric question: a judging model answers each statement with yes or no, and grades the picture.

The judge sees only the picture and the rubric: not the prompt, the arm or other scores. It gives each reason
before its verdict, so that the verdict follows from it. The grade is a word, because models use words more
consistently than numbers.

Source: D. Chen et al. (2024), "MJ-Bench" (arXiv 2407.04842), on words and numbers as grades.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.judging.answer_text import objects_in, word_of

VERSION = "1"
GRADES: Mapping[str, float] = {"bad": 0.0, "poor": 0.25, "fair": 0.5, "good": 0.75, "excellent": 1.0}
YES_NO = ("yes", "no")
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
        grade: The picture as a whole, in [0, 1]; ``None`` where the answer has no grade.
        grade_reason: Why.
    """

    verdicts: tuple[bool, ...]
    reasons: tuple[str, ...]
    grade: float | None
    grade_reason: str

    @property
    def value(self) -> float | None:
        """Half the share of true statements, half the grade, in [0, 1]; ``None`` without a grade."""
        if self.grade is None:
            return None
        return (sum(self.verdicts) / len(self.verdicts) + self.grade) / 2


def measurement_of(number: int) -> str:
    """Name the measurement of a statement's answer, 1 for yes and 0 for no; statements count from 1."""
    return f"judge_statement_{number}"


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
    answer = {"type": "string", "enum": list(YES_NO)}
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
    """Read a judge's answer; ``None`` if it does not say of each statement whether it is true.

    Args:
        content: The answer's text.
        n_statements: How many statements the rubric has.
    """
    found = [answer for each in objects_in(content) if (answer := _answer_in(each, n_statements))]
    if found:
        return found[0] if all(answer == found[0] for answer in found) else None
    verdict = word_of(content, YES_NO) if n_statements == 1 else None
    return None if verdict is None else RubricAnswer((verdict == "yes",), ("",), None, "")


def _answer_in(answer: Mapping[str, Any], n_statements: int) -> RubricAnswer | None:
    parts = [answer.get(f"statement_{number}") for number in range(1, n_statements + 1)]
    verdicts = [word_of(_told(part, "answer"), YES_NO) for part in parts]
    if None in verdicts:
        return None
    overall = answer.get("overall")
    grade = word_of(_told(overall, "grade"), GRADES)
    return RubricAnswer(
        tuple(verdict == "yes" for verdict in verdicts),
        tuple(_reason(part) for part in parts),
        None if grade is None else GRADES[grade],
        _reason(overall),
    )


def _told(part: object, key: str) -> object:
    """Return what a part says: its value for the key, or itself where the model left the reason out."""
    return part.get(key) if isinstance(part, dict) else part


def _reason(part: object) -> str:
    return str(part.get("reason") or "") if isinstance(part, dict) else ""
