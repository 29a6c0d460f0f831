"""How well fidelity tells a faithful final from another picture, by what differs and by kind of picture.

What an editing model does to a picture should be accepted (``kept``), and what is another picture should not
(``lost``), neither as it is nor slightly redrawn. The limits of ``tasks.pictures.redrawing`` were fitted on
one half of the pictures; the other half shows what they are worth. Target: at most 2 % refused, 1 % accepted.

A mirror image that no eye can tell from the picture is no other picture. Such are, by the rule that finds
duplicates, those near to their pictures (``tasks.pictures.likeness``); they are counted apart.

    python -m benchmarks.fidelity [FOLDER] [--half "held out"]

The folder has photographs in ``fitted`` and ``held-out``; see ``benchmarks/stock_photographs.py``. The font
of colour emoji is looked for where fonts are installed, and below ``XDG_DATA_DIRS``.
"""

import argparse
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean, median

import numpy as np
from PIL import Image

from benchmarks.fidelity_changes import KEPT, slightly
from benchmarks.fidelity_pictures import HALVES, KINDS, Sample, lost, samples
from tasks.campaign.finals import Finals
from tasks.compare import Framing, look_of
from tasks.pictures.likeness import compare
from tasks.pictures.redrawing import SAME_VALUE, Redrawing

Figures = list[tuple[Redrawing, bool]]
OWN_MIRROR_IMAGE = "none to tell"
"""The side of mirror images that are the same to the eye."""
LIMITS = Finals(model="-", size="1024x1024")


def finals(sample: Sample) -> Iterator[tuple[str, str, Image.Image]]:
    """Draw every final of a sample: its side, how it was made, the picture."""
    chance = np.random.default_rng(zlib.crc32(sample.name.encode()))
    for name, change in KEPT.items():
        yield "kept", name, change(sample.picture, chance)
    for name, other in lost(sample).items():
        side = OWN_MIRROR_IMAGE if name == "mirrored" and is_own_mirror_image(sample.picture) else "lost"
        yield side, name, other
        yield side, name, slightly(other, chance)


def is_own_mirror_image(picture: Image.Image) -> bool:
    """Whether a picture and its mirror image are near-duplicates."""
    look = look_of(picture)
    found = compare(look, look.turned("mirrored"))
    return found is not None and found.difference <= 1


def is_accepted(framing: Framing, found: Redrawing) -> bool:
    """Whether a final is accepted at the defaults of a campaign."""
    return (
        found.value >= SAME_VALUE
        and abs(found.registration.zoom - 1) <= LIMITS.max_zoom
        and found.registration.shift_share <= LIMITS.max_shift
        and found.tone.share <= LIMITS.max_tone
        and not framing.shows_mirrored(found)
    )


def compare_sample(sample: Sample) -> list[tuple[str, str, Redrawing, bool, float]]:
    """Compare every final of a sample.

    Returns:
        Of each its side, how it was made, the result, whether it is accepted, seconds of processor time.
    """
    compared = []
    for side, name, final in finals(sample):
        start = time.process_time()
        framing = Framing(sample.picture, final, None)
        found = framing.compare()
        is_ok = is_accepted(framing, found)
        compared.append((side, name, found, is_ok, time.process_time() - start))
    return compared


def measure(half: str, stock: Path | None) -> tuple[dict[tuple[str, str, str], Figures], float]:
    """Compare every final of one half; returns the results by side, change and kind, and seconds a pair."""
    results: dict[tuple[str, str, str], Figures] = defaultdict(list)
    spent: list[float] = []
    chosen = [sample for sample in samples(stock) if sample.half == half]
    with ProcessPoolExecutor(2) as pool:
        for sample, compared in zip(chosen, pool.map(compare_sample, chosen), strict=True):
            for side, name, found, is_ok, spent_s in compared:
                results[side, name, sample.kind].append((found, is_ok))
                spent.append(spent_s)
    return results, mean(spent)


def print_half(half: str, results: dict[tuple[str, str, str], Figures]) -> None:
    """Print one line for each change and kind of picture, then the sums."""
    print(f"\n{half}\n{'':12} {'':45} {'':10} pictures | value: low middle high | wrong")
    wrong: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for (side, name, kind), figures in sorted(results.items()):
        values = [found.value for found, _ in figures]
        faults = [is_ok != (side == "kept") for _, is_ok in figures]  # of those not to be told: accepted
        wrong[side, kind] += faults
        spread = f"{min(values):.2f} {median(values):.2f} {max(values):.2f}"
        print(f"{side:12} {name:45} {kind:10} {len(values):8} | {spread:>22} | {sum(faults)}")
    for side, what in (("kept", "refused"), ("lost", "accepted")):
        parts = [f"{kind} {np.mean(wrong[side, kind]):.1%} of {len(wrong[side, kind])}" for kind in KINDS]
        every = [fault for kind in KINDS for fault in wrong[side, kind]]
        print(f"{side}: {what} {np.mean(every):.2%} of {len(every)} ({', '.join(parts)})")
    same = [is_ok for (side, _), some in wrong.items() if side == OWN_MIRROR_IMAGE for is_ok in some]
    print(f"mirror images that are the same to the eye: {len(same)}, {sum(same)} of them accepted")


def main() -> None:
    """Measure and print both halves, or one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="photographs in `fitted` and `held-out`")
    parser.add_argument("--half", choices=HALVES, help="measure only this half")
    options = parser.parse_args()
    stock = options.folder
    for half in [options.half] if options.half else HALVES:
        results, pair_s = measure(half, stock)
        print_half(half, results)
        print(f"{1000 * pair_s:.0f} ms of processor time a comparison, without reading the files", flush=True)


if __name__ == "__main__":
    main()
