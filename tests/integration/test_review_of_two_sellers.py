"""The gallery of a run whose arms were bought at several providers."""

from pathlib import Path

import yaml

from tests.support.builders import RUN_ID
from tests.support.review_home import CAMPAIGN, review_page
from tests.support.review_requests import ask


def test_each_arm_says_where_it_was_bought_where_that_differs(tmp_path: Path) -> None:
    """With one provider for all, the head of the page says it once."""
    with review_page(tmp_path) as page:
        assert "<dt>Provider</dt>" not in ask(page, f"/runs/{RUN_ID}")[1].decode()
        arms = {"A": CAMPAIGN["arms"]["A"], "B": CAMPAIGN["arms"]["B"] | {"provider": "openai"}}
        (page.folder / "campaign.yaml").write_text(yaml.safe_dump(CAMPAIGN | {"arms": arms}))
        shown = ask(page, f"/runs/{RUN_ID}")[1].decode()
    for seller in ("emulator", "openai"):
        assert f"<div><dt>Provider</dt><dd>{seller}</dd></div>" in shown
