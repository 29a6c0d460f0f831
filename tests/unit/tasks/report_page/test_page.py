"""The report's page: what it says, that it escapes every text, and that it needs nothing but itself."""

import base64
import hashlib
import io
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks.report_page.facts import ArmFacts, RunFacts
from tasks.report_page.lineage import write_lineage
from tasks.report_page.measures import count_scores, group_troubles
from tasks.report_page.sources import EMBEDDED_PICTURES, Sources
from tasks.report_page.verdict import divide_verdict, state_verdict, summarize
from tests.support.page_reader import Page, page_text, read
from tests.support.report_rows import (
    RUN_ID,
    make_barren,
    make_copy,
    make_draft,
    make_facts,
    make_final,
    make_run,
    paint_files,
)

BARE = RunFacts(run_id=RUN_ID, campaign="sea-otter")


@pytest.mark.parametrize(
    ("large", "rest"),
    [
        ("Not enough evidence that arms A and B differ:", "B leads by 0.03 points; 3 more rows would do."),
        ("Arm B beats every other arm.", "A is better for kind places: B for none."),
        ("Arm A beats arm B by 0.12 points", "(95% interval 0.05 to 0.18), over 6 rows. Nearly all: vote."),
        ("No picture was made:", "all 4 requests were refused."),
        ("3 of 4 finalists were accepted at high quality.", ""),
        ("21 unique images, no finalist yet.", ""),
    ],
)
def test_a_verdict_is_large_up_to_its_figures(large: str, rest: str) -> None:
    """Three lines of a heading, not seven; a point within a number ends nothing."""
    assert divide_verdict(f"{large} {rest}".strip()) == (large, rest)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A page of a whole run, with its pictures."""
    folder = tmp_path_factory.mktemp("run")
    rows = make_run()
    paint_files(rows, folder)
    return read(rows, make_facts(), folder)


def test_verdict_comes_first(whole: Page) -> None:
    """The first heading is the verdict, and the title carries it."""
    assert (
        whole.text.index("Arm B wins") < whole.text.index("Drafts made") < whole.text.index("The finalists")
    )
    headings = [name for name, _ in whole.tags if name in ("h1", "h2", "h3", "h4")]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1


def test_page_needs_nothing_but_itself(whole: Page) -> None:
    """No style, script, font or picture comes from elsewhere."""
    assert all("src" not in attributes for attributes in whole.all("script"))
    assert all((attributes["href"] or "").startswith("data:") for attributes in whole.all("link"))
    assert all((attributes["src"] or "").startswith("data:image/") for attributes in whole.all("img"))
    style = (Path(__file__).parents[4] / "tasks/report_page/page.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_every_picture_has_words(whole: Page) -> None:
    """Each picture has an alt text with its prompt, and each drawing a title and a description."""
    assert all("A baby sea otter" in (attributes["alt"] or "") for attributes in whole.all("img"))
    drawings = list(whole.all("svg"))
    ids = {attributes.get("id") for _, attributes in whole.tags}
    assert drawings
    assert all(set((attributes["aria-labelledby"] or "").split()) <= ids for attributes in drawings)


def test_ids_are_unique(whole: Page) -> None:
    """Labels and links find one target."""
    ids = [attributes["id"] for _, attributes in whole.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_duplicates_are_collapsed_under_their_representative(whole: Page) -> None:
    """All unique images are in the gallery and all duplicates under one of them."""
    folds = [a for a in whole.all("details") if a.get("class") == "duplicates"]
    tiles = [a for a in whole.all("li") if (a.get("class") or "").startswith("tile")]
    rows = [row for row in make_run() if row["stage"] == "draft" and row["candidate_id"]]
    assert len(tiles) == sum(row["status"] == "survivor" for row in rows)
    assert len(folds) == sum(row["status"] == "duplicate" for row in rows) == 6
    assert "+1 duplicate" in whole.text


def test_copy_of_an_earlier_run_stays_visible(tmp_path: Path) -> None:
    """A copy whose original is not of this run is shown and says so."""
    row = make_draft("A", 0, 0) | {
        "status": "duplicate",
        "duplicate_of": "c-earlier",
        "duplicate_kind": "near",
    }
    assert "A duplicate of an earlier run's picture, c-earlier." in read([row], BARE, tmp_path).text


SCRIPT = "<script>alert(1)</script>"
EVIL_FACTS = make_facts(
    campaign=SCRIPT, finalists=SCRIPT, warnings=[SCRIPT], campaign_yaml=SCRIPT, provider=SCRIPT,
    models={SCRIPT: SCRIPT}, versions={SCRIPT: SCRIPT}, counts_by_state={SCRIPT: 1},
    arms={SCRIPT: ArmFacts(prompt=SCRIPT, parameters={SCRIPT: SCRIPT})},
    ab_test={"headline": SCRIPT, "pairs": [{"arms": (SCRIPT, SCRIPT), "verdict": SCRIPT}], "arms": {}},
)  # fmt: skip


def test_every_text_is_escaped(tmp_path: Path) -> None:
    """Prompts, errors, reasons, names and the campaign file cannot bring a tag in."""
    evil = {
        "prompt": SCRIPT, "selection_reason": SCRIPT, "score_reason": SCRIPT, "downgraded": SCRIPT,
        "chosen_by": SCRIPT, "finalist": True, "file": SCRIPT, "quality": SCRIPT, "size": SCRIPT,
    }  # fmt: skip
    draft = make_draft(SCRIPT, 0, 0, **evil)
    refusal = make_barren(SCRIPT, 0, 1, "refused", SCRIPT, SCRIPT) | {"prompt": SCRIPT}
    rows = [draft, refusal, make_copy(make_draft(SCRIPT, 0, 2, **evil), draft, 0), make_final(draft, 0, 0.9)]
    text = page_text(rows, EVIL_FACTS, tmp_path)
    assert text.count("<script") == 1
    assert "&lt;script&gt;alert(1)" in text
    assert '"><script' not in text


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_prompt_brings_a_tag_in(prompt: str) -> None:
    """Whatever the prompt, the page has the tags it has for a plain one."""
    page, plain = (
        Page(page_text([make_draft("A", 0, 0, prompt=text)], BARE, Path("/nowhere")))
        for text in (prompt, "an otter")
    )
    assert [name for name, _ in page.tags] == [name for name, _ in plain.tags]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "thumbnails/../../secret.png"])
def test_page_reads_no_file_outside_the_run(tmp_path: Path, name: str) -> None:
    """A row that names a file elsewhere gets no picture."""
    (tmp_path / "secret.png").write_bytes(b"secret")
    folder = tmp_path / "run"
    (folder / "thumbnails").mkdir(parents=True)
    sources = Sources(folder, is_embedded=True)
    assert sources.thumbnail(name) is None
    assert sources.large(make_draft("A", 0, 0, file=name, thumbnail=name)) is None


def test_large_run_links_its_thumbnails(tmp_path: Path) -> None:
    """Beyond 400 pictures the page refers to the folder, and holds as mere text what is not in view."""
    rows = [make_draft("A", 0, number) for number in range(EMBEDDED_PICTURES + 1)]
    paint_files(rows, tmp_path, px=8)
    text = page_text(rows, BARE, tmp_path)
    held = re.findall(r'<script type="text/html">(.*?)</script>', text, re.DOTALL)
    later = [str(picture["src"]) for part in held for picture in Page(part).all("img")]
    assert sorted(later) == sorted(row["thumbnail"] for row in rows)
    assert len(list(Page(text).all("img"))) < 10


def test_text_of_a_large_run_cannot_leave_its_place(tmp_path: Path) -> None:
    """What waits as text to become a band has no way out of it: a prompt ends no script."""
    evil = "</script><script>alert(1)</script>"
    rows = [make_draft("A", 0, number, prompt=evil) for number in range(EMBEDDED_PICTURES + 1)]
    paint_files(rows, tmp_path, px=8)
    page = Page(page_text(rows, BARE, tmp_path))
    assert not page.open
    assert [script.get("type") for script in page.all("script")] == ["text/html", None]


def test_missing_picture_is_said(tmp_path: Path) -> None:
    """A picture that is no longer on disk leaves a note in its place."""
    assert "No picture on disk" in read([make_draft("A", 0, 0)], BARE, tmp_path).text


def test_broken_picture_does_not_break_the_page(tmp_path: Path) -> None:
    """A finalist whose file is no picture is shown by its thumbnail or not at all."""
    row = make_draft("A", 0, 0, finalist=True)
    (tmp_path / "drafts").mkdir()
    (tmp_path / row["file"]).write_bytes(b"<html>not a picture</html>")
    assert "The finalists" in read([row], BARE, tmp_path).text


REFUSALS = [make_barren("A", 0, n, "refused", "moderation_blocked", "Rejected.") for n in range(4)]
MIXED = [*REFUSALS[:2], make_barren("B", 0, 0, "failed", "server_error", "Broken.")]


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([], "Nothing was bought, so there is nothing to show."),
        (REFUSALS, "No picture was made: all 4 requests were refused."),
        (REFUSALS[:1], "No picture was made: the only request was refused."),
        (MIXED, "No picture was made: of 3 requests, 2 refused, 1 failed."),
        (make_run(arms=("A",), finalists=0), "21 unique images, no finalist yet."),
        ([make_draft("A", 0, 0, status=None)], "1 picture, not compared yet."),
        (make_run(arms=("A",)), "3 of 4 finalists were accepted at high quality."),
        (make_run(arms=("A",), finalists=1), "1 of 1 finalist was accepted at high quality."),
        ([make_draft("A", 0, 0, finalist=True)], "1 unique image, 1 finalist."),
    ],
)
def test_verdict_of_unusual_runs(rows: list[dict[str, Any]], verdict: str, tmp_path: Path) -> None:
    """Runs without pictures, arms to compare or finals get a sentence and a whole page."""
    assert state_verdict(rows, BARE) == verdict
    assert verdict in read(rows, BARE, tmp_path).text


def test_nothing_unknown_is_shown_as_0(tmp_path: Path) -> None:
    """Without scores, costs and facts the page has dashes, not zeros."""
    row = make_draft("A", 0, 0, score=None, score_technical=None, cost_usd=None, status=None)
    text = read([row], BARE, tmp_path).text
    assert "Mean score –" in text
    assert "Cost per unique image –" in text
    assert "no score" in text
    assert "All at high quality" not in text


def test_summary_says_what_is_awaited() -> None:
    """A run that waits for a person says so."""
    assert summarize(make_run(), make_facts(awaiting="awaiting review")).endswith("finalists await review.")


def test_troubles_are_grouped_by_code() -> None:
    """One group for each code, the most frequent first, with one example."""
    troubles = group_troubles(
        [*MIXED, make_draft("B", 0, 1, downgraded="size: asked 1024x1024, got 512x512")]
    )
    assert [(t.state, t.code, t.orders) for t in troubles] == [
        ("refused", "moderation_blocked", 2),
        ("downgraded", "size: asked 1024x1024, got 512x512", 1),
        ("failed", "server_error", 1),
    ]
    assert troubles[0].example == "Rejected."


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from("ABC"), st.lists(st.integers(0, 1000), max_size=30), max_size=3),
)
def test_histogram_counts_every_score_once(thousandths: dict[str, list[int]]) -> None:
    """Each arm's bars add up to its scores, on one axis inside [0, 1] that holds them all."""
    histograms = count_scores(
        {arm: [value / 1000 for value in values] for arm, values in thousandths.items()}
    )
    assert [h.arm for h in histograms] == [arm for arm, values in thousandths.items() if values]
    for h in histograms:
        values = thousandths[h.arm]
        assert sum(h.counts) == len(values)
        assert 0 <= h.low <= min(values) <= max(values) <= h.high <= 1000
        assert h.high - h.low >= 400
        assert max(h.counts) <= h.highest
        for index, count in enumerate(h.counts[:-1]):
            assert count == sum(h.low + 20 * index <= value < h.low + 20 * index + 20 for value in values)


