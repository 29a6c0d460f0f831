"""What is called a copy, of what, and what never is."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.campaign.choice import Deduplicate
from tasks.candidate import Candidate, Inspection, Score
from tasks.deduplicate import copies_by_radius, deduplicate
from tasks.duplicates.rule import Within
from tasks.pictures.fingerprint import COLOUR_NAMES, distance_bits
from tests.support.choosing import GREY, Rule, draft, inspected

PATIENTLY = settings(deadline=None)  # a busy machine is no failure


def statuses(
    candidates: list[Candidate], rule: Rule | None = None, earlier: list[Candidate] | None = None
) -> dict[str, str]:
    """Deduplicate and tell each candidate's status."""
    found = deduplicate(candidates, rule or Rule(), earlier or [])
    return {name: standing.status for name, standing in found.items()}


def test_same_bytes_are_an_exact_copy() -> None:
    """The better one stands for both, at no distance."""
    found = deduplicate(
        [draft("worse", technical=0.1, sha256="x"), draft("better", technical=0.9, sha256="x")], Rule()
    )
    assert found["better"].status == "survivor"
    assert found["better"].cluster == "better"
    assert found["better"].hash_distance_bits is None
    copy = found["worse"]
    assert (copy.status, copy.duplicate_of, copy.duplicate_kind, copy.hash_distance_bits) == (
        "duplicate",
        "better",
        "exact",
        0,
    )


def test_near_copy_tells_its_distance() -> None:
    """Three bits of difference are reported as three."""
    copy = deduplicate([draft("a", 0b111, 0.1), draft("b", 0, 0.9)], Rule())["a"]
    assert (copy.duplicate_of, copy.cluster, copy.duplicate_kind, copy.hash_distance_bits) == (
        "b",
        "b",
        "near",
        3,
    )


@pytest.mark.parametrize(
    ("radius_bits", "status"), [(0, "survivor"), (6, "survivor"), (7, "duplicate"), (16, "duplicate")]
)
def test_radius_is_inclusive(radius_bits: int, status: str) -> None:
    """Seven bits apart is a copy at a radius of seven, not of six."""
    assert statuses([draft("a", 0b1111111, 0.1), draft("b", 0, 0.9)], Rule(radius_bits))["a"] == status


def test_changes_do_not_chain() -> None:
    """Each is four bits from the next; the third is eight from the first, so it stays."""
    row = [draft("a", 0, 0.9), draft("b", 0xF, 0.8), draft("c", 0xFF, 0.7), draft("d", 0xFFF, 0.6)]
    found = deduplicate(row, Rule())
    assert [found[name].cluster for name in "abcd"] == ["a", "a", "c", "c"]


def test_copy_joins_the_nearest_representative() -> None:
    """Within reach of two, it belongs to the one it looks like most, not to the better one."""
    found = deduplicate(
        [draft("far", 0, 0.9), draft("near", 0xFF, 0.8), draft("copy", 0x7F >> 1 << 1, 0.1)], Rule()
    )
    assert found["copy"].duplicate_of == "near"


def test_same_layout_in_other_colours_is_no_copy() -> None:
    """One part of the picture in another hue is enough."""
    other = inspected(draft("b", 0, 0.1), measurements=GREY | {"cr_12": 60.0})
    assert statuses([draft("a"), other]) == {"a": "survivor", "b": "survivor"}


def test_slightly_other_colours_are_a_copy() -> None:
    """A brightened copy moves its colours by some levels."""
    other = inspected(draft("b", 0, 0.1), measurements=GREY | {"cr_12": 13.0})
    assert statuses([draft("a"), other])["b"] == "duplicate"


@pytest.mark.parametrize(("bits", "status"), [(8, "duplicate"), (9, "survivor")])
def test_other_hash_must_not_contradict(bits: int, status: str) -> None:
    """A view from one step aside has a like pHash; its dHash gives it away."""
    other = inspected(draft("b", 0, 0.1), dhash=f"{(1 << bits) - 1:016x}")
    assert statuses([draft("a"), other])["b"] == status


