"""Making room in a ledger's home: losing drafts of old runs go, everything that somebody wanted stays."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.command_line import runoff
from flows.runs.pruning import Old, find_prunable, prune
from tasks.candidate import Choice, Receipt
from tasks.ledger import Ledger, Limits, Settlement
from tasks.ledger.schema import candidates
from tasks.order import Order
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.ledgers import open_ledger

LATER = NOON + timedelta(days=40)
A_MONTH = timedelta(days=30)


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A ledger with a run that was done at noon."""
    opened = open_ledger(home)
    opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    yield opened
    opened.close()


def buy(ledger: Ledger, home: Path, orders: Sequence[Order]) -> list[str]:
    """Buy orders and put their pictures on the disk; returns the candidates' ids."""
    ledger.orders.plan(orders)
    names = []
    for order in orders:
        file = f"{order.stage}s/{order.file_stem()}.png"
        path = home / "otters" / RUN_ID / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.encode())
        receipt = Receipt(order.order_id, 0, order.replicate, file, sha256_of(path), len(file), None)
        ledger.orders.send(order, Limits(), NOON)
        ledger.orders.settle(order.order_id, Settlement("received", is_charged=True), [receipt])
        names.append(receipt.candidate_id)
    return names


def sha256_of(path: Path) -> str:
    """Hash a file."""
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_only_losing_drafts_of_old_runs_go(ledger: Ledger, home: Path) -> None:
    """What was chosen, ticked, liked or bought again stays; so do all rows, and the proof holds."""
    chosen, ticked, liked, promoted, lost, unchosen = buy(ledger, home, [an_order(n) for n in range(6)])
    with ledger.database.write() as connection:
        is_liked = candidates.update().where(candidates.c.candidate_id == liked)
        connection.execute(is_liked.values(is_liked=True))
    buy(ledger, home, [replace(an_order(9), stage="final", draft_id=promoted)])
    ledger.candidates.record_choices(
        {
            chosen: Choice(is_finalist=True, rank=1, reason="best"),
            lost: Choice(is_finalist=False, rank=None, reason="worse"),
        }
    )
    ledger.shortlists.choose(RUN_ID, [ticked], after=0, by="mara", now=NOON)
    assert find_prunable(ledger, home, Old(LATER)) == []  # it still runs
    ledger.runs.end(RUN_ID, "done", NOON)
    assert find_prunable(ledger, home, Old(NOON)) == []  # it is not old
    (found,) = find_prunable(ledger, home, Old(LATER))
    assert (found.run_id, found.n_pictures) == (RUN_ID, 2)
    assert found.n_bytes == sum(len(f"drafts/A-000-00{n}.png") for n in (4, 5))
    prune(ledger, home, LATER, Old(LATER))
    drafts = {draft.candidate_id: draft for draft in ledger.candidates.of_run(RUN_ID, "draft")}
    assert {name for name, draft in drafts.items() if draft.is_pruned} == {lost, unchosen}
    files = sorted(path.name for path in (home / "otters" / RUN_ID / "drafts").iterdir())
    assert files == [Path(drafts[name].file).name for name in (chosen, ticked, liked, promoted)]
    assert ledger.verify(home) == []
    assert find_prunable(ledger, home, Old(LATER)) == []


def test_the_command_shows_first_and_drops_only_when_told(
    tmp_path: Path,
) -> None:
    """Without a terminal nothing is dropped without --yes; half a question is a usage error."""
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        (name,) = buy(ledger, tmp_path, [an_order()])
        ledger.runs.end(RUN_ID, "done", NOON - A_MONTH * 20)
    where = ["--home", str(tmp_path)]
    ask = ["runs", "--prune", "--older-than", "30d", *where]
    shown = CliRunner().invoke(runoff, ask)
    assert RUN_ID in shown.output
    assert "Nothing was deleted" in shown.output
    with open_ledger(tmp_path) as ledger:
        assert not ledger.candidates.of_run(RUN_ID)[0].is_pruned
    told = json.loads(CliRunner().invoke(runoff, [*ask, "--yes", "--json"]).stdout)
    assert told["is_dropped"]
    assert [run["n_pictures"] for run in told["runs"]] == [1]
    with open_ledger(tmp_path) as ledger:
        assert [c.candidate_id for c in ledger.candidates.of_run(RUN_ID) if c.is_pruned] == [name]
    assert "nothing to delete" in CliRunner().invoke(runoff, [*ask, "--yes"]).output
    for words in (["--older-than", "30d"], ["--yes"], ["--prune", "--older-than", "a month"]):
        assert CliRunner().invoke(runoff, ["runs", *words, *where]).exit_code == 2
