"""The pairs of a run's pictures by their similarity, with what people said about them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from flows.evaluation.looks import Looks
from flows.runs.run import StoredRun
from tasks.candidate import Candidate
from tasks.decisions import last_duplicate_decisions
from tasks.duplicates.by_look import ALL_PAIRS_UP_TO
from tasks.duplicates.comparison import Comparison
from tasks.duplicates.rule import Within, least_similarity
from tasks.duplicates.scope import GROUP_OF
from tasks.duplicates.tuning import Answer, Suggestion, suggest_limit


@dataclass(frozen=True, slots=True)
class SimilarPair:
    """Two pictures that have something in common.

    Args:
        one: The better one.
        other: The other one.
        similarity: 0-1.
        alteration: How the second is turned, or ``framed`` when one has a border; ``None`` otherwise.
        is_same: What a person said; ``None`` when nobody did.
    """

    one: Candidate
    other: Candidate
    similarity: float
    alteration: str | None
    is_same: bool | None


@dataclass(frozen=True, slots=True)
class SimilarPairs:
    """A run's pairs, the nearest to the limit first.

    Args:
        limit: From this similarity on pictures are duplicates.
        pairs: Those that were not dismissed at a glance.
        suggestion: The limit that fits people's answers; ``None`` while there are too few.
    """

    limit: float
    pairs: list[SimilarPair]
    suggestion: Suggestion | None

    @property
    def n_answers(self) -> int:
        """How many of them people answered."""
        return sum(pair.is_same is not None for pair in self.pairs)


def find_similar_pairs(run: StoredRun) -> SimilarPairs:
    """Compare the pictures of each arm and row, or of each arm where the campaign does, with one another.

    Raises:
        RunError: The run's campaign file is missing.
        SettingError: The store cannot be read.
    """
    drafts = [draft for draft in run.read_candidates("draft") if draft.is_sound]
    decisions = last_duplicate_decisions(run.ledger.duplicate_decisions.of_run(run.run_id))
    answers = {frozenset((each.copy_id, each.of_id)): each.is_copy for each in decisions}
    looks = Looks({run.folder: drafts})
    rule = run.campaign.deduplicate
    limit = least_similarity(rule)
    pairs = []
    for one, other, found in _compared(drafts, rule.within, looks):
        if found is None or found.similarity is None or one.sha256 == other.sha256:
            continue
        is_same = answers.get(frozenset((one.candidate_id, other.candidate_id)))
        pairs.append(SimilarPair(one, other, found.similarity, found.alteration, is_same))
    pairs.sort(
        key=lambda pair: (abs(pair.similarity - limit), pair.one.candidate_id, pair.other.candidate_id)
    )
    said = [
        Answer(pair.similarity, pair.is_same)
        for pair in pairs
        if pair.is_same is not None and not pair.alteration
    ]
    return SimilarPairs(limit, pairs, suggest_limit(said))


def _compared(
    drafts: list[Candidate], within: Within, looks: Looks
) -> Iterator[tuple[Candidate, Candidate, Comparison | None]]:
    group_of = GROUP_OF["prompt"] if within == "campaign" else GROUP_OF[within]
    groups: defaultdict[object, list[Candidate]] = defaultdict(list)
    for draft in drafts:
        groups[group_of(draft)].append(draft)
    for group in groups.values():
        ranked = sorted(group, key=lambda draft: (-(draft.score or 0), draft.candidate_id))
        for place, other in enumerate(ranked[:ALL_PAIRS_UP_TO]):
            better = ranked[:place]
            for one, found in zip(better, looks.compare(other, better), strict=True):
                yield one, other, found
