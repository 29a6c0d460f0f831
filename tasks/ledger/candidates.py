"""Candidates: pictures received, and the results of the steps, written by candidate id."""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.candidate import Candidate, Choice, Fidelity, Inspection, Receipt, Score, Standing
from tasks.ledger.database import Database, reconnecting
from tasks.ledger.equal_values import one_text
from tasks.ledger.many_ids import in_parts
from tasks.ledger.schema import candidates, orders, scores
from tasks.order import Stage

_OF_ORDER = ("stage", "arm", "row", "attempt", "prompt", "draft_id", "edition", "endpoint", "further_round")


class Uninspected(NamedTuple):
    """A picture to inspect.

    Args:
        candidate_id: Its id.
        file: Its path, relative to the run's folder.
        downgraded: What is known to differ from the order, or ``None``.
        parameters: The order's request fields, as sent.
    """

    candidate_id: str
    file: str
    downgraded: str | None
    parameters: Mapping[str, Any]


@reconnecting
class Candidates:
    """The candidates of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_run(self, run_id: str, stage: Stage | None = None) -> list[Candidate]:
        """List a run's candidates in the order of the plan, with all that is known about them."""
        with self._database.read() as connection:
            current = _current_scores(connection, run_id)
            rows = connection.execute(_of_run(run_id, stage))
            return [_candidate(row, current.get(row.candidate_id, {})) for row in rows]

    def newly_inspected(self, run_id: str, stage: Stage, known: Container[str]) -> list[Candidate]:
        """List the inspected candidates of one stage that are not known yet, without their scores.

        While pictures arrive each is read once: reading all of them each time takes longer and longer.

        Args:
            run_id: The run.
            stage: The stage.
            known: Ids of those known.

        Returns:
            The others in the order of the plan.
        """
        query = _of_run(run_id, stage).where(candidates.c.is_inspected)
        with self._database.read() as connection:
            ids = connection.scalars(query.with_only_columns(candidates.c.candidate_id)).all()
            new = [name for name in ids if name not in known]
            return [
                _candidate(row, {})
                for part in in_parts(new)
                for row in connection.execute(query.where(candidates.c.candidate_id.in_(part)))
            ]

    def uninspected(self, run_id: str, order_ids: Collection[str] | None = None) -> list[Uninspected]:
        """List the candidates not inspected yet, of all orders or of some."""
        query = (
            sa.select(
                candidates.c.candidate_id, candidates.c.file, candidates.c.downgraded, orders.c.parameters
            )
            .join(orders, orders.c.order_id == candidates.c.order_id)
            .where(candidates.c.run_id == run_id, ~candidates.c.is_inspected)
        )
        if order_ids is not None:
            query = query.where(orders.c.order_id.in_(order_ids))
        with self._database.read() as connection:
            return [Uninspected(*row) for row in connection.execute(query)]

    def mark_downgraded(self, marks: Mapping[str, str]) -> None:
        """Replace the recorded differences from the order."""
        self._update((candidate_id, {"downgraded": mark}) for candidate_id, mark in marks.items())

    def record_inspections(self, found: Mapping[str, Inspection]) -> None:
        """Record the inspection of each picture, without waiting for the disk: it can be done again."""
        changes = ((name, {"is_inspected": True, **asdict(one)}) for name, one in found.items())
        self._update(changes, is_durable=False)

    def record_standings(self, decided: Mapping[str, Standing]) -> None:
        """Record the result of deduplication for each candidate."""
        self._update((candidate_id, asdict(standing)) for candidate_id, standing in decided.items())

    def record_scores(
        self, given: Mapping[str, Mapping[str, Score]], totals: Mapping[str, float | None]
    ) -> None:
        """Record each scorer's score and the weighted total; older versions stay, no longer current."""
        self._update((candidate_id, {"score": total}) for candidate_id, total in totals.items())
        rows = [
            {
                "candidate_id": candidate_id,
                "scorer": scorer,
                "version": score.version,
                "value": score.value,
                "reason": score.reason,
                "measurements": dict(score.measurements),
                "is_current": True,
            }
            for candidate_id, by_scorer in given.items()
            for scorer, score in by_scorer.items()
        ]
        if not rows:
            return
        keys = [{"of": row["candidate_id"], "by": row["scorer"], "at": row["version"]} for row in rows]
        this_score = (scores.c.candidate_id == sa.bindparam("of")) & (scores.c.scorer == sa.bindparam("by"))
        with self._database.write() as connection:
            connection.execute(scores.update().where(this_score).values(is_current=False), keys)
            connection.execute(
                scores.delete().where(this_score & (scores.c.version == sa.bindparam("at"))), keys
            )
            connection.execute(scores.insert(), rows)

    def record_choices(self, chosen: Mapping[str, Choice]) -> None:
        """Record what selection decided about each draft."""
        self._update(
            (
                candidate_id,
                {
                    "rank": choice.rank,
                    "is_finalist": choice.is_finalist,
                    "selection_reason": choice.reason,
                    "chosen_by": choice.chosen_by,
                },
            )
            for candidate_id, choice in chosen.items()
        )

    def record_fidelity(self, candidate_id: str, fidelity: Fidelity) -> None:
        """Record how closely a final matches its draft."""
        values = {
            "fidelity": fidelity.value,
            "fidelity_ssim": fidelity.ssim,
            "fidelity_hash_bits": fidelity.hash_distance_bits,
            "fidelity_palette": fidelity.palette,
            "fidelity_zoom": fidelity.zoom,
            "fidelity_shift": fidelity.shift,
            "fidelity_tone": fidelity.tone,
            "fidelity_mirrored": fidelity.is_mirrored,
        }
        self._update([(candidate_id, values)])

    def record_acceptance(self, decided: Mapping[str, tuple[bool, str]]) -> None:
        """Record which finals are delivered and which are not, and why."""
        self._update(
            (candidate_id, {"is_accepted": is_accepted, "selection_reason": reason})
            for candidate_id, (is_accepted, reason) in decided.items()
        )

    def _update(self, changes: Iterable[tuple[str, Mapping[str, Any]]], *, is_durable: bool = True) -> None:
        rows = [{"of": candidate_id, **values} for candidate_id, values in changes]
        if not rows:
            return
        update = candidates.update().where(candidates.c.candidate_id == sa.bindparam("of"))
        with self._database.write(is_durable=is_durable) as connection:
            connection.execute(update, rows)


