"""Masks that Runoff draws, references for each row, and the preview of what will change."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tasks.attachments import references
from tasks.attachments.drawings import write_drawn
from tasks.attachments.masks import box_in_pixels, check_mask, plan_mask
from tasks.attachments.paths import absolute_path, fill_path
from tasks.attachments.previews import masked_pictures, write_preview
from tasks.attachments.references import ReferenceFaultError, read_reference
from tasks.campaign.mask import Mask
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import load_catalogue
from tasks.catalogue.sizes import Size
from tasks.errors import CampaignError, RunError
from tasks.order import Reference
from tasks.plan import plan
from tasks.storage.regular_file import read_regular
from tests.support.campaign_files import basis, faults, load, save
from tests.support.planning import CATALOGUE, PROVIDERS, RUN, TODAY


def picture(
    folder: Path, name: str = "first.png", mode: str = "RGB", size: tuple[int, int] = (80, 40)
) -> Reference:
    """Save a picture and look at it."""
    save(folder, name, size, mode)
    return read_reference(str(folder / name))


def alpha_of(mask: Reference) -> Any:
    """Write a mask and read its alpha channel."""
    write_drawn([mask])
    with Image.open(mask.file) as opened:
        assert (opened.format, opened.mode, opened.size) == ("PNG", "RGBA", (mask.width, mask.height))
        return np.asarray(opened.getchannel("A"))


def test_a_box_is_clear_and_all_else_is_kept(tmp_path: Path) -> None:
    """Pixels and shares name the same box."""
    first = picture(tmp_path)
    for box in (("20", "10", "40", "20"), ("25%", "25%", "50%", "50%")):
        alpha = alpha_of(plan_mask(Mask(box=box), first, tmp_path / "drawn"))
        assert (alpha[10:30, 20:60] == 0).all()
        assert (alpha == 0).sum() == 40 * 20
        assert (alpha == 255).sum() == 80 * 40 - 40 * 20


def test_a_kept_box_is_the_other_way_round(tmp_path: Path) -> None:
    """Together the two cover the picture once."""
    first, box = picture(tmp_path), ("5", "6", "7", "8")
    made, kept = (alpha_of(plan_mask(mask, first, tmp_path)) for mask in (Mask(box=box), Mask(keep_box=box)))
    assert (made.astype(int) + kept == 255).all()


def test_a_mask_from_transparency_is_that_transparency(tmp_path: Path) -> None:
    """Soft edges stay soft, in a webp as in a png."""
    cut = Image.new("RGBA", (16, 16), (200, 30, 30, 255))
    cut.putalpha(Image.linear_gradient("L").resize((16, 16)))
    cut.save(tmp_path / "cut.webp", lossless=True, exact=True)
    mask = plan_mask(Mask(alpha_of="reference"), read_reference(str(tmp_path / "cut.webp")), tmp_path)
    assert (alpha_of(mask) == np.asarray(cut.getchannel("A"))).all()


def test_the_same_mask_is_the_same_file(tmp_path: Path) -> None:
    """Drawn twice, for two pictures of a size: one file, one hash; another box: another file."""
    one, two = picture(tmp_path, "one.png"), picture(tmp_path, "two.png", "L")
    box = Mask(box=("0", "0", "8", "8"))
    masks = [plan_mask(box, first, tmp_path / "drawn") for first in (one, two, one)]
    assert masks[0] == masks[1] == masks[2]
    other = plan_mask(Mask(box=("0", "0", "8", "9")), one, tmp_path / "drawn")
    assert other.sha256 != masks[0].sha256
    assert not (tmp_path / "drawn").exists()
    write_drawn([*masks, other])
    assert len(list((tmp_path / "drawn").iterdir())) == 2


@given(
    size=st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    shares=st.lists(st.integers(0, 100), min_size=4, max_size=4),
)
def test_boxes_by_share_lie_within_and_meet(size: tuple[int, int], shares: list[int]) -> None:
    """Whatever the picture: a box and the one right of it share an edge, and none reaches out."""
    left, right = sorted(shares[:2])
    edges = (f"{left}%", "0%", f"{right - left}%", "100%"), (f"{right}%", "0%", f"{100 - right}%", "100%")
    try:
        first, second = (box_in_pixels(box, Size(*size)) for box in edges)
    except ReferenceFaultError:  # rounded to nothing
        return
    assert first[2] == second[0]
    assert second[2:] == size


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ({"box": [0, 0, 81, 1]}, "is not within the 80x40 pixels"),
        ({"box": [0, 0, 80, 41]}, "is not within the 80x40 pixels"),
        ({"box": [-1, 0, 8, 8]}, "is not within"),
        ({"box": [0, 0, 0, 8]}, "is not within"),
        ({"box": [0, 0, "101%", 8]}, "is not within"),
        ({"box": ["a", 0, 8, 8]}, "is not a box, accepted: left, top, width, height"),
        ({"box": [0, 0, 8]}, "is missing"),
        ({"box": [0, 0, 8, 8], "alpha_of": "reference"}, "give one of box, keep_box and alpha_of"),
        ({"keep_box": [0, 0, "100%", "100%"]}, "nothing would be inpainted"),
        ({"alpha_of": "reference"}, "has no transparency for a mask"),
        ({"bx": [0, 0, 8, 8]}, "did you mean box?"),
        (7, "the path of a png, or a mapping"),
    ],
)  # fmt: skip
def test_a_mask_that_cannot_be_drawn_is_refused_before_anything_is_sent(
    tmp_path: Path, mask: object, expected: str
) -> None:
    """One fault, at its key."""
    picture(tmp_path)
    found = faults(tmp_path, basis() | {"references": ["first.png"], "mask": mask})
    assert len(found) == 1, found
    assert found[0].startswith("mask")
    assert expected in found[0]


@pytest.mark.parametrize(
    "mask",
    [
        {"box": [0, 0, 80, 40]}, {"box": [79, 39, 1, 1]}, {"keep_box": [0, 0, "100%", 39]},
        {"box": ["0%", "0%", "100%", "100%"]},
    ],
)  # fmt: skip
def test_a_mask_that_just_fits_is_taken(tmp_path: Path, mask: dict[str, Any]) -> None:
    """The other side of each limit; it reads back the same."""
    picture(tmp_path)
    loaded = load(tmp_path, basis() | {"references": ["first.png"], "mask": mask})
    assert load(tmp_path, loaded.as_yaml()) == loaded


def test_an_opaque_picture_gives_no_mask(tmp_path: Path) -> None:
    """An alpha channel that is nowhere clear would change nothing: refused when it is drawn."""
    Image.new("RGBA", (8, 8), (1, 2, 3, 255)).save(tmp_path / "full.png")
    first = read_reference(str(tmp_path / "full.png"))
    check_mask(Mask(alpha_of="reference"), first, has_alpha=True)
    with pytest.raises(ReferenceFaultError, match="has no transparent part"):
        plan_mask(Mask(alpha_of="reference"), first, tmp_path)


def test_a_mask_whose_picture_has_changed_since_is_not_written(tmp_path: Path) -> None:
    """The order names the bytes that were planned; other ones, or none, are refused before it is sent."""
    cut = Image.new("RGBA", (8, 8), (1, 2, 3, 0))
    cut.save(tmp_path / "cut.png")
    mask = plan_mask(
        Mask(alpha_of="reference"), read_reference(str(tmp_path / "cut.png")), tmp_path / "drawn"
    )
    Image.new("RGBA", (8, 8), (1, 2, 3, 100)).save(tmp_path / "cut.png")
    with pytest.raises(RunError, match="changed after the run was planned"):
        write_drawn([mask])
    (tmp_path / "cut.png").unlink()
    with pytest.raises(RunError, match="cannot be drawn any more"):
        write_drawn([mask])
    assert not (tmp_path / "drawn").exists()
    cut.save(tmp_path / "cut.png")
    write_drawn([mask, mask])
    assert [file.name for file in (tmp_path / "drawn").iterdir()] == [Path(mask.file).name]


def rows_campaign(folder: Path, **changes: Any) -> dict[str, Any]:
    """Write a campaign of three product pictures of three sizes, and a logo."""
    (folder / "products").mkdir()
    for index, name in enumerate(("lamp", "mug", "vase")):
        save(folder / "products", f"{name}.png", (64 + 16 * index, 64))
    save(folder, "logo.webp", (32, 32))
    campaign = basis() | {
        "rows": "products/", "references": ["{{ file }}", "logo.webp"],
        "arms": {"A": {"prompt": "{{ name }} here"}, "B": {"prompt": "{{ name }} there", "references": []}},
    } | changes  # fmt: skip
    del campaign["variables"]
    return campaign


def test_every_row_sends_its_own_picture(tmp_path: Path) -> None:
    """First the row's, then the logo; an arm without references sends none, and needs no mask."""
    campaign = load(tmp_path, rows_campaign(tmp_path, mask={"keep_box": ["25%", 0, "50%", 32]}))
    result = plan(campaign, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path)
    orders = [order for order in result.orders if order.arm == "A" and order.replicate == 0]
    assert [[Path(sent.file).name for sent in order.references] for order in orders] == [
        ["lamp.png", "logo.webp"], ["mug.png", "logo.webp"], ["vase.png", "logo.webp"],
    ]  # fmt: skip
    masks = [order.mask for order in orders]
    assert [mask and mask.width for mask in masks] == [64, 80, 96]
    plain = [order for order in result.orders if order.arm == "B"]
    assert {order.endpoint for order in plain} == {"generations"}
    assert {order.mask for order in plain} == {None}
    assert load(tmp_path, campaign.as_yaml()) == campaign


