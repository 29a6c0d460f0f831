"""Overrides for one run: values, arms and rows of a campaign file that are not as the file says.

They are applied before the file is checked, so that a wrong one is reported like a wrong file, and they are
part of the campaign from then on: the run's own ``campaign.yaml`` holds them.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tasks.campaign.factors import with_made_arms
from tasks.errors import CampaignError
from tasks.marked_yaml import MarkedYaml, YamlFaultError, read_yaml

if TYPE_CHECKING:
    from tasks.campaign import Campaign

ONLY_ARM, ONLY_ROWS = "--only-arm", "--only-rows"
AGAIN = "Correct the option, then check without spending: runoff plan"


@dataclass(frozen=True)
class Overrides:
    """What one run has otherwise than its file.

    Args:
        values: Text by dotted key, such as ``drafts.per_prompt``; it is read as YAML.
        only_arms: The arms to keep; all when empty.
        only_rows: The rows to keep, counted from 1, such as ``1-3,7``; all when empty.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    only_arms: Sequence[str] = ()
    only_rows: str = ""

    @property
    def is_any(self) -> bool:
        """Whether anything is otherwise than in the file."""
        return bool(self.values or self.only_arms or self.only_rows)

    def describe(self, name: str) -> str:
        """Return a file's name with the options that change it, as a command has them."""
        words = [f"--set {shlex.quote(f'{key}={value}')}" for key, value in self.values.items()]
        words += [f"{ONLY_ARM} {shlex.quote(arm)}" for arm in self.only_arms]
        words += [f"{ONLY_ROWS} {shlex.quote(self.only_rows)}"] if self.only_rows else []
        return " ".join([shlex.quote(name), *words])

    def applied(self, document: MarkedYaml) -> MarkedYaml:
        """Change a document's values, make the arms of its factors, and leave out arms.

        Raises:
            CampaignError: A value is not YAML, a key leads through a value, or there is no such arm.
        """
        data = document.data
        for key, text in self.values.items():
            data = _with_value(data, key, key.split("."), _read(key, text))
        data = with_made_arms(data)
        if self.only_arms:
            data = {**data, "arms": self._kept_arms(data.get("arms"))}
        return MarkedYaml(data, document.text)

    def _kept_arms(self, arms: object) -> object:
        if not isinstance(arms, dict):
            return arms  # a fault of its own
        unknown = [name for name in self.only_arms if name not in arms]
        if unknown:
            fault = f"there is no arm {', '.join(unknown)}, accepted: {', '.join(map(str, arms))}"
            raise _refused(ONLY_ARM, fault)
        return {name: arm for name, arm in arms.items() if name in self.only_arms}

    def select_rows(self, campaign: "Campaign") -> "Campaign":
        """Return the campaign with the rows to keep, in their order; they are rows 1, 2, … of the run.

        Raises:
            CampaignError: The rows are not written as ``1-3,7``, or there are fewer.
        """
        if not self.only_rows:
            return campaign
        indices = read_rows_wanted(self.only_rows, campaign.n_rows)
        kept = [dict(campaign.all_rows[index]) for index in indices]
        data = campaign.model_dump(exclude_unset=True) | {"rows": kept}
        data.pop("variables", None)
        note = f"Only rows {self.only_rows} of {campaign.n_rows}; this run counts them from 1."
        return type(campaign).model_validate(data).with_notes([*campaign.notes, note])


NO_OVERRIDES = Overrides()


def read_rows_wanted(text: str, n_rows: int) -> list[int]:
    """Read which rows are wanted, as indices from 0 in their order.

    Args:
        text: Numbers and ranges from 1, separated by commas.
        n_rows: How many rows there are.

    Raises:
        CampaignError: It is written otherwise, or names a row that is not there.

    Example:
        >>> read_rows_wanted("1-3,7", 9)
        [0, 1, 2, 6]
    """
    wanted: set[int] = set()
    for part in text.split(","):
        first, dash, last = (each.strip() for each in part.partition("-"))
        last = last if dash else first
        is_number = first.isdecimal() and last.isdecimal() and first.isascii() and last.isascii()
        if not is_number or not 1 <= int(first) <= int(last) <= n_rows:
            accepted = f"rows from 1 to {n_rows}, such as " + ("1-3,7" if n_rows > 6 else "1")
            raise _refused(ONLY_ROWS, f"{part.strip()!r} of {text!r}, accepted: {accepted}")
        wanted.update(range(int(first) - 1, int(last)))
    return sorted(wanted)


def _refused_value(key: str, fault: str) -> CampaignError:
    return _refused(f"--set {key}", fault)


def _refused(option: str, fault: str) -> CampaignError:
    return CampaignError(option, [fault], AGAIN)


def _read(key: str, text: str) -> object:
    try:
        return read_yaml(text).data
    except YamlFaultError as error:
        raise _refused_value(key, f"{text!r} is not a value: {error.what}") from error


def _with_value(part: object, key: str, path: Sequence[str], value: object) -> object:
    """Return a part of a document with one value replaced; sections that are missing are added."""
    if not path:
        return value
    first, *rest = path
    if isinstance(part, list):
        if not first.isdecimal() or int(first) >= len(part):
            fault = f"{first} is no place in a list of {len(part)}, accepted: 0 to {len(part) - 1}"
            raise _refused_value(key, fault)
        return [
            _with_value(each, key, rest, value) if n == int(first) else each for n, each in enumerate(part)
        ]
    if part is not None and not isinstance(part, dict):
        raise _refused_value(key, f"leads through the value {str(part)[:60]!r}")
    found = part or {}
    return {**found, first: _with_value(found.get(first), key, rest, value)}
