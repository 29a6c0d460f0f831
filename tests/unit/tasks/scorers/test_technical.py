"""The technical scorer on real photographs, damaged step by step, and on drawn art."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import skimage.measure
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from tasks.candidate import Inspection
from tasks.scorers.technical import JUDGED, VERSION, TechnicalScorer, technical_score
from tasks.scorers.technical_figures import measure
from tests.support.draft_builders import a_draft
from tests.support.edited_pictures import compressed, grainy
from tests.support.painted_styles import (
    a_poster,
    a_product,
    a_watercolour,
    film_grain,
    high_key,
    line_art,
    low_key,
    photograph,
    small_product,
)

PHOTOGRAPHS = (
    "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png",
    "grass.png", "gravel.png", "ihc.png", "motorcycle_left.png", "page.png", "rocket.jpg",
)  # fmt: skip
WORTHLESS = 0.005
"""A picture of this value, wholly white say, has nothing left to lose."""

Damage = Callable[[Image.Image], Image.Image]


def blurred(radius_px: float) -> Damage:
    """Make it softer."""
    return lambda picture: picture.filter(ImageFilter.GaussianBlur(radius_px))


def exposed(stops: float) -> Damage:
    """Multiply the light and clip."""
    return lambda picture: Image.fromarray(np.clip(np.asarray(picture) * 2.0**stops, 0, 255).astype(np.uint8))


def faded(share: float) -> Damage:
    """Mix it with grey."""
    return lambda picture: Image.blend(picture, Image.new("RGB", picture.size, (128, 128, 128)), share)


def barred(share: float) -> Damage:
    """Paint black bars over the upper and the lower part, of a share of the height together."""

    def damage(picture: Image.Image) -> Image.Image:
        framed, bar = picture.copy(), round(picture.height * share / 2)
        framed.paste("black", (0, 0, picture.width, bar))
        framed.paste("black", (0, picture.height - bar, *picture.size))
        return framed

    return damage


LADDERS: Mapping[str, tuple[Damage, ...]] = {
    "blur": tuple(map(blurred, (1, 2, 4, 8))),
    "noise": tuple(map(grainy, (8, 16, 32, 64))),
    "jpeg": tuple(map(compressed, (50, 20, 10, 5))),
    "too dark": tuple(map(exposed, (-1, -2, -3, -4))),
    "too bright": tuple(map(exposed, (1, 2, 3, 4))),
    "barred": tuple(map(barred, (0.1, 0.2, 0.4, 0.6))),
    "faded": tuple(map(faded, (0.3, 0.5, 0.7, 0.9))),
}


def judged(picture: Image.Image) -> float:
    """Measure and score in one go."""
    value = technical_score(measure(picture)).value
    assert value is not None
    return value


def is_ranked_right(picture: Image.Image, damages: tuple[Damage, ...]) -> bool:
    """Tell whether every step down the ladder costs, as long as there is anything left to lose."""
    values = [judged(picture), *(judged(damage(picture)) for damage in damages)]
    return all(better > worse for better, worse in pairwise(values) if better >= WORTHLESS)


@pytest.mark.parametrize(
    "ladder",
    [pytest.param(name, marks=[pytest.mark.slow] * (name not in ("jpeg", "too bright"))) for name in LADDERS],
)
def test_each_step_of_damage_to_a_photograph_costs_score(ladder: str) -> None:
    """Of the twelve photographs, all but one at most are ranked right from the first rung to the last."""
    wrong = [name for name in PHOTOGRAPHS if not is_ranked_right(photograph(name), LADDERS[ladder])]
    assert len(wrong) <= 1, wrong


FIGURES = st.fixed_dictionaries(
    {name: st.floats(0, 1) for name in JUDGED | {"bars", "range"}}
    | {"noise": st.floats(0, 60), "quantisation": st.floats(0, 255)}
)


@given(FIGURES, st.sampled_from(["noise", "blocking", "quantisation", "banding", "bars"]), st.floats(0, 1))
def test_more_of_a_fault_never_scores_more(figures: dict[str, float], fault: str, more: float) -> None:
    """Whatever else is the matter with a picture."""
    worse = technical_score({**figures, fault: figures[fault] + more}).value
    better = technical_score(figures).value
    assert worse is not None
    assert better is not None
    assert worse <= better


@given(FIGURES, st.floats(0.05, 1), st.floats(1, 2))
@example(dict.fromkeys(JUDGED | {"bars", "noise", "quantisation"}, 0.0) | {"contrast": 0.03125}, 0.05, 1.0625)
def test_brightening_gains_nothing_by_contrast(figures: dict[str, float], tones: float, gain: float) -> None:
    """From a mean of 45 % on, spread that grows with the light is worth no more.

    Of pictures whose tones span 5 % or more. Below 3 % the score's floor for the span holds, and 0.2 % may be
    gained: such a picture is nearly blank, and its score near 0 anyway.
    """
    figures = {**figures, "luminance": 0.45, "range": tones}
    brighter = {
        **figures,
        "luminance": min(1.0, 0.45 * gain),
        **{name: min(1.0, figures[name] * gain) for name in ("contrast", "contrast_rms")},
    }
    worse, better = technical_score(brighter).value, technical_score(figures).value
    assert worse is not None
    assert better is not None
    assert worse <= better * 1.001


def test_clean_photographs_score_well_and_ruined_ones_badly() -> None:
    """The scale is absolute: above 0.75 for every clean photograph, below 0.4 for each ruin of it."""
    for name in PHOTOGRAPHS:
        picture = photograph(name)
        ruins = [blurred(8), grainy(90), exposed(-4), faded(0.95)]
        assert judged(picture) > 0.75, name
        assert max(judged(ruin(picture)) for ruin in ruins) < 0.4, name


@pytest.mark.parametrize(
    "paint", [a_poster, a_watercolour, line_art, a_product, small_product, high_key, low_key, film_grain]
)
def test_a_style_is_not_taken_for_damage(paint: Callable[[], Image.Image]) -> None:
    """Flat colour, washes, bare lines, white grounds, light, dark and grain are styles; blur still costs."""
    picture = paint()
    assert judged(picture) > 0.7
    assert judged(blurred(16)(picture)) < 0.1


def test_a_products_tones_are_those_of_the_product_and_not_of_its_white_ground() -> None:
    """On white, light grey or without a ground, the same product has the same exposure and contrast."""
    product = measure(a_product())
    assert product["border"] == pytest.approx(0.75, abs=0.01)
    assert product["highlights"] < 0.3  # the corners around a round product
    assert measure(small_product())["luminance"] == pytest.approx(product["luminance"], abs=0.02)
    on_black = Image.fromarray(np.where(np.asarray(a_product()) == 255, 0, np.asarray(a_product())))
    assert measure(on_black)["luminance"] < 0.25  # a dark ground is part of a dark picture


def test_black_and_white_is_no_fault() -> None:
    """Taking the colour away changes the value by next to nothing."""
    picture = photograph("coffee.png")
    assert judged(picture.convert("L")) == pytest.approx(judged(picture), abs=0.02)


def _specked() -> Image.Image:
    picture = Image.new("RGB", (512, 512), (200, 200, 200))
    picture.paste((255, 0, 0), (250, 250, 262, 262))
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGB", (512, 512), "black"),
        Image.new("RGB", (512, 512), "white"),
        Image.new("L", (64, 2000), 127),
        grainy(5)(Image.new("RGB", (512, 512), (200, 200, 200))),
        _specked(),
        Image.linear_gradient("L").resize((512, 512)),
    ],
    ids=["black", "white", "grey strip", "grain", "one speck", "gradient"],
)
def test_a_blank_picture_is_worth_nothing(picture: Image.Image) -> None:
    """One colour, with grain or a speck on it, or a bare gradient, scores below 0.05."""
    assert judged(picture) < 0.05


def test_a_transparent_picture_is_measured_where_it_is_opaque() -> None:
    """An empty surround changes nothing; wholly empty is unknown, not 0."""
    cut_out = a_product().convert("RGBA")
    disc = Image.new("L", cut_out.size, 0)
    ImageDraw.Draw(disc).ellipse((256, 256, 768, 768), fill=255)
    cut_out.putalpha(disc)
    figures = measure(cut_out)
    assert figures["opaque"] == pytest.approx(np.pi / 16, abs=0.01)
    assert figures["highlights"] < 0.1
    assert figures["blank"] < 0.1
    value = technical_score(figures).value
    assert value is not None
    assert value > 0.8
    cut_out.putalpha(0)
    assert measure(cut_out) == {}
    assert technical_score({}).value is None


def test_the_reason_names_what_pulled_it_down() -> None:
    """The worst fault comes first, in words; a clean picture has none."""
    coffee = photograph("coffee.png")
    reasons = {
        "clean": technical_score(measure(coffee)).reason,
        "soft": technical_score(measure(blurred(3)(coffee))).reason,
        "noisy": technical_score(measure(grainy(50)(coffee))).reason,
        "blocks": technical_score(measure(compressed(5)(coffee))).reason,
        "bright": technical_score(measure(exposed(2)(coffee))).reason,
        "blank": technical_score(measure(Image.new("RGB", (64, 64)))).reason,
    }
    assert reasons["clean"] == "no fault found"
    assert reasons["soft"].startswith("soft")
    assert reasons["noisy"].startswith("noisy")
    assert reasons["blocks"].startswith("compression blocks")
    assert reasons["bright"].startswith("highlights clipped")
    assert reasons["blank"].startswith("nearly blank")


def test_banding_is_seen_in_a_smooth_sky_and_nowhere_else() -> None:
    """A sky of a few tones has steps; the same sky in full, and flat posters, have none."""
    sky = np.tile(np.linspace(40, 220, 512)[:, None, None], (1, 512, 3))
    smooth, stepped = (Image.fromarray(levels.astype(np.uint8)) for levels in (sky, sky // 24 * 24))
    assert measure(smooth)["banding"] == 0
    assert measure(stepped)["banding"] > 0.01
    assert measure(a_poster())["banding"] < 0.001


def test_letterbox_bars_count_as_border() -> None:
    """Bars above and below that cover a quarter are measured as a quarter."""
    picture = photograph("astronaut.png").copy()
    picture.paste("black", (0, 0, 512, 64))
    picture.paste("black", (0, 448, 512, 512))
    assert measure(picture)["border"] == pytest.approx(0.25, abs=0.01)


def test_noise_agrees_with_the_noise_that_was_added() -> None:
    """Immerkær's estimate on grain of known strength over a flat ground."""
    grain = np.random.default_rng(0).normal(128, 7, (512, 512))
    picture = Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))
    assert measure(picture)["noise"] == pytest.approx(7, rel=0.1)


