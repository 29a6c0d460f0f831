"""Loading a campaign file: the result is a checked campaign, or every fault of the file at once.

Nothing is spent on a file with a fault. A fault has its key, its line, what is wrong and what is accepted.
A fault does not hide others: the faulty key is left out and the rest is validated again.
"""

import difflib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tasks.attachments.paths import absolute_path
from tasks.campaign import Campaign
from tasks.campaign.briefs import asks_from_brief, with_statements
from tasks.campaign_file.characters import find_character_faults
from tasks.campaign_file.checks import find_campaign_faults
from tasks.campaign_file.factors import factor_faults, placed
from tasks.campaign_file.fault import CampaignFault
from tasks.campaign_file.overrides import NO_OVERRIDES, Overrides
from tasks.campaign_file.prompts import find_empty_values
from tasks.campaign_file.questions_file import QuestionsFaultError, read_questions
from tasks.campaign_file.row_values import Rows, RowsFaultError
from tasks.campaign_file.rows import read_rows
from tasks.campaign_file.sizes import size_faults
from tasks.campaign_file.structure import validated, with_enclosing
from tasks.catalogue import Catalogue
from tasks.catalogue.providers import Providers
from tasks.errors import CampaignError
from tasks.limits import SETTING_VALUES, YAML_BYTES
from tasks.marked_yaml import MarkedYaml, YamlFaultError, read_yaml, write_yaml
from tasks.money import count_of
from tasks.storage.given_path import expand_home
from tasks.storage.regular_file import UnusableFileError, read_regular_text
from tasks.text import escape_unprintable

MAX_FAULTS_SHOWN = 50
MAX_KEY_SHOWN = 64
_ARMS_UNMADE = {"A": {"prompt": "unknown"}}
"""For arms that cannot be made of faulty factors, so that the rest can be checked; they are never run."""


class _WithFiles(NamedTuple):
    """A document with its rows read in and its paths absolute; ``rows`` are those of a file."""

    data: dict[str, Any]
    faults: list[CampaignFault]
    rows: Rows | None


def load_campaign(
    path: Path | str,
    catalogue: Catalogue,
    providers: Providers,
    *,
    scorers: Collection[str] | None = None,
    overrides: Overrides = NO_OVERRIDES,
    sends_pictures: bool = True,
    buys: bool = True,
) -> Campaign:
    """Read and check a campaign file.

    Args:
        path: The file; its references, mask and rows are relative to its folder.
        catalogue: Models and prices.
        providers: The known providers.
        scorers: Names that ``score.weights`` accepts; by default the installed ones.
        overrides: What is otherwise than in the file.
        sends_pictures: Whether its references and masks must be there.
        buys: Whether anything may be bought by it. What was bought is read and decided about without
            references and masks, and though a model or a provider is not known any more.

    Returns:
        The campaign, with rows read in and every path absolute.

    Raises:
        CampaignError: The file is missing or has faults; the error lists all of them in the order of their
            lines.
    """
    file = Path(path)
    document, name = overrides.applied(_read_document(file, str(path))), overrides.describe(str(path))
    folder = file.resolve().parent
    campaign = _checked(
        document, folder, name, catalogue, providers, scorers, sends_pictures=sends_pictures, buys=buys
    )
    return overrides.select_rows(campaign)


def check_built_campaign(
    campaign: Campaign, folder: Path, catalogue: Catalogue, providers: Providers
) -> Campaign:
    """Check a campaign that was built in Python as if it were read from a file. Writes nothing.

    Args:
        campaign: The campaign.
        folder: What its paths are relative to.
        catalogue: Models and prices.
        providers: The known providers.

    Returns:
        The campaign, with rows read in and every path absolute.

    Raises:
        CampaignError: It has faults; the error lists all of them.
    """
    document = MarkedYaml(campaign.model_dump(mode="json", exclude_unset=True))
    try:
        return _checked(document, folder, campaign.name, catalogue, providers, None)
    except CampaignError as error:
        next_step = "Fix it, then check it without spending: runoff.plan(campaign)"
        raise CampaignError(campaign.name, error.faults, next_step) from None


