"""The step that chooses the finalists: the best, within limits per arm and no two alike.

Going from best to worst, each unique image becomes a finalist or gets a reason why not. The result depends
only on the candidates and the rule, never on the candidates' order. A person's choice overrides the rule's.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from tasks.ab_test.winners import Winners
from tasks.campaign.row_groups import RowGroups
from tasks.candidate import Candidate, Choice, HashName
from tasks.decisions import Shortlist
from tasks.pictures.fingerprint import hash_distance_bits


class Merit(NamedTuple):
    """By what a draft is ordered for the choice of finalists.

    Args:
        tier: Lower ones come first, whatever their scores.
        score: Its score, in [0, 1]; ``None`` comes last.
        note: What to add to the reason why it was chosen.
    """

    tier: int
    score: float | None
    note: str = ""


class Rule(Protocol):
    """How finalists are chosen; ``None`` means no limit."""

    @property
    def count(self) -> int | None:
        """The number of finalists, 0 or more."""

    @property
    def row_groups(self) -> Sequence[RowGroups]:
        """The groups of rows whose finalists are limited together."""

    @property
    def winners(self) -> Winners | None:
        """The arms that won, if finalists are of these; else ``None``."""

    @property
    def max_per_arm(self) -> int | None:
        """The most from one arm."""

    @property
    def max_per_prompt(self) -> int | None:
        """The most from one arm and row."""

    @property
    def min_score(self) -> float | None:
        """The lowest score accepted, in [0, 1]."""

    @property
    def radius_bits(self) -> int | None:
        """Where a radius defines duplicates, hashes of finalists differ in more bits; else ``None``."""

    @property
    def hash(self) -> HashName:
        """Which hash is compared: the one by which duplicates are found."""

    @property
    def unmet(self) -> Mapping[str, str]:
        """Which condition a draft does not meet, by its id; drafts without an entry meet all."""

    @property
    def merits(self) -> Mapping[str, Merit]:
        """By what drafts are ordered instead of their total, by their id; without an entry by the total."""

    @property
    def allow_similar(self) -> bool:
        """Whether two pictures that look similar may both be chosen."""


_DUPLICATES = {
    "exact": "an exact duplicate",
    "near": "a near-duplicate",
    "similar": "similar, and so a duplicate,",
    "mirrored": "a mirrored or turned copy",
    "framed": "a copy with a border",
    "told": "marked as a duplicate",
}


def select(candidates: Sequence[Candidate], rule: Rule) -> dict[str, Choice]:
    """Choose the finalists among the drafts.

    Args:
        candidates: Those of one run, in any order; finals are ignored.
        rule: How many to choose, and the limits.

    Returns:
        One choice per draft, by candidate id. Unique images are ranked by score, those without a score last,
        equals by arm, row and replicate; duplicates and unfit pictures have no rank.
    """
    drafts = [candidate for candidate in candidates if candidate.is_draft]
    choices = {draft.candidate_id: Choice(None, False, _why_unranked(draft)) for draft in drafts}
    survivors = [draft for draft in drafts if draft.is_survivor]
    finalists = _Finalists(rule)
    arms_seen: set[str] = set()
    in_order = sorted(survivors, key=lambda draft: _order_of_merit(draft, _merit_of(draft, rule)))
    for rank, draft in enumerate(in_order, start=1):
        objection = (
            _unmet(draft, rule)
            or _of_another_arm(draft, rule)
            or _too_poor(draft, rule)
            or finalists.objection(draft, rank)
        )
        if objection is None:
            finalists.add(draft)
        reason = objection or _praise(draft, rank, rule, is_best_of_arm=draft.arm not in arms_seen)
        choices[draft.candidate_id] = Choice(
            rank, objection is None, reason + _caveat(draft), None if objection else "rule"
        )
        arms_seen.add(draft.arm)
    return choices


def choose_as_decided(choices: Mapping[str, Choice], shortlist: Shortlist) -> dict[str, Choice]:
    """Replace the rule's finalists by a person's; ranks stay, because they follow from the scores.

    Args:
        choices: The rule's choice for each draft's candidate id.
        shortlist: The person's choice; ids that are not drafts of the run are ignored.
    """
    places = {name: place for place, name in enumerate(shortlist.candidate_ids, start=1)}
    by, count = shortlist.chosen_by, len(shortlist.candidate_ids)
    decided = {}
    for name, choice in choices.items():
        if name in places:
            reason = f"chosen by {by}, place {places[name]} of {count}"
            decided[name] = Choice(choice.rank, True, reason, by)
        elif choice.is_finalist:
            decided[name] = Choice(
                choice.rank, False, f"not chosen by {by}; the rule would have ({choice.reason})"
            )
        else:
            decided[name] = choice
    return decided


def keep_bought(
    choices: Mapping[str, Choice], drafts: Sequence[Candidate], bought: Collection[str], rule: Rule
) -> dict[str, Choice]:
    """Keep drafts whose finals were bought as finalists: a resumed run must not buy others instead.

    Scores may change before a run is resumed, with a newer scorer or a picture that arrived late.

    Args:
        choices: The rule's choice for each draft's candidate id.
        drafts: The run's drafts.
        bought: Ids of drafts whose finals were ordered.
        rule: How many finalists there may be, in all and of a group of rows; places that bought ones leave
            go to the rule's best.
    """
    by_id = {draft.candidate_id: draft for draft in drafts}
    places = _Finalists(rule)
    for name in bought:
        if name in by_id:
            places.add(by_id[name])
    best = sorted((choice.rank or 0, name) for name, choice in choices.items() if choice.is_finalist)
    filled = set()
    for rank, name in best:
        if name not in bought and not (places.too_late(rank) or places.too_many_of_group(by_id[name])):
            filled.add(name)
            places.add(by_id[name])
    kept = {}
    for name, choice in choices.items():
        if name in bought and not choice.is_finalist:
            kept[name] = Choice(
                choice.rank, True, f"a final of it was bought before ({choice.reason})", "rule"
            )
        elif choice.is_finalist and name not in bought and name not in filled:
            kept[name] = Choice(
                choice.rank, False, f"finals of other drafts were already bought ({choice.reason})"
            )
        else:
            kept[name] = choice
    return kept


class _Finalists:
    """The finalists chosen so far, counted by everything that limits them."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._chosen: list[Candidate] = []
        self._of_arm: Counter[str] = Counter()
        self._of_prompt: Counter[tuple[str, int]] = Counter()
        self._of_group: Counter[tuple[str, str]] = Counter()
        self._of_cluster: dict[str, str] = {}

    def add(self, draft: Candidate) -> None:
        """Take a draft in."""
        self._chosen.append(draft)
        self._of_arm[draft.arm] += 1
        self._of_prompt[draft.arm, draft.row] += 1
        self._of_group.update((groups.key, group) for groups, group in self._groups(draft))
        if (cluster := _similar_cluster(draft)) is not None:
            self._of_cluster.setdefault(cluster, draft.candidate_id)

    def objection(self, draft: Candidate, rank: int) -> str | None:
        """Return why a draft cannot join them; ``None`` when it can."""
        return self.too_late(rank) or self._too_many(draft) or self._too_alike(draft)

    def too_late(self, rank: int) -> str | None:
        """Return that all places are taken, if they are."""
        count = self.rule.count
        if count is None or len(self._chosen) < count:
            return None
        wanted = "1 finalist was" if count == 1 else f"{count} finalists were"
        return f"not chosen: rank {rank}, and {wanted} asked for"

    def too_many_of_group(self, draft: Candidate) -> str | None:
        """Return which group of rows has all its finalists, if one of the draft's has."""
        for groups, group in self._groups(draft):
            if (number := self._of_group[groups.key, group]) >= groups.most:
                return f"not chosen: {group} already has {_finalists(number)}"
        return None

    def _too_many(self, draft: Candidate) -> str | None:
        of_arm, of_prompt = self._of_arm[draft.arm], self._of_prompt[draft.arm, draft.row]
        if self.rule.max_per_arm is not None and of_arm >= self.rule.max_per_arm:
            return f"not chosen: arm {draft.arm} already has {_finalists(of_arm)}"
        if self.rule.max_per_prompt is not None and of_prompt >= self.rule.max_per_prompt:
            return f"not chosen: arm {draft.arm}, row {draft.row + 1} already has {_finalists(of_prompt)}"
        return self.too_many_of_group(draft)

    def _too_alike(self, draft: Candidate) -> str | None:
        if self.rule.allow_similar:
            return None
        if (similar := self._of_cluster.get(_similar_cluster(draft) or "")) is not None:
            return f"not chosen: similar to finalist {similar}"
        radius = self.rule.radius_bits
        for finalist in self._chosen if radius is not None else ():
            bits = hash_distance_bits(draft, finalist, self.rule.hash)
            if bits is not None and radius is not None and bits <= radius:
                unit = "bit" if bits == 1 else "bits"
                return f"not chosen: within {bits} {unit} of finalist {finalist.candidate_id}"
        return None

    def _groups(self, draft: Candidate) -> list[tuple[RowGroups, str]]:
        named = ((groups, groups.group_of.get(draft.row)) for groups in self.rule.row_groups)
        return [(groups, group) for groups, group in named if group is not None]


