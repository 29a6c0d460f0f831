"""The step that explains why a picture was or was not chosen: its scores, its rank and every rule.

Nothing is decided here: the ledger's facts are compared with the campaign's current rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tasks.ab_test.winners import Winners
from tasks.campaign import Campaign
from tasks.campaign.choice import Deduplicate
from tasks.campaign.row_groups import row_groups_of
from tasks.candidate import Candidate, are_similar
from tasks.errors import RunError
from tasks.judging.conditions import conditions_of
from tasks.judging.panel import Opinion
from tasks.money import count_of
from tasks.pictures.fingerprint import hash_distance_bits

SHORTEST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class ExplainedScore:
    """One scorer's share of the total.

    Args:
        scorer: Its name.
        value: Its score, 0 to 1; ``None`` when it gave none.
        weight: Its weight in the campaign; 0 when it only records.
        share: Its share of the total weight, 0 to 1, among the scorers that gave a score.
        reason: The scorer's own explanation.
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
    """One rule of the campaign, and whether the picture meets it.

    Args:
        name: The campaign's key.
        limit: What it asks for, in words.
        found: What was found.
        holds: Whether the picture meets it; ``None`` when that is not known.
    """

    name: str
    limit: str
    found: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that explains a picture's rank and choice.

    Args:
        candidate_id: The picture.
        name: Its file's name without the extension.
        stage: ``draft`` or ``final``.
        arm: The arm.
        row: The row of variables, from 0.
        prompt: The text that it was made from.
        is_chosen: Whether it is a finalist; for a final, whether it is accepted. ``None`` while undecided.
        reason: Why, in one sentence.
        rank: Its rank among the unique images; ``None`` when it is not ranked.
        survivors: The number of unique images.
        score: The total, 0 to 1.
        scores: The scores that the total is made of.
        standing: The result of deduplication, in a few words.
        copies: The pictures that are duplicates of it.
        rules: Every rule of the campaign that applies to it.
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


def find_candidate(candidates: Sequence[Candidate], name: str) -> Candidate:
    """Find a picture by its id or its file's name.

    Args:
        candidates: The run's pictures.
        name: Its id, a unique prefix of it, or its file's name, with or without folder and extension.

    Raises:
        RunError: No picture matches, or several do.
    """
    named = [
        one
        for one in candidates
        if name in (one.candidate_id, one.file, one.file.rpartition("/")[2], one.name)
    ]
    if not named and len(name) >= SHORTEST_PREFIX:
        named = [one for one in candidates if one.candidate_id.startswith(name)]
    if len(named) == 1:
        return named[0]
    several = ", ".join(one.candidate_id for one in named[:5])
    raise RunError(
        where=f"picture {name}",
        what=f"it could be any of {several}" if named else "the run has no such picture",
        accepted="a candidate's id, its beginning, or its file's name such as A-000-001",
        money="",
        next_step="The report names each picture: runoff report",
    )


