"""The number of pictures inspected per second of processor time, and where it goes.

Photographs that scikit-image ships, enlarged to 1024 x 1024 with camera-like grain so that they compress no
better than real ones, as PNG; and the emulator's mosaics, 6 kB each, of which decoding takes next to nothing.
Counted in CPU seconds, because other load on the machine would distort wall time; libvips and Pillow, which
decodes where there is no libvips, take turns, and the best of several rounds counts. Target: 40 pictures per
second and core. Then, printed only, the rate by kind of worker: threads share memory and start at once,
processes cost their start and the transfer of results; and the peak memory, which must not grow with the
number of pictures. Writes its table into ``benchmarks/README.md``.

    python -m benchmarks.inspect_throughput
"""

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import skimage
from PIL import Image, ImageFilter

from benchmarks.figures import write_figures
from tasks.emulator.mosaic import mosaic
from tasks.inspect import inspect_picture, inspect_pictures
from tasks.memory import use_one_heap
from tasks.pictures import decoding
from tasks.pictures.decoding import decode, make_thumbnail
from tasks.pictures.fingerprint import fingerprint
from tasks.scorers.technical_figures import measure

NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "hubble_deep_field.jpg", "retina.jpg")
COUNT = 96
TIMES, ROUNDS = 4, 5
EDGE_PX = 1024

Files = list[tuple[str, str]]


def paint(folder: Path) -> Files:
    """Write the pictures; equal ones are links, because their pixels are read again each time."""
    (folder / "drafts").mkdir()
    chance = np.random.default_rng(3)
    for name in NAMES:
        photograph = decode(Path(skimage.__file__).parent / "data" / name).convert("RGB")
        edge = min(photograph.size)
        large = photograph.crop((0, 0, edge, edge)).resize((EDGE_PX, EDGE_PX), Image.Resampling.LANCZOS)
        sharp = np.asarray(large.filter(ImageFilter.UnsharpMask())).astype(float)
        grain = chance.normal(0, 1.5, (EDGE_PX, EDGE_PX, 1))
        Image.fromarray(np.clip(sharp + grain, 0, 255).astype(np.uint8)).save(
            folder / "drafts" / f"{name}.png"
        )
    files = []
    for index in range(COUNT):
        os.link(folder / "drafts" / f"{NAMES[index % len(NAMES)]}.png", folder / "drafts" / f"{index}.png")
        files.append((f"drafts/{index}.png", f"thumbnails/{index}.webp"))
    return files


def inspect_named(folder: Path, paths: tuple[str, str]) -> str | None:
    """Inspect one picture, in whatever worker."""
    return inspect_picture(folder, *paths).phash


def print_rate(name: str, work: Callable[[], Iterable[object]], cores: int) -> None:
    """Time one way of working through all pictures."""
    start, cpu_start = time.perf_counter(), time.process_time()
    count = len(list(work()))
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu_start
    in_cpu = f", {count / cpu_s:5.1f} a CPU second" if "process" not in name else ""
    print(f"{name:34} {count / wall_s:6.1f} pictures/s, {count / wall_s / cores:5.1f} a core{in_cpu}")


@contextmanager
def decoded_by(decoder: str) -> Iterator[None]:
    """Leave libvips out, or have it decode."""
    if decoder == "libvips":
        yield
        return
    with mock.patch.object(decoding, "decode_plain", return_value=None):
        yield


def parts_of(folder: Path, paths: tuple[str, str]) -> dict[str, float]:
    """Measure the parts of inspecting one picture, and all of it, milliseconds of CPU."""
    data = (folder / paths[0]).read_bytes()
    picture = decode(data)
    parts: dict[str, Callable[[], object]] = {
        "decode": lambda: decode(data),
        "fingerprint": lambda: fingerprint(picture),
        "technical figures": lambda: measure(picture),
        "thumbnail": lambda: make_thumbnail(picture),
        "all of it": lambda: inspect_picture(folder, *paths),
    }
    found = {}
    for name, part in parts.items():
        part()
        start = time.process_time()
        for _ in range(TIMES):
            part()
        found[name] = (time.process_time() - start) / TIMES * 1000
    return found


