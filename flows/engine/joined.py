"""The homes' servers that this process uses: its threads share one, as Prefect has one address a process."""

from flows.engine.registry import Registry, is_alive

_JOINED: dict[str, Registry] = {}
"""The registries by the servers' addresses."""


def note_joined(api_url: str, registry: Registry) -> None:
    """Note that this process uses a home's server.

    Args:
        api_url: Its address.
        registry: The home's.
    """
    _JOINED[api_url] = registry


def joined_at(api_url: str) -> Registry | None:
    """Return the registry of the server at an address, if it is a home's that this process uses and it runs.

    Whoever else in this process uses that server becomes a client of its own there: a server ends with its
    last client, which need not be the one that started it.

    Args:
        api_url: The address.
    """
    registry = _JOINED.get(api_url)
    if registry is None:
        return None
    runs = any(server.api_url == api_url and is_alive(server.pid) for server in registry.records())
    return registry if runs else None
