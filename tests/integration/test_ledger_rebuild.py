"""A lost ledger, read back from sidecars and pictures: what was paid is known again."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from flows.commands.buy import DEMO
from flows.runs.ledger_backups import make_backup
from flows.session.prepare import prepare
from flows.session.rebuilding import rebuild
from tasks.catalogue import configs_folder
from tasks.errors import LedgerError
from tasks.images_api.answers import Answer
from tasks.images_api.picture_files import store_answer, store_end
from tasks.ledger import Ledger, Limits, OrderRecord, Settlement
from tasks.ledger.schema import budgets, candidates, metadata, orders
from tasks.order import Order, Reference, Usage
from tasks.settings import Settings
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.ledgers import open_ledger
from tests.support.paid_home import USAGE, buy

REFERENCE = Reference("/pictures/logo.png", "ab" * 32, 640, 480, "image/png")
QUESTION = an_order(
    0,
    stage="judge",
    endpoint="chat",
    prompt="Is it an otter?",
    parameters={"model": "gpt-6-luna", "temperature": 0.0},
    draft_id="c-1",
)
DRAFTS = [an_order(0), an_order(1, endpoint="edits", references=(REFERENCE,), mask=REFERENCE)]
FINAL = an_order(0, stage="final", attempt=1, edition="wide", draft_id="c-1", lane="batch")
LOST = an_order(7)
REFUSED = an_order(8)


def end(ledger: Ledger, folder: Path, order: Order, settlement: Settlement) -> None:
    """End an order without a picture, as the buyer does."""
    ledger.orders.plan([order])
    ledger.orders.send(order, Limits(), NOON)
    store_end(folder, order, settlement)
    ledger.orders.settle(order.order_id, settlement)


@pytest.fixture
def run(home: Path) -> Sequence[OrderRecord]:
    """A run of drafts, a final, a judge's question, and orders that brought nothing; its orders' records."""
    folder = home / "otters" / RUN_ID
    with open_ledger(home) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        buy(ledger, home, [*DRAFTS, FINAL], cost_usd=None)
        ledger.orders.plan([QUESTION])
        ledger.orders.send(QUESTION, Limits(), NOON)
        store_answer(folder, QUESTION, Answer((), Usage(), "req_2", "yes"), 1.0)
        received = Settlement("received", None, Usage(), 1.0, "req_2", is_charged=True)
        ledger.orders.settle(QUESTION.order_id, received, [], "yes")
        end(ledger, folder, LOST, Settlement("unknown", error_code="ReadTimeout", error_message="none came"))
        end(ledger, folder, REFUSED, Settlement("refused", error_code="moderation_blocked"))
        return ledger.orders.of_run(RUN_ID)


def settings_of(home: Path) -> Settings:
    """The settings of the test's environment."""
    return Settings.of(home, os.environ)


def lose(home: Path) -> None:
    """Lose the ledger: its file, or all the database's rows."""
    if "RUNOFF_LEDGER_URL" not in os.environ:
        (home / "ledger.db").unlink()
        return
    with open_ledger(home) as ledger, ledger.database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


def test_all_that_is_on_disk_is_read_back(home: Path, run: Sequence[OrderRecord]) -> None:
    """Requests, states, usage, pictures, answers: as they were; the month is that of the answers."""
    lose(home)
    rebuilt = rebuild(settings_of(home))
    assert rebuilt.unread == []
    assert [(one.run_id, one.n_orders) for one in rebuilt.runs] == [(RUN_ID, len(run))]
    with open_ledger(home) as ledger:
        again = {record.order.order_id: record for record in ledger.orders.of_run(RUN_ID)}
        for before in run:
            now = again[before.order.order_id]
            assert (now.order, now.state) == (before.order, before.state)
            assert now.settlement is not None
            assert before.settlement is not None
            assert now.settlement.usage == before.settlement.usage
            assert now.settlement.error_code == before.settlement.error_code
        assert again[LOST.order_id].charged_usd == LOST.estimate_usd
        assert again[REFUSED.order_id].charged_usd == 0
        assert again[DRAFTS[0].order_id].cost_usd is not None, "its usage has a price"
        assert [one.stage for one in ledger.candidates.of_run(RUN_ID)] == ["draft", "draft", "final"]
        assert ledger.answers.find([QUESTION.question]) == {QUESTION.question: "yes"}
        (found,) = ledger.runs.all()
        assert (found.state, found.campaign, found.provider) == ("stopped", "otters", "emulator")
        assert found.started_at == NOON
        assert "was read back from its files" in found.warnings[0]
        assert ledger.verify(home) == []
        ledger.require_fit_to_spend(home)


def test_what_is_known_stays_and_only_the_rest_is_added(home: Path, run: Sequence[OrderRecord]) -> None:
    """After a ledger was set back, the newer answers are added, once."""
    with open_ledger(home) as ledger:
        ledger.reconciliations.record([LOST.order_id], "unbilled", by="mara", now=NOON)
        before = ledger.orders.charged_usd(RUN_ID)
        newer = an_order(20)
        buy(ledger, home, [newer])
        with ledger.database.write() as connection:
            connection.execute(candidates.delete().where(candidates.c.order_id == newer.order_id))
            connection.execute(orders.delete().where(orders.c.order_id == newer.order_id))
        assert any("budget" in fault for fault in ledger.verify(home))
    (read,) = rebuild(settings_of(home)).runs
    assert read.n_orders == 1
    assert rebuild(settings_of(home)).runs == []
    with open_ledger(home) as ledger:
        assert ledger.verify(home) == []
        assert ledger.orders.charged_usd(RUN_ID) == before + read.charged_usd
        (lost,) = (one for one in ledger.orders.of_run(RUN_ID) if one.order == LOST)
        assert lost.state == "failed", "a person's verdict stays"
        assert lost.charged_usd == 0
        assert len(ledger.runs.all()[0].warnings) == 0
    assert len(run) + 1 == len(read_orders(home))


