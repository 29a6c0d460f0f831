"""Campaign files: what is read, and every fault told at once."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.campaign.succession import with_successors
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import configs_folder
from tasks.errors import CampaignError
from tasks.orders.drafts import draft_prompts
from tests.support.campaign_files import basis, changed, faults, load
from tests.support.planning import CATALOGUE, PROVIDERS

SHIPPED = sorted((configs_folder() / "campaigns").glob("*.yaml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_shipped_campaign_is_without_fault(file: Path) -> None:
    """With the scorers that are installed, and the schema line that editors read."""
    campaign = load_campaign(file, CATALOGUE, PROVIDERS)
    assert campaign.name == file.stem
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../campaign.schema.json"


def test_the_shipped_campaigns_are_these() -> None:
    """The demonstration, the vendor's first example, an advertisement, and product pictures with masks."""
    assert {"demo", "otter", "product-ad", "product-pictures"} <= {file.stem for file in SHIPPED}


def test_variables_combine_in_order(tmp_path: Path) -> None:
    """Every combination is one row; the last variable turns fastest."""
    campaign = load(tmp_path, basis())
    assert campaign.n_rows == len(campaign.all_rows) == 6
    assert campaign.all_rows[:2] == (
        {"action": "swimming", "light": "dawn"},
        {"action": "swimming", "light": "dusk"},
    )


def test_without_variables_there_is_one_row(tmp_path: Path) -> None:
    """An empty one."""
    campaign = changed("arms", {"A": {"prompt": "otter"}})
    del campaign["variables"]
    assert load(tmp_path, campaign).all_rows == ({},)


def test_rows_come_from_a_csv_beside_the_file(tmp_path: Path) -> None:
    """The first line names the variables; the campaign as run holds the rows themselves."""
    (tmp_path / "rows.csv").write_text("\ufeffaction,light\nswimming,dawn\n\n'asleep',\"a, b\"\n", "utf-8")
    campaign = changed("rows", "rows.csv")
    del campaign["variables"]
    loaded = load(tmp_path, campaign)
    assert loaded.all_rows == (
        {"action": "swimming", "light": "dawn"},
        {"action": "'asleep'", "light": "a, b"},
    )
    (tmp_path / "rows.csv").unlink()
    assert load(tmp_path, loaded.as_yaml()) == loaded


def test_the_campaign_as_run_reads_back_the_same(tmp_path: Path) -> None:
    """After succession too: what is written beside the pictures is what ran."""
    drafts = {"model": "gpt-image-1-mini", "successor": {"model": "gpt-image-2.6-flare", "quality": "low"}}
    campaign = changed("drafts", drafts)
    campaign["arms"]["B"]["drafts"] = {"model": "gpt-image-1.5", "successor": {"model": "gpt-image-2"}}
    ran, _ = with_successors(load(tmp_path, campaign), CATALOGUE, date(2026, 12, 1))
    assert load(tmp_path, ran.as_yaml()) == ran
    assert ran.drafts_of("B").model == "gpt-image-2"


def test_dates_and_no_stay_words(tmp_path: Path) -> None:
    """YAML would read a date and a boolean; a prompt wants the words."""
    text = yaml.safe_dump(changed("variables", {}), sort_keys=False).replace(
        "variables: {}", "variables: {action: [2026-12-01, no, 1.5], light: [true]}"
    )
    assert load(tmp_path, text).all_rows[0] == {"action": "2026-12-01", "light": True}
    assert load(tmp_path, text).all_rows[1]["action"] == "no"


def test_a_prompt_has_the_words_that_the_file_has(tmp_path: Path) -> None:
    """YAML 1.1 would make 969 of 16:9, 390 of 6:30, 83 of 0123, 31 of 0x1F, and a boolean of no."""
    words = ["16:9", "6:30", "0123", "1_000", "1.10", "0x1F", "1e3", "no", "2026-11-27", "5", "1.5", "true"]
    campaign = changed("variables", {}) | {"arms": {"A": {"prompt": "{{ word }}"}}}
    text = yaml.safe_dump(campaign).replace("variables: {}", f"variables: {{word: [{', '.join(words)}]}}")
    loaded = load(tmp_path, text)
    assert draft_prompts(loaded)["A"] == words
    assert draft_prompts(load(tmp_path, loaded.as_yaml()))["A"] == words


