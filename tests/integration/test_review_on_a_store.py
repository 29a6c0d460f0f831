"""The review page where the run has never been: pictures come from the store as they are looked at."""

import io
import os
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flows.runs.pruning import Old, prune
from tasks.candidate import Inspection
from tasks.ledger.schema import candidates
from tasks.storage.atomic import write_atomically
from tasks.storage.home import home_folder, run_folder
from tasks.storage.mirror import Store, store_of
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.ledgers import open_ledger
from tests.support.object_store import elsewhere
from tests.support.review_home import Open, fill_run, page_on, receive
from tests.support.review_requests import ask, read, say, survivors


@pytest.fixture
def maker(address: str) -> Store:
    """The machine that made the run, and its mirror of the store."""
    found = store_of(home_folder(address, os.environ))
    assert found is not None
    return found


@pytest.fixture
def page(maker: Store, address: str, tmp_path: Path) -> Iterator[Open]:
    """A page on another machine; the run is in the ledger and in the store, and nowhere on its disk."""
    with open_ledger(maker.mirror) as ledger:
        drafts = fill_run(maker.mirror, ledger)
        maker.push(maker.mirror)
        with page_on(elsewhere(address, tmp_path).mirror, ledger, drafts) as opened:
            yield opened


def pictures_here(page: Open) -> set[str]:
    """Name the pictures that the page's machine has."""
    return {file.relative_to(page.folder).as_posix() for file in page.folder.rglob("*.*p*g")} | {
        file.relative_to(page.folder).as_posix() for file in page.folder.rglob("*.webp")
    }


def test_the_gallery_waits_for_no_picture(page: Open) -> None:
    """Its page and its facts are there before any picture is; then those come that are looked at, once."""
    assert ask(page, f"/runs/{RUN_ID}")[0].status == 200
    assert len(read(page, "/gallery.json")["drafts"]) == 12
    assert pictures_here(page) == set()
    first, second, *_ = page.drafts
    answer, content = ask(page, f"/thumbnails/{first.candidate_id}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    assert pictures_here(page) == {"thumbnails/p00.webp"}
    assert ask(page, f"/pictures/{second.candidate_id}")[0].status == 200
    assert pictures_here(page) == {"thumbnails/p00.webp", "drafts/p01.png"}
    assert content == (page.folder / "thumbnails/p00.webp").read_bytes()


def test_votes_ticks_and_the_confirmation_need_no_picture_either(page: Open) -> None:
    """Duels, finalists and the price are decided by the ledger, copies by thumbnails of their prompt."""
    duel = read(page, "/duel.json?voter=mara")["duel"]
    assert say(page, "/votes", duel_id=duel["id"], outcome="left")[0] == 200
    one, other, *_ = survivors(page)
    assert say(page, "/folds", copy_id=one, of_id=other, is_copy=True)[0] == 200
    wanted = survivors(page)[:2]
    status, told = say(page, "/shortlist", candidate_ids=wanted, after=0)
    assert (status, [draft["id"] for draft in told["finalists"]]) == (200, wanted)
    assert say(page, "/confirm", revision=1, most_usd="0.20")[0] == 200
    assert page.shop.started == [RUN_ID]
    assert all(name.startswith("thumbnails/") for name in pictures_here(page))


def test_finals_that_another_machine_buys_are_shown_and_taken_home(page: Open, maker: Store) -> None:
    """They are compared, accepted and zipped where the run has never been."""
    chosen = page.drafts[0]
    final = an_order(0, stage="final", draft_id=chosen.candidate_id, endpoint="edits")
    picture = (run_folder(maker.mirror, "otters", RUN_ID) / "drafts/p00.png").read_bytes()
    write_atomically(run_folder(maker.mirror, "otters", RUN_ID) / "finals/p00.png", picture)
    (name,) = receive(page.ledger, [final], "finals")
    page.ledger.candidates.record_inspections({name: Inspection(64, 40, "png")})
    assert [len(one["tries"]) for one in read(page, "/finals.json")["finalists"]] == [1, 0]
    assert ask(page, f"/pictures/{name}")[1] == picture
    status, told = say(page, "/acceptances", candidate_id=name, is_accepted=True)
    assert (status, told["n_accepted"]) == (200, 1)
    (page.folder / "finals/p00.png").unlink()
    with zipfile.ZipFile(io.BytesIO(ask(page, f"/runs/{RUN_ID}/accepted.zip")[1])) as archive:
        assert archive.read("p00.png") == picture
    lineage = elsewhere_sees(maker, "finals/p00.json")
    assert b'"accepted": true' in lineage


def elsewhere_sees(maker: Store, name: str) -> bytes:
    """Read a run's file on the machine that made it, as the store has it now."""
    file = run_folder(maker.mirror, "otters", RUN_ID) / name
    maker.fetch_file(file)
    return file.read_bytes()


def test_rules_that_another_machine_changed_are_seen(page: Open, maker: Store) -> None:
    """The next page shows them, without a restart."""
    assert b"watercolour" in ask(page, f"/runs/{RUN_ID}")[1]
    file = run_folder(maker.mirror, "otters", RUN_ID) / "campaign.yaml"
    write_atomically(file, file.read_bytes().replace(b"watercolour", b"woodcut"))
    content = ask(page, f"/runs/{RUN_ID}")[1]
    assert (b"woodcut" in content, b"watercolour" in content) == (True, False)


def test_only_the_ledgers_pictures_come_from_the_store(page: Open, maker: Store) -> None:
    """No other file of the store, whatever its name or the ledger's row says, is fetched or sent."""
    for name in ("otters/other.png", f"otters/{RUN_ID}/drafts/stray.png"):
        write_atomically(maker.mirror / name, b"\x89PNG\r\n\x1a\nnobody's")
    first, second, *_ = (draft.candidate_id for draft in page.drafts)
    with page.ledger.database.write() as connection:
        for name, file in ((first, "../other.png"), (second, "campaign.yaml")):
            this = candidates.update().where(candidates.c.candidate_id == name)
            connection.execute(this.values(file=file, thumbnail=None))
    for path in (first, second, "stray.png", f"..%2f{RUN_ID}%2fdrafts%2fstray.png"):
        assert ask(page, f"/pictures/{path}")[0].status == 404, path
    assert list(page.home.rglob("*.png")) == []


def test_what_was_dropped_meanwhile_is_gone_here_too(page: Open, maker: Store) -> None:
    """A picture that was never looked at here is not there any more; the page stays whole."""
    page.ledger.runs.end(RUN_ID, "done", NOON)
    loser = page.drafts[-1].candidate_id
    assert ask(page, f"/thumbnails/{loser}")[0].status == 200
    later = NOON + timedelta(days=1)
    prune(page.ledger, maker.mirror, later, Old(later))
    assert ask(page, f"/pictures/{loser}")[0].status == 404
    assert ask(page, f"/runs/{RUN_ID}")[0].status == 200