def _similar_cluster(draft: Candidate) -> str | None:
    return draft.standing.similar_cluster if draft.standing else None


def _finalists(number: int) -> str:
    return "1 finalist" if number == 1 else f"{number} finalists"


def _merit_of(draft: Candidate, rule: Rule) -> Merit:
    return rule.merits.get(draft.candidate_id) or Merit(0, draft.score)


def _order_of_merit(draft: Candidate, merit: Merit) -> tuple[int, bool, float, str, int, int, str]:
    return (
        merit.tier, merit.score is None, -(merit.score or 0.0), draft.arm, draft.row, draft.replicate,
        draft.candidate_id,
    )  # fmt: skip


def _unmet(draft: Candidate, rule: Rule) -> str | None:
    reason = rule.unmet.get(draft.candidate_id)
    return f"not chosen: {reason}" if reason else None


def _of_another_arm(draft: Candidate, rule: Rule) -> str | None:
    won = rule.winners.of_row(draft.row) if rule.winners else None
    if won is None or won.arm == draft.arm:
        return None
    return f"not chosen: finalists are of the arm that won{f' {won.where}' if won.where else ''}, {won.arm}"


def _too_poor(draft: Candidate, rule: Rule) -> str | None:
    score = _merit_of(draft, rule).score
    if rule.min_score is None or (score is not None and score >= rule.min_score):
        return None
    if score is None:
        return f"not chosen: it has no score, and min_score is {rule.min_score:.2f}"
    digits = 2 if f"{score:.2f}" != f"{rule.min_score:.2f}" else 4
    return f"not chosen: score {score:.{digits}f} is below min_score {rule.min_score:.{digits}f}"