def test_an_arm_differs_only_where_it_says(tmp_path: Path) -> None:
    """Its own quality, the campaign's everything else."""
    campaign = load(tmp_path, changed("arms.B.drafts", {"quality": "medium"}))
    assert campaign.drafts_of("A").quality == "low"
    assert campaign.drafts_of("B").quality == "medium"
    assert campaign.drafts_of("B").model == "gpt-image-2"


def test_parameters_are_exactly_what_is_sent(tmp_path: Path) -> None:
    """Nothing the vendor calls unsupported, nothing that was not said."""
    drafts = {"model": "gpt-image-1.5", "format": "webp", "compression": 80, "background": "transparent"}
    campaign = load(tmp_path, changed("drafts", drafts))
    assert campaign.drafts.parameters(n=3, is_edit=False) == {
        "model": "gpt-image-1.5", "n": 3, "quality": "low", "size": "1024x1024", "output_format": "webp",
        "background": "transparent", "output_compression": 80,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("name", "Sea Otter", "name (line 1): 'Sea Otter' is not accepted"),
        ("name", "a" * 65, "name (line 1)"),
        ("provider", "opena", "there is no provider 'opena' (did you mean openai?), accepted: openai"),
        ("budget.per_run_usd", 0, "budget.per_run_usd (line 4): 0 is not accepted, accepted: an amount"),
        ("budget.per_run_usd", -1, "an amount in US dollars, above 0"),
        ("budget.per_month_usd", 0, "budget.per_month_usd"),
        ("arms.A.prompt", "{{ colour }} x", "arms.A.prompt (line 15): names colour, which no row defines"),
        ("arms.A.prompt", "{{ range }} x", "names range, which no row defines, accepted: action, light"),
        ("arms.A.prompt", "{{ self }} x", "names self, which no row defines"),
        ("arms.A.prompt", "{{ loop }} x", "names loop, which no row defines"),
        ("arms.A.prompt", "{{ action.upper }}", "it prints a function, upper; write upper() to call it"),
        ("arms.A.prompt", "{{ action * 10**9 }}", "it makes a value of more than 100,000 characters"),
        ("arms.A.prompt", "{% if %}", "is not a valid template"),
        ("arms.A.prompt", "{{ n", "expected 'end of print statement', accepted: a Jinja2 template"),
        ("arms.A.prompt", "{{ action.nothing }}", "cannot be filled"),
        ("arms.A.prompt", "x" * 32_001, "32,001 characters"),
        ("arms.A.prompt", "{# only a remark #}", "is empty when filled"),
        ("arms.A.prompt", "{{ ''.__class__.__mro__ }}", "cannot be filled"),
        ("arms.a", {"prompt": "x"}, "differs from A only in case"),
        ("arms.b/c", {"prompt": "x"}, "arms.b/c"),
        ("arms.A.draft", {}, "there is no such key (did you mean drafts?)"),
        (
            "arms.B.drafts",
            {"quality": "xhigh"},
            "arms.B.drafts.quality (line 19): 'xhigh' is not accepted by gpt-image-2",
        ),
        ("variables", {"prompt": ["x"]}, "prompt is reserved for the draft's own text"),
        ("variables", {"n": list(range(400)), "m": list(range(400))}, "make 160,000 rows"),
        ("rows", [{"action": "x"}], "cannot be combined with variables"),
        ("rows", "none.csv", "there is no file"),
        ("finals.prompt", "{{ 1 / (light == 'noon') }}", "cannot be filled: division by zero"),
        ("arms.B.prompt", "y" * 31_990, "finals.prompt (line 20): is 32,"),
        ("finals.prompt", "{% for %}", "finals.prompt (line 22): is not a valid template"),
        ("mask", "mask.png", "no references are sent by arms A, B"),
        ("references", ["none.png"], "references.0"),
        ("drafts.model", "gpt-image-3", "there is no model 'gpt-image-3'"),
        ("drafts.model", "dall-e-3", "dall-e-3 is shut down, accepted: gpt-image-2.6-flare"),
        ("drafts.model", "gpt-6-luna", "makes no pictures"),
        ("drafts.size", "1920x1080", "nearest it makes is 1920x1088"),
        ("drafts.quality", "auto", "auto cannot be priced"),
        ("drafts.format", "tiff", "accepted: png, jpeg or webp"),
        ("drafts.compression", 50, "png compression has no levels"),
        ("drafts.images_per_request", 11, "drafts.images_per_request"),
        ("drafts.input_fidelity", "high", "high is not accepted: gpt-image-2 gets no references"),
        ("drafts.successor", {"model": "gpt-image-9"}, "drafts.successor.model"),
        ("drafts.successor", {"model": "gpt-image-1.5", "quality": "max"}, "drafts.successor.quality"),
        (
            "finals.moderation",
            "low",
            "finals.moderation (line 22): low is not accepted: gpt-image-2.6-sunburst",
        ),
        ("finals.method", "draw", "accepted: edit or generate"),
        ("finals.prompt", "{{ colour }}", "finals.prompt (line 22): names colour"),
        ("finals.min_fidelity", 1.1, "a number from 0 to 1"),
        ("score", {"weights": {"beauty": 1}}, "there is no scorer 'beauty' in this version, accepted: p"),
        ("score", {"weights": {"technical": 0}}, "no scorer counts"),
        ("score", {"weights": {"technical": -1}}, "a number from 0 to"),
        ("score", {"weights": {"technical": 1e308}}, "a number from 0 to 1000000"),
        ("score.judge", {"model": "gpt-image-2", "rubric": ["x"]}, "makes pictures and cannot judge them"),
        ("deduplicate.radius_bits", 17, "a whole number from 0 to 16"),
        ("finalists.min_score", 2, "a number from 0 to 1"),
        ("finalists", {"decide_within": "soon"}, "'soon' is not an interval"),
        ("finalists", {"then": "auto"}, "says what happens without saying when"),
        ("finalists", {"decide_within": "72h", "approval": "auto"}, "has nobody to wait for"),
        ("schedule", {"cron": "0 6 * *"}, "does not have five cron fields"),
        ("schedule", {"cron": "@daily"}, "does not have five cron fields"),
        ("schedule", {"cron": "0 0 31 2 *"}, "never occurs"),
        ("schedule", {"cron": "61 * * * *"}, "Bad minute"),
        ("schedule", {"cron": "0 6 * * *", "timezone": "Mars/Base"}, "there is no time zone 'Mars/Base'"),
        ("on_unknown", "guess", "accepted: keep or resend"),
        ("colour", "red", "colour (line 22): there is no such key"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_fault_with_its_place(
    tmp_path: Path, path: str, value: Any, expected: str
) -> None:
    """Each fault alone: key, line, what, accepted."""
    found = faults(tmp_path, changed(path, value))
    assert len(found) == 1, found
    assert expected in found[0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "a" * 64),
        ("arms.A.prompt", "x" * 32_000),
        ("drafts.images_per_request", 5),
        ("drafts.size", "3840x2160"),
        ("deduplicate.radius_bits", 16),
        ("finals.min_fidelity", 1),
        ("finalists.count", 0),
        ("finals.prompt", "{{ prompt }}, {{ action }}, in detail"),
        ("schedule", {"cron": "*/5 6-18 1,15 * MON-FRI", "timezone": "Europe/Paris"}),
        ("score", {"weights": {"technical": 1, "palette": 0.5}, "palette": {"colors": ["#0a1B2c"]}}),
        ("drafts.successor", {"model": "gpt-image-2.5-flare", "quality": "xhigh"}),
    ],
)
def test_the_other_side_of_each_limit_is_accepted(tmp_path: Path, path: str, value: Any) -> None:
    """What is just allowed is read."""
    if path == "arms.A.prompt":  # the edit's own words would make the longest prompt too long for finals
        load(tmp_path, changed(path, value) | {"finals": {"model": "gpt-image-2", "method": "generate"}})
    else:
        load(tmp_path, changed(path, value))


