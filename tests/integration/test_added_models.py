"""`runoff models add`: a model becomes data, is shown first, and an arm buys it at its own price."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from flows.command_line import runoff
from tasks.catalogue import load_catalogue

PRICED = ("--per-picture", "0.04", "--size", "1024x1024", "--source", "https://seller.test/prices")


def add(home: Path, *words: str) -> Result:
    """Give the command."""
    return CliRunner().invoke(runoff, ["models", "add", *words, "--home", str(home)], catch_exceptions=True)


def test_a_model_is_shown_first_and_appended_with_yes(tmp_path: Path) -> None:
    """What people wrote into the file stays, comments included."""
    file = tmp_path / "catalogue.yaml"
    file.write_text("# ours\nmodels:\n  gpt-image-2:\n    prices: {image_output: '28.00'}  # by contract\n")
    before = file.read_text()
    shown = add(tmp_path, "seedream", "--provider", "cometapi", *PRICED)
    assert "per_picture: '0.04'" in shown.output
    assert "Nothing was written" in shown.output
    assert file.read_text() == before
    done = add(tmp_path, "seedream", "--provider", "cometapi", *PRICED, "--send", "watermark=false", "--yes")
    assert done.exit_code == 0, done.output
    assert file.read_text().startswith(before)
    model = load_catalogue(tmp_path).model("seedream")
    assert model.prices is not None
    assert (model.prices.per_picture, model.sold_at) == (Decimal("0.04"), ("cometapi",))
    fields = {"quality": "standard", "size": "1024x1024"}
    assert model.request.of(fields) == {"size": "1024x1024", "watermark": False}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x", "--provider", "cometapi"), "--per-picture"),
        (("x", "--provider", "cometapi", "--per-picture", "NaN", *PRICED[2:]), "NaN"),
        (("x", "--provider", "cometapi", "--per-picture", "-1", *PRICED[2:]), "-1"),
        (("x", "--provider", "cometapi", *PRICED, "--send", "a=b"), "not JSON"),
    ],
)
def test_what_is_missing_or_absurd_is_told(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Nothing is written."""
    done = add(tmp_path, *words, "--yes")
    assert done.exit_code != 0
    assert said in done.output
    assert not (tmp_path / "catalogue.yaml").exists()


def test_a_model_is_not_added_twice(tmp_path: Path) -> None:
    """Nor one that comes with Runoff."""
    done = add(tmp_path, "gpt-image-2", "--provider", "cometapi", *PRICED, "--yes")
    assert "is there already" in str(done.exception)


def test_a_file_with_more_behind_its_models_is_left_alone(tmp_path: Path) -> None:
    """What is to be added is told instead."""
    (tmp_path / "catalogue.yaml").write_text("models: {}\nnotes: {}\n")
    done = add(tmp_path, "x", "--provider", "cometapi", *PRICED, "--yes")
    assert "Add this below models" in str(done.exception)
    assert yaml.safe_load((tmp_path / "catalogue.yaml").read_text()) == {"models": {}, "notes": {}}


def test_models_are_shown_as_before(tmp_path: Path) -> None:
    """With and without a name, and with options first."""
    add(tmp_path, "seedream", "--provider", "cometapi", *PRICED, "--yes")
    for words in (["models"], ["models", "--provider", "cometapi"], ["models", "seedream"]):
        done = CliRunner().invoke(runoff, [*words, "--home", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert "seedream" in done.output


def test_a_model_is_shown_at_who_sells_it(tmp_path: Path) -> None:
    """Without ``--provider``, at the first that sells it; where that is openai, there."""
    add(tmp_path, "seedream", "--provider", "cometapi", *PRICED, "--yes")
    for model, seller in (("seedream", "cometapi"), ("gpt-image-2", "openai")):
        shown = CliRunner().invoke(runoff, ["models", model, "--home", str(tmp_path), "--json"])
        assert json.loads(shown.stdout)["provider"] == seller


def test_models_that_were_shut_down_come_last(tmp_path: Path) -> None:
    """What can be bought is read first; on the eve that is the old model too."""
    for day, is_last in (("2026-11-30", False), ("2026-12-01", True)):
        words = ["models", "--home", str(tmp_path)]
        page = CliRunner().invoke(runoff, words, env={"RUNOFF_TODAY": day}).stdout
        assert (page.index("gpt-image-1-mini") > page.index("gpt-6-luna")) == is_last
