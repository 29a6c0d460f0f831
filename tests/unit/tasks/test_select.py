"""Choosing finalists: limits hold, order does not matter, and every draft has a reason."""

import random
from collections import Counter
from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tasks.ab_test.winners import Winner, Winners
from tasks.campaign.row_groups import RowGroups
from tasks.candidate import Candidate, Inspection, Standing
from tasks.select import groups_without_finalist, keep_bought, select
from tests.support.choosing import POOLS, FinalistRule
from tests.support.draft_builders import a_draft

LIMIT = st.none() | st.integers(1, 3)
EACH_ROW = RowGroups("per_row", 1, {0: "row 1", 1: "row 2", 2: "row 3"})
PAIRED = RowGroups("per.kind", 2, {0: "kind a", 1: "kind a"})
GROUPS = st.sampled_from([(), (EACH_ROW,), (PAIRED,), (EACH_ROW, PAIRED)])
RULES = st.builds(
    FinalistRule,
    count=st.none() | st.integers(0, 6),
    max_per_arm=LIMIT,
    max_per_prompt=LIMIT,
    min_score=st.none() | st.sampled_from([0.2, 0.5]),
    radius_bits=st.none() | st.integers(0, 8),
    row_groups=GROUPS,
)


def _finalists(pool: list[Candidate], rule: FinalistRule) -> list[Candidate]:
    choices = select(pool, rule)
    return [draft for draft in pool if choices[draft.candidate_id].is_finalist]


def _bits(one: Candidate, other: Candidate) -> int | None:
    assert one.inspection
    assert other.inspection
    if one.inspection.phash is None or other.inspection.phash is None:
        return None
    return bin(int(one.inspection.phash, 16) ^ int(other.inspection.phash, 16)).count("1")


@given(POOLS, RULES)
def test_no_limit_is_ever_passed(pool: list[Candidate], rule: FinalistRule) -> None:
    """Count, caps, minimum score and spread hold together, and only survivors are chosen."""
    chosen = _finalists(pool, rule)
    assert rule.count is None or len(chosen) <= rule.count
    for groups in rule.row_groups:
        of_group = Counter(groups.group_of[one.row] for one in chosen if one.row in groups.group_of)
        assert not of_group or max(of_group.values()) <= groups.most
    for draft in chosen:
        assert draft.standing
        assert draft.standing.status == "survivor"
        assert rule.min_score is None or (draft.score is not None and draft.score >= rule.min_score)
        arm_mates = [other for other in chosen if other.arm == draft.arm]
        assert rule.max_per_arm is None or len(arm_mates) <= rule.max_per_arm
        prompt_mates = [other for other in arm_mates if other.row == draft.row]
        assert rule.max_per_prompt is None or len(prompt_mates) <= rule.max_per_prompt
    for one, other in combinations(chosen, 2):
        bits = _bits(one, other)
        assert rule.radius_bits is None or bits is None or bits > rule.radius_bits