def best_of_rounds(folder: Path, files: Files, decoders: Sequence[str]) -> dict[str, dict[str, float]]:
    """Measure the parts by each decoder: means over the pictures, the best of the rounds."""
    best: dict[str, dict[str, float]] = {decoder: {} for decoder in decoders}
    for _ in range(ROUNDS):
        for decoder, parts in best.items():
            with decoded_by(decoder):
                measured = [parts_of(folder, paths) for paths in files]
            for name in measured[0]:
                mean = sum(one[name] for one in measured) / len(measured)
                parts[name] = min(parts.get(name, mean), mean)
    return best


def table(folder: Path, photographs: Files) -> str:
    """Write the figures of both kinds of picture."""
    decoders = ["libvips"] * (find_spec("pyvips") is not None) + ["Pillow"]
    kinds = {
        "photographs": best_of_rounds(folder, photographs, decoders),
        "mosaics": best_of_rounds(folder, paint_mosaics(folder), decoders[-1:]),
    }
    rows = []
    for kind, by_decoder in kinds.items():
        for decoder, parts in by_decoder.items():
            figures = [f"{figure:.1f} ms" for figure in parts.values()]
            rows.append([f"{kind}, {decoder}", *figures, f"{1000 / parts['all of it']:.0f}"])
    head = ["pictures", *parts, "a CPU second"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def paint_mosaics(folder: Path) -> Files:
    """Write mosaics as the emulator makes them."""
    names = [f"mosaic-{seed}" for seed in range(len(NAMES))]
    for seed, name in enumerate(names):
        data = mosaic(seed, None, (EDGE_PX, EDGE_PX), "png", 90, transparent=False)
        (folder / "drafts" / f"{name}.png").write_bytes(data)
    return [(f"drafts/{name}.png", f"thumbnails/{name}.webp") for name in names]


def measure_memory(folder: Path, files: Files) -> float:
    """Inspect in a process of its own and tell its peak memory, MB."""
    for _ in inspect_pictures(folder, files):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def pictures_per_cpu_s(folder: Path) -> float:
    """Measure how many pictures one thread inspects per CPU second."""
    files, look = paint(folder), partial(inspect_named, folder)
    list(map(look, files[:4]))  # what is loaded once is loaded by now
    start = time.process_time()
    list(map(look, files))
    return len(files) / (time.process_time() - start)


def main() -> None:
    """Measure, write and print."""
    use_one_heap()  # as the command does, which also lets OpenCV use one thread
    cv2.setNumThreads(1)
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = paint(folder)
        size = sum((folder / "drafts" / f"{one}.png").stat().st_size for one in NAMES) / len(NAMES)
        said = (
            f"Pictures of {EDGE_PX} x {EDGE_PX}, PNG, photographs of {size / 1e6:.1f} MB; milliseconds of "
            f"CPU for each, the best of {ROUNDS} rounds."
        )
        figures = f"{said}\n\n{table(folder, files[: len(NAMES)])}"
        print(figures)
        write_figures("benchmarks.inspect_throughput", figures)
        look = partial(inspect_named, folder)
        print_rate("one thread", lambda: map(look, files), 1)
        print_rate("inspect_pictures", lambda: inspect_pictures(folder, files), cores)
        with ThreadPoolExecutor(cores) as threads:
            print_rate(f"{cores} threads", lambda: threads.map(look, files), cores)
        for kind in ("spawn", "forkserver"):
            start = time.perf_counter()
            with ProcessPoolExecutor(cores, mp_context=multiprocessing.get_context(kind)) as processes:
                list(processes.map(look, files[:cores]))
                print(f"{cores} processes by {kind}: ready after {time.perf_counter() - start:.2f} s, then")
                print_rate(
                    f"{cores} processes, {kind}", lambda: processes.map(look, files, chunksize=4), cores
                )
        for times in (1, 5):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                peak = pool.apply(measure_memory, (folder, files * times))
            print(f"peak memory at {COUNT * times} pictures: {peak:.0f} MB")


if __name__ == "__main__":
    main()
