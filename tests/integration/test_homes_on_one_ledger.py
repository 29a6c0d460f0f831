"""Several homes on one ledger: each checks its own files, and says of the others where they are."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.runs.checking import check_ledger
from flows.runs.run import StoredRun
from tasks.errors import RunError
from tasks.ledger import open_ledger
from tasks.ledger.database import LEDGER_VARIABLE
from tasks.ledger.homes import place_of
from tasks.ledger.schema import runs
from tasks.settings import Settings
from tests.support.builders import RUN_ID
from tests.support.review_home import fill_run
from tests.support.shell import Shell


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A ledger that is in neither home."""
    return {LEDGER_VARIABLE: f"sqlite:///{tmp_path / 'shared.db'}"}


@pytest.fixture
def homes(tmp_path: Path, environ: dict[str, str]) -> tuple[Path, Path]:
    """The home of a run, and one without any, on one ledger."""
    own, other = tmp_path / "own", tmp_path / "other"
    for home in (own, other):
        home.mkdir()
    with open_ledger(own, environ) as ledger:
        fill_run(own, ledger)
    return own, other


def missing(home: Path, environ: dict[str, str]) -> list[str]:
    """Check a home; gives the faults about missing files."""
    return [fault for fault in check_ledger(Settings(home, environ)).faults if fault.endswith("is missing.")]


def test_what_another_home_has_is_not_missing_here(homes: tuple[Path, Path], environ: dict[str, str]) -> None:
    """It is counted by home, and the command says so; at home nothing is said."""
    own, other = homes
    assert missing(other, environ) == []
    said = f"12 pictures of 1 run are in the home {place_of(own)}; check them there."
    assert check_ledger(Settings(other, environ)).elsewhere == [said]
    assert said in Shell(other, environ).runoff("ledger", "verify", "--home", other).stdout
    assert check_ledger(Settings(own, environ)).elsewhere == []
    with open_ledger(other, environ) as ledger, pytest.raises(RunError) as caught:
        StoredRun.find(Settings(other, environ), ledger, RUN_ID).campaign_file()
    assert f"It was made in the home {place_of(own)}" in str(caught.value)


def test_what_is_gone_at_home_is_missing(homes: tuple[Path, Path], environ: dict[str, str]) -> None:
    """Even if the whole run is; also of a run of which nobody wrote where it was made."""
    own, other = homes
    shutil.rmtree(own / "otters")
    assert len(missing(own, environ)) == 12
    with open_ledger(own, environ) as ledger, ledger.database.write() as connection:
        connection.execute(sa.update(runs).values(home=None))
    assert len(missing(other, environ)) == 12


def test_a_run_that_goes_on_elsewhere_is_of_that_home(
    homes: tuple[Path, Path], environ: dict[str, str]
) -> None:
    """A home that was moved is known by its new place once its run is resumed."""
    own, other = homes
    shutil.move(own / "otters", other / "otters")
    assert missing(other, environ) == []
    with open_ledger(other, environ) as ledger:
        (known,) = ledger.runs.all()
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=known.started_at)
        assert ledger.runs.find(RUN_ID).home == place_of(other)
    assert "in the home" in check_ledger(Settings(own, environ)).elsewhere[0]