def test_colourfulness_agrees_with_the_papers_formula() -> None:
    """Hasler and Süsstrunk's metric, computed the long way."""
    pixels = np.asarray(photograph("chelsea.png")).astype(float)
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    rg, yb = red - green, 0.5 * (red + green) - blue
    expected = np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    assert measure(photograph("chelsea.png"))["colourfulness"] == pytest.approx(expected, rel=0.01)


def test_sharpness_ranks_blur_as_scikit_image_does() -> None:
    """Crete's measure in scikit-image, an independent implementation, orders the same pictures the same."""
    pictures = [blurred(radius)(photograph("camera.png")) for radius in (0, 0.7, 1, 1.5, 2, 3, 4)]
    ours = [measure(picture)["sharpness"] for picture in pictures]
    theirs = [1 - skimage.measure.blur_effect(np.asarray(picture.convert("L"))) for picture in pictures]
    assert np.argsort(ours).tolist() == np.argsort(theirs).tolist()


def test_entropy_agrees_with_scikit_image() -> None:
    """Shannon's entropy of the grey levels."""
    grey = photograph("camera.png").convert("L")
    expected = skimage.measure.shannon_entropy(np.asarray(grey))
    assert measure(grey)["entropy"] == pytest.approx(expected, rel=1e-6)


