"""The step that decodes every picture once and measures it.

One decode yields whether the bytes are a picture, its size, its perceptual hashes, the technical measurements
and the thumbnail; later steps, and rescoring months later, use only these. A picture that cannot be decoded
is recorded as such and never stops the run.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path

from PIL import Image

from tasks.candidate import Inspection
from tasks.errors import PictureError
from tasks.limits import PICTURE_BYTES
from tasks.own_process import load_scipy
from tasks.pictures.container import read_header
from tasks.pictures.decoding import decode, make_thumbnail
from tasks.pictures.fingerprint import fingerprint
from tasks.pictures.provenance import read_provenance
from tasks.pictures.transparency import measure_transparency
from tasks.scorers.technical_figures import measure
from tasks.storage.atomic import write_atomically
from tasks.storage.regular_file import read_regular


def inspect_picture(
    run_folder: Path, file: str, thumbnail: str, anchors_file: str | None = None
) -> Inspection:
    """Decode one picture, measure it and write its thumbnail.

    Args:
        run_folder: The run's folder.
        file: The picture's path relative to it; only read.
        thumbnail: Where to write the WebP thumbnail, relative to it.
        anchors_file: PEM file of the root certificates trusted to sign pictures.

    Returns:
        The measurements; or, for a file that is missing or not a usable picture, only ``fault``, and no
        thumbnail is written.

    Raises:
        SettingError: The thumbnail cannot be written, or the file of C2PA anchors is not valid.
    """
    path = run_folder / file
    try:
        data = read_regular(path, PICTURE_BYTES)
        picture = decode(data, file)
    except PictureError as fault:
        return Inspection(fault=fault.what)
    except OSError as fault:
        return Inspection(fault=f"the file cannot be read: {fault.strerror or fault}")
    prints = fingerprint(picture)
    measurements = measure(picture) | prints.colours | measure_transparency(picture)
    provenance = read_provenance(data, anchors_file)
    write_atomically(run_folder / thumbnail, make_thumbnail(picture), is_durable=False)
    return Inspection(
        width=picture.width,
        height=picture.height,
        format=read_header(data).format,
        has_c2pa=provenance.has_manifest,
        c2pa_issuer=provenance.issuer,
        c2pa_state=provenance.validation_state,
        phash=prints.phash,
        dhash=prints.dhash,
        colorhash=prints.colorhash,
        measurements=measurements,
        thumbnail=thumbnail,
    )


def inspect_pictures(
    run_folder: Path,
    files: Sequence[tuple[str, str]],
    workers: int | None = None,
    anchors_file: str | None = None,
) -> Iterator[tuple[str, Inspection]]:
    """Inspect many pictures on all cores; memory does not grow with their number.

    Threads, because Pillow, libvips, OpenCV and NumPy release the interpreter's lock while they work, and
    processes take half a second to start. A PNG of 1024 x 1024 and 1.7 MB takes 25 ms of processor time, 14
    of them to decode it; without libvips 35 ms and 24. ``benchmarks/inspect_throughput.py`` measures it.

    Args:
        run_folder: The run's folder.
        files: The path of each picture and of its thumbnail, both relative to the folder.
        workers: How many pictures at a time; by default one per core.
        anchors_file: See ``inspect_picture``.

    Yields:
        Each picture's path with its inspection, in the order given.

    Raises:
        SettingError: A thumbnail cannot be written; results yielded before remain valid.
    """
    look = partial(_look, run_folder, anchors_file)
    workers = workers or os.cpu_count() or 1
    if workers == 1 or len(files) == 1:
        yield from map(look, files)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="inspect") as pool:
        waiting = iter(files)
        while batch := list(islice(waiting, workers * 32)):
            yield from pool.map(look, batch)


def load_libraries() -> None:
    """Load what inspecting a picture needs, a third of a second of work, before there is one."""
    load_scipy()
    for name in ("cv2", "imagehash", "scipy.fftpack"):
        import_module(name)
    Image.init()


def _look(run_folder: Path, anchors_file: str | None, paths: tuple[str, str]) -> tuple[str, Inspection]:
    file, thumbnail = paths
    return file, inspect_picture(run_folder, file, thumbnail, anchors_file)
