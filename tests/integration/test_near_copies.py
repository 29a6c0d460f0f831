"""Pictures that a person cannot tell apart at 512 px are not shown, judged or chosen twice."""

import hashlib
import random
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flows.evaluation import ahead, looks
from flows.evaluation.ahead import compare_ahead, stop_comparing
from flows.evaluation.compared_pairs import ComparedPairs
from flows.evaluation.drafts import deduplicate_drafts, inspect_new, select_finalists
from flows.evaluation.judge_answers import JudgeAnswers, pools
from flows.evaluation.scores import add_free_scores
from flows.review.pairing import choose_pair, pool_of
from flows.runs.run import StoredRun
from flows.stages.judging import next_round
from tasks.campaign_file.load import load_campaign
from tasks.candidate import Candidate, Receipt, Standing
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.deduplicate import deduplicate
from tasks.duplicates.comparison import Comparison, Seen, compare_seen
from tasks.emulator.painting.retouch import shaken
from tasks.judging.replies import DuelReply, Reply
from tasks.ledger import Ledger
from tasks.ledger.candidates import Candidates, insert_receipts
from tasks.order import Stage
from tasks.orders.questions import worth_judging
from tasks.pairwise.votes import Vote
from tasks.pictures.looks import Look, look_of_thumbnail
from tasks.settings import Settings
from tasks.storage.home import run_folder
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.edited_pictures import cropped, scaled
from tests.support.ledgers import open_ledger

ROOT = Path(__file__).parents[2]
PRODUCTS = sorted((ROOT / "configs/campaigns/products").glob("*.png"))[:2]
GROUNDS = {"beach": "#e8d9b5", "kitchen": "#d9d4cc"}


def product_on_ground(product: Path, ground: str, left: int) -> Image.Image:
    """Put a product on a plain ground, 512 px."""
    picture = Image.new("RGB", (512, 512), ground)
    with Image.open(product) as opened:
        shown = opened.convert("RGBA").resize((280, 280))
    picture.paste(shown, (left, 150), shown)
    return picture


def of_one_prompt(product: Path, ground: str, seed: int) -> list[Image.Image]:
    """Make a picture, two that nobody can tell from it, and one with the product elsewhere."""
    first = product_on_ground(product, ground, 90)
    near = shaken(first, seed).convert("RGB")
    off_corner = scaled(1.05)(cropped(left=0.03, top=0.03)(first))
    return [first, near, off_corner, product_on_ground(product, ground, 190)]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[StoredRun]:
    """A run of the product campaign, received and not yet looked at."""
    settings = Settings(tmp_path, {})
    campaign = load_campaign(
        ROOT / "configs/campaigns/product-pictures.yaml",
        catalogue=load_catalogue(tmp_path, {}),
        providers=load_providers(tmp_path, {}),
    )
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start(RUN_ID, campaign=campaign.name, provider="emulator", now=NOON)
        receive(ledger, run_folder(tmp_path, campaign.name, RUN_ID))
        yield StoredRun(settings, ledger, ledger.runs.find(RUN_ID), campaign)


def receive(ledger: Ledger, folder: Path) -> None:
    """Write the pictures of every arm and row."""
    (folder / "drafts").mkdir(parents=True)
    orders, receipts = [], []
    for row, product in enumerate(PRODUCTS):
        for arm, ground in GROUNDS.items():
            pictures = of_one_prompt(product, ground, row)
            if arm == "kitchen":  # the fourth picture of the other arm, hardly cropped
                elsewhere = of_one_prompt(product, GROUNDS["beach"], row)[3]
                pictures.append(scaled(1.02)(cropped(left=0.02)(elsewhere)))
            for replicate, picture in enumerate(pictures):
                order = an_order(replicate=replicate, arm=arm, row=row, prompt=f"{product.stem} at the {arm}")
                file = f"drafts/{arm}-{row:03d}-{replicate:03d}.png"
                picture.save(folder / file)
                data = (folder / file).read_bytes()
                digest = hashlib.sha256(data).hexdigest()
                orders.append(order)
                receipts.append(Receipt(order.order_id, 0, replicate, file, digest, len(data), None))
    ledger.orders.plan(orders)
    with ledger.database.write() as connection:
        insert_receipts(connection, [(RUN_ID, one) for one in receipts])


def are_one_picture(one: Candidate, other: Candidate) -> bool:
    """Whether a person cannot tell them apart."""
    if one.row != other.row:
        return False
    if one.arm == other.arm:
        return max(one.replicate, other.replicate) < 3
    of_two_arms = {(each.arm, each.replicate) for each in (one, other)}
    return of_two_arms == {("beach", 3), ("kitchen", 4)}


@pytest.mark.slow
def test_no_two_of_one_picture_are_duelled_judged_or_chosen(run: StoredRun) -> None:
    """One of each three stays; the product elsewhere is another picture, and the same in both arms."""
    inspect_new(run)
    add_free_scores(run)
    assert deduplicate_drafts(run) == 8
    select_finalists(run)

    drafts = run.read_candidates("draft")
    survivors = [draft for draft in drafts if draft.is_survivor]
    finalists = [draft for draft in drafts if draft.is_finalist]
    judged = worth_judging(drafts)
    duels = list(every_duel(drafts))

    assert len(survivors) == len(judged) == 10, "each arm is judged by its own pictures"
    assert len(duels) == 16, "of the ten pairs of a row one is the same picture, and one is similar to it"
    assert len(finalists) >= 2
    for pairs in (duels, judge_duels(drafts), all_pairs(finalists)):
        assert pairs
        same = [(one.name, other.name) for one, other in pairs if are_one_picture(one, other)]
        assert same == []
    for pairs in (all_pairs(survivors), all_pairs(judged)):
        assert {one.arm == other.arm for one, other in pairs if are_one_picture(one, other)} == {False}


