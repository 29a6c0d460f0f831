"""Finals in depth: editions, pictures beside the draft, masks, shapes, a fallback; and what they cost."""

import hashlib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tasks.accept import choose_fallback
from tasks.attachments.drawings import write_drawn
from tasks.attachments.fit import frame_draft, framed_size, is_same_shape
from tasks.attachments.references import read_reference
from tasks.campaign.finals import Fit
from tasks.candidate import Candidate, Fidelity, Inspection
from tasks.catalogue.sizes import Size
from tasks.compare import measure_fidelity
from tasks.errors import RunError
from tasks.images_api.client import upload
from tasks.order import Reference
from tasks.orders.finals import plan_finals, require_sendable, wants_final
from tests.support.builders import an_order
from tests.support.campaign_files import basis, faults, load, save
from tests.support.planning import CATALOGUE, DRAFT, PROVIDERS, RUN, campaign, finals, planned

EDITIONS: list[dict[str, Any]] = [
    {"name": "wide", "model": "gpt-image-2", "size": "1536x1024", "attempts": 1, "fallback": "generate"},
    {"name": "shop", "model": "gpt-image-2.6-sunburst", "quality": "medium", "format": "webp", "attempts": 3},
]
UNOPENED = Reference("/nowhere.png", "0" * 64, 1024, 1024, "image/png")
sizes = st.builds(Size, st.integers(16, 4000), st.integers(16, 4000))


def test_a_campaign_with_one_mapping_orders_as_it_always_did() -> None:
    """The identity of its orders is what it was before there were editions: a resumed run finds them."""
    order = finals(campaign(finals={"model": "gpt-image-2"}))
    assert order.order_id == "o-39c6bc7dbdb454e5a8a8"
    assert order.edition is None
    assert order.file_stem() == "B-002-003-try1"


def test_each_edition_is_an_order_of_its_own() -> None:
    """Its name is in its identity and in its file's name, even where all else is equal."""
    twins = campaign(finals=[{"name": name, "model": "gpt-image-2"} for name in ("one", "two")])
    first, second = (
        plan_finals(twins, CATALOGUE, PROVIDERS, [DRAFT], run_id=RUN, folder="/x", edition=edition)[0]
        for edition in twins.editions
    )
    assert first.order_id != second.order_id
    assert first.parameters == second.parameters
    assert (first.file_stem(), second.file_stem()) == ("B-002-003-one-try1", "B-002-003-two-try1")


def test_every_edition_and_its_fallback_is_in_the_plan() -> None:
    """Sums are those of the editions bought alone; the fallback is one more picture, without a reference."""
    both = planned(campaign(finals=EDITIONS)).finals
    alone = [planned(campaign(finals=edition)).finals for edition in EDITIONS]
    assert [edition.most_pictures for edition in both.editions] == [3 * 2, 3 * 3]
    assert both.most_pictures == 15
    assert both.low_usd == sum(plan.low_usd for plan in alone)
    assert both.high_usd == sum(plan.high_usd for plan in alone)
    bare = planned(campaign(finals={key: value for key, value in EDITIONS[0].items() if key != "fallback"}))
    generated = planned(campaign(finals=EDITIONS[0] | {"method": "generate", "fallback": None}))
    assert alone[0].high_usd == bare.finals.high_usd + generated.finals.high_usd
    assert alone[0].low_usd == bare.finals.low_usd
    data = planned(campaign(finals=EDITIONS)).as_dict()["finals"]
    assert [edition["name"] for edition in data["editions"]] == ["wide", "shop"]
    assert sum(Decimal(edition["high_usd"]) for edition in data["editions"]) == Decimal(data["high_usd"])


def test_a_draft_that_came_as_a_gif_is_sent_as_a_png(tmp_path: Path) -> None:
    """Nobody can save it as something else: it is what was bought, and its final blocked all others."""
    file = tmp_path / DRAFT.file
    file.parent.mkdir()
    Image.effect_noise((64, 64), 60).save(file, "GIF")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    draft = replace(DRAFT, sha256=digest, inspection=Inspection(width=64, height=64, format="gif"))
    orders = plan_finals(
        campaign(finals={"model": "gpt-image-2"}), CATALOGUE, PROVIDERS, [draft], run_id=RUN, folder=tmp_path
    )
    require_sendable(orders)
    name, data, media_type = upload(orders[0].references[0])
    assert (name, media_type, data[:4]) == ("B-002-003.png", "image/png", b"\x89PNG")