def _checked(
    document: MarkedYaml,
    folder: Path,
    name: str,
    catalogue: Catalogue,
    providers: Providers,
    scorers: Collection[str] | None,
    *,
    sends_pictures: bool = True,
    buys: bool = True,
) -> Campaign:
    """Make a campaign of a document whose paths are relative to a folder, or raise with every fault."""
    if no_text := list(find_character_faults(document.data)):
        raise CampaignError(name, list(_fault_lines(no_text, document)))
    data, faults, rows = _with_files(document.data, folder)
    has_arms, unmade = data.get("arms") is not None, factor_faults(data)
    if unmade or (data.get("factors") is not None and not has_arms):
        data["arms"] = _ARMS_UNMADE
    faults += unmade
    too_large = list(size_faults(data))
    read = validated({key: data[key] for key in data if not any(fault.path[0] == key for fault in too_large)})
    left_out = with_enclosing(fault.path for fault in too_large)
    faults += too_large + [fault for fault in read.faults if fault.path not in left_out]
    if read.campaign is not None:
        are_rows_known = not any(fault.path[0] in ("rows", "variables") for fault in faults)
        more = find_campaign_faults(
            read.campaign,
            catalogue,
            providers,
            _known_scorers(scorers),
            are_rows_known=are_rows_known,
            sends_pictures=sends_pictures,
            buys=buys,
        )
        more += find_empty_values(read.campaign, rows.places) if rows and are_rows_known else ()
        broken = with_enclosing(fault.path for fault in faults)
        faults += [
            fault
            for fault in more
            if fault.path not in broken and not any(fault.path[: len(key)] == key for key in read.stand_ins)
        ]
    if data.get("arms") is _ARMS_UNMADE:
        faults = [fault for fault in faults if fault.path[0] != "arms" or fault in unmade]
    if read.campaign is not None and read.campaign.factors is not None:
        faults = [fault if fault in unmade else placed(fault, read.campaign) for fault in faults]
        faults = list(dict.fromkeys(faults))
    if faults or read.campaign is None:
        raise CampaignError(name, list(_fault_lines(faults, document)))
    campaign = read.campaign
    if asks_from_brief(campaign):
        campaign = with_statements(campaign, {})  # without the briefs of other campaigns
    if rows and rows.n_blank:
        note = f"rows: {document.data['rows']}: {count_of(rows.n_blank, 'blank line')} left out."
        return campaign.with_notes([note])
    return campaign


def as_stand_alone_yaml(campaign: Campaign, folder: Path) -> str:
    """Write a campaign that was built in Python as a self-contained file.

    Args:
        campaign: The campaign.
        folder: What its paths are relative to.

    Raises:
        CampaignError: Its rows cannot be read.
    """
    data, faults, _ = _with_files(campaign.model_dump(mode="json", exclude_unset=True), folder)
    if faults:
        lines = [f"{'.'.join(map(str, fault.path))}: {fault.what}, {fault.accepted}" for fault in faults]
        raise CampaignError(campaign.name, lines)
    return write_yaml(data)


def _read_document(file: Path, name: str) -> MarkedYaml:
    try:
        document = read_yaml(read_regular_text(file, YAML_BYTES))
    except FileNotFoundError as error:
        next_step = "Name a campaign file that exists; the examples are explained in docs/campaign-file.md."
        raise CampaignError(name, [f"there is no such file{_near(file)}"], next_step) from error
    except UnusableFileError as error:
        raise CampaignError(name, [f"cannot be read: {error}"]) from error
    except OSError as error:
        raise CampaignError(name, [f"cannot be read ({error.strerror})"]) from error
    except YamlFaultError as error:
        where = f"line {error.line}: " if error.line else ""
        fault = escape_unprintable(f"{where}is not valid YAML: {error.what}")
        raise CampaignError(name, [fault]) from error
    if not isinstance(document.data, dict):
        found = "is empty" if document.data is None else f"is a {_kind(document.data)}, not a mapping"
        raise CampaignError(name, [f"{found}, accepted: the keys name, provider, budget, arms, finals, …"])
    if len(document.data) > SETTING_VALUES:
        raise CampaignError(
            name, [f"has {len(document.data):,} keys, accepted: name, provider, budget, arms, …"]
        )
    return document


def _kind(data: object) -> str:
    return "list" if isinstance(data, list) else "single value"


