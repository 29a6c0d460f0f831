"""The plan of a further round: its orders and what they cost, shown before anybody agrees.

What is asked for is written as a small campaign, of the picture's arm and row alone, and planned as any
other: so the same checks, successors and prices hold. Its drafts then become orders of the run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.further.asked import LIKE_PROMPT, Asked
from flows.further.priced_round import PricedRound
from flows.promotion.plan import BUDGET_NAMES
from flows.runs.budgets import remaining_of_month, remaining_of_run
from flows.runs.lock import fetch_files
from flows.runs.run import StoredRun
from flows.session.prepare import Prepared, plan_again, prepare
from tasks.campaign import Campaign
from tasks.campaign.prompts import PromptFaultError, PromptTemplate, own_words
from tasks.campaign.succession import DRAFTS, DRAFTS_AND_JUDGES, NO_PART, find_shut_down
from tasks.campaign_file.load import check_built_campaign
from tasks.candidate import Candidate
from tasks.errors import CampaignError, CatalogueError, RunError
from tasks.explain import find_candidate
from tasks.ledger import Ledger, OrderRecord, open_existing_ledger
from tasks.ledger.further_rounds import FurtherRound, Place
from tasks.ledger.runs import cancelled_error
from tasks.money import count_of, format_usd
from tasks.order import Order
from tasks.pictures.bought import find_lack
from tasks.settings import Settings

_WORDS = "words_of_further_drafts"
"""The variable of the small campaign that holds a prompt that is filled already."""

_NOT_OF_ONE_ROW = {"variables", "rows", "schedule", "factors", "verdict", "ab_test", "files"}
NOT_EVIDENCE = "They count in no verdict about arms, and a person chooses among them."


@dataclass(frozen=True, kw_only=True)
class FurtherPlan(PricedRound):
    """The plan of a further round.

    Args:
        asked: What is asked for.
        orders: Its draft orders, as if it were the first; ``place`` gives them their numbers.
        before: The rounds in which exactly this was asked for before, the first one first.
        n_left: How many drafts of earlier further rounds are still to be sent, which are sent too.
        left_over_usd: The most that these cost, dollars.
        n_left_of_last: How many of them are of the last round in ``before``.
        notes: What a person should know before agreeing.
    """

    asked: Asked
    orders: tuple[Order, ...]
    before: tuple[FurtherRound, ...] = ()
    n_left: int = 0
    left_over_usd: Decimal = Decimal(0)
    n_left_of_last: int = 0
    notes: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """The text as it would be sent."""
        return self.orders[0].prompt

    @property
    def model(self) -> str:
        """The model and quality."""
        parameters = self.orders[0].parameters
        return f"{parameters['model']} at {parameters['quality']}"

    @property
    def needed_usd(self) -> Decimal:
        """What must be left for its drafts, with those that are still to be sent, dollars."""
        return self.drafts_usd + self.left_over_usd

    @property
    def n_before(self) -> int:
        """How often exactly this was bought before."""
        return len(self.before)

    @property
    def sentence(self) -> str:
        """The plan in sentences for people."""
        earlier = ""
        if self.n_left:
            still = count_of(self.n_left, "draft")
            earlier = (
                f" {still} of an earlier further round, at most {format_usd(self.left_over_usd)}, come too."
            )
        return f"{self.what}, {self.model}: {self.price}{earlier} {NOT_EVIDENCE}"

    def orders_at(self, place: Place) -> list[Order]:
        """Return the orders of a place among the run's rounds and replicates."""
        return [
            replace(order, further_round=place.number, replicate=place.replicate + index)
            for index, order in enumerate(self.orders)
        ]


def further_plan(
    settings: Settings, run: str, picture: str, ask: Callable[[Candidate], Asked]
) -> tuple[Prepared, FurtherPlan]:
    """Price a further round of a run. Asks no provider, spends and writes nothing.

    Args:
        settings: The home and the environment.
        run: The run: its id, a unique beginning of it, or ``latest``.
        picture: The draft: its id, a unique beginning of it, or its file's name.
        ask: What is asked for, of the draft.

    Raises:
        RunError: There is no such run or draft, or its file is not what was bought.
        CampaignError: What is asked for cannot be ordered.
    """
    with open_existing_ledger(settings.home, settings.environ) as ledger:
        stored = StoredRun.find(settings, ledger, run)
        if stored.record.state == "cancelled":
            raise cancelled_error(stored.run_id)
        draft = find_candidate(stored.read_candidates(), picture)
        prepared = prepare(stored.campaign_file(), settings, stored.run_id, needed=NO_PART)
        return prepared, plan_further(ledger, prepared, ask(draft))