def test_the_fallback_is_the_drafts_own_text_alone() -> None:
    """An edit's prompt speaks of a picture that is not sent; the fallback does not use it."""
    subject = campaign(
        finals={"model": "gpt-image-2", "attempts": 1, "fallback": "generate", "prompt": "Redo: {{ prompt }}"}
    )
    edit, fallback = (finals(subject, attempt=attempt) for attempt in (0, 1))
    assert (edit.endpoint, edit.prompt, len(edit.references)) == ("edits", f"Redo: {DRAFT.prompt}", 1)
    assert (fallback.endpoint, fallback.prompt, fallback.references) == ("generations", DRAFT.prompt, ())
    assert "input_fidelity" not in fallback.parameters


def test_the_draft_goes_first_and_a_brand_sheet_after_it(tmp_path: Path) -> None:
    """Both are in the order's identity and price; the row fills the template."""
    save(tmp_path, "sand.png", (1024, 1024))
    save(tmp_path, "logo.png", (1024, 1024))
    subject = campaign(
        finals={
            "model": "gpt-image-2",
            "references": [f"{tmp_path}/{{{{ place }}}}.png", f"{tmp_path}/logo.png"],
        }
    )
    order = finals(subject)
    assert [Path(sent.file).name for sent in order.references] == ["B-002-003.png", "sand.png", "logo.png"]
    plain = finals(campaign(finals={"model": "gpt-image-2"}))
    assert order.estimate_usd - plain.estimate_usd == 2 * 1024 * Decimal("0.000008")
    assert order.order_id != plain.order_id


def test_a_picture_that_is_gone_is_told_before_anything_is_ordered(tmp_path: Path) -> None:
    """With what happened to the money and what to do."""
    subject = campaign(finals={"model": "gpt-image-2", "references": [str(tmp_path / "gone.png")]})
    with pytest.raises(RunError, match=r"there is no file .*gone\.png") as caught:
        finals(subject)
    assert "runoff promote" in caught.value.next_step


@given(draft=sizes, final=sizes)
def test_framed_drafts_have_the_finals_shape(draft: Size, final: Size) -> None:
    """Padding only adds, cropping only takes, and both end within a pixel of the final's proportions."""
    padded, cropped = framed_size(draft, final, "pad"), framed_size(draft, final, "crop")
    assert padded.width >= draft.width
    assert padded.height >= draft.height
    assert cropped.width <= draft.width
    assert cropped.height <= draft.height
    for framed in (padded, cropped):
        exact = framed.height * final.width / final.height, framed.width * final.height / final.width
        off = min(abs(framed.width - exact[0]), abs(framed.height - exact[1]))
        assert off <= 1 or is_same_shape(draft, final)
    for fit in ("any", "same"):
        assert framed_size(draft, final, fit) == draft


def scene(size: tuple[int, int]) -> Image.Image:
    """Paint something with structure: every part of it differs from every other."""
    down, across = np.mgrid[0 : size[1], 0 : size[0]]
    channels = [128 + 120 * np.sin(across / 9), 128 + 120 * np.sin(down / 7), (across * 3 + down * 5) % 256]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