def explain(
    candidate: Candidate,
    candidates: Sequence[Candidate],
    campaign: Campaign,
    winners: Winners | None = None,
    opinions: Mapping[str, Opinion] = MappingProxyType({}),
) -> Explanation:
    """Explain one picture of a run.

    Args:
        candidate: Any draft or final.
        candidates: All pictures of the run.
        campaign: The rules.
        winners: The arms that won, if finalists are of these.
        opinions: What the campaign's panel says of the best drafts, by candidate id.
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
        reason=_reason(candidate, campaign),
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
        rules=()
        if candidate.is_final
        else (*_rules(candidate, drafts, campaign, winners), *_panel_rule(candidate, opinions)),
    )


def _reason(candidate: Candidate, campaign: Campaign) -> str:
    if candidate.is_final:
        if candidate.fidelity is None:
            return f"a final of {candidate.draft_id}, not compared with it"
        verdict = _verdict(candidate, campaign)
        return f"{verdict}: fidelity {candidate.fidelity.value:.2f} to the draft {candidate.draft_id}"
    return candidate.choice.reason if candidate.choice else "not decided yet"


def _verdict(final: Candidate, campaign: Campaign) -> str:
    """Name what became of a compared final: one that is faithful may still have been passed over."""
    if final.is_accepted is None:
        return "not decided"
    if final.is_accepted:
        return "accepted"
    limits = [edition.min_fidelity for edition in campaign.editions if edition.name == final.edition]
    is_faithful = final.fidelity is not None and limits and final.fidelity.value >= limits[0]
    return "not taken" if is_faithful else "not faithful"


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


_DUPLICATES = {
    "exact": "an exact duplicate",
    "near": "a near-duplicate",
    "similar": "similar, and so a duplicate,",
    "mirrored": "a mirrored or turned copy",
    "framed": "a copy with a border",
    "told": "a duplicate",
}

_KEPT = {
    "near": ", the same picture as one of another arm",
    "mirrored": ", mirrored or turned",
    "framed": ", a copy with a border",
}


def _standing(candidate: Candidate) -> str:
    standing = candidate.standing
    if standing is None:
        return "a final" if candidate.is_final else "not yet compared with the others"
    if candidate.is_survivor:
        return "a unique image" + _KEPT.get(standing.duplicate_kind or "", "")
    if candidate.is_duplicate:
        away = standing.hash_distance_bits
        bits = "" if away is None else f", {count_of(away, 'bit')} away"
        if standing.similarity is not None:
            bits = f", similarity {standing.similarity:.2f}"
        kind = _DUPLICATES[standing.duplicate_kind or "near"]
        return f"{kind} of {standing.duplicate_of}{bits}"
    return f"cannot be shown{f': {candidate.fault}' if candidate.fault else ''}"


def _rules(
    candidate: Candidate, drafts: Sequence[Candidate], campaign: Campaign, winners: Winners | None
) -> list[Rule]:
    """List the rules: first those about the picture alone, then those about the other finalists."""
    wanted = campaign.finalists
    others = [one for one in drafts if one.is_finalist and one.candidate_id != candidate.candidate_id]
    rules = [
        Rule(
            "deduplicate",
            "not a duplicate, and can be shown",
            _standing(candidate),
            None if candidate.standing is None else candidate.is_survivor,
        )
    ]
    rules += [
        Rule(
            "must",
            one.text,
            "not answered" if one.is_met is None else "true" if one.is_met else "not true",
            one.is_met,
        )
        for one in conditions_of(campaign, candidate)
    ]
    rules += [] if winners is None else [_from(candidate, winners)]
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
    if wanted.most is not None:
        rules.append(_room("count", wanted.most, others, "finalists"))
    of_arm = [one for one in others if one.arm == candidate.arm]
    if wanted.max_per_arm is not None:
        rules.append(_room("max_per_arm", wanted.max_per_arm, of_arm, f"finalists of arm {candidate.arm}"))
    if wanted.max_per_prompt is not None:
        of_prompt = [one for one in of_arm if one.row == candidate.row]
        place = f"finalists of arm {candidate.arm}, row {candidate.row + 1}"
        rules.append(_room("max_per_prompt", wanted.max_per_prompt, of_prompt, place))
    for groups in row_groups_of(campaign):
        group = groups.group_of.get(candidate.row)
        if group is not None:
            of_group = [one for one in others if groups.group_of.get(one.row) == group]
            rules.append(_room(groups.key, groups.most, of_group, f"finalists of {group}"))
    if not wanted.allow_similar:
        rules.append(_spread(candidate, others, campaign.deduplicate))
    return rules


def _panel_rule(candidate: Candidate, opinions: Mapping[str, Opinion]) -> list[Rule]:
    """Say what the panel says, where there is one."""
    if not opinions:
        return []
    opinion = opinions.get(candidate.candidate_id)
    if opinion is None:
        return [Rule("panel", "looked at by the panel, whose pictures come first", "not looked at", False)]
    differ = opinion.disagreement
    shown = "" if differ is None else f"; they differ about {differ:.0%} of the statements"
    found = f"{opinion.value:.4f} by {opinion.judges} judges{shown}"
    return [Rule("panel", "looked at by the panel, whose pictures come first", found, True)]


def _from(candidate: Candidate, winners: Winners) -> Rule:
    won = winners.of_row(candidate.row)
    found = "no arm won" if won is None else " ".join(filter(None, (f"arm {won.arm} won", won.where)))
    return Rule("from", "of the arm that won, if one did", found, won is None or won.arm == candidate.arm)


def _room(name: str, limit: int, others: Sequence[Candidate], what: str) -> Rule:
    return Rule(name, f"at most {limit}", f"{len(others)} other {what}", len(others) < limit)


def _spread(candidate: Candidate, others: Sequence[Candidate], rule: Deduplicate) -> Rule:
    radius_bits = rule.radius_bits
    if radius_bits is None:
        alike = next((one.candidate_id for one in others if are_similar(candidate, one)), None)
        is_known = candidate.standing is not None and candidate.standing.similar_cluster is not None
        shown = f"similar to {alike}" if alike else "similar to none" if is_known else "not compared"
        return Rule("spread", "similar to no finalist", shown, alike is None if is_known else None)
    limit = f"more than {count_of(radius_bits, 'bit')} from every finalist"
    near = [
        (bits, one.candidate_id)
        for one in others
        if (bits := hash_distance_bits(candidate, one, rule.hash)) is not None
    ]
    if not near:
        return Rule("spread", limit, "no other finalist to compare with", None if others else True)
    bits, name = min(near)
    return Rule("spread", limit, f"{count_of(bits, 'bit')} from {name}, the nearest", bits > radius_bits)
