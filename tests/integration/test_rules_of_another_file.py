"""Deciding a run again by another file's rules: they must fit the run's own rows."""

from pathlib import Path

import pytest
import yaml

from flows.rescore import rescore
from tasks.errors import CampaignError
from tasks.settings import Settings
from tests.support.ledgers import open_ledger
from tests.support.review_home import CAMPAIGN, fill_run


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        ({"finalists": {"per": {"animal": 1}}}, "finalists.per.animal: no row has a variable 'animal'"),
        (
            {"score": {"weights": {"judge": 1}, "judge": {"rubric": ["It is a {{ animal }}"]}}},
            "score.judge.rubric.0: names animal, which no row defines",
        ),
    ],
)
def test_rules_that_do_not_fit_the_runs_rows_are_refused_and_nothing_is_changed(
    tmp_path: Path, rules: dict[str, object], fault: str
) -> None:
    """The other file is right by itself; its variable is none of the run's."""
    file = tmp_path / "rules.yaml"
    other = {"variables": {"animal": ["fox"]}, "arms": {"A": {"prompt": "A {{ animal }}"}}}
    file.write_text(yaml.safe_dump(CAMPAIGN | other | rules))
    (tmp_path / "home").mkdir()
    with open_ledger(tmp_path / "home") as ledger:
        fill_run(tmp_path / "home", ledger)
        (kept,) = (tmp_path / "home").glob("otters/*/campaign.yaml")
        before = kept.read_text()
        with pytest.raises(CampaignError) as caught:
            rescore(Settings(tmp_path / "home", {}), ledger, "latest", file)
    assert fault in str(caught.value)
    assert "rows of the run" in str(caught.value)
    assert kept.read_text() == before
