"""The Batch lane at the real door: files, batches and results of an emulator over HTTP."""

from pathlib import Path

import pytest

from tasks.attachments.drawings import write_drawn
from tasks.attachments.masks import plan_mask
from tasks.attachments.references import read_reference
from tasks.campaign.mask import Mask
from tasks.errors import BudgetError, InterruptError, PictureError, StopRunError
from tasks.images_api import disk_space
from tasks.ledger import Limits
from tests.support.batch_shop import (
    FLARE,
    Open,
    a_picture,
    batch_order,
    orders,
)
from tests.support.camera_pictures import HELD, encoded, flag, noted
from tests.support.shop import order_of


def test_orders_go_out_in_one_sitting_and_come_in_in_another(open_bench: Open) -> None:
    """Nobody waits: the first sitting hands over, the next one finds it not ready, the third collects."""
    bench = open_bench()
    assert bench.sit(*orders(3)) == 1
    assert bench.states() == ["sent"] * 3
    assert bench.sit() == 1
    assert "0 of 3 orders done" in next(iter(bench.notes.values()))
    bench.later()
    assert bench.sit() == 0
    assert bench.states() == ["received"] * 3
    assert len(bench.created()) == 1
    assert bench.is_right()


def test_a_batch_costs_half_of_the_same_orders_one_by_one(open_bench: Open) -> None:
    """To the nano-dollar, by the provider's bill, the usage and the estimate."""
    bench = open_bench()
    alone = [order_of(replicate) for replicate in range(3, 6)]
    bench.shop.buy(*alone)
    bench.sit(*orders(3))
    bench.later()
    bench.sit()
    by_batch = [record for record in bench.shop.records() if record.order.lane == "batch"]
    one_by_one = [record for record in bench.shop.records() if record.order.lane == "interactive"]
    for cheap, dear in zip(by_batch, one_by_one, strict=True):
        assert cheap.settlement is not None
        assert dear.settlement is not None
        assert (cheap.settlement.cost_usd or 0) * 2 == dear.settlement.cost_usd
    assert bench.is_right()


def test_pictures_sent_along_are_uploaded_once_and_named_in_every_line(
    open_bench: Open, tmp_path: Path
) -> None:
    """Two sittings of edits share a reference and a mask; a file that was deleted is uploaded anew."""
    bench = open_bench()
    reference = a_picture(tmp_path / "bottle.png", colour=(200, 30, 30))
    mask = a_picture(tmp_path / "mask.png", "RGBA", (0, 0, 0, 0))
    edits = [batch_order(k, endpoint="edits", references=(reference,), mask=mask) for k in range(3)]
    bench.sit(*edits[:2])
    bench.later()
    bench.sit(edits[2])
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 3
    assert bench.uploads("vision") == 2
    inputs = [
        record.settlement.usage.image_input_tokens for record in bench.shop.records() if record.settlement
    ]
    assert all(inputs)
    bench.delete_files("vision")
    bench.sit(batch_order(3, endpoint="edits", references=(reference,), mask=mask))
    assert bench.uploads("vision") == 2
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 4
    assert bench.is_right()


def test_a_photograph_that_exif_turns_is_uploaded_upright_only_below_a_mask(
    open_bench: Open, tmp_path: Path
) -> None:
    """Both forms of one file are the provider's, and each order names its own."""
    bench = open_bench()
    file = tmp_path / "photo.jpg"
    file.write_bytes(encoded(flag(size=(80, 64)).transpose(HELD[6]), "jpeg", exif=noted(6)))
    reference = read_reference(str(file))
    assert (reference.width, reference.height) == (80, 64)
    mask = plan_mask(Mask(box=("0", "0", "50%", "50%")), reference, tmp_path)
    write_drawn([mask])
    bench.sit(
        batch_order(0, endpoint="edits", references=(reference,), mask=mask),
        batch_order(1, endpoint="edits", references=(reference,)),
    )
    assert bench.uploads("vision") == 3
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 2  # the provider refuses a mask of another size
    assert bench.is_right()


def test_a_reference_that_was_changed_is_told_and_its_order_stays_where_it_is(
    open_bench: Open, tmp_path: Path
) -> None:
    """The lines cannot be written; put back, the next sitting goes on, and nothing was created meanwhile."""
    bench = open_bench()
    file = tmp_path / "bottle.png"
    reference = a_picture(file)
    whole = file.read_bytes()
    file.write_bytes(b"something else")
    with pytest.raises(PictureError, match="was changed"):
        bench.sit(batch_order(endpoint="edits", references=(reference,)))
    assert bench.created() == []
    file.write_bytes(whole)
    bench.sit()
    bench.later()
    bench.sit()
    assert bench.states() == ["received"]


