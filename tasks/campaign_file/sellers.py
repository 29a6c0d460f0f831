"""The checks of who sells what: the providers of arms and finals, and what each of them can do."""

from collections.abc import Iterator, Mapping

from tasks.campaign import Campaign
from tasks.campaign.choice import Duel, Judge, PanelJudge, Score
from tasks.campaign_file.fault import CampaignFault
from tasks.campaign_file.finals import edition_path
from tasks.catalogue.providers import Provider, Providers
from tasks.errors import SettingError

Path = tuple[str, ...]


def seller_faults(campaign: Campaign, providers: Providers) -> Iterator[CampaignFault]:
    """Find providers that there are not, and what a batch cannot have: more than one, or limits of arms.

    Args:
        campaign: A well-formed campaign.
        providers: The known providers.
    """
    for path, name in _named(campaign).items():
        try:
            providers.provider(name)
        except SettingError as error:
            yield CampaignFault(path, error.what, error.accepted)
    if campaign.drafts.lane != "batch":
        return
    if len(campaign.draft_sellers) > 1:
        what = f"a batch is bought at one provider, and the arms have {len(campaign.draft_sellers)}"
        yield CampaignFault(("drafts", "lane"), what, "interactive, or the same provider for all arms")
    for name, arm in campaign.arms.items():
        if arm.budget_usd is not None:
            what = "an arm's own limit does not hold in a batch"
            accepted = "leave it out, or drafts.lane: interactive"
            yield CampaignFault(("arms", name, "budget_usd"), what, accepted)


def asked_at(score: Score) -> Mapping[Path, Judge | Duel | PanelJudge]:
    """Map the place of each judging model in the file to its settings."""
    sections: dict[Path, Judge | Duel | PanelJudge | None] = {
        ("score", "judge"): score.judge,
        ("score", "duel"): score.duel,
    }
    for index, one in enumerate(score.panel.judges if score.panel else ()):
        sections["score", "panel", "judges", str(index)] = one
    return {path: section for path, section in sections.items() if section is not None}


def _named(campaign: Campaign) -> Mapping[Path, str]:
    named: dict[Path, str | None] = {("provider",): campaign.provider}
    for name, arm in campaign.arms.items():
        named["arms", name, "provider"] = arm.provider
    for index, edition in enumerate(campaign.editions):
        named[(*edition_path(campaign, index), "provider")] = edition.provider
    for path, section in asked_at(campaign.score).items():
        named[(*path, "provider")] = section.provider
    return {path: name for path, name in named.items() if name is not None}


def edit_faults(campaign: Campaign, providers: Providers) -> Iterator[CampaignFault]:
    """Find what a provider cannot do: edits, or as many pictures in a request as are asked for.

    Args:
        campaign: A well-formed campaign.
        providers: The known providers; what an unknown one can do is not checked.
    """
    for name, arm in campaign.arms.items():
        provider = providers.by_name.get(campaign.provider_of(name))
        if provider is None:
            continue
        if not provider.capabilities.edits and campaign.references_of(name):
            path: Path = ("references",) if arm.provider is None else ("arms", name, "provider")
            yield CampaignFault(path, f"{provider.name} does not edit pictures", "no references")
        yield from _count_faults(campaign, provider)
        own = campaign.arms[name].drafts
        is_own = own is not None and own.format is not None
        place: Path = ("arms", name, "drafts") if is_own else ("drafts",)
        yield from _format_faults((*place, "format"), campaign.drafts_of(name).format, provider)
        if campaign.mask_of(name) is not None:
            yield from _mask_faults(
                ("mask",) if campaign.arms[name].mask is None else ("arms", name, "mask"), provider
            )
    for index, edition in enumerate(campaign.editions):
        provider = providers.by_name.get(campaign.final_provider(edition))
        is_edited = edition.method == "edit" and campaign.finalists.most != 0
        if provider is not None and not provider.capabilities.edits and is_edited:
            path = (*edition_path(campaign, index), "method")
            yield CampaignFault(path, f"{provider.name} does not edit pictures", "generate")
        if provider is not None:
            yield from _format_faults((*edition_path(campaign, index), "format"), edition.format, provider)
        if provider is not None and edition.mask is not None:
            yield from _mask_faults((*edition_path(campaign, index), "mask"), provider)


def _format_faults(path: Path, picture_format: str, provider: Provider) -> Iterator[CampaignFault]:
    if provider.kind == "azure" and picture_format == "webp":
        yield CampaignFault(path, f"{provider.name} makes no webp: its kind is azure", "png, jpeg")


def _mask_faults(path: Path, provider: Provider) -> Iterator[CampaignFault]:
    if provider.kind not in ("openai", "azure"):
        what = f"{provider.name} takes no mask: its kind is {provider.kind}"
        yield CampaignFault(path, what, "no mask, or a provider of the kind openai")


def _count_faults(campaign: Campaign, provider: Provider) -> Iterator[CampaignFault]:
    n, can = campaign.drafts.images_per_request, provider.capabilities
    path = ("drafts", "images_per_request")
    if n > 1 and provider.kind in ("chat-images", "gemini", "predictions"):
        what = f"{n} pictures cannot be asked for at once of {provider.name}: its kind is {provider.kind}"
        yield CampaignFault(path, what, "1")
        return
    if n > can.max_n:
        what = f"{n} is more than {provider.name} makes per request"
        yield CampaignFault(path, what, f"at most {can.max_n}")
        return
    own = campaign.images_per_minute if provider.name == campaign.provider else None
    per_minute = own or provider.images_per_minute
    if isinstance(per_minute, int) and n > per_minute:
        what = f"{n} is more than the limit of images per minute at {provider.name}"
        yield CampaignFault(path, what, f"at most {per_minute}")