@pytest.mark.parametrize("missing", [{"measurements": {}}, {"dhash": None}, {"phash": None}])
def test_what_was_not_measured_makes_no_near_copy(missing: dict[str, object]) -> None:
    """Unknown is not equal: the picture stays, unless its bytes are the same."""
    other = inspected(draft("b", 0, 0.1), **missing)
    assert statuses([draft("a"), other])["b"] == "survivor"
    assert statuses([draft("a"), replace(other, sha256="bytes of a")])["b"] == "duplicate"


def test_liked_pictures_stay() -> None:
    """Two liked copies are both kept, and lead even where another is technically better."""
    candidates = [
        draft("a", is_liked=True, technical=0.1, sha256="x"),
        draft("b", is_liked=True, technical=0.2, sha256="x"),
        draft("c", technical=0.9),
    ]
    found = deduplicate(candidates, Rule())
    assert [found[name].status for name in "abc"] == ["survivor", "survivor", "duplicate"]
    assert found["c"].duplicate_of == "b"


@pytest.mark.parametrize("inspection", [None, Inspection(fault="the bytes are an HTML page, not a picture")])
def test_what_cannot_be_shown_is_unfit(inspection: Inspection | None) -> None:
    """A broken picture is neither survivor nor copy, and nobody's representative."""
    found = deduplicate(
        [draft("a", sha256="x", technical=0.9, inspection=inspection), draft("b", sha256="x")], Rule()
    )
    assert (found["a"].status, found["a"].cluster) == ("unfit", None)
    assert found["b"].status == "survivor"


def test_downgraded_pictures_take_part() -> None:
    """Another size than ordered does not make a picture unfit to look at."""
    assert statuses([draft("a", downgraded="1024x1024 instead of 1536x1024")]) == {"a": "survivor"}


def test_unscored_pictures_come_last() -> None:
    """Not measured is not good: any score leads."""
    unknown = draft("c", scores={"technical": Score(None, "too small to tell")})
    found = deduplicate([draft("a", technical=None), draft("b", technical=0.0), unknown], Rule())
    assert {found[name].cluster for name in "abc"} == {"b"}


@pytest.mark.parametrize(("within", "copies"), [("prompt", set()), ("arm", {"b"}), ("campaign", {"b", "c"})])
def test_copies_are_looked_for_where_the_rule_says(within: Within, copies: set[str]) -> None:
    """Within the arm's prompt, so that arms stay comparable; or wider."""
    candidates = [draft("a"), draft("b", row=1, prompt="a seal"), draft("c", arm="B")]
    found = statuses(candidates, Rule(within=within))
    assert {name for name, status in found.items() if status == "duplicate"} == copies


def test_earlier_pictures_lead_and_get_no_standing() -> None:
    """What an earlier run had is not new, however good it is now; a row that moved in the file is found."""
    before = draft("old", technical=None, row=5)
    found = deduplicate([draft("new", 0b1, 0.9), draft("liked", is_liked=True)], Rule(), [before])
    assert set(found) == {"new", "liked"}
    assert found["new"].status == "duplicate"
    assert found["liked"].status == "survivor"
    assert deduplicate([draft("new", 0b1)], Rule(), [before])["new"].duplicate_of == "old"


def test_a_run_is_not_its_own_history() -> None:
    """Rescoring a run that is also among the earlier ones changes nothing."""
    candidates = [draft("a", 0, 0.9), draft("b", 0xF0F0F0, 0.1)]
    assert deduplicate(candidates, Rule(), candidates) == deduplicate(candidates, Rule())


def test_campaign_file_gives_the_rule() -> None:
    """The part of a campaign file is a rule as it is: two bits apart is a copy by default."""
    assert deduplicate([draft("a"), draft("b", 0b11, 0.1)], Deduplicate())["b"].status == "duplicate"


def test_nothing_gives_nothing() -> None:
    """A run in which all orders were refused has no copies."""
    assert deduplicate([], Rule()) == {}
    assert copies_by_radius([], Rule()) == dict.fromkeys(range(13), 0)


POOL = st.lists(
    st.builds(
        lambda bits, technical, liked, sha, row, level: (bits, technical, liked, sha, row, level),
        st.integers(0, 2**12 - 1),
        st.none() | st.sampled_from([0.1, 0.5, 0.9]),
        st.booleans() | st.just(False),
        st.sampled_from("uvwxyz"),
        st.integers(0, 1),
        st.sampled_from([0.0, 5.0, 30.0]),
    ),
    max_size=25,
)


