"""Prompts and variables that somebody already has: a promptfoo configuration, a CSV, a text file."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.commands.new_campaign import Created, Given, create
from tasks.campaign import Campaign
from tasks.campaign.statements import statements_of
from tasks.campaign_file.load import load_campaign
from tasks.errors import CampaignError, SettingError
from tasks.settings import Settings
from tests.support.planning import CATALOGUE, PROVIDERS


def taken(folder: Path, name: str, content: str, **given: Any) -> tuple[Created, Campaign]:
    """Write a source, make a campaign of it, and read that as every command does."""
    (folder / name).write_text(content, encoding="utf-8")
    wishes = Given("taken", source=folder / name, **given)
    created = create(wishes, Settings.of(folder / "runs", {"RUNOFF_TODAY": "2026-11-22"}), folder)
    return created, load_campaign(folder / created.campaign, CATALOGUE, PROVIDERS)


def configuration(**changes: Any) -> str:
    """Write a promptfoo configuration for pictures."""
    basis: dict[str, Any] = {
        "description": "animals",
        "prompts": [
            "A {{style}} picture of {{animal}}",
            {"label": "Photo", "raw": "Photograph of {{animal}}"},
        ],
        "providers": ["openai:image:gpt-image-2.5-flare"],
        "defaultTest": {"vars": {"style": "watercolour"}},
        "tests": [{"vars": {"animal": "otter"}}, {"vars": {"animal": ["fox", "hare"]}}],
    }
    return yaml.safe_dump(basis | changes, sort_keys=False)


def test_prompts_become_arms_and_tests_become_rows(tmp_path: Path) -> None:
    """A list of values is a row each, the default variables are in all of them, the model is kept."""
    created, campaign = taken(tmp_path, "promptfooconfig.yaml", configuration())
    assert created.not_taken == ()
    assert {name: arm.prompt for name, arm in campaign.arms.items()} == {
        "a-picture-of": "A {{style}} picture of {{animal}}",
        "photo": "Photograph of {{animal}}",
    }
    assert campaign.all_rows == tuple(
        {"style": "watercolour", "animal": animal} for animal in ("otter", "fox", "hare")
    )
    assert campaign.drafts.model == "gpt-image-2.5-flare"


def test_several_models_are_arms_of_each_prompt(tmp_path: Path) -> None:
    """Named after both; a size is taken, a quality is for the finals, drafts stay cheap."""
    providers = [
        "openai:image:gpt-image-2.5-flare",
        {
            "id": "openai:image:gpt-image-2",
            "label": "older",
            "config": {"size": "1536x1024", "quality": "medium"},
        },
    ]
    _, campaign = taken(tmp_path, "c.yaml", configuration(providers=providers))
    assert {name: arm.drafts.model for name, arm in campaign.arms.items() if arm.drafts} == {
        "a-picture-of-2-5-flare": "gpt-image-2.5-flare",
        "a-picture-of-older": "gpt-image-2",
        "photo-2-5-flare": "gpt-image-2.5-flare",
        "photo-older": "gpt-image-2",
    }
    assert (campaign.drafts.size, campaign.drafts.quality) == ("1536x1024", "low")
    assert (campaign.editions[0].size, campaign.editions[0].quality) == ("1536x1024", "medium")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"providers": ["openai:gpt-5-mini"]}, "provider openai:gpt-5-mini (it is no OpenAI image model)"),
        (
            {"providers": ["openai:image:dall-e-3"]},
            "provider openai:image:dall-e-3 (the model",
        ),
        (
            {"prompts": ["{{ animal }}", "file://make.py"]},
            "file://make.py (only prompts in text files",
        ),
        ({"prompts": ["{{ animal }}", "{{ nobody }}"]}, "prompt {{ nobody }} (no test defines nobody)"),
        ({"prompts": ["{{ animal }}", "{% if %}"]}, "prompt {% if %} (is not a valid template"),
        ({"scenarios": []}, "scenarios (a campaign has no place for it)"),
        ({"defaultTest": {"vars": {"style": "x"}, "assert": [{"type": "cost"}]}}, "assertion cost"),
        ({"tests": "huggingface://datasets/x"}, "tests: huggingface://datasets/x"),
        ({"tests": [{"vars": {"animal": "fox"}, "options": {}}]}, "tests: options"),
        ({"tests": [{"vars": {"animal": {"a": 1}}}]}, "variable animal (its value is no text or number)"),
    ],
)
def test_what_a_campaign_has_no_place_for_is_told(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    """Each part with its reason; the rest is taken."""
    changes = {"prompts": ["An otter", "{{ animal }}"], **changes}
    changes["prompts"] = ["An otter", *changes["prompts"]]
    created, campaign = taken(tmp_path, "c.yaml", configuration(**changes))
    assert any(line.startswith(f"Not taken: {what}") for line in created.not_taken), created.not_taken
    assert campaign.arms
    assert set(created.not_taken) <= set(created.lines)


def test_a_rubric_is_asked_of_the_judge(tmp_path: Path) -> None:
    """Statements of all tests, each once."""
    check = {"type": "llm-rubric", "value": "The animal is\nthe subject"}
    tests = [{"vars": {"animal": name}, "assert": [check]} for name in ("fox", "hare")]
    created, campaign = taken(tmp_path, "c.yaml", configuration(tests=tests))
    assert created.not_taken == ()
    assert campaign.score.judge is not None
    assert campaign.score.judge.rubric == ("The animal is the subject",)


def test_a_tests_own_rubric_is_asked_about_its_row(tmp_path: Path) -> None:
    """With its variables, whatever they are called here; what all tests say is asked once for all."""
    shared = {"type": "llm-rubric", "value": "It is sharp"}
    own = {"type": "llm-rubric", "value": "Shows one {{ my-animal }}"}
    tests = [
        {"vars": {"my-animal": "fox"}, "assert": [shared, own]},
        {"vars": {"my-animal": "hare"}, "assert": [shared]},
    ]
    changes = {"prompts": ["A painting of {{ my-animal }}"], "tests": tests, "defaultTest": None}
    created, campaign = taken(tmp_path, "c.yaml", configuration(**changes))
    assert created.not_taken == ()
    assert campaign.score.judge is not None
    assert campaign.score.judge.rubric == ("It is sharp",)
    arm = next(iter(campaign.arms))
    asked = [[one.text for one in statements_of(campaign, row, arm)] for row in (0, 1)]
    assert asked == [["It is sharp", "Shows one fox"], ["It is sharp"]]


def test_files_beside_the_configuration_are_read(tmp_path: Path) -> None:
    """Prompts that --- separates, and tests from a CSV, whose expectations are told."""
    (tmp_path / "more.txt").write_text("An oil painting of {{animal}}\n---\nA cut-out of {{animal}}\n")
    (tmp_path / "tests.csv").write_text("animal,__expected\nfox,contains: x\nhare,\n")
    changes = {"prompts": ["file://more.txt"], "tests": "file://tests.csv", "defaultTest": None}
    created, campaign = taken(tmp_path, "c.yaml", configuration(**changes))
    assert [arm.prompt for arm in campaign.arms.values()] == [
        "An oil painting of {{animal}}",
        "A cut-out of {{animal}}",
    ]
    assert campaign.all_rows == ({"animal": "fox"}, {"animal": "hare"})
    assert [line for line in created.not_taken if "__expected" in line]


@pytest.mark.parametrize(
    ("prompt", "variables", "prompt_taken", "row"),
    [
        (
            "The prompt: {{ prompt }} in {{ my-place | upper }}",
            {"prompt": "a fox", "my-place": "Rome"},
            "The prompt: {{ text }} in {{ my_place | upper }}",
            {"text": "a fox", "my_place": "Rome"},
        ),
        (
            "{{ a-b }} {{ a_b }}",
            {"a-b": "1", "a_b": "2"},
            "{{ a_b_2 }} {{ a_b }}",
            {"a_b_2": "1", "a_b": "2"},
        ),
    ],
    ids=["a word of a campaign and a hyphen", "two that become one"],
)
def test_names_that_a_campaign_does_not_have_are_changed_in_prompts_too(
    tmp_path: Path, prompt: str, variables: dict[str, str], prompt_taken: str, row: dict[str, str]
) -> None:
    """Words of the text stay, and so does a name that a campaign can have; each keeps its value."""
    changes = {"prompts": [prompt], "tests": [{"vars": variables}], "defaultTest": {}}
    _, campaign = taken(tmp_path, "c.yaml", configuration(**changes))
    assert [arm.prompt for arm in campaign.arms.values()] == [prompt_taken]
    assert campaign.all_rows == (row,)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("c.yaml", "a: 1", "has no key prompts"),
        ("c.yaml", "a: [", "is not valid YAML"),
        ("c.yaml", "prompts: [file://x.py]", "none of its prompts can be taken"),
        ("c.csv", "a,b\n", "has no rows"),
        ("c.csv", "a,b\n1\n", "b is missing"),
        ("c.txt", "\n \n", "has no prompts"),
        ("c.txt", "motif\tcolour\nfox\tred\n", "line 1 has a tab, as the rows of a table have"),
    ],
)
def test_a_source_with_nothing_to_take_is_refused(tmp_path: Path, name: str, content: str, what: str) -> None:
    """And no campaign is written."""
    with pytest.raises(CampaignError) as caught:
        taken(tmp_path, name, content)
    assert what in str(caught.value)
    assert "No file was written." in str(caught.value)
    assert not (tmp_path / "taken.yaml").exists()


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the kinds that are taken."""
    with pytest.raises(SettingError, match="a promptfoo configuration"):
        create(Given(source=tmp_path / "no.csv"), Settings.of(tmp_path, {}), tmp_path)


