"""Precision and recall of deduplication on real photographs, at every radius.

Duplicates of every photograph are made: through JPEG, 75 % of the size, 10 % brighter, cropped by 2 %, all
four at once, and cropped by 2 % at one corner only, which moves everything. All of them, and photographs that
show one place from two sides or at two times, go through the product's own fingerprint and deduplication as
one campaign. Precision: the share of pictures called a duplicate that really are one of the photograph they
are assigned to. Recall: the share of duplicates that were found. A second table counts pairs that are no
duplicates and were kept.

The photographs are those that scikit-image ships, and many more from Debian packages if they are available:

    apt-get download mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 \
        plasma-workspace-wallpapers opencv-doc
    for package in *.deb; do dpkg-deb -x "$package" photographs; done
    python benchmarks/dedup_photographs.py --folder photographs
"""

import argparse
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import skimage
from PIL import Image, ImageEnhance

from tasks import deduplicate as step
from tasks.candidate import Candidate, Inspection, Score
from tasks.duplicates.rule import Level, Within
from tasks.pictures.decoding import decode, flatten, shrink
from tasks.pictures.fingerprint import fingerprint

SHIPPED = """
    astronaut.png camera.png chelsea.png coffee.png hubble_deep_field.jpg ihc.png moon.png retina.jpg
    rocket.jpg brick.png grass.png gravel.png coins.png cell.png clock_motion.png
    motorcycle_left.png motorcycle_right.png
""".split()  # noqa: SIM905 - a column of quoted names is harder to read
DRAWN = set(
    """
    abstract desktop Altai Canopee Cascade Cluster Elarun Flow FlyingKonqui Grey Honeywave IceCold Kay Kite
    Kokkini MilkyWay Next Opal PastelHills Patak Path SafeLanding ScarletTree Shell Volna summer_1am
    fluent-color.png focal-ubuntukylin.png rollpaper.png
    """.split()  # noqa: SIM905
)
"""Folders and files of the packages that hold drawings."""

FRAMES_OF_A_FILM = {"rubberwhale2.png": "rubberwhale1.png", "basketball2.png": "basketball1.png"}
"""Taken a fraction of a second apart: so little moved that either answer is right. Not counted."""

ONE_PLACE = {
    "motorcycle_right.png": "motorcycle_left.png",
    "aloeR.jpg": "aloeL.jpg",
    "leuvenB.jpg": "leuvenA.jpg",
    "graf3.png": "graf1.png",
    "aero3.jpg": "aero1.jpg",
    **{f"right{n:02d}.jpg": f"left{n:02d}.jpg" for n in range(1, 15)},
    **{f"left{n + 1:02d}.jpg": f"left{n:02d}.jpg" for n in range(1, 14)},
}
"""Another photograph of the place that the second name shows: other camera, viewpoint or time."""

EDGE_PX = 1024


def encode_as_jpeg(picture: Image.Image, quality: int = 75) -> Image.Image:
    """Compress a picture as JPEG."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return decode(stream.getvalue())


def resize(picture: Image.Image) -> Image.Image:
    """Resize to 75 % of both edges."""
    return picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS)


def brighten(picture: Image.Image) -> Image.Image:
    """Make a picture 10 % brighter."""
    return ImageEnhance.Brightness(picture).enhance(1.1)


def crop(picture: Image.Image) -> Image.Image:
    """Crop to the middle 98 % of both edges."""
    return cut(picture, 0.01, 0.01, 0.99, 0.99)


def crop_corner(picture: Image.Image) -> Image.Image:
    """Crop 2 % off the left and the upper edge only: the whole picture moves."""
    return cut(picture, 0.02, 0.02, 1, 1)


def cut(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Cut a part out, given in shares of the edges."""
    width, height = picture.size
    return picture.crop(
        (round(left * width), round(top * height), round(right * width), round(bottom * height))
    )


