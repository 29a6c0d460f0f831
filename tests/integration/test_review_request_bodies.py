"""What people say on the review page is written down, once, and what it buys is bought once."""

import io
import json
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flows.promotion.action import Promotion
from flows.promotion.finalists import open_finalists
from flows.rescore import rescore
from flows.runs.run import StoredRun
from tasks.candidate import Choice
from tasks.settings import Settings
from tasks.storage.home import run_lock
from tests.support.builders import NOON, RUN_ID
from tests.support.review_home import Open, review_page
from tests.support.review_requests import ask, buy_tries, read, say, survivors


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A page with a run that awaits review."""
    with review_page(tmp_path) as opened:
        yield opened


def test_the_rules_choice_is_shown_until_somebody_chooses(page: Open) -> None:
    """Revision 0 with the rule's finalists and their price; then revision 1 in the person's order."""
    told = read(page, "/shortlist.json")
    assert (told["revision"], told["chosen_by"], len(told["finalists"])) == (0, "rule", 2)
    assert (told["price"]["first"], told["price"]["all"], told["price"]["left"]) == (
        "$0.1000",
        "$0.2000",
        "$0.2700",
    )
    wanted = survivors(page)[::-1][:3]
    status, told = say(page, "/shortlist", candidate_ids=wanted, after=0)
    assert status == 200
    assert [one["id"] for one in told["finalists"]] == wanted
    assert (told["revision"], told["price"]["is_within"], told["price"]["begins"]) == (1, False, True)
    chosen = {d.candidate_id: d.choice for d in page.ledger.candidates.of_run(RUN_ID, "draft") if d.choice}
    assert {name for name, choice in chosen.items() if choice.is_finalist} == set(wanted)
    assert chosen[wanted[0]].chosen_by == "mara"


def test_an_outdated_list_changes_nothing(page: Open) -> None:
    """The second of two tabs is told in words, and the first one's choice stays."""
    one, other, *_ = survivors(page)
    assert say(page, "/shortlist", candidate_ids=[one], after=0)[0] == 200
    status, told = say(page, "/shortlist", by="jo", candidate_ids=[other], after=0)
    assert (status, "changed since" in told["message"]) == (409, True)
    assert [draft["id"] for draft in read(page, "/shortlist.json")["finalists"]] == [one]


@pytest.mark.parametrize("wrong", [["c-nobody"], "twice"])
def test_only_drafts_of_the_run_are_chosen(page: Open, wrong: Any) -> None:
    """No unknown picture, and none twice."""
    ids = survivors(page)[:1] * 2 if wrong == "twice" else wrong
    status, told = say(page, "/shortlist", candidate_ids=ids, after=0)
    assert (status, "twice" in told["message"]) == (409, True)
    assert page.ledger.shortlists.last(RUN_ID) is None


def test_a_run_that_is_worked_on_is_left_alone(page: Open) -> None:
    """While a promotion holds the run, its finalists, copies and finals cannot be changed."""
    one, other, *_ = survivors(page)
    with run_lock(page.folder):
        words: list[tuple[str, dict[str, Any]]] = [
            ("/shortlist", {"candidate_ids": [one], "after": 0}),
            ("/folds", {"copy_id": one, "of_id": other, "is_copy": True}),
        ]
        for path, word in words:
            status, told = say(page, path, **word)
            assert (status, "another process is working on it" in told["message"].lower()) == (409, True)
    assert page.ledger.shortlists.last(RUN_ID) is None
    assert page.ledger.duplicate_decisions.of_run(RUN_ID) == []


def test_a_list_is_bought_once(page: Open) -> None:
    """Of many who confirm at once one starts the purchase; the others are told who did."""
    assert say(page, "/shortlist", candidate_ids=survivors(page)[:2], after=0)[0] == 200
    meet = threading.Barrier(4, timeout=60)

    def confirm(number: int) -> tuple[int, Any]:
        meet.wait()
        return say(page, "/confirm", by=f"tab {number}", revision=1, most_usd="0.20")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(confirm, range(4)))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert page.shop.started == [RUN_ID]
    told = [told["message"] for status, told in answers if status == 409]
    assert all("already confirmed, by tab" in message and "Nothing more" in message for message in told)


def test_the_rules_choice_is_bought_once_too(page: Open) -> None:
    """Whoever agrees to it unchanged makes it theirs; a second tab with the same page buys nothing."""
    assert say(page, "/confirm", revision=0, most_usd="0.20")[0] == 200
    status, told = say(page, "/confirm", by="jo", revision=0, most_usd="0.20")
    assert (status, page.shop.started) == (409, [RUN_ID])
    assert "already confirmed, by mara" in told["message"] or "changed since" in told["message"]


def test_an_older_list_is_not_bought(page: Open) -> None:
    """Somebody else ticked another picture since: the price shown was another one's."""
    ids = survivors(page)
    say(page, "/shortlist", candidate_ids=ids[:1], after=0)
    say(page, "/shortlist", by="jo", candidate_ids=ids[:3], after=1)
    status, told = say(page, "/confirm", revision=1, most_usd="9.00")
    assert (status, "changed since" in told["message"], page.shop.started) == (409, True, [])