def test_files_hold_one_endpoint_and_one_model_and_no_more_lines_than_allowed(
    open_bench: Open, tmp_path: Path
) -> None:
    """Seven orders of three kinds make four files; the lines on the disk are those that were sent."""
    bench = open_bench()
    bench.limit_files(lines=2)
    reference = a_picture(tmp_path / "bottle.png")
    other = FLARE | {"model": "gpt-image-2"}
    bench.sit(
        *orders(3),
        batch_order(3, parameters=other),
        batch_order(4, endpoint="edits", references=(reference,)),
        batch_order(5, parameters=other),
    )
    assert [batch["request_counts"]["total"] for batch in bench.created()] == [0, 0, 0, 0]
    files = sorted((tmp_path / "batches").glob("*.jsonl"))
    assert sorted(len(file.read_bytes().splitlines()) for file in files) == [1, 1, 2, 2]
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 6
    assert bench.is_right()


def test_files_are_split_by_their_bytes(open_bench: Open) -> None:
    """Prompts of 30,000 characters fill 100 kB with three lines."""
    bench = open_bench()
    bench.limit_files(bytes=100_000)
    bench.sit(*(batch_order(k, prompt="an otter " * 3_333) for k in range(5)))
    assert sorted(batch.n_orders for batch in bench.batches()) == [2, 3]


def test_a_budget_that_ends_inside_a_batch_holds_and_the_rest_goes_when_the_batch_cost_less(
    open_bench: Open,
) -> None:
    """Three of five fit; their bill is below their estimates, and leaves room for a fourth, then for none."""
    bench = open_bench()
    estimate = batch_order().estimate_usd
    bench.limits = Limits(per_run_usd=estimate * 3)
    bench.sit(*orders(5))
    assert bench.states() == ["sent"] * 3 + ["planned"] * 2
    assert bench.closed_by is None
    bench.later()
    bench.sit()
    assert bench.states() == ["received"] * 3 + ["sent"] * 2
    bench.later()
    bench.limits = Limits(per_run_usd=estimate)
    bench.sit(batch_order(5))
    assert sorted(bench.states()) == ["planned"] + ["received"] * 5
    assert isinstance(bench.closed_by, BudgetError)
    assert bench.is_right()


def test_a_run_that_is_told_to_stop_neither_looks_nor_hands_over(open_bench: Open) -> None:
    """An interrupted sitting leaves everything for the next one."""
    bench = open_bench()
    bench.sit(*orders(2))
    bench.later()
    stop = InterruptError(where="run", what="was interrupted")
    bench.sit(before=lambda _: bench.close(stop))
    assert bench.states() == ["sent"] * 2
    bench.sit()
    assert bench.states() == ["received"] * 2


def test_an_interruption_while_collecting_keeps_what_came_and_leaves_the_rest_out(open_bench: Open) -> None:
    """The picture that was read is settled; the other one is read again next time."""
    bench = open_bench()
    bench.sit(*orders(3))
    bench.later()
    bench.when_bought = lambda: bench.close(InterruptError(where="run", what="was interrupted"))
    bench.sit()
    assert sorted(bench.states()) == ["received", "sent", "sent"]
    bench.when_bought = lambda: None
    bench.sit()
    assert bench.states() == ["received"] * 3
    assert bench.is_right()


def test_without_room_on_the_disk_nothing_is_handed_over_and_pictures_stay_at_the_provider(
    open_bench: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be kept is not bought, and what was bought is fetched when there is room."""
    bench = open_bench()
    with monkeypatch.context() as patch:
        patch.setattr(disk_space, "SPARE_BYTES", 10**18)
        bench.sit(*orders(2))
        assert isinstance(bench.closed_by, StopRunError)
        assert bench.states() == ["planned"] * 2
    bench.sit()
    bench.later()
    with monkeypatch.context() as patch:
        patch.setattr(disk_space, "SPARE_BYTES", 10**18)
        with pytest.raises(StopRunError, match="left on its disk"):
            bench.sit()
    assert bench.states() == ["sent"] * 2
    bench.sit()
    assert bench.states() == ["received"] * 2
    assert bench.is_right()