def _praise(draft: Candidate, rank: int, rule: Rule, *, is_best_of_arm: bool) -> str:
    merit = f"best of arm {draft.arm}" if is_best_of_arm else f"arm {draft.arm}"
    score = "not scored" if draft.score is None else f"score {draft.score:.2f}"
    is_open = rule.winners is not None and rule.winners.of_row(draft.row) is None
    note = _merit_of(draft, rule).note
    said = f", {note}" if note else ""
    return f"chosen: rank {rank}, {merit}, {score}{said}{'; no arm won, so all count' if is_open else ''}"


def _caveat(draft: Candidate) -> str:
    return f"; not as ordered: {draft.downgraded}" if draft.downgraded else ""


def _why_unranked(draft: Candidate) -> str:
    if draft.standing is None:
        return "not ranked: not yet compared with the others"
    if draft.is_duplicate:
        kind = _DUPLICATES[draft.standing.duplicate_kind or "near"]
        return f"not ranked: {kind} of {draft.standing.duplicate_of}"
    return f"not ranked: cannot be shown{f' ({draft.fault})' if draft.fault else ''}"


def groups_without_finalist(
    candidates: Sequence[Candidate], row_groups: Sequence[RowGroups]
) -> dict[str, str]:
    """Name the groups of rows for which the rule allows finalists and that have none.

    Args:
        candidates: The run's pictures, with their choices; finals are ignored.
        row_groups: The groups of the rule they were chosen by.

    Returns:
        Why, by the group's name: the reason of its best picture, or that it has none.
    """
    drafts = sorted(
        (one for one in candidates if one.is_draft),
        key=lambda one: (one.rank is None, one.rank or 0, _order_of_merit(one, Merit(0, one.score))),
    )
    chosen = {draft.row for draft in drafts if draft.is_finalist}
    found: dict[str, str] = {}
    for groups in row_groups:
        members: dict[str, list[Candidate]] = defaultdict(list)
        for draft in drafts:
            members[groups.group_of.get(draft.row, "")].append(draft)
        found |= {group: _why_none(members[group]) for group in groups.without(chosen)}
    return found


def _why_none(drafts: Sequence[Candidate]) -> str:
    ranked = [draft for draft in drafts if draft.choice is not None and draft.choice.rank is not None]
    if not ranked:
        return "no sound picture" if drafts else "no picture"
    choice = ranked[0].choice
    assert choice is not None
    return f"its best picture is {choice.reason}"
