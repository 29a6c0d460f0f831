"""The text of a new campaign file: short, commented, and checked by editors that know its schema."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, StrictUndefined

from tasks.campaign.pictures import CHEAPEST
from tasks.catalogue import configs_folder
from tasks.new_campaign.collected import ArmText, Collected, named_arms
from tasks.new_campaign.prompt_files import subject_of
from tasks.new_campaign.templates import FOLDER, Template

MOST_FINALISTS = 4
PROMPT_COLUMN = "{{ text }}"


@dataclass(frozen=True)
class Wishes:
    """What somebody wants of a new campaign.

    Args:
        name: Its name.
        provider: A provider.
        per_run_usd: The budget of a run, dollars, as text.
        subjects: What is in the pictures, instead of the template's.
        styles: The arms, instead of the template's: texts, or ``name=text``.
        judge: The judging model; empty for none.
        finals_model: The model of finals.
        picture: A picture that is sent with every draft, instead of the template's.
    """

    name: str
    provider: str
    per_run_usd: str
    finals_model: str
    subjects: Sequence[str] = ()
    styles: Sequence[str] = ()
    judge: str = ""
    picture: str = ""


def write_campaign(
    template: Template, wishes: Wishes, collected: Collected, *, schema: str, file: str
) -> str:
    """Write a campaign file.

    Args:
        template: What the wishes and what was collected leave open.
        wishes: What somebody wants.
        collected: Prompts and variables from elsewhere.
        schema: The path of the JSON schema, relative to the file.
        file: The file's name, for its own comments.
    """
    arms = collected.arms or _styled_arms(template, wishes, collected)
    subjects = () if collected.rows or collected.arms else wishes.subjects or template.subjects
    n_rows = len(collected.rows) or len(subjects) or 1
    picture = wishes.picture or template.picture
    values: dict[str, Any] = {
        "schema": schema,
        "file": file,
        "about": collected.about or template.about,
        "name": wishes.name,
        "provider": wishes.provider,
        "budget": wishes.per_run_usd,
        "rows_file": collected.rows_file,
        "rows": collected.rows,
        "subjects": subjects,
        "arms": arms,
        "picture": picture,
        "keep_box": list(template.keep_box) if picture == template.picture else [],
        "model": collected.model or CHEAPEST,
        "drafts": {**template.drafts, **collected.drafts},
        "judge": wishes.judge,
        "rubric": collected.rubric or template.rubric,
        "duels_per_row": template.duels_per_row,
        "count": min(MOST_FINALISTS, max(2, n_rows)),
        "finals_model": wishes.finals_model,
        "finals_quality": collected.finals.get("quality", "high"),
        "finals": {**template.finals, **collected.finals},
    }
    text = (configs_folder() / FOLDER / "campaign.yaml.jinja").read_text(encoding="utf-8")
    return _environment().from_string(text).render(values)


def _styled_arms(template: Template, wishes: Wishes, collected: Collected) -> Collection[ArmText]:
    subject = subject_of([dict(row) for row in collected.rows]) if collected.rows else "{{ subject }}"
    prompt = f"{subject}, [style]" if collected.rows else template.prompt
    styles = wishes.styles or [f"{name}={text}" for name, text in template.styles.items()]
    if subject == PROMPT_COLUMN and not wishes.styles:  # whole prompts: as they are, and with one addition
        return (ArmText("as-written", subject), *named_arms(styles[-1:], prompt))
    return named_arms(styles, prompt)


def _environment() -> Environment:
    """Make an environment whose marks leave those of a campaign's own prompts alone."""
    environment = Environment(
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["quoted"] = _quoted
    return environment


def _quoted(value: object) -> str:
    """Write a value so that YAML reads it back the same: JSON is YAML."""
    if isinstance(value, Mapping):
        value = dict(value)
    return json.dumps(value, ensure_ascii=False)
