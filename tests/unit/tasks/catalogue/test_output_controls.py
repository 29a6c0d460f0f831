"""Every control of a picture, for every model that is sold, on both sides of its limit.

The table is written from what the vendor publishes, not from the catalogue: it is what the catalogue is
held against. A refusal names the model, the value and what is accepted.
"""

from pathlib import Path
from typing import Any

import pytest

from tasks.catalogue import load_catalogue
from tasks.errors import CatalogueError
from tests.support.campaign_files import basis, faults, load, save

CATALOGUE = load_catalogue(environ={})
OLD = ("gpt-image-1-mini", "gpt-image-1.5", "chatgpt-image-latest")
NEW_5 = ("gpt-image-2.5-flare", "gpt-image-2.5-sunburst")
NEW_6 = ("gpt-image-2.6-flare", "gpt-image-2.6-sunburst")
MODELS = (*OLD, "gpt-image-2", *NEW_5, *NEW_6)

FIXED_SIZES = {"1024x1024", "1536x1024", "1024x1536"}
RULED_SIZES = {
    "1024x1024", "1536x1024", "1024x1536",
    "1024x640", "640x1024",  # the fewest pixels
    "3840x2160", "2160x3840", "2880x2880",  # the most pixels, and the longest edge
    "2304x768", "768x2304",  # three to one
    "1920x1088", "1280x720", "1792x1024",  # multiples of 16
}  # fmt: skip
SIZES = RULED_SIZES | {
    "1024x624", "3840x2176", "2896x2880", "3856x2144", "2320x768", "768x2320", "1920x1080", "1281x720",
    "512x512", "large", "1024", "0x1024", "auto",
}  # fmt: skip

UNIVERSE: dict[str, tuple[Any, ...]] = {
    "quality": ("low", "medium", "high", "xhigh", "max", "auto", "standard", "hd"),
    "output_format": ("png", "jpeg", "webp", "gif", "svg", "tiff"),
    "background": ("auto", "opaque", "transparent", "none"),
    "input_fidelity": ("low", "high", "medium"),
    "complexity": ("low", "medium", "high", "xhigh"),
    "moderation": ("auto", "low", "high"),
    "n": (-1, 0, 1, 10, 11, 1.5, "2", True),
    "output_compression": (-1, 0, 100, 101, True),
    "size": tuple(sorted(SIZES)),
}


def accepted(model: str, control: str) -> set[Any]:
    """Tell what a model takes, as the vendor publishes it."""
    if control == "size":
        return FIXED_SIZES if model in OLD else RULED_SIZES
    if control == "quality":
        return {"low", "medium", "high"} | ({"xhigh", "max"} if model in NEW_5 + NEW_6 else set())
    if control == "background":
        return {"auto", "opaque"} | (set() if model == "gpt-image-2" else {"transparent"})
    if control == "input_fidelity":
        return {"low", "high"} if model in OLD[1:] else {"low"} if model in OLD else set()
    if control == "complexity":
        return {"low", "medium", "high"} if model in NEW_6 else set()
    others: dict[str, set[Any]] = {
        "output_format": {"png", "jpeg", "webp"}, "moderation": {"auto", "low"}, "n": {1, 10},
        "output_compression": {0, 100},
    }  # fmt: skip
    return others[control]


def ask(model: str, control: str, value: object) -> dict[str, Any]:
    """Write a request that differs from a plain one in one control."""
    plain = {"model": model, "n": 1, "quality": "low", "size": "1024x1024", "output_format": "jpeg"}
    if control == "background" and value == "transparent":
        plain["output_format"] = "png"
    return plain | {control: value}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("control", UNIVERSE)
def test_a_control_is_taken_or_refused_as_published(model: str, control: str) -> None:
    """Each value of each control: no fault, or one that names model, value and what is accepted."""
    takes = accepted(model, control)
    for value in UNIVERSE[control]:
        found = CATALOGUE.model(model).find_unsupported(ask(model, control, value))
        if not isinstance(value, bool) and value in takes:
            assert found == [], value
            CATALOGUE.model(model).estimate_usd(ask(model, control, value), "an otter")
            continue
        (fault,) = found
        assert fault.key == control
        assert str(value) in fault.what
        assert model in fault.what
        assert (
            fault.accepted == "leave it out"
            or not takes
            or any(str(one) in fault.accepted for one in takes)
            or (control == "size" and "multiples of 16" in fault.accepted)
        )
        with pytest.raises(CatalogueError, match=model.replace(".", r"\.")):
            CATALOGUE.model(model).estimate_usd(ask(model, control, value), "an otter")


def test_the_table_has_every_model_that_is_sold() -> None:
    """A model that comes into the catalogue comes into this table too."""
    sold = {name for name, model in CATALOGUE.models.items() if model.capabilities is not None}
    assert set(MODELS) == {name for name in sold if CATALOGUE.models[name].kind == "image"}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("key", ["size", "quality"])
