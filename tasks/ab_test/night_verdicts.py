"""The verdict over all nights of a campaign, for whoever looks every morning."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import combinations
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.ab_test.drift import Shift, find_shift
from tasks.ab_test.holm import correct_by_holm
from tasks.ab_test.nights import FEWEST_NIGHTS, PooledNights, pool_nights
from tasks.ab_test.shown_difference import show_difference

SIGNIFICANCE = 0.05

Floats = NDArray[np.float64]
ScoresByRow = Mapping[str, Sequence[float]]


class Night(NamedTuple):
    """What one run of a campaign scored.

    Args:
        run_id: The run.
        day: Its UTC date.
        provider: Who sold the pictures.
        scores: Arm to row, known by its content, to the scores that are compared.
    """

    run_id: str
    day: date
    provider: str
    scores: Mapping[str, ScoresByRow]


@dataclass(frozen=True, slots=True)
class NightsPair:
    """Two arms over all nights; figures are ``None`` where they are unknown.

    Args:
        arms: The two names, A and B below.
        nights: Nights on which both have a score in a row.
        rows: Rows compared.
        difference: Mean score of A minus B, over the rows, each by its mean over the nights.
        low: Lower end of its plain 95 % interval, for a single look decided beforehand.
        high: Upper end.
        anytime_low: Lower end of the interval that holds on all mornings together; from the third night on.
        anytime_high: Upper end.
        p_value: Of the plain test.
        anytime_p_value_holm: For looks on every morning so far, corrected for the number of pairs.
        winner: The arm that wins by the anytime interval, or ``None``.
    """

    arms: tuple[str, str]
    nights: int
    rows: int
    difference: float | None
    low: float | None
    high: float | None
    anytime_low: float | None
    anytime_high: float | None
    p_value: float | None
    anytime_p_value_holm: float | None
    winner: str | None


@dataclass(frozen=True, slots=True)
class Drift:
    """An arm that scores the same rows otherwise since some night.

    Args:
        arm: The arm.
        since: The first such night.
        run_id: Its run.
        change: By how much its mean score changed.
        p_value: Probability of a change as clear among nights that do not drift.
        provider: Who sells since then, where it was somebody else before; otherwise ``None``.
    """

    arm: str
    since: date
    run_id: str
    change: float
    p_value: float
    provider: str | None


class Retirement(NamedTuple):
    """Which arms are out of the race, and which may leave it.

    Args:
        retired: The arms that are no longer bought, and why.
        may_retire: The arms that are to be left out of later runs once they are beaten.
    """

    retired: Mapping[str, str] = MappingProxyType({})
    may_retire: frozenset[str] = frozenset()


NOBODY_RETIRES = Retirement()


@dataclass(frozen=True, slots=True)
class NightsTest:
    """The whole test.

    Args:
        headline: For people.
        nights: Number of nights.
        left_out: Earlier runs that cannot be compared with the last one.
        winner: The arm that beats every other one that is in the race; the campaign is decided then.
        pairs: Every two arms, also those that retired.
        drifts: Arms that score otherwise since some night.
        retired: The arms that are no longer bought, and why.
        retiring: The arms that are left out from the next run on, and why.
    """

    headline: str
    nights: int
    left_out: int
    winner: str | None
    pairs: tuple[NightsPair, ...]
    drifts: tuple[Drift, ...]
    retired: dict[str, str] = field(default_factory=dict)
    retiring: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Turn the result into JSON values."""
        pairs = [asdict(pair) | {"arms": list(pair.arms)} for pair in self.pairs]
        drifts = [asdict(drift) | {"since": drift.since.isoformat()} for drift in self.drifts]
        return asdict(self) | {"pairs": pairs, "drifts": drifts}


def compare_nights(
    nights: Sequence[Night], left_out: int = 0, retirement: Retirement = NOBODY_RETIRES
) -> NightsTest | None:
    """Compare arms over all nights.

    Args:
        nights: In order; each has only arms and scores that are comparable with the last one's.
        left_out: How many runs are not among them; for the headline.
        retirement: Which arms are out of the race, and which may leave it.

    Returns:
        ``None`` with one night, with one arm, or where no two arms share two rows.
    """
    arms = sorted({arm for night in nights for arm in night.scores})
    pooled = {pair: _pool(nights, pair) for pair in combinations(arms, 2)}
    known = {pair: found for pair, found in pooled.items() if found is not None}
    if len(nights) < 2 or not known:
        return None
    corrected = correct_by_holm([found.anytime.p_value for found in known.values()])
    pairs = tuple(_pair(arms, found, p) for (arms, found), p in zip(known.items(), corrected, strict=True))
    drifts = tuple(drift for arm in arms if (drift := _drift(nights, arm)) is not None)
    retired = dict(retirement.retired)
    in_race = [arm for arm in arms if arm not in retired]
    winner = next((arm for arm in in_race if _beats_all(arm, in_race, pairs)), None)
    retiring = _retiring(pairs, in_race, retirement)
    headline = _state(pairs, winner, len(nights), is_smaller=bool(retired)) + _state_retired(
        retired, retiring
    )
    headline += _state_drifts(drifts) + _state_left_out(left_out)
    return NightsTest(headline, len(nights), left_out, winner, pairs, drifts, retired, retiring)


def _pool(nights: Sequence[Night], arms: tuple[str, str]) -> PooledNights | None:
    both = [[night.scores.get(arm, {}) for arm in arms] for night in nights]
    numbers = [min(len(a[row]), len(b[row])) for a, b in both for row in a.keys() & b.keys()]
    if not numbers:
        return None
    a, b = (_by_night_and_row(nights, arm) for arm in arms)
    return pool_nights(a - b, float(np.mean(numbers)))