def _near(file: Path) -> str:
    folder = file.parent
    if file.is_symlink():
        return f": it is a link to {file.readlink()}, which is not there"
    names = [entry.name for entry in folder.glob("*.yaml")] if folder.is_dir() else []
    near = difflib.get_close_matches(file.name, names, n=1)
    return f", did you mean {folder / near[0]}?" if near else ""


def _with_files(data: dict[str, Any], folder: Path) -> _WithFiles:
    """Make paths absolute and read rows in."""
    result, faults, rows = dict(data), [], None
    if isinstance(data.get("rows"), str):
        try:
            rows = read_rows(folder, data["rows"])
            result["rows"] = rows.rows
        except RowsFaultError as error:
            faults += [CampaignFault(("rows",), one.what, one.accepted) for one in (error, *error.others)]
            del result["rows"]
    result |= _absolute_pictures(data, folder) | _absolute_weights(data, folder)
    try:
        result |= _with_questions(result, folder)
    except QuestionsFaultError as error:
        faults.append(error.fault)
    if isinstance(data.get("arms"), dict):
        result["arms"] = {
            name: {**arm, **_absolute_pictures(arm, folder)} if isinstance(arm, dict) else arm
            for name, arm in data["arms"].items()
        }
    if isinstance(finals := data.get("finals"), dict):
        result["finals"] = {**finals, **_absolute_pictures(finals, folder)}
    elif isinstance(finals, list):
        result["finals"] = [
            {**edition, **_absolute_pictures(edition, folder)} if isinstance(edition, dict) else edition
            for edition in finals
        ]
    return _WithFiles(result, faults, rows)


def _absolute_pictures(part: dict[str, Any], folder: Path) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    references, mask = part.get("references"), part.get("mask")
    if isinstance(references, list):
        changed["references"] = [
            absolute_path(folder, name) if isinstance(name, str) else name for name in references
        ]
    if isinstance(mask, str):
        changed["mask"] = absolute_path(folder, mask)
    return changed


def _with_questions(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Read the statements that a model wrote, if the campaign has them written.

    Raises:
        QuestionsFaultError: Their file is wrong.
    """
    score = data.get("score")
    judge = score.get("judge") if isinstance(score, dict) else None
    if not isinstance(score, dict) or not isinstance(judge, dict) or judge.get("questions") != "from_brief":
        return {}
    kept = judge.get("statements_by_brief")
    found = {
        brief: [one.model_dump(mode="json", exclude_unset=True) for one in statements]
        for brief, statements in read_questions(folder).items()
    }
    if not found and kept is None:
        return {}
    merged = {**found, **(kept if isinstance(kept, dict) else {})}
    return {"score": {**score, "judge": {**judge, "statements_by_brief": merged}}}


def _absolute_weights(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Make the paths of a scorer's model absolute; a name without a path stays as it is."""
    score = data.get("score")
    clip = score.get("clip") if isinstance(score, dict) else None
    if not isinstance(clip, dict):
        return {}
    paths = {
        key: str(folder / expand_home(name))
        for key in ("model", "weights")
        if isinstance(name := clip.get(key), str) and (key == "weights" or name.endswith(".json"))
    }
    return {"score": {**data["score"], "clip": {**clip, **paths}}}


def _known_scorers(scorers: Collection[str] | None) -> Collection[str]:
    if scorers is not None:
        return scorers
    from tasks.scorers import available_scorers

    return available_scorers()


def _fault_lines(faults: list[CampaignFault], document: MarkedYaml) -> Iterable[str]:
    lines = document.lines_of({fault.path for fault in faults})
    placed = sorted(faults, key=lambda fault: lines[fault.path] or 0)
    for fault in placed[:MAX_FAULTS_SHOWN]:
        line = lines[fault.path]
        where = ".".join(part[:MAX_KEY_SHOWN] for part in fault.path) + (f" (line {line})" if line else "")
        accepted = f", accepted: {fault.accepted}" if fault.accepted else ""
        yield escape_unprintable(f"{where}: {fault.what}{accepted}")
    if len(placed) > MAX_FAULTS_SHOWN:
        yield f"and {len(placed) - MAX_FAULTS_SHOWN} more"
