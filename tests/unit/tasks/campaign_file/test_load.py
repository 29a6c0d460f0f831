"""Campaign files: what is read, and every fault told at once."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.attachments import references
from tasks.campaign.succession import with_successors
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import configs_folder, load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.errors import CampaignError
from tests.support.campaign_files import basis, faults, load, save
from tests.support.planning import CATALOGUE, PROVIDERS

SHIPPED = sorted((configs_folder() / "campaigns").glob("*.yaml"))


def changed(path: str, value: Any) -> dict[str, Any]:
    """Change one key of the small campaign."""
    campaign = basis()
    part: Any = campaign
    *above, last = path.split(".")
    for key in above:
        part = part.setdefault(key, {})
    part[last] = value
    return campaign


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
        ("provider", "opena", "there is no provider 'opena', accepted: openai, cometapi, emulator"),
        ("budget.per_run_usd", 0, "budget.per_run_usd (line 4): 0 is not accepted, accepted: greater than 0"),
        ("budget.per_run_usd", -1, "greater than 0"),
        ("budget.per_month_usd", 0, "budget.per_month_usd"),
        ("arms.A.prompt", "{{ colour }} x", "arms.A.prompt (line 15): names colour, which no row defines"),
        ("arms.A.prompt", "{% if %}", "is not a valid template"),
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
        ("rows", "none.csv", "cannot be read"),
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
        ("drafts.images_per_request", 6, "more than the limit of images per minute at openai"),
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
        ("finals.min_fidelity", 1.1, "less than or equal to 1"),
        ("score", {"weights": {"beauty": 1}}, "there is no scorer 'beauty' in this version, accepted: p"),
        ("score", {"weights": {"technical": 0}}, "no scorer counts"),
        ("score", {"weights": {"technical": -1}}, "greater than or equal to 0"),
        ("score.judge", {"model": "gpt-image-2", "rubric": ["x"]}, "makes pictures and cannot judge them"),
        ("deduplicate.radius_bits", 17, "less than or equal to 16"),
        ("finalists.min_score", 2, "less than or equal to 1"),
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


@pytest.mark.parametrize("key", ["name", "provider", "budget", "arms", "drafts", "finals"])
def test_a_missing_key_is_said(tmp_path: Path, key: str) -> None:
    """With what it is for."""
    campaign = basis()
    del campaign[key]
    assert any(fault.startswith(f"{key}: is missing, accepted: ") for fault in faults(tmp_path, campaign))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is not a mapping"),
        ("- a\n- b\n", "is not a mapping"),
        ("name: [", "is not valid YAML"),
        ("arms:\n  A: {prompt: x}\n  A: {prompt: y}\n", "is not valid YAML: arms.A occurs twice"),
        ("a: &a [*a]\n", "there is no such key"),
        ("!!python/object:os.system {}", "is not valid YAML"),
        ("a: 1\n---\nb: 2\n", "is not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_no_campaign_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """Bad YAML, two arms of one name, tricks."""
    assert any(expected in fault for fault in faults(tmp_path, text))


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


def test_a_model_that_is_gone_needs_its_successor(tmp_path: Path) -> None:
    """Old campaigns still read when they name a living successor."""
    drafts = {"model": "gpt-image-1", "successor": {"model": "gpt-image-2.6-flare", "quality": "low"}}
    assert load(tmp_path, changed("drafts", drafts)).drafts.model == "gpt-image-1"


def test_a_provider_must_be_able_to_do_it(tmp_path: Path) -> None:
    """No edits, few pictures at once, unpriced models: each refused with the way out."""
    (tmp_path / "providers.yaml").write_text(
        'providers: {plain: {base_url: "https://x.example/v1", capabilities: {edits: false, max_n: 1}}}',
        "utf-8",
    )
    campaign = changed("drafts.images_per_request", 2) | {"provider": "plain"}
    file = tmp_path / "campaign.yaml"
    file.write_text(yaml.safe_dump(campaign), encoding="utf-8")
    with pytest.raises(CampaignError) as caught:
        load_campaign(file, CATALOGUE, load_providers(tmp_path), scorers=["technical"])
    told = " ".join(caught.value.faults)
    assert "finals.method" in told
    assert "2 is more than plain makes per request, accepted: at most 1" in told
    found = faults(tmp_path, basis() | {"provider": "cometapi"})
    assert "cometapi has no dated price for gpt-image-2.6-sunburst" in found[0]


def test_references_and_mask_become_absolute(tmp_path: Path) -> None:
    """Relative to the file, whatever the working directory; an arm's own replace the campaign's."""
    campaign = basis() | {"references": [save(tmp_path, "one.png", (64, 64))]}
    campaign["mask"] = save(tmp_path, "mask.png", (64, 64))
    campaign["arms"]["B"]["references"] = [save(tmp_path, "two.webp", (64, 64))]
    loaded = load(tmp_path, campaign)
    assert loaded.references_of("A") == (str(tmp_path / "one.png"),)
    assert loaded.references_of("B") == (str(tmp_path / "two.webp"),)
    assert loaded.mask == str(tmp_path / "mask.png")


@pytest.mark.parametrize(
    ("size", "mode", "name", "expected"),
    [
        ((64, 63), "RGBA", "mask.png", "mask.png is 64x63 and the first reference 64x64"),
        ((64, 64), "RGB", "mask.png", "is not a png with transparency"),
        ((64, 64), "RGBA", "mask.webp", "is not a png with transparency"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(
    tmp_path: Path, size: tuple[int, int], mode: str, name: str, expected: str
) -> None:
    """Another size, no transparency, no png."""
    campaign = basis() | {"references": [save(tmp_path, "one.png", (64, 64))]}
    campaign["mask"] = save(tmp_path, name, size, mode)
    found = faults(tmp_path, campaign)
    assert len(found) == 1
    assert expected in found[0]


def test_references_must_be_pictures_and_not_too_many(tmp_path: Path) -> None:
    """A gif, a text, and seventeen."""
    save(tmp_path, "one.png", (8, 8))
    save(tmp_path, "moving.gif", (8, 8), "P")
    (tmp_path / "words.png").write_text("no picture", encoding="utf-8")
    found = faults(tmp_path, basis() | {"references": ["moving.gif", "words.png", *["one.png"] * 15]})
    assert [fault.split(" ")[0] for fault in found] == ["references", "references.0", "references.1"]
    assert "17 pictures for gpt-image-2, accepted: at most 16" in found[0]


def test_a_reference_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """With its file, what is wrong and what is accepted: half a picture is not paid for."""
    save(tmp_path, "half.png", (64, 64))
    file = tmp_path / "half.png"
    file.write_bytes(file.read_bytes()[:-20])
    (fault,) = faults(tmp_path, basis() | {"references": ["half.png"]})
    assert "half.png is truncated: its " in fault
    assert "accepted: a whole png, jpeg or webp file under 50 MB" in fault


def test_a_csv_with_ragged_rows_is_refused(tmp_path: Path) -> None:
    """Named by its line; templates are not blamed for rows that could not be read."""
    (tmp_path / "rows.csv").write_text("action,light\na,b\nc\n", encoding="utf-8")
    campaign = changed("rows", "rows.csv")
    del campaign["variables"]
    found = faults(tmp_path, campaign)
    assert len(found) == 1
    assert "rows.csv:3: 1 fields, but the first line has 2; light is missing" in found[0]
    (tmp_path / "rows.csv").write_text("action,light\n", encoding="utf-8")
    assert "has no rows" in faults(tmp_path, campaign)[0]


def test_empty_rows_are_no_rows(tmp_path: Path) -> None:
    """An empty list is a slip, not one empty row."""
    campaign = changed("rows", [])
    del campaign["variables"]
    assert "has no rows" in faults(tmp_path, campaign)[0]


@pytest.mark.parametrize(
    ("drafts", "provider", "expected"),
    [
        ({"model": "gpt-image-2.6-flare"}, "openai", "gpt-image-2.6-flare has no batch lane"),
        ({"model": "gpt-image-2"}, "cometapi", "cometapi has no batch lane"),
    ],
)
def test_the_batch_lane_is_refused_for_its_own_reason(
    tmp_path: Path, drafts: dict[str, Any], provider: str, expected: str
) -> None:
    """The model has none, or the provider has none."""
    campaign = basis() | {"drafts": drafts | {"lane": "batch"}, "provider": provider}
    campaign["finals"] = {"model": "gpt-image-2"}
    found = faults(tmp_path, campaign)
    assert len(found) == 1
    assert f"drafts.lane (line 20): {expected}" in found[0]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ({"weights": {"judge": 1}}, "score.judge (line 22): is missing, but score.weights uses it"),
        (
            {"weights": {"judge": 1}, "judge": {"model": "gpt-image-2", "rubric": ["x"]}},
            "gpt-image-2 makes pictures and cannot judge them",
        ),
        (
            {"weights": {"judge": 1}, "judge": {"model": "gpt-7", "rubric": ["x"]}},
            "there is no model 'gpt-7'",
        ),
        ({"weights": {"judge": 1}, "judge": {"model": "gpt-6-luna", "rubric": []}}, "score.judge.rubric"),
    ],
)
def test_a_judge_needs_a_model_that_answers(tmp_path: Path, score: dict[str, Any], expected: str) -> None:
    """Where a judge is installed, its settings are checked."""
    file = tmp_path / "campaign.yaml"
    file.write_text(yaml.safe_dump(changed("score", score), sort_keys=False), encoding="utf-8")
    with pytest.raises(CampaignError) as caught:
        load_campaign(file, CATALOGUE, PROVIDERS, scorers=["technical", "judge"])
    assert expected in caught.value.faults[0]


def test_a_model_that_cannot_edit_is_refused_for_edits(tmp_path: Path) -> None:
    """The user's own catalogue may hold one."""
    (tmp_path / "catalogue.yaml").write_text("models: {gpt-image-2: {capabilities: {edits: false}}}", "utf-8")
    file = tmp_path / "campaign.yaml"
    file.write_text(yaml.safe_dump(changed("finals.model", "gpt-image-2"), sort_keys=False), encoding="utf-8")
    catalogue = load_catalogue(tmp_path, environ={})
    with pytest.raises(CampaignError, match=r"finals\.model .*gpt-image-2 does not edit pictures"):
        load_campaign(file, catalogue, PROVIDERS, scorers=["technical"])