@pytest.mark.parametrize(
    ("n_chosen", "most_usd", "words"),
    [(2, "0.19", "$0.1900 was shown"), (0, "1", "0 finals, at most")],
)
def test_nothing_is_bought_for_more_than_was_shown(
    page: Open, n_chosen: int, most_usd: str, words: str
) -> None:
    """A price that rose since, or nothing to buy, ends with words, and may be confirmed later."""
    say(page, "/shortlist", candidate_ids=survivors(page)[:n_chosen], after=0)
    status, told = say(page, "/confirm", revision=1, most_usd=most_usd)
    assert (status, words in told["message"].lower(), page.shop.started) == (409, True, [])
    last = page.ledger.shortlists.last(RUN_ID)
    assert last is not None
    assert last.confirmed_at is None


def test_while_finals_are_bought_no_more_are(page: Open) -> None:
    """A changed list waits until the promotion is over."""
    say(page, "/shortlist", candidate_ids=survivors(page)[:1], after=0)
    page.shop.state = Promotion("running")
    status, told = say(page, "/confirm", revision=1, most_usd="1")
    assert (status, "being bought" in told["message"], page.shop.started) == (409, True, [])
    assert read(page, "/finals.json")["is_running"]


def test_a_choice_waits_for_who_only_looks_at_the_run(page: Open) -> None:
    """Asking whether the run is free holds its lock for a moment; nobody's choice fails for that."""
    is_held = threading.Event()

    def look() -> None:
        with run_lock(page.folder):
            is_held.set()
            time.sleep(0.3)

    other = threading.Thread(target=look)
    other.start()
    assert is_held.wait(5)
    status, _ = say(page, "/shortlist", candidate_ids=survivors(page)[:1], after=0)
    other.join()
    assert status == 200


def test_a_run_whose_process_has_gone_is_shown_as_stopped(page: Open) -> None:
    """In the list and on its own page; while a process works on it, it is running."""
    page.ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    with run_lock(page.folder):
        for path in ("/", f"/runs/{RUN_ID}"):
            assert b'class="chip" data-state="running"' in ask(page, path)[1]
    for path in ("/", f"/runs/{RUN_ID}"):
        assert b'class="chip" data-state="stopped"' in ask(page, path)[1]


def test_a_copy_is_taken_apart_and_put_together(page: Open) -> None:
    """The gallery tells at once, and the word stays in the ledger with its author."""
    copy = next(draft for draft in page.drafts if draft.standing and draft.standing.duplicate_of)
    assert copy.standing is not None
    of = copy.standing.duplicate_of
    status, told = say(page, "/folds", copy_id=copy.candidate_id, of_id=of, is_copy=False)
    tiles = {tile["id"]: tile for tile in told["drafts"]}
    assert (status, tiles[copy.candidate_id]["status"]) == (200, "survivor")
    status, told = say(page, "/folds", by="jo", copy_id=copy.candidate_id, of_id=of, is_copy=True)
    tiles = {tile["id"]: tile for tile in told["drafts"]}
    assert (tiles[copy.candidate_id]["of"], tiles[copy.candidate_id]["kind"]) == (of, "told")
    assert [(fold.decided_by, fold.is_copy) for fold in page.ledger.duplicate_decisions.of_run(RUN_ID)] == [
        ("mara", False), ("jo", True),
    ]  # fmt: skip


@pytest.mark.slow
def test_what_people_said_outlives_a_rescore(page: Open) -> None:
    """Finalists stay in the person's order, a copy stays told, though the rule would choose otherwise."""
    ids = survivors(page)
    wanted = [ids[-1], ids[3]]
    say(page, "/shortlist", candidate_ids=wanted, after=0)
    say(page, "/folds", copy_id=ids[1], of_id=ids[0], is_copy=True)
    outcome = rescore(Settings(page.home, os.environ), page.ledger, RUN_ID)
    drafts = {draft.candidate_id: draft for draft in page.ledger.candidates.of_run(RUN_ID, "draft")}
    chosen = {name for name, draft in drafts.items() if draft.choice and draft.choice.is_finalist}
    assert chosen == set(wanted) == {facts["candidate_id"] for facts in outcome.finalists}
    assert {drafts[name].choice.chosen_by for name in wanted} == {"mara"}  # type: ignore[union-attr]
    standing = drafts[ids[1]].standing
    assert standing is not None
    assert (standing.duplicate_of, standing.duplicate_kind) == (ids[0], "told")
    waiting = open_finalists(StoredRun.find(Settings(page.home, {}), page.ledger, RUN_ID))
    assert [draft.candidate_id for draft in waiting] == wanted


def test_a_word_on_no_two_drafts_is_refused(page: Open) -> None:
    """Neither of itself, nor of a picture that is not there."""
    one = survivors(page)[0]
    for copy_id, of_id in ((one, one), (one, "c-nobody"), ("c-nobody", one)):
        assert say(page, "/folds", copy_id=copy_id, of_id=of_id, is_copy=True)[0] == 409
    assert page.ledger.duplicate_decisions.of_run(RUN_ID) == []


