"""Duels: a judging model decides which of two pictures is better, and sees each pair in both orders.

Models prefer the picture that they see first. With both orders this bias cancels out; a pair with an answer
for one order only is left out. The pairs are chosen round by round: the most uncertain ones give the most
information.

Source: PairBench (arXiv 2502.15210) on judges whose answer depends on the order.
"""

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from statistics import NormalDist
from types import MappingProxyType
from typing import Any

from tasks.judging.answer_text import objects_in, word_of
from tasks.judging.replies import DuelReply
from tasks.judging.rubric import chat_parameters, closed_object
from tasks.pairwise.bradley_terry import CONFIDENCE, Meeting, Strength, strengths
from tasks.pairwise.likelihood import PRIOR_SD

VERSION = "2"

QUESTIONS = "duel_questions"
"""A measurement of a picture without a strength: how many questions about it were asked."""
MOST_ANSWER_TOKENS = 240
RESULTS: Mapping[str, float] = {"first": 1.0, "tie": 0.5, "second": 0.0}

_INTRODUCTION = """\
You are shown two pictures, the first and the second. Compare them: subjects, anatomy, hands and faces, text,
light, edges, background. Their order says nothing. Give a short reason first, naming what you see in each;
then say which is better for somebody who will publish it: first, second, or tie when neither is.
"""

Pair = tuple[str, str]


def duel_prompt(rubric: Sequence[str]) -> str:
    """Write the question, with the rubric if there is one."""
    if not rubric:
        return _INTRODUCTION
    return f"{_INTRODUCTION}\nA good picture is one of which this is true:\n" + "\n".join(
        f"- {statement}" for statement in rubric
    )


def duel_parameters(model: str) -> dict[str, Any]:
    """Return the request's fields."""
    better = {"type": "string", "enum": list(RESULTS)}
    shape = closed_object({"reason": {"type": "string"}, "better": better})
    return chat_parameters(model, "duel_verdict", shape, MOST_ANSWER_TOKENS)


def read_duel_answer(content: str) -> float | None:
    """Read which picture won: 1 the first, 0 the second, 0.5 neither; ``None`` for an invalid answer."""
    told = [word for each in objects_in(content) if (word := word_of(each.get("better"), RESULTS))]
    alone = word_of(content, RESULTS)
    words = set(told) or ({alone} if alone else set())
    return RESULTS[words.pop()] if len(words) == 1 else None


def meetings_of(duels: Sequence[DuelReply]) -> list[Meeting]:
    """List the meetings of pairs that were answered in both orders, two for each pair."""
    found: dict[Pair, Meeting] = {}
    for duel in duels:
        result = None if duel.reply.content is None else read_duel_answer(duel.reply.content)
        if result is not None:
            found[duel.first_id, duel.second_id] = (duel.first_id, duel.second_id, result)
    return [meeting for (first, second), meeting in found.items() if (second, first) in found]


def most_pairs(n_pictures: int, per_row: int) -> int:
    """Return how many pairs of a row can be asked: each once, and no more than the campaign allows."""
    return min(per_row, math.comb(n_pictures, 2))


def next_pairs(
    pool: Sequence[str],
    asked: Collection[Pair],
    duels: Sequence[DuelReply],
    n_left: int,
    alike: Mapping[str, str] = MappingProxyType({}),
    same: Collection[Pair] = (),
) -> list[Pair]:
    """Choose the next round's pairs: those with the most information, each picture at most once.

    Pictures that are not connected by meetings cannot be compared. So while there are several connected
    groups, pairs that join two of them come first, and enough pairs are reserved to join them all.

    Args:
        pool: The candidate ids of one row's unique images, in any order.
        asked: Pairs asked before, answered or not; their order does not matter.
        duels: The replies so far.
        n_left: How many more pairs may be asked.
        alike: The group of similar pictures that a picture belongs to; pairs within one come last.
        same: Pairs of pictures that nobody can tell apart, which are not asked about.

    Returns:
        At most ``n_left`` pairs, the same for the same replies; empty when none is left.
    """
    known = strengths(meetings_of(duels))
    groups = _groups(pool, known, duels)
    done = {frozenset(pair) for pair in (*asked, *same)}
    open_pairs = [pair for pair in combinations(sorted(pool), 2) if frozenset(pair) not in done]
    open_pairs.sort(key=lambda pair: (-_information(pair, known, groups), _shuffled(pair)))
    open_pairs.sort(key=lambda pair: groups[pair[0]] == groups[pair[1]])  # stable: joining ones first
    open_pairs.sort(key=lambda pair: pair[0] in alike and alike[pair[0]] == alike.get(pair[1]))
    chosen: list[Pair] = []
    busy: set[str] = set()
    for pair in open_pairs:
        joins = groups[pair[0]] != groups[pair[1]]
        n_kept = 0 if joins else len({groups[name] for name in pool}) - 1
        if len(chosen) + n_kept < n_left and busy.isdisjoint(pair):
            chosen.append(pair)
            busy.update(pair)
            _join(groups, pair)
    return chosen


def in_both_orders(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield each pair as it is, and reversed."""
    for first, second in pairs:
        yield first, second
        yield second, first


def _information(pair: Pair, known: Mapping[str, Strength], groups: Mapping[str, str]) -> float:
    """Estimate a meeting's information: the outcome's variance times that of the strengths' difference."""
    (a, spread_a), (b, spread_b) = (_standing(name, known) for name in pair)
    apart = groups[pair[0]] != groups[pair[1]]  # how two groups compare is not known yet
    spread = spread_a**2 + spread_b**2 + (PRIOR_SD**2 if apart else 0.0)
    chance = 1 / (1 + math.exp(b - a))
    return round(chance * (1 - chance) * spread, 9)


def _standing(name: str, known: Mapping[str, Strength]) -> tuple[float, float]:
    """Return a picture's log-odds and their standard error; before any meeting, the prior's."""
    strength = known.get(name)
    if strength is None:
        return 0.0, PRIOR_SD
    width = _log_odds(strength.high) - _log_odds(strength.low)
    return strength.log_odds, width / 2 / NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def _log_odds(chance: float) -> float:
    inside = min(max(chance, 1e-12), 1 - 1e-12)
    return math.log(inside / (1 - inside))


def _groups(pool: Sequence[str], known: Mapping[str, Strength], duels: Sequence[DuelReply]) -> dict[str, str]:
    """Map each picture to the name of its connected group."""
    group = {name: name for name in {*pool, *known}}
    for first, second, _ in meetings_of(duels):
        _join(group, (first, second))
    return group


def _join(groups: dict[str, str], pair: Pair) -> None:
    """Merge the groups of a pair's two pictures."""
    old, new = (groups[name] for name in pair)
    for name, mine in groups.items():
        if mine == old:
            groups[name] = new


def _shuffled(pair: Pair) -> str:
    return hashlib.sha256("".join(pair).encode()).hexdigest()
