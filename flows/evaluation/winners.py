"""The arms that won a run, for a campaign whose finalists are of the arm that won. Writes nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from flows.evaluation.verdict import compare_run
from flows.runs.run import StoredRun
from tasks.ab_test.result import winner_by
from tasks.ab_test.segments import find_segments
from tasks.ab_test.winners import Outcome, Winners, find_winners
from tasks.campaign import Campaign
from tasks.ledger.report_rows import report_rows


def find_winners_of_run(run: StoredRun) -> Winners | None:
    """Find the arms that won by the run's verdict; ``None`` where finalists are of any arm, or there is one.

    Raises:
        RunError: The run's campaign file is missing.
    """
    if run.campaign.finalists.from_ == "all":
        return None
    candidates, ledger = run.read_candidates(), run.ledger
    rows = report_rows(run.run_id, ledger.orders.of_run(run.run_id), candidates)
    decided, votes = ledger.rounds.of_run(run.run_id), ledger.votes.of_run(run.run_id)
    return winners_by(compare_run(rows, candidates, run.campaign, decided, votes), run.campaign)


def winners_by(verdict: Mapping[str, Any] | None, campaign: Campaign) -> Winners | None:
    """Find the arms that won by a verdict, people's once it comes first; ``None`` as above.

    Args:
        verdict: From ``flows.evaluation.verdict.compare_run``.
        campaign: The campaign. Segments count if its ``ab_test.segments`` names their variables.
    """
    if campaign.finalists.from_ == "all" or verdict is None:
        return None
    by = _first_verdict(verdict)
    named = campaign.ab_test.segments
    in_segments = [
        (segment, _outcomes([one for one in by["segments"] if _is_of(one, segment.variable, segment.value)]))
        for segment in (find_segments(campaign.all_rows, named) if named else ())
    ]
    return find_winners(_outcomes(by["pairs"]), in_segments)


def _first_verdict(verdict: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return people's verdict if it comes first and is about every arm; else the scores'."""
    people: Mapping[str, Any] | None = verdict["people"]
    if not people or not people["is_enough"]:
        return verdict
    compared, all_arms = ({arm for pair in by["pairs"] for arm in pair["arms"]} for by in (people, verdict))
    return people if compared >= all_arms else verdict


def _is_of(found: Mapping[str, Any], variable: str, value: str) -> bool:
    return (found["variable"], found["value"]) == (variable, value)


def _outcomes(pairs: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    """Scores' pairs say who wins as a verdict, people's pairs and all segments as a winner."""
    return [
        Outcome((a, b), pair.get("winner") or winner_by(pair.get("verdict"), (a, b)))
        for pair in pairs
        for a, b in (pair["arms"],)
    ]
