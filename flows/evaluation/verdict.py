"""The A/B test of a run: its verdict, and its rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from flows.evaluation.effects import compare_factors
from flows.evaluation.scored_drafts import name_scorers, scored_drafts, split_by_round, votes_of_rounds
from flows.runs.run import StoredRun
from tasks.ab_test.evidence import HeldOut
from tasks.ab_test.preference_sentences import state_preferences, state_undecided
from tasks.ab_test.preferences import Preference, prefer_arms
from tasks.ab_test.segment_preferences import prefer_in_segments
from tasks.ab_test.segments import Segment, find_segments
from tasks.ab_test.verdict import compare_arms
from tasks.allocate import rank_arms
from tasks.campaign import Campaign
from tasks.campaign.rounds import ArmStanding, Pass, RoundDecision, is_complete, passes_of
from tasks.candidate import Candidate
from tasks.ledger.report_rows import report_rows
from tasks.money import count_of
from tasks.orders.missing_scores import note_of_test, partly_scored, scorers_that_count
from tasks.pairwise.votes import Vote


def compare_run(
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    campaign: Campaign,
    decided: Sequence[RoundDecision],
    votes: Sequence[Vote] = (),
) -> dict[str, Any] | None:
    """Compare a run's arms by its total score, and by people's votes; ``None`` with only one arm.

    After a round in which arms were dropped, the others are compared by the pictures made since.

    Args:
        rows: The report's rows.
        candidates: The run's pictures.
        campaign: The campaign.
        decided: The run's decided rounds, in order.
        votes: People's votes; their verdict is the headline once there are enough.
    """
    segments = segments_of(campaign)
    found = _compare_by(campaign.score.weights, rows, candidates, decided, segments, campaign)
    if found is None:
        return None
    people = compare_by_votes(candidates, votes, segments, campaign)
    found |= {"people": people, "scores_headline": found["headline"]}
    if effects := compare_factors(rows, candidates, campaign, decided, votes):
        found["effects"] = effects
    return found | {"headline": people["headline"]} if people and people["is_enough"] else found


def compare_by_each(run: StoredRun) -> dict[str, dict[str, Any]]:
    """Compare a run's arms by people's votes, by the total and by each scorer alone. Writes nothing.

    Returns:
        The verdicts by ``votes``, ``total`` and the scorers' names, and what ``effects`` the factors have, as
        far as they exist. Votes decide about arms directly, never by way of the scorer ``votes``, which ranks
        pictures.

    Raises:
        RunError: The run's campaign file is missing.
    """
    candidates, weights = run.read_candidates(), run.campaign.score.weights
    rows = report_rows(run.run_id, run.ledger.orders.of_run(run.run_id), candidates)
    decided, segments = run.ledger.rounds.of_run(run.run_id), segments_of(run.campaign)
    by_weights = {"total": weights} | {name: {name: 1.0} for name in sorted(weights) if name != "votes"}
    votes = run.ledger.votes.of_run(run.run_id)
    found = {"votes": compare_by_votes(candidates, votes, segments, run.campaign)}
    found |= {
        name: _compare_by(each, rows, candidates, decided, segments, run.campaign)
        for name, each in by_weights.items()
    }
    found["effects"] = compare_factors(rows, candidates, run.campaign, decided, votes)
    return {name: verdict for name, verdict in found.items() if verdict is not None}


def segments_of(campaign: Campaign) -> list[Segment]:
    """Find the segments in which a campaign's arms are compared."""
    return find_segments(campaign.all_rows, campaign.ab_test.segments)


def compare_by_votes(
    candidates: Sequence[Candidate],
    votes: Sequence[Vote],
    segments: Sequence[Segment] = (),
    campaign: Campaign | None = None,
) -> dict[str, Any] | None:
    """Compare a run's arms by people's votes alone; ``None`` if nobody compared two arms.

    Args:
        candidates: The run's pictures.
        votes: People's votes.
        segments: Rows in which the arms are also compared by themselves.
        campaign: The campaign, whose added rounds are compared each by itself; ``None`` for one without.
    """
    counted = votes_of_rounds(votes, candidates, campaign)
    found, in_segments = prefer_arms(counted), prefer_in_segments(counted, segments)
    if not found:
        return None
    return {
        "headline": state_preferences(found, in_segments),
        "note": state_undecided(found),
        "is_enough": all(pair.is_enough for pair in found),
        "pairs": [_as_dict(pair) for pair in found],
        "segments": [
            _as_dict(one.preference)
            | {"variable": one.variable, "value": one.value, "shrunk": one.shrunk}
            | {"q_value": one.q_value, "winner": one.winner}
            for one in in_segments
        ],
    }


