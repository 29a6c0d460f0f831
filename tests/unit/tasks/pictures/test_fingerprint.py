"""Perceptual hashes: their values, their distance, and the search for near ones."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from tasks.pictures.fingerprint import (
    COLOUR_NAMES,
    distance_bits,
    distances_bits,
    fingerprint,
    near_pairs,
    to_hashes,
)

HASH = st.integers(0, 2**64 - 1)

PATIENTLY = settings(deadline=None)  # a busy machine is no failure


def photograph(name: str) -> Image.Image:
    """Load a photograph that scikit-image ships."""
    return Image.fromarray(getattr(data, name)()).convert("RGB")


@pytest.mark.parametrize(
    ("name", "phash", "dhash", "colorhash"),
    [
        ("astronaut", "c2924c5532bddfc8", "cd8dd91d897293a7", "0b400018000"),
        ("chelsea", "b15fe6465121175e", "5414589aab6fa785", "02e00000000"),
        ("coffee", "bb8320376c0f3637", "f3e96933160b1b36", "08400038000"),
        ("camera", "bff1c1c0434e8cbc", "509a3c7fbc756cec", "0e000000000"),
    ],
)
def test_hashes_are_constant(name: str, phash: str, dhash: str, colorhash: str) -> None:
    """Hashes are kept for years: a changed one must be noticed. Made with Pillow 13.0, imagehash 4.3.2."""
    prints = fingerprint(photograph(name))
    assert (prints.phash, prints.dhash, prints.colorhash) == (phash, dhash, colorhash)


def phash_by_its_definition(picture: Image.Image) -> str:
    """Derive pHash as it was described, with sums of cosines and no library's transform.

    Source: N. Krawetz, "Looks Like It", hackerfactor.com/blog, 2011: reduce to 32 x 32 grey, take the cosine
    transform, keep the 8 x 8 lowest frequencies, and compare each with the median.
    """
    levels = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.LANCZOS), dtype=np.float64)
    basis = np.array([[math.cos(math.pi * k * (2 * n + 1) / 64) for n in range(32)] for k in range(8)])
    lowest = basis @ levels @ basis.T
    bits = "".join("1" if one else "0" for one in (lowest > np.median(lowest)).ravel())
    return f"{int(bits, 2):016x}"


def dhash_by_its_definition(picture: Image.Image) -> str:
    """Derive dHash pixel by pixel.

    Source: N. Krawetz, "Kind of Like That", hackerfactor.com/blog, 2013.
    """
    small = picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS)
    levels = small.tobytes()
    bits = [
        levels[row * 9 + column + 1] > levels[row * 9 + column] for row in range(8) for column in range(8)
    ]
    return f"{int(''.join('01'[bit] for bit in bits), 2):016x}"


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "camera", "rocket", "moon"])
def test_hashes_follow_their_definitions(name: str) -> None:
    """The library and our own reading of the sources agree to the bit."""
    small = photograph(name).resize((256, 256))
    prints = fingerprint(small)
    assert prints.phash == phash_by_its_definition(small)
    assert prints.dhash == dhash_by_its_definition(small)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "camera", "rocket", "moon"])
def test_reducing_first_hardly_moves_a_hash(name: str) -> None:
    """Hashing a quickly reduced copy of a large picture is as good as hashing all its pixels."""
    large = photograph(name).resize((1024, 1024), Image.Resampling.LANCZOS)
    prints = fingerprint(large)
    assert distance_bits(prints.phash, phash_by_its_definition(large)) <= 2
    assert distance_bits(prints.dhash, dhash_by_its_definition(large)) <= 2


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (7, 3), (3000, 300)])
def test_every_size_has_a_fingerprint(size: tuple[int, int]) -> None:
    """A line of pixels is a picture too."""
    prints = fingerprint(Image.linear_gradient("L").resize(size).convert("RGB"))
    assert len(prints.phash) == len(prints.dhash) == 16
    assert set(prints.colours) == set(COLOUR_NAMES)


def test_hidden_colours_do_not_change_a_fingerprint() -> None:
    """What lies under full transparency cannot be seen, so it does not count."""
    clear = photograph("chelsea").convert("RGBA")
    clear.putalpha(
        Image.radial_gradient("L").resize(clear.size).point(lambda level: 255 if level < 90 else 0)
    )
    emptied = Image.composite(clear, Image.new("RGBA", clear.size, (0, 255, 0, 0)), clear.getchannel("A"))
    assert emptied.tobytes() != clear.tobytes()
    assert fingerprint(emptied) == fingerprint(clear)


@pytest.mark.parametrize("level", [0, 255])
def test_subject_on_clear_ground_is_seen(level: int) -> None:
    """A white or black logo on nothing has a shape, unlike an empty picture."""
    empty = Image.new("RGBA", (128, 128), (level, level, level, 0))
    logo = empty.copy()
    logo.paste((level, level, level, 255), (10, 60, 70, 110))
    assert fingerprint(logo).phash != fingerprint(empty).phash


def test_colours_tell_where_they_are() -> None:
    """Red on the left is not red on the right, and blue differs from both by its other axis."""
    picture = Image.new("RGB", (64, 64), (255, 0, 0))
    picture.paste((0, 0, 255), (32, 0, 64, 64))
    colours = fingerprint(picture).colours
    assert colours["cr_00"] > 100 > 0 > colours["cr_03"]
    assert colours["cb_03"] > 100 > 0 > colours["cb_00"]


def test_grey_has_no_colour() -> None:
    """A grey picture lies at the origin of both axes."""
    assert set(fingerprint(photograph("camera")).colours.values()) == {0.0}


@PATIENTLY
@given(HASH, HASH, HASH)
def test_distance_is_a_metric(one: int, two: int, three: int) -> None:
    """Zero only to itself, the same both ways, and no detour is shorter."""
    a, b, c = (f"{number:016x}" for number in (one, two, three))
    assert (distance_bits(a, b) == 0) == (a == b)
    assert distance_bits(a, b) == distance_bits(b, a) <= 64
    assert distance_bits(a, c) <= distance_bits(a, b) + distance_bits(b, c)


@PATIENTLY
@given(st.lists(HASH, min_size=1, max_size=20))
def test_distances_of_arrays_count_differing_digits(numbers: list[int]) -> None:
    """The fast count equals comparing the binary digits one by one."""
    hashes = to_hashes([f"{number:016x}" for number in numbers])
    assert hashes.dtype == np.uint64
    table = distances_bits(hashes[:, None], hashes[None, :])
    slow = [
        [sum(x != y for x, y in zip(f"{a:064b}", f"{b:064b}", strict=True)) for b in numbers] for a in numbers
    ]
    assert table.tolist() == slow


@pytest.mark.parametrize("digits", ["1" * 17, "zz", "-1"])
def test_what_is_no_hash_is_refused(digits: str) -> None:
    """A colour hash or a word among the hashes is a mistake of the caller's."""
    with pytest.raises(ValueError, match=r"bits|base 16|out of bounds"):
        to_hashes([digits])


