"""Which arm won for each row: in its segment, else on the whole. Finalists may be of that arm only."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tasks.ab_test.segments import Segment

Pair = tuple[str, str]


class Outcome(NamedTuple):
    """What was found about two arms.

    Args:
        arms: Their names.
        winner: The better one; ``None`` if the evidence is not enough.
    """

    arms: Pair
    winner: str | None


class Winner(NamedTuple):
    """The arm that won for a row, and where: such as ``for kind "places"``; empty for on the whole."""

    arm: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Winners:
    """The arms that won.

    Args:
        whole: The arm that won on the whole; ``None`` if none did.
        by_segment: The arm that won in a segment, by the segment's words.
        of_segments: The same by row, of rows whose segments have one winner.
    """

    whole: str | None
    by_segment: Mapping[str, str] = field(default_factory=dict)
    of_segments: Mapping[int, Winner] = field(default_factory=dict)

    def of_row(self, row: int) -> Winner | None:
        """Return the arm that won for a row: its segment's, else the one on the whole, if there is one."""
        on_the_whole = Winner(self.whole) if self.whole is not None else None
        return self.of_segments.get(row, on_the_whole)

    def state(self) -> str:
        """Say of which arms finalists are."""
        won = [f"{arm} {where}" for where, arm in self.by_segment.items()]
        if self.whole is None and not won:
            return "No arm won, so finalists are of all arms"
        rest = f"{self.whole} on the whole" if self.whole else "all arms elsewhere, where none won"
        return f"Finalists are of the arm that won: {', '.join([*won, rest])}"


def find_winner(outcomes: Iterable[Outcome]) -> str | None:
    """Return the arm that beats every other one that it is compared with; ``None`` if none does.

    Example:
        >>> find_winner([Outcome(("A", "B"), "B"), Outcome(("A", "C"), None), Outcome(("B", "C"), "B")])
        'B'
    """
    found = list(outcomes)
    arms = sorted({arm for one in found for arm in one.arms})
    wins = Counter(one.winner for one in found if one.winner is not None)
    return next((arm for arm in arms if wins[arm] == len(arms) - 1), None)


def find_winners(
    whole: Sequence[Outcome], in_segments: Sequence[tuple[Segment, Sequence[Outcome]]]
) -> Winners:
    """Find the arm that won for each row.

    Args:
        whole: Every two arms on the whole.
        in_segments: Every two arms in each segment that counts. Where two segments of a row have different
            winners, the row has the one on the whole.
    """
    n_arms = len({arm for one in whole for arm in one.arms})
    by_segment, by_row = {}, dict[int, list[Winner]]()
    for segment, outcomes in in_segments:
        is_complete = len({arm for one in outcomes for arm in one.arms}) == n_arms
        winner = find_winner(outcomes) if is_complete else None
        if winner is None:
            continue
        where = f'for {segment.variable} "{segment.value}"'
        by_segment[where] = winner
        for row in segment.rows:
            by_row.setdefault(row, []).append(Winner(winner, where))
    of_segments = {row: found[0] for row, found in by_row.items() if len({one.arm for one in found}) == 1}
    return Winners(find_winner(whole), by_segment, of_segments)