def _as_dict(pair: Preference) -> dict[str, Any]:
    return asdict(pair) | {"arms": list(pair.arms), "wins": list(pair.wins)}


def _compare_by(
    weights: Mapping[str, float],
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    decided: Sequence[RoundDecision],
    segments: Sequence[Segment],
    campaign: Campaign,
) -> dict[str, Any] | None:
    pictures = [one for one in candidates if one.is_campaign_draft]
    drafts = scored_drafts(rows, partly_scored(pictures, weights), weights)
    if len({draft.arm for draft in drafts}) < 2:
        return None
    by = name_scorers(scorers_that_count(pictures, weights))
    by_round = split_by_round(drafts, campaign)
    found = compare_arms(by_round.pop(0, []), held_out(decided), by, segments).as_dict()
    added = {number: compare_arms(own, None, by).as_dict() for number, own in by_round.items()}
    if added:
        found |= {"added_rounds": list(added.values())}
        for number, one in added.items():
            found["arms"] = one["arms"] | found["arms"]
            found["headline"] += f" Added round {number}, by itself: {one['headline']}"
    n_further = sum(one.is_further_draft for one in candidates)
    further = f"Not counted: {count_of(n_further, 'draft')} of further rounds." if n_further else ""
    note = " ".join(filter(None, (note_of_test(pictures, weights), further)))
    return found | {"headline": f"{found['headline']} {note}"} if note else found


def held_out(decided: Sequence[RoundDecision]) -> HeldOut | None:
    """Return which pictures no round was decided by; ``None`` if no round was decided."""
    if not decided:
        return None
    return HeldOut(frozenset(decided[-1].arms_going_on), decided[-1].next_first_replicate)


def describe_rounds(
    rows: Sequence[Mapping[str, Any]],
    candidates: Sequence[Candidate],
    campaign: Campaign,
    decided: Sequence[RoundDecision],
) -> list[dict[str, Any]]:
    """Describe a run's rounds for its report; empty if there is only one.

    The last round drops no arm; its entry shows which arm is first by all pictures of the run. Rounds that
    have not begun are described by their planned maximum.

    Args:
        rows: The report's rows.
        candidates: The run's pictures.
        campaign: The campaign.
        decided: The run's decided rounds, in order.
    """
    rounds = campaign.rounds
    if len(rounds) == 1 and not decided:
        return []
    begun = passes_of(rounds, campaign.first_arms, decided)
    standings = {decision.number: list(decision.standings) for decision in decided}
    has_ended = is_complete(rounds, decided)
    if has_ended:
        standings[len(begun)] = _first_in_the_end(rows, candidates, campaign, begun[-1])
    sizes = [(len(one.arms), one.replicates) for one in begun]
    if not has_ended:
        sizes += [(each.n_arms, each.replicates) for each in rounds[len(begun) :]]
    return [
        {
            "number": number,
            "arms": n_arms,
            "replicates": replicates,
            "is_last": number == len(sizes),
            "standings": [asdict(standing) for standing in standings.get(number, ())],
            "levels_dropped": []
            if number == len(sizes)
            else _levels_dropped(campaign, standings.get(number, ())),
        }
        for number, (n_arms, replicates) in enumerate(sizes, 1)
    ]


def _levels_dropped(campaign: Campaign, standings: Sequence[ArmStanding]) -> list[str]:
    """List the levels of which a round dropped every arm."""
    levels = campaign.levels_by_arm
    before, after = (
        {pair for one in standings if one.arm in levels and wanted(one) for pair in levels[one.arm].items()}
        for wanted in (lambda _: True, lambda one: one.goes_on)
    )
    return [
        f"{factor} {level}"
        for factor, named in campaign.levels_by_factor.items()
        for level in named
        if (factor, level) in before - after
    ]


def _first_in_the_end(
    rows: Sequence[Mapping[str, Any]], candidates: Sequence[Candidate], campaign: Campaign, last: Pass
) -> list[ArmStanding]:
    made = [one for one in candidates if one.is_campaign_draft and not campaign.added_round_of(one.replicate)]
    if not any(draft.replicate >= last.first_replicate for draft in made):
        return []
    weights = campaign.score.weights
    ids = {one.candidate_id for one in made}
    own = [row for row in rows if row["candidate_id"] in ids]
    scored = scored_drafts(own, partly_scored(made, weights), weights)
    first, *others = rank_arms(scored, last.arms, share_made=1.0)
    if first.lead is None:
        return []
    return [replace(one, goes_on=one is first, chance=None) for one in (first, *others)]
