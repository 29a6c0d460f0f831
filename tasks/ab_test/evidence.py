"""What is evidence in the A/B test.

A piece of evidence is what one arm made of one row: a unique image together with its duplicates there. Its
value is the mean of their scores. Were it the score of the picture that represents them, which is the best
one, an arm would win by making copies: the best of several measurements of one picture is too high.

Left out is what differs between the arms without being the arms' doing, or is not what was ordered. Pictures
that all come in another size or format than ordered are as comparable as those that were ordered: both arms
are alike in it. So the pictures of one form are compared, the one that the most arms and pictures have.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean

from tasks.candidate import Status
from tasks.order import OrderState


@dataclass(frozen=True, slots=True)
class ScoredDraft:
    """What the test needs to know of one draft order and its picture, if it has one.

    Args:
        order_id: The order; one that asked for several pictures appears once for each.
        arm: The arm's name.
        row: Index of the row of variables.
        replicate: Its place among the pictures of its arm and row.
        state: The order's state.
        cost_usd: This picture's share of what the order cost; ``None`` when unknown.
        candidate_id: The picture, or ``None``.
        status: Its status after deduplication, or ``None``.
        score: Its total score in [0, 1], or ``None``.
        form: How its size and format differ from the order, such as ``jpeg instead of png``; empty if they do
            not.
        is_downgraded: Whether it differs from what was ordered in anything else.
        error_code: What went wrong with the order, or ``None``.
        cluster: What it shares with its duplicates only, such as their representative's id; ``None`` when
            unknown.
    """

    order_id: str
    arm: str
    row: int
    replicate: int
    state: OrderState
    cost_usd: Decimal | None = None
    candidate_id: str | None = None
    status: Status | None = None
    score: float | None = None
    form: str = ""
    is_downgraded: bool = False
    error_code: str | None = None
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The pictures that a verdict may use when the arms were selected by other pictures.

    Args:
        arms: The arms that were selected.
        first_replicate: The first replicate made after the selection.
    """

    arms: frozenset[str]
    first_replicate: int

    def holds(self, draft: ScoredDraft) -> bool:
        """Return whether a draft played no part in the selection.

        It may be a copy of one that did: what an arm repeats, it repeats with or without a selection.
        """
        return draft.arm in self.arms and draft.replicate >= self.first_replicate


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one arm made of one row: one unique image with its duplicates there.

    Args:
        arm: The arm's name.
        row: Index of the row of variables.
        score: Mean score of its pictures, in [0, 1].
    """

    arm: str
    row: int
    score: float


def gather_evidence(drafts: Sequence[ScoredDraft], form: str) -> list[Evidence]:
    """Gather the scores that are compared, duplicates together.

    Args:
        drafts: All drafts, in any order.
        form: From ``compared_form``.

    Returns:
        In the order of arms, rows and replicates. A cluster that several arms or rows have pictures of is a
        piece of evidence in each of them.
    """
    clusters: dict[tuple[str, int, str], list[ScoredDraft]] = defaultdict(list)
    ordered = sorted(drafts, key=lambda draft: (draft.arm, draft.row, draft.replicate, _cluster(draft)))
    for draft in ordered:  # fixed order, so that sums of floats are the same on every machine
        if _is_comparable(draft) and draft.form == form:
            clusters[draft.arm, draft.row, _cluster(draft)].append(draft)
    return [
        Evidence(arm, row, fmean(one.score for one in alike if one.score is not None))
        for (arm, row, _), alike in clusters.items()
    ]


def compared_form(drafts: Sequence[ScoredDraft]) -> str:
    """Choose the form whose pictures are compared: of the most arms, then of the most pictures.

    Returns:
        As in ``ScoredDraft.form``; of two with as many, the one that was ordered.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for draft in drafts:
        if _is_comparable(draft):
            counts[draft.form][draft.arm] += 1
    return max(
        sorted(counts), key=lambda form: (len(counts[form]), counts[form].total(), not form), default=""
    )


def describe_forms(drafts: Sequence[ScoredDraft], form: str) -> str:
    """Say in which form pictures are compared, and how many of another form are not; empty if as ordered.

    Args:
        drafts: All drafts.
        form: From ``compared_form``.
    """
    comparable = [draft for draft in drafts if _is_comparable(draft)]
    others = Counter(draft.form or "as ordered" for draft in comparable if draft.form != form)
    n_others = others.total()
    said = f" The pictures compared came as {form}, alike in all arms." if form else ""
    if n_others:
        noun = "picture of another form is" if n_others == 1 else "pictures of another form are"
        said += f" {n_others} {noun} left out: {', '.join(sorted(others))}."
    return said


def _is_comparable(draft: ScoredDraft) -> bool:
    """A duplicate of nobody knows what cannot be put together with what it duplicates."""
    is_placed = draft.status == "survivor" or (draft.status == "duplicate" and draft.cluster is not None)
    return draft.score is not None and is_placed and not draft.is_downgraded


def _cluster(draft: ScoredDraft) -> str:
    return draft.cluster or draft.candidate_id or draft.order_id
