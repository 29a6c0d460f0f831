"""Checks the provider: its key, its address, and whether it answers."""

from collections.abc import Iterator

from tasks.catalogue.providers import AUTO
from tasks.diagnostics.finding import Finding, State
from tasks.errors import SettingError
from tasks.images_api.models_endpoint import ModelsAnswer, read_models
from tasks.images_api.provider_check import MAY_SELL, next_step
from tasks.images_api.terms import Terms


def check_key(terms: Terms, missing: State) -> Finding:
    """Check whether there is a key; the variable's name is shown, never the key.

    Args:
        terms: The provider's terms.
        missing: The finding's state when there is none.
    """
    variable = terms.provider.key_variable
    if variable is None:
        return Finding("key", "ok", f"{terms.provider.name} needs none")
    try:
        _ = terms.api_key
    except SettingError as error:
        if terms.environ.get(variable, "").strip():  # there is one, and it cannot be used
            return Finding.of("key", error)
        state = "is empty" if variable in terms.environ else "is not set"
        return Finding("key", missing, f"{variable} {state}", error.next_step)
    return Finding("key", "ok", f"{variable} is set")


def check_address(terms: Terms) -> Finding:
    """Report where requests would go, and which setting says so."""
    provider = terms.provider
    try:
        url = terms.base_url
    except SettingError as error:
        return Finding.of("address", error)
    if url is None:
        return Finding("address", "ok", f"{provider.name} runs in this process")
    variable = provider.base_url_variable
    is_set = bool(variable and terms.environ.get(variable, "").strip())
    address = provider.address(terms.environ)
    instead = (
        ", whose user and password are sent in place of a key" if address and address.credentials else ""
    )
    return Finding("address", "ok", f"{url}, from {variable if is_set else 'providers.yaml'}{instead}")


def check_network(terms: Terms) -> Finding:
    """Check what requests need besides key and address: proxies, certificates, headers and parameters."""
    try:
        if terms.base_url is not None:
            terms.check()
    except SettingError as error:
        return Finding.of("network", error)
    return Finding("network", "ok", "proxies, certificates and headers can be used")


def check_abilities(terms: Terms) -> Finding:
    """Report what the provider supports; a campaign that needs more is not accepted."""
    provider, can = terms.provider, terms.provider.capabilities
    abilities = {
        "edits with references and masks": can.edits,
        "the Batch lane": can.batch,
        "streaming": can.streaming,
    }
    able = ["pictures from text", *(name for name, is_there in abilities.items() if is_there)]
    unable = [name for name, is_there in abilities.items() if not is_there]
    if can.max_n > 1:
        able.append(f"up to {can.max_n} pictures per request")
    else:
        unable.append("more than one picture per request")
    prices = "its own prices" if provider.prices is not None else "the catalogue's prices"
    stated = provider.images_per_minute
    rate = "the account's rate limit" if stated == AUTO else f"{stated} images per minute"
    limits = f"{rate}, {provider.concurrency} concurrent requests, {prices}"
    without = f"; not: {', '.join(unable)}" if unable else ""
    return Finding("abilities", "ok", f"{', '.join(able)}{without}; {limits}")


def ask(terms: Terms) -> ModelsAnswer | None:
    """Read the provider's list of models; ``None`` without an address or a key."""
    try:
        return None if terms.base_url is None else read_models(terms)
    except SettingError:
        return None


def check_answer(terms: Terms, answer: ModelsAnswer | None) -> Iterator[Finding]:
    """Report the result of requesting the list of models."""
    if answer is None:
        return
    if answer.kind == "ok":
        what = f"answers, and lists {len(answer.shutdown_dates):,} models"
        yield Finding("endpoint", "ok", what)
        return
    state: State = "warning" if answer.kind in MAY_SELL else "fault"
    yield Finding("endpoint", state, answer.what, ": ".join(filter(None, next_step(terms, answer))))
