"""The time the review page takes to show a run from a store, on a machine without its files.

3,000 drafts with thumbnails are in an S3 server, a process on this machine. Measured are the time until the
gallery's page and facts are loaded, the time until the thumbnails of a first screen are, and, for comparison,
the time to fetch the whole run first: one by one, and concurrently as ``runoff rescore`` does.

    python -m benchmarks.review_on_a_store [--drafts 3000]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from tasks.ledger import open_ledger
from tasks.storage.home import home_folder, run_folder
from tasks.storage.mirror import MIRRORS_VARIABLE, Store, mirror_of, store_of
from tests.support.builders import RUN_ID
from tests.support.object_store import BUCKET
from tests.support.review_home import Open, fill_run, page_on

ROOT = Path(__file__).parents[1]
ADDRESS = f"s3://{BUCKET}/benchmark"
DRAFT_BYTES, THUMBNAIL_BYTES = 60_000, 8_000
N_CELLS = 4
SCREEN = 24
AT_ONCE = 6
"""How many pictures a browser asks one server for at the same time."""

SERVE = """
import json, sys
from tests.support.object_store import object_store
with object_store() as variables:
    print(json.dumps(variables), flush=True)
    sys.stdin.read()
"""


@contextmanager
def open_store() -> Iterator[dict[str, str]]:
    """Start an S3 server in another process; yields the variables that lead to it."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as server:  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())
        server.stdin.close()


def paint_many(folder: Path, n_drafts: int) -> None:
    """Write as many different files as there are drafts and thumbnails, of a real run's weight."""
    chance = np.random.default_rng(7)
    for place, ending, n_bytes in (("drafts", "png", DRAFT_BYTES), ("thumbnails", "webp", THUMBNAIL_BYTES)):
        for number in range(n_drafts):
            start = b"\x89PNG\r\n\x1a\n" if ending == "png" else b"RIFF0000WEBP"
            (folder / place / f"p{number:02d}.{ending}").write_bytes(start + chance.bytes(n_bytes))


def mirror_named(folder: Path, name: str) -> Store:
    """Be a machine that has never seen the store."""
    found = store_of(mirror_of(ADDRESS, {MIRRORS_VARIABLE: str(folder / name)}))
    assert found is not None
    return found


def print_timed(name: str, work: Callable[[], object]) -> None:
    """Do something and print how long it took."""
    started_s = time.perf_counter()
    work()
    print(f"{name:54} {time.perf_counter() - started_s:7.2f} s")


def read(page: Open, path: str) -> bytes:
    """Ask the page for something, as a browser does."""
    with urllib.request.urlopen(page.address + path, timeout=120) as answer:
        return bytes(answer.read())


def look(page: Open) -> None:
    """Open the gallery, and look at a screen of it."""
    run = f"/runs/{RUN_ID}"
    print_timed("gallery: page, facts and finalists", lambda: [
        read(page, path) for path in (run, f"{run}/gallery.json", f"{run}/shortlist.json")
    ])  # fmt: skip
    wanted = [f"/thumbnails/{draft.candidate_id}" for draft in page.drafts[: 2 * SCREEN]]
    with ThreadPoolExecutor(AT_ONCE) as browser:
        for name, some in (("its first", wanted[:SCREEN]), ("the next", wanted[SCREEN:])):
            print_timed(f"{name} {SCREEN} thumbnails", partial(look_at, browser, page, some))
    print_timed("the gallery again", lambda: [read(page, path) for path in (run, f"{run}/gallery.json")])


def look_at(browser: ThreadPoolExecutor, page: Open, paths: Sequence[str]) -> None:
    """Ask for some pictures, a few at a time."""
    list(browser.map(partial(read, page), paths))


def fetch_one_by_one(store: Store, names: Iterator[Path]) -> None:
    """Fetch files as a loop does."""
    for file in names:
        store.fetch_file(file)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--drafts", type=int, default=3000, help="a multiple of 4")
    n_drafts = parser.parse_args().drafts
    with tempfile.TemporaryDirectory() as name, open_store() as variables:
        folder = Path(name)
        os.environ |= {**variables, MIRRORS_VARIABLE: str(folder / "maker")}
        maker = mirror_named(folder, "maker")
        with open_ledger(folder, os.environ) as ledger:
            drafts = fill_run(
                home_folder(ADDRESS, os.environ), ledger, per_cell=n_drafts // N_CELLS, n_files=n_drafts
            )
            run = run_folder(maker.mirror, "otters", RUN_ID)
            paint_many(run, n_drafts)
            print_timed(
                f"{n_drafts:,} drafts and thumbnails into the store", lambda: maker.push(maker.mirror)
            )
            with page_on(mirror_named(folder, "looker").mirror, ledger, drafts) as page:
                look(page)
            other, third = mirror_named(folder, "other"), mirror_named(folder, "third")
            print_timed("the whole run, side by side", lambda: other.fetch(other.mirror))
            names = (third.mirror / file.relative_to(maker.mirror) for file in maker.sizes(maker.mirror))
            print_timed("the whole run, one by one", lambda: fetch_one_by_one(third, names))


if __name__ == "__main__":
    main()