def _by_night_and_row(nights: Sequence[Night], arm: str) -> Floats:
    places = {row: place for place, row in enumerate(_rows(nights))}
    found = np.full((len(nights), len(places)), np.nan)
    for number, night in enumerate(nights):
        for row, scores in night.scores.get(arm, {}).items():
            found[number, places[row]] = np.mean(scores)
    return found


def _rows(nights: Sequence[Night]) -> list[str]:
    return sorted({row for night in nights for scores in night.scores.values() for row in scores})


def _pair(arms: tuple[str, str], found: PooledNights, p_holm: float | None) -> NightsPair:
    plain, low, high = found.plain, found.anytime.low, found.anytime.high
    winner = None
    if p_holm is not None and p_holm <= SIGNIFICANCE and low is not None and high is not None:
        winner = arms[0] if low > 0 else arms[1] if high < 0 else None
    return NightsPair(
        arms=arms,
        nights=found.nights,
        rows=plain.rows,
        difference=plain.difference,
        low=plain.low,
        high=plain.high,
        anytime_low=low,
        anytime_high=high,
        p_value=plain.p_value,
        anytime_p_value_holm=p_holm,
        winner=winner,
    )


def _drift(nights: Sequence[Night], arm: str) -> Drift | None:
    shift: Shift | None = find_shift(_by_night_and_row(nights, arm))
    if shift is None:
        return None
    night, before = nights[shift.first], nights[shift.first - 1]
    provider = night.provider if night.provider != before.provider else None
    return Drift(arm, night.day, night.run_id, shift.change, shift.p_value, provider)


def _beats_all(arm: str, in_race: Sequence[str], pairs: Sequence[NightsPair]) -> bool:
    """Whether it beats every other arm in the race; the last one beat, or outlasted, those that retired."""
    beaten = {_other(pair) for pair in pairs if pair.winner == arm}
    return beaten >= set(in_race) - {arm}


def _retiring(pairs: Sequence[NightsPair], in_race: Sequence[str], retirement: Retirement) -> dict[str, str]:
    """Name the beaten arms that may leave; if every arm was beaten by another, as in a circle, none."""
    beaten: dict[str, str] = {}
    for pair in pairs:
        if pair.winner is not None and _other(pair) in in_race:
            beaten.setdefault(_other(pair), f"beaten by {pair.winner} over {pair.nights} nights")
    leave = {arm: why for arm, why in beaten.items() if arm in retirement.may_retire}
    return leave if len(beaten) < len(in_race) else {}


def _state(pairs: Sequence[NightsPair], winner: str | None, n_nights: int, *, is_smaller: bool) -> str:
    if len(pairs) == 1:
        return _state_pair(pairs[0])
    over = f"Over {n_nights} nights, "
    if winner is not None:
        others = "every other arm in the race" if is_smaller else "every other arm"
        return f"{over}arm {winner} beats {others}, also for whoever looks every morning."
    beaten = [f"{pair.winner} beats {_other(pair)}" for pair in pairs if pair.winner]
    so_far = f" {', '.join(beaten)}." if beaten else ""
    return f"{over}no arm beats every other one yet, for whoever looks every morning.{so_far}"


def _state_retired(retired: Mapping[str, str], retiring: Mapping[str, str]) -> str:
    out = [f" Arm {arm} is retired, {why}." for arm, why in retired.items()]
    return "".join(
        [*out, *(f" Arm {arm} is not bought any more from now on, {why}." for arm, why in retiring.items())]
    )


def _state_pair(pair: NightsPair) -> str:
    over = f"Over {pair.nights} nights and {pair.rows} rows, "
    a, b = pair.arms
    leader = a if (pair.difference or 0) >= 0 else b
    by = f"{show_difference(abs(pair.difference or 0))} points"
    plain = _ends(pair.low, pair.high, is_turned=leader == b)
    if pair.anytime_low is None or pair.anytime_high is None:
        why = f" before the {_ordinal(FEWEST_NIGHTS)} night" if pair.nights < FEWEST_NIGHTS else ""
        of_one_look = f" (plain 95% interval {plain}, for a single look)" if plain else ""
        return f"{over}{leader} leads by {by}{of_one_look}; nothing is decided{why}."
    anytime = _ends(pair.anytime_low, pair.anytime_high, is_turned=leader == b)
    if pair.winner:
        return (
            f"{over}arm {pair.winner} beats arm {_other(pair)} by {by} (anytime 95% interval {anytime}):"
            " whoever looks every morning may stop here."
        )
    return (
        f"{over}not decided for whoever looks every morning: {leader} leads by {by}"
        f" (anytime 95% interval {anytime}; plain {plain}, for a single look)."
    )


def _ordinal(number: int) -> str:
    return {3: "third"}.get(number, f"{number}th")


def _other(pair: NightsPair) -> str:
    return pair.arms[1] if pair.winner == pair.arms[0] else pair.arms[0]


def _ends(low: float | None, high: float | None, *, is_turned: bool) -> str:
    if low is None or high is None:
        return ""
    first, last = (-high, -low) if is_turned else (low, high)
    return f"{show_difference(first)} to {show_difference(last)}"


def _state_drifts(drifts: Sequence[Drift]) -> str:
    sentences = []
    for drift in drifts:
        by = f"{show_difference(abs(drift.change))} {'higher' if drift.change > 0 else 'lower'}"
        seller = f", and since then {drift.provider} is the provider" if drift.provider else ""
        sentences.append(
            f" Since {drift.since}, arm {drift.arm} scores the same rows {by}"
            f"{seller}: what answers may have changed."
        )
    return "".join(sentences)


def _state_left_out(number: int) -> str:
    if not number:
        return ""
    runs = "1 earlier run is" if number == 1 else f"{number} earlier runs are"
    return f" {runs} left out: other arms, or scored otherwise."
