"""The campaign file's ``factors``: parts of the prompt and settings that are varied together, by design.

Every combination of levels is an ordinary arm, named by its levels (``hard_wide``) and with the levels noted
in it. The arms are made when the file is read, so whatever buys, scores and compares arms knows no factors.
"""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, StrictFloat, StrictInt, ValidationError

from tasks.campaign.designs import Design, designed
from tasks.campaign.mask import AnyMask
from tasks.campaign.pictures import ArmDrafts
from tasks.campaign.prompts import PromptFaultError, PromptTemplate
from tasks.campaign.section import Section
from tasks.limits import ARMS, COMBINATIONS

FACTOR_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,31}$"
LEVEL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$"
BETWEEN_LEVELS = "_"
FactorName = Annotated[str, Field(pattern=FACTOR_PATTERN)]
LevelName = Annotated[str, Field(pattern=LEVEL_PATTERN)]
LevelText = str | StrictInt | StrictFloat


class Level(ArmDrafts):
    """One level with settings of its own. Keys left out have the values of `drafts` and of the campaign."""

    text: str | None = Field(default=None, min_length=1)
    """What the factor's name stands for in the prompt. Default: the level's name."""

    provider: str | None = None
    """The provider of its drafts: a name in providers.yaml."""

    references: tuple[str, ...] | None = None
    """References instead of the campaign's; an empty list sends none."""

    mask: AnyMask | None = None
    """A mask instead of the campaign's."""

    @property
    def settings(self) -> dict[str, Any]:
        """What it sets besides its text, by key."""
        return {
            key: value
            for key, value in self.model_dump(mode="json", exclude_none=True).items()
            if key != "text"
        }


Levels = (
    Annotated[tuple[LevelText, ...], Field(min_length=2)]
    | Annotated[dict[LevelName, LevelText | Level], Field(min_length=2)]
)
Combination = Mapping[str, str]
"""A level's name by factor."""


class AddedRound(Section):
    """A later round that added levels or a combination to a run. Runoff writes it into a run's own file."""

    arms: tuple[str, ...]
    """Its new arms."""

    beside: tuple[str, ...] = Field(min_length=1)
    """Arms of before that are made again beside them, so that the round alone compares them."""

    first_replicate: int = Field(ge=1)
    """Its first replicate; a replicate belongs to one round."""

    replicates: int = Field(ge=1)
    """How many pictures of each of its arms and rows."""

    key: str
    """Names the purchase: one with this name is made once."""

    asked_by: str = ""
    """Who asked for it."""


class Factors(Section):
    """What is varied by design; every combination of levels is an arm, named by its levels."""

    prompt: str = Field(min_length=1)
    """A Jinja2 template over the factors and the row; `{{ light }}` is replaced by the level's text."""

    levels: dict[FactorName, Levels] = Field(min_length=1)
    """Each factor's levels: a list of texts, or a mapping of names to texts or settings."""

    baseline: dict[FactorName, str] = Field(default={})
    """The level of a factor with which its others are compared. Default: the first."""

    exclude: tuple[dict[FactorName, str | tuple[str, ...]], ...] = ()
    """Combinations that are not made, such as `{light: hard, lens: [wide, tele]}`."""

    only: tuple[dict[FactorName, str | tuple[str, ...]], ...] = ()
    """The only combinations that are made. Default: all that are not excluded."""

    design: Design = "full"
    """Which combinations are made: all; a `fractional` two-level design; or as few as tell `main_effects`."""

    added: tuple[AddedRound, ...] = ()
    """Rounds that `runoff more --level` and `--best` added. Runoff writes them into a run's own file."""

    made: bool = False
    """Whether the arms are under `arms` already. Runoff writes this into a run's own file."""

    @cached_property
    def named_levels(self) -> dict[str, dict[str, Level]]:
        """Each factor's levels by name, its baseline first."""
        found = {}
        for factor, levels in self.levels.items():
            named = _by_name(levels)
            first = self.baseline.get(factor)
            found[factor] = dict(sorted(named.items(), key=lambda each: each[0] != first)) if first else named
        return found

    @property
    def n_combinations(self) -> int:
        """How many combinations of levels there are, those that are not made included."""
        return math.prod(map(len, self.named_levels.values()))

    @property
    def n_arms(self) -> int:
        """How many arms they make; of far too many, how many combinations there are."""
        if self.n_combinations > COMBINATIONS:
            return self.n_combinations
        return len(self.combinations)

    @cached_property
    def combinations(self) -> tuple[Combination, ...]:
        """The combinations that are made, the baseline of every factor first."""
        levels = {factor: list(named) for factor, named in self.named_levels.items()}
        return tuple(designed(self.design, levels, list(self.allowed())))

    def allowed(self) -> Iterator[dict[str, str]]:
        """List the combinations that `exclude` and `only` leave, whatever the design makes of them."""
        named = self.named_levels
        for levels in itertools.product(*named.values()):
            combination = dict(zip(named, levels, strict=True))
            is_wanted = not self.only or any(_fits(combination, pick) for pick in self.only)
            if is_wanted and not any(_fits(combination, pick) for pick in self.exclude):
                yield combination


