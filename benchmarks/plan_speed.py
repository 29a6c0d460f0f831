"""The time to plan 10,000 rows of two arms.

Once with prompts only, once with a reference for every row and a drawn mask. Everything before the first
request is measured: reading the file, checking it, planning it. Writes its table into
``benchmarks/README.md``.

    python -m benchmarks.plan_speed [ROWS]
"""

import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from benchmarks.figures import write_figures
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.plan import plan

TODAY = date(2026, 11, 22)
CAMPAIGN: dict[str, Any] = {
    "name": "plan-speed",
    "provider": "openai",
    "budget": {"per_run_usd": 100_000},
    "rows": "rows.csv",
    "arms": {"A": {"prompt": "{{ name }} on sand"}, "B": {"prompt": "{{ name }} on an oak table"}},
    "drafts": {"model": "gpt-image-2", "per_prompt": 1},
    "finals": {"model": "gpt-image-2"},
}
PICTURES = {"references": ["products/{{ name }}.png"], "mask": {"keep_box": ["25%", "25%", "50%", "50%"]}}


def main(row_count: int) -> None:
    """Plan twice, and write how long each step took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = [f"product-{index:06d}" for index in range(row_count)]
        (folder / "rows.csv").write_text("name\n" + "\n".join(names) + "\n", encoding="utf-8")
        (folder / "products").mkdir()
        for index, product in enumerate(names):
            Image.new("RGB", (64, 64), (index % 256, index // 256 % 256, 90)).save(
                folder / "products" / f"{product}.png", compress_level=1
            )
        lines = [
            f"`python -m benchmarks.plan_speed`, once: {row_count:,} rows x {len(CAMPAIGN['arms'])} arms.",
            "",
            "| | read and checked | planned | total | requests |",
            "|---|---|---|---|---|",
            f"| prompts only | {measure(folder, CAMPAIGN)} |",
            f"| a reference (64 x 64) per row, and a drawn mask | {measure(folder, CAMPAIGN | PICTURES)} |",
        ]
    print("\n".join(lines))
    write_figures("benchmarks.plan_speed", "\n".join(lines))


def measure(folder: Path, campaign: dict[str, Any]) -> str:
    """Read, check and plan a campaign; returns the cells of its line."""
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump(campaign), encoding="utf-8")
    catalogue, providers = load_catalogue(environ={}), load_providers()
    start = time.perf_counter()
    loaded = load_campaign(file, catalogue, providers, scorers=["technical"])
    checked = time.perf_counter()
    planned = plan(loaded, catalogue, providers, "plan", TODAY, home=folder)
    end = time.perf_counter()
    took_s = (checked - start, end - checked, end - start)
    return " | ".join([*(f"{seconds:.1f} s" for seconds in took_s), f"{len(planned.orders):,}"])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