def pairs_one_by_one(hashes: NDArray[np.uint64], radius_bits: int) -> list[list[int]]:
    """Compare everything with everything in the plainest way."""
    numbers = hashes.tolist()
    return [
        [left, right]
        for left in range(len(numbers))
        for right in range(left + 1, len(numbers))
        if (numbers[left] ^ numbers[right]).bit_count() <= radius_bits
    ]


@st.composite
def crowds(draw: st.DrawFn) -> NDArray[np.uint64]:
    """Draw hashes of which many lie close together, some equal."""
    centres = draw(st.lists(HASH, min_size=1, max_size=4))
    flips = st.lists(st.integers(0, 63), max_size=9)
    members = draw(st.lists(st.tuples(st.sampled_from(centres), flips), max_size=40))
    return np.array(
        [centre ^ sum(1 << bit for bit in set(bits)) for centre, bits in members], dtype=np.uint64
    )


@pytest.mark.parametrize("everything_up_to", [0, 1_000])
@PATIENTLY
@given(hashes=crowds(), radius_bits=st.integers(0, 64))
def test_near_pairs_are_exact(everything_up_to: int, hashes: NDArray[np.uint64], radius_bits: int) -> None:
    """Both ways of searching find each near pair once, and no other, at any radius."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.pictures.fingerprint._ALL_PAIRS_UP_TO", everything_up_to)
        patch.setattr("tasks.pictures.fingerprint._TILE", 7)
        assert near_pairs(hashes, radius_bits).tolist() == pairs_one_by_one(hashes, radius_bits)


def test_many_hashes_are_searched_by_slices() -> None:
    """Above the size where everything is compared, planted neighbours are found among 30,000 strangers."""
    chance = np.random.default_rng(7)
    hashes = chance.integers(0, 2**64, 30_000, dtype=np.uint64, endpoint=False)
    for offset in range(100):
        flips = chance.choice(64, size=offset % 7, replace=False)
        hashes[20_000 + offset] = hashes[offset] ^ np.uint64(sum(1 << int(bit) for bit in flips))
    assert near_pairs(hashes, 6).tolist() == [[offset, 20_000 + offset] for offset in range(100)]
