"""Factors: the arms made of them, what each arm asks for, and the faults of a design."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from flows.commands.plan_tables import plan_renderable
from tasks.campaign import Campaign
from tasks.campaign.factors import Factors, arm_name, made_arms
from tasks.campaign.prompts import PromptTemplate
from tasks.campaign_file.load import check_built_campaign, load_campaign
from tasks.campaign_file.overrides import Overrides
from tests.support.campaign_files import basis, faults, load, save
from tests.support.planning import CATALOGUE, PROVIDERS, planned

LIGHT = {"soft": "soft window light", "hard": "hard studio light"}
QUALITY = {"low": {"quality": "low"}, "medium": {"quality": "medium"}}


def designed(**changes: Any) -> dict[str, Any]:
    """Write a campaign of two factors and no arms of its own."""
    campaign = basis()
    del campaign["arms"]
    campaign["variables"] = {"action": ["swimming", "asleep"]}
    factors = {"prompt": "otter {{ action }}, {{ light }}", "levels": {"light": LIGHT, "quality": QUALITY}}
    return campaign | {"factors": factors | changes}


def with_levels(**levels: Any) -> dict[str, Any]:
    """Write the same campaign with other levels."""
    return designed(levels={"light": LIGHT, "quality": QUALITY} | levels)


def test_every_combination_is_an_arm_that_knows_its_levels(tmp_path: Path) -> None:
    """Names, prompts and settings come from the levels; a setting that the prompt does not name stays out."""
    campaign = load(tmp_path, designed())
    assert list(campaign.arms) == ["soft_low", "soft_medium", "hard_low", "hard_medium"]
    assert campaign.arms["hard_medium"].prompt == "otter {{ action }}, hard studio light"
    assert campaign.drafts_of("hard_medium").quality == "medium"
    assert campaign.levels_by_arm["soft_low"] == {"light": "soft", "quality": "low"}


def test_the_runs_own_file_reads_back_as_the_same_campaign(tmp_path: Path) -> None:
    """Arms are made once: what a run without some of them stored does not grow them again."""
    campaign = load(tmp_path, designed())
    assert load(tmp_path, campaign.as_yaml()) == campaign
    (tmp_path / "campaign.yaml").write_text(yaml.safe_dump(designed()))
    one = load_campaign(
        tmp_path / "campaign.yaml", CATALOGUE, PROVIDERS, overrides=Overrides(only_arms=["hard_low"])
    )
    assert list(load(tmp_path, one.as_yaml()).arms) == ["hard_low"]


def test_a_run_of_arms_by_hand_alone_does_not_grow_others_when_it_is_resumed(
    tmp_path: Path,
) -> None:
    """They would be bought."""
    file = tmp_path / "campaign.yaml"
    file.write_text(yaml.safe_dump(designed() | {"arms": {"plain": {"prompt": "otter {{ action }}"}}}))
    one = load_campaign(file, CATALOGUE, PROVIDERS, overrides=Overrides(only_arms=["plain"]))
    assert list(load(tmp_path, one.as_yaml()).arms) == ["plain"]


def test_a_campaign_built_in_python_has_the_same_arms(tmp_path: Path) -> None:
    """Without a file."""
    built = Campaign.model_validate(designed())
    assert built.arms == load(tmp_path, designed()).arms
    assert check_built_campaign(built, tmp_path, CATALOGUE, PROVIDERS).arms == built.arms


def test_arms_written_by_hand_stand_beside_those_of_factors(tmp_path: Path) -> None:
    """They come first and have no levels."""
    campaign = load(tmp_path, designed() | {"arms": {"plain": {"prompt": "otter {{ action }}"}}})
    assert list(campaign.arms)[:2] == ["plain", "soft_low"]
    assert "plain" not in campaign.levels_by_arm


def test_a_baseline_comes_first_and_picks_choose_combinations(tmp_path: Path) -> None:
    """Excluded combinations are not made; ``only`` makes nothing else."""
    campaign = load(
        tmp_path, designed(baseline={"light": "hard"}, exclude=[{"light": "soft", "quality": "medium"}])
    )
    assert list(campaign.arms) == ["hard_low", "hard_medium", "soft_low"]
    only = [{"light": ["soft", "hard"], "quality": "low"}, {"light": "soft"}]
    assert set(load(tmp_path, designed(only=only)).arms) == {"soft_low", "hard_low", "soft_medium"}


def test_a_prompt_may_test_a_factor(tmp_path: Path) -> None:
    """Beyond the plain place of a text, a factor is a variable like those of the rows."""
    prompt = 'otter {{ action }}{% if light == "hard studio light" %} in {{ light|upper }}{% endif %}'
    campaign = load(tmp_path, designed(prompt=prompt))
    row = campaign.all_rows[0]
    assert (
        PromptTemplate(campaign.arms["hard_low"].prompt).render(row) == "otter swimming in HARD STUDIO LIGHT"
    )
    assert PromptTemplate(campaign.arms["soft_low"].prompt).render(row) == "otter swimming"


def test_pictures_of_a_level_are_relative_to_the_file(tmp_path: Path) -> None:
    """As those of an arm are."""
    save(tmp_path, "beach.png", (64, 64))
    levels = {"light": LIGHT, "place": {"here": {"references": ["beach.png"]}, "none": {"references": []}}}
    campaign = load(tmp_path, designed(levels=levels))
    assert campaign.references_of("soft_here") == (str(tmp_path / "beach.png"),)
    assert campaign.references_of("soft_none") == ()


def test_levels_of_text_alone_are_named_by_it(tmp_path: Path) -> None:
    """Numbers are text; a level with settings has its name as text, or its own."""
    levels = {"lens": [24, 85.5], "model": {"mini": {"model": "gpt-image-2", "text": "small"}, "none": {}}}
    campaign = load(tmp_path, designed(prompt="{{ action }} {{ lens }} {{ model }}", levels=levels))
    assert campaign.arms["85-5_mini"].prompt == "{{ action }} 85.5 small"
    assert campaign.arms["24_none"].prompt == "{{ action }} 24 none"


TOGETHER = [{"a": "a0", "b": "b0"}, {"a": "a1", "b": "b1"}]


def of_levels(*sizes: int) -> dict[str, Any]:
    """Make factors a, b, and so on, of so many levels."""
    levels = {
        name: {f"{name}{place}": f"{name} {place}" for place in range(size)}
        for name, size in zip("abcdefghijklmn", sizes, strict=False)
    }
    return {"prompt": " ".join(f"{{{{ {name} }}}}" for name in levels), "levels": levels}


@pytest.mark.parametrize(
    ("campaign", "fault"),
    [
        (with_levels(lens=["24 mm", "85 mm"]), "factors.levels.lens: no prompt and no setting uses it"),
        (with_levels(light={"a": "dim", "b": "dim"}), "factors.levels.light.b: is the same as a"),
        (with_levels(quality={"a": {"quality": "low"}, "b": {"quality": "low"}}), "factors.levels.quality.b"),
        (with_levels(light=[str(n) for n in range(14)]), "factors.levels: 14 x 2 levels make 28 arms"),
        (with_levels(fine=QUALITY), "factors.levels.fine: quality is set by quality too"),
        (with_levels(light=["!", "?"]), "factors.levels.light: '!' makes no name for a level"),
        (with_levels(light=["a b", "a-b"]), "factors.levels.light: two levels are a-b"),
        (with_levels(light=["a" * 30, "b"]), "factors.levels: the levels make an arm aaaaaaaaaaaa"),
        (with_levels(light=["a", "{{ action }}"]), "factors.levels.light.1: '{{ action }}' is a"),
        (with_levels(light={"a": "{{ action }}", "b": "c"}), "factors.levels.light.a: '{{ action }}' is a"),
        (with_levels(quality={"low": {"quality": "lo"}, "b": {}}), "factors.levels.quality.low.quality"),
        (designed(baseline={"lihgt": "soft"}), "factors.baseline.lihgt: there is no factor 'lihgt'"),
        (designed(exclude=[{"light": "sofd"}]), "factors.exclude.0.light: light has no level 'sofd'"),
        (designed(exclude=[{}]), "factors.exclude: no combination is left"),
        (designed(only=[{"light": "soft"}]), "factors.only: leaves no arm with light hard"),
        (
            designed(only=[{"light": "soft", "quality": "low"}, {"light": "hard", "quality": "medium"}]),
            "factors.only: leaves arms in which light cannot be told from quality",
        ),
        (designed(prompt="{{ light }} {{ acton }}"), "factors.prompt: names acton, which no row defines"),
        (designed(levels={}), "factors.levels: {} is not accepted"),
        (designed(design="half"), "factors.design: 'half' is not accepted"),
        (
            designed(design="fractional") | {"factors": of_levels(3, 2) | {"design": "fractional"}},
            "factors.design: fractional: a has 3 levels",
        ),
        (
            basis() | {"factors": of_levels(2, 2, 2) | {"design": "fractional", "only": [{"a": "a0"}]}},
            "factors.design: fractional: a regular fraction has all its arms",
        ),
        (
            basis() | {"factors": of_levels(12, 9, 9) | {"design": "main_effects"}},
            "factors.design: main_effects: these levels need 28 arms or more",
        ),
        (
            basis() | {"factors": of_levels(2) | {"design": "main_effects"}},
            "factors.design: main_effects: there is one factor",
        ),
        (
            basis() | {"factors": of_levels(*[2] * 9) | {"design": "fractional"}},
            "factors.levels: 2 x 2 x 2 x 2 x 2 x 2 x 2 x 2 x 2 levels make 32 arms",
        ),
        (
            basis() | {"factors": of_levels(*[2] * 14) | {"design": "main_effects"}},
            "factors.design: main_effects: 16,384 combinations are too many",
        ),
        (
            basis() | {"factors": of_levels(2, 2, 2) | {"design": "main_effects", "only": TOGETHER}},
            "factors.only: leaves arms in which a cannot be told from b",
        ),
        (
            designed(levels={"light": LIGHT, "action": ["a", "b"]}, prompt="{{ light }} {{ action }}"),
            "factors.levels.action: action is also",
        ),
        (designed() | {"arms": {"soft_low": {"prompt": "x"}}}, "arms.soft_low: factors makes an arm"),
        (basis() | {"arms": {"A": {"prompt": "x", "levels": {"a": "b"}}}}, "arms.A.levels: factors has no"),
    ],
)
def test_a_faulty_design_has_one_message_at_its_key(
    tmp_path: Path, campaign: dict[str, Any], fault: str
) -> None:
    """Nothing follows from it: no missing arms, no fault for each arm; and it has its line."""
    found = faults(tmp_path, campaign)
    assert len(found) == 1, found
    without_line, lines = re.subn(r" \(line [1-9]\d*\)", "", found[0])
    assert lines == 1
    assert without_line.startswith(fault)


@settings(max_examples=10)
@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), st.integers(2, 4), min_size=1, max_size=2),
    st.data(),
)
def test_arms_are_the_product_of_the_levels_and_each_name_says_its_levels(
    sizes: dict[str, int], data: st.DataObject
) -> None:
    """Whatever the texts, quotes and backslashes included, the prompt has them as they are."""
    texts = {name: data.draw(st.lists(_TEXT, min_size=n, max_size=n)) for name, n in sizes.items()}
    levels = {name: {f"l{place}": text for place, text in enumerate(texts[name])} for name in texts}
    prompt = " ".join(f"{{{{ {name} }}}}{{{{ {name}|string }}}}" for name in levels)
    made = made_arms(Factors.model_validate({"prompt": prompt, "levels": levels}))
    n_arms = 1
    for n in sizes.values():
        n_arms *= n
    assert len(made) == n_arms
    for name, arm in made.items():
        assert arm_name(arm["levels"]) == name
        wanted = " ".join(levels[factor][level] * 2 for factor, level in arm["levels"].items())
        assert PromptTemplate(arm["prompt"]).render({}) == wanted.strip()


_CHARACTERS = st.characters(codec="utf-8", categories=["L", "N", "P", "S"], exclude_characters="{}")
_TEXT = st.text(_CHARACTERS, min_size=1, max_size=8)


def test_the_plan_shows_factors_and_their_levels(tmp_path: Path) -> None:
    """With the arms of each level and what it varies; JSON has both. Other plans have neither."""
    plan = planned(load(tmp_path, designed(exclude=[{"light": "soft", "quality": "medium"}])))
    console = Console(width=80, file=StringIO())
    console.print(plan_renderable(plan))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert any(
        line.split() == ["light", "soft", "(1", "arm),", "hard", "(2", "arms)", "prompt"] for line in lines
    )
    assert any(
        line.split() == ["quality", "low", "(2", "arms),", "medium", "(1", "arm)", "quality"]
        for line in lines
    )
    assert plan.as_dict()["factors"] == {"light": ["soft", "hard"], "quality": ["low", "medium"]}
    assert plan.as_dict()["levels_by_arm"]["hard_low"] == {"light": "hard", "quality": "low"}
    assert "factors" not in planned(load(tmp_path, basis())).as_dict()


def test_the_example_has_eight_arms_over_four_rows() -> None:
    """Three factors of two levels, on the emulator."""
    file = Path(__file__).parents[4] / "configs" / "campaigns" / "lighting.yaml"
    campaign: Campaign = load_campaign(file, CATALOGUE, PROVIDERS)
    assert (len(campaign.arms), campaign.n_rows, campaign.provider) == (8, 4, "emulator")


def test_a_design_of_fewer_arms_is_said_in_the_plan_and_kept_by_the_run(tmp_path: Path) -> None:
    """Seven factors in eight arms: what they cannot tell, and the stored file has the same arms."""
    campaign = load(tmp_path, basis() | {"factors": of_levels(*[2] * 7) | {"design": "main_effects"}})
    assert len(campaign.levels_by_arm) == 8
    console = Console(width=90, file=StringIO())
    console.print(plan_renderable(planned(campaign)))
    text = " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]
    assert "8 of 128 combinations are made. A main effect may be taken for two factors" in text
    as_json = planned(campaign).as_dict()
    assert as_json["design"] == "main_effects"
    assert len(as_json["confounded"]["a"]) == 3
    (tmp_path / "stored.yaml").write_text(campaign.as_yaml())
    stored = load_campaign(tmp_path / "stored.yaml", CATALOGUE, PROVIDERS)
    assert stored.arms == campaign.arms
