"""Scorers: each gives a picture one value from 0 to 1, with a reason.

The built-in scorers are listed in ``BUILT_IN``. Any installed package can add its own through the entry point
group ``runoff.scorers``, naming a class (or a function) that is called without arguments and returns a
``Scorer``. A scorer that needs the campaign's settings has a class method ``for_run(assignment)`` instead. A
scorer is imported only when it is loaded.
"""

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from tasks.campaign.choice import Score as Wishes
from tasks.campaign.statements import AskedStatement
from tasks.candidate import Candidate, Score
from tasks.errors import SettingError
from tasks.judging.replies import DuelReply, Reply
from tasks.order import Reference
from tasks.pairwise.bradley_terry import Meeting

__all__ = [
    "Assignment",
    "Masked",
    "Scorer",
    "available_scorers",
    "copy_space",
    "framing",
    "load_scorer",
    "missing_extra",
    "technical",
    "technical_figures",
]

ENTRY_POINT_GROUP = "runoff.scorers"
BUILT_IN = {
    "technical": "tasks.scorers.technical:TechnicalScorer",
    "legibility": "tasks.scorers.legibility:LegibilityScorer",
    "palette": "tasks.scorers.palette:PaletteScorer",
    "copy_space": "tasks.scorers.copy_space:CopySpaceScorer",
    "framing": "tasks.scorers.framing:FramingScorer",
    "untouched": "tasks.scorers.untouched:UntouchedScorer",
    "votes": "tasks.scorers.votes:VotesScorer",
    "clip": "tasks.scorers.clip:ClipScorer",
    "judge": "tasks.scorers.judge:JudgeScorer",
    "duel": "tasks.scorers.duel:DuelScorer",
}


class Extra(NamedTuple):
    """An extra of Runoff that a scorer needs, and the modules that it installs."""

    name: str
    modules: tuple[str, ...]


EXTRAS = {"legibility": Extra("ocr", ("rapidocr", "onnxruntime")), "clip": Extra("clip", ("open_clip",))}


class Masked(NamedTuple):
    """What an edit was made from, and where it was to be changed: where the mask is transparent."""

    reference: Reference
    mask: Reference


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a scorer gets to know about the run before it scores.

    Args:
        wishes: The campaign's ``score`` section.
        rows: The campaign's rows of variables; a candidate's ``row`` is an index into them.
        meetings: People's votes on pairs of drafts, as candidate ids and the left one's result.
        replies: The judge's reply for each draft that it was asked about, by candidate id.
        statements: What the judge was asked about each of these, by candidate id.
        duels: The judge's replies on pairs.
        masked: The first reference and the mask that were sent with an edit, by candidate id.
    """

    wishes: Wishes = field(default_factory=Wishes)
    rows: Sequence[Mapping[str, object]] = ()
    meetings: Sequence[Meeting] = ()
    replies: Mapping[str, Reply] = field(default_factory=dict)
    statements: Mapping[str, Sequence[AskedStatement]] = field(default_factory=dict)
    duels: Sequence[DuelReply] = ()
    masked: Mapping[str, Masked] = field(default_factory=dict)


class Scorer(Protocol):
    """Anything that gives a picture a value from 0 to 1."""

    @property
    def name(self) -> str:
        """The name that ``score.weights`` uses."""

    @property
    def version(self) -> str:
        """The version; it changes whenever the same picture may get another value."""

    def score(self, candidate: Candidate, run_folder: Path) -> Score:
        """Score one candidate.

        Args:
            candidate: What is known about the picture, its inspection included.
            run_folder: The folder that ``candidate.file`` is relative to.

        Returns:
            A value in [0, 1] that does not depend on the other candidates, or ``None`` with the reason.
        """


def available_scorers() -> tuple[str, ...]:
    """List the names of all scorers that ``load_scorer`` can load, in alphabetical order."""
    return tuple(sorted(_places()))


def missing_extra(name: str) -> str | None:
    """Return the extra that a scorer needs and that is not installed; ``None`` if nothing is missing."""
    extra = EXTRAS.get(name)
    return extra.name if extra and not all(find_spec(module) for module in extra.modules) else None


def load_scorer(name: str, assignment: Assignment = Assignment()) -> Scorer:
    """Load a scorer by name.

    Args:
        name: As in a campaign's ``score.weights``.
        assignment: What the scorer may need to know about the run.

    Raises:
        SettingError: No scorer has that name, two installed packages claim it, or it cannot be imported.
            Nothing was scored.
    """
    places = _places()
    if name not in places:
        raise SettingError(where=f"scorer {name}", what="no such scorer", accepted=", ".join(sorted(places)))
    try:
        make = pkgutil.resolve_name(places[name])
    except (ImportError, AttributeError) as error:
        raise SettingError(
            where=f"scorer {name}",
            what=f"{places[name]} cannot be imported: {error}",
            next_step="Reinstall its package, or remove it from score.weights.",
        ) from error
    for_run = getattr(make, "for_run", None)
    return cast(Scorer, make() if for_run is None else for_run(assignment))


def _places() -> dict[str, str]:
    """Map each scorer's name to ``module:object``."""
    places = dict(BUILT_IN)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if places.get(point.name, point.value) != point.value:
            raise SettingError(
                where=f"scorer {point.name}",
                what=f"claimed by both {places[point.name]} and {point.value}",
                next_step="Uninstall one of the two packages.",
            )
        places[point.name] = point.value
    return places