def read_factors(data: Mapping[str, Any]) -> Factors | None:
    """Read the factors of a document; ``None`` without any, or where their structure is faulty."""
    try:
        return None if data.get("factors") is None else Factors.model_validate(data["factors"])
    except ValidationError:
        return None


def with_made_arms(data: dict[str, Any]) -> dict[str, Any]:
    """Add to a document the arms that its factors make, once; unchanged where they cannot be made.

    What a run stored without some of these arms does not grow them again.
    """
    factors, arms = read_factors(data), data.get("arms") or {}
    if factors is None or factors.made or not isinstance(arms, dict) or factors.n_arms > ARMS:
        return data
    made = made_arms(factors)
    if not made or made.keys() & arms.keys():
        return data
    noted = factors.model_dump(mode="json", exclude_unset=True) | {"made": True}
    return {**data, "factors": noted, "arms": {**arms, **made}}


def made_arms(factors: Factors) -> dict[str, dict[str, Any]]:
    """Make an arm, as a campaign file has it, of every combination; none if there are far too many.

    Example:
        >>> list(made_arms(Factors(prompt="{{ a }} {{ b }}", levels={"a": ["x", "y"], "b": [1, 2]})))
        ['x_1', 'x_2', 'y_1', 'y_2']
    """
    if factors.n_combinations > COMBINATIONS:
        return {}
    return {arm_name(levels): made_arm(factors, levels) for levels in factors.combinations}


def arm_name(combination: Combination) -> str:
    """Return the name of a combination's arm."""
    return BETWEEN_LEVELS.join(combination.values())


def names_in(prompt: str) -> frozenset[str]:
    """Return the names that a prompt uses; none if it is no template."""
    try:
        return PromptTemplate(prompt).names
    except PromptFaultError:
        return frozenset()


def _by_name(levels: Any) -> dict[str, Level]:  # noqa: ANN401 - either kind of levels
    if not isinstance(levels, Mapping):
        levels = {level_name(str(text)): text for text in levels}
    return {
        name: level if isinstance(level, Level) else Level(text=str(level)) for name, level in levels.items()
    }


def level_name(text: str) -> str:
    """Return the name of a level that is only text.

    Example:
        >>> level_name("85 mm lens, f/1.8")
        '85-mm-lens-f-1-8'
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def _fits(combination: Combination, pick: Mapping[str, str | tuple[str, ...]]) -> bool:
    wanted = {factor: (level,) if isinstance(level, str) else level for factor, level in pick.items()}
    return all(combination.get(factor) in levels for factor, levels in wanted.items())


def made_arm(factors: Factors, combination: Combination) -> dict[str, Any]:
    """Make the arm, as a campaign file has it, of a combination, left out of the design or not."""
    chosen = {factor: factors.named_levels[factor][level] for factor, level in combination.items()}
    texts = {factor: level.text or combination[factor] for factor, level in chosen.items()}
    arm: dict[str, Any] = {"prompt": _prompt(factors.prompt, texts), "levels": dict(combination)}
    drafts: dict[str, Any] = {}
    for level in chosen.values():
        for key, value in level.settings.items():
            (drafts if key in ArmDrafts.model_fields else arm)[key] = value
    return arm | ({"drafts": drafts} if drafts else {})


def _prompt(template: str, texts: Mapping[str, str]) -> str:
    """Put the levels' texts into the template; where more than the text is asked for, they are set first."""
    for factor in names_in(template) & texts.keys():
        place = re.compile(r"\{\{\s*" + re.escape(factor) + r"\s*\}\}")
        template = texts[factor].join(place.split(template))
    asked = names_in(template)
    given = (f"{{% set {name} = {_quoted(text)} %}}" for name, text in texts.items() if name in asked)
    return "".join(given) + template


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
