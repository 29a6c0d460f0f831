"""A run is prepared once: what was shown is what is bought, and the provider is asked for its models once."""

import pytest

from tests.support.provider import OpenProvider, Provider
from tests.support.shell import Shell


def n_looks_at_models(provider: Provider) -> int:
    """Count how often the provider's list of models was asked for."""
    return sum(entry["path"].endswith("/models") for entry in provider.bill()["entries"])


@pytest.mark.slow
def test_a_run_and_a_promotion_ask_for_the_models_once_each(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Pricing asks nobody; each command that buys asks once."""
    provider = open_provider()
    file = shell.campaign({"finalists": {"count": 1, "approval": "review"}})
    shell.json("plan", file)
    assert n_looks_at_models(provider) == 0
    assert shell.json("run", file)["state"] == "awaiting review"
    assert n_looks_at_models(provider) == 1
    assert shell.json("promote")["state"] == "done"
    assert n_looks_at_models(provider) == 2