def _luminance(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_keep_the_contrast_of_wcag_aa() -> None:
    """Text on its ground has a contrast of 4.5 or more, light and dark.

    Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio, checked 2026-11-22.
    """
    style = (Path(__file__).parents[4] / "tasks/report_page/page.css").read_text(encoding="utf-8")
    light, dark = (
        {name: "#" + "".join(c * (2 if len(value) == 3 else 1) for c in value) for name, value in found}
        for found in (
            re.findall(r"--([\w-]+): #([0-9a-f]{3,6});", block)
            for block in re.findall(r":root \{([^}]*)\}", style)[:2]
        )
    )
    pairs = [(text, ground) for text in ("ink", "muted", "link") for ground in ("ground", "raised")]
    pairs += [
        ("good", "good-ground"),
        ("bad", "bad-ground"),
        ("bad", "ground"),
        *((f"c{n}", "ground") for n in range(6)),
    ]
    for colours in (light, dark):
        for text, ground in pairs:
            bright, dim = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (text, ground)


def test_only_what_is_see_through_lies_on_a_chequerboard(tmp_path: Path) -> None:
    """An opaque picture, and one that nobody measured, have none; the large cut-out keeps its alpha."""
    cut_out = make_draft("A", 0, 0, alpha_share=0.6, finalist=True, rank=1)
    rows = [cut_out, make_draft("A", 0, 1, alpha_share=0.0), make_draft("A", 0, 2)]
    paint_files(rows, tmp_path)
    picture = Image.new("RGBA", (96, 96), (255, 0, 0, 0))
    picture.paste("#0000ff", (48, 0, 96, 96))
    picture.save(tmp_path / cut_out["file"])
    cut_out["sha256"] = hashlib.sha256((tmp_path / cut_out["file"]).read_bytes()).hexdigest()
    page = read(rows, BARE, tmp_path)
    shown = {str(image["alt"])[:15] for image in page.all("img") if image.get("class") == "transparent"}
    assert shown == {"Draft A-000-000"}
    clear = [str(image["src"]) for image in page.all("img") if image.get("class") == "transparent"]
    decoded = [Image.open(io.BytesIO(base64.b64decode(src.partition(",")[2]))) for src in clear]
    assert [seen.getchannel("A").getextrema() for seen in decoded if seen.mode == "RGBA"] == [(0, 255)]
    assert "transparent 60%" in page.text


def test_a_final_links_to_its_lineage_where_there_is_one(tmp_path: Path) -> None:
    """Every link to a final's facts leads to a file; without files there are no such links."""
    rows = make_run()
    bare = [str(link["href"]) for link in read(rows, BARE, tmp_path).all("a")]
    assert not [href for href in bare if href.endswith(".json")]
    written = write_lineage(rows, tmp_path)
    links = {str(link["href"]) for link in read(rows, BARE, tmp_path).all("a")}
    assert {tmp_path / href for href in links if href.endswith(".json")} == set(written)


def test_signed_pictures_say_by_whom(tmp_path: Path) -> None:
    """The state of the credentials and their issuer stand beside a draft and beside its final."""
    draft = make_draft("A", 0, 0, finalist=True, c2pa_issuer="Otter Pictures Ltd", c2pa_state="valid")
    final = make_final(draft, 0, 0.9, c2pa_state="invalid")
    text = read([draft, final], BARE, tmp_path).text
    assert "valid, Otter Pictures Ltd" in text
    assert "credentials invalid" in text
    assert "credentials" not in read([make_draft("A", 0, 0)], BARE, tmp_path).text


def test_the_better_arm_is_told_first(tmp_path: Path) -> None:
    """Whichever arm the test names first, the sentence begins with the leader, interval turned too."""
    text = read(make_run(), make_facts(), tmp_path).text
    assert "On average B scores 0.09 higher than A (95% interval 0.05 to 0.14)." in text
    assert "A random picture of B beats one of A 76% of the time." in text
    tie = make_facts(ab_test={"headline": "Tie.", "pairs": [{"arms": ("A", "B"), "difference": None}]})
    assert "On average" not in read(make_run(), tie, tmp_path).text


def test_sentences_begin_and_end_as_sentences_do(tmp_path: Path) -> None:
    """A reason gets its capital and its full stop; a model's name keeps its own spelling."""
    draft = make_draft("A", 0, 0, finalist=True, selection_reason="chosen: rank 1, best of arm A")
    facts = make_facts(warnings=["gpt-image-2.6-sunburst at high: estimate within ±5%", "drafts: few"])
    text = read([draft], facts, tmp_path).text
    assert "Chosen: rank 1, best of arm A." in text
    assert "gpt-image-2.6-sunburst at high: estimate within ±5%." in text
    assert "Drafts: few." in text


def test_every_edition_of_a_final_is_shown(tmp_path: Path) -> None:
    """One beside the draft, the others below it; and how many of them were accepted."""
    rows = make_run(arms=("A",))
    final = next(row for row in rows if row["stage"] == "final" and row["accepted"])
    final["edition"] = "shop"
    rows.append(
        final
        | {
            "edition": "banner", "size": "2304x768", "candidate_id": "c-banner", "order_id": "o-banner",
            "accepted": False, "file": "finals/banner.png", "thumbnail": None,
        }
    )  # fmt: skip
    text = " ".join(read(rows, make_facts(), tmp_path).text.split())
    assert "Final shop high" in text
    assert "Final banner high 2304x768" in text
    assert "1 of 2 accepted" in text


def test_a_prompt_is_written_in_its_own_direction() -> None:
    """Arabic and Hebrew from right to left, beside arms that are Latin."""
    prompt = "كوب أبيض"
    page = page_text([make_draft("A", 0, 0, prompt=prompt)], BARE, Path("/nowhere"))
    assert f'<span dir="auto">{prompt}</span>' in page
