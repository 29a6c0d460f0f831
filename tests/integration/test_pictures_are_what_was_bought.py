"""A picture whose file is gone or was replaced is not passed off as the one that was bought: it is named."""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flows.evaluation.finals import compare_finals
from flows.promotion.plan import promotion_plan
from flows.rescore import rescore
from flows.run_report import write_run_report
from flows.runs.run import StoredRun
from tasks.candidate import Inspection
from tasks.inspect import inspect_picture
from tasks.pictures.bought import CHANGED
from tasks.settings import Settings
from tests.support.builders import RUN_ID, an_order
from tests.support.fuzzing import bounded
from tests.support.page_reader import Page
from tests.support.review_home import CAMPAIGN, Open, change_campaign, receive, review_page
from tests.support.review_requests import ask, buy_tries, read

Damage = Callable[[Path], None]


def replaced(file: Path) -> None:
    """Put another sound picture of the same size in a file's place."""
    data = bytearray(file.read_bytes())
    other = next(one for one in sorted(file.parent.glob("p*.png")) if one.read_bytes() != bytes(data))
    shutil.copyfile(other, file)


def gone(file: Path) -> None:
    """Delete a file."""
    file.unlink()


LACKS: list[tuple[Damage, str]] = [(replaced, "is not what was bought"), (gone, "is missing")]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Open]:
    """A page whose two finalists have a final each, the first accepted."""
    with review_page(tmp_path) as opened:
        yield opened


def finals_of(page: Open) -> list[str]:
    """Buy two tries of the first finalist; the first is accepted."""
    return buy_tries(page, finalists_of(page)[0].candidate_id, (0.9, 0.8))


def finalists_of(page: Open) -> list[Any]:
    """List the finalists."""
    return [draft for draft in page.ledger.candidates.of_run(RUN_ID, "draft") if draft.is_finalist]


def stored(page: Open) -> StoredRun:
    """Find the run."""
    return StoredRun.find(Settings(page.home, os.environ), page.ledger, RUN_ID)


@pytest.mark.parametrize(("damage", "lack"), LACKS)
def test_it_is_neither_served_nor_zipped(page: Open, damage: Damage, lack: str) -> None:
    """The page says why; the archive's manifest lists it as left out, with its digest."""
    accepted, _ = finals_of(page)
    (final,) = [one for one in page.ledger.candidates.of_run(RUN_ID, "final") if one.candidate_id == accepted]
    whole = ask(page, f"/pictures/{accepted}")[1]
    damage(page.folder / final.file)
    answer, content = ask(page, f"/pictures/{accepted}")
    assert (answer.status, json.loads(content)["message"]) == (404, f"its file {lack}")
    tries = read(page, "/finals.json")["finalists"][0]["tries"]
    assert [one["trouble"] for one in tries] == [f"{final.file} {lack}.", None]
    with zipfile.ZipFile(io.BytesIO(ask(page, f"/runs/{RUN_ID}/accepted.zip")[1])) as archive:
        assert archive.namelist() == ["manifest.json"]
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["pictures"] == []
    assert manifest["left_out"] == [
        {"file": Path(final.file).name, "sha256": final.sha256, "why": f"its file {lack}"}
    ]
    (page.folder / final.file).write_bytes(whole)
    assert ask(page, f"/pictures/{accepted}")[1] == whole
    assert read(page, "/finals.json")["finalists"][0]["tries"][0]["trouble"] is None


@pytest.mark.parametrize(("damage", "lack"), LACKS)
def test_a_finalist_is_left_out_of_a_promotion_which_buys_the_others(
    page: Open, damage: Damage, lack: str
) -> None:
    """Neither priced nor bought: its final could not be compared with what was chosen."""
    settings = Settings(page.home, os.environ)
    other, draft = finalists_of(page)
    before = promotion_plan(settings, RUN_ID)
    damage(page.folder / draft.file)
    plan = promotion_plan(settings, RUN_ID)
    assert (before.n_finals, plan.n_finals, plan.n_used_up) == (2, 1, 0)
    assert plan.all_usd == before.all_usd / 2
    assert list(plan.of_finalist_usd) == [other.candidate_id]
    expected = f"its file {draft.file} {lack}, so a final of it could not be compared with it"
    assert "1 final is left out, and nothing is spent for it" in plan.sentence
    assert f"{draft.candidate_id}: {expected}" in plan.sentence
    damage(page.folder / other.file)
    neither = promotion_plan(settings, RUN_ID)
    assert not neither.has_work
    assert neither.sentence.startswith("There is nothing to buy now. 2 finals are left out")


def test_a_reference_that_is_gone_leaves_out_the_finals_that_send_it(page: Open) -> None:
    """Where all send it, nothing is left to buy, and the picture is named."""
    finals = CAMPAIGN["finals"] | {"references": ["/gone/logo.png"]}
    change_campaign(page.home, finals=finals)
    plan = promotion_plan(Settings(page.home, os.environ), RUN_ID)
    assert not plan.has_work
    assert plan.sentence.count("there is no file /gone/logo.png") == 2


