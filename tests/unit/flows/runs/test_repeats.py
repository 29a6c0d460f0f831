"""What is said about a campaign that was bought before, unchanged."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from flows.runs.repeats import find_repeat
from tests.support.builders import RUN_ID
from tests.support.planning import campaign


@pytest.mark.parametrize(
    ("left", "way_on"),
    [({}, "open it with runoff review"), ({"planned": 2}, "go on with runoff run --resume")],
)
def test_a_run_with_requests_left_is_gone_on_with_and_a_whole_one_opened(
    tmp_path: Path, left: dict[str, int], way_on: str
) -> None:
    """By what its summary counts."""
    asked = campaign()
    folder = tmp_path / asked.name / RUN_ID
    folder.mkdir(parents=True)
    (folder / "campaign.yaml").write_text(asked.as_yaml())
    counts = {"drafts": 1, "orders_by_state": {"received": 1} | left}
    (folder / "summary.json").write_text(json.dumps({"counts": counts}))
    repeat = find_repeat(tmp_path, asked)
    assert repeat is not None
    assert f"bought 3 min ago as {RUN_ID}, unchanged" in repeat.describe(repeat.at + timedelta(minutes=3))
    assert f"{way_on} {RUN_ID}, or buy it once more" in repeat.describe(repeat.at)