@pytest.mark.parametrize(
    ("fit", "final"), [("pad", Size(1536, 512)), ("crop", Size(512, 1024)), ("pad", Size(300, 900))]
)
def test_framing_keeps_the_drafts_pixels_in_the_middle(tmp_path: Path, fit: Fit, final: Size) -> None:
    """What is padded is see-through, what is cropped is gone, the middle is untouched."""
    scene((240, 240)).save(tmp_path / "draft.png")
    framed = frame_draft(read_reference(str(tmp_path / "draft.png")), final, fit, tmp_path / "drawn")
    size = framed_size(Size(240, 240), final, fit)
    write_drawn([framed])
    with Image.open(framed.file) as opened:
        assert opened.size == (framed.width, framed.height) == tuple(size)
        seen = np.asarray(opened.convert("RGBA"))
    draft = np.asarray(scene((240, 240)))
    if fit == "pad":
        left, top = (size.width - 240) // 2, (size.height - 240) // 2
        assert (seen[top : top + 240, left : left + 240, :3] == draft).all()
        assert (seen[..., 3] == 0).sum() == size.width * size.height - 240 * 240
    else:
        left, top = (240 - size.width) // 2, (240 - size.height) // 2
        assert (seen[..., :3] == draft[top : top + size.height, left : left + size.width]).all()
    again = frame_draft(read_reference(str(tmp_path / "draft.png")), final, fit, tmp_path / "drawn")
    assert again == framed


def test_a_framed_draft_is_priced_as_it_is_sent(tmp_path: Path) -> None:
    """The plan covers the order: the canvas has more pixels than the draft."""
    (tmp_path / "drafts").mkdir()
    scene((1024, 1024)).save(tmp_path / "drafts" / "B-002-003.png")
    for fit in ("pad", "crop", "any"):
        subject = campaign(finals={"model": "gpt-image-2", "size": "1536x1024", "fit": fit, "attempts": 1})
        announced = planned(subject).finals
        (order,) = plan_finals(
            subject, CATALOGUE, PROVIDERS, [DRAFT], run_id=RUN, folder=tmp_path, home=tmp_path
        )
        assert order.estimate_usd <= announced.high_usd / announced.finalists
        first = order.references[0]
        assert (first.width, first.height) == framed_size(Size(1024, 1024), Size(1536, 1024), fit)


@pytest.mark.parametrize("fit", ["pad", "any"])
def test_a_banner_is_not_refused_for_having_sides(tmp_path: Path, fit: Fit) -> None:
    """A final that shows the draft in its middle is the same picture, whatever stands beside it."""
    draft = scene((240, 240))
    draft.save(tmp_path / "draft.png")
    banner = Image.effect_noise((720, 240), 90).convert("RGB")
    banner.paste(draft, (240, 0))
    banner.save(tmp_path / "final.png")
    assert measure_fidelity(tmp_path / "draft.png", tmp_path / "final.png", fit).value > 0.99
    wrong = measure_fidelity(tmp_path / "draft.png", tmp_path / "final.png", "crop")
    assert wrong.value < 0.5


def test_what_a_mask_remakes_is_left_out_of_the_comparison(tmp_path: Path) -> None:
    """The kept part decides; a mask over all of it hides nothing."""
    draft, box = scene((240, 240)), (60, 60, 180, 180)
    final = draft.copy()
    final.paste("#ffffff", box)
    mask = Image.new("RGBA", draft.size, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), box)
    other = Image.fromarray(255 - np.asarray(draft))
    other.paste("#ffffff", box)
    everything = Image.new("RGBA", draft.size, (0, 0, 0, 0))
    for name, picture in {
        "draft": draft,
        "final": final,
        "mask": mask,
        "other": other,
        "all": everything,
    }.items():
        picture.save(tmp_path / f"{name}.png")

    def fidelity(name: str, mask: str | None = None) -> Fidelity:
        remade = tmp_path / f"{mask}.png" if mask else None
        return measure_fidelity(tmp_path / "draft.png", tmp_path / f"{name}.png", remade=remade)

    assert fidelity("final", "mask").value > 0.9
    assert fidelity("final").value < 0.75
    assert fidelity("other", "mask").value < 0.3
    assert fidelity("final", "all") == fidelity("final")


