"""Which arm people prefer in each segment of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.ab_test.preferences import ArmVote, Preference, prefer_arms
from tasks.ab_test.segments import FALSE_DISCOVERIES, Segment, hold_false_discoveries, shrink_in_groups

REACH = 1.96
"""Standard errors in half an interval."""


@dataclass(frozen=True, slots=True)
class SegmentPreference:
    """What people say of two arms in the rows that share a variable's value.

    Args:
        variable: The variable's name.
        value: Its value.
        preference: What they say; its ``winner`` is corrected for no other segment.
        shrunk: The share, shrunk toward the mean of the variable's segments; ``None`` without an interval.
        q_value: The p-value, corrected for false discoveries over all segments.
        winner: The arm that people prefer there, or ``None`` if the evidence is not enough.
    """

    variable: str
    value: str
    preference: Preference
    shrunk: float | None
    q_value: float | None
    winner: str | None


def prefer_in_segments(
    votes: Sequence[ArmVote], segments: Sequence[Segment]
) -> tuple[SegmentPreference, ...]:
    """Compare every two arms that people compared in each segment.

    Args:
        votes: In any order.
        segments: From ``find_segments``.
    """
    found = [
        (segment, preference)
        for segment in segments
        for preference in prefer_arms([vote for vote in votes if vote.row in segment.rows])
    ]
    q_values = hold_false_discoveries([preference.p_value for _, preference in found])
    shrunk = shrink_in_groups(
        [(preference.arms, segment.variable) for segment, preference in found],
        [preference.share for _, preference in found],
        [_error(preference) for _, preference in found],
    )
    return tuple(
        SegmentPreference(
            variable=segment.variable,
            value=segment.value,
            preference=preference,
            shrunk=value,
            q_value=q_value,
            winner=_winner(preference, q_value),
        )
        for (segment, preference), value, q_value in zip(found, shrunk, q_values, strict=True)
    )


def _winner(preference: Preference, q_value: float | None) -> str | None:
    is_found = q_value is not None and q_value <= FALSE_DISCOVERIES
    return preference.arms[preference.wins[1] > preference.wins[0]] if is_found else None


def _error(one: Preference) -> float | None:
    return None if one.low is None or one.high is None else (one.high - one.low) / 2 / REACH
