"""Which pictures meet next in a duel: of one row, never twice for one person, on sides by chance."""

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from flows.review.pairing import BEST_OF_CELL, choose_pair, pool_of
from tasks.candidate import Candidate, Standing
from tasks.pairwise.votes import Vote
from tests.support.builders import NOON, RUN_ID
from tests.support.draft_builders import a_draft

CELLS = st.lists(
    st.tuples(st.sampled_from("AB"), st.integers(0, 1), st.none() | st.floats(0, 1), st.booleans()),
    max_size=9,
)


def drafts_of(cells: list[tuple[str, int, float | None, bool]]) -> list[Candidate]:
    """Make drafts; the last value tells whether it is a survivor."""
    return [
        a_draft(
            f"c-{k}", arm=arm, row=row, score=score, replicate=k,
            standing=Standing("survivor" if is_survivor else "duplicate", f"c-{k}"),
        )
        for k, (arm, row, score, is_survivor) in enumerate(cells)
    ]  # fmt: skip


def judge_all(drafts: list[Candidate], voter: str, votes: list[Vote]) -> list[Vote]:
    """Judge until no pair is left."""
    chance = random.Random(1)
    votes = list(votes)
    while pair := choose_pair(pool_of(drafts, votes, voter), chance):
        left, right = (one.candidate_id for one in pair)
        votes.append(Vote(f"v-{len(votes)}", RUN_ID, pair[0].row, left, right, "tie", voter, NOON))
    return votes


@given(CELLS)
def test_one_person_meets_every_pair_of_a_row_once(cells: list[tuple[str, int, float | None, bool]]) -> None:
    """Survivors only, two of one row, whoever judged before."""
    drafts = drafts_of(cells)
    votes = judge_all(drafts, "jo", judge_all(drafts, "mara", []))
    fit = {d.candidate_id: d.row for d in drafts if d.standing and d.standing.status == "survivor"}
    wanted = {frozenset((a, b)) for a in fit for b in fit if a < b and fit[a] == fit[b]}
    for voter in ("mara", "jo"):
        met = [frozenset((vote.left_id, vote.right_id)) for vote in votes if vote.voter == voter]
        assert len(met) == len(set(met))
        assert set(met) == wanted
    assert pool_of(drafts, votes, "mara").n_wanted <= len(wanted)


def test_the_first_duels_are_between_arms_and_reach_every_picture() -> None:
    """With four pictures of each arm, four duels let all eight meet one of the other arm."""
    drafts = drafts_of([(arm, 0, k / 8, True) for arm in "AB" for k in range(4)])
    votes = judge_all(drafts, "mara", [])[:4]
    arms = {draft.candidate_id: draft.arm for draft in drafts}
    assert len({name for vote in votes for name in (vote.left_id, vote.right_id)}) == 8
    assert all(arms[vote.left_id] != arms[vote.right_id] for vote in votes)


def test_sides_are_by_chance() -> None:
    """Arm A stands on the left about as often as on the right."""
    drafts = drafts_of([("A", 0, 0.5, True), ("B", 0, 0.5, True)])
    chance = random.Random(7)
    lefts = [pair[0].arm for _ in range(400) if (pair := choose_pair(pool_of(drafts, [], "m"), chance))]
    assert 160 < lefts.count("A") < 240


def test_of_many_pictures_the_best_take_part() -> None:
    """Nobody is asked about the hundredth of an arm."""
    drafts = [
        replace(draft, score=k / 100) for k, draft in enumerate(drafts_of([("A", 0, None, True)] * 100))
    ]
    (row,) = pool_of(drafts, [], "mara").rows.values()
    assert [draft.score for draft in row] == [k / 100 for k in range(99, 99 - BEST_OF_CELL, -1)]


def test_similar_pictures_meet_last_and_the_same_picture_in_two_arms_never() -> None:
    """Nor is such a pair counted among those that are wanted."""
    groups = {"c-0": "c-0", "c-1": "c-0", "c-2": "c-2", "c-3": "c-2", "c-4": "c-4"}
    drafts = [
        replace(
            draft,
            standing=Standing(
                "survivor",
                draft.candidate_id,
                duplicate_kind="near" if draft.candidate_id == "c-1" else None,
                similar_cluster=groups[draft.candidate_id],
            ),
        )
        for draft in drafts_of([(arm, 0, 0.5, True) for arm in "ABAAB"])
    ]

    met = [{vote.left_id, vote.right_id} for vote in judge_all(drafts, "mara", [])]

    assert {"c-0", "c-1"} not in met
    assert met[-1] == {"c-2", "c-3"}, "one arm made them: they are only similar"
    assert len(met) == 9
    assert pool_of(drafts[:2], [], "mara").n_wanted == 0


def test_two_people_have_orders_of_their_own_and_meet_now_and_then() -> None:
    """Of equal pairs they begin with others; each fourth duel is about a pair that the other one judged."""
    drafts = drafts_of([(arm, 0, 0.5, True) for arm in "AB" for _ in range(6)])
    mara = judge_all(drafts, "mara", [])
    alone = judge_all(drafts, "jo", [])
    assert [_pair(one) for one in mara[:6]] != [_pair(one) for one in alone[:6]]
    beside = [one for one in judge_all(drafts, "jo", mara[:12]) if one.voter == "jo"]
    judged_first = {_pair(one) for one in mara[:12]}
    assert [_pair(one) in judged_first for one in (beside[3], beside[7])] == [True, True]


def test_a_skipped_pair_does_not_come_again_and_counts_nowhere() -> None:
    """It is neither progress nor a meeting, and its pictures still meet others."""
    drafts = drafts_of([("A", 0, 0.5, True), ("B", 0, 0.5, True), ("B", 0, 0.5, True)])
    skip = Vote("v-0", RUN_ID, 0, "c-0", "c-1", "skip", "mara", NOON)
    pool = pool_of(drafts, [skip], "mara")
    assert (pool.n_done, len(pool.judged), pool.meetings) == (0, 1, {})
    later = judge_all(drafts, "mara", [skip])[1:]
    assert {_pair(one) for one in later} == {frozenset(("c-0", "c-2")), frozenset(("c-1", "c-2"))}


def _pair(vote: Vote) -> frozenset[str]:
    return frozenset((vote.left_id, vote.right_id))
