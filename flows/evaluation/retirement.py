"""Retirement by rule: an arm that lost over all nights is left out of later runs. Reads, and writes nothing.

A run's own file names the arms that it was made without, with their definition. So a resumed run keeps its
arms, reports still show the race, and the next run finds who is out, though its evidence is old by then: an
arm that lost on the morning somebody looked has lost. It comes back by ``verdict.keep``, without the rule, or
when something else is ordered for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from flows.evaluation.nights import arms_by_content, compare_nights_of_campaign, with_retired
from flows.runs.run import StoredRun
from tasks.campaign import Campaign
from tasks.campaign.cheapest import with_cheapest
from tasks.campaign.succession import with_successors
from tasks.campaign.verdict import RetiredArm
from tasks.catalogue import Catalogue
from tasks.catalogue.providers import Provider, Providers
from tasks.errors import CatalogueError, RunoffError
from tasks.ledger import Ledger, has_ledger, open_existing_ledger
from tasks.settings import Settings

Retired = Mapping[str, RetiredArm]


@dataclass(frozen=True, slots=True)
class Market:
    """What models there are, so that arms of today can be told from those of earlier runs.

    Args:
        catalogue: Models and prices.
        provider: The campaign's provider.
        today: Today's date (UTC).
        providers: All providers, where arms have their own.
    """

    catalogue: Catalogue
    provider: Provider
    today: date
    providers: Providers | None = None

    def resolve(self, campaign: Campaign) -> Campaign:
        """Replace retired models by their successors, and ``cheapest`` by a model, as a run's file has them.

        Raises:
            CatalogueError: There is none.
        """
        chosen, _ = with_cheapest(campaign, self.catalogue, self.provider, self.today, self.providers)
        return with_successors(chosen, self.catalogue, self.today)[0]


def without_retired(campaign: Campaign, settings: Settings, run_id: str, market: Market) -> Campaign:
    """Return a campaign without the arms that lost, for a run that has not begun; otherwise as it is.

    Args:
        campaign: The campaign as in its file.
        settings: The home and the environment.
        run_id: The run to be made.
        market: What models there are.
    """
    is_ruled = campaign.verdict.retire_when == "beaten"
    if not is_ruled or len(campaign.arms) < 2 or not has_ledger(settings.home, settings.environ):
        return campaign
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        if ledger.runs.is_known(run_id):
            return campaign
        try:
            retired = _find_retired(market.resolve(campaign), settings, ledger, run_id)
        except CatalogueError:  # planning says so, where the arm can be named
            return campaign
    kept = {name: arm for name, arm in campaign.arms.items() if name not in retired}
    if not retired or not kept:
        return campaign
    verdict = campaign.verdict.model_copy(update={"retired": {**campaign.verdict.retired, **retired}})
    reduced = campaign.model_copy(update={"arms": kept, "verdict": verdict})
    return reduced.with_notes([*campaign.notes, *(_note(name, one) for name, one in retired.items())])


def as_asked_for(campaign: Campaign) -> Campaign:
    """Return a campaign whose arms were named for one run: who has retired is decided by other runs."""
    if campaign.verdict.retire_when is None:
        return campaign
    return campaign.model_copy(update={"verdict": campaign.verdict.model_copy(update={"retire_when": None})})


def _find_retired(campaign: Campaign, settings: Settings, ledger: Ledger, run_id: str) -> Retired:
    out = dict(_retired_before(campaign, settings, ledger))
    verdict = campaign.verdict.model_copy(update={"retired": out})
    arms = {name: arm for name, arm in campaign.arms.items() if name not in out}
    in_race = campaign.model_copy(update={"arms": arms, "verdict": verdict})
    found = compare_nights_of_campaign(settings, ledger, in_race)
    for name, why in found.retiring.items() if found else ():
        out[name] = RetiredArm(since=run_id, why=why, arm=campaign.arms[name])
    return out


def _retired_before(campaign: Campaign, settings: Settings, ledger: Ledger) -> Retired:
    """Find the arms that the last run under the rule was made without, as far as they are still the same."""
    names = {content: name for name, content in arms_by_content(campaign).items()}
    for record in ledger.runs.all():
        if record.campaign != campaign.name:
            continue
        try:
            last = StoredRun(settings, ledger, record).campaign
        except RunoffError:  # its file is gone or no longer valid
            continue
        if last.verdict.retire_when is None:
            continue
        contents = arms_by_content(with_retired(last))
        same = {names.get(contents[name]): one for name, one in last.verdict.retired.items()}
        return {name: one for name, one in same.items() if name and name not in campaign.verdict.keep}
    return {}


def _note(name: str, one: RetiredArm) -> str:
    return (
        f"Arm {name} is retired and not bought: {one.why}. To buy it again: verdict: {{keep: [{name}]}},"
        f" or --only-arm {name} for one run."
    )
