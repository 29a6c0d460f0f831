"""The storage and CPU time that each additional picture of a run takes, from two runs of different size.

Drafts of 1024 x 1024 come from an emulator in another process, as PNG of 0.6 MB. The size of the vendor's own
pictures is not known, so the picture is listed separately from what Runoff adds. Fixed costs of a run cancel
out in the difference. Reports of up to some hundred pictures embed their thumbnails, so both runs are larger.

    python -m benchmarks.bytes_kept [--orders 400 1200]
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.workplace import (
    COMMAND,
    Provider,
    environ_of,
    open_prefect_server,
    open_provider,
    run_timed,
    write_campaign,
    write_home,
)

CONCURRENCY = 50
LATENCY_S = 0.5
KINDS = {
    "drafts": "the picture",
    "answers": "the sidecar",
    "thumbnails": "thumbnail",
    "report.html": "report.html",
    "report.csv": "report.csv",
    "report.parquet": "report.parquet",
    "summary.json": "summary.json",
    "contact_sheet.png": "contact_sheet.png",
    "ledger.db": "ledger (SQLite)",
    "prefect.db": "Prefect's database",
}


def weigh(folder: Path) -> Counter[str]:
    """Sum the files below a folder by kind, bytes."""
    weights: Counter[str] = Counter()
    for file in folder.rglob("*"):
        kind = next((KINDS[part] for part in file.parts if part in KINDS), None)
        if kind is not None and file.is_file():
            weights[kind] += file.stat().st_size
    return weights


def weigh_run(folder: Path, provider: Provider, n_orders: int) -> tuple[Counter[str], float]:
    """Run a campaign in a home and with a Prefect server of its own.

    Returns:
        What it leaves, bytes, and what its process took, seconds of the processor.
    """
    home = folder / f"home-{n_orders}"
    campaign = write_campaign(folder, n_orders)
    write_home(home, CONCURRENCY)
    with open_prefect_server(folder / f"server-{n_orders}") as prefect:
        run = run_timed(COMMAND, "run", campaign, environ=environ_of(home, provider, prefect), cwd=folder)
    return weigh(home) + weigh(folder / f"server-{n_orders}"), run.cpu_s


def measure_pictures(few: int, many: int) -> tuple[dict[str, float], float]:
    """Measure the storage of each additional picture, bytes by kind, and its CPU seconds."""
    with tempfile.TemporaryDirectory() as name, open_provider(LATENCY_S, is_grainy=True) as provider:
        (small, least_s), (large, most_s) = (weigh_run(Path(name), provider, n) for n in (few, many))
    kept = {kind: (large[kind] - small[kind]) / (many - few) for kind in KINDS.values()}
    return kept, (most_s - least_s) / (many - few)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--orders", type=int, nargs=2, default=[400, 1200], help="multiples of 20")
    kept, cpu_s = measure_pictures(*parser.parse_args().orders)
    print("| kept of each picture | bytes |\n|---|---|")
    for kind, weight in kept.items():
        print(f"| {kind} | {weight:,.0f} |")
    print(f"the run's process: {1000 * cpu_s:.0f} ms of the processor for each")


if __name__ == "__main__":
    main()
