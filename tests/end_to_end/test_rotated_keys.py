"""A key that is replaced: what was bought with the old one is kept, and nothing is bought twice."""

from collections import Counter
from decimal import Decimal

from tests.support.provider import OpenProvider
from tests.support.shell import Shell

DRAFTS_ONLY = {"finalists": {"count": 0}}
NEW_KEY = "sk-the-new-key-0123456789"
N_ORDERS, N_BEFORE = 12, 5


def test_a_key_that_is_revoked_in_the_middle_of_a_run_loses_nothing(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The run stops with one message; what came back unpaid is planned, and is sent with the new key."""
    revoked = {"kind": "invalid_key", "path": "generations", "nth": tuple(range(N_BEFORE + 1, 100))}
    before = open_provider(revoked)
    stopped = shell.runoff("run", shell.campaign(DRAFTS_ONLY))
    assert stopped.returncode == 1
    assert stopped.stderr.count("Set a valid key") == 1
    assert "runoff run --resume" in stopped.stderr
    (listed,) = shell.json("runs")
    assert listed["state"] == "stopped"
    assert Counter(listed["orders"]) == {"received": N_BEFORE, "planned": N_ORDERS - N_BEFORE}
    assert Decimal(listed["spent_usd"]) == Decimal(before.charged_nanousd) / 10**9
    after = open_provider(api_key=NEW_KEY)
    resumed = shell.runoff("run", "--resume", "latest", OPENAI_API_KEY=NEW_KEY)
    assert resumed.returncode == 0, resumed.stderr
    (listed,) = shell.json("runs")
    assert (listed["state"], listed["orders"]) == ("done", {"received": N_ORDERS})
    charged = before.charged_nanousd + after.charged_nanousd
    assert Decimal(listed["spent_usd"]) == Decimal(charged) / 10**9
    paid = [entry for entry in (*before.orders(), *after.orders()) if entry["charged_nanousd"]]
    assert len({entry["client_request_id"] for entry in paid}) == len(paid) == N_ORDERS
