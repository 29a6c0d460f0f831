"""Proposals in a large scope: near by both hashes together and by colour, and never many."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tasks.candidate import Candidate
from tasks.duplicates.proposals import MOST_BITS, MOST_PROPOSED, Proposals
from tasks.duplicates.scope import scopes
from tasks.pictures.fingerprint import COLOUR_NAMES
from tests.support.choosing import Rule, draft, inspected

WIDE = Rule(radius_bits=None, within="campaign")
WORDS = st.integers(0, 2**64 - 1)


def hashed(name: str, phash: int | None, dhash: int | None, redness: float = 0) -> Candidate:
    """Make a picture with these hashes, of one colour."""
    digits = [None if bits is None else f"{bits:016x}" for bits in (phash, dhash)]
    colours = dict.fromkeys(COLOUR_NAMES, redness)
    return inspected(draft(name), phash=digits[0], dhash=digits[1], measurements=colours)


def proposed(known: Sequence[Candidate], one: Candidate) -> list[str]:
    """Name the known pictures that are proposed for another one."""
    (scope,) = scopes([*known, one], (), WIDE)
    places = {each.candidate_id: index for index, each in enumerate(scope.ranked)}
    found = Proposals(scope)
    for each in known:
        found.add(places[each.candidate_id])
    return [scope.ranked[index].candidate_id for index in found.near(places[one.candidate_id])]


def test_one_hash_may_fail_where_the_other_does_not() -> None:
    """Twenty bits of one are no reason to dismiss a copy; twenty-one of each are."""
    one = hashed("one", 0, 0)
    known = [
        hashed("by dhash", (1 << 20) - 1, 1),
        hashed("by neither", (1 << 21) - 1, (1 << 21) - 1),
        hashed("same", 0, 0),
    ]

    assert proposed(known, one) == ["same", "by dhash"]


def test_other_colours_dismiss_a_picture_and_unmeasured_ones_do_not() -> None:
    """Hashes are of grey levels."""
    unmeasured = inspected(hashed("unmeasured", 0, 1), measurements={})
    known = [hashed("red", 0, 0, redness=40), hashed("grey", 0, 3), unmeasured]

    assert proposed(known, hashed("one", 0, 0)) == ["unmeasured", "grey"]


def test_a_picture_without_a_hash_neither_finds_nor_is_found() -> None:
    """It is compared within its prompt all the same."""
    known = [hashed("none", None, None), hashed("half", 0, None)]

    assert proposed(known, hashed("one", 0, 0)) == []
    assert proposed([hashed("whole", 0, 0)], hashed("one", None, 0)) == []


@given(known=st.lists(st.tuples(WORDS, st.sampled_from([0, 1, 3, 7])), max_size=60), phash=WORDS)
def test_the_nearest_are_proposed_and_none_beyond_the_limit(known: list[tuple[int, int]], phash: int) -> None:
    """Compared with counting bits one by one."""
    drafts = [hashed(f"{number:02d}", *bits) for number, bits in enumerate(known)]
    away = {
        one.candidate_id: (bits[0] ^ phash).bit_count() + bits[1].bit_count()
        for one, bits in zip(drafts, known, strict=True)
    }

    found = proposed(drafts, hashed("one", phash, 0))

    near = sorted(bits for bits in away.values() if bits <= MOST_BITS)
    assert [away[name] for name in found] == near[:MOST_PROPOSED]
