"""A round that adds levels of a factor, or the best combination, to a run: what is asked for, and its price.

Unlike further drafts of one picture, its drafts are evidence: its new arms are made of every row, beside arms
of before, and are compared within the round. It is written into the run's own campaign file, from which a run
that is cut off goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from flows.evaluation.verdict import compare_by_each
from flows.further.plan import tightest_budget
from flows.further.priced_round import PricedRound
from flows.runs.run import StoredRun
from flows.session.prepare import Prepared, plan_again, prepare
from tasks.campaign import Campaign
from tasks.campaign.added_round import NewLevels, hosts_of, with_combination, with_new_levels, with_round
from tasks.campaign.factors import LEVEL_PATTERN
from tasks.campaign.rounds import is_complete
from tasks.campaign.succession import DRAFTS_AND_JUDGES
from tasks.campaign_file.load import check_built_campaign
from tasks.errors import CampaignError, RunError
from tasks.ledger import Ledger, open_existing_ledger
from tasks.ledger.runs import cancelled_error
from tasks.limits import ARMS
from tasks.money import count_of
from tasks.order import Order, digest_of
from tasks.settings import Settings

_NOT_OF_A_ROUND = {"schedule", "factors", "verdict", "files"}
_NEEDED = "a run of a campaign with factors, whose own rounds are bought"


@dataclass(frozen=True, slots=True)
class AskedRound:
    """A round as a person asks for it.

    Args:
        levels: New levels by factor; none to ask for the best combination.
        n: Pictures of each of its arms and rows; ``None`` for as many as the campaign's ``per_prompt``.
    """

    levels: NewLevels
    n: int | None = None

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """Read what ``as_dict`` wrote."""
        return cls(facts["levels"], facts["n"])

    def as_dict(self) -> dict[str, Any]:
        """Write it as plain data."""
        return {"levels": {factor: dict(levels) for factor, levels in self.levels.items()}, "n": self.n}


@dataclass(frozen=True, kw_only=True)
class AddedPlan(PricedRound):
    """The plan of a round that adds arms.

    Args:
        asked: What is asked for.
        key: Names the purchase.
        arms: Its new arms; none where the best combination was made already.
        beside: The arms that are made again beside them.
        orders: Its draft orders, as if they were a campaign of their own.
        n_before: How often exactly this was bought before.
        is_known: The run has this round already, so that only what is left of it is bought.
        notes: What a person should know before agreeing.
    """

    asked: AskedRound
    key: str
    arms: tuple[str, ...]
    beside: tuple[str, ...]
    orders: tuple[Order, ...]
    n_before: int = 0
    is_known: bool = False
    notes: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """The text of its first new arm in the first row."""
        return self._first.prompt

    @property
    def model(self) -> str:
        """The model and quality of its first new arm."""
        return f"{self._first.parameters['model']} at {self._first.parameters['quality']}"

    @property
    def sentence(self) -> str:
        """The plan in sentences for people."""
        return f"{self.what}: {self.price}"

    @property
    def _first(self) -> Order:
        return next((one for one in self.orders if one.arm in self.arms), self.orders[0])


def plan_added(
    settings: Settings, run: str, asked: AskedRound, key: str | None = None, by: str = ""
) -> tuple[Prepared, AddedPlan]:
    """Price a round that adds arms to a run. Asks no provider, spends and writes nothing.

    Args:
        settings: The home and the environment.
        run: The run: its id, a unique beginning of it, or ``latest``.
        asked: What is asked for.
        key: Names the purchase; ``None`` for a name made of what is asked for, and how often it was before.
        by: Who asks.

    Raises:
        RunError: The run has no factors, is not finished, or has these levels already.
        CampaignError: What is asked for cannot be ordered.
    """
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        stored = StoredRun.find(settings, ledger, run)
        text = stored.campaign_file().read_text(encoding="utf-8")
        _require_factors(stored)
        campaign = stored.campaign
        known = next((one for one in campaign.added_rounds if key is not None and one.key == key), None)
        if known is not None:
            amended, arms, beside = campaign, known.arms, known.beside
            n_before, named = 0, known.key
        else:
            _require_drafts_made(stored)
            amended, beside, wanted = _amended(stored, asked)
            arms = tuple(name for name in amended.arms if name not in campaign.arms)
            name = digest_of([list(arms), list(beside), wanted])
            n_before = sum(one.key.startswith(f"{name}-") for one in campaign.added_rounds)
            named = key or f"{name}-{n_before + 1}"
            facts = {"replicates": wanted, "key": named, "asked_by": by}
            first = _next_replicate(ledger, stored)
            amended = with_round(campaign, amended, beside, {"first_replicate": first, **facts})
        checked = _checked(stored, amended)
        prepared = replace(
            prepare(checked, settings, stored.run_id, needed=DRAFTS_AND_JUDGES), amended_from=text
        )
        replicates = next(one.replicates for one in checked.added_rounds if one.key == named)
        priced = _priced(prepared, {*arms, *beside}, replicates)
        left_usd, left_in = tightest_budget(ledger, prepared)
    planned = priced.plan
    return prepared, AddedPlan(
        run_id=stored.run_id,
        asked=asked,
        key=named,
        what=_describe(arms, beside, len(planned.orders)),
        arms=arms,
        beside=beside,
        orders=planned.orders,
        drafts_usd=planned.drafts_high_usd,
        judging_usd=planned.judging.high_usd if planned.judging else Decimal(0),
        left_usd=left_usd,
        left_in=left_in,
        n_before=n_before,
        is_known=known is not None,
        notes=tuple(note for note in planned.warnings if note not in prepared.plan.warnings),
    )


def _require_factors(run: StoredRun) -> None:
    """Refuse a run without factors, and one that was cancelled."""
    if run.record.state == "cancelled":
        raise cancelled_error(run.run_id)
    if run.campaign.factors is None:
        raise _not_addable(run, "has no factors", f"See its arms: runoff verdict {run.run_id}")


def _require_drafts_made(run: StoredRun) -> None:
    """Refuse a run that has drafts still to make: those of its campaign, or of another round."""
    drafts = [one for one in run.ledger.orders.of_run(run.run_id) if one.order.is_draft]
    is_whole = is_complete(run.campaign.rounds, run.ledger.rounds.of_run(run.run_id))
    if not drafts or not is_whole or any(one.state == "planned" for one in drafts):
        raise _not_addable(
            run, "has drafts of its own still to make", f"Finish it first: runoff run --resume {run.run_id}"
        )


def _amended(run: StoredRun, asked: AskedRound) -> tuple[Campaign, tuple[str, ...], int]:
    """Add the arms that are asked for; returns the arms beside them, and how many pictures of each."""
    campaign = run.campaign
    wanted = asked.n or campaign.drafts.per_prompt
    if not asked.levels:
        best = compare_by_each(run).get("effects", {}).get("best")
        if best is None:
            next_step = f"See what it has: runoff verdict {run.run_id}"
            raise _not_addable(run, "has no best combination: too few scores", next_step)
        named = {tuple(levels.items()): name for name, levels in campaign.levels_by_arm.items()}
        both = [best["levels"]] * best["is_made"] + [best["next_made"] or best["levels"]]
        beside = tuple(named[tuple((factor, one[factor]) for factor in best["levels"])] for one in both)
        return with_combination(campaign, best["levels"]), tuple(dict.fromkeys(beside)), wanted
    _check_levels(run, asked.levels)
    decided = run.ledger.rounds.of_run(run.run_id)
    going_on = decided[-1].arms_going_on if decided else None
    beside_of = {factor: hosts_of(campaign, factor, going_on) for factor in asked.levels}
    amended = with_new_levels(campaign, asked.levels, beside_of)
    hosts = [name for own in beside_of.values() for name in own]
    return amended, tuple(name for name in campaign.arms if name in hosts), wanted


def _check_levels(run: StoredRun, levels: NewLevels) -> None:
    """Refuse factors that there are not, levels that there are, and more arms than the bound."""
    import re

    named = run.campaign.levels_by_factor
    for factor, new in levels.items():
        if factor not in named:
            raise _not_addable(run, f"has no factor {factor}: it has {', '.join(named)}", _SEE_HELP)
        for name in new:
            if name in named[factor]:
                what = f"has the level {factor} {name} already"
                raise _not_addable(run, what, f"See what it does: runoff verdict {run.run_id} --by effects")
            if not re.match(LEVEL_PATTERN, name):
                what = f"cannot have a level named {name!r}: a name is letters, digits and hyphens"
                raise _not_addable(run, what, _SEE_HELP)


_SEE_HELP = "See how to ask: runoff more --help"


def _next_replicate(ledger: Ledger, run: StoredRun) -> int:
    """Return the first replicate that no order of the run has, and no round of its campaign plans."""
    last = run.campaign.rounds[-1]
    drafts = [one.order for one in ledger.orders.of_run(run.run_id) if one.order.is_draft]
    ends = [order.replicate + order.n for order in drafts]
    ends += [one.first_replicate + one.replicates for one in run.campaign.added_rounds]
    return max([*ends, last.first_replicate + last.replicates])


def _checked(run: StoredRun, campaign: Campaign) -> Campaign:
    """Check the campaign with the round, as any other.

    Raises:
        RunError: It has more arms than the bound.
        CampaignError: What is asked for cannot be ordered.
    """
    if len(campaign.arms) > ARMS:
        what = f"would have {len(campaign.arms)} arms, and {ARMS} are the most"
        raise _not_addable(run, what, "Add fewer levels, or vary fewer in a new campaign.")
    try:
        return check_built_campaign(campaign, Path.cwd(), run.catalogue, run.providers)
    except CampaignError as error:
        place = f"run {run.run_id}"
        raise CampaignError(place, error.faults, "Ask for something else: runoff more --help") from None


def _priced(prepared: Prepared, arms: set[str], replicates: int) -> Prepared:
    """Plan the round as a campaign of its own arms."""
    whole = prepared.campaign.model_dump(mode="json", exclude_unset=True, exclude=_NOT_OF_A_ROUND)
    own = {
        name: {key: value for key, value in arm.items() if key != "levels"}
        for name, arm in whole["arms"].items()
        if name in arms
    }
    drafts = {**whole.get("drafts", {}), "per_prompt": replicates, "allocation": "fixed"}
    small = Campaign.model_validate({**whole, "arms": own, "drafts": drafts, "finalists": {"count": 0}})
    return plan_again(replace(prepared, requested=small, needed=DRAFTS_AND_JUDGES, gone=None))


def _describe(arms: Sequence[str], beside: Sequence[str], n_orders: int) -> str:
    new = f"{count_of(len(arms), 'new arm')} ({_named(arms)}) beside " if arms else ""
    requests = count_of(n_orders, "request")
    return f"{new}{count_of(len(beside), 'arm')} made again ({_named(beside)}), {requests}"


def _named(names: Sequence[str], shown: int = 4) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


def _not_addable(run: StoredRun, what: str, next_step: str) -> RunError:
    return RunError(
        where=f"run {run.run_id}",
        what=what,
        accepted=_NEEDED,
        money="Nothing was bought.",
        next_step=next_step,
    )