def plan_further(ledger: Ledger, prepared: Prepared, asked: Asked) -> FurtherPlan:
    """Price a further round of a prepared run. Spends nothing and writes nothing.

    Args:
        ledger: The ledger.
        prepared: The prepared run.
        asked: What is asked for.

    Raises:
        RunError: It is asked for from something else than a sound draft of the run.
        CampaignError: What is asked for cannot be ordered.
        CatalogueError: The model has no price, or was shut down.
    """
    stored = StoredRun.find(prepared.settings, ledger, prepared.run_id).decided_by(prepared.campaign)
    draft = _draft(stored, asked)
    small = _small(prepared, draft, asked)
    try:
        planned = plan_again(replace(prepared, requested=small, needed=DRAFTS_AND_JUDGES, gone=None)).plan
    except CatalogueError as error:
        raise _with_another_model(error, prepared, small, draft) from None
    records = ledger.orders.of_run(prepared.run_id)
    left = [one.order for one in records if one.order.is_further_draft and one.state == "planned"]
    before = tuple(
        one for one in ledger.further_rounds.of_run(prepared.run_id) if one.asked == asked.as_dict()
    )
    left_usd, left_in = _budget_of_further(ledger, prepared, records)
    return FurtherPlan(
        run_id=prepared.run_id,
        asked=asked,
        what=asked.describe(draft),
        orders=tuple(
            replace(order, row=draft.row, draft_id=draft.candidate_id, further_round=1)
            for order in planned.orders
        ),
        drafts_usd=planned.drafts_high_usd,
        judging_usd=planned.judging.high_usd if planned.judging else Decimal(0),
        left_usd=left_usd,
        left_in=left_in,
        before=before,
        n_left=len(left),
        left_over_usd=sum((order.estimate_usd for order in left), Decimal(0)),
        n_left_of_last=sum(bool(before) and order.further_round == before[-1].number for order in left),
        notes=tuple(note for note in planned.warnings if note not in prepared.plan.warnings),
    )


def _with_another_model(
    error: CatalogueError, prepared: Prepared, small: Campaign, draft: Candidate
) -> CatalogueError:
    """Name the command that asks for the same of another model, where the draft's own was shut down."""
    shut_down = find_shut_down(small, prepared.catalogue, prepared.settings.today, DRAFTS)
    if not shut_down:
        return error
    named = next(filter(None, shut_down.values()), "MODEL")
    return CatalogueError(
        where=f"more of {draft.name}",
        what=error.what,
        accepted=error.accepted,
        next_step=f"Ask for another model: runoff more {prepared.run_id} {draft.name} --model {named}",
    )


def _draft(run: StoredRun, asked: Asked) -> Candidate:
    """Find the draft that is asked about; where it is sent along, its file must be what was bought."""
    named = {one.candidate_id: one for one in run.read_candidates()}
    draft = named.get(asked.candidate_id)
    what = None
    if draft is None:
        what = "is no picture of this run"
    elif draft.is_final:
        what = f"is a final; ask for more of its draft, {named[str(draft.draft_id)].name}"
    elif draft.arm not in run.campaign.arms or draft.row >= len(run.campaign.all_rows):
        what = f"is of arm {draft.arm}, row {draft.row + 1}, which the run's campaign no longer has"
    elif asked.base == "like":
        what = _lack_of(run, draft)
    if what is not None or draft is None:
        raise RunError(
            where=f"picture {draft.name if draft else asked.candidate_id}",
            what=what or "",
            next_step=f"See the run's drafts: runoff review {run.run_id}",
        )
    return draft


def _lack_of(run: StoredRun, draft: Candidate) -> str | None:
    if draft.is_pruned:
        return "was deleted to free disk space, so nothing can be made like it"
    if not draft.is_sound:
        return "is no picture that could be sent along"
    fetch_files(run.folder, [draft.file])
    lack = find_lack(run.folder / draft.file, draft.sha256)
    return f"its file {draft.file} {lack}" if lack else None


