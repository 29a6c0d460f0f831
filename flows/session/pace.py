"""The pace that was found for an account, for a plan: how long its drafts take, and why.

Only a ledger in the home is asked, as a database elsewhere may be slow or away. None is made, and one that
cannot be read, or a key that is missing, is no fault of a plan's.
"""

from dataclasses import replace

from flows.session.prepare import Prepared
from tasks.catalogue.providers import AUTO
from tasks.errors import RunoffError


def with_found_pace(prepared: Prepared) -> Prepared:
    """Plan by the limit that was found for the account, if it is to be found and was."""
    plan, settings = prepared.plan, prepared.settings
    is_found_out = plan.images_per_minute == AUTO and prepared.terms.base_url is not None
    if not is_found_out or not (prepared.home / "ledger.db").exists():
        return prepared
    from tasks.images_api.rate_limiter.limiter import allowance_of, found_limit_in  # slow to load
    from tasks.ledger import open_existing_ledger
    from tasks.ledger.database import LEDGER_VARIABLE

    if LEDGER_VARIABLE in settings.environ:
        return prepared
    try:
        with open_existing_ledger(prepared.home, settings.environ) as ledger:
            found = found_limit_in(ledger.allowances.read(allowance_of(prepared.terms)))
    except RunoffError:
        return prepared
    if found is None:
        return prepared
    share = prepared.terms.provider.surely_per_minute / found
    drafts_s = plan.drafts_s if plan.campaign.drafts.lane == "batch" else plan.drafts_s * share
    note = f"pace: {found:g} pictures a minute, as found for this account."
    planned = replace(
        plan,
        drafts_s=drafts_s,
        finals_s=plan.finals_s * share,
        notes=(*plan.notes, note),
        found_per_minute=found,
    )
    return replace(prepared, plan=planned)
