"""What is generated from the campaign's models: the JSON schema for editors and the page for people.

``python -m tasks.campaign.schema`` writes both; with ``--check`` it only tells whether they are current.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tasks.campaign.campaign import Budget, Campaign
from tasks.campaign.choice import Clip, Deduplicate, Duel, Finalists, Judge, Palette, Score
from tasks.campaign.finals import Finals
from tasks.campaign.mask import Mask
from tasks.campaign.pictures import Arm, ArmDrafts, Drafts, Successor
from tasks.campaign.schedule import Schedule
from tasks.catalogue import configs_folder

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("", Campaign),
    ("budget", Budget),
    ("arms.NAME", Arm),
    ("arms.NAME.drafts", ArmDrafts),
    ("mask", Mask),
    ("drafts", Drafts),
    ("drafts.successor", Successor),
    ("deduplicate", Deduplicate),
    ("score", Score),
    ("score.judge", Judge),
    ("score.duel", Duel),
    ("score.palette", Palette),
    ("score.clip", Clip),
    ("finalists", Finalists),
    ("finals", Finals),
    ("schedule", Schedule),
)
SHOWN_FILES = ("demo.yaml", "product-ad.yaml")


def campaign_schema() -> str:
    """Write the JSON schema of a campaign file, as the text of ``configs/campaign.schema.json``."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Campaign.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def campaign_page() -> str:
    """Write the reference page of the campaign file, as the text of ``docs/campaign-file.md``."""
    parts = [_HEAD, *(_example(name) for name in SHOWN_FILES), "## Every key\n"]
    parts += ["\n".join(_section(key, model)) for key, model in SECTIONS]
    return "\n".join(parts)


_HEAD = """\
<!-- Written by `python -m tasks.campaign.schema`; change tasks/campaign/campaign.py instead. -->

# The campaign file

A campaign is one YAML file: what to make, which arms, how many, for how much money, and how to choose.
Look at what it would do, and cost, without spending: `runoff plan FILE`. A file with a fault buys nothing;
every fault is told at once, with its line and what is accepted.

Paths (references, masks, rows) are relative to the file. The first line of each example makes editors that
speak YAML complete and check the keys. Prompts are Jinja2 templates; a name that no row holds is a fault.
A key for the provider never stands in the file.

Values under `variables` are combined, every one with every other; `rows` gives the rows themselves: a list, a
`.csv` whose first line names the variables, a `.jsonl` with one mapping a line, a `.parquet`, or a folder of
pictures (`products/`, `products/*.png`), which makes rows of `file` and `name`. Every arm sees the same rows,
so that arms can be compared row by row.

[References and masks](references-and-masks.md) tells how pictures are sent along, and
[Promotion](promotion.md) how finalists are bought again.
"""


def _example(name: str) -> str:
    text = (configs_folder() / "campaigns" / name).read_text(encoding="utf-8")
    return f"## configs/campaigns/{name}\n\n```yaml\n{text}```\n"


def _section(key: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"### {f'`{key}`' if key else 'The file'}\n"
    yield f"{(model.__doc__ or '').strip().splitlines()[0]}\n"
    yield "| key | accepted | default | meaning |"
    yield "|---|---|---|---|"
    schema = Campaign.model_json_schema()
    properties = schema["properties"] if model is Campaign else schema["$defs"][model.__name__]["properties"]
    for name, field in model.model_fields.items():
        accepted = _accepted(properties[name])
        meaning = (field.description or "").replace("\n", " ")
        yield f"| `{name}` | {accepted} | {_default(field)} | {meaning} |"
    yield ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default: Any = field.default
    if isinstance(default, BaseModel):
        return "see below"
    if default is None:
        return "none"
    return f"`{json.dumps(default)}`" if default != () else "none"


def _accepted(schema: dict[str, Any]) -> str:
    """Say a JSON schema in a few words."""
    parts = schema.get("anyOf") or schema.get("oneOf")
    if parts:
        choices = [_accepted(part) for part in parts if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(choices))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return "a mapping, see below"
    kind = schema.get("type")
    if kind == "array":
        return f"a list: {_accepted(schema['items'])}" if "items" in schema else "a list"
    if kind == "object":
        return "a mapping by name"
    if "pattern" in schema and kind == "string":
        return (
            f"text `{schema['pattern']}`".replace("|", "\\|") if len(schema["pattern"]) < 40 else "a number"
        )
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return words.get(str(kind), "text") + _limits(schema)


def _limits(schema: dict[str, Any]) -> str:
    limits = [
        f"{sign} {schema[key]:g}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
        if key in schema
    ]
    return f" {', '.join(limits)}" if limits else ""


def generated_files() -> dict[Path, str]:
    """Map each generated file to the text it should hold."""
    root = configs_folder().parent
    return {
        root / "configs" / "campaign.schema.json": campaign_schema(),
        root / "docs" / "campaign-file.md": campaign_page(),
    }


def main(arguments: Sequence[str]) -> int:
    """Write the generated files, or with ``--check`` tell which are not current; 1 when any is not."""
    stale = 0
    for file, text in generated_files().items():
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            sys.stderr.write(f"{file} is not current; write it again with: python -m tasks.campaign.schema\n")
            stale = 1
        else:
            file.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
