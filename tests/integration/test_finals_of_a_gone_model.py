"""A run whose finals' model was shut down before they were bought: one command goes on with another model."""

from datetime import date
from pathlib import Path

import pytest

from flows.decline import decline
from flows.promotion.plan import promotion_plan
from flows.session.prepare import prepare, prepare_amended
from tasks.campaign.succession import EVERY_PART, FINALS, Part
from tasks.campaign_file.overrides import Overrides
from tasks.errors import CatalogueError
from tasks.settings import Settings
from tests.support.builders import RUN_ID
from tests.support.ledgers import open_ledger
from tests.support.review_home import CAMPAIGN, filled_home

LAST_DAY = {"RUNOFF_TODAY": "2026-12-01"}
GONE = {"model": "gpt-image-1-mini", "size": "1024x1024", "quality": "low"}


@pytest.mark.parametrize(
    ("changes", "needed", "command"),
    [
        ({"finals": GONE}, FINALS, "promote {} --set finals.model=gpt-image-2.6-flare"),
        ({"finals": GONE}, EVERY_PART, "run --resume {} --set finals.model=gpt-image-2.6-flare"),
        (
            {"finals": [CAMPAIGN["finals"] | {"name": "one"}, GONE | {"name": "two"}]},
            FINALS,
            "promote {} --set finals.1.model=gpt-image-2.6-flare",
        ),
        (
            {"drafts": GONE, "finals": GONE},
            EVERY_PART,
            "run --resume {} --set finals.model=gpt-image-2.6-flare --set drafts.model=gpt-image-2.6-flare",
        ),
    ],
    ids=["promote", "resume", "editions", "drafts too"],
)
def test_the_error_has_the_command_which_goes_on(
    changes: dict[str, object], needed: frozenset[Part], command: str, tmp_path: Path
) -> None:
    """And the command's options are what makes it go on; the run's own file changes with the session."""
    settings = Settings(filled_home(tmp_path, **changes), LAST_DAY)
    assert settings.today == date(2026, 12, 1)
    file = next(settings.home.glob("*/*/campaign.yaml"))
    before = file.read_text()
    with pytest.raises(CatalogueError) as refused:
        prepare(file, settings, RUN_ID, needed=needed)
    assert str(refused.value).endswith(f"Go on with another model: runoff {command.format(RUN_ID)}")
    assert "Nothing was bought now; what was bought before is kept." in str(refused.value)
    given = dict(word.split("=") for word in command.split() if "=" in word)
    prepared = prepare_amended(file, settings, RUN_ID, Overrides(given), needed=needed)
    assert prepared.campaign.editions[-1].model == "gpt-image-2.6-flare"
    assert (prepared.amended_from, file.read_text()) == (before, before)


def test_a_run_of_which_nothing_is_left_to_buy_needs_no_model(tmp_path: Path) -> None:
    """Before somebody declines it, its promotion asks for another model; then there is nothing to buy."""
    settings = Settings(filled_home(tmp_path, finals=GONE), LAST_DAY)
    with pytest.raises(CatalogueError, match="was shut down on 2026-12-01"):
        promotion_plan(settings, RUN_ID)
    with open_ledger(settings.home) as ledger:
        decline(settings, ledger, RUN_ID, "mara")
    priced = promotion_plan(settings, RUN_ID)
    assert (priced.n_finals, priced.sentence) == (
        0,
        "No draft was chosen as a finalist; there is nothing to buy.",
    )
