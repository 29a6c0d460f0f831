"""The catalogue: capabilities, prices, lifecycle, and estimates that cover the bill."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.catalogue import Catalogue, Model, load_catalogue, tokens
from tasks.catalogue.catalogue import merged
from tasks.catalogue.sizes import Size, SizeRule, parse_size
from tasks.emulator.models import MODELS as EMULATED
from tasks.emulator.tokens import count_tokens
from tasks.errors import CatalogueError
from tasks.money import to_nanousd
from tasks.order import Reference, Usage

CATALOGUE = load_catalogue(environ={})
ALIVE = [name for name, model in CATALOGUE.models.items() if model.capabilities is not None]


def ask(model: str, **changes: Any) -> dict[str, Any]:
    """Write a request that every living model accepts, with changes."""
    return {"model": model, "n": 1, "quality": "low", "size": "1024x1024", "output_format": "png"} | changes


def picture(width: int, height: int) -> Reference:
    """Name a reference picture of a size."""
    return Reference("/nowhere.png", "0" * 64, width, height, "image/png")


@pytest.mark.parametrize("name", sorted(CATALOGUE.models))
def test_every_fact_has_a_source_and_a_day(name: str) -> None:
    """Lifecycle and prices of every model say where and when they were read."""
    model = CATALOGUE.models[name]
    assert model.lifecycle_facts.source.startswith("https://")
    assert model.lifecycle_facts.checked_on == date(2026, 11, 22)
    if model.prices is not None:
        assert model.prices.source.startswith("https://")
        assert model.prices.price_as_of <= model.prices.checked_on


def test_every_model_that_can_be_asked_has_a_price() -> None:
    """Capabilities without prices would let a run start that cannot be counted."""
    assert all(CATALOGUE.models[name].prices for name in ALIVE)
    assert {"gpt-image-1", "dall-e-2", "dall-e-3"}.isdisjoint(ALIVE)


@pytest.mark.parametrize(
    ("name", "text_input", "image_input", "image_output"),
    [
        ("gpt-image-1-mini", "2", "2.5", "8"), ("gpt-image-1.5", "5", "8", "32"),
        ("chatgpt-image-latest", "5", "8", "32"), ("gpt-image-2", "5", "8", "30"),
        ("gpt-image-2.5-flare", "5", "8", "30"), ("gpt-image-2.5-sunburst", "5", "8", "30"),
        ("gpt-image-2.6-flare", "5", "8", "30"), ("gpt-image-2.6-sunburst", "5", "8", "30"),
    ],
)  # fmt: skip
def test_prices_are_those_published(name: str, text_input: str, image_input: str, image_output: str) -> None:
    """Dollars for a million tokens, as exact decimals."""
    prices = CATALOGUE.model(name).prices_at()
    assert (prices.text_input, prices.image_input, prices.image_output) == (
        Decimal(text_input), Decimal(image_input), Decimal(image_output),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("gpt-image-2-2026-04-21", "gpt-image-2"),
        ("gpt-image-2.5-sunburst-2026-09-08", "gpt-image-2.5-sunburst"),
        ("gpt-image-1.5-2025-12-16", "gpt-image-1.5"),
    ],
)
def test_a_dated_snapshot_is_found_under_its_model(alias: str, name: str) -> None:
    """Dated ids are aliases."""
    assert CATALOGUE.model(alias).id == name


def test_an_unknown_model_is_refused_with_its_neighbours() -> None:
    """The message names near models, all models, and how to add one."""
    with pytest.raises(CatalogueError, match=r"no model 'gpt-image-2\.6'") as caught:
        CATALOGUE.model("gpt-image-2.6")
    assert "gpt-image-2.6-flare" in str(caught.value)
    assert "RUNOFF_HOME/catalogue.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("days", "state"), [(-31, "active"), (-30, "retiring"), (-1, "retiring"), (0, "retired"), (9, "retired")]
)
def test_a_model_retires_on_its_day(days: int, state: str) -> None:
    """Thirty days before its shutdown a model is retiring; from the day itself on it is retired."""
    shutdown = date(2026, 12, 1)
    life = CATALOGUE.model("gpt-image-1-mini").lifecycle(shutdown + timedelta(days))
    assert (life.state, life.days_left, life.shutdown_on) == (state, -days, shutdown)
    assert "gpt-image-2.6-flare" in life.successors


def test_a_model_without_a_date_stays() -> None:
    """Nothing announced is null, and active."""
    life = CATALOGUE.model("gpt-image-2").lifecycle(date(2036, 1, 1))
    assert (life.state, life.shutdown_on, life.days_left) == ("active", None, None)


@pytest.mark.parametrize("name", ALIVE)
def test_a_plain_request_has_no_fault(name: str) -> None:
    """Every living model takes low, 1024x1024, png."""
    assert CATALOGUE.model(name).faults_of(ask(name)) == []


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("gpt-image-1-mini", {"size": "1280x720"}, "size: gpt-image-1-mini does not make 1280x720"),
        ("gpt-image-2", {"size": "1920x1080"}, "nearest it makes is 1920x1088"),
        ("gpt-image-2", {"size": "512x512"}, "nearest it makes is 816x816"),
        ("gpt-image-2", {"size": "3840x2400"}, "size: gpt-image-2 does not make 3840x2400"),
        ("gpt-image-2", {"size": "large"}, "is not a WIDTHxHEIGHT"),
        ("gpt-image-2", {"size": "auto"}, "size: auto cannot be priced"),
        ("gpt-image-2", {"quality": "auto"}, "quality: auto cannot be priced"),
        ("gpt-image-2", {"quality": "xhigh"}, "quality: 'xhigh' is not accepted by gpt-image-2"),
        ("gpt-image-2", {"background": "transparent"}, "gated preview"),
        ("gpt-image-2.6-flare", {"output_format": "gif"}, "gated preview"),
        ("gpt-image-2.5-flare", {"output_format": "svg"}, "output_format: 'svg'"),
        ("gpt-image-1.5", {"background": "transparent", "output_format": "jpeg"}, "be transparent"),
        ("gpt-image-1.5", {"output_compression": 50}, "png compression has no levels"),
        ("gpt-image-1.5", {"output_compression": 101, "output_format": "jpeg"}, "0 to 100"),
        ("gpt-image-2", {"n": 0}, "n: 0 is out of range"),
        ("gpt-image-2", {"n": 11}, "n: 11 is out of range"),
        ("gpt-image-2", {"n": True}, "n: True is out of range"),
        ("gpt-image-2", {"input_fidelity": "high"}, "input_fidelity: 'high' is not accepted: gpt-image-2"),
        ("gpt-image-1-mini", {"input_fidelity": "high"}, "accepted: low"),
        (
            "gpt-image-2.5-flare",
            {"complexity": "low"},
            "complexity: 'low' is not accepted: gpt-image-2.5-flare",
        ),
        ("gpt-image-2", {"moderation": "none"}, "accepted: auto, low"),
        ("gpt-image-2", {"seed": 1}, "seed: is not a field that Runoff sends"),
        ("dall-e-3", {}, "model: dall-e-3 is shut down, accepted: gpt-image-2.6-flare"),
        ("gpt-6-luna", {}, "makes no pictures"),
    ],
)  # fmt: skip
def test_what_a_model_cannot_do_is_said(name: str, changes: dict[str, Any], expected: str) -> None:
    """One fault for one wrong field, with what is accepted."""
    faults = CATALOGUE.model(name).faults_of(ask(name, **changes))
    assert len(faults) == 1
    assert expected in faults[0]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("gpt-image-2", {"size": "3840x2160"}),
        ("gpt-image-2", {"size": "1024x640"}),
        ("gpt-image-2", {"size": "2880x2880", "n": 10}),
        ("gpt-image-1.5", {"background": "transparent", "output_format": "webp", "output_compression": 0}),
        ("gpt-image-1.5", {"input_fidelity": "high"}),
        ("gpt-image-2.6-sunburst", {"quality": "max", "complexity": "low", "background": "transparent"}),
    ],
)
def test_what_a_model_can_do_is_accepted(name: str, changes: dict[str, Any]) -> None:
    """The other side of the limits."""
    assert CATALOGUE.model(name).faults_of(ask(name, **changes)) == []


def test_missing_quality_and_size_cannot_be_priced() -> None:
    """The vendor's defaults are auto, so both must be given."""
    faults = CATALOGUE.model("gpt-image-2").faults_of({"model": "gpt-image-2"})
    assert [fault.split(":")[0] for fault in faults] == ["quality", "size"]


