"""A home with a run that nobody bought, written straight into the ledger, and a review page on it."""

import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from flows.further.child_process import ChildFurtherBuyer
from flows.promotion.action import Promotion
from flows.review.access import Access
from flows.review.app import create_app
from flows.review.page_context import PageContext
from flows.review.server import listen, serving
from flows.review.visitors import Visitors
from flows.session.cancelling import give_up
from tasks.candidate import Candidate, Choice, Inspection, Receipt, Score, Standing
from tasks.errors import RunoffError
from tasks.ledger import Ledger
from tasks.ledger.candidates import insert_receipts
from tasks.ledger.schema import orders
from tasks.money import format_usd
from tasks.order import Order
from tasks.settings import Settings
from tasks.storage.home import run_folder
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.ledgers import open_ledger

CAMPAIGN: dict[str, Any] = {
    "name": "otters",
    "provider": "emulator",
    "budget": {"per_run_usd": "3.00"},
    "variables": {"action": ["swimming", "asleep in kelp"]},
    "arms": {
        "A": {"prompt": "A sea otter {{ action }}, watercolour"},
        "B": {"prompt": "A sea otter {{ action }}, photograph"},
    },
    "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x640", "per_prompt": 3},
    "finalists": {"count": 2, "approval": "review"},
    "finals": {"model": "gpt-image-2.5-sunburst", "quality": "medium", "size": "1024x640"},
}
N_PAINTED = 12
TRY_USD = Decimal("0.05")


@dataclass
class Shop:
    """A promoter that notes what it is told to buy, and asks 5 cents a finalist, two tries each."""

    ledger: Ledger
    started: list[str] = field(default_factory=list)
    state: Promotion | None = None
    trouble: RunoffError | None = None

    def price(self, run_id: str) -> "Asked":
        """Price whatever is chosen now."""
        drafts = self.ledger.candidates.of_run(run_id, "draft")
        return Asked([d.candidate_id for d in drafts if d.choice and d.choice.is_finalist])

    def start(self, run_id: str) -> None:
        """Note it, or fail as the test says."""
        if self.trouble is not None:
            raise self.trouble
        self.started.append(run_id)

    def look(self, run_id: str) -> Promotion | None:  # noqa: ARG002
        """Tell what the test says."""
        return self.state


@dataclass(frozen=True)
class Asked:
    """What the shop asks for."""

    ids: Sequence[str]
    left_usd: Decimal = Decimal("0.27")
    left_in: str = "this run's budget"
    model: str = "gpt-image-2.5-sunburst at medium"

    @property
    def n_finals(self) -> int:
        """One for each finalist."""
        return len(self.ids)

    @property
    def has_work(self) -> bool:
        """Whether there is anything to buy."""
        return self.n_finals > 0

    @property
    def first_usd(self) -> Decimal:
        """One try each."""
        return TRY_USD * len(self.ids)

    @property
    def all_usd(self) -> Decimal:
        """Two tries each."""
        return 2 * self.first_usd

    @property
    def of_finalist_usd(self) -> Mapping[str, Decimal]:
        """A try's price by finalist."""
        return dict.fromkeys(self.ids, TRY_USD)

    @property
    def sentence(self) -> str:
        """The price in a sentence."""
        return f"{self.n_finals} finals, at most {format_usd(self.all_usd)}"


class NotingFurtherBuyer(ChildFurtherBuyer):
    """Prices further rounds, and notes the commands that would buy them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.begun: list[Sequence[str]] = []
        self.state: Promotion | None = None

    def begin(self, run_id: str, words: Sequence[str]) -> None:  # noqa: ARG002
        """Note it."""
        self.begun.append(words)

    def look(self, run_id: str) -> Promotion | None:  # noqa: ARG002
        """Tell what the test says."""
        return self.state


def paint(folder: Path) -> None:
    """Paint a few small pictures and their thumbnails."""
    for name in ("drafts", "finals", "thumbnails"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(painted()):
        (folder / f"drafts/p{number:02d}.png").write_bytes(data)
        with Image.open(io.BytesIO(data)) as picture:
            picture.save(folder / f"thumbnails/p{number:02d}.webp")


@cache
def painted() -> list[bytes]:
    """Paint the files of drafts and finals, ``p00.png`` and so on."""
    chance, files = np.random.default_rng(7), []
    for number in range(N_PAINTED):
        pixels = np.full((40, 64, 3), chance.integers(40, 220, 3), dtype=np.uint8)
        pixels[8:32, 16 + number : 48, :] = chance.integers(40, 220, 3)
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        files.append(stream.getvalue())
    return files


def filled_home(folder: Path, **changes: object) -> Path:
    """Make a home with that run, whose own campaign file is otherwise in these keys."""
    home = folder / "home"
    home.mkdir()
    with open_ledger(home) as ledger:
        fill_run(home, ledger)
    change_campaign(home, **changes)
    return home


def change_campaign(home: Path, **changes: object) -> None:
    """Write the run's own campaign file anew, with other values of some keys."""
    file = run_folder(home, CAMPAIGN["name"], RUN_ID) / "campaign.yaml"
    file.write_text(yaml.safe_dump(CAMPAIGN | changes), encoding="utf-8")


