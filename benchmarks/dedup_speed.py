"""The speed and peak memory of deduplication among many pictures; each size runs in its own process.

Half of the hashes are unrelated, half are within a few bits of another, as in a campaign with many
duplicates. ``search`` is only the exact search for near hashes, at the default radius of 6 bits; ``whole
step`` is deduplication of candidates over the whole campaign, with colours and preferences. Targets: 10,000
in less than 1 s, 1,000,000 hashes searched in less than 60 s.

    python benchmarks/dedup_speed.py
"""

import argparse
import multiprocessing
import resource
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.candidate import Candidate, Inspection, Score
from tasks.deduplicate import copies_by_radius, deduplicate
from tasks.duplicates.rule import Level, Within
from tasks.pictures.fingerprint import COLOUR_NAMES, near_pairs

RADIUS_BITS = 6


@dataclass(frozen=True)
class Rule:
    """The default rule, over the whole campaign."""

    radius_bits: int = RADIUS_BITS
    hash: Literal["phash", "dhash"] = "phash"
    within: Within = "campaign"
    history_runs: int = 0
    level: Level = "near"
    min_similarity: float | None = None
    fold_mirrored: bool = False
    fold_framed: bool = False


def make_hashes(count: int) -> NDArray[np.uint64]:
    """Make hashes of which half are another one with up to five bits flipped."""
    chance = np.random.default_rng(11)
    hashes = chance.integers(0, 2**64, count, dtype=np.uint64, endpoint=False)
    half = count // 2
    copies = hashes[:half].copy()
    for _ in range(5):
        copies ^= np.uint64(1) << chance.integers(0, 64, half, dtype=np.uint64)
    hashes[-half:] = copies
    return hashes


def make_candidates(hashes: NDArray[np.uint64]) -> list[Candidate]:
    """Make candidates that carry the hashes, all of one colour."""
    colours = dict.fromkeys(COLOUR_NAMES, 0.0)
    return [
        Candidate(
            candidate_id=f"c-{index}", order_id="o", stage="draft", arm="A", row=0, replicate=index,
            attempt=0, prompt="", file="", sha256=str(index), n_bytes=1,
            scores={"technical": Score(index % 97 / 97, "")},
            inspection=Inspection(phash=f"{number:016x}", dhash=f"{number:016x}", measurements=colours),
        )
        for index, number in enumerate(hashes.tolist())
    ]  # fmt: skip


def measure_search(count: int) -> str:
    """Time the search for near hashes."""
    hashes = make_hashes(count)
    start = _now()
    pairs = near_pairs(hashes, RADIUS_BITS)
    return f"search         {count:>9,} | {_since(start)} | {len(pairs):>9,} pairs"


def measure_step(count: int) -> str:
    """Time deduplication."""
    candidates = make_candidates(make_hashes(count))
    start = _now()
    standings = deduplicate(candidates, Rule())
    copies = sum(one.status == "duplicate" for one in standings.values())
    return f"whole step     {count:>9,} | {_since(start)} | {copies:>9,} copies"


def measure_table(count: int) -> str:
    """Time the count of copies at every radius from 0 to 12."""
    candidates = make_candidates(make_hashes(count))
    start = _now()
    table = copies_by_radius(candidates, Rule())
    return f"table of radii {count:>9,} | {_since(start)} | {table[RADIUS_BITS]:>9,} copies at the default"


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(start: tuple[float, float]) -> str:
    wall_s, cpu_s = (now - then for now, then in zip(_now(), start, strict=True))
    return f"{wall_s:7.2f} s ({cpu_s:7.2f} s of CPU) | peak {_peak_mb():5.0f} MB"


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure every size and print one line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--largest", type=int, default=1_000_000, help="leave out what is larger")
    largest = parser.parse_args().largest
    plan = [
        (measure_search, 10_000),
        (measure_step, 10_000),
        (measure_table, 10_000),
        (measure_search, 100_000),
        (measure_step, 100_000),
        (measure_search, 1_000_000),
    ]
    for measure, count in plan:
        if count <= largest:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.apply(measure, (count,)), flush=True)


if __name__ == "__main__":
    main()