def test_a_mask_file_and_a_box_may_come_from_the_row(tmp_path: Path) -> None:
    """A mask's path and the edges of a box are templates too."""
    (tmp_path / "rows.csv").write_text("file,w\none.png,10\ntwo.png,20\n", "utf-8")
    for name in ("one.png", "two.png", "mask-one.png", "mask-two.png"):
        save(tmp_path, name, (64, 64))
    base = {"rows": "rows.csv", "references": ["{{ file }}"], "arms": {"A": {"prompt": "x"}}}
    campaign = {key: value for key, value in basis().items() if key != "variables"} | base
    filed = load(tmp_path, campaign | {"mask": "mask-{{ file }}"})
    orders = plan(filed, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path).orders
    assert [order.mask and Path(order.mask.file).name for order in orders[:2]] == [
        "mask-one.png",
        "mask-two.png",
    ]
    boxed = load(tmp_path, campaign | {"mask": {"box": [0, 0, "{{ w }}", "50%"]}})
    masks = [order.mask for order in plan(boxed, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path).orders[:2]]
    assert [(alpha_of(mask) == 0).sum() for mask in masks if mask] == [10 * 32, 20 * 32]


def test_a_missing_picture_of_a_row_is_told_with_its_row(tmp_path: Path) -> None:
    """The first that is missing, and how many more are."""
    campaign = rows_campaign(tmp_path)
    campaign["references"] = ["cut-outs/{{ name }}.png"]
    found = faults(tmp_path, campaign)
    assert len(found) == 1
    assert found[0].startswith("references.0 (line ")
    assert "row 1: " in found[0]
    assert "cut-outs/lamp.png" in found[0]
    assert "and 2 more rows" in found[0]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("{{ colour }}.png", "names colour, which no row defines, accepted: file, name"),
        ("{% if %}", "is not a valid template"),
        ("products/{{ '' }}", "does not name a file"),
        ("{{ name.nothing.more }}", "cannot be filled"),
    ],
)
def test_a_wrong_template_of_a_path_is_one_fault(tmp_path: Path, reference: str, expected: str) -> None:
    """At its place in the list."""
    found = faults(tmp_path, rows_campaign(tmp_path) | {"references": [reference]})
    assert len(found) == 1
    assert found[0].startswith("references.0")
    assert expected in found[0]