def fill_run(
    home: Path, ledger: Ledger, *, per_cell: int = 3, prompt: str = "A sea otter", n_files: int = N_PAINTED
) -> list[Candidate]:
    """Write a run of two arms and two rows that awaits review; its best two of arm A are chosen.

    The pictures of a cell differ in score; the last of each cell is a copy of the first.
    """
    ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
    folder = run_folder(home, "otters", RUN_ID)
    paint(folder)
    (folder / "campaign.yaml").write_text(yaml.safe_dump(CAMPAIGN))
    ordered = [
        an_order(replicate=k, arm=arm, row=row, prompt=f"{prompt} {row} {arm}")
        for row in range(2)
        for arm in "AB"
        for k in range(per_cell)
    ]
    receive(ledger, ordered, n_files=n_files)
    decide(ledger, ordered, per_cell, n_files)
    ledger.runs.end(RUN_ID, "awaiting review", NOON)
    return ledger.candidates.of_run(RUN_ID, "draft")


def receive(
    ledger: Ledger, ordered: Sequence[Order], folder: str = "drafts", n_files: int = N_PAINTED
) -> list[str]:
    """Write orders as received, a picture each, all at once; gives their candidates' ids."""
    ledger.orders.plan(ordered)
    receipts = [_receipt(order, k % n_files, folder) for k, order in enumerate(ordered)]
    with ledger.database.write() as connection:
        here = orders.c.order_id.in_([order.order_id for order in ordered])
        connection.execute(orders.update().where(here).values(state="received", n_sends=1))
        insert_receipts(connection, [(RUN_ID, one) for one in receipts])
    return [receipt.candidate_id for receipt in receipts]


def _receipt(order: Order, number: int, folder: str) -> Receipt:
    data = painted()[number] if number < N_PAINTED else b""
    digest, name = hashlib.sha256(data).hexdigest(), f"{folder}/p{number:02d}.png"
    return Receipt(order.order_id, 0, order.replicate, name, digest, len(data), None)


def decide(ledger: Ledger, ordered: Sequence[Order], per_cell: int, n_files: int) -> None:
    """Write what inspection, scores, deduplication and selection found out."""
    ids = [Receipt(order.order_id, 0, 0, "", "", 0, None).candidate_id for order in ordered]
    seen = {
        name: Inspection(64, 40, "png", phash=f"{k * 2654435761 % 2**64:016x}", dhash=f"{k:016x}",
                         thumbnail=f"thumbnails/p{k % n_files:02d}.webp")
        for k, name in enumerate(ids)
    }  # fmt: skip
    ledger.candidates.record_inspections(seen)
    totals = {name: round(0.95 - 0.9 * k / len(ids), 4) for k, name in enumerate(ids)}
    ledger.candidates.record_scores(
        {name: {"technical": Score(total, "sharp")} for name, total in totals.items()}, dict(totals)
    )
    standings: dict[str, Standing] = {}
    for k, name in enumerate(ids):
        first = ids[k - per_cell + 1] if per_cell > 1 and k % per_cell == per_cell - 1 else None
        standings[name] = (
            Standing("duplicate", first, first, "near", 3) if first else Standing("survivor", name)
        )
    ledger.candidates.record_standings(standings)
    survivors = [name for name in ids if standings[name].status == "survivor"]
    ledger.candidates.record_choices(
        {
            name: Choice(rank, rank <= 2, f"rank {rank}", "rule" if rank <= 2 else None)
            for rank, name in enumerate(survivors, start=1)
        }
    )


@dataclass
class Open:
    """A review page that is being served."""

    home: Path
    ledger: Ledger
    access: Access
    shop: Shop
    drafts: list[Candidate]
    further: NotingFurtherBuyer

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.access.port}"

    @property
    def run(self) -> str:
        """Where its run is."""
        return f"{self.address}/runs/{RUN_ID}"

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return run_folder(self.home, "otters", RUN_ID)


@contextmanager
def review_page(home: Path, *, token: str | None = None, **filling: Any) -> Iterator[Open]:
    """Serve a review page of a filled home on a free port."""
    with open_ledger(home) as ledger:
        drafts = fill_run(home, ledger, **filling)
        with page_on(home, ledger, drafts, token=token) as opened:
            yield opened


@contextmanager
def page_on(
    home: Path, ledger: Ledger, drafts: list[Candidate], *, token: str | None = None, **rules: Any
) -> Iterator[Open]:
    """Serve a review page of a home as it is on a free port; with further rules of access."""
    listener = listen("127.0.0.1", 0)
    invited = Visitors(ledger.invitations)
    port, names = listener.getsockname()[1], frozenset({"studio"})
    access = Access("127.0.0.1", port, names, token, visitors=invited, **rules)
    shop, settings = Shop(ledger), Settings(home, os.environ)
    further = NotingFurtherBuyer(settings)
    context = PageContext(
        settings, ledger, shop, access, "mara", lambda run_id: give_up(settings, run_id).sentence, further
    )
    with serving(create_app(context), listener):
        yield Open(home, ledger, access, shop, drafts, further)