def _of_run(run_id: str, stage: Stage | None) -> sa.Select[Any]:
    query = (
        sa.select(
            candidates,
            *(orders.c[name] for name in _OF_ORDER),
        )
        .join(orders, orders.c.order_id == candidates.c.order_id)
        .where(candidates.c.run_id == run_id)
        .order_by(orders.c.stage, orders.c.position, candidates.c.order_id, candidates.c.index)
    )
    return query.where(orders.c.stage == stage) if stage else query


def insert_receipts(connection: Connection, receipts: Sequence[tuple[str, Receipt]]) -> None:
    """Insert the pictures of orders that are being settled, in the caller's transaction.

    Args:
        connection: The caller's transaction.
        receipts: The pictures, each with its run.
    """
    if receipts:
        connection.execute(candidates.insert(), [_receipt_row(*one) for one in receipts])


def _receipt_row(run_id: str, receipt: Receipt) -> dict[str, Any]:
    return {
        "candidate_id": receipt.candidate_id,
        "order_id": receipt.order_id,
        "run_id": run_id,
        "index": receipt.index,
        "replicate": receipt.replicate,
        "file": receipt.file,
        "sha256": receipt.sha256,
        "n_bytes": receipt.n_bytes,
        "downgraded": receipt.downgraded,
        "is_liked": False,
        "is_inspected": False,
    }


def _current_scores(connection: Connection, run_id: str) -> dict[str, dict[str, Score]]:
    query = (
        sa.select(scores)
        .join(candidates, candidates.c.candidate_id == scores.c.candidate_id)
        .where(candidates.c.run_id == run_id, scores.c.is_current)
    )
    found: dict[str, dict[str, Score]] = {}
    for row in connection.execute(query):
        reason, version = one_text(row.reason), one_text(row.version)
        score = Score(row.value, reason, row.measurements, version)
        found.setdefault(row.candidate_id, {})[one_text(row.scorer)] = score
    return found


def _candidate(row: sa.Row[Any], given: Mapping[str, Score]) -> Candidate:
    return Candidate(
        candidate_id=row.candidate_id,
        order_id=row.order_id,
        stage=one_text(row.stage),
        arm=one_text(row.arm),
        row=row.row,
        replicate=row.replicate,
        attempt=row.attempt,
        prompt=one_text(row.prompt),
        file=row.file,
        sha256=row.sha256,
        n_bytes=row.n_bytes,
        downgraded=row.downgraded,
        draft_id=row.draft_id,
        edition=row.edition,
        further_round=row.further_round,
        endpoint=one_text(row.endpoint),
        is_liked=row.is_liked,
        is_pruned=row.pruned_at is not None,
        inspection=_inspection(row) if row.is_inspected else None,
        standing=_standing(row) if row.status else None,
        scores=given,
        score=row.score,
        choice=_choice(row) if row.selection_reason is not None else None,
        fidelity=_fidelity(row) if row.fidelity is not None else None,
        is_accepted=row.is_accepted,
    )


def _inspection(row: sa.Row[Any]) -> Inspection:
    return Inspection(
        width=row.width,
        height=row.height,
        format=one_text(row.format),
        has_c2pa=row.has_c2pa,
        c2pa_issuer=row.c2pa_issuer,
        c2pa_state=row.c2pa_state,
        phash=row.phash,
        dhash=row.dhash,
        colorhash=row.colorhash,
        measurements=row.measurements or {},
        thumbnail=row.thumbnail,
        fault=row.fault,
    )


def _standing(row: sa.Row[Any]) -> Standing:
    return Standing(
        status=one_text(row.status),
        cluster=_same(row.cluster, row.candidate_id),
        duplicate_of=row.duplicate_of,
        duplicate_kind=one_text(row.duplicate_kind),
        hash_distance_bits=row.hash_distance_bits,
        similarity=row.similarity,
        similar_cluster=_same(row.similar_cluster, row.candidate_id),
    )


def _same(text: str | None, known: str) -> str | None:
    """Keep one of two equal texts."""
    return known if text == known else text


def _choice(row: sa.Row[Any]) -> Choice:
    return Choice(row.rank, bool(row.is_finalist), row.selection_reason, row.chosen_by)


def _fidelity(row: sa.Row[Any]) -> Fidelity:
    return Fidelity(
        row.fidelity,
        row.fidelity_ssim,
        row.fidelity_hash_bits,
        row.fidelity_palette,
        row.fidelity_zoom,
        row.fidelity_shift,
        row.fidelity_tone,
        row.fidelity_mirrored,
    )
