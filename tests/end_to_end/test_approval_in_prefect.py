"""``approval: prefect``: a real server shows a form, and what is answered there is bought, once."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.approval.approval import FORM_LIFETIME_S
from tasks.money import format_usd
from tests.support.approval_drive import BOB_CONFIRMS
from tests.support.provider import OpenProvider
from tests.support.shell import Shell

ASKING = {
    "finalists": {"count": 2, "approval": "prefect"},
    "schedule": {"cron": "0 6 * * *"},
}
YES = {"approve": "yes", "decided_by": "Ann"}
ROOT = Path(__file__).parents[2]
N_DRAFTS = 12


def drive(shell: Shell, *flow_runs: Sequence[Sequence[object]]) -> list[list[dict[str, Any]]]:
    """Let the campaign's deployment run, each time with rounds of answers to its forms."""
    campaign = str(shell.campaign(ASKING))
    words = [
        sys.executable,
        "-m",
        "tests.support.approval_drive",
        campaign,
        str(shell.home),
        json.dumps(flow_runs),
    ]
    done = subprocess.run(
        words, env=shell.environ, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    seen: list[list[dict[str, Any]]] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.mark.slow  # every day: forms and answers at the ledger, in integration/test_approval.py
def test_an_answer_in_prefect_is_bought_once(shell: Shell, open_provider: OpenProvider) -> None:
    """What was not offered is refused, a dearer list is asked about again; then two finals, and no third."""
    provider = open_provider()
    cheap = YES | {"most_usd": "0.001"}
    unfit = [YES | {"finalists": ["Z-9-9"]}, YES | {"decided_by": ""}, {"approve": "yes"}]
    ((asked, again, done, over),) = drive(shell, [[*unfit, cheap], [YES, YES], [YES]])
    assert (asked["type"], asked["name"]) == ("PAUSED", "Awaiting review")
    days = (datetime.fromisoformat(asked["expires"]) - datetime.now(UTC)).days
    assert days == FORM_LIFETIME_S // (24 * 3600) - 1
    assert [reply["code"] for reply in again["replies"]] == [200, 200, 200, 201]
    assert [reply["status"] for reply in again["replies"]] == ["REJECT"] * 3 + ["ACCEPT"]
    fields = again["schema"]["properties"]
    with shell.ledger() as ledger:
        (run,) = ledger.runs.all()
        drafts = {d.name: d for d in ledger.candidates.of_run(run.run_id, "draft")}
        last = ledger.shortlists.last(run.run_id)
    offered = fields["finalists"]["items"]["enum"]
    assert fields["finalists"]["default"] == offered[:2]
    assert set(offered) <= set(drafts)
    assert f"[Open the report]({shell.folder(run.run_id).as_uri()}/report.html)" in again["told"]
    assert f"![{offered[0]}](data:image/" in again["told"]
    assert f"**{offered[0]}** · rank 1 · score {drafts[offered[0]].score:.2f} · at most $" in again["told"]
    price = fields["most_usd"]["default"]
    assert f"at most {format_usd(Decimal(price))} if the next attempts are accepted" in again["told"]

    assert again["type"] == "PAUSED"
    assert done["told"].startswith(f"**Not accepted: this can cost {format_usd(Decimal(price))}, and $0.001")
    assert [reply["status"] for reply in done["replies"]] == ["ACCEPT", "ABORT"]
    assert done["type"] == "COMPLETED", done
    assert [reply["status"] for reply in over["replies"]] == ["ABORT"]
    assert run.state == "done"
    assert last is not None
    assert (last.chosen_by, last.confirmed_by) == ("Ann, in Prefect", "Ann, in Prefect")
    assert list(last.candidate_ids) == [drafts[name].candidate_id for name in offered[:2]]
    assert provider.n_requests == N_DRAFTS + 2


@pytest.mark.long  # among the slow tests: an answer in Prefect is bought once
def test_no_ends_the_run_and_who_confirmed_on_the_page_is_not_overruled(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Whose word it was is written down and said; in neither case is anything bought."""
    provider = open_provider()
    (_, no), (_, late) = drive(shell, [[YES | {"approve": "no"}]], [[BOB_CONFIRMS, YES]])
    with shell.ledger() as ledger:
        confirmed_late, said_no = ledger.runs.all()
        last = ledger.shortlists.last(said_no.run_id)
    assert no["type"] == "COMPLETED"
    assert said_no.state == "done"
    assert last is not None
    assert (last.candidate_ids, last.confirmed_by) == ((), "Ann, in Prefect")
    assert (late["type"], late["name"]) == ("COMPLETED", "Decided before")
    assert "already confirmed, by Bob at" in late["message"]
    assert confirmed_late.state == "awaiting review"
    assert provider.n_requests == 2 * N_DRAFTS


@pytest.mark.slow
def test_without_a_deployment_it_is_said_where_to_review(shell: Shell, open_provider: OpenProvider) -> None:
    """`runoff run` ends as with `approval: review`."""
    open_provider()
    outcome = shell.json("run", shell.campaign(ASKING))
    assert outcome["state"] == "awaiting review"
    assert outcome["exit_code"] == 0
    assert "runoff serve" in outcome["message"]
    assert "runoff promote" in outcome["message"]