def test_auto_cannot_be_priced_and_the_way_out_is_told(model: str, key: str) -> None:
    """Said as auto, and left out, which the vendor takes for auto."""
    named = CATALOGUE.model(model).find_unsupported(ask(model, key, "auto"))
    asked = ask(model, key, "auto")
    del asked[key]
    left_out = CATALOGUE.model(model).find_unsupported(asked)
    for (fault,) in (named, left_out):
        assert "cannot be priced" in fault.what
        assert (
            ("1024x1024" in fault.accepted or "multiples of 16" in fault.accepted)
            if key == "size"
            else ("low, medium, high" in fault.accepted)
        )


@pytest.mark.parametrize("model", MODELS)
def test_pairs_of_controls_that_exclude_each_other(model: str) -> None:
    """A transparent jpeg and a compressed png are refused; webp takes both."""
    plain = {"model": model, "n": 1, "quality": "low", "size": "1024x1024"}
    (compressed,) = CATALOGUE.model(model).find_unsupported(
        plain | {"output_compression": 50, "output_format": "png"}
    )
    assert "50 is not accepted" in compressed.what
    assert model in compressed.what
    assert (
        CATALOGUE.model(model).find_unsupported(plain | {"output_compression": 50, "output_format": "webp"})
        == []
    )
    if "transparent" not in accepted(model, "background"):
        return
    clear = plain | {"background": "transparent"}
    (opaque,) = CATALOGUE.model(model).find_unsupported(clear | {"output_format": "jpeg"})
    assert opaque.key == "background"
    assert model in opaque.what
    for kind in ("png", "webp"):
        assert CATALOGUE.model(model).find_unsupported(clear | {"output_format": kind}) == []


@pytest.mark.parametrize("model", ["gpt-image-1.5", "gpt-image-2.6-flare"])
@pytest.mark.parametrize(
    ("key", "good", "bad", "accepted_value"),
    [
        ("format", "webp", "gif", "png"),
        ("format", "jpeg", "tiff", "webp"),
        ("background", "transparent", "clear", "opaque"),
        ("moderation", "low", "none", "auto"),
        ("complexity", None, "extreme", "medium"),
        ("input_fidelity", None, "medium", "high"),
        ("images_per_request", 10, 11, "10"),
        ("images_per_request", 1, 0, "1"),
        ("per_prompt", 1000, 1001, "1000"),
        ("size", "1024x1536", "auto", "x"),
        ("quality", "high", "auto", "low, medium, high"),
    ],
)
def test_a_campaigns_control_is_refused_with_its_model(
    tmp_path: Path, model: str, key: str, good: object, bad: object, accepted_value: str
) -> None:
    """The file's own door: the same three facts, whether structure or meaning is at fault."""
    campaign = basis() | {"provider": "emulator", "drafts": {"model": model, "per_prompt": 10}}
    load(tmp_path, campaign | {"drafts": campaign["drafts"] | ({} if good is None else {key: good})})
    found = faults(tmp_path, campaign | {"drafts": campaign["drafts"] | {key: bad}})
    assert found[0].startswith(f"drafts.{key} (line ")
    assert str(bad) in found[0]
    assert model in found[0]
    assert accepted_value in found[0].split("accepted: ")[1]


@pytest.mark.parametrize("where", ["arms.B.drafts", "finals", "finals.1"])
def test_an_arm_and_an_edition_name_their_own_model(tmp_path: Path, where: str) -> None:
    """An arm without a model of its own has the campaign's."""
    campaign = basis()
    if where == "arms.B.drafts":
        campaign["arms"]["B"]["drafts"] = {"compression": 101}
    elif where == "finals":
        campaign["finals"]["compression"] = 101
    else:
        campaign["finals"] = [
            {"name": "one", "model": "gpt-image-2"},
            {"name": "two", "model": "gpt-image-2", "compression": 101},
        ]
    (fault,) = faults(tmp_path, campaign)
    assert fault.startswith(f"{where}.compression")
    assert "101 is not accepted for gpt-image-2" in fault
    assert "100" in fault


def test_references_are_edits_with_rules_of_their_own(tmp_path: Path) -> None:
    """Moderation only without references, input fidelity only with them; both name model and value."""
    save(tmp_path, "one.png", (64, 64))
    drafts = {"model": "gpt-image-1.5"}
    campaign = basis() | {"references": ["one.png"]}
    load(tmp_path, campaign | {"drafts": drafts | {"input_fidelity": "high"}})
    (fault,) = faults(tmp_path, campaign | {"drafts": drafts | {"moderation": "low"}})
    assert (
        "low is not accepted: gpt-image-1.5 accepts it only without references, accepted: leave it out"
        in fault
    )
    load(tmp_path, basis() | {"drafts": drafts | {"moderation": "low"}})
    (fault,) = faults(tmp_path, basis() | {"drafts": drafts | {"input_fidelity": "high"}})
    assert "high is not accepted: gpt-image-1.5 gets no references, accepted: leave it out" in fault