@given(POOLS, RULES, st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_changes_nothing(
    pool: list[Candidate], rule: FinalistRule, dice: random.Random
) -> None:
    """A shuffled pool gives the same choices, word for word."""
    shuffled = list(pool)
    dice.shuffle(shuffled)
    assert select(shuffled, rule) == select(pool, rule)


@given(POOLS, RULES)
def test_a_place_stays_empty_only_when_nobody_could_take_it(
    pool: list[Candidate], rule: FinalistRule
) -> None:
    """Each survivor that was left out would break a limit if it were added."""
    chosen = _finalists(pool, rule)
    choices = select(pool, rule)
    for draft in pool:
        choice = choices[draft.candidate_id]
        has_place = rule.count is None or len(chosen) < rule.count
        if choice.rank is not None and not choice.is_finalist and has_place:
            too_poor = rule.min_score is not None and (draft.score is None or draft.score < rule.min_score)
            arm_is_full = rule.max_per_arm == sum(other.arm == draft.arm for other in chosen)
            prompt = (draft.arm, draft.row)
            prompt_is_full = rule.max_per_prompt == sum((other.arm, other.row) == prompt for other in chosen)
            distances = [_bits(draft, other) for other in chosen]
            is_alike = any(bits is not None and bits <= (rule.radius_bits or 0) for bits in distances)
            group_is_full = any(
                groups.most
                == sum(groups.group_of.get(other.row) == groups.group_of[draft.row] for other in chosen)
                for groups in rule.row_groups
                if draft.row in groups.group_of
            )
            is_close = rule.radius_bits is not None and is_alike
            assert too_poor or arm_is_full or prompt_is_full or group_is_full or is_close


@given(POOLS, RULES)
def test_ranks_are_one_to_n_best_first(pool: list[Candidate], rule: FinalistRule) -> None:
    """Survivors share the ranks 1..n; a better score never ranks behind, and no score ranks last."""
    choices = select(pool, rule)
    ranks = {draft.candidate_id: choices[draft.candidate_id].rank for draft in pool}
    ranked = sorted((rank, name) for name, rank in ranks.items() if rank is not None)
    assert [rank for rank, _ in ranked] == list(range(1, len(ranked) + 1))
    scores = {draft.candidate_id: draft.score for draft in pool}
    in_order = [-1.0 if scores[name] is None else scores[name] for _, name in ranked]
    assert in_order == sorted(in_order, reverse=True)  # type: ignore[type-var]


def test_every_reason_says_what_decided() -> None:
    """One pool in which each limit strikes once; the words are those a person reads."""
    pool = [
        a_draft("c-1", score=0.91, phash="0" * 16),
        a_draft("c-2", score=0.90, replicate=1, phash="f" * 16),
        a_draft("c-3", score=0.85, replicate=2, phash="5" * 16),
        a_draft("c-4", score=0.80, arm="B", phash="0" * 15 + "3"),
        a_draft("c-5", score=0.70, arm="B", replicate=1, phash="a5" * 8),
        a_draft("c-6", score=0.60, arm="C", phash="3" * 16),
        a_draft("c-7", score=0.31, arm="C", row=1, phash="9" * 16),
        a_draft("c-8", arm="C", row=2, phash="6" * 16),
    ]
    rule = FinalistRule(count=3, max_per_arm=2, min_score=0.4, radius_bits=6)
    reasons = {name: choice.reason for name, choice in select(pool, rule).items()}
    assert reasons == {
        "c-1": "chosen: rank 1, best of arm A, score 0.91",
        "c-2": "chosen: rank 2, arm A, score 0.90",
        "c-3": "not chosen: arm A already has 2 finalists",
        "c-4": "not chosen: within 2 bits of finalist c-1",
        "c-5": "chosen: rank 5, arm B, score 0.70",
        "c-6": "not chosen: rank 6, and 3 finalists were asked for",
        "c-7": "not chosen: score 0.31 is below min_score 0.40",
        "c-8": "not chosen: it has no score, and min_score is 0.40",
    }


def test_a_score_just_below_the_minimum_is_not_rounded_onto_it() -> None:
    """The reason never says that 0.40 is below 0.40."""
    choice = select([a_draft(score=0.3996)], FinalistRule(min_score=0.4))["c-a"]
    assert choice.reason == "not chosen: score 0.3996 is below min_score 0.4000"


def test_one_prompt_can_be_kept_from_filling_the_finals() -> None:
    """`max_per_prompt` counts one arm and one row together."""
    pool = [
        a_draft("c-1", score=0.9),
        a_draft("c-2", score=0.8, replicate=1),
        a_draft("c-3", score=0.7, row=1),
    ]
    choices = select(pool, FinalistRule(max_per_prompt=1))
    assert [choices[name].is_finalist for name in ("c-1", "c-2", "c-3")] == [True, False, True]
    assert choices["c-2"].reason == "not chosen: arm A, row 1 already has 1 finalist"


def test_unscored_drafts_still_reach_the_finals_when_no_minimum_is_set() -> None:
    """A run without scorers picks in the order of arm, row and replicate."""
    choices = select([a_draft("c-2", replicate=1), a_draft("c-1")], FinalistRule(count=1))
    assert choices["c-1"].reason == "chosen: rank 1, best of arm A, not scored"
    assert choices["c-1"].chosen_by == "rule"
    assert choices["c-2"].chosen_by is None


def test_a_downgraded_finalist_says_so() -> None:
    """A picture that is not what was ordered may be chosen, with the difference in the reason."""
    choice = select([a_draft(score=0.5, downgraded="1024x1024 asked, 512x512 came")], FinalistRule())["c-a"]
    assert choice.is_finalist
    assert choice.reason.endswith("; not as ordered: 1024x1024 asked, 512x512 came")


def test_copies_and_unfit_pictures_have_no_rank_but_a_reason() -> None:
    """What cannot be chosen says why, and finals are passed over."""
    pool = [
        a_draft("c-1", standing=Standing("duplicate", "c-0", "c-0", "near", 3)),
        a_draft("c-2", standing=Standing("unfit", None), inspection=Inspection(fault="truncated PNG")),
        a_draft("c-3", standing=None),
        replace(a_draft("c-4"), stage="final"),
    ]
    choices = select(pool, FinalistRule())
    assert {name: (choice.rank, choice.reason) for name, choice in choices.items()} == {
        "c-1": (None, "not ranked: a near-duplicate of c-0"),
        "c-2": (None, "not ranked: cannot be shown (truncated PNG)"),
        "c-3": (None, "not ranked: not yet compared with the others"),
    }


@given(POOLS, RULES, st.data())
def test_drafts_that_were_bought_keep_their_places(
    pool: list[Candidate], rule: FinalistRule, data: st.DataObject
) -> None:
    """Whatever the scores say now, they stay finalists, and nobody joins who would make them too many."""
    names = [draft.candidate_id for draft in pool]
    bought = set(data.draw(st.lists(st.sampled_from(names), max_size=rule.count) if names else st.just([])))
    choices = select(pool, rule)
    kept = keep_bought(choices, pool, bought, rule)
    chosen = {name for name, choice in kept.items() if choice.is_finalist}
    assert bought <= chosen
    assert rule.count is None or len(chosen) <= max(rule.count, len(bought))
    for groups in rule.row_groups:
        of_group = Counter(groups.group_of.get(one.row) for one in pool if one.candidate_id in chosen)
        before = Counter(groups.group_of.get(one.row) for one in pool if one.candidate_id in bought)
        assert all(n <= max(groups.most, before[name]) for name, n in of_group.items() if name)
    assert chosen - bought <= {name for name, choice in choices.items() if choice.is_finalist}
    assert {name: choice.rank for name, choice in kept.items()} == {
        name: choice.rank for name, choice in choices.items()
    }
    if not bought:
        assert kept == choices


def test_the_spread_is_measured_by_the_campaigns_own_hash() -> None:
    """Two pictures far apart by one hash and alike by the other are both chosen, or not, by the one named."""
    first = Inspection(phash="0" * 16, dhash="0" * 16)
    second = Inspection(phash="f" * 16, dhash="0" * 15 + "1")
    pool = [a_draft("c-1", score=0.9, inspection=first), a_draft("c-2", score=0.8, inspection=second)]
    rule = FinalistRule(radius_bits=6)
    assert len(_finalists(pool, replace(rule, hash="phash"))) == 2
    assert len(_finalists(pool, replace(rule, hash="dhash"))) == 1
    assert (
        select(pool, replace(rule, hash="dhash"))["c-2"].reason == "not chosen: within 1 bit of finalist c-1"
    )


def test_the_best_of_each_row_is_chosen_whichever_arm_and_a_row_without_one_is_named() -> None:
    """A row gets its own best picture though another row has several better ones."""
    pool = [
        a_draft("c-1", arm="A", row=0, score=0.9),
        a_draft("c-2", arm="B", row=0, score=0.8),
        a_draft("c-3", arm="B", row=1, score=0.5),
        a_draft("c-4", arm="A", row=1, score=0.4),
        a_draft("c-5", arm="A", row=2, score=0.2),
    ]
    rule = FinalistRule(count=None, row_groups=(EACH_ROW,), min_score=0.3)
    choices = select(pool, rule)
    assert [name for name, choice in choices.items() if choice.is_finalist] == ["c-1", "c-3"]
    assert choices["c-2"].reason == "not chosen: row 1 already has 1 finalist"
    chosen = [replace(draft, choice=choices[draft.candidate_id]) for draft in pool]
    assert groups_without_finalist(chosen, rule.row_groups) == {
        "row 3": "its best picture is not chosen: score 0.20 is below min_score 0.30"
    }
    assert groups_without_finalist(chosen[:4], rule.row_groups) == {"row 3": "no picture"}


def test_finalists_are_of_the_arm_that_won_and_of_all_where_none_did() -> None:
    """In a row whose segment has a winner, of that; the reason says which arm won, or that none did."""
    pool = [
        a_draft(f"c-{arm}{row}", arm=arm, row=row, score=0.9 if arm == "A" else 0.8)
        for row in range(2)
        for arm in "AB"
    ]
    winners = Winners("A", {}, {1: Winner("B", 'for kind "places"')})
    choices = select(pool, FinalistRule(winners=winners))
    assert [name for name, choice in choices.items() if choice.is_finalist] == ["c-A0", "c-B1"]
    assert choices["c-B0"].reason == "not chosen: finalists are of the arm that won, A"
    assert choices["c-A1"].reason == 'not chosen: finalists are of the arm that won for kind "places", B'
    undecided = select(pool, FinalistRule(winners=Winners(None)))
    assert all(choice.is_finalist for choice in undecided.values())
    assert undecided["c-A0"].reason.endswith("score 0.90; no arm won, so all count")


def test_a_row_without_a_picture_of_the_arm_that_won_has_no_finalist_and_says_why() -> None:
    """``per_row`` leaves its place empty; it is not given to the arm that lost."""
    pool = [a_draft("c-A0", score=0.5), a_draft("c-B1", arm="B", row=1, score=0.9)]
    rule = FinalistRule(winners=Winners("A"), row_groups=(EACH_ROW,))
    chosen = [
        replace(one, choice=choice) for one, choice in zip(pool, select(pool, rule).values(), strict=True)
    ]
    assert groups_without_finalist(chosen, (RowGroups("per_row", 1, {0: "row 1", 1: "row 2"}),)) == {
        "row 2": "its best picture is not chosen: finalists are of the arm that won, A"
    }


def test_a_draft_whose_final_was_bought_stays_a_finalist_whichever_arm_wins_now() -> None:
    """A resumed run buys no other instead."""
    pool = [a_draft("c-A", score=0.9), a_draft("c-B", arm="B", score=0.8)]
    rule = FinalistRule(count=1, winners=Winners("B"))
    kept = keep_bought(select(pool, rule), pool, ["c-A"], rule)
    assert [name for name, choice in kept.items() if choice.is_finalist] == ["c-A"]
