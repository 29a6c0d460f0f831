"""What all pages share: the ledger, the runs, the promoter, and the formatting of values.

A run is read again for every page, so that pages show its current state, whichever process works on it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from fastapi.templating import Jinja2Templates
from starlette.requests import Request
from starlette.responses import Response

from flows.further.action import FurtherBuyer
from flows.promotion.action import Promoter
from flows.review.access import Access
from flows.review.visitors import Visitor
from flows.runs.lock import is_free
from flows.runs.run import StoredRun
from tasks.candidate import Candidate, rank_finalists
from tasks.errors import RunError
from tasks.ledger import Ledger
from tasks.money import count_of, format_usd
from tasks.page_templates import open_templates
from tasks.settings import Settings

HERE = Path(__file__).parent
ARM_COLOURS = 6


def _by_command(run_id: str) -> str:
    raise RunError(
        where=f"run {run_id}",
        what="cannot be cancelled on this page",
        money="Nothing was changed.",
        next_step=f"Cancel it with: runoff cancel {run_id} --for-good",
    )


@dataclass(frozen=True)
class PageContext:
    """What all pages share.

    Args:
        settings: The home and the environment.
        ledger: Its ledger.
        promoter: Prices and starts promotions.
        access: Access to the server.
        person: The default name for people who have given none.
        further: Prices and starts further rounds; ``None`` where they are asked for by the command only.
        give_up: Gives a run up for good, and says in a sentence what became of it; it spends nothing.
    """

    settings: Settings
    ledger: Ledger
    promoter: Promoter
    access: Access
    person: str
    give_up: Callable[[str], str] = _by_command
    further: FurtherBuyer | None = None

    @cached_property
    def _templates(self) -> Jinja2Templates:
        filters = {"usd": usd, "moment": moment, "count": count_of}
        return Jinja2Templates(env=open_templates(HERE / "templates", filters))

    def page(self, request: Request, template: str, **facts: object) -> Response:
        """Render a page.

        Args:
            request: The request.
            template: The template's file name.
            **facts: The template's variables.
        """
        visitor: Visitor = request.state.visitor
        shared = {"csrf": self.access.csrf, "person": visitor.name or self.person, "visitor": visitor}
        return self._templates.TemplateResponse(request, template, shared | facts)

    def run_view(self, run_id: str) -> "RunView":
        """Read a run.

        Raises:
            RunError: There is no such run.
        """
        return RunView(self.settings, self.ledger, self.ledger.runs.find(run_id), context=self)


@dataclass(frozen=True)
class RunView(StoredRun):
    """The current state of a run; each part is read once, when it is first needed.

    Args:
        context: What all pages share.
    """

    context: PageContext = field(kw_only=True)

    @property
    def is_worked_on(self) -> bool:
        """Whether a process works on it now; after a kill the state is still ``running``."""
        return self.record.state == "running" and not is_free(self.ledger, self.folder)

    @cached_property
    def candidates(self) -> list[Candidate]:
        """All pictures, in the order of the plan."""
        return self.read_candidates()

    @property
    def drafts(self) -> list[Candidate]:
        """The drafts."""
        return [candidate for candidate in self.candidates if candidate.is_draft]

    @property
    def finals(self) -> list[Candidate]:
        """The finals."""
        return [candidate for candidate in self.candidates if candidate.is_final]

    @cached_property
    def arms(self) -> dict[str, int]:
        """Each arm's colour number, in the campaign's order of arms."""
        named = dict.fromkeys([*self.campaign.arms, *sorted({c.arm for c in self.candidates})])
        return {arm: place % ARM_COLOURS for place, arm in enumerate(named)}

    def shortlist_ids(self) -> tuple[int, list[str]]:
        """Return the revision of the finalists and their ids in order; revision 0 is the rule's choice."""
        last = self.ledger.shortlists.last(self.run_id)
        if last is not None:
            return last.revision, list(last.candidate_ids)
        return 0, [draft.candidate_id for draft in rank_finalists(self.drafts)]


def usd(amount: Decimal | None) -> str:
    """Format dollars; a dash if unknown."""
    return "–" if amount is None else format_usd(amount)


def moment(time: datetime | None) -> str:
    """Format a time for people, UTC."""
    if time is None:
        return "–"
    utc = time.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"
