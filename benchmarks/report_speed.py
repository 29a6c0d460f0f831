"""How long a report of 10,000 rows takes to write: ``python -m benchmarks.report_speed [ROWS]``."""

import sys
import tempfile
import time
from pathlib import Path

from tasks.report import write_report
from tests.report_rows import make_facts, make_run, paint_files


def main(row_count: int) -> None:
    """Write one report and print its time and the sizes of its files."""
    rows = make_run(prompts=-(-row_count // 16), replicates=8)[:row_count]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paint_files(rows, folder, px=64)
        start = time.perf_counter()
        files = write_report(rows, make_facts(), folder)
        seconds = time.perf_counter() - start
        print(
            f"{len(rows):,} rows: {seconds:.2f} s, import of pandas included (target: below 10 s at 10,000)"
        )
        for path in (files.parquet, files.csv, files.html, files.contact_sheet, files.summary):
            print(f"  {path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
