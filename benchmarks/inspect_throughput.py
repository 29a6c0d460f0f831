"""The number of pictures inspected per second, by kind of worker.

Photographs that scikit-image ships, enlarged to 1024 x 1024 with camera-like grain so that they compress no
better than real ones, as PNG. The figure for one core is counted in CPU seconds too, because other load on
the machine would distort wall time. Threads share memory and start at once; Pillow and NumPy release the
interpreter's lock while they work. Processes cost their start and the transfer of results. Target: 20
pictures per second and core. Then the peak memory, which must not grow with the number of pictures.

    python benchmarks/inspect_throughput.py
"""

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageFilter

from tasks.inspect import inspect_picture, inspect_pictures
from tasks.pictures.decoding import decode, make_thumbnail
from tasks.pictures.fingerprint import fingerprint
from tasks.scorers.technical_figures import measure

NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "hubble_deep_field.jpg", "retina.jpg")
COUNT = 96
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


def print_parts(path: Path) -> None:
    """Show where the time of one picture goes."""
    data = path.read_bytes()
    picture = decode(data)
    parts: dict[str, Callable[[], object]] = {
        "decode": lambda: decode(data),
        "fingerprint": lambda: fingerprint(picture),
        "technical figures": lambda: measure(picture),
        "thumbnail": lambda: make_thumbnail(picture),
    }
    for name, part in parts.items():
        start = time.process_time()
        for _ in range(20):
            part()
        print(f"  {name:20} {(time.process_time() - start) / 20 * 1000:6.1f} ms")


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
    """Measure and print."""
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = paint(folder)
        size = sum((folder / "drafts" / f"{one}.png").stat().st_size for one in NAMES) / len(NAMES)
        print(f"{COUNT} PNG pictures of {EDGE_PX} x {EDGE_PX}, {size / 1e6:.1f} MB each, {cores} cores")
        look = partial(inspect_named, folder)
        list(map(look, files[:4]))
        print_parts(folder / files[0][0])
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
