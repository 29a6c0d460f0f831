"""A later round of a run with factors: arms of new levels, or of a combination, beside arms of before.

The arms of before are made again in the same round, so that the new ones are compared with them as they are
that day: what has changed since the first round is the same for all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.campaign.best_campaign import arm_of, name_of
from tasks.campaign.campaign import Campaign
from tasks.campaign.factors import AddedRound, Combination, Factors, LevelText

NewLevels = Mapping[str, Mapping[str, LevelText | Mapping[str, Any]]]
"""By factor: the names of new levels, each with its text or settings, as a campaign file has them."""


def hosts_of(campaign: Campaign, factor: str, going_on: Sequence[str] | None) -> tuple[str, ...]:
    """List the arms into which a new level of a factor is put, and beside which the new ones are made.

    Args:
        campaign: The campaign.
        factor: The factor.
        going_on: The arms that went on to the last round, where weak ones were dropped; ``None`` otherwise:
            then they are the arms with the factor's baseline.
    """
    baseline = campaign.levels_by_factor[factor][0]
    return tuple(
        name
        for name, levels in campaign.levels_by_arm.items()
        if (name in going_on if going_on is not None else levels[factor] == baseline)
    )


def with_new_levels(campaign: Campaign, new: NewLevels, beside: Mapping[str, Sequence[str]]) -> Campaign:
    """Add levels to a run's campaign, and arms that have them; the round itself is added by ``with_round``.

    Args:
        campaign: The campaign as the run stored it.
        new: The new levels by factor.
        beside: By factor, the arms into which they are put.
    """
    data = campaign.model_dump(mode="json", exclude_unset=True)
    factors = data["factors"]
    for factor, levels in new.items():
        known = factors["levels"][factor]
        if not isinstance(known, dict):
            assert campaign.factors is not None
            names = campaign.factors.named_levels[factor]
            known = {name: level.text for name, level in names.items()}
        factors["levels"][factor] = {**known, **{name: _plain(level) for name, level in levels.items()}}
    whole = Factors.model_validate(factors)
    by_arm = campaign.levels_by_arm
    combinations = [
        {**by_arm[host], factor: name}
        for factor, levels in new.items()
        for name in levels
        for host in beside[factor]
    ]
    data["arms"] |= {name_of(each): arm_of(campaign, whole, each) for each in _distinct(combinations)}
    return Campaign.model_validate(data)


def with_combination(campaign: Campaign, levels: Combination) -> Campaign:
    """Add the arm of a combination of levels to a run's campaign; unchanged if it has one."""
    if levels in campaign.levels_by_arm.values():
        return campaign
    assert campaign.factors is not None
    data = campaign.model_dump(mode="json", exclude_unset=True)
    data["arms"][name_of(levels)] = arm_of(campaign, campaign.factors, levels)
    return Campaign.model_validate(data)


def with_round(
    before: Campaign, campaign: Campaign, beside: Sequence[str], added: Mapping[str, Any]
) -> Campaign:
    """Add a round of the arms that a campaign has and had not before, and of others beside them.

    Args:
        before: The campaign as the run stored it.
        campaign: The same with new arms.
        beside: The arms of before that are made again.
        added: The other fields of ``AddedRound``.
    """
    new = tuple(name for name in campaign.arms if name not in before.arms)
    one = AddedRound(arms=new, beside=tuple(dict.fromkeys(beside)), **added)
    data = campaign.model_dump(mode="json", exclude_unset=True)
    rounds = [each.model_dump(mode="json") for each in (*before.added_rounds, one)]
    return Campaign.model_validate({**data, "factors": {**data["factors"], "added": rounds}})


def _plain(level: LevelText | Mapping[str, Any]) -> Any:  # noqa: ANN401 - as a campaign file has it
    return dict(level) if isinstance(level, Mapping) else level


def _distinct(combinations: Sequence[Combination]) -> list[Combination]:
    return list({tuple(each.items()): each for each in combinations}.values())
