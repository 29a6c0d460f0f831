"""Drafts to be compared and chosen from, and the rules that campaigns give for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hypothesis import strategies as st

from tasks.ab_test.winners import Winners
from tasks.campaign.row_groups import RowGroups
from tasks.candidate import Candidate, HashName, Inspection, Score, Standing
from tasks.duplicates.rule import Level, Within
from tasks.pictures.fingerprint import COLOUR_NAMES
from tasks.select import Merit
from tests.support.draft_builders import a_draft

GREY = dict.fromkeys(COLOUR_NAMES, 0.0)
HASHES = st.integers(0, 2**64 - 1).map(lambda number: f"{number:016x}") | st.sampled_from(
    ["0" * 16, "0" * 15 + "1", "0" * 15 + "7", "f" * 16]
)
FACTS = st.tuples(
    st.sampled_from("ABC"),
    st.integers(0, 2),
    st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    st.none() | HASHES,
    st.sampled_from(["survivor", "survivor", "survivor", "duplicate", "unfit"]),
)
POOLS = st.lists(FACTS, max_size=14).map(
    lambda facts: [
        a_draft(
            f"c-{index}", arm=arm, row=row, replicate=index, score=score, phash=phash,
            standing=Standing(status, "c-0"),  # type: ignore[arg-type]
        )
        for index, (arm, row, score, phash, status) in enumerate(facts)
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """A campaign's rule, as its file gives it."""

    radius_bits: int | None = 6
    hash: Literal["phash", "dhash"] = "phash"
    within: Within = "prompt"
    history_runs: int = 0
    level: Level = "near"
    min_similarity: float | None = None
    fold_mirrored: bool = False
    fold_framed: bool = False


@dataclass(frozen=True)
class FinalistRule:
    """A rule as a campaign would give it."""

    count: int | None = 4
    max_per_arm: int | None = None
    max_per_prompt: int | None = None
    min_score: float | None = None
    radius_bits: int | None = None
    hash: HashName = "phash"
    allow_similar: bool = False
    row_groups: tuple[RowGroups, ...] = ()
    unmet: Mapping[str, str] = field(default_factory=dict)
    winners: Winners | None = None
    merits: Mapping[str, Merit] = field(default_factory=dict)


def draft(name: str, bits: int = 0, technical: float | None = 0.5, **changes: Any) -> Candidate:
    """Make a candidate whose two hashes are ``bits``, all grey."""
    digits = f"{bits:016x}"
    facts: dict[str, Any] = {
        "candidate_id": name, "order_id": f"o-{name}", "stage": "draft", "arm": "A", "row": 0, "replicate": 0,
        "attempt": 0, "prompt": "an otter", "file": f"drafts/{name}.png", "sha256": f"bytes of {name}",
        "n_bytes": 1,
        "inspection": Inspection(phash=digits, dhash=digits, measurements=GREY),
        "scores": {} if technical is None else {"technical": Score(technical, "")},
    }  # fmt: skip
    return Candidate(**(facts | changes))


def inspected(one: Candidate, **changes: Any) -> Candidate:
    """Change what was found out about a candidate."""
    assert one.inspection is not None
    return replace(one, inspection=replace(one.inspection, **changes))