RULE = CATALOGUE.model("gpt-image-2").capabilities


@given(st.integers(1, 300).map(lambda n: n * 16), st.integers(1, 300).map(lambda n: n * 16))
def test_the_size_rule_is_the_published_one(width: int, height: int) -> None:
    """Edge, proportion and pixels, written out a second time."""
    assert RULE is not None
    assert RULE.size_rule is not None
    published = (
        max(width, height) <= 3840
        and max(width, height) / min(width, height) <= 3
        and 655_360 <= width * height <= 8_294_400
    )
    assert RULE.size_rule.allows(Size(width, height)) == published


def test_the_nearest_size_is_one_that_can_be_made() -> None:
    """Found for shapes far outside the rule, too."""
    rule = SizeRule(multiple_px=16, max_edge_px=3840, max_ratio=3, min_pixels=655_360, max_pixels=8_294_400)
    for size in (Size(1, 1), Size(9999, 10), Size(1000, 1000)):
        assert rule.allows(rule.nearest(size))
    assert rule.nearest(Size(1000, 1000)) == Size(1008, 1008)


@pytest.mark.parametrize("text", ["auto", "1024", "x", "1024x", "0x0", "01x16", "1024X1024", "²x²", ""])
def test_what_is_no_size_is_none(text: str) -> None:
    """Only plain WIDTHxHEIGHT is a size."""
    assert parse_size(text) is None


