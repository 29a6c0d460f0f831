"""What was found of an account's limit is told by the next plan."""

from pathlib import Path

from flows.session.pace import with_found_pace
from flows.session.prepare import prepare
from tasks.images_api.rate_limiter.found_limit import FoundLimit
from tasks.images_api.rate_limiter.limiter import allowance_of
from tasks.images_api.rate_limiter.sliding_window import SlidingWindow
from tasks.settings import Settings
from tests.support.builders import RUN_ID
from tests.support.campaign_files import basis, load
from tests.support.ledgers import open_ledger

ENVIRON = {"OPENAI_API_KEY": "sk-0123456789abcdef", "RUNOFF_TODAY": "2026-11-22"}


def test_a_plan_takes_the_pace_that_was_found(tmp_path: Path) -> None:
    """Before: from the lowest limit up. After: at that pace. Another account: again from the lowest."""
    load(tmp_path, basis())
    settings = Settings.of(tmp_path / "home", ENVIRON)
    prepared = prepare(tmp_path / "campaign.yaml", settings, RUN_ID)
    before = with_found_pace(prepared)
    assert before is prepared
    assert not (tmp_path / "home").exists()
    (tmp_path / "home").mkdir()
    with open_ledger(tmp_path / "home") as ledger:
        state = SlidingWindow(found=FoundLimit(limit=50.0, since_s=1.0)).state()
        ledger.allowances.change(allowance_of(prepared.terms), lambda _state, _now_s: state)
    after = with_found_pace(prepared).plan
    assert (after.found_per_minute, after.drafts_s) == (50.0, before.plan.drafts_s / 10)
    assert after.notes[-1] == "pace: 50 pictures a minute, as found for this account."
    other = Settings.of(tmp_path / "home", ENVIRON | {"OPENAI_API_KEY": "sk-another-0123456789"})
    assert with_found_pace(prepare(tmp_path / "campaign.yaml", other, RUN_ID)).plan.found_per_minute is None
