"""The stages of a run: each reads from the ledger, calls its step, writes back, and is one Prefect task.

Steps know nothing of the ledger or of one another; what they are given and where their results go is said
here, once, for every flow.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from flows.batches import as_task
from flows.open_run import OpenRun
from tasks.campaign import Deduplicate, Finalists
from tasks.candidate import Candidate, Order
from tasks.compare import choose_attempt, measure_fidelity
from tasks.deduplicate import deduplicate
from tasks.errors import RunoffError
from tasks.generate import GenerateCounts, generate
from tasks.inspect import inspect_pictures
from tasks.ledger.report_rows import report_rows
from tasks.lineage import write_lineage
from tasks.report import load_libraries
from tasks.score import score
from tasks.select import select
from tasks.transparency import mark_missing_transparency

ORDERS_PER_TASK = 50
LOAD_AFTER_S = 1.0
"""When what the report needs is loaded: the first orders are under way by then."""


async def make_pictures(run: OpenRun, stage: str) -> None:
    """Buy every planned order of a stage and look at what came, batch by batch, side by side.

    While one batch is looked at the next ones are under way, so that looking costs no time.
    """
    orders = run.planned(stage)
    batches = [orders[start : start + ORDERS_PER_TASK] for start in range(0, len(orders), ORDERS_PER_TASK)]
    # Two batches more than can be under way at once: the desk must never wait for work.
    places = asyncio.Semaphore(run.prepared.terms.provider.concurrency // ORDERS_PER_TASK + 2)

    async def make(batch: Sequence[Order]) -> None:
        try:
            async with places:
                await generate_batch(batch, run)
            await inspect_batch(run)
        except RunoffError as error:
            run.desk.close(error)
            raise

    run.display.start(f"{stage}s", len(orders))
    asyncio.get_running_loop().call_later(LOAD_AFTER_S, _load_in_thread)
    try:  # after a fault the other batches end too before the run is closed: theirs is money as well
        ends = await asyncio.gather(*(make(batch) for batch in batches), return_exceptions=True)
    finally:
        run.display.finish()
    for end in ends:
        if end is not None:
            raise end
    await inspect_batch(run)


def _load_in_thread() -> None:
    """Load what the report needs while the run waits for pictures."""
    asyncio.get_running_loop().run_in_executor(None, load_libraries)


async def _generate(orders: Sequence[Order], run: OpenRun) -> GenerateCounts:
    return await generate(orders, run.desk)


async def _inspect(run: OpenRun) -> int:
    """Look at every picture that nobody has looked at; one batch at a time, all cores inside."""
    async with run.inspecting:
        return await asyncio.to_thread(_inspect_new, run)


def _inspect_new(run: OpenRun) -> int:
    waiting = run.ledger.candidates.uninspected(run.run_id)
    files = [(picture.file, _thumbnail(picture.file)) for picture in waiting]
    seen = dict(inspect_pictures(run.folder, files))
    marks = {
        picture.candidate_id: mark
        for picture in waiting
        if (mark := mark_missing_transparency(picture.parameters, seen[picture.file], picture.downgraded))
    }
    run.ledger.candidates.mark_downgraded(marks)  # first: a kill in between only marks them again
    found = {picture.candidate_id: seen[picture.file] for picture in waiting}
    run.ledger.candidates.record_inspections(found)
    return len(found)


def _thumbnail(file: str) -> str:
    path = PurePosixPath(file)
    return f"thumbnails/{path.parent.name}-{path.stem}.webp"


async def _score(run: OpenRun) -> int:
    """Score every draft."""
    return await asyncio.to_thread(_score_drafts, run)


def _score_drafts(run: OpenRun) -> int:
    drafts = run.ledger.candidates.of_run(run.run_id, "draft")
    given = score(drafts, run.campaign.score.weights, run.folder)
    run.ledger.candidates.record_scores(
        {name: opinion.scores for name, opinion in given.items()},
        {name: opinion.total for name, opinion in given.items()},
    )
    return len(given)


async def _deduplicate(run: OpenRun) -> int:
    """Fold copies under their representatives."""
    return await asyncio.to_thread(_deduplicate_drafts, run)


def _deduplicate_drafts(run: OpenRun) -> int:
    drafts = run.ledger.candidates.of_run(run.run_id, "draft")
    standings = deduplicate(drafts, run.campaign.deduplicate, earlier_drafts(run))
    run.ledger.candidates.record_standings(standings)
    return sum(standing.status == "duplicate" for standing in standings.values())


def earlier_drafts(run: OpenRun) -> list[Candidate]:
    """List the survivors of the campaign's earlier runs that copies are looked for among."""
    wanted = run.campaign.deduplicate.history_runs
    earlier = [
        other
        for other in run.ledger.runs.all()
        if other.campaign == run.campaign.name and other.run_id != run.run_id
    ]
    return [
        draft
        for other in earlier[:wanted]
        for draft in run.ledger.candidates.of_run(other.run_id, "draft")
        if draft.standing and draft.standing.status == "survivor"
    ]


