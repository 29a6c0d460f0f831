"""A key that is replaced: what was bought with the old one is kept, and nothing is bought twice."""

import asyncio
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

from flows.session.composition import limits_of
from flows.session.prepare import Prepared, prepare
from flows.session.session import open_session
from flows.workers.worker import Bought, Job, buy
from tasks.secret_files import for_children
from tasks.settings import Settings
from tests.support.provider import OpenProvider
from tests.support.shell import Shell

DRAFTS_ONLY = {"finalists": {"count": 0}}
NEW_KEY = "sk-the-new-key-0123456789"
RUN_ID = "20261122-120000-abcd"
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


def test_a_worker_takes_a_key_that_was_replaced_in_its_file_with_its_next_batch(
    shell: Shell, open_provider: OpenProvider, tmp_path: Path
) -> None:
    """Its process was started with the old one, which `python -m runoff.with_secrets` had put into it."""
    provider = open_provider(api_key=NEW_KEY)
    key = tmp_path / "key"
    key.write_text("sk-the-old-key-0123456789")
    given = {name: value for name, value in shell.environ.items() if name != "OPENAI_API_KEY"}
    with patch.dict(os.environ, for_children(given | {"OPENAI_API_KEY_FILE": str(key)}), clear=True):
        prepared = prepare(shell.campaign(DRAFTS_ONLY), Settings.of(shell.home, os.environ), RUN_ID)
        key.write_text(NEW_KEY)
        bought = asyncio.run(buy_at_a_worker(prepared))
    assert bought.stop is None
    assert [end.state for end in bought.ends] == ["received"] * N_ORDERS
    assert provider.n_requests == N_ORDERS


async def buy_at_a_worker(prepared: Prepared) -> Bought:
    """Do what a worker does with a batch, while this process holds the run's lock."""
    async with open_session(prepared) as run:
        terms = prepared.terms
        job = Job(
            token="t",
            run_id=run.run_id,
            home=str(prepared.home),
            campaign=run.campaign,
            providers=prepared.providers,
            addresses={name: terms.at(name).base_url for name in run.campaign.sellers},
            catalogue=prepared.catalogue,
            limits=limits_of(prepared),
        )
        return await asyncio.to_thread(buy, job, run.planned("draft"), lambda: True)
