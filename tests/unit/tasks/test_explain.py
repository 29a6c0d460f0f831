"""Explaining: for any picture, why it was chosen or was not, with everything that bears on it."""

from dataclasses import replace
from typing import Any

import pytest

from flows.evaluation.drafts import SelectionRule
from tasks.campaign import Campaign
from tasks.candidate import Candidate, Choice, Fidelity, Inspection, Score, Standing
from tasks.errors import RunError
from tasks.explain import Explanation, Rule, explain, find_candidate
from tasks.select import select
from tests.support.draft_builders import a_draft

CAMPAIGN: dict[str, Any] = {
    "name": "otters", "provider": "emulator", "budget": {"per_run_usd": 1},
    "arms": {"A": {"prompt": "an otter"}, "B": {"prompt": "a heron"}},
    "drafts": {"model": "gpt-image-2"}, "finals": {"model": "gpt-image-2"},
    "score": {"weights": {"technical": 1, "judge": 3}},
    "finalists": {"count": 2, "max_per_arm": 1, "min_score": 0.5, "approval": "auto"},
}  # fmt: skip


def a_pool() -> list[Candidate]:
    """Make the best and second of A, the best of B, a poor one, a copy, and one that is no picture."""
    values = {"c-best": 0.9, "c-second": 0.8, "c-heron": 0.7, "c-poor": 0.2}
    prints = {"c-best": "0" * 16, "c-second": "f" * 16, "c-heron": "0f" * 8, "c-poor": "3c" * 8}
    drafts = [
        a_draft(
            name,
            phash=prints[name],
            arm="B" if name == "c-heron" else "A",
            file=f"drafts/{name[2:]}.png",
            score=value,
            scores={
                "technical": Score(value, "soft", {"sharpness": 0.4}, "2"),
                "judge": Score(None, "refused"),
            },
        )
        for name, value in values.items()
    ]
    near = Standing("duplicate", "c-best", "c-best", "near", 3)
    copy = replace(drafts[0], candidate_id="c-copy", file="drafts/copy.png", standing=near)
    unfit = a_draft("c-unfit", inspection=Inspection(fault="cut off"), standing=Standing("unfit", None))
    pool = [*drafts, copy, unfit]
    rules = Campaign.model_validate(CAMPAIGN)
    choices = select(pool, SelectionRule.of(rules, pool))
    return [replace(one, choice=choices[one.candidate_id]) for one in pool]


def explained(name: str) -> Explanation:
    """Explain one of the pool."""
    pool = a_pool()
    return explain(find_candidate(pool, name), pool, Campaign.model_validate(CAMPAIGN))


def broken(found: Explanation) -> list[str]:
    """Name the rules that it does not meet."""
    return [rule.name for rule in found.rules if rule.holds is False]


def test_a_finalist_meets_every_rule() -> None:
    """Chosen, ranked, with its copy named and its scores with raw figures and weights."""
    found = explained("c-best")
    assert (found.is_chosen, found.rank, found.survivors, found.copies) == (True, 1, 4, ("c-copy",))
    assert broken(found) == []
    technical = next(score for score in found.scores if score.scorer == "technical")
    assert (technical.value, technical.weight, technical.share) == (0.9, 1, 1.0)
    assert (technical.reason, technical.measurements, technical.version) == ("soft", {"sharpness": 0.4}, "2")


def test_a_scorer_that_did_not_answer_has_no_share() -> None:
    """Null is shown as null, with its reason, and weighs nothing."""
    judge = next(score for score in explained("c-best").scores if score.scorer == "judge")
    assert (judge.value, judge.weight, judge.share, judge.reason) == (None, 3, 0.0, "refused")


def test_the_rule_that_kept_a_picture_out_is_named() -> None:
    """The arm's cap and the full list for the second of A; the least score as well for the poor one."""
    assert explained("c-second").reason == "not chosen: arm A already has 1 finalist"
    assert broken(explained("c-second")) == ["count", "max_per_arm"]
    assert broken(explained("c-poor")) == ["min_score", "count", "max_per_arm"]


def test_a_copy_is_told_of_whom_and_how_far() -> None:
    """A copy is not ranked; its leader, kind and distance stand in one sentence."""
    found = explained("c-copy")
    assert (found.is_chosen, found.rank) == (False, None)
    assert found.standing == "a near-duplicate of c-best, 3 bits away"
    assert broken(found)[0] == "deduplicate"
    assert Rule("spread", "similar to no finalist", "not compared", None) in found.rules


def test_an_unfit_picture_is_told_its_fault() -> None:
    """What is no picture can be explained too; what cannot be measured is neither kept nor broken."""
    found = explained("c-unfit")
    assert found.standing == "cannot be shown: cut off"
    assert found.reason == "not ranked: cannot be shown (cut off)"
    assert next(rule.holds for rule in found.rules if rule.name == "spread") is None


def test_a_final_is_explained_by_its_fidelity() -> None:
    """How near it is to its draft, and whether that was enough."""
    final = a_draft(
        "c-final", stage="final", standing=None, draft_id="c-best", is_accepted=False,
        fidelity=Fidelity(0.61, 0.6, 12, 0.7),
    )  # fmt: skip
    found = explain(final, [*a_pool(), final], Campaign.model_validate(CAMPAIGN))
    assert found.reason == "not faithful: fidelity 0.61 to the draft c-best"
    assert found.is_chosen is False
    assert found.rules == ()


@pytest.mark.parametrize("word", ["c-heron", "c-her", "heron", "heron.png", "drafts/heron.png"])
def test_a_picture_is_found_by_whatever_people_call_it(word: str) -> None:
    """Its id, the beginning of it, or its file's name."""
    assert find_candidate(a_pool(), word).candidate_id == "c-heron"


@pytest.mark.parametrize(("word", "what"), [("otter", "has no such picture"), ("c-", "no such picture")])
def test_a_picture_that_is_not_there_is_a_clear_error(word: str, what: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(RunError, match=what):
        find_candidate(a_pool(), word)


def test_an_ambiguous_beginning_names_those_it_may_be() -> None:
    """Two ids begin alike: both are named."""
    pool = [a_draft("c-1234a"), a_draft("c-1234b")]
    with pytest.raises(RunError, match="any of c-1234a, c-1234b"):
        find_candidate(pool, "c-1234")


def test_the_spread_is_explained_by_the_campaigns_own_hash() -> None:
    """The same hash that duplicates and finalists were decided by."""
    best, other = (
        a_draft(
            name, score=0.9, inspection=Inspection(phash=phash, dhash=dhash), choice=Choice(rank, True, "")
        )
        for name, rank, phash, dhash in (("c-1", 1, "0" * 16, "0" * 16), ("c-2", 2, "f" * 16, "0" * 15 + "1"))
    )
    campaign = Campaign.model_validate(CAMPAIGN | {"deduplicate": {"hash": "dhash", "radius_bits": 6}})
    (spread,) = (rule for rule in explain(other, [best, other], campaign).rules if rule.name == "spread")
    assert (spread.found, spread.holds) == ("1 bit from c-1, the nearest", False)
