"""Duplicates by look: what a comparison found decides, whatever the hashes say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.candidate import Candidate, Standing, are_one_picture, are_similar
from tasks.decisions import DuplicateDecision
from tasks.deduplicate import deduplicate
from tasks.duplicates.by_look import ALL_PAIRS_UP_TO
from tasks.duplicates.comparison import Comparer, Comparison
from tasks.duplicates.rule import SIMILAR_SIMILARITY, Altered, Level
from tasks.duplicates.scope import affected
from tasks.pictures.likeness import NEAR_SIMILARITY
from tests.support.choosing import Rule, draft

LOOKS = Rule(radius_bits=None)
FAR = 0xFFFF_FFFF
PATIENTLY = settings(deadline=None)  # a busy machine is no failure
SIMILARITIES = st.sampled_from([None, 0.2, SIMILAR_SIMILARITY, 0.7, NEAR_SIMILARITY, 0.9])


def seeing(found: Mapping[str, Comparison | None]) -> Comparer:
    """Make a comparer that finds what is given for two names, as in ``"ab"``; else nothing in common."""

    def compare(one: Candidate, others: Sequence[Candidate]) -> Iterator[Comparison | None]:
        for other in others:
            names = sorted((one.candidate_id, other.candidate_id))
            yield found.get("".join(names), Comparison(None))

    return compare


def decided(
    found: Mapping[str, Comparison | None], rule: Rule = LOOKS, names: str = "abc"
) -> dict[str, Standing]:
    """Deduplicate drafts by what a comparer finds; an earlier name is a better picture."""
    drafts = [draft(name, FAR * place, 0.9 - place / 10) for place, name in enumerate(names)]
    return deduplicate(drafts, rule, compare=seeing(found))


def test_the_same_picture_is_a_duplicate_however_far_its_hash() -> None:
    """It says how similar it is."""
    found = decided({"ab": Comparison(0.9)}, names="ab")["b"]

    assert (found.duplicate_of, found.duplicate_kind, found.similarity) == ("a", "near", 0.9)
    assert found.hash_distance_bits == 32


def test_equal_hashes_of_other_pictures_are_no_duplicates() -> None:
    """Hashes only propose."""
    pair = [draft("a", 0, 0.9), draft("b", 0, 0.1)]

    assert deduplicate(pair, LOOKS, compare=seeing({}))["b"].status == "survivor"


def test_it_joins_the_picture_it_is_most_similar_to() -> None:
    """Of two that it could be folded under by its level."""
    rule = replace(LOOKS, level="similar")

    found = decided({"ac": Comparison(0.3), "bc": Comparison(0.7)}, rule)

    assert (found["c"].duplicate_of, found["c"].duplicate_kind) == ("b", "similar")


def test_similar_pictures_stay_and_form_a_group() -> None:
    """Named after the best of them; each says how similar it is to the one it is most like."""
    found = decided({"ab": Comparison(0.65), "bc": Comparison(0.7)})

    assert [found[name].status for name in "abc"] == ["survivor"] * 3
    assert [found[name].similar_cluster for name in "abc"] == ["a", "a", "a"]
    assert [found[name].similarity for name in "abc"] == [None, 0.65, 0.7]


def test_a_picture_that_is_like_no_other_is_a_group_of_its_own() -> None:
    """Little in common is no similarity, and none measured is null, not zero."""
    found = decided({"ab": Comparison(0.2)})

    assert [found[name].similar_cluster for name in "abc"] == ["a", "b", "c"]
    assert (found["b"].similarity, found["c"].similarity) == (0.2, None)


@pytest.mark.parametrize(
    ("comparison", "kind"),
    [(Comparison(0.9, "mirrored"), "mirrored"), (Comparison(0.9, is_framed=True), "framed")],
)
def test_a_mirrored_or_framed_copy_is_told_and_folded_only_if_asked(
    comparison: Comparison, kind: Altered
) -> None:
    """Either way it is similar, so that both are not chosen."""
    asked = replace(LOOKS, fold_mirrored=kind == "mirrored", fold_framed=kind == "framed")
    for_the_other = replace(LOOKS, fold_mirrored=kind != "mirrored", fold_framed=kind != "framed")

    kept = decided({"ab": comparison}, for_the_other, names="ab")["b"]
    folded = decided({"ab": comparison}, asked, names="ab")["b"]

    assert (kept.status, kept.duplicate_kind, kept.similar_cluster) == ("survivor", kind, "a")
    assert (folded.status, folded.duplicate_kind, folded.duplicate_of) == ("duplicate", kind, "a")


def test_what_a_unique_image_is_told_to_be_is_what_it_is_most_like() -> None:
    """A mirrored copy that is also similar to another picture is told as a mirrored one."""
    found = decided({"ac": Comparison(0.65), "bc": Comparison(0.9, "mirrored")})["c"]

    assert (found.duplicate_kind, found.similarity) == ("mirrored", 0.9)


def test_exact_folds_equal_bytes_only() -> None:
    """And compares nothing."""
    three = [draft("a", 0, 0.9), draft("b", 0, 0.8), draft("c", 0, 0.1, sha256="bytes of a")]
    rule = replace(LOOKS, level="exact")

    found = deduplicate(three, rule, compare=seeing({"ab": Comparison(1.0)}))

    assert [found[name].status for name in "abc"] == ["survivor", "survivor", "duplicate"]


def test_a_limit_of_ones_own_replaces_the_levels() -> None:
    """Below as above it."""
    seen = {"ab": Comparison(0.8), "ac": Comparison(0.5), "bc": Comparison(0.1)}

    strict = decided(seen, replace(LOOKS, min_similarity=0.85))
    loose = decided(seen, replace(LOOKS, min_similarity=0.45))

    assert [strict[name].status for name in "abc"] == ["survivor"] * 3
    assert strict["b"].similar_cluster == "a"
    assert [loose[name].duplicate_of for name in "abc"] == [None, "a", "a"]


def test_what_cannot_be_looked_at_is_compared_by_its_hash() -> None:
    """A pruned picture of an earlier run still stands for its copies."""
    three = [draft("a", 0, 0.9), draft("b", 0b11, 0.8), draft("c", FAR, 0.1)]

    found = deduplicate(three, LOOKS, compare=lambda _one, others: iter([None] * len(others)))

    assert [found[name].duplicate_of for name in "abc"] == [None, "a", None]
    assert (found["b"].similarity, found["b"].hash_distance_bits) == (None, 2)


def test_a_radius_that_was_set_decides_alone() -> None:
    """No picture is looked at."""
    pair = [draft("a", 0, 0.9), draft("b", FAR, 0.1)]

    found = deduplicate(pair, Rule(radius_bits=6), compare=seeing({"ab": Comparison(1.0)}))

    assert found["b"].status == "survivor"


def test_pictures_set_apart_are_not_even_similar() -> None:
    """What people say overrides what is seen."""
    pair = [draft("a", 0, 0.9), draft("b", 0, 0.1)]
    apart = DuplicateDecision("run", "b", "a", False, "mara", datetime(2026, 1, 1, tzinfo=UTC))

    found = deduplicate(pair, LOOKS, decisions=[apart], compare=seeing({"ab": Comparison(0.95)}))

    assert (found["b"].status, found["b"].similar_cluster) == ("survivor", "b")


def test_in_a_large_scope_hashes_propose_beside_the_own_prompt() -> None:
    """Far hashes of other prompts are not compared; those of the own prompt are."""
    many = [draft(f"x{n}", n << 40, 0.5, prompt=f"prompt {n}") for n in range(ALL_PAIRS_UP_TO)]
    best, copy = draft("a", 0, 0.9), draft("b", (1 << 64) - 1, 0.1)
    elsewhere = draft("c", 0xFFFF_FFFF_0000_0000, 0.1, prompt="another prompt")
    seen = seeing({"ab": Comparison(0.9), "ac": Comparison(0.9)})

    found = deduplicate([*many, best, copy, elsewhere], replace(LOOKS, within="campaign"), compare=seen)

    assert (found["b"].duplicate_of, found["c"].duplicate_of) == ("a", None)


def in_two_arms(seen: Mapping[str, Comparison | None], **rows: int) -> dict[str, Candidate]:
    """Decide about a picture of arm A and others of arm B, all proposed by their hashes."""
    drafts = [draft("a", 0, 0.9)]
    drafts += [
        draft(name, place, 0.8 - place / 10, arm="B", row=rows.get(name, 0))
        for place, name in enumerate("bc")
    ]
    standings = deduplicate(drafts, LOOKS, compare=seeing(seen))
    return {one.candidate_id: replace(one, standing=standings[one.candidate_id]) for one in drafts}


def test_the_same_picture_in_two_arms_stays_in_both_and_is_told() -> None:
    """It is evidence about either arm; both are not chosen, nor asked about as a pair."""
    found = in_two_arms({"ab": Comparison(0.9), "bc": Comparison(0.65)})

    assert [found[name].status for name in "abc"] == ["survivor"] * 3
    near = found["b"].standing
    assert near is not None
    assert (near.duplicate_kind, near.similarity, near.similar_cluster) == ("near", 0.9, "a")
    assert are_similar(found["b"], found["c"])
    assert are_one_picture(found["a"], found["b"])
    assert not are_one_picture(found["a"], found["c"]), "it is only similar to the other's picture"
    assert not are_one_picture(found["b"], found["c"]), "they are of one arm"


@pytest.mark.parametrize(
    ("comparison", "row"),
    [
        (Comparison(0.9), 1),
        (Comparison(NEAR_SIMILARITY - 0.01), 0),
        (Comparison(0.9, "mirrored"), 0),
        (None, 0),
    ],
    ids=["another row", "another picture", "mirrored", "not looked at"],
)
def test_other_pictures_of_two_arms_are_not_joined(comparison: Comparison | None, row: int) -> None:
    """Arms are compared by what only resembles the other arm's pictures."""
    found = in_two_arms({"ab": comparison}, b=row)

    assert not are_similar(found["a"], found["b"])


