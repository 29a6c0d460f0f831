"""Rounds that added arms to a run: which arms and replicates are whose, and the file that has them."""

from typing import Any

import pytest

from tasks.campaign import Campaign
from tasks.campaign.added_round import hosts_of, with_combination, with_new_levels, with_round
from tasks.marked_yaml import read_yaml
from tests.support.planning import campaign

FACTORS: dict[str, Any] = {
    "prompt": "{{ light }} {{ lens }}",
    "levels": {
        "light": ["soft light", "hard light"],
        "lens": {"wide": "24 mm", "tele": {"size": "1024x640"}},
    },
    "exclude": [{"light": "hard-light", "lens": "tele"}],
}


def a_campaign(**drafts: Any) -> Campaign:
    """Make a campaign of three arms of two factors; the fourth combination was left out."""
    changes = {"drafts": {"model": "gpt-image-1-mini", **drafts}} if drafts else {}
    return Campaign.model_validate(
        campaign().model_dump(mode="json", exclude_unset=True) | {"arms": None, "factors": FACTORS} | changes
    )


def with_neon(before: Campaign, key: str = "a-1") -> Campaign:
    """Add a level beside the arms of the baseline."""
    hosts = hosts_of(before, "light", None)
    after = with_new_levels(before, {"light": {"neon": "neon light"}}, {"light": hosts})
    return with_round(before, after, hosts, {"first_replicate": 8, "replicates": 2, "key": key})


def test_new_arms_are_made_beside_those_of_the_baseline() -> None:
    """They differ from these in the new level only; the first round keeps its arms."""
    before = a_campaign()
    after = with_neon(before)
    assert hosts_of(before, "light", None) == ("soft-light_wide", "soft-light_tele")
    assert hosts_of(before, "light", ["hard-light_wide"]) == ("hard-light_wide",)
    assert after.first_arms == tuple(before.arms)
    assert [name for name in after.arms if name not in before.arms] == ["neon_wide", "neon_tele"]
    assert after.arms["neon_tele"].prompt == "neon light tele"
    assert after.drafts_of("neon_tele").size == "1024x640"
    assert after.levels_by_factor["light"] == ["soft-light", "hard-light", "neon"]
    first, added = after.planned_passes
    assert first.arms == tuple(before.arms)
    assert set(added.arms) == {"neon_wide", "neon_tele", "soft-light_wide", "soft-light_tele"}
    assert (added.first_replicate, added.replicates) == (8, 2)
    assert [after.added_round_of(replicate) for replicate in (0, 7, 8, 9)] == [0, 0, 1, 1]


def test_a_later_round_is_told_from_the_one_before() -> None:
    """By its first replicate; the rounds of weak arms are planned by the first arms alone."""
    after = with_neon(a_campaign(per_prompt=6, allocation="halving"))
    assert after.rounds == a_campaign(per_prompt=6, allocation="halving").rounds
    twice = with_round(after, after, ["neon_wide"], {"first_replicate": 10, "replicates": 1, "key": "b-1"})
    assert [twice.added_round_of(replicate) for replicate in (9, 10)] == [1, 2]
    assert twice.first_arms == after.first_arms


def test_a_combination_that_was_left_out_gets_its_arm_once() -> None:
    """One that was made has one already."""
    before = a_campaign()
    best = {"light": "hard-light", "lens": "tele"}
    after = with_combination(before, best)
    assert after.arms["hard-light_tele"].levels == best
    assert after.drafts_of("hard-light_tele").size == "1024x640"
    assert with_combination(after, best) == after


@pytest.mark.parametrize("allocation", ["fixed", "halving"])
def test_the_runs_own_file_reads_as_it_was_written(allocation: str) -> None:
    """And does not grow the arms that the new level could have besides."""
    after = with_neon(a_campaign(per_prompt=4, allocation=allocation))
    again = Campaign.model_validate(read_yaml(after.as_yaml()).data)
    assert again == after
    assert again.planned_passes == after.planned_passes
