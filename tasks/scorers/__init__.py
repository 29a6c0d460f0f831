"""Scorers: each gives one opinion of one picture, by name.

Those that come with Runoff stand in ``BUILT_IN``; any installed package can add its own through the entry
point group ``runoff.scorers``, naming a class (or a function) that is called without arguments and gives a
``Scorer``. Nothing is imported before it is asked for.
"""

import pkgutil
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from tasks.candidate import Candidate, Score
from tasks.errors import SettingError

ENTRY_POINT_GROUP = "runoff.scorers"
BUILT_IN = {"technical": "tasks.scorers.technical:TechnicalScorer"}


class Scorer(Protocol):
    """One way to judge a picture."""

    @property
    def name(self) -> str:
        """The name under which a campaign weighs it."""

    @property
    def version(self) -> str:
        """Changes whenever equal pictures may get another value."""

    def score(self, candidate: Candidate, run_folder: Path) -> Score:
        """Judge one candidate.

        Args:
            candidate: What is known about the picture, its inspection included.
            run_folder: The folder that ``candidate.file`` is relative to.

        Returns:
            A value in [0, 1] that does not depend on the other candidates, or ``None`` with the reason.
        """


def available_scorers() -> tuple[str, ...]:
    """Name every scorer that ``load_scorer`` can load, in alphabetical order."""
    return tuple(sorted(_places()))


def load_scorer(name: str) -> Scorer:
    """Load a scorer by name.

    Args:
        name: As in a campaign's ``score.weights``.

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
            next_step="Reinstall the package that brings it, or take it out of score.weights.",
        ) from error
    return cast(Scorer, make())


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