def pool(drawn: list[tuple[int, float | None, bool, str, int, float]]) -> list[Candidate]:
    """Make candidates of what was drawn; equal letters up to w mean equal bytes, so equal pictures."""
    first = {sha: (bits, level) for bits, _, _, sha, _, level in drawn}
    candidates = []
    for index, (bits, technical, liked, sha, row, level) in enumerate(drawn):
        own_bits, own_level = first[sha] if sha < "x" else (bits, level)
        own_bytes = sha if sha < "x" else f"{index}"
        one = draft(
            f"c-{index}", own_bits, technical, is_liked=liked, row=row, prompt=f"row {row}", sha256=own_bytes
        )
        candidates.append(inspected(one, measurements=dict.fromkeys(COLOUR_NAMES, own_level)))
    return candidates


@PATIENTLY
@given(
    drawn=POOL,
    rule=st.builds(Rule, st.integers(0, 16), within=st.sampled_from(["prompt", "arm", "campaign"])),
    seed=st.integers(),
)
def test_order_of_candidates_does_not_matter(drawn: list[Any], rule: Rule, seed: int) -> None:
    """Position is never identity: shuffled candidates get the same standings."""
    candidates = pool(drawn)
    shuffled = random.Random(seed).sample(candidates, len(candidates))
    assert deduplicate(shuffled, rule) == deduplicate(candidates, rule)


@PATIENTLY
@given(drawn=POOL, radius_bits=st.integers(0, 16))
def test_every_copy_is_a_copy_of_its_representative(drawn: list[Any], radius_bits: int) -> None:
    """Leaders survive and are no worse, and their copies are within the radius of them."""
    candidates = {one.candidate_id: one for one in pool(drawn)}
    found = deduplicate(list(candidates.values()), Rule(radius_bits))
    assert set(found) == set(candidates)
    for name, standing in found.items():
        if standing.status == "survivor":
            assert standing.cluster == name
            continue
        assert standing.duplicate_of is not None
        assert found[standing.duplicate_of].status == "survivor"
        one, leader = candidates[name], candidates[standing.duplicate_of]
        assert not one.is_liked
        assert leader.prompt == one.prompt
        assert hash_distance(one, leader) == standing.hash_distance_bits
        assert hash_distance(one, leader) <= radius_bits
        assert leader.is_liked or technical_of(leader) >= technical_of(one)


@PATIENTLY
@given(drawn=POOL, radius_bits=st.integers(0, 16))
def test_no_copy_is_left(drawn: list[Any], radius_bits: int) -> None:
    """Of two pictures that are copies, at least one was taken out, unless a person liked one."""
    candidates = pool(drawn)
    found = deduplicate(candidates, Rule(radius_bits))
    kept = [one for one in candidates if found[one.candidate_id].status == "survivor" and not one.is_liked]
    for one in kept:
        for other in kept:
            if one is not other and one.prompt == other.prompt and colour_of(one) == colour_of(other):
                assert hash_distance(one, other) > radius_bits


@PATIENTLY
@given(drawn=POOL, within=st.sampled_from(["prompt", "campaign"]))
def test_table_of_radii_counts_what_would_go(drawn: list[Any], within: Within) -> None:
    """Each figure of the table is what deduplication does at that radius."""
    candidates = pool(drawn)
    table = copies_by_radius(candidates, Rule(within=within))
    assert list(table) == list(range(13))
    for radius_bits, count in table.items():
        found = statuses(candidates, Rule(radius_bits, within=within))
        assert list(found.values()).count("duplicate") == count


def hash_distance(one: Candidate, other: Candidate) -> int:
    """Count the bits between two candidates."""
    assert one.inspection is not None
    assert other.inspection is not None
    return distance_bits(str(one.inspection.phash), str(other.inspection.phash))


def technical_of(one: Candidate) -> float:
    """Give the technical score, with unknown as the lowest."""
    value = one.scores["technical"].value if one.scores else None
    return -1.0 if value is None else value


def colour_of(one: Candidate) -> float:
    """Give the level that all cells of a test picture share."""
    assert one.inspection is not None
    return one.inspection.measurements["cb_00"]
