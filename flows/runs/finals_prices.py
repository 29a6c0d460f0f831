"""What finals of a run cost, in dollars: of all its drafts, and of the finalists that have none yet."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from tasks.attachments.references import ReferenceFaultError
from tasks.campaign import Campaign
from tasks.candidate import Candidate
from tasks.catalogue import Catalogue
from tasks.catalogue.estimates import Estimates
from tasks.catalogue.providers import Providers
from tasks.errors import RunoffError
from tasks.orders.drafts import draft_prompts
from tasks.orders.finals_costs import plan_finals_cost


def all_high_usd(
    campaign: Campaign, candidates: Sequence[Candidate], catalogue: Catalogue, providers: Providers
) -> Decimal | None:
    """Price the received drafts with the settings of finals: the low end, a cautious comparison."""
    finals = campaign.editions[0]
    parameters = finals.parameters(n=1, is_edit=False)
    prompts = Counter(candidate.prompt for candidate in candidates if candidate.is_draft)
    try:
        model, provider = catalogue.model(finals.model), providers.provider(campaign.final_provider(finals))
        prices = {text: model.estimate_usd(parameters, text, provider=provider).low_usd for text in prompts}
    except RunoffError:
        return None
    return sum((n * prices[text] for text, n in prompts.items()), Decimal(0)) if prompts else None


def open_finals_usd(
    campaign: Campaign, candidates: Sequence[Candidate], catalogue: Catalogue, providers: Providers
) -> Decimal | None:
    """Price the finals that are still to be bought, one for each finalist and edition without one.

    Returns:
        Dollars, 0 when all are bought; ``None`` when none is bought or to be, or one cannot be priced.
    """
    chosen = [draft for draft in candidates if draft.is_draft and draft.is_finalist]
    bought = {final.draft_id for final in candidates if final.is_final}
    if not chosen and not bought:
        return None
    open_finalists = [draft for draft in chosen if draft.candidate_id not in bought]
    if not open_finalists:
        return Decimal(0)
    try:
        estimates = Estimates(catalogue, providers.provider(campaign.provider), providers)
        priced = plan_finals_cost(campaign, draft_prompts(campaign), estimates)
    except (RunoffError, ReferenceFaultError):
        return None
    return priced.low_usd / priced.finalists * len(open_finalists) if priced.finalists else None
