"""What people say in a run: remarks about pictures and votes on pairs, for the report and its exports."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from flows.runs.run import StoredRun
from tasks.candidate import Candidate
from tasks.pairwise.calibration import calibrate
from tasks.pairwise.people_agreement import agree_on_pairs, agree_on_stars
from tasks.pairwise.votes import Vote
from tasks.remarks import Remark, SaidOfPicture, gather_remarks, standing_remarks


class PeopleSaid(NamedTuple):
    """What people said in a run.

    Args:
        of_picture: What stands of each picture, by its candidate id.
        facts: The summary of it, as ``RunFacts.people`` has it; ``None`` if nobody said anything.
        remarks: Every remark that stands, with the columns of ``remarks.parquet``.
        cast: Every vote.
        calibration: How well scorers agree with them, as ``Calibration.as_dict`` gives it, or ``None``.
    """

    of_picture: dict[str, SaidOfPicture]
    facts: dict[str, Any] | None
    remarks: list[dict[str, Any]]
    cast: list[Vote]
    calibration: dict[str, Any] | None

    @property
    def votes(self) -> list[dict[str, Any]]:
        """The votes, with the columns of ``votes.parquet``."""
        return [asdict(vote) for vote in self.cast]


def gather_people(run: StoredRun, candidates: Sequence[Candidate]) -> PeopleSaid:
    """Gather what people said in a run.

    Args:
        run: The run.
        candidates: Its pictures.
    """
    votes, said = run.ledger.votes.of_run(run.run_id), run.ledger.remarks.of_run(run.run_id)
    known = {one.candidate_id: one for one in candidates}
    found = calibrate([one for one in candidates if one.is_draft], votes, run.campaign.score.weights)
    of_picture = {name: one for name, one in gather_remarks(said).items() if name in known}
    return PeopleSaid(
        of_picture,
        _facts(votes, of_picture, known),
        [
            _remark(one, known[one.candidate_id])
            for one in standing_remarks(said)
            if one.candidate_id in known
        ],
        votes,
        None if found is None else found.as_dict(),
    )


def _remark(remark: Remark, picture: Candidate) -> dict[str, Any]:
    return {
        "candidate_id": remark.candidate_id,
        "stage": picture.stage,
        "arm": picture.arm,
        "row": picture.row,
        "kind": remark.kind,
        "text": remark.text,
        "stars": remark.stars,
        "said_by": remark.said_by,
        "said_at": remark.said_at,
    }


def _facts(
    votes: Sequence[Vote], of_picture: dict[str, SaidOfPicture], known: dict[str, Candidate]
) -> dict[str, Any] | None:
    if not votes and not of_picture:
        return None
    outcomes = Counter(vote.outcome for vote in votes)
    labels: dict[str, Counter[str]] = {}
    for name, said in of_picture.items():
        for label in said.labels:
            labels.setdefault(label, Counter())[known[name].arm] += 1
    return {
        "voters": dict(Counter(vote.voter for vote in votes if vote.outcome != "skip")),
        "votes": sum(outcomes.values()) - outcomes["skip"],
        "both_bad": outcomes["both bad"],
        "skipped": outcomes["skip"],
        "agreement": agree_on_pairs(votes).as_dict(),
        "agreement_on_stars": agree_on_stars(
            {name: said.stars for name, said in of_picture.items() if said.stars}
        ).as_dict(),
        "labels": {label: dict(counts) for label, counts in sorted(labels.items())},
        "comments": sum(len(said.comments) for said in of_picture.values()),
    }
