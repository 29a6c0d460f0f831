"""What people say, kept by a real SQLite file and a real PostgreSQL server."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.decisions import Acceptance, DuplicateDecision, last_duplicate_decisions
from tasks.errors import LedgerError, RunError
from tasks.ledger import Ledger, Limits, Settlement
from tasks.pairwise.votes import Vote
from tasks.remarks import Remark, gather_remarks
from tests.support.builders import NOON, RUN_ID, a_receipt, an_order
from tests.support.ledgers import open_ledger

ONE, OTHER, THIRD = (a_receipt(an_order(replicate=k)).candidate_id for k in range(3))
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    """A ledger with a run of three pictures."""
    with open_ledger(home) as opened:
        opened.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        orders = [an_order(replicate=k) for k in range(3)]
        opened.orders.plan(orders)
        for order in orders:
            opened.orders.send(order, Limits(), NOON)
            opened.orders.settle(order.order_id, Settlement("received", is_charged=True), [a_receipt(order)])
        yield opened


def a_vote(vote_id: str = "v-1", **changes: object) -> Vote:
    """Make mara's vote for the picture on the left."""
    vote = Vote(vote_id, RUN_ID, 0, ONE, OTHER, "left", "mara", NOON)
    return replace(vote, **changes)  # type: ignore[arg-type]


def test_a_vote_comes_back_as_it_was_given_and_once(ledger: Ledger) -> None:
    """Votes are listed by their time; the same one sent twice is one."""
    later, first = a_vote("v-a", outcome="tie", voted_at=NOON + MINUTE), a_vote("v-b")
    for vote in (later, first, replace(first, outcome="right")):
        ledger.votes.add(vote)
    assert ledger.votes.of_run(RUN_ID) == [first, later]
    assert ledger.votes.of_run("another") == []


def test_a_withdrawn_vote_is_gone(ledger: Ledger) -> None:
    """Undo leaves the others; undoing twice, or what somebody else said, changes nothing."""
    ledger.votes.add(a_vote("v-a", outcome="both bad"))
    ledger.votes.add(a_vote("v-b", outcome="skip"))
    ledger.votes.withdraw("v-a", "jo")
    for _ in range(2):
        ledger.votes.withdraw("v-b", "mara")
    assert [vote.vote_id for vote in ledger.votes.of_run(RUN_ID)] == ["v-a"]


def test_remarks_stay_and_the_last_word_counts(ledger: Ledger) -> None:
    """A label taken off, other stars, a comment taken back by its author only; all of it is still stored."""
    said = [
        Remark(RUN_ID, ONE, "label", "hands", None, True, "mara", NOON),
        Remark(RUN_ID, ONE, "label", "hands", None, True, "jo", NOON),
        Remark(RUN_ID, ONE, "label", "hands", None, False, "mara", NOON + MINUTE),
        Remark(RUN_ID, ONE, "stars", None, 2, True, "mara", NOON),
        Remark(RUN_ID, ONE, "stars", None, 5, True, "mara", NOON + MINUTE),
        Remark(RUN_ID, ONE, "stars", None, 4, True, "jo", NOON),
        Remark(RUN_ID, OTHER, "stars", None, 1, True, "jo", NOON),
        Remark(RUN_ID, OTHER, "stars", None, None, False, "jo", NOON + MINUTE),
        Remark(RUN_ID, ONE, "comment", "Three ears\x1b[31m", None, True, "mara", NOON),
    ]
    for remark in said:
        ledger.remarks.add(remark)
    kept = ledger.remarks.of_run(RUN_ID)
    found = gather_remarks(kept)
    assert found.keys() == {ONE}
    assert found[ONE].labels == {"hands": ["jo"]}
    assert (found[ONE].stars, found[ONE].mean_stars) == ({"mara": 5, "jo": 4}, 4.5)
    (comment,) = found[ONE].comments
    assert comment.text is not None
    assert "\x1b" not in comment.text
    ledger.remarks.take_back(RUN_ID, comment.remark_id or 0, "jo")
    assert len(gather_remarks(ledger.remarks.of_run(RUN_ID))[ONE].comments) == 1
    ledger.remarks.take_back(RUN_ID, comment.remark_id or 0, "mara")
    assert gather_remarks(ledger.remarks.of_run(RUN_ID))[ONE].comments == []
    assert len(ledger.remarks.of_run(RUN_ID)) == len(said)
    with pytest.raises(LedgerError):
        ledger.remarks.add(replace(said[0], candidate_id="c-nobody"))


@pytest.mark.parametrize("changes", [{"left_id": "c-nobody"}, {"run_id": "no-run"}])
def test_a_vote_on_what_the_ledger_does_not_know_is_refused(ledger: Ledger, changes: dict[str, str]) -> None:
    """A vote always speaks of pictures that are there."""
    with pytest.raises(LedgerError):
        ledger.votes.add(a_vote(**changes))
    assert ledger.votes.of_run(RUN_ID) == []