@PATIENTLY
@given(
    seen=st.lists(SIMILARITIES, min_size=15, max_size=15),
    liked=st.sets(st.sampled_from("abcdef")),
    level=st.sampled_from(["near", "similar"]),
)
def test_no_two_alike_are_left_in_different_groups(
    seen: list[float | None], liked: set[str], level: Level
) -> None:
    """Every duplicate is alike to its own representative, and no two groups hold pictures alike."""
    names = "abcdef"
    found = {"".join(pair): Comparison(one) for pair, one in zip(combinations(names, 2), seen, strict=True)}
    rule = replace(LOOKS, level=level)
    drafts = [
        draft(name, place, 0.9 - place / 10, is_liked=name in liked) for place, name in enumerate(names)
    ]

    standings = deduplicate(drafts, rule, compare=seeing(found))

    limit = NEAR_SIMILARITY if level == "near" else SIMILAR_SIMILARITY
    with_standings = {one.candidate_id: replace(one, standing=standings[one.candidate_id]) for one in drafts}
    for pair, comparison in found.items():
        one, other = (with_standings[name] for name in pair)
        if one.is_survivor and other.is_survivor and (comparison.similarity or 0) >= SIMILAR_SIMILARITY:
            assert are_similar(one, other)
            assert (comparison.similarity or 0) < limit or other.is_liked
    for name, standing in standings.items():
        if standing.duplicate_of is not None:
            assert name not in liked
            assert standings[standing.duplicate_of].status == "survivor"
            assert (found["".join(sorted((name, standing.duplicate_of)))].similarity or 0) >= limit


def test_a_decision_concerns_its_own_scopes_and_those_that_decisions_and_rows_connect() -> None:
    """Not the rest of the run."""
    drafts = [draft(name, prompt=f"prompt {name}", row=row) for row, name in enumerate("abcd")]
    drafts.append(draft("e", prompt="prompt e", arm="B", row=2))
    when = datetime(2026, 1, 1, tzinfo=UTC)
    connected = [DuplicateDecision("run", "c", "b", True, "mara", when)]

    found = affected(drafts, "prompt", connected, ["a", "b"])

    assert [one.candidate_id for one in found] == ["a", "b", "c", "e"], "e is of the row of c"
    assert affected(drafts, "campaign", (), ["a"]) == drafts