def test_a_fallback_is_taken_without_a_bar_and_says_so() -> None:
    """The one with the highest fidelity; without any, the reason for the edits stays."""
    low, lower = Fidelity(0.3, 0.2, 30, 0.5), Fidelity(0.1, 0.2, 30, 0.5)
    chosen, reason = choose_fallback({"c-1": lower, "c-2": low}, "refused: the best of 2 attempts")
    assert chosen == "c-2"
    assert reason.startswith("accepted in place of an edit, made from the prompt alone: fidelity 0.300")
    assert choose_fallback({}, "refused") == (None, "refused")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([{"model": "gpt-image-2"}], "finals.0.name (line 21): is missing"),
        ([{"name": "a", "model": "gpt-image-2"}] * 2, "finals.1.name (line 24): a occurs twice"),
        ([], "finals (line 20): [] is not accepted"),
        ({"model": "gpt-image-2", "name": "No Name"}, "finals.name (line 22): 'No Name' is not accepted"),
        ([{"name": "a", "model": "gpt-image-2", "size": "10x10"}], "finals.0.size (line 23): gpt-image-2"),
        ([{"name": "a", "model": "gpt-image-9"}], "finals.0.model (line 22): there is no model"),
        ([{"name": "a", "model": "gpt-image-2", "prompt": "{{ x }}"}], "finals.0.prompt (line 23): names x"),
        ({"model": "gpt-image-2", "fit": "stretch"}, "accepted: any, pad, crop or same"),
        (
            {"model": "gpt-image-2", "fit": "same", "size": "1536x1024"},
            "finals.fit (line 22): drafts of arm A are 1024x1024 and finals 1536x1024: different proportions",
        ),
        (
            {"model": "gpt-image-2", "method": "generate", "fallback": "generate"},
            "finals.fallback (line 23): has no effect if only the prompt is sent, accepted: method: edit",
        ),
        (
            {"model": "gpt-image-2", "method": "generate", "fit": "pad"},
            "finals.fit (line 23): has no effect",
        ),
        ({"model": "gpt-image-2", "references": ["no.png"]}, "finals.references.0 (line 23): "),
        ({"model": "gpt-image-2", "references": ["{{ x }}.png"]}, "finals.references.0 (line 23): names x"),
        ({"model": "gpt-image-2", "mask": {"box": [0, 0, 1025, 1]}}, "finals.mask (line 22): the box"),
        ({"model": "gpt-image-2", "mask": "no.png"}, "finals.mask (line 22): "),
        ({"model": "gpt-image-2", "mask": {"alpha_of": "reference"}}, "have no transparent background"),
    ],
)  # fmt: skip
def test_a_wrong_edition_is_refused_at_its_key(tmp_path: Path, given: Any, expected: str) -> None:
    """Before anything is bought, with its line."""
    found = faults(tmp_path, basis() | {"finals": given})
    assert len(found) == 1, found
    assert expected in found[0]


@pytest.mark.parametrize("count", [15, 16])
def test_fifteen_pictures_may_stand_beside_the_draft(tmp_path: Path, count: int) -> None:
    """The vendor's sixteen, the draft among them; both sides of the limit."""
    save(tmp_path, "logo.png", (8, 8))
    given = basis() | {"finals": {"model": "gpt-image-2", "references": ["logo.png"] * count}}
    if count == 15:
        assert load(tmp_path, given).editions[0].references[0] == str(tmp_path / "logo.png")
    else:
        assert (
            "16 pictures in addition to the draft for gpt-image-2, accepted: at most 15"
            in faults(tmp_path, given)[0]
        )


@pytest.mark.parametrize(
    "given",
    [
        {"model": "gpt-image-2", "fit": "same", "size": "2048x2048"},
        {"model": "gpt-image-2", "fit": "pad", "size": "1536x1024", "mask": {"box": [1535, 0, 1, 1]}},
        {"model": "gpt-image-2", "mask": {"box": [0, 0, 1024, 1024]}},
        {"model": "gpt-image-2", "mask": "mask.png"},
    ],
)
def test_an_edition_that_just_fits_is_taken(tmp_path: Path, given: dict[str, Any]) -> None:
    """The other side; what was read is written and read back the same."""
    save(tmp_path, "mask.png", (1024, 1024))
    loaded = load(tmp_path, basis() | {"finals": given})
    assert load(tmp_path, loaded.as_yaml()) == loaded
    several = load(tmp_path, basis() | {"finals": [given | {"name": "a"}, given | {"name": "b"}]})
    assert [edition.name for edition in load(tmp_path, several.as_yaml()).editions] == ["a", "b"]


