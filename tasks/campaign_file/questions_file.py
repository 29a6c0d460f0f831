"""The file ``questions.yaml`` beside a campaign: the statements that a model wrote from briefs.

People edit it, and what stands there is what is asked, night after night. Statements of further briefs are
added at its end, so that what people wrote, and their comments, stay as they are.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tasks.campaign.choice import Statement
from tasks.campaign_file.fault import CampaignFault
from tasks.limits import YAML_BYTES
from tasks.marked_yaml import YamlFaultError, read_yaml, write_yaml
from tasks.storage.atomic import write_atomically
from tasks.storage.regular_file import UnusableFileError, read_regular_text

QUESTIONS_FILE = "questions.yaml"
PATH = ("score", "judge", "questions")
_HEAD = """\
# What a judge is asked about the pictures of each brief. A model wrote it once; edit it as you like: what
# stands here is asked. Delete a brief to have again, at no cost, what the model wrote.
"""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    brief: str
    statements: tuple[Statement, ...]


class QuestionsFaultError(ValueError):
    """The file cannot be used.

    Args:
        fault: The fault, at the campaign's key.
    """

    def __init__(self, fault: CampaignFault) -> None:
        super().__init__(fault.what)
        self.fault = fault


def read_questions(folder: Path) -> dict[str, tuple[Statement, ...]]:
    """Read the statements by brief; empty without the file.

    Args:
        folder: The campaign's folder.

    Raises:
        QuestionsFaultError: The file cannot be read or is wrong.
    """
    file = folder / QUESTIONS_FILE
    try:
        data = read_yaml(read_regular_text(file, YAML_BYTES)).data
        entries = TypeAdapter(list[_Entry]).validate_python(data or [])
    except FileNotFoundError:
        return {}
    except YamlFaultError as error:
        raise _fault(file, f"line {error.line or 1} is not valid YAML: {error.what}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        raise _fault(file, f"{place}: {first['msg']}") from error
    except (UnusableFileError, OSError) as error:
        raise _fault(file, f"cannot be read: {error}") from error
    for number, entry in enumerate(entries):
        if lost := _lost_parent(entry.statements):
            raise _fault(file, f"{number}.statements: depends on {lost!r}, which is no statement before it")
    return {" ".join(entry.brief.split()): entry.statements for entry in entries}


def _lost_parent(statements: Sequence[Statement]) -> str | None:
    """Return what a statement depends on although no earlier one says it."""
    earlier: set[str] = set()
    for one in statements:
        if one.depends_on is not None and one.depends_on not in earlier:
            return one.depends_on
        earlier.add(one.statement)
    return None


def _fault(file: Path, what: str) -> QuestionsFaultError:
    accepted = "a list of entries, each a brief with its statements, or no such file"
    return QuestionsFaultError(CampaignFault(PATH, f"{file}: {what}", accepted))


def add_questions(folder: Path, found: Mapping[str, Sequence[Statement]]) -> Path:
    """Add statements to the file, and leave all that is in it.

    Args:
        folder: The campaign's folder.
        found: Brief to its statements.

    Returns:
        The file.

    Raises:
        SettingError: It cannot be written; it is unchanged.
        QuestionsFaultError: It cannot be read.
    """
    file, known = folder / QUESTIONS_FILE, read_questions(folder)
    new = [
        {
            "brief": brief,
            "statements": [one.model_dump(mode="json", exclude_unset=True) for one in statements],
        }
        for brief, statements in found.items()
        if brief not in known
    ]
    if new:
        old = file.read_text(encoding="utf-8").rstrip() if file.exists() else _HEAD.rstrip()
        text = old if known or not file.exists() else _without_empty_list(old)
        write_atomically(file, f"{text}\n{write_yaml(new)}".encode())
    return file


def _without_empty_list(text: str) -> str:
    """Drop a list without entries, so that entries can follow."""
    return text.removesuffix("[]").rstrip()
