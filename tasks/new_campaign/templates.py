"""The templates of new campaigns: what each shows, in which styles, and what its judge is asked."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from tasks.catalogue import configs_folder, read_mapping

FOLDER = "templates"


class Template(BaseModel):
    """One template.

    Args:
        about: What it is for, one sentence.
        prompt: The prompt; ``[style]`` is the arm's own text.
        subjects: What is in the pictures, one a row.
        styles: The arms: a name and a text each.
        rubric: Statements for the judge.
        drafts: ``size`` and ``per_prompt`` of drafts.
        finals: ``size`` of finals.
        duels_per_row: Pairs that a judge compares in each row; 0 for none.
        picture: A picture that is sent with every draft, and comes with the template; empty for none.
        keep_box: What of it stays as it is: left, top, width and height.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str
    prompt: str
    subjects: tuple[str, ...]
    styles: Mapping[str, str]
    rubric: tuple[str, ...]
    drafts: Mapping[str, Any]
    finals: Mapping[str, Any]
    duels_per_row: int = 0
    picture: str = ""
    keep_box: tuple[str, ...] = ()


def load_templates() -> dict[str, Template]:
    """Read the templates that are installed with the code, by name."""
    found = read_mapping(configs_folder() / FOLDER / "templates.yaml", "templates")
    return {name: Template.model_validate(facts) for name, facts in found.items()}