def test_a_planned_final_is_wanted_while_its_edition_asks_the_same() -> None:
    """Another edition, provider, method, format or count: withdrawn when the run is taken up again."""
    subject = campaign(finals=EDITIONS)
    wanted = wants_final(subject)
    edition = subject.editions[0]
    order = an_order(
        stage="final", endpoint="edits", edition="wide", parameters=edition.parameters(n=1, is_edit=True),
        references=(UNOPENED,), provider=subject.provider,
    )  # fmt: skip
    assert wanted(order)
    assert wanted(replace(order, endpoint="generations", references=()))  # the fallback
    for change in (
        {"edition": None}, {"edition": "shop"}, {"references": ()}, {"mask": UNOPENED}, {"provider": "relay"},
        {"parameters": dict(order.parameters) | {"quality": "low"}},
    ):  # fmt: skip
        assert not wanted(replace(order, **change))


def test_inspected_drafts_only_can_be_framed() -> None:
    """A draft whose size nobody knows cannot be sent."""
    unseen: Candidate = replace(DRAFT, inspection=Inspection())
    with pytest.raises(RunError, match="was never inspected"):
        finals(campaign(), unseen)


def test_a_padded_draft_is_asked_to_be_gone_on_with() -> None:
    """Only then, and only where the campaign has no words of its own; the plan counts the longer text."""
    addition = "go on with the scene where it is see-through"
    padded = campaign(finals={"model": "gpt-image-2", "fit": "pad"})
    assert addition in finals(padded).prompt
    assert addition not in finals(campaign(finals={"model": "gpt-image-2", "fit": "crop"})).prompt
    own = {"model": "gpt-image-2", "fit": "pad", "prompt": "{{ prompt }}, wide"}
    assert finals(campaign(finals=own)).prompt == f"{DRAFT.prompt}, wide"
    announced = planned(padded).finals
    assert finals(padded).estimate_usd <= announced.high_usd / announced.most_pictures


JUDGED: dict[str, Any] = {
    "weights": {"technical": 1, "judge": 0},
    "judge": {"rubric": [{"statement": "One otter in {{ place }}", "must": True}, "The light is good"]},
}


def test_the_plan_of_finals_that_keep_statements_counts_a_question_about_each() -> None:
    """As many as pictures, in the price at both ends; without, the plan is what it was."""
    edition = {"model": "gpt-image-2", "attempts": 3}
    without = planned(campaign(score=JUDGED, finals=edition)).finals
    judged = planned(campaign(score=JUDGED, finals=edition | {"keep_statements": "must"})).finals
    (plain,), (asking,) = without.editions, judged.editions
    assert (plain.questions, asking.questions) == (0, asking.most_pictures) == (0, 9)
    assert asking.low_usd > plain.low_usd
    more_usd = asking.high_usd - plain.high_usd
    assert 0 < more_usd < 9 * Decimal("0.01")


@pytest.mark.parametrize(
    ("score", "keys", "expected"),
    [
        ({}, {"keep_statements": "all"}, "keeps statements, but no judge is asked about drafts"),
        (JUDGED | {"weights": {"technical": 1}}, {"keep_statements": "must"}, "no judge is asked"),
        (
            {"weights": {"judge": 1}, "judge": {"rubric": ["The light is good"]}},
            {"keep_statements": "must"},
            "keeps statements with must, and there are none",
        ),
        ({}, {"keep_text": True}, "keeps the text, but it is not read in drafts"),
    ],
)
def test_a_final_cannot_keep_what_nobody_asks_of_drafts(
    tmp_path: Path, score: dict[str, Any], keys: dict[str, Any], expected: str
) -> None:
    """It is said before anything is bought, with what would do."""
    changed = basis()
    changed["finals"] = changed["finals"] | keys
    if score:
        changed["score"] = score
        changed["score"]["judge"] = {"rubric": ["The light is good"]} | score.get("judge", {})
    found = faults(tmp_path, changed)
    assert any(expected in fault for fault in found), found