def _small(prepared: Prepared, draft: Candidate, asked: Asked) -> Campaign:
    """Write what is asked for as a campaign of one arm and one row.

    Raises:
        CampaignError: It cannot be ordered; the faults name the arm's keys.
    """
    campaign = prepared.campaign
    whole = campaign.model_dump(mode="json", exclude_unset=True, exclude=_NOT_OF_ONE_ROW)
    row = dict(campaign.all_rows[draft.row])
    arm = {
        key: value
        for key, value in whole["arms"][draft.arm].items()
        if key not in ("budget_usd", "levels", "successor")
    }
    drafts = whole.get("drafts", {})
    if asked.base == "like":
        pictures = [str(prepared.folder / draft.file), *campaign.references_of(draft.arm)]
        arm |= {"references": pictures}
        for part in (arm, whole):
            part.pop("mask", None)
        drafts = {key: value for key, value in drafts.items() if key != "moderation"}
        arm |= {"drafts": {k: v for k, v in (arm.get("drafts") or {}).items() if k != "moderation"}}
    if asked.prompt is not None or asked.base == "like":
        row[_WORDS] = _words(prepared, draft, asked.prompt or LIKE_PROMPT)
        arm |= {"prompt": f"{{{{ {_WORDS} }}}}"}
    if asked.model is not None:
        own = {key: value for key, value in (arm.get("drafts") or {}).items() if key != "successor"}
        arm |= {"drafts": {**own, "model": asked.model}}
    each = {"per_prompt": asked.n, "images_per_request": 1, "allocation": "fixed", "lane": "interactive"}
    weights = {name: weight for name, weight in campaign.score.weights.items() if name != "duel"}
    changes = {
        "rows": [row],
        "arms": {draft.arm: {key: value for key, value in arm.items() if value not in (None, {})}},
        "drafts": {**drafts, **each},
        "score": {**whole.get("score", {}), "weights": weights or {"technical": 1.0}},
        "finalists": {"count": 0},
    }
    return _checked(whole | changes, prepared, draft)


def _words(prepared: Prepared, draft: Candidate, template: str) -> str:
    """Fill a person's template with the row and the draft's own text.

    Raises:
        CampaignError: It cannot be filled.
    """
    try:
        row = prepared.campaign.all_rows[draft.row]
        return PromptTemplate(template).render({**row, "prompt": own_words(draft.prompt)})
    except PromptFaultError as error:
        names = ", ".join(sorted({*prepared.campaign.all_rows[draft.row], "prompt"}))
        fault = f"prompt: {error}, accepted: a template over {names}"
        raise _not_orderable(prepared, draft, [fault]) from None


def _not_orderable(prepared: Prepared, draft: Candidate, faults: Sequence[str]) -> CampaignError:
    next_step = f"Ask for something else: runoff more {prepared.run_id} {draft.name} --help"
    return CampaignError(f"more of {draft.name}", list(faults), next_step)


def _checked(facts: dict[str, Any], prepared: Prepared, draft: Candidate) -> Campaign:
    try:
        campaign = Campaign.model_validate(facts)
        return check_built_campaign(campaign, Path.cwd(), prepared.catalogue, prepared.providers)
    except CampaignError as error:
        raise _not_orderable(prepared, draft, error.faults) from None


def tightest_budget(ledger: Ledger, prepared: Prepared) -> tuple[Decimal, str]:
    """Find what a run's drafts may still cost, dollars, and the name of the budget that limits it."""
    campaign = prepared.campaign
    return min(
        (one.left_usd, BUDGET_NAMES[one.of])
        for one in (
            remaining_of_run(ledger, campaign, prepared.run_id),
            *remaining_of_month(ledger, campaign, prepared.ledger_per_month_usd, datetime.now(UTC)),
        )
    )


def _budget_of_further(
    ledger: Ledger, prepared: Prepared, records: Sequence[OrderRecord]
) -> tuple[Decimal, str]:
    """Find what further drafts may still cost, dollars, and the name of the budget that limits it."""
    campaign, budgets = prepared.campaign, [tightest_budget(ledger, prepared)]
    if campaign.budget.further_usd is not None:
        spent = sum((one.charged_usd for one in records if one.order.is_further_draft), Decimal(0))
        left = max(campaign.budget.further_usd - spent, Decimal(0))
        budgets.append((left, "this run's budget for further drafts"))
    return min(budgets)
