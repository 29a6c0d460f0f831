"""The file ``summary.json``: a run's counts, money, verdict and finalists, for programs.

Dollars are JSON numbers, ``null`` when unknown. ``docs/report.md`` lists the keys.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tasks.report_page.facts import RunFacts
from tasks.report_page.measures import measure_arm, measure_finals, total_spent
from tasks.report_page.rows import (
    Row,
    count_orders,
    count_pictures,
    is_draft,
    is_duplicate,
    is_final,
    is_finalist,
    is_unique_image,
    merit,
)
from tasks.report_page.verdict import state_verdict

_STATES = ("planned", "sent", "received", "refused", "failed", "unknown")


def write_summary(rows: Sequence[Row], facts: RunFacts) -> bytes:
    """Render the summary as indented UTF-8 JSON."""
    drafts = [row for row in rows if is_draft(row)]
    finals = [row for row in rows if is_final(row)]
    summary = {
        "run_id": facts.run_id,
        "campaign": facts.campaign,
        "started_at": facts.started_at,
        "finished_at": facts.finished_at,
        "awaiting": facts.awaiting,
        "verdict": state_verdict(rows, facts),
        "counts": _count(drafts, finals, facts),
        "money": _price(rows, facts),
        "arms": _measure_arms(drafts, finals, facts),
        "ab_test": facts.ab_test,
        "statements": list(facts.statements) or None,
        "judge_check": facts.judge_check,
        "rounds": list(facts.rounds) or None,
        "further_rounds": list(facts.further_rounds) or None,
        "calibration": facts.calibration,
        "people": facts.people,
        "duplicates_by_radius": facts.copies_by_radius,
        "copies_by_radius": facts.copies_by_radius,  # its former name, kept for readers of it
        "finalists": [_name_finalist(row, finals) for row in _choose(drafts)],
        "without_finalist": dict(facts.without_finalist),
        "warnings": list(facts.warnings),
        "models": dict(facts.models),
        "versions": dict(facts.versions),
    }
    return (json.dumps(summary, indent=2, ensure_ascii=False, default=_simplify) + "\n").encode()


def _count(drafts: Sequence[Row], finals: Sequence[Row], facts: RunFacts) -> dict[str, Any]:
    by_state = {state: count_orders([*drafts, *finals], state) for state in _STATES}
    duplicates, unique_images = sum(map(is_duplicate, drafts)), sum(map(is_unique_image, drafts))
    return {
        "orders_by_state": dict(facts.counts_by_state) or by_state,
        "drafts": count_pictures(drafts),
        "duplicates": duplicates,
        "copies": duplicates,  # its former name, kept for readers of it; so is "survivors"
        "unique_images": unique_images,
        "survivors": unique_images,
        "finalists": sum(map(is_finalist, drafts)),
        "finals": count_pictures(finals),
        "finals_accepted": sum(1 for row in finals if row["accepted"]),
    }


def _price(rows: Sequence[Row], facts: RunFacts) -> dict[str, Any]:
    return {
        "spent_usd": total_spent(rows, facts),
        "spent_usd_by_stage": dict(facts.spent_usd),
        "unknown_usd": facts.unknown_usd,
        "estimate_usd": facts.estimate_usd,
        "estimate_error_by_stage": {
            stage: {
                "orders": error.orders,
                "low_usd": error.low_usd,
                "high_usd": error.high_usd,
                "billed_usd": error.billed_usd,
                "low_error_percent": error.low_error_percent,
                "high_error_percent": error.high_error_percent,
            }
            for stage, error in facts.estimate_errors.items()
        }
        or None,
        "all_high_usd": facts.all_high_usd,
    }


def _measure_arms(drafts: Sequence[Row], finals: Sequence[Row], facts: RunFacts) -> dict[str, Any]:
    tested = (facts.ab_test or {}).get("arms") or {}
    measured = {}
    for arm in list(facts.arms) or sorted({row["arm"] for row in drafts}):
        own, bought = ([row for row in rows if _is_of_arm(row, arm)] for rows in (drafts, finals))
        measured[arm] = measure_arm(own, tested.get(arm) or {}) | measure_finals(own, bought)
    return measured


def _is_of_arm(row: Row, arm: str) -> bool:
    """Whether a row counts for an arm: what grew from one of its pictures in a further round does not."""
    return row["arm"] == arm and row.get("further_round") is None


def _choose(drafts: Sequence[Row]) -> list[Row]:
    return sorted((row for row in drafts if row["finalist"]), key=merit)


def _name_finalist(draft: Row, finals: Sequence[Row]) -> dict[str, Any]:
    tries = [row for row in finals if row["draft_id"] == draft["candidate_id"] and row["candidate_id"]]
    accepted = next((row for row in tries if row["accepted"]), None)
    best = accepted or max(tries, key=lambda row: row["fidelity"] or 0.0, default=None)
    return {
        "candidate_id": draft["candidate_id"],
        "arm": draft["arm"],
        "row": draft["row"],
        "replicate": draft["replicate"],
        "file": draft["file"],
        "score": draft["score"],
        "rank": draft["rank"],
        "chosen_by": draft["chosen_by"],
        "final_file": best and best["file"],
        "fidelity": best and best["fidelity"],
        "accepted": best and best["accepted"],
    }


def _simplify(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple | set | frozenset) else str(value)
