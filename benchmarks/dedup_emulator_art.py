"""The default deduplication rule on the emulator's near-duplicates and replicates.

For several prompts: scenes that differ only by their seed, as replicates of one prompt do, and each scene
again with the small differences of the emulator's near-duplicates. Recall: near-duplicates that are found.
False pairs: pairs of different scenes of one prompt that are taken for duplicates.

    python benchmarks/dedup_emulator_art.py
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tasks.duplicates.by_hash import COLOUR_TOLERANCE, CONFIRMING_SLACK_BITS
from tasks.emulator.painting.retouch import as_image, shaken
from tasks.emulator.painting.scene import paint_scene
from tasks.pictures.fingerprint import COLOUR_NAMES, Fingerprint, distance_bits, fingerprint

PROMPTS = (
    "A baby sea otter swimming on its back, watercolour",
    "A sailing boat at sunset",
    "A red mug on a table, product photograph",
    "A mountain cabin at night, flat illustration",
)
SCENES = 14
SIZE = (1024, 1024)


def compare(one: Fingerprint, other: Fingerprint) -> tuple[float, float, float]:
    """Give the distances of pHash and dHash in bits, and of the colours in levels."""
    colours = max(abs(one.colours[name] - other.colours[name]) for name in COLOUR_NAMES)
    return distance_bits(one.phash, other.phash), distance_bits(one.dhash, other.dhash), colours


def share_called_copies(distances: NDArray[np.float64], radius_bits: int) -> float:
    """Apply the rule of deduplication to many pairs at once."""
    phash, dhash, colours = distances.T
    other_agrees = dhash <= radius_bits + CONFIRMING_SLACK_BITS
    return float(((phash <= radius_bits) & other_agrees & (colours <= COLOUR_TOLERANCE)).mean())


def main() -> None:
    """Measure and print."""
    copies, strangers = [], []
    for prompt in PROMPTS:
        prints = []
        for seed in range(SCENES):
            scene = as_image(paint_scene(prompt, seed, SIZE, "low", bare=False).pixels)
            prints.append(fingerprint(scene.convert("RGB")))
            near = (fingerprint(shaken(scene, shake).convert("RGB")) for shake in range(2))
            copies += [compare(prints[-1], one) for one in near]
        strangers += [compare(one, other) for one, other in combinations(prints, 2)]
    print(f"{len(PROMPTS)} prompts, {len(copies)} near-copies, {len(strangers)} pairs of different scenes")
    print(f"pHash bits: copies up to {max(copies)[0]}, different scenes from {min(strangers)[0]} on")
    for radius_bits in range(0, 13, 2):
        recall = share_called_copies(np.array(copies), radius_bits)
        false = share_called_copies(np.array(strangers), radius_bits) * len(strangers)
        print(f"radius {radius_bits:2d}: recall {recall:.3f}, false pairs {false:.0f}")


if __name__ == "__main__":
    main()
