"""``runoff grid`` and ``runoff verdict --best`` of plain arms, and what they say where there is nothing."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from flows.command_line import runoff
from tasks.errors import RunError
from tests.support.builders import NOON, RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import fill_run


def give(home: Path, *words: str) -> Result:
    """Give a command in this process."""
    return CliRunner().invoke(runoff, [*words, "--home", str(home)])


def test_a_grid_of_plain_arms_has_arms_and_rows_along_its_edges(tmp_path: Path) -> None:
    """Two arms, two rows; the picture and the PDF are beside the report. One row alone is smaller."""
    with open_ledger(tmp_path) as ledger:
        fill_run(tmp_path, ledger)
    done = give(tmp_path, "grid")
    assert done.exit_code == 0, done.output
    files = [Path(line.split(maxsplit=1)[1]) for line in done.output.splitlines()]
    assert [file.name for file in files] == ["grid.png", "grid.pdf"]
    with Image.open(files[0]) as whole:
        size = whole.size
    assert files[1].read_bytes().startswith(b"%PDF")
    assert give(tmp_path, "grid", "--only", "row=2").exit_code == 0
    with Image.open(files[0]) as one:
        assert one.height < size[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--only", "row=3"), "'3' is unknown, accepted: 1, 2"),
        (("--top", "light"), "'light' is unknown, accepted: arm, row"),
        (("--top", "arm", "--side", "arm"), "arm is named twice"),
        (("--only", "arm"), "'' is unknown"),
    ],
)
def test_what_a_grid_cannot_show_is_one_message(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    """It names what is accepted, and draws nothing."""
    with open_ledger(tmp_path) as ledger:
        fill_run(tmp_path, ledger)
    done = give(tmp_path, "grid", *words)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())
    assert not list(tmp_path.rglob("grid.png"))


def test_a_run_without_pictures_or_factors_says_so(tmp_path: Path) -> None:
    """What is asked for is not there, and what to do is said."""
    with open_ledger(tmp_path) as ledger:
        fill_run(tmp_path, ledger)
    best = give(tmp_path, "verdict", RUN_ID, "--best")
    assert isinstance(best.exception, RunError)
    assert "no best combination" in str(best.exception)
    with open_ledger(tmp_path) as ledger:
        ledger.runs.start("20260101-000000-zzzz", campaign="otters", provider="emulator", now=NOON)
    campaign = next(tmp_path.rglob("campaign.yaml"))
    other = campaign.parent.parent / "20260101-000000-zzzz"
    other.mkdir()
    (other / "campaign.yaml").write_bytes(campaign.read_bytes())
    empty = give(tmp_path, "grid", "20260101-000000-zzzz")
    assert isinstance(empty.exception, RunError)
    assert "no drafts yet" in str(empty.exception)
    with open_ledger(tmp_path) as ledger:
        ledger.runs.end("20260101-000000-zzzz", "done", NOON)
    refused = give(tmp_path, "grid", "20260101-000000-zzzz")
    assert isinstance(refused.exception, RunError)
    assert "got no draft" in str(refused.exception)
    assert "runoff report 20260101-000000-zzzz" in str(refused.exception)
