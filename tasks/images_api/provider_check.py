"""Decides from a provider's answer whether a run may start, and says what to do where it may not.

Only what certainly keeps the provider from selling stops a run: many gateways have no list of models, and
many keys may not read it.
"""

from tasks.errors import ProviderAwayError, ProviderError
from tasks.images_api.models_endpoint import AnswerKind, ModelsAnswer
from tasks.images_api.terms import Terms

MAY_SELL: tuple[AnswerKind, ...] = ("ok", "no_list", "trouble")
AWAY: tuple[AnswerKind, ...] = ("no_network", "no_answer")
"""What may pass by itself."""

_ACCEPTED: dict[AnswerKind, str] = {
    "bad_key": "a valid key of your account at {name}",
    "wrong_address": "the address of the API",
    "untrusted": "a certificate of an authority that this machine trusts",
}
_NEXT_STEPS: dict[AnswerKind, str] = {
    "no_list": "Nothing to do if pictures arrive; if none do, check the address in {setting}",
    "trouble": "Try again later, or look at the provider's status page",
    "bad_key": "Set a valid key",
    "no_access": "Check at the provider what the key and the account may do",
    "firewall": "A firewall refuses this machine: try another network, or ask those who run it to let this"
    " machine in",
    "wrong_address": "Give the address up to and including /v1",
    "untrusted": "If the address is right, trust its authority by a PEM file that holds it",
    "proxy_refuses": "Put user and password into the proxy's address, or sign in to the network",
    "no_network": "Check the network, and the address in {setting}",
    "no_answer": "Try again; if it stays silent, check the address in {setting}, proxies and firewalls",
}


def require_provider(terms: Terms, answer: ModelsAnswer) -> None:
    """Stop before anything is started if the provider certainly sells nothing now.

    Args:
        terms: The provider's terms.
        answer: What it answered.

    Raises:
        ProviderAwayError: It cannot be reached, which may pass by itself.
        ProviderError: It is there, or something in its place, and sells nothing to this key.
    """
    if answer.kind in MAY_SELL:
        return
    error = ProviderAwayError if answer.kind in AWAY else ProviderError
    name = terms.provider.name
    step, command = next_step(terms, answer)
    commands = [*filter(None, [command]), f"runoff doctor --provider {name}"]
    raise error(
        where=f"provider {name}",
        what=answer.what,
        accepted=_ACCEPTED.get(answer.kind, "").format(name=name),
        next_step="\n  ".join([f"{step}, then look again:", *commands]),
    )


def next_step(terms: Terms, answer: ModelsAnswer) -> tuple[str, str]:
    """Say what to do about an answer without a list: a sentence, and a command if there is one."""
    step = _NEXT_STEPS.get(answer.kind, "").format(setting=terms.address_setting)
    key, address = terms.provider.key_variable, terms.provider.base_url_variable
    commands: dict[AnswerKind, str] = {"untrusted": "export SSL_CERT_FILE=…"}
    if key:
        commands["bad_key"] = f"export {key}=…"
    if address:
        commands["wrong_address"] = f"export {address}={answer.better_url or '…'}"
    elif answer.kind == "wrong_address":
        step = f"{step} in {terms.address_setting}"
    return step, commands.get(answer.kind, "")