@pytest.mark.parametrize("by", ["", "   ", "x" * 61, "a\nb", 7, None])
def test_nobody_says_anything_without_a_name(page: Open, by: Any) -> None:
    """A name is short and on one line; an unknown key is refused too."""
    assert say(page, "/shortlist", by=by, candidate_ids=[], after=0)[0] == 422
    assert say(page, "/shortlist", candidate_ids=[], after=0, extra=1)[0] == 422


def test_a_vote_is_counted_once_taken_back_and_given_again(page: Open) -> None:
    """The same duel sent twice is one vote; undo shows the same pair again."""
    duel = read(page, "/duel.json?voter=mara")["duel"]["id"]
    for _ in range(2):
        status, told = say(page, "/votes", duel_id=duel, outcome="left")
        assert (status, told["n_done"]) == (200, 1)
    (vote,) = page.ledger.votes.of_run(RUN_ID)
    assert (vote.vote_id, vote.voter, vote.outcome) == (duel, "mara", "left")
    status, told = say(page, "/votes/undo", duel_id=duel)
    assert (told["duel"]["id"], told["n_done"], page.ledger.votes.of_run(RUN_ID)) == (duel, 0, [])
    say(page, "/votes", duel_id=duel, outcome="tie")
    assert [vote.outcome for vote in page.ledger.votes.of_run(RUN_ID)] == ["tie"]


def test_everybody_judges_every_pair_once_and_then_is_thanked(page: Open) -> None:
    """Two people go through all pairs of both rows; no pair comes twice to one of them."""
    for voter in ("mara", "jo"):
        told = read(page, f"/duel.json?voter={voter}")
        while told["duel"]:
            _, told = say(page, "/votes", by=voter, duel_id=told["duel"]["id"], outcome="right")
    votes = page.ledger.votes.of_run(RUN_ID)
    pairs = [(vote.voter, frozenset((vote.left_id, vote.right_id))) for vote in votes]
    assert len(pairs) == len(set(pairs)) == 2 * 12  # two rows of four survivors, six pairs each
    rows = {draft.candidate_id: draft.row for draft in page.drafts}
    assert all(rows[vote.left_id] == rows[vote.right_id] == vote.row for vote in votes)
    _, content = ask(page, f"/runs/{RUN_ID}/ranking", accept="text/html")
    assert b"24 votes" in content
    assert b"mara (12)" in content


def test_a_vote_on_a_forgotten_duel_is_told(page: Open) -> None:
    """After a restart a page's pair is unknown; nothing is written."""
    status, told = say(page, "/votes", duel_id="0" * 24, outcome="left")
    assert (status, "no longer open" in told["message"]) == (404, True)
    assert page.ledger.votes.of_run(RUN_ID) == []


def test_a_person_accepts_and_rejects_finals(page: Open) -> None:
    """The rule's best is rejected, so the other try is delivered; then a person takes the first after all."""
    best, other = buy_tries(page, survivors(page)[0], (0.99, 0.9))

    def accepted() -> list[str]:
        finals = page.ledger.candidates.of_run(RUN_ID, "final")
        return [final.candidate_id for final in finals if final.is_accepted]

    assert accepted() == [best]
    status, told = say(page, "/acceptances", candidate_id=best, is_accepted=False)
    assert (status, accepted()) == (200, [other])
    tries = {one["id"]: one for finalist in told["finalists"] for one in finalist["tries"]}
    assert (tries[best]["is_accepted"], tries[best]["said_by"]) == (False, "mara")
    say(page, "/acceptances", by="jo", candidate_id=best, is_accepted=True)
    assert accepted() == [best]
    assert say(page, "/acceptances", candidate_id=survivors(page)[0], is_accepted=True)[0] == 409


def test_the_accepted_ones_come_as_a_zip_with_a_manifest(page: Open) -> None:
    """The provider's bytes as they are; a name that leads elsewhere loses its folders."""
    drafts = survivors(page)
    buy_tries(page, drafts[0], (0.9, 0.8))
    final = next(final for final in page.ledger.candidates.of_run(RUN_ID, "final") if final.is_accepted)
    page.ledger.candidates.record_choices({final.candidate_id: Choice(None, False, "")})
    answer, content = ask(page, f"/runs/{RUN_ID}/accepted.zip")
    assert answer.getheader("content-type") == "application/zip"
    assert f'filename="otters-{RUN_ID}.zip"' in str(answer.getheader("content-disposition"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["p00.png", "manifest.json"]
        assert archive.read("p00.png") == (page.folder / "finals/p00.png").read_bytes()
        (told,) = json.loads(archive.read("manifest.json"))["pictures"]
    assert (told["file"], told["sha256"], told["fidelity"]) == ("p00.png", final.sha256, 0.9)
    assert ask(page, f"/runs/{RUN_ID}/accepted.zip")[1] == content


def test_nothing_accepted_is_an_archive_with_an_empty_manifest(page: Open) -> None:
    """No error for who is early."""
    with zipfile.ZipFile(io.BytesIO(ask(page, f"/runs/{RUN_ID}/accepted.zip")[1])) as archive:
        assert json.loads(archive.read("manifest.json"))["pictures"] == []