@given(
    name=st.sampled_from(sorted(set(ALIVE) & set(EMULATED))),
    prompt=st.text(min_size=1, max_size=300),
    n=st.integers(1, 10),
    references=st.lists(st.tuples(st.integers(16, 4000), st.integers(16, 4000)), max_size=3),
    data=st.data(),
)
def test_the_high_end_covers_the_bill(
    name: str, prompt: str, n: int, references: list[tuple[int, int]], data: st.DataObject
) -> None:
    """What is reserved is at least what an equal request is billed, counted by independent arithmetic."""
    model = CATALOGUE.model(name)
    assert model.capabilities is not None
    quality = data.draw(st.sampled_from(model.capabilities.qualities))
    sizes = model.capabilities.sizes or ("1024x1024", "1280x720", "3840x2160", "1024x640")
    size = parse_size(data.draw(st.sampled_from(sizes)))
    assert size is not None
    fidelity = data.draw(st.sampled_from(("", *model.capabilities.input_fidelity)))
    parameters = ask(name, n=n, quality=quality, size=str(size))
    if fidelity and references:
        parameters["input_fidelity"] = fidelity
    estimate = model.estimate_usd(parameters, prompt, [picture(*shape) for shape in references])
    billed = count_tokens(
        EMULATED[name], prompt=prompt, n=n, tier=quality, size=size, references=references,
        high_fidelity=fidelity == "high", is_edit=bool(references),
    )  # fmt: skip
    cost = model.cost_usd(Usage(billed.text_input, billed.image_input, billed.output))
    assert cost is not None
    assert Decimal(0) < estimate.low_usd <= estimate.high_usd
    assert cost <= estimate.high_usd
    to_nanousd(estimate.high_usd)
    assert to_nanousd(cost) == billed.charge_nanousd(EMULATED[name])