def test_what_was_compared_while_drafts_came_in_is_not_compared_again(
    run: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And decides the same; a pass that nobody wants any more compares nothing."""
    compared: list[object] = []
    monkeypatch.setattr(looks, "_compared", ComparedPairs())

    def counted(one: Seen, others: Sequence[Seen]) -> Iterator[Comparison]:
        for found in compare_seen(one, others):
            compared.append(found)
            yield found

    monkeypatch.setattr(looks, "compare_seen", counted)
    inspect_new(run)
    stop_comparing(run, "stopped")
    compare_ahead(run, "stopped")
    assert compared == []
    looks.forget_looks(run.folder)
    compare_ahead(run, "wanted")
    n_ahead = len(compared)
    add_free_scores(run)
    assert deduplicate_drafts(run) == 8
    assert n_ahead == len(compared) > 20


def test_a_picture_is_looked_at_once_for_the_passes_and_for_the_decision(
    run: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last drafts are compared with those of before, of which only a glance is kept."""
    read: list[Path] = []
    monkeypatch.setattr(looks, "_compared", ComparedPairs())

    def noted(file: Path) -> Look:
        read.append(file)
        return look_of_thumbnail(file)

    monkeypatch.setattr(looks, "look_of_thumbnail", noted)
    inspect_new(run)
    compare_ahead(run, "wanted")
    read.clear()
    monkeypatch.setattr(looks, "_compared", ComparedPairs())  # as if each pair were a new one
    assert deduplicate_drafts(run, keeps_looks=True) == 8
    assert read == []


def test_a_pass_over_drafts_takes_only_those_that_one_since_the_last_pass_may_be_like(
    run: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of its row: the same picture may be in another arm."""
    taken: list[set[int]] = []

    def noted(some: Sequence[Candidate], *rest: Any) -> dict[str, Standing]:
        taken.append({one.row for one in some})
        return deduplicate(some, *rest)

    monkeypatch.setattr(ahead, "deduplicate", noted)
    orders = [record.order for record in run.ledger.orders.of_run(RUN_ID)]
    for arm, row in (("beach", 0), ("beach", 1), ("kitchen", 0)):
        inspect_new(run, [one.order_id for one in orders if (one.arm, one.row) == (arm, row)])
        compare_ahead(run, "wanted")
    compare_ahead(run, "wanted")
    assert taken == [{0}, {1}, {0}, set()]


def test_passes_over_drafts_read_each_of_them_once(run: StoredRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading all of them at each pass takes longer and longer."""
    read: list[str] = []
    newly_inspected = Candidates.newly_inspected

    def noted(of: Candidates, run_id: str, stage: Stage, known: Container[str]) -> list[Candidate]:
        found = newly_inspected(of, run_id, stage, known)
        read.extend(one.candidate_id for one in found)
        return found

    monkeypatch.setattr(Candidates, "newly_inspected", noted)
    monkeypatch.setattr(Candidates, "of_run", None)
    orders = [record.order.order_id for record in run.ledger.orders.of_run(RUN_ID)]
    for start in range(0, len(orders), 5):
        inspect_new(run, orders[start : start + 5])
        compare_ahead(run, "wanted")
    monkeypatch.undo()
    assert sorted(read) == sorted(one.candidate_id for one in run.read_candidates("draft"))


def judge_duels(drafts: list[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """List every pair that a judging model is asked about."""
    by_id = {draft.candidate_id: draft for draft in drafts}
    found: list[tuple[str, str]] = []
    for row, pool in pools(worth_judging(drafts)).items():
        asked: set[tuple[str, str]] = set()
        while pairs := next_round(JudgeAnswers({}, replies(row, asked)), row, pool, per_row=100):
            asked.update(pairs)
        found += asked
    return [(by_id[one], by_id[other]) for one, other in found]


def replies(row: int, asked: set[tuple[str, str]]) -> list[DuelReply]:
    """Answer every question with a tie."""
    tie = Reply('{"reason": "both are sharp", "better": "tie"}')
    return [DuelReply(row, first, second, tie) for first, second in sorted(asked)]


def all_pairs(some: list[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """Pair each with each."""
    return [(one, other) for place, one in enumerate(some) for other in some[:place]]


def every_duel(drafts: list[Candidate]) -> Iterator[tuple[Candidate, Candidate]]:
    """Judge until no pair is left."""
    votes: list[Vote] = []
    while pair := choose_pair(pool_of(drafts, votes, "mara"), random.Random(1)):
        left, right = pair
        yield left, right
        votes.append(
            Vote(
                f"v{len(votes)}", RUN_ID, left.row, left.candidate_id, right.candidate_id, "tie", "mara", NOON
            )
        )