def read_orders(home: Path) -> list[OrderRecord]:
    """Read the run's orders."""
    with open_ledger(home) as ledger:
        return ledger.orders.of_run(RUN_ID)


def test_a_wrong_sum_is_added_up_again(home: Path, run: Sequence[OrderRecord]) -> None:
    """What verify finds and names this command for, is mended by it."""
    with open_ledger(home) as ledger, ledger.database.write() as connection:
        connection.execute(budgets.update().values(charged_nanousd=5))
    rebuild(settings_of(home))
    with open_ledger(home) as ledger:
        assert ledger.verify(home) == []
    assert run


def test_a_damaged_ledger_goes_aside(tmp_path: Path) -> None:
    """A new one takes its place, with what the files say; the damaged one stays for experts."""
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        buy(ledger, tmp_path, DRAFTS)
    (tmp_path / "ledger.db").write_bytes(b"noise" * 4000)
    rebuilt = rebuild(Settings.of(tmp_path, {}))
    assert rebuilt.before is not None
    assert rebuilt.before.read_bytes().startswith(b"noise")
    assert [one.n_orders for one in rebuilt.runs] == [2]


@pytest.mark.parametrize("loss", ["damaged", "missing", "empty"])
def test_a_backup_comes_first(tmp_path: Path, loss: str) -> None:
    """It knows more than the files; without it only on demand."""
    settings = Settings.of(tmp_path, {})
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        buy(ledger, tmp_path, DRAFTS)
    backup = make_backup(settings)
    (tmp_path / "ledger.db").unlink()
    if loss == "damaged":
        (tmp_path / "ledger.db").write_bytes(b"noise" * 4000)
    if loss == "empty":
        open_ledger(tmp_path).close()
    with pytest.raises(LedgerError, match=f"is {loss}, and there is a backup: {backup}.*ledger restore"):
        rebuild(settings)
    assert [one.n_orders for one in rebuild(settings, without_backup=True).runs] == [2]


def test_sidecars_of_earlier_versions_are_matched_with_the_plan(tmp_path: Path) -> None:
    """They do not describe their order; the drafts of the run's campaign do. Others are named."""
    settings = Settings.of(tmp_path, {})
    prepared = prepare(configs_folder() / DEMO, settings, RUN_ID)
    folder = prepared.folder
    folder.mkdir(parents=True)
    (folder / "campaign.yaml").write_text(prepared.campaign.as_yaml())
    drafts = list(prepared.plan.orders)[:2]
    stranger = replace(drafts[0], prompt="another")
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN_ID, campaign=drafts[0].campaign, provider="emulator", now=NOON)
        buy(ledger, tmp_path, [drafts[0]])
        buy(ledger, tmp_path, [drafts[1]])
        store_end(folder, stranger, Settlement("refused"))
    for file in (folder / "answers").iterdir():
        facts = json.loads(file.read_bytes())
        for name in ("order", "state", "answered_at"):
            del facts[name]
        if file.stem == stranger.order_id:
            facts["content"] = "x"
        file.write_text(json.dumps(facts))
    (folder / "answers" / f"{drafts[1].order_id}.json").unlink()  # killed before it was written
    (tmp_path / "ledger.db").unlink()
    rebuilt = rebuild(settings)
    assert [one.n_orders for one in rebuilt.runs] == [2]
    assert any(f"{stranger.order_id}.json does not describe its order" in one for one in rebuilt.unread)
    with open_ledger(tmp_path) as ledger:
        found = {record.order.order_id: record for record in ledger.orders.of_run(RUN_ID)}
    by_sidecar, by_picture = (found[order.order_id] for order in drafts)
    assert [by_sidecar.order, by_picture.order] == drafts
    assert (by_sidecar.sent_at, by_picture.sent_at) == (None, None), "not known"
    assert by_sidecar.settlement is not None
    assert by_sidecar.settlement.usage == USAGE
    assert by_picture.cost_usd is None
    assert by_picture.charged_usd == drafts[1].estimate_usd > Decimal(0)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b'{"order_id": "o-1"}', b"[" * 100_000, b"null"]
)
def test_a_damaged_sidecar_is_named_and_the_rest_is_read(tmp_path: Path, content: bytes) -> None:
    """Its picture stays on disk, and is named too."""
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        buy(ledger, tmp_path, DRAFTS)
    sidecar = tmp_path / "otters" / RUN_ID / "answers" / f"{DRAFTS[0].order_id}.json"
    sidecar.write_bytes(content)
    (tmp_path / "ledger.db").unlink()
    rebuilt = rebuild(Settings.of(tmp_path, {}))
    assert [one.n_orders for one in rebuilt.runs] == [1]
    said = " ".join(rebuilt.unread)
    assert f"sidecar {sidecar} is damaged" in said
    assert "A-000-000.png is unknown" in said


def test_a_sidecar_of_another_run_is_not_entered(tmp_path: Path) -> None:
    """A run's folder that was copied under another name is no second purchase."""
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        buy(ledger, tmp_path, DRAFTS)
    shutil.copytree(tmp_path / "otters" / RUN_ID, tmp_path / "copies" / "20261124-120000-copy")
    rebuilt = rebuild(Settings.of(tmp_path, {}))
    assert rebuilt.runs == []
    assert f"is of another run: otters/{RUN_ID}" in " ".join(rebuilt.unread)
    with open_ledger(tmp_path) as ledger:
        assert len(ledger.runs.all()) == 1