@pytest.mark.parametrize(("damage", "lack"), LACKS)
def test_the_report_names_it_and_does_not_show_it(page: Open, damage: Damage, lack: str) -> None:
    """In the page, the summary and the command's output; without its thumbnail nothing is shown."""
    accepted, _ = finals_of(page)
    (final,) = [one for one in page.ledger.candidates.of_run(RUN_ID, "final") if one.candidate_id == accepted]
    assert write_run_report(stored(page)).gathered.lacking == ()
    damage(page.folder / final.file)
    said = f"1 picture {lack}: {final.file}. See: runoff ledger verify"
    written = write_run_report(stored(page))
    assert written.gathered.lacking == (said,)
    html = Page(written.files.html.read_text(encoding="utf-8"))
    assert said in html.text
    shown = [image for image in html.all("img") if str(image["alt"]).startswith(f"Final {final.name}")]
    assert all(image["src"] is None or final.name not in str(image["src"]) for image in shown)
    assert said in json.loads(written.files.summary.read_text(encoding="utf-8"))["warnings"]


def test_a_draft_that_nobody_chose_is_missed_too(page: Open) -> None:
    """By its size, without reading thousands of drafts for each report."""
    others = [draft for draft in page.drafts if not draft.is_finalist]
    (page.folder / others[0].file).write_bytes(b"cut off")
    (page.folder / others[1].file).unlink()
    assert write_run_report(stored(page)).gathered.lacking == (
        f"1 picture is missing: {others[1].file}. See: runoff ledger verify",
        f"1 picture is not what was bought: {others[0].file}. See: runoff ledger verify",
    )


@pytest.mark.parametrize(
    ("damage", "lack"), [LACKS[0], *(pytest.param(*one, marks=pytest.mark.slow) for one in LACKS[1:])]
)
def test_rescoring_names_it_and_keeps_its_scores(page: Open, damage: Damage, lack: str) -> None:
    """What was measured of the picture that was bought stays; the other one is not measured."""
    campaign = page.folder / "campaign.yaml"
    campaign.write_text(
        campaign.read_text() + "score: {weights: {palette: 1}, palette: {colors: ['#102030']}}\n"
    )
    rescore(Settings(page.home, os.environ), page.ledger, RUN_ID)
    before = {draft.candidate_id: draft for draft in page.ledger.candidates.of_run(RUN_ID, "draft")}
    draft = page.drafts[0]
    damage(page.folder / draft.file)
    outcome = rescore(Settings(page.home, os.environ), page.ledger, RUN_ID)
    assert outcome.message == f"1 picture {lack}: {draft.file}. See: runoff ledger verify"
    after = {one.candidate_id: one for one in page.ledger.candidates.of_run(RUN_ID, "draft")}
    assert before[draft.candidate_id].score is not None
    assert {name: (one.score, one.scores) for name, one in after.items()} == {
        name: (one.score, one.scores) for name, one in before.items()
    }


@pytest.mark.parametrize(("damage", "lack"), LACKS)
@pytest.mark.parametrize("which", ["draft", "final"])
def test_a_final_is_not_compared_with_something_else(
    page: Open, which: str, damage: Damage, lack: str
) -> None:
    """It is not accepted, and the reason is said; once the file is back, it is compared."""
    draft = finalists_of(page)[0]
    final = replace(an_order(prompt="final"), stage="final", draft_id=draft.candidate_id)
    shutil.copyfile(page.folder / draft.file, page.folder / "finals/p00.png")
    (name,) = receive(page.ledger, [final], "finals")
    page.ledger.candidates.record_inspections({name: Inspection(64, 40, "png")})
    file = page.folder / (draft.file if which == "draft" else "finals/p00.png")
    whole = file.read_bytes()
    if damage is replaced:
        shutil.copyfile(page.folder / "drafts/p05.png", file)
    else:
        damage(file)

    def found() -> Any:
        compare_finals(stored(page))
        (one,) = page.ledger.candidates.of_run(RUN_ID, "final")
        return one

    one = found()
    assert (one.is_accepted, one.fidelity) == (False, None)
    assert one.choice.reason == f"not compared: {file.relative_to(page.folder)} {lack}"
    file.write_bytes(whole)
    assert found().fidelity.value > 0.99


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files on this system")
@pytest.mark.parametrize("size", ["none", "a terabyte"])
def test_what_is_no_picture_at_all_is_not_read(page: Open, size: str) -> None:
    """A pipe in a picture's place is not waited for, and what no answer can have is not taken into memory."""
    draft = page.drafts[0]
    file = page.folder / draft.file
    file.unlink()
    if size == "none":
        os.mkfifo(file)
    else:
        with file.open("wb") as stream:
            stream.truncate(2**40)
    with bounded(memory_mb=200):
        assert inspect_picture(page.folder, draft.file, "thumbnails/x.webp").fault
        assert f"{file} {CHANGED}." in " ".join(page.ledger.verify(page.home))
        outcome = rescore(Settings(page.home, os.environ), page.ledger, RUN_ID)
        assert outcome.message == f"1 picture {CHANGED}: {draft.file}. See: runoff ledger verify"
    assert json.loads(ask(page, f"/pictures/{draft.candidate_id}")[1])["message"] == f"its file {CHANGED}"


def test_the_command_says_it(page: Open) -> None:
    """Before the paths of the report."""
    from flows.commands.read import report

    draft = page.drafts[0]
    gone(page.folder / draft.file)
    told = CliRunner().invoke(report, [RUN_ID, "--home", str(page.home)])
    assert told.exit_code == 0, told.output
    assert f"1 picture is missing: {draft.file}. See: runoff ledger verify" in told.output
    as_json = CliRunner().invoke(report, [RUN_ID, "--home", str(page.home), "--json"])
    assert len(json.loads(as_json.stdout)["lacking"]) == 1