def test_a_larger_copy_scores_the_same() -> None:
    """The fixed scale makes a draft and its enlargement comparable."""
    for name in ("astronaut.png", "camera.png"):
        picture = photograph(name)
        larger = picture.resize((1536, 1536), Image.Resampling.LANCZOS)
        assert judged(larger) == pytest.approx(judged(picture), abs=0.03)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I;16", "F"]),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
)
def test_any_picture_can_be_judged(mode: str, width: int, height: int, seed: int) -> None:
    """Every mode and the smallest sizes give finite figures and a value in [0, 1], or no figures at all."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture = Image.fromarray(pixels).convert("L") if mode in ("I;16", "F") else Image.fromarray(pixels)
    figures = measure(picture.convert(mode))
    score = technical_score(figures)
    assert all(np.isfinite(figure) and figure >= 0 for figure in figures.values())
    assert score.value is None if not figures else 0 <= (score.value or 0) <= 1


def test_the_scorer_opens_no_file() -> None:
    """It judges by the inspection's figures: the same value without any picture on disk."""
    figures = measure(photograph("coffee.png"))
    candidate = a_draft(inspection=Inspection(measurements={**figures, "cb_00": 3.0}))
    score = TechnicalScorer().score(candidate, Path("/no/such/folder"))
    assert score == technical_score(figures)
    assert score.version == VERSION
    assert "cb_00" not in score.measurements


def test_inspections_of_older_versions_are_still_judged() -> None:
    """A ledger's older figures know nothing of bars, range and quantisation: the rest is judged."""
    figures = measure(photograph("coffee.png"))
    today = technical_score(figures).value
    for name in ("bars", "range", "quantisation"):
        del figures[name]
    older = technical_score(figures)
    assert today is not None
    assert older.value == pytest.approx(today, abs=0.05)
    assert "range" not in older.measurements


def test_black_bars_are_measured_and_two_grounds_are_none() -> None:
    """Bars that cover a fifth are a fifth; the two grounds of a poster are no bars."""
    picture = photograph("coffee.png")
    assert measure(barred(0.2)(picture))["bars"] == pytest.approx(0.2, abs=0.02)
    assert measure(picture)["bars"] == 0
    assert measure(a_poster())["bars"] == 0


def test_grain_does_not_pass_for_sharpness_nor_texture_for_grain() -> None:
    """A soft photograph is no sharper for noise; gravel and grass are not noisy until noise is added."""
    soft = blurred(2)(photograph("coffee.png"))
    assert measure(grainy(30)(soft))["sharpness"] < measure(soft)["sharpness"]
    for name in ("grass.png", "gravel.png"):
        assert measure(photograph(name))["noise"] < 2.5
        assert measure(grainy(32)(photograph(name)))["noise"] > 12
