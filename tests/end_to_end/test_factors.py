"""The example of factors, from the file to the sentence: killed, resumed, and shown with its effects."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.support.shell import Shell

LIGHTING = Path(__file__).parents[2] / "configs" / "campaigns" / "lighting.yaml"


@pytest.mark.long  # every day: unit/flows/evaluation/test_effects.py
def test_the_report_names_the_planted_effect_and_no_other(shell: Shell) -> None:
    """The emulator paints the two lights otherwise, and not the lenses; what is resumed buys nothing more."""
    outcome = shell.json("run", LIGHTING, "--set", "drafts.size=1024x640")
    folder = shell.folder(outcome["run_id"], "lighting")
    effects = json.loads((folder / "summary.json").read_text())["ab_test"]["effects"]
    named = [one["levels"] for one in effects["measures"]["total"]["effects"] if one["matters"]]
    assert ["night"] in named
    assert all("night" in levels for levels in named)
    assert "light matters (+0.0" in effects["headline"]
    assert effects["headline"] in (folder / "report.html").read_text()
    assert "quality matters (+$" in effects["measures"]["dollars"]["headline"]
    frame = pd.read_parquet(folder / "report.parquet")
    arms = frame.groupby(["factor_light", "factor_lens", "factor_quality"])["arm"].nunique()
    assert arms.tolist() == [1] * 8
    assert shell.json("verdict", "latest", "--by", "effects")["verdicts"]["effects"] == effects
    best = shell.json("verdict", "latest", "--best")
    assert best["best"] == effects["best"]
    assert best["best"]["levels"]["light"] == "night"
    made = folder / "best.yaml"
    made.write_text(best["campaign"])
    assert f"{best['best']['arm']}:" in best["campaign"]
    assert [arm["arm"] for arm in shell.json("plan", made)["arms"]] == [best["best"]["arm"]]
    for file in shell.json("grid", "latest", "--colour", "--only", "row=2").values():
        assert Path(file).stat().st_size > 10_000
    again = shell.json("run", "--resume", outcome["run_id"])
    assert again["spent_usd"] == outcome["spent_usd"]