def test_all_faults_come_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    """Structure and meaning together, so that a file is corrected in one go."""
    campaign = changed("drafts.size", "100x100")
    campaign["name"] = "Wrong Name"
    campaign["finals"]["attemts"] = 3
    campaign["budget"] = {"per_run_usd": -5}
    campaign["provider"] = "nobody"
    found = faults(tmp_path, campaign)
    assert [fault.split(" ")[0] for fault in found] == [
        "name", "provider", "budget.per_run_usd", "drafts.size", "finals.attemts",
    ]  # fmt: skip
    assert "did you mean attempts?" in found[-1]


@pytest.mark.parametrize("key", ["name", "provider", "budget", "arms", "finals"])
def test_a_missing_key_is_said(tmp_path: Path, key: str) -> None:
    """With what it is for."""
    campaign = basis()
    del campaign[key]
    assert any(fault.startswith(f"{key}: is missing, accepted: ") for fault in faults(tmp_path, campaign))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty, accepted: the keys name"),
        ("- a\n- b\n", "is a list, not a mapping"),
        ("name: [", "is not valid YAML"),
        ("arms:\n  A: {prompt: x}\n  A: {prompt: y}\n", "is not valid YAML: arms.A occurs twice"),
        ("a: &a [*a]\n", "line 1: is not valid YAML: *a is inside of what it stands for"),
        ("!!python/object:os.system {}", "is not valid YAML"),
        ("a: 1\n---\nb: 2\n", "is not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_no_campaign_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """Bad YAML, two arms of one name, tricks."""
    assert any(expected in fault for fault in faults(tmp_path, text))


def test_a_link_that_leads_nowhere_is_not_its_own_neighbour(tmp_path: Path) -> None:
    """It is said where it leads."""
    (tmp_path / "otter.png").symlink_to("moved/otter.png")
    for name in ("otter.png", "oter.png"):
        (fault,) = faults(tmp_path, changed("references", [name]))
        assert "did you mean" not in fault
        assert ("it is a link to moved/otter.png, which is not there" in fault) == (name == "otter.png")


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    """A misspelt name is the likeliest cause."""
    load(tmp_path, basis())
    with pytest.raises(CampaignError, match=r"did you mean .*campaign\.yaml"):
        load_campaign(tmp_path / "campagn.yaml", CATALOGUE, PROVIDERS, scorers=["technical"])


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    """A picture given as a campaign by mistake."""
    file = tmp_path / "x.yaml"
    file.write_bytes(b"\x89PNG\r\n\xff\xfe")
    with pytest.raises(CampaignError, match="cannot be read"):
        load_campaign(file, CATALOGUE, PROVIDERS, scorers=["technical"])


def test_a_fault_is_one_line_that_a_terminal_does_not_obey(tmp_path: Path) -> None:
    """Control characters of a key or a value are shown as escapes."""
    campaign = basis() | {"na\tme\u202e": 1, "on_unknown": "a\nb"}
    found = faults(tmp_path, campaign)
    assert all(fault.isprintable() for fault in found)
    assert any(r"na\tme\u202e (line" in fault for fault in found)


def test_a_flood_of_faults_is_cut(tmp_path: Path) -> None:
    """Fifty are enough to read; the rest is counted."""
    found = faults(tmp_path, basis() | {f"wrong{n}": n for n in range(60)})
    assert len(found) == 51
    assert found[-1] == "and 10 more"


def test_a_request_above_a_stated_limit_is_refused(tmp_path: Path) -> None:
    """The provider would never accept it; a limit that is still to be found refuses nothing."""
    campaign = changed("drafts", {"model": "gpt-image-2", "images_per_request": 6})
    (fault,) = faults(tmp_path, campaign | {"images_per_minute": 5})
    assert "6 is more than the limit of images per minute at openai, accepted: at most 5" in fault
    assert load(tmp_path, campaign).drafts.images_per_request == 6
