"""What is evidence: a unique image with its duplicates, by their mean, so that copies are no prize."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ab_test.evidence import Evidence, HeldOut, ScoredDraft, gather_evidence
from tasks.ab_test.result import NOT_ENOUGH
from tasks.ab_test.verdict import compare_arms
from tasks.candidate import Status


def draft(arm: str, row: int, replicate: int, score: float, of: str | None = None) -> ScoredDraft:
    """Make a scored picture; a duplicate if it is one of another."""
    name = f"{arm}-{row}-{replicate}"
    status: Status = "duplicate" if of and of != name else "survivor"
    return ScoredDraft(
        name, arm, row, replicate, "received", Decimal("0.01"), name, status, score, cluster=of or name
    )


def test_a_cluster_counts_once_by_the_mean_of_its_pictures() -> None:
    """Two pictures and a copy of one are two pieces of evidence."""
    drafts = [draft("A", 0, 0, 0.5), draft("A", 0, 1, 0.75), draft("A", 0, 2, 0.25, of="A-0-1")]
    assert gather_evidence(drafts, "") == [Evidence("A", 0, 0.5), Evidence("A", 0, 0.5)]


@given(st.permutations(range(3)))
def test_it_does_not_matter_which_picture_stands_for_the_others(order: list[int]) -> None:
    """The best one does on the page; here all weigh the same."""
    scores = [0.9, 0.5, 0.4]
    drafts = [draft("A", 0, place, scores[place], of=f"A-0-{order[0]}") for place in order]
    (piece,) = gather_evidence(drafts, "")
    assert piece.score == pytest.approx(0.6)


def test_pictures_that_two_arms_share_are_evidence_for_both() -> None:
    """A cluster over arms, or over rows, is not the success of the one whose picture is sharpest."""
    drafts = [draft("A", 0, 0, 0.9), draft("B", 0, 0, 0.8, of="A-0-0"), draft("B", 1, 0, 0.7, of="A-0-0")]
    assert gather_evidence(drafts, "") == [
        Evidence("A", 0, 0.9),
        Evidence("B", 0, 0.8),
        Evidence("B", 1, 0.7),
    ]


def test_a_duplicate_of_nobody_knows_what_is_no_evidence() -> None:
    """Neither is what is not as ordered, or has no score."""
    one = draft("A", 0, 0, 0.5)
    others = [
        replace(one, status="duplicate", cluster=None),
        replace(one, status="unfit"),
        replace(one, is_downgraded=True),
        replace(one, score=None),
        replace(one, form="jpeg instead of png"),
    ]
    assert gather_evidence(others, "") == []


def test_a_copy_of_a_picture_that_selected_its_arm_is_held_out_by_itself() -> None:
    """What an arm repeats it repeats; the earlier picture's luck has no part in the later one's score."""
    early = [draft("A", 0, 0, 0.9), draft("B", 0, 0, 0.1)]
    late = [draft("A", 0, 4, 0.5, of="A-0-0"), draft("A", 0, 5, 0.7), draft("B", 0, 4, 0.4, of="B-0-0")]
    (pair,) = compare_arms([*early, *late], HeldOut(frozenset("AB"), 4)).pairs
    assert pair.pictures == (2, 1)
    assert pair.difference == pytest.approx(0.6 - 0.4)


def _campaign_with_copies(rng: np.random.Generator, measuring_noise: float) -> list[ScoredDraft]:
    """Draw two equal arms of eight rows and four pictures; half of A's pictures are copies of the others."""
    drafts = []
    for row in range(8):
        prompt = rng.normal(0.6, 0.05)
        for arm, n_different in (("A", 2), ("B", 4)):
            different = prompt + rng.normal(0, 0.01, n_different)
            scores = different[np.arange(4) % n_different] + rng.normal(0, measuring_noise, 4)
            for cluster in range(n_different):
                alike = range(cluster, 4, n_different)
                best = max(alike, key=lambda place: scores[place])
                drafts += [
                    draft(arm, row, place, float(scores[place]), f"{arm}-{row}-{best}") for place in alike
                ]
    return drafts


@pytest.mark.parametrize("campaigns", [60, pytest.param(1_000, marks=pytest.mark.slow)])
def test_an_arm_does_not_win_by_making_copies(campaigns: int) -> None:
    """Of equal arms either wins in about 2.5 % of campaigns; by the best of each cluster A won in 37 %."""
    rng = np.random.default_rng(21)
    verdicts = [compare_arms(_campaign_with_copies(rng, 0.02)).pairs[0].verdict for _ in range(campaigns)]
    limit = 0.05 * campaigns + 3 * (0.05 * 0.95 * campaigns) ** 0.5
    assert campaigns - verdicts.count(NOT_ENOUGH) <= limit
