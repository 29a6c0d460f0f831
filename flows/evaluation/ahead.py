"""Comparing drafts with one another while others are still on their way.

Comparing is most of the work between a run's last answer and its end, and while answers are awaited the
processor has little to do. What was compared is kept in memory for the step that finds duplicates. Nothing is
recorded, so a run that is killed here loses nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from flows.evaluation.drafts import earlier_drafts, in_scope_of_origin
from flows.evaluation.looks import kept_looks
from flows.runs.run import StoredRun
from tasks.candidate import Candidate
from tasks.deduplicate import deduplicate
from tasks.duplicates.comparison import Comparison
from tasks.duplicates.scope import affected
from tasks.errors import RunoffError
from tasks.score import score_candidates

_stopped: set[str] = set()
"""The passes that were stopped, by name."""


class _NotWantedError(Exception):
    """Ends a comparison of drafts whose result nobody awaits any more."""


def compare_ahead(run: StoredRun, passes: str) -> None:
    """Compare the drafts that are there, so that deciding about all of them finds most pairs compared.

    In which order drafts are compared depends on their technical scores, so these are computed as they will
    be then, once for each. Scopes without a new draft are left out. Records nothing, and raises nothing of
    what the step that finds duplicates would meet too.

    Args:
        run: The run.
        passes: Names this pass and others, which ``stop_comparing`` ends before their next pair.
    """
    looks = kept_looks(run.folder)

    def compare(one: Candidate, others: Sequence[Candidate]) -> Iterator[Comparison | None]:
        comparisons = looks.compare(one, others)
        for _ in others:
            if passes in _stopped:
                raise _NotWantedError
            yield next(comparisons)

    with suppress(_NotWantedError, RunoffError):
        if not looks.of(run.folder):
            for folder, some in earlier_drafts(run).items():
                looks.add(folder, some)
        known = {draft.candidate_id: draft for draft in looks.of(run.folder)}
        read = run.ledger.candidates.newly_inspected(run.run_id, "draft", known)
        drafts = in_scope_of_origin([*known.values(), *read])
        decisions = run.ledger.duplicate_decisions.of_run(run.run_id)
        new = [draft for draft in drafts if draft.is_sound and draft not in looks]
        if "technical" in run.campaign.score.weights:
            scored = score_candidates(new, {"technical": 1}, run.folder)
            new = [replace(draft, scores=scored[draft.candidate_id].scores) for draft in new]
        looks.add(run.folder, new)
        names = {draft.candidate_id for draft in new}
        near = affected(looks.of(run.folder), run.campaign.deduplicate.within, decisions, names)
        deduplicate(near, run.campaign.deduplicate, looks.outside(run.folder), decisions, compare)


def stop_comparing(_run: StoredRun, passes: str) -> None:
    """End the passes of this name: one that goes on ends before its next pair."""
    _stopped.add(passes)
