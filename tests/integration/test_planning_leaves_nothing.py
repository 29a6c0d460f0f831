"""Planning and pricing write no file and put nothing into a store; what they draw is written when bought."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from flows.promotion.plan import promotion_plan
from flows.session.prepare import Prepared, prepare
from tasks.attachments.drawings import write_drawn
from tasks.settings import Settings
from tasks.storage.home import drawn_folder, home_folder, run_folder
from tasks.storage.mirror import store_of
from tests.support.builders import RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import CAMPAIGN, fill_run
from tests.support.shell import COMMAND

BOX = {"box": ["25%", "25%", "50%", "50%"]}
FINALS = {**CAMPAIGN["finals"], "size": "1024x1024", "fit": "pad", "mask": BOX}


def masked_campaign(folder: Path) -> Path:
    """Write a campaign whose drafts are edits with a mask from a box."""
    Image.new("RGB", (96, 64), "#0f6b57").save(folder / "otter.png")
    drafts = {**CAMPAIGN["drafts"], "model": "gpt-image-2"}
    document: dict[str, Any] = CAMPAIGN | {"references": ["otter.png"], "mask": BOX, "drafts": drafts}
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def below(folder: Path) -> set[str]:
    """List all files and folders below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def sent(prepared: Prepared) -> set[str]:
    """Name the masks that a plan's orders send."""
    return {order.mask.file for order in prepared.plan.orders if order.mask}


def test_a_plan_with_masks_leaves_no_file(tmp_path: Path) -> None:
    """Not even the home is made; the masks are written when the orders are about to be bought."""
    file, home = masked_campaign(tmp_path), tmp_path / "home"
    before = below(tmp_path)
    prepared = prepare(file, Settings(home, os.environ), RUN_ID)
    assert len(prepared.plan.orders) == 12
    assert below(tmp_path) == before
    write_drawn(picture for order in prepared.plan.orders for picture in order.sent)
    assert {str(path) for path in drawn_folder(home).iterdir()} == sent(prepared)
    assert len(sent(prepared)) == 1


def test_the_command_writes_the_preview_that_it_promises_and_nothing_else(tmp_path: Path) -> None:
    """No ledger, no mask: the picture of what the masks will change."""
    file, home = masked_campaign(tmp_path), tmp_path / "home"
    command = [COMMAND, "plan", str(file), "--home", str(home)]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path, timeout=240)
    assert below(home) == {"previews", "previews/otters-masks.png"}


def test_the_price_of_a_promotion_leaves_no_file(tmp_path: Path) -> None:
    """Drafts are framed and masked for the price, in memory."""
    home = tmp_path / "home"
    home.mkdir()
    with open_ledger(home) as ledger:
        fill_run(home, ledger)
        folder = run_folder(home, "otters", RUN_ID)
        (folder / "campaign.yaml").write_text(yaml.safe_dump(CAMPAIGN | {"finals": FINALS}))
        before = below(home)
        assert promotion_plan(Settings(home, os.environ), RUN_ID).n_finals == 2
        assert below(home) == before


def test_a_plan_puts_nothing_into_a_store(address: str, tmp_path: Path) -> None:
    """With a home in a store, the masks go there when the orders are about to be bought."""
    home = home_folder(address, os.environ)
    store = store_of(home)
    assert store is not None
    prepared = prepare(masked_campaign(tmp_path), Settings(home, os.environ), RUN_ID)
    assert below(home) == {".store"}
    assert store.sizes(home) == {}
    write_drawn(picture for order in prepared.plan.orders for picture in order.sent)
    assert {str(path) for path in store.sizes(home)} == sent(prepared)
