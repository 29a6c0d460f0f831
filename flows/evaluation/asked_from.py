"""What a run's pictures were asked from, for its report: the models of each stage, and each arm's settings.

Where a model was shut down in the middle of the run, its successor is named beside it.
"""

from collections.abc import Sequence

from tasks.campaign import Campaign
from tasks.ledger import OrderRecord
from tasks.report_page.facts import ArmFacts


def arm_facts(campaign: Campaign, records: Sequence[OrderRecord]) -> dict[str, ArmFacts]:
    """Describe the arms, by name in the campaign's order.

    Args:
        campaign: The campaign as it runs.
        records: The run's orders.
    """
    drafts = [record for record in records if record.order.is_draft]
    return {
        name: ArmFacts(
            prompt=arm.prompt,
            parameters=campaign.drafts_of(name).parameters(
                n=campaign.drafts.images_per_request, is_edit=bool(campaign.references_of(name))
            )
            | _model([record for record in drafts if record.order.arm == name]),
            provider=campaign.provider_of(name) if len(campaign.sellers) > 1 else "",
        )
        for name, arm in campaign.arms.items()
    }


def models_by_stage(campaign: Campaign, records: Sequence[OrderRecord]) -> dict[str, str]:
    """Name the models by stage: those that were asked, or else those that the campaign names.

    Args:
        campaign: The campaign as it runs.
        records: The run's orders.
    """
    models = {"draft": [campaign.drafts.model], "final": [edition.model for edition in campaign.editions]}
    for stage in models:
        sent = _model([record for record in records if record.order.stage == stage])
        models[stage] = list(sent.values()) or models[stage]
    asked = {"judge": campaign.score.judge, "duel": campaign.score.duel}
    if judges := [one.model for name, one in asked.items() if one and name in campaign.score.weights]:
        models["judge"] = judges
    return {stage: ", ".join(dict.fromkeys(names)) for stage, names in models.items()}


def _model(records: Sequence[OrderRecord]) -> dict[str, str]:
    """Return the parameter ``model`` with every model that was asked; empty while nothing was sent."""
    asked = [record.order.parameters["model"] for record in records if record.state != "planned"]
    return {"model": ", ".join(map(str, dict.fromkeys(asked)))} if asked else {}