def test_a_rows_absolute_path_and_a_folder_with_braces_are_left_alone() -> None:
    """A path in a row may be absolute; braces in a folder's name are no template."""
    assert (
        fill_path(absolute_path(Path("/home"), "{{ file }}"), {"file": "/pictures/a.png"})
        == "/pictures/a.png"
    )
    odd = Path("/home/{{ me }}")
    assert fill_path(absolute_path(odd, "{{ file }}"), {"file": "a.png"}) == "/home/{{ me }}/a.png"


def test_a_file_is_read_once_however_often_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checking and planning three rows of two arms: four files, four reads; a changed file is read again."""
    read: list[str] = []
    plain = read_regular
    campaign = rows_campaign(tmp_path, mask={"box": [0, 0, 8, 8]})
    campaign["arms"]["B"] = {"prompt": "{{ name }} on oak"}

    def noted(file: str, limit_bytes: int) -> bytes:
        read.append(Path(file).name)
        return plain(file, limit_bytes)

    monkeypatch.setattr(references, "read_regular", noted)
    loaded = load(tmp_path, campaign)
    first = plan(loaded, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path).orders[0]
    assert sorted(read) == ["lamp.png", "logo.webp", "mug.png", "vase.png"]
    Image.new("RGBA", (64, 64), "red").save(tmp_path / "products" / "lamp.png")
    again = plan(loaded, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path).orders[0]
    assert again.references[0].sha256 != first.references[0].sha256


def test_a_picture_gone_after_the_check_stops_the_plan(tmp_path: Path) -> None:
    """Nothing is planned with a hole in it."""
    loaded = load(tmp_path, rows_campaign(tmp_path))
    (tmp_path / "products" / "mug.png").unlink()
    with pytest.raises(CampaignError, match=r"arms\.A, row 2: .*mug\.png"):
        plan(loaded, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path)


@pytest.mark.parametrize(("count", "is_accepted"), [(1, True), (16, True), (17, False)])
def test_one_to_sixteen_references_are_sent(tmp_path: Path, count: int, is_accepted: bool) -> None:
    """The vendor's limit, from both sides."""
    save(tmp_path, "one.png", (8, 8))
    campaign = basis() | {"references": ["one.png"] * count}
    if is_accepted:
        load(tmp_path, campaign)
    else:
        assert "17 pictures for gpt-image-2, accepted: at most 16" in faults(tmp_path, campaign)[0]