def turn_hue(picture: Image.Image, degrees: int = 120) -> Image.Image:
    """Give a picture other colours in the same layout, at the same luminance."""
    luma, _, _ = picture.convert("YCbCr").split()
    hue, saturation, value = picture.convert("HSV").split()
    turned = Image.merge(
        "HSV", (hue.point(lambda level: (level + degrees * 256 // 360) % 256), saturation, value)
    )
    _, blue, red = turned.convert("RGB").convert("YCbCr").split()
    return Image.merge("YCbCr", (luma, blue, red)).convert("RGB")


Change = Callable[[Image.Image], Image.Image]

COPIES: dict[str, Change] = {
    "through JPEG 75": encode_as_jpeg,
    "resized to 75 %": resize,
    "brighter by 10 %": brighten,
    "cropped by 2 %": crop,
    "all four at once": lambda picture: encode_as_jpeg(resize(brighten(crop(picture)))),
    "2 % off one corner": crop_corner,
}
OTHERS: dict[str, tuple[Change, Change]] = {
    "hues turned by 120 degrees": (lambda one: one, turn_hue),
    "stand-in: camera nearer by a fifth": (lambda one: one, lambda one: cut(one, 0.1, 0.1, 0.9, 0.9)),
    "stand-in: camera turned by half": (
        lambda one: cut(one, 0, 0, 0.6, 1),
        lambda one: cut(one, 0.3, 0, 0.9, 1),
    ),
}


@dataclass(frozen=True)
class Rule:
    """The rule that is measured."""

    radius_bits: int
    hash: Literal["phash", "dhash"] = "phash"
    within: Within = "campaign"
    history_runs: int = 0
    level: Level = "near"
    min_similarity: float | None = None
    fold_mirrored: bool = False
    fold_framed: bool = False


def find_photographs(folder: Path | None) -> dict[str, Image.Image]:
    """Load every photograph by name, reduced to the size of a draft; of one name the first."""
    paths = [Path(skimage.__file__).parent / "data" / name for name in SHIPPED]
    if folder is not None:
        paths += [path for path in sorted(folder.rglob("*")) if _is_photograph(path)]
    found: dict[str, Image.Image] = {}
    for path in paths:
        name = path.parts[-4] if "contents" in path.parts else path.name
        if name not in found:
            found[name] = shrink(flatten(decode(path)), EDGE_PX)
    return found


def _is_photograph(path: Path) -> bool:
    if path.suffix not in {".jpg", ".png"} or DRAWN & set(path.parts) or not path.is_file():
        return False
    paired = {*ONE_PLACE, *ONE_PLACE.values(), *FRAMES_OF_A_FILM, *FRAMES_OF_A_FILM.values()}
    return "backgrounds" in path.parts or path.stem == "2560x1600" or path.name in paired


def describe(name: str, picture: Image.Image) -> Candidate:
    """Describe a picture as the pipeline would."""
    prints = fingerprint(picture)
    inspection = Inspection(
        phash=prints.phash, dhash=prints.dhash, colorhash=prints.colorhash, measurements=prints.colours
    )
    return Candidate(
        candidate_id=name, order_id=name, stage="draft", arm="A", row=0, replicate=0, attempt=0, prompt="",
        file=name, sha256=name, n_bytes=1, inspection=inspection,
    )  # fmt: skip


def is_kept(one: Candidate, other: Candidate, rule: Rule) -> bool:
    """Whether both of two pictures are kept."""
    return all(standing.status == "survivor" for standing in step.deduplicate([one, other], rule).values())


def print_copies(
    originals: dict[str, Candidate],
    copies: dict[str, list[Candidate]],
    seconds: list[Candidate],
    hash_name: Literal["phash", "dhash"],
) -> None:
    """Print precision over the whole campaign, and recall for each kind of duplicate, at every radius."""
    print(f"\n{hash_name}: precision | recall " + " | ".join(copies))
    everything = [*originals.values(), *seconds, *(one for kind in copies.values() for one in kind)]
    for radius_bits in range(13):
        standings = step.deduplicate(everything, Rule(radius_bits, hash_name))
        called = {
            name: one.duplicate_of or "" for name, one in standings.items() if one.status == "duplicate"
        }
        right = sum(_stem(name) == _stem(leader) for name, leader in called.items())
        precision = f"{right / len(called):9.3f}" if called else "        -"
        recalls = [sum(one.candidate_id in called for one in kind) / len(kind) for kind in copies.values()]
        print(f"{radius_bits:5d}: {precision} | " + " | ".join(f"{recall:.3f}" for recall in recalls))


def _stem(name: str) -> str:
    return name.split(" / ")[0]


def print_others(
    pairs: dict[str, list[tuple[Candidate, Candidate]]], hash_name: Literal["phash", "dhash"]
) -> None:
    """Print how many of the pairs that are no duplicates are kept at every radius."""
    print(f"\n{hash_name}: kept of " + " | ".join(f"{name} ({len(some)})" for name, some in pairs.items()))
    for radius_bits in range(13):
        rule = Rule(radius_bits, hash_name)
        kept = [sum(is_kept(one, other, rule) for one, other in some) for some in pairs.values()]
        print(f"{radius_bits:5d}: " + " | ".join(f"{count:3d}" for count in kept))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="where the Debian packages were unpacked")
    folder = parser.parse_args().folder
    if folder is None:
        print("Only the photographs that scikit-image ships: no --folder was given (see --help).")
    photographs = find_photographs(folder)
    described = {name: describe(name, picture) for name, picture in photographs.items()}
    seconds = {name: one for name, one in described.items() if name in ONE_PLACE}
    frames = {name: one for name, one in described.items() if name in FRAMES_OF_A_FILM}
    originals = {name: one for name, one in described.items() if name not in {*seconds, *frames}}
    scored = {
        name: replace(one, scores={"technical": Score(1.0, "the original")})
        for name, one in originals.items()
    }
    copies = {
        kind: [describe(f"{name} / {kind}", change(photographs[name])) for name in originals]
        for kind, change in COPIES.items()
    }
    pairs = {
        "one place": [
            (described[first], one)
            for name, one in seconds.items()
            if (first := ONE_PLACE[name]) in described
        ]
    }
    pairs["frames of a film, not counted"] = [
        (described[FRAMES_OF_A_FILM[name]], one) for name, one in frames.items()
    ]
    for kind, (first_change, second_change) in OTHERS.items():
        shown = [
            name for name in originals if kind != "hues turned by 120 degrees" or is_coloured(described[name])
        ]
        pairs[kind] = [
            (
                describe("one", first_change(photographs[name])),
                describe("other", second_change(photographs[name])),
            )
            for name in shown
        ]
    print(f"{len(originals)} photographs, {len(seconds)} more of the same places")
    of_copies = [
        colour_distance(described[_stem(one.candidate_id)], one) for kind in copies.values() for one in kind
    ]
    of_turned = [colour_distance(*pair) for pair in pairs["hues turned by 120 degrees"]]
    print(
        f"colours: copies up to {max(of_copies):.0f} levels apart, turned hues from {min(of_turned):.0f} on"
    )
    for hash_name in ("phash", "dhash"):
        print_copies(scored, copies, list(seconds.values()), hash_name)
        print_others(pairs, hash_name)


def colour_distance(one: Candidate, other: Candidate) -> float:
    """Give the largest difference in any cell of the colour grid, in 8-bit levels."""
    assert one.inspection is not None
    assert other.inspection is not None
    levels = other.inspection.measurements
    return max(abs(level - levels[name]) for name, level in one.inspection.measurements.items())


def is_coloured(one: Candidate) -> bool:
    """Whether a picture has colours whose hue can be turned."""
    assert one.inspection is not None
    return max(abs(level) for level in one.inspection.measurements.values()) >= 8


if __name__ == "__main__":
    main()
