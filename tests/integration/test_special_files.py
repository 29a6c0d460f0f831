"""Whatever file a person names: a pipe, a device, a socket or a folder in its place is refused at once."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.campaign_file.load import load_campaign
from tasks.catalogue import CATALOGUE_VARIABLE, load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.emulator.faults import load_rules
from tasks.errors import RunoffError
from tasks.ledger.monthly_limit import LIMITS_FILE, ledger_per_month_usd
from tests.support.campaign_files import basis, save
from tests.support.fuzzing import bounded
from tests.support.planning import CATALOGUE, PROVIDERS

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files on this system")


def _zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _endless(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


def _load(folder: Path, **changes: Any) -> None:
    campaign = basis() | changes
    if "rows" in changes:
        del campaign["variables"]
        campaign["arms"] = {"A": {"prompt": "x"}}
    (folder / "c.yaml").write_text(json.dumps(campaign), "utf-8")
    load_campaign(folder / "c.yaml", CATALOGUE, PROVIDERS, scorers=["technical"])


def _load_mask(folder: Path) -> None:
    _load(folder, references=[save(folder, "one.png", (64, 64))], mask="it.png")


DOORS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "campaign": (
        "it",
        lambda folder: load_campaign(folder / "it", CATALOGUE, PROVIDERS, scorers=["technical"]),
    ),
    "rows csv": ("it.csv", lambda folder: _load(folder, rows="it.csv")),
    "rows jsonl": ("it.jsonl", lambda folder: _load(folder, rows="it.jsonl")),
    "rows parquet": ("it.parquet", lambda folder: _load(folder, rows="it.parquet")),
    "reference": ("it.png", lambda folder: _load(folder, references=["it.png"])),
    "mask": ("it.png", _load_mask),
    "catalogue": ("it", lambda folder: load_catalogue(None, {CATALOGUE_VARIABLE: str(folder / "it")})),
    "catalogue of the home": ("catalogue.yaml", load_catalogue),
    "providers of the home": ("providers.yaml", load_providers),
    "limits of the home": (LIMITS_FILE, lambda folder: ledger_per_month_usd(folder, {})),
    "faults of the emulator": ("it", lambda folder: load_rules(folder / "it")),
}


@pytest.mark.parametrize(
    "make", [os.mkfifo, _zero, _endless, Path.mkdir], ids=["pipe", "device", "huge", "folder"]
)
@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_regular_file_is_refused_at_once(
    tmp_path: Path, door: str, make: Callable[[Path], None]
) -> None:
    """In one of the named errors; a pipe is not waited for, a device and a terabyte are not read."""
    name, read = DOORS[door]
    if name.endswith((".csv", ".jsonl", ".parquet")) and make is Path.mkdir:
        pytest.skip("a folder of pictures is a kind of rows")
    make(tmp_path / name)
    with bounded(time_s=2, memory_mb=100), pytest.raises(RunoffError) as caught:
        read(tmp_path)
    assert "Nothing was bought" in str(caught.value)