@given(st.lists(st.tuples(*[st.integers(0, 10**6)] * 3), max_size=30), st.sampled_from(ALIVE))
def test_sums_of_costs_are_exact(usages: list[tuple[int, int, int]], name: str) -> None:
    """The sum of the costs is the cost of the sum, to the nano-dollar, in any order."""
    model = CATALOGUE.model(name)
    costs = [model.cost_usd(Usage(*usage)) or Decimal(0) for usage in usages]
    totals = [sum(column) for column in zip(*usages, strict=True)] or [0, 0, 0]
    assert sum(costs, Decimal(0)) == model.cost_usd(Usage(*totals))
    assert sum(reversed(costs), Decimal(0)) == sum(costs, Decimal(0))


def test_mini_is_reserved_at_the_published_price_of_a_picture() -> None:
    """Tokens say $0.0022 and the price list $0.005: the low end is the one, the high end the other."""
    estimate = CATALOGUE.model("gpt-image-1-mini").estimate_usd(ask("gpt-image-1-mini"), "an otter")
    assert estimate.low_usd == Decimal("0.002176") + 8 * Decimal("0.000002")
    assert estimate.high_usd == Decimal("0.005") + 24 * Decimal("0.000002")


IMAGE_PRICES = [
    (name, quality, size, price)
    for name, model in CATALOGUE.models.items()
    for quality, sizes in model.image_prices.items()
    for size, price in sizes.items()
]


@pytest.mark.parametrize(("name", "quality", "size", "price"), IMAGE_PRICES)
def test_the_high_end_covers_every_published_price(
    name: str, quality: str, size: str, price: Decimal
) -> None:
    """The vendor's own price of a picture is never above what is reserved."""
    estimate = CATALOGUE.model(name).estimate_usd(ask(name, quality=quality, size=size), "x")
    assert estimate.high_usd >= price


@pytest.mark.parametrize(
    ("quality", "size", "measured"),
    [("low", "1536x1024", 664), ("high", "1536x1024", 1353), ("high", "3840x2160", 3337)],
)
def test_estimates_of_2_6_hold_the_measured_answers(quality: str, size: str, measured: int) -> None:
    """No formula is published, so the range is wide; each measured answer lies within it, and it says so."""
    model = CATALOGUE.model("gpt-image-2.6-flare")
    estimate = model.estimate_usd(ask(model.id, quality=quality, size=size), "x")
    assert estimate.low_usd <= measured * Decimal("0.00003") + Decimal("0.00009") <= estimate.high_usd
    assert f"±{25 if quality == 'low' else 5}%" in estimate.note


def test_batch_is_half_where_it_exists_and_refused_where_not() -> None:
    """gpt-image-2 has a batch price; 2.6 has none, and none is made up."""
    usage = Usage(10, 0, 1000)
    model = CATALOGUE.model("gpt-image-2")
    assert model.cost_usd(usage, "batch") == (model.cost_usd(usage) or 0) / 2
    flare = CATALOGUE.model("gpt-image-2.6-flare")
    assert flare.cost_usd(usage, "batch") is None
    with pytest.raises(CatalogueError, match="no published price for this request in the batch lane"):
        flare.estimate_usd(ask(flare.id), "x", lane="batch")


def test_incomplete_usage_has_no_cost() -> None:
    """What the provider did not say is unknown, not free."""
    model = CATALOGUE.model("gpt-image-2")
    assert model.cost_usd(Usage(10, 0, None)) is None
    assert model.cost_usd(Usage(None, None, 196)) is None
    assert model.cost_usd(Usage(10, None, 196)) == Decimal("0.00593")


def test_the_judge_is_priced_by_its_text() -> None:
    """A text model's output counts at its text price."""
    cost = CATALOGUE.model("gpt-6-luna").cost_usd(Usage(1_000_000, 1_000_000, 1_000_000))
    assert cost == Decimal("0.70")


