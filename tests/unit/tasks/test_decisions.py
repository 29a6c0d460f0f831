"""People's decisions about duplicates and finalists override the rules."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.candidate import Choice, Standing
from tasks.decisions import DuplicateDecision, Shortlist
from tasks.deduplicate import deduplicate
from tasks.select import choose_as_decided, select
from tests.support.builders import NOON, RUN_ID
from tests.support.choosing import POOLS, FinalistRule, Rule, draft, inspected

FAR = 0xFFFF


def decision(copy_id: str, of_id: str, *, is_copy: bool) -> DuplicateDecision:
    """Say that one is, or is not, a copy of the other."""
    return DuplicateDecision(RUN_ID, copy_id, of_id, is_copy, "mara", NOON)


def chosen(*names: str) -> Shortlist:
    """Make mara's shortlist."""
    return Shortlist(RUN_ID, 1, names, "mara", NOON)


def test_what_is_said_to_be_no_copy_stands_for_itself() -> None:
    """Even with the same bytes, whichever of the two is preferred by its score."""
    pair = [draft("c-1", technical=0.9), draft("c-2", technical=0.1, sha256="bytes of c-1")]
    assert deduplicate(pair, Rule())["c-2"].duplicate_kind == "exact"
    for copy, of in (("c-2", "c-1"), ("c-1", "c-2")):
        found = deduplicate(pair, Rule(), decisions=[decision(copy, of, is_copy=False)])
        assert [standing.status for standing in found.values()] == ["survivor", "survivor"]


def test_no_copy_of_one_picture_is_none_of_its_other_copies() -> None:
    """A third picture that comes to stand for the cluster does not fold it again."""
    three = [draft("c-1"), draft("c-2"), draft("c-3", technical=0.9)]
    found = deduplicate(three, Rule(), decisions=[decision("c-2", "c-1", is_copy=False)])
    assert found["c-2"].status == "survivor"
    assert found["c-1"].duplicate_of == "c-3"


def test_a_copy_by_somebodys_word_is_folded_with_all_it_stood_for() -> None:
    """Far apart by their hashes; the copy's own copies go along, and distances stay what they are."""
    four = [draft("c-1"), draft("c-2", FAR, technical=0.9), draft("c-3", FAR), draft("c-4", 0xFF00FF0000)]
    found = deduplicate(four, Rule(), decisions=[decision("c-2", "c-1", is_copy=True)])
    assert found["c-2"] == Standing("duplicate", "c-1", "c-1", "told", 16)
    assert found["c-3"] == Standing("duplicate", "c-1", "c-1", "told", 16)
    assert (found["c-1"].status, found["c-4"].status) == ("survivor", "survivor")


def test_a_copy_of_a_copy_joins_the_representative() -> None:
    """Nobody is folded under a picture that is itself folded."""
    three = [draft("c-1", technical=0.9), draft("c-2"), draft("c-3", FAR)]
    found = deduplicate(three, Rule(), decisions=[decision("c-3", "c-2", is_copy=True)])
    assert (found["c-2"].duplicate_of, found["c-3"].duplicate_of) == ("c-1", "c-1")


def test_a_word_on_unfit_or_unknown_pictures_changes_nothing() -> None:
    """What is no picture is no copy; what is not of this run is passed over."""
    broken = inspected(draft("c-2"), fault="no picture")
    decisions = [
        decision("c-2", "c-1", is_copy=True),
        decision("c-1", "c-2", is_copy=True),
        decision("c-1", "c-9", is_copy=True),
    ]  # fmt: skip
    found = deduplicate([draft("c-1"), broken], Rule(), decisions=decisions)
    assert (found["c-1"].status, found["c-2"].status) == ("survivor", "unfit")


WORDS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.booleans()), max_size=10)


@given(hashes=st.lists(st.sampled_from([0, 1, 3, FAR]), min_size=8, max_size=8), words=WORDS)
def test_whatever_is_said_every_copy_has_a_survivor_to_stand_for_it(
    hashes: list[int], words: list[tuple[int, int, bool]]
) -> None:
    """No word makes a chain, a circle, or a cluster without a representative."""
    pool = [draft(f"c-{index}", bits) for index, bits in enumerate(hashes)]
    decisions = [decision(f"c-{a}", f"c-{b}", is_copy=word) for a, b, word in words if a != b]
    found = deduplicate(pool, Rule(), decisions=decisions)
    for name, standing in found.items():
        leader = standing.duplicate_of or name
        assert found[leader] == Standing("survivor", leader)
        assert standing.cluster == leader


@given(pool=POOLS, data=st.data())
def test_finalists_are_exactly_those_a_person_chose(pool: list[Any], data: st.DataObject) -> None:
    """Nobody else is one, their ranks stay, and each says by whom it was chosen."""
    names = [one.candidate_id for one in pool]
    picked = data.draw(st.lists(st.sampled_from(names), unique=True) if names else st.just([]))
    by_rule = select(pool, FinalistRule())
    chosen_now = choose_as_decided(by_rule, chosen(*picked))
    assert {name for name, choice in chosen_now.items() if choice.is_finalist} == set(picked)
    assert {name: choice.rank for name, choice in chosen_now.items()} == {
        n: c.rank for n, c in by_rule.items()
    }
    assert all(choice.chosen_by == "mara" for choice in chosen_now.values() if choice.is_finalist)


def test_a_draft_is_told_whose_choice_it_was() -> None:
    """The chosen one its place, the rule's one that it would have been."""
    choices = {
        "c-1": Choice(1, True, "chosen: rank 1", "rule"),
        "c-2": Choice(2, False, "not chosen: rank 2"),
    }
    chosen_now = choose_as_decided(choices, chosen("c-2"))
    assert chosen_now["c-2"] == Choice(2, True, "chosen by mara, place 1 of 1", "mara")
    assert chosen_now["c-1"].reason == "not chosen by mara; the rule would have (chosen: rank 1)"


def test_the_distance_of_what_was_said_is_that_of_the_campaigns_own_hash() -> None:
    """A duplicate by a person's decision has the distance of the hash in use."""
    pair = [draft("c-1", technical=0.9), inspected(draft("c-2", FAR), dhash="0" * 15 + "1")]
    word = [decision("c-2", "c-1", is_copy=True)]
    assert deduplicate(pair, replace(Rule(), hash="phash"), decisions=word)["c-2"].hash_distance_bits == 16
    assert deduplicate(pair, replace(Rule(), hash="dhash"), decisions=word)["c-2"].hash_distance_bits == 1
