"""Palette: pictures in the brand's colours are worth more, by the distance that the eye sees."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

from tasks.campaign.choice import Palette
from tasks.campaign.choice import Score as Wishes
from tasks.candidate import Score
from tasks.errors import PictureError
from tasks.scorers import Assignment, load_scorer
from tasks.scorers.palette import dominant_colours
from tests.support.draft_builders import a_draft

BRAND = ("#003366", "#FFCC00", "#ffffff")


def judged(picture: Image.Image, folder: Path, brand: tuple[str, ...] | None = BRAND) -> Score:
    """Score one picture as the step would."""
    picture.save(folder / "picture.png")
    wishes = Wishes(palette=Palette(colors=brand) if brand else None)
    return load_scorer("palette", Assignment(wishes)).score(a_draft(file="picture.png"), folder)


def a_flag(*colours: str) -> Image.Image:
    """Paint equal stripes."""
    picture = Image.new("RGB", (48 * len(colours), 120))
    for place, colour in enumerate(colours):
        ImageDraw.Draw(picture).rectangle((48 * place, 0, 48 * place + 47, 119), fill=colour)
    return picture


def test_a_picture_in_the_brands_colours_is_worth_all(tmp_path: Path) -> None:
    """Whatever the shares; all of the brand's colours are counted as used."""
    score = judged(a_flag(*BRAND, "#FFCC00"), tmp_path)
    assert score.value == pytest.approx(1, abs=1e-6)
    assert score.measurements == {
        "palette_distance": pytest.approx(0, abs=0.01), "palette_colours_used": 3, "palette_colours": 3
    }  # fmt: skip
    assert score.reason == "colours 0 off the palette"


def test_the_distance_is_ciede2000_over_the_area(tmp_path: Path) -> None:
    """A quarter of red, far from every brand colour, measured by scikit-image on the two colours alone."""
    score = judged(a_flag("#003366", "#FFCC00", "#ffffff", "#cc2222"), tmp_path)
    red = rgb2lab(np.array([0xCC, 0x22, 0x22]) / 255)
    brand = [rgb2lab(np.array(list(bytes.fromhex(colour[1:]))) / 255) for colour in BRAND]
    nearest = min(float(deltaE_ciede2000(red, colour)) for colour in brand)
    assert score.measurements["palette_distance"] == pytest.approx(nearest / 4, rel=0.01)
    assert score.reason == f"colours {nearest / 4:.0f} off the palette, most of it #cc2222 on 25%"


def test_each_step_away_from_the_brand_costs(tmp_path: Path) -> None:
    """Turning a brand's blue by steps of hue in Lab lowers the value every time."""
    light, a, b = rgb2lab(np.array([0.0, 0.2, 0.4]))
    turned = [lab2rgb(np.array([light, a + step, b + step])) for step in (0, 6, 12, 24, 48)]
    values = [
        judged(Image.new("RGB", (64, 64), tuple(int(255 * part) for part in colour)), tmp_path).value
        for colour in turned
    ]
    assert all(one is not None and other is not None and one > other for one, other in pairwise(values)), (
        values
    )


def test_more_of_a_strange_colour_costs_more(tmp_path: Path) -> None:
    """One stripe of five off the brand is worth more than two, and two more than four."""
    values = [
        judged(a_flag(*["#22aa44"] * strange, *["#003366"] * (5 - strange)), tmp_path).value or 0.0
        for strange in (0, 1, 2, 4)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] - values[-1] > 0.5


def test_what_is_see_through_has_no_colour(tmp_path: Path) -> None:
    """Only opaque pixels count; without any, nothing can be said."""
    picture = a_flag("#003366", "#ff00ff").convert("RGBA")
    veil = Image.new("L", picture.size, 255)
    veil.paste(0, (48, 0, 96, 120))
    picture.putalpha(veil)
    assert judged(picture, tmp_path).value == pytest.approx(1)
    picture.putalpha(0)
    assert judged(picture, tmp_path).value is None


def test_without_a_palette_nothing_is_said(tmp_path: Path) -> None:
    """No brand is null, never 0; a file that is gone is told as a picture's fault."""
    assert judged(a_flag("#003366"), tmp_path, None).value is None
    with pytest.raises(PictureError):
        load_scorer("palette", Assignment(Wishes(palette=Palette(colors=BRAND)))).score(a_draft(), tmp_path)


def test_dominant_colours_sum_a_picture_up() -> None:
    """At most eight, with shares that add up to the whole."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    colours, shares = dominant_colours(Image.fromarray(noise))
    assert 1 <= len(colours) == len(shares) <= 8
    assert shares.sum() == pytest.approx(1)
