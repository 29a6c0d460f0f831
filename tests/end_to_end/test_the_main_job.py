"""The main job at a shell: run, resume, review, promote, and what the provider's bill says of it."""

import json
import re
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tasks.money import to_nanousd
from tests.support.child_process import end_by, read_line, started, wait_until
from tests.support.provider import KEY, OpenProvider, Provider
from tests.support.shell import COMMAND, Shell

ROOT = Path(__file__).parents[2]


@pytest.mark.long  # every day: a smaller campaign in this process, held against the bill, in the test below
def test_the_vendors_example_runs_over_http_and_the_ledger_equals_the_bill(shell: Shell) -> None:
    """An emulator in its own process, the shipped campaign, the whole job, the same money on both sides."""
    with own_emulator() as provider:
        shell.environ |= {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": KEY}
        shell.environ["RUNOFF_IMAGES_PER_MINUTE"] = "1000"
        done = shell.runoff_process("run", ROOT / "configs/campaigns/otter.yaml")
        assert done.returncode == 0, done.stderr + done.stdout
        (run,) = shell.json("runs")
        assert run["state"] == "done"
        assert to_nanousd(Decimal(run["spent_usd"])) == provider.charged_nanousd
        assert Decimal(run["unknown_usd"]) == 0
    assert shell.runoff("ledger", "verify").returncode == 0


@contextmanager
def own_emulator() -> Iterator[Provider]:
    """Serve `runoff emulator` in a process of its own."""
    words = [COMMAND, "emulator", "--port", "0"]
    with started(words, stdout=subprocess.PIPE) as emulator:
        said = "".join(read_line(emulator) for _ in range(6))
        yield Provider(re.findall(r"OPENAI_BASE_URL=(\S+)", said)[0])


def test_a_run_leaves_what_the_design_promises_and_a_second_one_buys_nothing(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Untouched bytes, table, page, sheet and summary, a row an order; again: nothing new, the same."""
    provider = open_provider()
    finals = {"model": "gpt-image-2.5-sunburst", "quality": "medium", "size": "1024x640", "align": True}
    outcome = shell.json("run", shell.campaign({"finals": finals | {"attempts": 1, "min_fidelity": 0}}))
    folder = shell.folder(outcome["run_id"])
    frame = pd.read_parquet(folder / "report.parquet")
    assert len(frame) == provider.n_requests == 14
    assert set(frame["state"]) == {"received"}
    assert frame["cost_usd"].sum() == pytest.approx(provider.charged_nanousd / 1e9)
    for name in ("campaign.yaml", "report.csv", "report.html", "contact_sheet.png", "summary.json"):
        assert (folder / name).stat().st_size > 0
    for row in frame.to_dict("records"):
        assert (folder / row["file"]).stat().st_size == row["bytes"]
        with Image.open(folder / row["file"]) as picture:
            assert f"{picture.width}x{picture.height}" == row["size"]
    assert json.loads((folder / "summary.json").read_text())["counts"]["finals_accepted"] == 2
    names = set(frame[frame["stage"] == "final"]["file"].str.removeprefix("finals/"))
    stems = {Path(name).stem for name in names}
    assert {path.name for path in (folder / "finals").iterdir()} == names | {f"{stem}.json" for stem in stems}
    assert {path.name for path in (folder / "aligned").iterdir()} == {f"{stem}.png" for stem in stems}

    before, table = provider.n_requests, (folder / "report.csv").read_text()
    (folder / "campaign.yaml").touch()  # who edits it may want other finalists: all is decided again
    assert "nothing left to send" in shell.runoff("run", "--resume", outcome["run_id"]).stdout
    again = shell.runoff("run", "--resume", "latest", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert again.returncode == 0, "no server of Prefect is needed"
    assert "Nothing is left to send or to decide" in again.stdout
    assert shell.runoff("promote", "latest", "--yes").returncode == 0
    assert provider.n_requests == before
    assert (folder / "report.csv").read_text() == table


def test_a_campaign_under_review_waits_and_is_promoted_later(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """The run ends as `awaiting review` with no final; promotion names the price and buys them once."""
    provider = open_provider()
    finalists = {"count": 2, "approval": "review"}
    outcome = shell.json("run", shell.campaign({"finalists": finalists}))
    assert (outcome["state"], outcome["exit_code"], provider.n_requests) == ("awaiting review", 0, 12)
    drafts = {path: path.read_bytes() for path in (shell.folder(outcome["run_id"]) / "drafts").iterdir()}
    done = shell.runoff("promote", outcome["run_id"], "--yes")
    assert done.returncode == 0, done.stderr
    assert "2 finals with gpt-image-2.5-sunburst at medium: at most $" in done.stdout
    assert provider.n_requests == 14
    assert all(path.read_bytes() == data for path, data in drafts.items())
    again = shell.runoff("promote", "latest", "--yes")
    assert "there is nothing to buy" in again.stdout
    assert shell.json("run", "--resume", "latest")["state"] == "done", "nobody has anything left to decide"
    assert provider.n_requests == 14


@pytest.mark.slow  # every day: unit/tasks/test_compare.py and test_accept.py
def test_a_final_that_is_another_picture_is_refused_with_its_figures(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Every edit drifts, both tries are bought, none is accepted, and the figures say why."""
    provider = open_provider(edit_drift_rate=1.0, paint="scene")
    finals = {
        "model": "gpt-image-2.5-sunburst", "quality": "medium", "size": "1024x640",
        "attempts": 2, "min_fidelity": 0.75,
    }  # fmt: skip
    changes = {"finals": finals, "finalists": {"count": 1, "approval": "auto"}}
    outcome = shell.json("run", shell.campaign(changes))
    assert (outcome["finals"], outcome["accepted"]) == (2, 0)
    assert provider.n_requests == 14
    frame = pd.read_parquet(shell.folder(outcome["run_id"]) / "report.parquet")
    tries = frame[frame["stage"] == "final"]
    assert tries["fidelity"].lt(0.75).all()
    assert tries["accepted"].eq(other=False).all()
    again = shell.runoff("promote", outcome["run_id"], "--yes")
    assert "there is nothing to buy. 1 final used all attempts." in again.stdout


@pytest.mark.slow  # every day: unit/tasks/test_deduplicate.py
def test_near_copies_among_drafts_are_marked_as_duplicates(shell: Shell, open_provider: OpenProvider) -> None:
    """With many near-copies most are folded, and a folded one is never a finalist."""
    open_provider(near_copy_rate=0.9, paint="scene")
    outcome = shell.json("run", shell.campaign())
    frame = pd.read_parquet(shell.folder(outcome["run_id"]) / "report.parquet")
    copies = frame[frame["status"] == "duplicate"]
    assert len(copies) == outcome["duplicates"] >= 4
    assert copies["duplicate_of"].isin(frame[frame["status"] == "survivor"]["candidate_id"]).all()
    assert not copies["finalist"].any()


@pytest.mark.slow  # every day: integration/test_images_api.py
def test_answers_that_are_no_pictures_are_recorded_and_the_run_goes_on(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Text for a picture, a page, nothing, half a file, a bomb: each on its order, exit 4, the rest done."""
    kinds = ("no_picture", "html_200", "empty_data", "truncated_png", "bomb")
    provider = open_provider(*({"kind": kind, "nth": [1], "path": "generations"} for kind in kinds))
    done = shell.runoff("run", shell.campaign(), "--json")
    outcome = json.loads(done.stdout)
    assert done.returncode == outcome["exit_code"] == 4
    assert provider.n_requests == 14
    assert outcome["orders"] == {"received": 12, "unknown": 2}
    frame = pd.read_parquet(shell.folder(outcome["run_id"]) / "report.parquet")
    assert set(frame[frame["state"] == "unknown"]["error_code"]) == {"web_page", "empty_data"}
    unfit = frame[frame["status"] == "unfit"]
    assert len(unfit) == 3
    assert unfit["downgraded"].notna().all()
    assert unfit["score"].isna().all()
    assert len(outcome["finalists"]) == outcome["accepted"] == 2


@pytest.mark.slow  # every day: integration/test_failure_taxonomy.py
def test_refused_prompts_are_reported_and_cost_nothing(shell: Shell, open_provider: OpenProvider) -> None:
    """Moderation refuses one row of one arm: its orders stand in the report, the run ends with 4."""
    provider = open_provider({"kind": "moderation", "prompt": "asleep.*photograph"})
    done = shell.runoff("run", shell.campaign(), "--json")
    outcome = json.loads(done.stdout)
    assert done.returncode == 4
    assert outcome["orders"] == {"received": 11, "refused": 3}
    assert to_nanousd(Decimal(outcome["spent_usd"])) == provider.charged_nanousd
    frame = pd.read_csv(shell.folder(outcome["run_id"]) / "report.csv")
    assert (frame["error_code"] == "moderation_blocked").sum() == 3


def test_when_the_money_ends_the_run_reports_what_it_has(shell: Shell, open_provider: OpenProvider) -> None:
    """The budget is never passed, the exit code is 3, and raising it lets the same run go on."""
    provider = open_provider({"kind": "missing_usage"})  # every order stays charged at its high estimate
    plan = shell.json("plan", shell.campaign())
    per_run_usd = str(Decimal(plan["drafts_high_usd"]) * Decimal("0.95"))
    budget = {"budget": {"per_run_usd": per_run_usd}, "finalists": {"count": 0}}
    done = shell.runoff("run", shell.campaign(budget), "--json")
    outcome = json.loads(done.stdout)
    assert done.returncode == 3
    assert outcome["state"] == "stopped"
    assert outcome["orders"] == {"received": 11, "planned": 1}
    assert Decimal(outcome["spent_usd"]) <= Decimal(per_run_usd)
    folder = shell.folder(outcome["run_id"])
    assert (folder / "report.html").exists()
    as_run = folder / "campaign.yaml"
    as_run.write_text(as_run.read_text().replace(per_run_usd, "9"))
    assert shell.runoff("run", "--resume", outcome["run_id"]).returncode == 0
    assert provider.n_requests == 12


def test_a_key_that_is_refused_stops_the_run_with_one_sentence(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Nothing was bought, the exit code is 1, no key is shown, no traceback."""
    provider = open_provider({"kind": "invalid_key"})
    done = shell.runoff("run", shell.campaign())
    assert done.returncode == 1
    assert "rejects the key" in done.stderr
    assert "Set a valid key, then look again" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert KEY not in done.stderr + done.stdout
    assert provider.charged_nanousd == 0


@pytest.mark.long  # among the slow tests: Ctrl-C in test_every_way_to_stop.py
def test_ctrl_c_lets_what_is_under_way_come_in(shell: Shell, open_provider: OpenProvider) -> None:
    """Interrupted in the middle: exit 130, a ledger that is right, and a resume that buys only the rest."""
    provider = open_provider(pace=0.03)
    campaign = shell.campaign()
    words = [COMMAND, "run", str(campaign)]
    with started(words, env=shell.environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        wait_until(lambda: provider.n_requests >= 2)
        _, said = end_by(run, signal.SIGINT)
    assert run.returncode == 130, said
    (stopped,) = shell.json("runs")
    assert stopped["state"] == "stopped"
    assert set(stopped["orders"]) == {"received", "planned"}
    assert shell.runoff("ledger", "verify").returncode == 0
    assert shell.runoff("run", "--resume", "latest").returncode == 0
    assert provider.n_requests == 14


def test_a_killed_run_is_resumed_and_buys_nothing_twice(shell: Shell, open_provider: OpenProvider) -> None:
    """SIGKILL in the middle: what came in stays, what was under way is unknown, the rest is bought once."""
    provider = open_provider(pace=0.05)
    campaign = shell.campaign()
    with started([COMMAND, "run", str(campaign)], env=shell.environ, stdin=subprocess.DEVNULL) as run:
        wait_until(lambda: provider.bill()["total"]["charged_requests"] >= 4, every_s=0.02)
        run.kill()
    done = shell.runoff("run", "--resume", "latest", "--json")
    outcome = json.loads(done.stdout)
    names = [entry["client_request_id"] for entry in provider.orders()]
    assert len(names) == len(set(names))
    assert outcome["orders"].get("unknown", 0) <= 8
    assert outcome["exit_code"] == (4 if "unknown" in outcome["orders"] else 0)
    if n_lost := outcome["orders"].get("unknown", 0):
        assert f"{n_lost} request" in done.stderr
        assert "in flight when the run's last process ended, and may have been billed" in done.stderr
    assert shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow  # every day: the test below
def test_a_promotion_killed_in_its_last_attempts_is_ended_by_the_next(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """What was in flight is unknown and charged, the run ends with its report, nothing is sent again."""
    provider = open_provider(pace=0.05)
    finalists = {"count": 2, "approval": "review"}
    run_id = shell.json("run", shell.campaign({"finalists": finalists}))["run_id"]
    words = [COMMAND, "promote", run_id, "--yes"]
    with started(words, env=shell.environ, stdin=subprocess.DEVNULL) as promotion:
        wait_until(lambda: provider.n_requests == 14, every_s=0.02)
        promotion.kill()
    (killed,) = shell.json("runs")
    assert killed["orders"] == {"received": 12, "sent": 2}

    done = shell.runoff("promote", run_id, "--yes")
    assert "An earlier promotion did not end" in done.stdout
    (run,) = shell.json("runs")
    assert (run["state"], run["orders"]) == ("done", {"received": 12, "unknown": 2})
    assert provider.n_requests == 14
    assert (shell.folder(run_id) / "report.html").exists()
    assert "there is nothing to buy" in shell.runoff("promote", run_id, "--yes").stdout
    assert shell.runoff("ledger", "verify").returncode == 0


@pytest.mark.slow
def test_what_was_bought_before_a_kill_is_inspected_and_accepted(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Finals whose pictures and sidecars are on disk, unknown to the ledger: none is bought again."""
    provider = open_provider()
    run_id = shell.json("run", shell.campaign())["run_id"]
    with closing(sqlite3.connect(shell.home / "ledger.db")) as ledger, ledger:
        final = "SELECT order_id FROM orders WHERE stage = 'final'"
        ledger.execute(f"DELETE FROM candidates WHERE order_id IN ({final})")
        ledger.execute("UPDATE orders SET state = 'sent' WHERE stage = 'final'")
        ledger.execute("UPDATE runs SET state = 'running'")
    outcome = shell.json("promote", run_id, "--yes")
    assert (outcome["state"], outcome["accepted"]) == ("done", 2)
    assert provider.n_requests == 14


@pytest.mark.slow  # every day: integration/test_promotion_without_finalists.py
def test_a_promotion_before_the_drafts_are_done_says_so(shell: Shell, open_provider: OpenProvider) -> None:
    """Nothing is bought, and nothing is called bought that is not."""
    provider = open_provider(pace=0.1)
    with started([COMMAND, "run", str(shell.campaign())], env=shell.environ, stdin=subprocess.DEVNULL) as run:
        wait_until(lambda: provider.bill()["total"]["charged_requests"] >= 1, every_s=0.02)
        early = shell.runoff("promote", "latest", "--yes")
        run.kill()
    assert "drafts are still being bought" in early.stdout
    assert early.returncode == 0