def test_a_csv_stays_the_place_of_its_rows(tmp_path: Path) -> None:
    """Its columns are the prompt, but not what only a shop reads."""
    _, campaign = taken(tmp_path, "shop.csv", "sku,colour,product\nA1,green,mug\nB2,brass,lamp\n")
    assert 'rows: "shop.csv"' in (tmp_path / "taken.yaml").read_text()
    assert [arm.prompt.split(",")[:2] for arm in campaign.arms.values()] == [
        ["{{ product }}", " {{ colour }}"]
    ] * 2
    assert campaign.all_rows[1] == {"sku": "B2", "colour": "brass", "product": "lamp"}


def test_a_column_of_prompts_is_used_as_written(tmp_path: Path) -> None:
    """It is renamed, because prompt means the draft's own text, and that is told."""
    created, campaign = taken(tmp_path, "p.csv", "sku;Product name;prompt\nA1;Mug;A green mug\n")
    assert "The column prompt is the variable text." in created.not_taken
    assert campaign.arms["as-written"].prompt == "{{ text }}"
    assert campaign.all_rows == ({"sku": "A1", "Product_name": "Mug", "text": "A green mug"},)


def test_names_with_marks_are_spelt_without_them(tmp_path: Path) -> None:
    """A column named in German or Polish can be read; one in another script is only a column."""
    created, campaign = taken(tmp_path, "für_Straße.csv", "Größe;Łódź;色\n1;2;3\n")
    assert campaign.all_rows == ({"Grosse": "1", "Lodz": "2", "column": "3"},)
    assert "The column Größe is the variable Grosse." in created.not_taken


def test_columns_whose_names_become_one_keep_their_values(tmp_path: Path) -> None:
    """Each has a name of its own."""
    _, campaign = taken(tmp_path, "t.csv", "a-b;a_b;a b\n1;2;3\n")
    assert campaign.all_rows == ({"a_b": "1", "a_b_2": "2", "a_b_3": "3"},)


def test_a_text_file_has_a_prompt_on_each_line(tmp_path: Path) -> None:
    """Each once; blank lines are none."""
    _, campaign = taken(tmp_path, "p.txt", "an otter\n\n a fox \nan otter\n")
    assert campaign.all_rows == ({"text": "an otter"}, {"text": "a fox"})


def test_lines_with_variables_are_arms(tmp_path: Path) -> None:
    """Which need rows: the file is written, and says what it lacks."""
    with pytest.raises(CampaignError, match="names animal, which no row defines"):
        taken(tmp_path, "p.txt", "A photograph of {{ animal }}\nA drawing of {{ animal }}\n")
    assert "a-photograph-of" in (tmp_path / "taken.yaml").read_text()