def test_limits_of_bytes_name_the_file_and_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is too large is not even read."""
    first = picture(tmp_path)
    n_bytes = Path(first.file).stat().st_size
    monkeypatch.setattr(references, "MAX_REFERENCE_BYTES", n_bytes)
    with pytest.raises(
        ReferenceFaultError, match=f"{n_bytes:,} bytes, a reference must have less than {n_bytes:,}"
    ):
        read_reference(first.file)


def test_input_tokens_of_every_picture_are_in_the_estimate(tmp_path: Path) -> None:
    """A row with a larger picture, or one more, is dearer by its tokens; a mask adds none."""
    campaign = load(tmp_path, rows_campaign(tmp_path))
    with_logo = plan(campaign, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path).orders[0]
    alone = campaign.model_copy(update={"references": campaign.references[:1]})
    without = plan(alone, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path).orders[0]
    # 32 x 32 px are enlarged to 64 x 64: four patches, at $8 for a million tokens.
    assert with_logo.estimate_usd - without.estimate_usd == 4 * Decimal("0.000008")
    masked = alone.model_copy(update={"mask": Mask(box=("0", "0", "8", "8"))})
    assert (
        plan(masked, CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path).orders[0].estimate_usd
        == without.estimate_usd
    )


def test_the_preview_stripes_what_changes_and_leaves_the_rest(tmp_path: Path) -> None:
    """A tile for each pair of picture and mask; the kept part keeps its colour, the other is striped."""
    campaign = rows_campaign(tmp_path, mask={"box": [0, 0, "50%", "100%"]})
    for name in ("lamp", "mug", "vase"):
        Image.new("RGB", (64, 64), "#20a040").save(tmp_path / "products" / f"{name}.png")
    orders = plan(load(tmp_path, campaign), CATALOGUE, PROVIDERS, RUN, TODAY, home=tmp_path).orders
    masked = masked_pictures(orders)
    assert [pair.n_orders for pair in masked] == [12]
    drawn = np.asarray(Image.open(write_preview("sea-otter", masked, tmp_path / "previews" / "masks.png")))
    tile = drawn[148 : 148 + 420, 56 : 56 + 420].astype(int)
    assert (np.abs(tile[8:-8, 220:] - (0x20, 0xA0, 0x40)) <= 2).all()
    assert (tile[8:-8, 8:200, 0] > 0x40).all()
    assert masked_pictures(order for order in orders if order.arm == "B") == []


def test_a_model_without_masks_refuses_one_by_name(tmp_path: Path) -> None:
    """For drafts as for finals; the user's own catalogue may hold such a model."""
    text = "models: {gpt-image-2: {capabilities: {mask: false}}}"
    (tmp_path / "catalogue.yaml").write_text(text, "utf-8")
    picture(tmp_path)
    mask = {"box": [0, 0, 8, 8]}
    finals = {"model": "gpt-image-2", "mask": mask}
    campaign = basis() | {"references": ["first.png"], "mask": mask, "finals": finals}
    load(tmp_path, campaign)
    with pytest.raises(CampaignError) as caught:
        load_campaign(
            tmp_path / "campaign.yaml", load_catalogue(tmp_path, environ={}), PROVIDERS, scorers=["technical"]
        )
    places = [fault.split(" (")[0] for fault in caught.value.faults]
    assert sorted(places) == ["finals.mask", "mask"]
    assert all("gpt-image-2 does not accept a mask" in fault for fault in caught.value.faults)