def test_of_what_was_said_of_a_pair_the_last_word_counts(ledger: Ledger) -> None:
    """Every word on a pair stays in the ledger, whoever is named first."""
    said = [
        DuplicateDecision(RUN_ID, ONE, OTHER, is_copy=True, decided_by="mara", decided_at=NOON),
        DuplicateDecision(RUN_ID, ONE, THIRD, is_copy=True, decided_by="mara", decided_at=NOON),
        DuplicateDecision(RUN_ID, OTHER, ONE, is_copy=False, decided_by="jo", decided_at=NOON),
    ]
    for fold in said:
        ledger.duplicate_decisions.add(fold)
    assert ledger.duplicate_decisions.of_run(RUN_ID) == said
    assert last_duplicate_decisions(said) == said[1:]


def test_finalists_keep_their_order_and_every_change_is_a_revision(ledger: Ledger) -> None:
    """The newest revision is read back, in the person's own order."""
    assert ledger.shortlists.last(RUN_ID) is None
    first = ledger.shortlists.choose(RUN_ID, [OTHER, ONE], after=0, by="mara", now=NOON)
    assert ledger.shortlists.last(RUN_ID) == first
    second = ledger.shortlists.choose(RUN_ID, [ONE], after=1, by="jo", now=NOON)
    assert ledger.shortlists.last(RUN_ID) == second
    assert (second.revision, second.candidate_ids, second.chosen_by) == (2, (ONE,), "jo")


def test_a_change_of_an_outdated_list_is_refused(ledger: Ledger) -> None:
    """Two tabs that both changed the first list: the second is told, and the first one's stays."""
    ledger.shortlists.choose(RUN_ID, [ONE], after=0, by="mara", now=NOON)
    for after in (0, 7):
        with pytest.raises(RunError, match=f"changed since revision {after}.*Nothing was bought"):
            ledger.shortlists.choose(RUN_ID, [OTHER], after=after, by="jo", now=NOON)
    last = ledger.shortlists.last(RUN_ID)
    assert last is not None
    assert last.candidate_ids == (ONE,)


def test_a_list_is_confirmed_once_and_only_as_it_is_now(ledger: Ledger) -> None:
    """A second confirmation and one of an older revision write nothing, and say so."""
    ledger.shortlists.choose(RUN_ID, [ONE], after=0, by="mara", now=NOON)
    ledger.shortlists.choose(RUN_ID, [OTHER], after=1, by="mara", now=NOON)
    for outdated in (1, 3):
        with pytest.raises(RunError, match="were changed since"):
            ledger.shortlists.confirm(RUN_ID, outdated, by="jo", now=NOON)
    ledger.shortlists.confirm(RUN_ID, 2, by="jo", now=NOON + MINUTE)
    with pytest.raises(RunError, match=r"already confirmed, by jo at 2026-11-22 12:01.*Nothing more"):
        ledger.shortlists.confirm(RUN_ID, 2, by="mara", now=NOON)
    last = ledger.shortlists.last(RUN_ID)
    assert last is not None
    assert (last.confirmed_by, last.confirmed_at) == ("jo", NOON + MINUTE)


def test_of_many_who_confirm_at_once_one_succeeds(home: Path, ledger: Ledger) -> None:
    """Two processes that confirm the same list never both go on to buy."""
    ledger.shortlists.choose(RUN_ID, [ONE], after=0, by="mara", now=NOON)
    meet = threading.Barrier(4, timeout=60)

    def confirm(number: int) -> bool:
        with open_ledger(home) as own:
            meet.wait()
            try:
                own.shortlists.confirm(RUN_ID, 1, by=f"tab {number}", now=NOON)
            except RunError:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(confirm, range(4))) == 1


def test_of_many_who_choose_at_once_one_succeeds(home: Path, ledger: Ledger) -> None:
    """Lists made from the same revision by different people never overwrite one another."""
    meet = threading.Barrier(4, timeout=60)

    def choose(number: int) -> bool:
        with open_ledger(home) as own:
            meet.wait()
            try:
                own.shortlists.choose(RUN_ID, [ONE], after=0, by=f"tab {number}", now=NOON)
            except RunError:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(choose, range(4))) == 1
    last = ledger.shortlists.last(RUN_ID)
    assert last is not None
    assert last.revision == 1


def test_every_word_on_a_final_is_kept(ledger: Ledger) -> None:
    """Who accepted and who rejected, in their sequence."""
    said = [
        Acceptance(RUN_ID, ONE, is_accepted=True, decided_by="mara", decided_at=NOON + MINUTE),
        Acceptance(RUN_ID, ONE, is_accepted=False, decided_by="jo", decided_at=NOON),
    ]
    for acceptance in said:
        ledger.acceptances.add(acceptance)
    assert ledger.acceptances.of_run(RUN_ID) == said
