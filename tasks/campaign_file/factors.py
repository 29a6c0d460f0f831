"""The faults of a design, each at its own key: levels, uses, picks, and what its arms can tell."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from tasks.campaign import Campaign
from tasks.campaign.factors import Combination, Factors, arm_name, level_name, names_in, read_factors
from tasks.campaign_file.designs import kind_fault
from tasks.campaign_file.fault import CampaignFault
from tasks.limits import ARMS
from tasks.marked_yaml import KeyPath
from tasks.text import did_you_mean

ARM_CHARACTERS = 32
_MARKS = re.compile(r"\{[{%#]")


def factor_faults(data: Mapping[str, Any]) -> list[CampaignFault]:
    """Find why the factors of a document make no arms, or arms from which nothing can be told.

    Args:
        data: The document's data; faults of its structure are found elsewhere.
    """
    factors = read_factors(data)
    if factors is None:
        return []
    faults = [*_level_faults(factors), *_use_faults(factors), *_pick_faults(factors)]
    return faults or list(_design_faults(factors, data.get("arms") or {}))


def level_faults(campaign: Campaign) -> Iterator[CampaignFault]:
    """Find factors that are also variables of the rows, and arms with levels that there are not."""
    named = campaign.factors.named_levels if campaign.factors else {}
    for factor in named.keys() & campaign.variable_names:
        what = f"{factor} is also a variable of the rows"
        yield CampaignFault(("factors", "levels", factor), what, "another name")
    for name, arm in campaign.arms.items():
        unknown = [
            f"{key} {level}" for key, level in (arm.levels or {}).items() if level not in named.get(key, ())
        ]
        if unknown or (arm.levels is not None and arm.levels.keys() != named.keys()):
            what = f"factors has no {', '.join(unknown)}" if unknown else "is not a level of every factor"
            yield CampaignFault(("arms", name, "levels"), what, "leave it out: Runoff writes it")


def placed(fault: CampaignFault, campaign: Campaign) -> CampaignFault:
    """Give a fault of an arm that was made of factors the key in the file: the prompt's or a level's."""
    arm = campaign.arms.get(fault.path[1]) if fault.path[0] == "arms" and len(fault.path) > 1 else None
    factors = campaign.factors
    if arm is None or arm.levels is None or factors is None or fault.path[2:3] == ("levels",):
        return fault
    key = fault.path[2:]
    if key == ("prompt",):
        return fault._replace(path=("factors", "prompt"))
    key = key[1:] if key[:1] == ("drafts",) else key
    for factor, level in arm.levels.items():
        if key and key[0] in factors.named_levels[factor][level].settings:
            return fault._replace(path=(*_level_path(factors, factor, level), *key))
    return fault._replace(path=("factors", "levels"))


def _level_path(factors: Factors, factor: str, level: str) -> KeyPath:
    given = factors.levels[factor]
    if isinstance(given, Mapping):
        return ("factors", "levels", factor, level)
    names = list(_of_list(given))
    return ("factors", "levels", factor, str(names.index(level)))


def _of_list(given: Sequence[object]) -> list[str]:
    return [level_name(str(text)) for text in given]


def _level_faults(factors: Factors) -> Iterator[CampaignFault]:
    """Check texts and names, and that no two levels of a factor ask for the same."""
    used = names_in(factors.prompt)
    for factor, given in factors.levels.items():
        path: KeyPath = ("factors", "levels", factor)
        names = list(given) if isinstance(given, Mapping) else _of_list(given)
        if "" in names:
            what = f"{list(given)[names.index('')]!r} makes no name for a level"
            yield CampaignFault(path, what, "a mapping of names to texts, such as {soft: soft window light}")
            continue
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            yield CampaignFault(path, f"two levels are {twice}", "levels that differ")
            continue
        seen: dict[str, str] = {}
        for name, level in factors.named_levels[factor].items():
            text = level.text or name
            asked = repr((text if factor in used else None, sorted(level.settings.items(), key=str)))
            if _MARKS.search(text):
                accepted = "text; variables of the rows belong into factors.prompt"
                place = _level_path(factors, factor, name)
                yield CampaignFault(place, f"{text[:60]!r} is a template", accepted)
            if asked in seen and (factor in used or level.settings):
                what = f"is the same as {seen[asked]}: both ask for the same pictures"
                yield CampaignFault(_level_path(factors, factor, name), what, "levels that differ")
            seen.setdefault(asked, name)


def _use_faults(factors: Factors) -> Iterator[CampaignFault]:
    """Check that the prompt or a setting uses each factor, and that no two factors set the same."""
    used, setters = names_in(factors.prompt), dict[str, str]()
    for factor, levels in factors.named_levels.items():
        keys = {key for level in levels.values() for key in level.settings}
        if factor not in used and not keys:
            accepted = f"{{{{ {factor} }}}} in factors.prompt, or levels with settings, such as quality"
            what = "no prompt and no setting uses it: its arms would be the same"
            yield CampaignFault(("factors", "levels", factor), what, accepted)
        for key in sorted(keys & setters.keys()):
            what = f"{key} is set by {setters[key]} too, so that neither can be told from the other"
            yield CampaignFault(("factors", "levels", factor), what, "each setting in one factor")
        setters |= dict.fromkeys(keys, factor)


def _pick_faults(factors: Factors) -> Iterator[CampaignFault]:
    """Check the names of ``baseline``, ``exclude`` and ``only``."""
    picks: list[tuple[KeyPath, Mapping[str, str | tuple[str, ...]]]] = [(("baseline",), factors.baseline)]
    for key, given in (("exclude", factors.exclude), ("only", factors.only)):
        picks += (((key, str(place)), pick) for place, pick in enumerate(given))
    for where, pick in picks:
        for factor, wanted in pick.items():
            path: KeyPath = ("factors", *where, factor)
            known = factors.named_levels.get(factor)
            if known is None:
                names = list(factors.levels)
                yield CampaignFault(
                    path, f"there is no factor {factor!r}{did_you_mean(factor, names)}", ", ".join(names)
                )
                continue
            for level in (wanted,) if isinstance(wanted, str) else wanted:
                if level not in known:
                    what = f"{factor} has no level {level!r}{did_you_mean(level, known)}"
                    yield CampaignFault(path, what, ", ".join(known))


def _design_faults(factors: Factors, arms: object) -> Iterator[CampaignFault]:
    """Check the arms that are made: how many, their names, and what can be told from them."""
    path: KeyPath = ("factors", "levels")
    if factors.added:  # its arms were checked when the run began, and the new ones when they were added
        yield from _name_faults(arms if isinstance(arms, dict) else {})
        return
    if fault := kind_fault(factors):
        yield fault
        return
    if factors.made and factors.design != "full":  # to find its arms again may take a second
        yield from _name_faults(arms if isinstance(arms, dict) else {})
        yield from _untold_faults(factors, list(factors.allowed()))
        return
    n_arms, by_hand = factors.n_arms, len(arms) if isinstance(arms, dict) else 0
    if n_arms + (0 if factors.made else by_hand) > ARMS:
        product = " x ".join(str(len(levels)) for levels in factors.levels.values())
        more = f", besides {by_hand} in arms" if by_hand and not factors.made else ""
        what = f"{product} levels make {n_arms:,} arms{more}"
        yield CampaignFault(path, what, f"at most {ARMS} in all: fewer levels, or exclude and only")
        return
    if not n_arms:
        yield CampaignFault(("factors", "exclude"), "no combination is left", "at least two of each factor")
        return
    made = list(islice(factors.combinations, ARMS))
    yield from _name_faults(list(map(arm_name, made)))
    if isinstance(arms, dict) and not factors.made:
        for name in sorted(arms.keys() & set(map(arm_name, made))):
            yield CampaignFault(("arms", name), "factors makes an arm of this name", "another name")
    yield from _untold_faults(factors, made)


def _name_faults(names: Iterable[str]) -> Iterator[CampaignFault]:
    """Check that the names of arms are short enough."""
    longest = max(names, key=len, default="")
    if len(longest) > ARM_CHARACTERS:
        what = f"the levels make an arm {longest}, {len(longest)} characters long"
        accepted = f"at most {ARM_CHARACTERS}: a mapping of short names to texts"
        yield CampaignFault(("factors", "levels"), what, accepted)


def _untold_faults(factors: Factors, made: Sequence[Combination]) -> Iterator[CampaignFault]:
    """Check that the effects of all factors can be told from the arms that are left."""
    key = "exclude" if factors.exclude else "only" if factors.only else "design"
    where: KeyPath = ("factors", key)
    for factor, levels in factors.named_levels.items():
        missing = [level for level in levels if level not in {each[factor] for each in made}]
        if missing:
            what = f"leaves no arm with {factor} {', '.join(missing)}"
            yield CampaignFault(where, what, "at least one arm of each level")
            return
    if not factors.exclude and not factors.only and factors.design == "full":
        return
    columns = {factor: list(levels)[1:] for factor, levels in factors.named_levels.items()}
    n_needed = 1 + sum(map(len, columns.values()))
    if _rank(made, columns) == n_needed:
        return
    for one, other in itertools.combinations(columns, 2):
        pair = {one: columns[one], other: columns[other]}
        if _rank(made, pair) < 1 + len(pair[one]) + len(pair[other]):
            what = f"leaves arms in which {one} cannot be told from {other}"
            yield CampaignFault(where, what, "fewer exclusions, or more combinations")
            return
    yield CampaignFault(where, "leaves too few arms to tell the factors apart", f"at least {n_needed} arms")


def _rank(made: Sequence[Combination], columns: Mapping[str, Sequence[str]]) -> int:
    """Return how many effects can be told: the rank of the design's matrix, its mean included."""
    import numpy as np

    indicators = [
        [1.0, *(float(each[factor] == level) for factor in columns for level in columns[factor])]
        for each in made
    ]
    return int(np.linalg.matrix_rank(np.array(indicators)))
