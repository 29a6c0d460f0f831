"""``runoff init`` and ``runoff schema``, and the campaign that other commands take up without its name."""

import json
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from flows.command_line import runoff
from flows.commands.new_campaign import Given, ask
from tasks.campaign.schema import campaign_schema
from tasks.settings import Settings


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[CliRunner]:
    """A shell in an empty folder."""
    runner = CliRunner(env={"RUNOFF_HOME": str(tmp_path / "runs")})
    with chdir(tmp_path):
        yield runner


def answers(tmp_path: Path, *lines: str) -> Given:
    """Answer the questions, one line each; an empty one accepts what is offered."""
    with CliRunner().isolation(input="".join(f"{line}\n" for line in lines)):
        return ask(Given("mine"), Settings.of(tmp_path, {}))


def test_every_question_can_be_accepted(tmp_path: Path) -> None:
    """The template's own, the emulator without a key, a budget by need, a judge."""
    given = answers(tmp_path, "", "", "", "", "", "")
    assert (given.name, given.template, given.provider) == ("mine", "portrait", "emulator")
    assert (given.per_run_usd, given.has_judge) == (None, True)
    assert given.styles[0].startswith("studio=")


def test_every_question_can_be_answered(tmp_path: Path) -> None:
    """Several subjects and styles are separated by semicolons."""
    given = answers(tmp_path, "ad", "a mug; a lamp", "by day; night=by night", "openai", "2.50", "n")
    assert (given.template, given.provider, given.per_run_usd) == ("ad", "openai", 2.5)
    assert (given.subjects, given.styles) == (["a mug", "a lamp"], ["by day", "night=by night"])
    assert given.has_judge is False


def test_from_an_empty_folder_to_a_plan(runner: CliRunner) -> None:
    """Nothing is named and nothing edited: the only campaign of the folder is meant."""
    begun = runner.invoke(runoff, ["init"])
    assert begun.exit_code == 0, begun.output
    assert "Next: runoff plan portrait.yaml" in begun.stdout
    planned = runner.invoke(runoff, ["plan", "--json"])
    assert planned.exit_code == 0, planned.output
    assert planned.stderr == "Campaign: portrait.yaml\n"
    facts = json.loads(planned.stdout)
    assert (facts["campaign"], facts["provider"], facts["pictures"]) == ("portrait", "emulator", 24)
    assert facts["notes"][0].startswith("drafts: model cheapest is ")


def test_without_one_campaign_the_way_is_shown(runner: CliRunner) -> None:
    """None: how to write one. Several: which. What is no campaign does not count."""
    Path("promptfooconfig.yaml").write_text("prompts: [a]\n")
    none = runner.invoke(runoff, ["plan"])
    assert (none.exit_code, "runoff init" in none.output) == (2, True)
    runner.invoke(runoff, ["init", "one"])
    runner.invoke(runoff, ["init", "two"])
    several = runner.invoke(runoff, ["run"])
    assert (several.exit_code, "one.yaml, two.yaml" in several.output) == (2, True)


def test_programs_read_what_was_written_and_what_was_not_taken(runner: CliRunner) -> None:
    """As JSON."""
    Path("p.csv").write_text("prompt\nan otter\n")
    answer = json.loads(runner.invoke(runoff, ["init", "--from", "p.csv", "--json"]).stdout)
    assert answer["files"] == ["p.yaml", "campaign.schema.json"]
    assert answer["not_taken"] == ["The column prompt is the variable text."]


def test_the_schema_is_printed_as_it_is(runner: CliRunner) -> None:
    """So that it can be kept beside a campaign."""
    assert runner.invoke(runoff, ["schema"]).stdout == campaign_schema()


def test_a_wrong_option_is_refused_by_its_name(runner: CliRunner) -> None:
    """With what is accepted."""
    refused = runner.invoke(runoff, ["init", "--template", "landscape"], standalone_mode=False)
    assert isinstance(refused.exception, click.UsageError)
    assert "portrait" in refused.exception.format_message()
