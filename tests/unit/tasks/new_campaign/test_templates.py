"""Every template is a campaign that works, at every provider, before and after the end of a model."""

import json
from datetime import date
from pathlib import Path

import pytest

from flows.commands.begin import TEMPLATES
from flows.commands.new_campaign import Created, Given, create
from tasks.campaign import Campaign
from tasks.campaign.schema import campaign_schema
from tasks.campaign_file.load import load_campaign
from tasks.errors import CampaignError, SettingError
from tasks.marked_yaml import read_yaml
from tasks.new_campaign.templates import load_templates
from tasks.plan import plan
from tasks.settings import Settings
from tests.support.planning import CATALOGUE, PROVIDERS

DAYS = (date(2026, 11, 22), date(2026, 11, 30), date(2026, 12, 1))
SHIPPED = sorted((Path(__file__).parents[4] / "configs" / "campaigns").glob("*.yaml"))


def settings(folder: Path, **environ: str) -> Settings:
    """Make the settings of somebody with an empty home."""
    return Settings.of(folder / "runs", environ)


def written(folder: Path, given: Given, **environ: str) -> Created:
    """Write a campaign into a folder."""
    return create(given, settings(folder, **environ), folder)


def loaded(file: Path) -> Campaign:
    """Read a campaign file as every command does."""
    return load_campaign(file, CATALOGUE, PROVIDERS)


def test_the_command_offers_the_templates_that_there_are() -> None:
    """It lists them without reading a file."""
    assert list(load_templates()) == list(TEMPLATES)


@pytest.mark.parametrize("provider", ["openai", "cometapi"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_worth_its_money_on_every_day(tmp_path: Path, template: str, provider: str) -> None:
    """Valid, within its own budget, without a retired model, at half the price of all at high quality."""
    file = tmp_path / written(tmp_path, Given(template=template, provider=provider)).campaign
    campaign = loaded(file)
    for day in DAYS:
        result = plan(campaign, CATALOGUE, PROVIDERS, "plan", day)
        assert result.high_usd <= campaign.budget.per_run_usd
        assert result.low_usd < result.all_high_usd / 2
        for name in (result.campaign.drafts.model, result.campaign.editions[0].model):
            assert CATALOGUE.model(name).lifecycle(day).state != "retired"


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_the_shipped_campaigns_are_too(file: Path) -> None:
    """On every one of these days."""
    for day in DAYS:
        result = plan(loaded(file), CATALOGUE, PROVIDERS, "plan", day)
        assert result.low_usd < result.all_high_usd / 2


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_judge_and_people_choose_unless_the_judge_is_left_out(tmp_path: Path, template: str) -> None:
    """The built-in score sees faults, not taste."""
    judged = loaded(tmp_path / written(tmp_path, Given("judged-one", template)).campaign)
    assert {"technical", "judge", "votes"} <= set(judged.score.weights)
    assert judged.score.judge is not None
    without = Given("without", template, has_judge=False)
    alone = loaded(tmp_path / written(tmp_path, without).campaign)
    assert (set(alone.score.weights), alone.score.judge) == ({"technical", "votes"}, None)


def test_a_seller_without_a_judge_is_told(tmp_path: Path) -> None:
    """The gateway publishes no price for the judging model."""
    created = written(tmp_path, Given(provider="cometapi"))
    assert "Without a judge: cometapi has no price for gpt-6-luna." in created.lines
    assert loaded(tmp_path / created.campaign).score.judge is None


def test_what_was_asked_for_stands_in_the_file(tmp_path: Path) -> None:
    """Subjects, styles with and without a name, a picture, a budget."""
    (tmp_path / "cup.png").write_bytes((SHIPPED[0].parent / "products" / "mug.png").read_bytes())
    styles = ("night=by moonlight", "in the rain")
    given = Given("cups", "edit", None, ('a "blue" cup: chipped',), styles, "cup.png", "openai", 3.5)
    created = written(tmp_path, given)
    campaign = loaded(tmp_path / created.campaign)
    assert created.files == ["cups.yaml", "campaign.schema.json"]
    assert campaign.variables == {"subject": ('a "blue" cup: chipped',)}
    assert {name: arm.prompt for name, arm in campaign.arms.items()} == {
        "night": "{{ subject }}, by moonlight",
        "in-the-rain": "{{ subject }}, in the rain",
    }
    assert [Path(name).name for name in campaign.references] == ["cup.png"]
    assert campaign.mask is None  # the box of the template's own picture fits no other
    assert str(campaign.budget.per_run_usd) == "3.50"


def test_the_key_that_is_set_chooses_the_provider(tmp_path: Path) -> None:
    """And it is said, by the variable's name alone."""
    with_key = written(tmp_path, Given("a"), OPENAI_API_KEY="sk-secret-1234567890abcdef")
    assert loaded(tmp_path / with_key.campaign).provider == "openai"
    assert "Provider: openai, because OPENAI_API_KEY is set." in with_key.lines
    without = written(tmp_path, Given("b"))
    assert loaded(tmp_path / without.campaign).provider == "emulator"


def test_editors_find_the_schema_by_the_first_line(tmp_path: Path) -> None:
    """Beside the file, or in the folder above where there is one already; it is the current one."""
    created = written(tmp_path, Given())
    first = (tmp_path / created.campaign).read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=campaign.schema.json"
    assert (tmp_path / "campaign.schema.json").read_text() == campaign_schema()
    below = tmp_path / "campaigns"
    below.mkdir()
    first = (below / written(below, Given()).campaign).read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../campaign.schema.json"
    assert [file.name for file in below.iterdir()] == ["portrait.yaml"]


def test_every_key_of_a_template_is_in_the_schema(tmp_path: Path) -> None:
    """What an editor would underline is not written."""
    document = read_yaml((tmp_path / written(tmp_path, Given()).campaign).read_text()).data
    assert isinstance(document, dict)
    assert set(document) <= set(json.loads(campaign_schema())["properties"])


def test_no_file_is_replaced_unless_asked(tmp_path: Path) -> None:
    """With the way to do it."""
    written(tmp_path, Given())
    with pytest.raises(SettingError, match=r"portrait\.yaml: is there already.*runoff init portrait --force"):
        written(tmp_path, Given())
    create(Given(), settings(tmp_path), tmp_path, replaces=True)


@pytest.mark.parametrize("name", ["Sommer", "a b", "-a", "../a", "x" * 65])
def test_a_name_that_no_campaign_can_have_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is written."""
    with pytest.raises(SettingError, match="lower-case letters, digits and hyphens"):
        written(tmp_path, Given(name))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_needs_an_edit_stays(tmp_path: Path) -> None:
    """With its faults, each at its line."""
    with pytest.raises(CampaignError, match=r"arms\.a\.prompt \(line \d+\): names colour"):
        written(tmp_path, Given(styles=("a={{ colour }}",)))
    assert (tmp_path / "portrait.yaml").is_file()