@dataclass(frozen=True, slots=True)
class SelectionRule:
    """The campaign's rule for finalists, and the radius within which two are the same picture."""

    count: int
    max_per_arm: int | None
    max_per_prompt: int | None
    min_score: float | None
    radius_bits: int | None

    @classmethod
    def of(cls, finalists: Finalists, copies: Deduplicate) -> "SelectionRule":
        """Take the rule from a campaign."""
        return cls(
            count=finalists.count,
            max_per_arm=finalists.max_per_arm,
            max_per_prompt=finalists.max_per_prompt,
            min_score=finalists.min_score,
            radius_bits=copies.radius_bits,
        )


async def _select(run: OpenRun) -> int:
    """Choose the finalists by the campaign's rule."""
    return await asyncio.to_thread(_select_finalists, run)


def _select_finalists(run: OpenRun) -> int:
    drafts = run.ledger.candidates.of_run(run.run_id, "draft")
    rule = SelectionRule.of(run.campaign.finalists, run.campaign.deduplicate)
    choices = select(drafts, rule)
    run.ledger.candidates.record_choices(choices)
    return sum(choice.is_finalist for choice in choices.values())


async def _compare(run: OpenRun) -> int:
    """Measure how far each new final still is its draft, and accept the best one that is."""
    return await asyncio.to_thread(_compare_finals, run)


def _compare_finals(run: OpenRun) -> int:
    drafts = {draft.candidate_id: draft for draft in run.ledger.candidates.of_run(run.run_id, "draft")}
    tries: dict[str, list[Candidate]] = {}
    for final in run.ledger.candidates.of_run(run.run_id, "final"):
        if final.draft_id is not None:
            tries.setdefault(final.draft_id, []).append(final)
    accepted = [_accept_best(run, drafts[draft_id], finals) for draft_id, finals in tries.items()]
    write_lineage(_rows(run), run.folder)
    return sum(accepted)


def _rows(run: OpenRun) -> list[dict[str, Any]]:
    ledger = run.ledger
    return report_rows(run.run_id, ledger.orders.of_run(run.run_id), ledger.candidates.of_run(run.run_id))


def _accept_best(run: OpenRun, draft: Candidate, finals: Sequence[Candidate]) -> bool:
    """Compare the tries at one final with its draft; tell whether one is accepted."""
    fidelities = {
        final.candidate_id: final.fidelity
        or measure_fidelity(run.folder / draft.file, run.folder / final.file)
        for final in finals
        if final.inspection is not None and final.inspection.fault is None
    }
    chosen, reason = choose_attempt(fidelities, run.campaign.finals.min_fidelity)
    for name, fidelity in fidelities.items():
        run.ledger.candidates.record_fidelity(name, fidelity)
    run.ledger.candidates.record_acceptance(
        {f.candidate_id: (f.candidate_id == chosen, reason) for f in finals}
    )
    return chosen is not None


generate_batch = as_task(_generate, name="generate")
inspect_batch = as_task(_inspect, name="inspect")
score_drafts = as_task(_score, name="score")
deduplicate_drafts = as_task(_deduplicate, name="deduplicate")
select_finalists = as_task(_select, name="select")
compare_finals = as_task(_compare, name="compare")
