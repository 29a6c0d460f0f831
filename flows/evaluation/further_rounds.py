"""The further rounds of a run, described for its report. Writes nothing."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flows.runs.run import StoredRun
from tasks.candidate import Candidate
from tasks.ledger import OrderRecord
from tasks.money import count_of


def describe_further_rounds(
    run: StoredRun, records: Sequence[OrderRecord], candidates: Sequence[Candidate]
) -> list[dict[str, Any]]:
    """Describe each further round: what was asked for, by whom, and what came of it.

    Args:
        run: The run.
        records: Its orders.
        candidates: Its pictures.

    Returns:
        As ``tasks.report_page.facts.RunFacts.further_rounds`` names it; empty without further rounds.
    """
    by_id = {one.candidate_id: one for one in candidates}
    described = []
    for one in run.ledger.further_rounds.of_run(run.run_id):
        own = [
            record
            for record in records
            if record.order.is_further_draft and record.order.further_round == one.number
        ]
        of = by_id.get(one.candidate_id)
        described.append(
            {
                "number": one.number,
                "what": describe_asked(one.asked, of),
                "candidate_id": one.candidate_id,
                "asked_by": one.asked_by,
                "asked_at": one.asked_at,
                "estimate_usd": one.estimate_usd,
                "spent_usd": sum((record.charged_usd for record in own), Decimal(0)),
                "orders": len(own),
                "pictures": sum(
                    draft.is_further_draft and draft.further_round == one.number for draft in candidates
                ),
            }
        )
    return described


def describe_asked(asked: Mapping[str, Any], of: Candidate | None) -> str:
    """Say what was asked for, in a few words.

    Args:
        asked: As ``flows.further.asked.Asked.as_dict`` wrote it.
        of: The picture that it was asked of, if it is still known.
    """
    drafts, name = count_of(asked["n"], "draft"), of.name if of else "a picture"
    what = f"{drafts} like {name}" if asked["base"] == "like" else f"{drafts} of the row of {name}"
    model = f", with {asked['model']}" if asked.get("model") else ""
    words = f", in other words: {asked['prompt']}" if asked.get("prompt") else ""
    return f"{what}{model}{words}"
