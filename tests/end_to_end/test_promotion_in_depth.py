"""Finalists in several editions, with pictures beside the draft, masks, other shapes and a fallback."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from tasks.catalogue import configs_folder
from tests.support.provider import OpenProvider
from tests.support.shell import Shell

FINALS: list[dict[str, Any]] = [
    {
        "name": "wide", "model": "gpt-image-2.5-sunburst", "quality": "medium", "size": "1280x640",
        "fit": "pad",
        "references": ["logo.png"], "mask": {"box": ["25%", "25%", "50%", "50%"]},
        "attempts": 1, "min_fidelity": 0.9, "fallback": "generate",
    },
    {
        "name": "square", "model": "gpt-image-2", "quality": "low", "size": "1024x1024", "fit": "crop",
        "format": "webp", "attempts": 2, "min_fidelity": 0.0,
    },
]  # fmt: skip


@pytest.mark.slow
def test_each_finalist_is_bought_in_every_edition_and_never_twice(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Edits that are not faithful give way to a picture of the prompt; sizes and formats agree."""
    provider = open_provider(edit_drift_rate=1.0)
    Image.new("RGBA", (128, 64), "#0f6b57").save(shell.home.parent / "logo.png")
    file = shell.campaign({"finals": FINALS})
    planned = shell.json("plan", file)["finals"]
    outcome = shell.json("run", file)
    folder = shell.folder(outcome["run_id"])
    table = pd.read_parquet(folder / "report.parquet")
    finals = table[table["stage"] == "final"]
    made = finals.groupby(["edition", "endpoint"]).size().to_dict()
    assert made == {("wide", "edits"): 2, ("wide", "generations"): 2, ("square", "edits"): 2}
    assert finals[finals["accepted"]].groupby(["edition", "endpoint"]).size().to_dict() == {
        ("wide", "generations"): 2, ("square", "edits"): 2,
    }  # fmt: skip
    sizes = {tuple(row) for row in finals[["edition", "width", "height", "format"]].itertuples(index=False)}
    assert sizes == {("wide", 1280, 640, "png"), ("square", 1024, 1024, "webp")}
    assert outcome["accepted"] == 4
    assert {key for row in outcome["finalists"] for key in row["editions"]} == {"wide", "square"}
    assert float(planned["low_usd"]) <= sum(finals["cost_usd"]) <= float(planned["high_usd"])
    reasons = finals[finals["endpoint"] == "generations"]["selection_reason"]
    assert reasons.str.contains("made from the prompt alone").all()
    n_requests = provider.n_requests
    assert n_requests == 12 + 6
    assert shell.runoff("run", "--resume", "latest", "--yes").returncode == 0
    assert provider.n_requests == n_requests
    with shell.ledger() as ledger:
        assert ledger.verify() == []
        orders = [record.order for record in ledger.orders.of_run(outcome["run_id"])]
    wide = [order for order in orders if order.edition == "wide" and order.endpoint == "edits"]
    assert [[(sent.width, sent.height) for sent in order.references] for order in wide] == [
        [(1280, 640), (128, 64)],
        [(1280, 640), (128, 64)],
    ]
    assert {(order.mask.width, order.mask.height) for order in wide if order.mask} == {(1280, 640)}
    square = [order.references[0] for order in orders if order.edition == "square"]
    assert {(sent.width, sent.height) for sent in square} == {(640, 640)}
    stories = [json.loads(file.read_text()) for file in folder.glob("finals/*.json")]
    assert {(story["final"]["edition"], story["final"]["endpoint"]) for story in stories} == set(made)
    assert {story["final"]["file"].split("-")[3] for story in stories} == {"wide", "square"}


@pytest.mark.slow
def test_the_product_pictures_run_as_they_are_shipped(shell: Shell) -> None:
    """Every product in both surroundings, by the emulator inside the process, with picture and mask."""
    file = configs_folder() / "campaigns" / "product-pictures.yaml"
    planned = shell.json("plan", file)
    with Image.open(planned["mask_preview"]) as preview:
        assert preview.width > 1000
    outcome = shell.json("run", file)
    assert (outcome["pictures"], len(outcome["finalists"]), outcome["state"]) == (18, 3, "done")
    with shell.ledger() as ledger:
        orders = [record.order for record in ledger.orders.of_run(outcome["run_id"])]
    drafts = [order for order in orders if order.stage == "draft"]
    names = {(Path(order.references[0].file).stem, order.prompt.split()[1]) for order in drafts}
    assert names == {("bottle", "bottle"), ("lamp", "lamp"), ("mug", "mug")}
    assert len({order.mask.sha256 for order in drafts if order.mask}) == 1