def test_moderation_and_references_exclude_each_other(tmp_path: Path) -> None:
    """The edits endpoint takes no moderation; a provider without edits takes no references."""
    (tmp_path / "providers.yaml").write_text("providers: {openai: {capabilities: {edits: false}}}", "utf-8")
    campaign = changed("drafts.moderation", "low") | {"references": [save(tmp_path, "one.png", (64, 64))]}
    campaign["finals"]["method"] = "generate"
    assert "drafts.moderation" in faults(tmp_path, campaign)[0]
    with pytest.raises(CampaignError, match="openai does not edit pictures, accepted: no references"):
        load_campaign(tmp_path / "campaign.yaml", CATALOGUE, load_providers(tmp_path), scorers=["technical"])


def test_a_picture_too_large_to_send_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both limits from both sides, with limits that a small file reaches."""
    name = save(tmp_path, "one.png", (64, 64))
    n_bytes = (tmp_path / name).stat().st_size
    campaign = basis() | {"references": [name], "mask": name}
    for limit in ("MAX_REFERENCE_BYTES", "MAX_MASK_BYTES"):
        with monkeypatch.context() as patch:
            patch.setattr(references, limit, n_bytes)
            assert f"{n_bytes:,} bytes" in faults(tmp_path, campaign)[0]
            patch.setattr(references, limit, n_bytes + 1)
            load(tmp_path, campaign)


def test_a_flood_of_faults_is_cut(tmp_path: Path) -> None:
    """Fifty are enough to read; the rest is counted."""
    found = faults(tmp_path, basis() | {f"wrong{n}": n for n in range(60)})
    assert len(found) == 51
    assert found[-1] == "and 10 more"
