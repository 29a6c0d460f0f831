"""The verdict of the A/B test in words: first by which score, then which arm, then how certain."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tasks.ab_test.paired_rows import ByRow, RowDifference
from tasks.ab_test.result import NOT_ENOUGH, ArmResult, PairResult, SegmentResult
from tasks.ab_test.shown_difference import show_difference

FEW_ROWS = 4
NEARLY_ALL = 0.9
"""Share of equal scores from which a score says little about pictures."""
FULL_MARKS = 1.0


def state_headline(
    by: str, arms: Mapping[str, ArmResult], pairs: Sequence[PairResult], scores: Mapping[str, ByRow]
) -> str:
    """State the verdict in a sentence or two.

    Args:
        by: By which scorers, such as ``on technical quality alone``; empty to leave it out.
        arms: The compared arms.
        pairs: Every two of them.
        scores: Each arm's compared scores, by row.
    """
    is_open = all(pair.verdict == NOT_ENOUGH for pair in pairs) and any(pair.rows for pair in pairs)
    ceiling = _ceiling(scores) if is_open else ""
    sentence = _headline(arms, pairs, is_more_of_use=not ceiling)
    sentence = f"{by}, {sentence}" if by and pairs else sentence
    return sentence[0].upper() + sentence[1:] + ceiling


def name_segments(pairs: Sequence[PairResult], segments: Sequence[SegmentResult]) -> str:
    """Name the segments in which another arm is better than on the whole; empty if there is none.

    Args:
        pairs: The arms on the whole.
        segments: The arms in each segment.
    """
    whole = {pair.arms: pair for pair in pairs}
    found = [
        (one.winner, f'{one.variable} "{one.value}"')
        for one in segments
        if one.winner is not None and whole[one.arms].winner != one.winner
    ]
    is_open = all(whole[one.arms].verdict == NOT_ENOUGH for one in segments)
    return say_where(found, "is better for", is_open=is_open)


def say_where(found: Sequence[tuple[str, str]], verb: str, *, is_open: bool = False) -> str:
    """Say which arm is what where.

    Args:
        found: Arms and segments.
        verb: Such as ``is better for``.
        is_open: On the whole no arm wins, which is said again beside what the whole hides.

    Example:
        >>> say_where([("B", "kind typography"), ("A", "kind places")], "is better for")
        ' A is better for kind places, B for kind typography.'
    """
    where: dict[str, list[str]] = {}
    for arm, segment in found:
        where.setdefault(arm, []).append(segment)
    parts = [f"{arm} {verb} {' and '.join(where[arm])}" for arm in sorted(where)]
    short = [part.replace(verb, verb.split()[-1], 1) if place else part for place, part in enumerate(parts)]
    on_the_whole = "; on the whole no difference is found" if is_open else ""
    return f" {', '.join(short)}{on_the_whole}." if parts else ""


def describe_pair(found: RowDifference, rows_left_out: int) -> str:
    """Say what to keep in mind about the comparison of two arms; empty if nothing."""
    parts = []
    if not found.rows:
        parts.append("the arms have no scored row in common")
    elif found.low is None and found.standard_error is not None:
        parts.append("the scores do not vary, so the uncertainty cannot be estimated")
    elif found.low is None:
        parts.append("one picture does not show how much pictures vary")
    elif found.rows == 1:
        parts.append("one row only: the verdict holds for this prompt, and other prompts may differ")
    elif found.rows < FEW_ROWS:
        parts.append(f"{found.rows} rows only: other prompts may differ")
    if found.has_far_row:
        parts.append("one row differs far more than the others, and the interval allows for another such row")
    if rows_left_out:
        verb = "row was" if rows_left_out == 1 else "rows were"
        parts.append(f"{rows_left_out} {verb} left out: scored for one arm only")
    return "; ".join(parts)


def _headline(arms: Mapping[str, ArmResult], pairs: Sequence[PairResult], *, is_more_of_use: bool) -> str:
    if not pairs:
        return "only one arm: there is nothing to compare." if arms else "there is nothing to compare."
    if len(pairs) == 1:
        return _sentence(pairs[0], is_more_of_use=is_more_of_use)
    beaten = {arm: [_loser(pair) for pair in pairs if pair.winner == arm] for arm in arms}
    best = max(sorted(arms), key=lambda arm: (len(beaten[arm]), arms[arm].mean_score or 0.0))
    if len(beaten[best]) == len(arms) - 1:
        return f"arm {best} beats every other arm."
    if not beaten[best]:
        return f"not enough evidence that any of the {len(arms)} arms is better than another."
    return f"not enough evidence for one best arm; {best} beats {' and '.join(beaten[best])}."


def _loser(pair: PairResult) -> str:
    return pair.arms[1] if pair.winner == pair.arms[0] else pair.arms[0]


def _sentence(pair: PairResult, *, is_more_of_use: bool) -> str:
    a, b = pair.arms
    if pair.difference is None:
        return f"arms {a} and {b} cannot be compared: {pair.note}."
    leader, other = (a, b) if pair.difference >= 0 else (b, a)
    if pair.low is None or pair.high is None:
        return f"not enough evidence that arms {a} and {b} differ: {pair.note}."
    ends = sorted([pair.low, pair.high] if leader == a else [-pair.high, -pair.low])
    by = show_difference(abs(pair.difference))
    interval = f"(95% interval {show_difference(ends[0])} to {show_difference(ends[1])})"
    rows = "1 row" if pair.rows == 1 else f"{pair.rows} rows"
    if pair.verdict != NOT_ENOUGH:
        return f"arm {leader} beats arm {other} by {by} points {interval}, over {rows}."
    settle = _more(pair) if is_more_of_use else ""
    lead = f"{leader} leads by {by} points {interval}"
    return f"not enough evidence that arms {a} and {b} differ: {lead}{settle}."


def _more(pair: PairResult) -> str:
    """Say what would decide it: rows first, since rows are the units."""
    rows, pictures = pair.more_rows_needed, pair.more_pictures_needed
    if not pictures:
        return ""
    if not rows:
        return f"; about {pictures:,} more pictures per arm would decide it"
    noun = "row" if rows == 1 else "rows"
    of_them = f"{pictures:,} more {'picture' if pictures == 1 else 'pictures'} per arm"
    return f"; about {rows:,} more {noun} ({of_them}) would decide it"


def _ceiling(scores: Mapping[str, ByRow]) -> str:
    """Say that a score cannot tell the arms apart, if nearly all of it is one value."""
    values = [round(score, 3) for arm in scores.values() for row in arm.values() for score in row]
    if not values:
        return ""
    ((commonest, number),) = Counter(values).most_common(1)
    if number < NEARLY_ALL * len(values) or len(values) < 2:
        return ""
    marks = "full marks" if commonest == FULL_MARKS else f"the same score ({show_difference(commonest)})"
    return (
        f" Nearly every picture gets {marks}; this score cannot tell the arms apart:"
        " vote, or sharpen the rubric."
    )