def test_a_request_with_faults_is_not_estimated() -> None:
    """An estimate of something the model cannot do would be a guess."""
    with pytest.raises(CatalogueError, match="auto cannot be priced"):
        CATALOGUE.model("gpt-image-2").estimate_usd(ask("gpt-image-2", quality="auto"), "x")


def test_a_reference_costs_its_own_tokens() -> None:
    """Low and high end both hold the reference's tokens at the picture price."""
    model = CATALOGUE.model("gpt-image-2")
    without, with_one = (
        model.estimate_usd(ask(model.id), "x", references) for references in ([], [picture(1536, 1024)])
    )
    dollars = tokens.reference_tokens_by_patches(1536, 1024) * Decimal("0.000008")
    assert with_one.low_usd - without.low_usd == dollars
    assert with_one.high_usd - without.high_usd == dollars + 32 * Decimal("0.000005")


def write(folder: Path, text: str) -> Path:
    """Write a catalogue file."""
    file = folder / "catalogue.yaml"
    file.write_text(text, encoding="utf-8")
    return file


NEW_MODEL = """
models:
  gpt-image-2: {prices: {image_output: "24.00"}}
  tiny:
    kind: image
    lifecycle: {source: "https://example.org", checked_on: 2026-11-22}
"""


def test_a_users_file_adds_models_and_replaces_prices(tmp_path: Path) -> None:
    """Only what the file says changes; a model without a price is known and cannot be priced."""
    write(tmp_path, NEW_MODEL)
    catalogue = load_catalogue(tmp_path, environ={})
    prices = catalogue.model("gpt-image-2").prices_at()
    assert (prices.image_output, prices.image_input) == (Decimal("24.00"), Decimal("8.00"))
    with pytest.raises(CatalogueError, match="has no dated price"):
        catalogue.model("tiny").prices_at()


def test_the_variable_names_a_file_that_wins(tmp_path: Path) -> None:
    """RUNOFF_CATALOGUE lies over everything else."""
    file = write(tmp_path, NEW_MODEL)
    assert load_catalogue(environ={"RUNOFF_CATALOGUE": str(file)}).knows("tiny")
    assert not load_catalogue(environ={}).knows("tiny")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("models: {gpt-image-2: {prices: {image_output: 24.0}}}", "has no quotes"),
        ("models: {gpt-image-2: {pirces: {}}}", "models.gpt-image-2: pirces"),
        ("models: {x: 3}", "models.x"),
        ("models: 3", "is missing the mapping 'models'"),
        ("models: {", r"catalogue.yaml, line \d: "),
        ('models: {gpt-image-2: {capabilities: {sizes: ["1x1"]}}}', "either sizes or a size_rule"),
    ],
)
def test_a_wrong_catalogue_file_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """One clear message with the file and the place."""
    write(tmp_path, text)
    with pytest.raises(CatalogueError, match=expected) as caught:
        load_catalogue(tmp_path, environ={})
    assert str(tmp_path) in str(caught.value)


def test_a_missing_catalogue_file_is_refused(tmp_path: Path) -> None:
    """A variable that points nowhere is not ignored."""
    with pytest.raises(CatalogueError, match="cannot be read"):
        load_catalogue(environ={"RUNOFF_CATALOGUE": str(tmp_path / "none.yaml")})


def test_merging_leaves_what_is_below_untouched() -> None:
    """Mappings merge in depth; anything else is replaced."""
    below: dict[str, Any] = {"a": {"x": 1}, "b": [1, 2]}
    assert merged(below, {"a": {"y": 2}, "b": [3]}) == {"a": {"x": 1, "y": 2}, "b": [3]}
    assert below == {"a": {"x": 1}, "b": [1, 2]}


def test_models_are_frozen() -> None:
    """Nobody changes a fact after it was read."""
    model: Model = Catalogue(CATALOGUE.models, CATALOGUE.files).model("gpt-image-2")
    with pytest.raises(ValueError, match="frozen"):
        model.id = "other"
