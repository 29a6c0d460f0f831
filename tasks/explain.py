"""Why a picture was chosen, or was not: its scores with what is behind them, its rank, and every rule it met.

Nothing is decided here. The facts are those of the ledger, laid beside the campaign's rules as they are now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.campaign import Campaign
from tasks.campaign.choice import Deduplicate
from tasks.candidate import Candidate
from tasks.errors import RunError
from tasks.money import count_of
from tasks.pictures.fingerprint import hash_distance_bits

SHORTEST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class ExplainedScore:
    """One scorer's part in the total.

    Args:
        scorer: Its name.
        value: Its opinion, 0 to 1; ``None`` when it could not tell.
        weight: Its weight in the campaign; 0 when it only records.
        share: Its part of the total's weights, 0 to 1, among the scorers that answered.
        reason: Its own words.
        version: Its version.
        measurements: The raw figures.
    """

    scorer: str
    value: float | None
    weight: float
    share: float
    reason: str
    version: str
    measurements: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the campaign, and how the picture stands to it.

    Args:
        name: The campaign's key.
        limit: What it asks for, in words.
        found: What was found.
        holds: Whether the picture meets it; ``None`` when that cannot be told.
    """

    name: str
    limit: str
    found: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known about why a picture stands where it does.

    Args:
        candidate_id: The picture.
        name: How people call it: its file's name without the ending.
        stage: ``draft`` or ``final``.
        arm: The arm.
        row: The row of variables.
        prompt: The text that it was made with.
        is_chosen: Whether it is a finalist; for a final, whether it is accepted. ``None`` while undecided.
        reason: Why, in one sentence.
        rank: Its place among the survivors; ``None`` for what is not ranked.
        survivors: How many are ranked.
        score: The total, 0 to 1.
        scores: What it is made of.
        standing: Where deduplication put it, in one sentence.
        copies: The pictures that are copies of it.
        rules: Every rule of the campaign that bears on it.
    """

    candidate_id: str
    name: str
    stage: str
    arm: str
    row: int
    prompt: str
    is_chosen: bool | None
    reason: str
    rank: int | None
    survivors: int
    score: float | None
    scores: tuple[ExplainedScore, ...]
    standing: str
    copies: tuple[str, ...]
    rules: tuple[Rule, ...]


def find_candidate(candidates: Sequence[Candidate], word: str) -> Candidate:
    """Find the picture that somebody means.

    Args:
        candidates: The run's pictures.
        word: Its id, a beginning of it that no other has, or its file's name, with or without folder and
            ending.

    Raises:
        RunError: There is none, or several.
    """
    named = [
        one
        for one in candidates
        if word in (one.candidate_id, one.file, one.file.rpartition("/")[2], one.name)
    ]
    if not named and len(word) >= SHORTEST_PREFIX:
        named = [one for one in candidates if one.candidate_id.startswith(word)]
    if len(named) == 1:
        return named[0]
    several = ", ".join(one.candidate_id for one in named[:5])
    raise RunError(
        where=f"picture {word}",
        what=f"it may be any of {several}" if named else "the run has no such picture",
        accepted="a candidate's id, its beginning, or its file's name such as A-000-001",
        money="",
        next_step="The report names each picture: runoff report",
    )


def explain(candidate: Candidate, candidates: Sequence[Candidate], campaign: Campaign) -> Explanation:
    """Explain one picture of a run.

    Args:
        candidate: The picture: draft or final, survivor, copy or unfit.
        candidates: All pictures of the run.
        campaign: The rules.
    """
    drafts = [one for one in candidates if one.is_draft]
    choice = candidate.choice
    return Explanation(
        candidate_id=candidate.candidate_id,
        name=candidate.name,
        stage=candidate.stage,
        arm=candidate.arm,
        row=candidate.row,
        prompt=candidate.prompt,
        is_chosen=candidate.is_accepted if candidate.is_final else choice.is_finalist if choice else None,
        reason=_reason(candidate),
        rank=candidate.rank,
        survivors=sum(one.rank is not None for one in drafts),
        score=candidate.score,
        scores=_scores(candidate, campaign.score.weights),
        standing=_standing(candidate),
        copies=tuple(
            one.candidate_id
            for one in drafts
            if one.standing and one.standing.duplicate_of == candidate.candidate_id
        ),
        rules=() if candidate.is_final else tuple(_rules(candidate, drafts, campaign)),
    )


def _reason(candidate: Candidate) -> str:
    if candidate.is_final:
        if candidate.fidelity is None:
            return f"a final of {candidate.draft_id}, not compared with it"
        verdict = {True: "accepted", False: "not accepted", None: "not decided"}[candidate.is_accepted]
        return f"{verdict}: fidelity {candidate.fidelity.value:.2f} to the draft {candidate.draft_id}"
    return candidate.choice.reason if candidate.choice else "nothing was decided yet"


def _scores(candidate: Candidate, weights: Mapping[str, float]) -> tuple[ExplainedScore, ...]:
    answered = sum(
        weights.get(name, 0.0) for name, score in candidate.scores.items() if score.value is not None
    )
    return tuple(
        ExplainedScore(
            scorer=name,
            value=score.value,
            weight=(weight := weights.get(name, 0.0)),
            share=weight / answered if answered and score.value is not None else 0.0,
            reason=score.reason,
            version=score.version,
            measurements=dict(score.measurements),
        )
        for name, score in sorted(candidate.scores.items())
    )


def _standing(candidate: Candidate) -> str:
    standing = candidate.standing
    if standing is None:
        return "a final" if candidate.is_final else "not yet compared with the others"
    if candidate.is_survivor:
        return "a picture of its own"
    if candidate.is_duplicate:
        away = standing.hash_distance_bits
        bits = "" if away is None else f", {count_of(away, 'bit')} away"
        kind = "an exact" if standing.duplicate_kind == "exact" else "a near"
        return f"{kind} copy of {standing.duplicate_of}{bits}"
    return f"not fit to show{f': {candidate.fault}' if candidate.fault else ''}"


def _rules(candidate: Candidate, drafts: Sequence[Candidate], campaign: Campaign) -> list[Rule]:
    """List the rules, those about the picture alone first, those about its company after."""
    wanted = campaign.finalists
    others = [one for one in drafts if one.is_finalist and one.candidate_id != candidate.candidate_id]
    rules = [
        Rule(
            "deduplicate",
            "no copy, and fit to show",
            _standing(candidate),
            None if candidate.standing is None else candidate.is_survivor,
        )
    ]
    if wanted.min_score is not None:
        score = candidate.score
        shown = "no score" if score is None else f"{score:.4f}"
        rules.append(
            Rule(
                "min_score",
                f"at least {wanted.min_score}",
                shown,
                score is not None and score >= wanted.min_score,
            )
        )
    rules.append(_room("count", wanted.count, others, "finalists"))
    of_arm = [one for one in others if one.arm == candidate.arm]
    if wanted.max_per_arm is not None:
        rules.append(_room("max_per_arm", wanted.max_per_arm, of_arm, f"finalists of arm {candidate.arm}"))
    if wanted.max_per_prompt is not None:
        of_prompt = [one for one in of_arm if one.row == candidate.row]
        place = f"finalists of arm {candidate.arm}, row {candidate.row}"
        rules.append(_room("max_per_prompt", wanted.max_per_prompt, of_prompt, place))
    rules.append(_spread(candidate, others, campaign.deduplicate))
    return rules


def _room(name: str, limit: int, others: Sequence[Candidate], what: str) -> Rule:
    return Rule(name, f"at most {limit}", f"{len(others)} other {what}", len(others) < limit)


def _spread(candidate: Candidate, others: Sequence[Candidate], copies: Deduplicate) -> Rule:
    radius_bits = copies.radius_bits
    limit = f"more than {count_of(radius_bits, 'bit')} from every finalist"
    near = [
        (bits, one.candidate_id)
        for one in others
        if (bits := hash_distance_bits(candidate, one, copies.hash)) is not None
    ]
    if not near:
        return Rule("spread", limit, "no other finalist to compare with", None if others else True)
    bits, name = min(near)
    return Rule("spread", limit, f"{count_of(bits, 'bit')} from {name}, the nearest", bits > radius_bits)
