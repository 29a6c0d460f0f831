"""Compares arms by their scores in each segment of the rows."""

from collections.abc import Mapping, Sequence
from itertools import combinations, groupby

import numpy as np

from tasks.ab_test.paired_rows import NO_SPREAD, ByRow, RowDifference, row_difference
from tasks.ab_test.result import Interaction, SegmentResult
from tasks.ab_test.segments import (
    FALSE_DISCOVERIES,
    LEAST_ROWS,
    Segment,
    hold_false_discoveries,
    shrink_in_groups,
)


def compare_in_segments(
    scores: Mapping[str, ByRow], segments: Sequence[Segment]
) -> tuple[SegmentResult, ...]:
    """Compare every two arms in each segment in which they have three rows in common.

    Args:
        scores: Each arm's scores, by row.
        segments: From ``find_segments``.
    """
    found = [
        (segment, arms, difference)
        for arms in combinations(sorted(scores), 2)
        for segment in segments
        if (difference := _difference(scores, arms, segment)).rows >= LEAST_ROWS
    ]
    q_values = hold_false_discoveries([difference.p_value for _, _, difference in found])
    shrunk = shrink_in_groups(
        [(arms, segment.variable) for segment, arms, _ in found],
        [difference.difference for _, _, difference in found],
        [difference.standard_error for _, _, difference in found],
    )
    return tuple(
        _result(segment, arms, difference, value, q_value)
        for (segment, arms, difference), value, q_value in zip(found, shrunk, q_values, strict=True)
    )


def _difference(scores: Mapping[str, ByRow], arms: tuple[str, str], segment: Segment) -> RowDifference:
    of_a, of_b = ({row: values for row, values in scores[arm].items() if row in segment.rows} for arm in arms)
    return row_difference(of_a, of_b)


def _result(
    segment: Segment, arms: tuple[str, str], found: RowDifference, shrunk: float | None, q_value: float | None
) -> SegmentResult:
    is_found = q_value is not None and q_value <= FALSE_DISCOVERIES and found.low is not None
    return SegmentResult(
        variable=segment.variable,
        value=segment.value,
        arms=arms,
        rows=found.rows,
        difference=found.difference,
        low=found.low,
        high=found.high,
        shrunk=shrunk,
        p_value=found.p_value,
        q_value=q_value,
        winner=arms[(found.difference or 0) < 0] if is_found else None,
    )


def find_interactions(scores: Mapping[str, ByRow], segments: Sequence[Segment]) -> tuple[Interaction, ...]:
    """Test for every two arms whether their difference depends on each variable.

    It is Welch's analysis of variance of the rows' differences between the variable's values, which may vary
    unequally: B. Welch (1951), "On the comparison of several mean values: an alternative approach".

    Args:
        scores: Each arm's scores, by row.
        segments: From ``find_segments``, those of one variable together.
    """
    found = []
    for variable, of_variable in groupby(segments, key=lambda segment: segment.variable):
        rows_of_values = [segment.rows for segment in of_variable]
        for a, b in combinations(sorted(scores), 2):
            groups = [
                [float(np.mean(scores[a][row]) - np.mean(scores[b][row])) for row in sorted(rows)]
                for each in rows_of_values
                if len(rows := each & scores[a].keys() & scores[b].keys()) >= LEAST_ROWS
            ]
            if len(groups) > 1:
                from scipy import stats

                varies = all(float(np.ptp(group)) > NO_SPREAD for group in groups)
                p_value = float(stats.f_oneway(*groups, equal_var=False).pvalue) if varies else None
                found.append(Interaction(variable, (a, b), p_value))
    return tuple(found)
