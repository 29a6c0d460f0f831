"""More of a picture on and after the day on which models of its run were shut down."""

from pathlib import Path

import pytest

from flows.further.asked import Asked
from flows.further.plan import FurtherPlan, further_plan
from flows.session.prepare import prepare
from tasks.campaign.succession import EVERY_PART, JUDGES, NO_PART, Part, find_shut_down
from tasks.errors import CatalogueError
from tasks.settings import Settings
from tests.support.builders import RUN_ID
from tests.support.review_home import CAMPAIGN, filled_home

LAST_DAY = {"RUNOFF_TODAY": "2026-12-01"}
GONE = {"model": "gpt-image-1-mini", "size": "1024x1024", "quality": "low"}
DRAFTS = GONE | {"per_prompt": 3}


def priced(home: Path, model: str | None = None) -> FurtherPlan:
    """Price two more of the first draft, of its own model or another one."""
    settings = Settings(home, LAST_DAY)
    return further_plan(
        settings, RUN_ID, "p00", lambda draft: Asked(draft.candidate_id, 2, "row", model=model)
    )[1]


def test_more_needs_no_model_of_finals(tmp_path: Path) -> None:
    """It buys none."""
    found = priced(filled_home(tmp_path, finals=GONE))
    assert [order.parameters["model"] for order in found.orders] == ["gpt-image-2.5-flare"] * 2


def test_more_of_a_gone_model_names_the_command_with_another(tmp_path: Path) -> None:
    """And that command is what makes it go on."""
    home = filled_home(tmp_path, drafts=DRAFTS)
    with pytest.raises(CatalogueError) as refused:
        priced(home)
    told = str(refused.value)
    assert "more of p00: gpt-image-1-mini was shut down on 2026-12-01" in told
    assert told.endswith(
        f"Nothing was bought. Ask for another model: runoff more {RUN_ID} p00 --model gpt-image-2.6-flare"
    )
    found = priced(home, "gpt-image-2.6-flare")
    assert [order.parameters["model"] for order in found.orders] == ["gpt-image-2.6-flare"] * 2


def test_a_model_that_every_arm_replaces_is_not_needed(tmp_path: Path) -> None:
    """The model that arms share counts where an arm uses it."""
    own = {"drafts": {"model": "gpt-image-2.5-flare"}}
    arms = {name: arm | own for name, arm in CAMPAIGN["arms"].items()}
    settings = Settings(filled_home(tmp_path, drafts=DRAFTS, arms=arms), LAST_DAY)
    file = next(settings.home.glob("*/*/campaign.yaml"))
    prepared = prepare(file, settings, RUN_ID)
    assert find_shut_down(prepared.campaign, prepared.catalogue, settings.today) == {}


@pytest.mark.parametrize("needed", [NO_PART, JUDGES])
def test_what_buys_no_picture_needs_no_model_of_pictures(tmp_path: Path, needed: frozenset[Part]) -> None:
    """Asking a judge again, and looking, go on when all other models of the run are gone."""
    settings = Settings(filled_home(tmp_path, drafts=DRAFTS, finals=GONE), LAST_DAY)
    file = next(settings.home.glob("*/*/campaign.yaml"))
    assert prepare(file, settings, RUN_ID, needed=needed).campaign.drafts.model == "gpt-image-1-mini"
    with pytest.raises(CatalogueError):
        prepare(file, settings, RUN_ID, needed=EVERY_PART)
