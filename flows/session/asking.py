"""Asks a run's provider, before anything is started or written: is it there, and until when are its models?

A provider that certainly sells nothing now, to this key, is an error here and not minutes later. A scheduled
run tries one that cannot be reached again for a while, since nobody is there to start it anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from flows.session.begun_orders import left_orders
from flows.session.prepare import Prepared, plan_again, prepare, prepared_before
from flows.session.taken_up import prepare_again
from tasks.campaign.succession import EVERY_PART, Part, heed_announced
from tasks.errors import ProviderAwayError
from tasks.ledger import has_ledger, open_existing_ledger
from tasks.settings import Settings

SCHEDULED_WAITS_S = (15.0, 30.0, 60.0, 120.0, 240.0, 435.0)
"""How long a scheduled run waits before each further attempt: a quarter of an hour in all."""


def ask_provider(prepared: Prepared, *, is_needed: bool = True) -> Prepared:
    """Ask each provider for its models, for a few seconds at most, and plan by their shutdown dates.

    Without a list of models the catalogue's dates are used, and the note says so. Spends and writes nothing.

    Args:
        prepared: The prepared run.
        is_needed: Something is to be bought, so a provider that certainly sells nothing is an error.

    Raises:
        ProviderError: The provider is needed, and is not there or sells nothing to this key.
        CatalogueError: A model is retired according to the provider and has no successor.
        SettingError: The provider's key is missing.
        BudgetError: The budget is below the least that the run can cost with successors.
    """
    for name in prepared.campaign.sellers:
        prepared = _ask_seller(prepared, name, is_needed=is_needed)
    return prepared


def _ask_seller(prepared: Prepared, name: str, *, is_needed: bool) -> Prepared:
    """Ask one of the providers."""
    seller = prepared.terms.at(name)
    if seller.base_url is None:
        return prepared
    from tasks.images_api.models_endpoint import read_models  # loading the HTTP client takes a moment
    from tasks.images_api.provider_check import require_provider

    answer = read_models(seller)
    if is_needed:
        require_provider(seller, answer)
    if answer.what:
        note = f"{answer.what}; using the catalogue's shutdown dates."
        return replace(prepared, note=" ".join(filter(None, (prepared.note, note))))
    catalogue, warnings = heed_announced(prepared.requested, prepared.catalogue, answer.announced)
    if not warnings:
        return prepared
    terms = replace(prepared.terms, catalogue=catalogue)
    prepared = plan_again(replace(prepared, catalogue=catalogue, terms=terms))
    return replace(prepared, plan=replace(prepared.plan, warnings=(*warnings, *prepared.plan.warnings)))


def has_orders_left(prepared: Prepared) -> bool:
    """Return whether a run still has something to send or to fetch; a new one always has."""
    settings = prepared.settings
    if not has_ledger(settings.home, settings.environ):
        return True
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        if all(run.run_id != prepared.run_id for run in ledger.runs.all()):
            return True
        return bool(ledger.batches.open_of(prepared.run_id) or left_orders(prepared, ledger))


def prepare_to_buy(
    campaign_file: Path, settings: Settings, run_id: str, needed: frozenset[Part] = EVERY_PART
) -> Prepared:
    """Return what ``with_prepared`` set for the run; otherwise prepare it and ask its provider.

    Args:
        campaign_file: The campaign file.
        settings: The home and the environment.
        run_id: The run.
        needed: The parts of which something will be bought; models of the others may be retired.

    Raises:
        RunoffError: See ``prepare``, ``prepare_again`` and ``ask_provider``.
    """
    if (before := prepared_before(settings, run_id)) is not None:
        return before
    if needed == EVERY_PART:
        prepared = prepare_again(campaign_file, settings, run_id)
        return ask_provider(prepared, is_needed=has_orders_left(prepared))
    return ask_provider(prepare(campaign_file, settings, run_id, needed=needed))


async def prepare_scheduled(
    campaign_file: Path,
    settings: Settings,
    run_id: str,
    say: Callable[[str], None],
    waits_s: Sequence[float] = SCHEDULED_WAITS_S,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Prepared:
    """Do as ``prepare_to_buy`` for a run that nobody watches: try a provider that is away again.

    Args:
        campaign_file: The campaign file.
        settings: The home and the environment.
        run_id: The run.
        say: Told of each failed attempt, and until when it is tried.
        waits_s: How long to wait before each further attempt, seconds.
        sleep: Waits that many seconds.

    Raises:
        RunoffError: As ``prepare_to_buy``; a provider that is away only after the last attempt.
    """
    until = datetime.now().astimezone() + timedelta(seconds=sum(waits_s))
    for wait_s in waits_s:
        try:
            return await asyncio.to_thread(prepare_to_buy, campaign_file, settings, run_id)
        except ProviderAwayError as error:
            again = f"Tried again in {wait_s:g} s, until {until:%H:%M} at the latest."
            say(f"{error.where}: {error.what}. {again}")
        await sleep(wait_s)
    return await asyncio.to_thread(prepare_to_buy, campaign_file, settings, run_id)
