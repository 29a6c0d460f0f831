"""Models that are shut down while a run has something at its provider, or after it is finished."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.support.batch_bench import Clock
from tests.support.provider import OpenProvider, Provider
from tests.support.shell import CAMPAIGN, Shell

EVE, LAST_DAY = "2026-11-30", "2026-12-01"
GONE = {"model": "gpt-image-1-mini", "size": "1024x1024", "quality": "low"}
DRAFTS: dict[str, Any] = {"drafts": GONE | {"per_prompt": 1, "lane": "batch"}}
FINALS: dict[str, Any] = {"finals": CAMPAIGN["finals"] | {"model": "gpt-image-1-mini", "size": "1024x1024"}}

Out = Callable[..., tuple[Provider, str]]


@pytest.fixture
def out(shell: Shell, open_provider: OpenProvider) -> Out:
    """Let a run hand a batch over on the eve; on the day the provider has finished it."""

    def hand_over(**changes: Any) -> tuple[Provider, str]:
        clock = Clock()
        provider = open_provider(batch_pace_s=1.0, now_s=clock, today=lambda: date(2026, 11, 30))
        done = shell.runoff("run", shell.campaign(DRAFTS | changes), RUNOFF_TODAY=EVE)
        assert done.returncode == 0, done.stderr
        (run,) = shell.json("runs")
        assert (run["state"], run["orders"]) == ("waiting", {"sent": 4})
        clock.now_s += 3600
        return provider, run["run_id"]

    return hand_over


def check_money(shell: Shell, provider: Provider, run_id: str) -> None:
    """The ledger has what the provider billed."""
    with shell.ledger() as ledger:
        assert ledger.verify(shell.home) == []
        assert ledger.orders.charged_usd(run_id) * 10**9 == provider.charged_nanousd


@pytest.mark.slow
def test_a_batch_is_collected_though_its_model_was_shut_down(shell: Shell, out: Out) -> None:
    """All drafts were sent, so nothing of that model is left to buy: the run goes on to its finals."""
    provider, run_id = out()
    done = shell.runoff("run", "--resume", run_id, RUNOFF_TODAY=LAST_DAY)
    assert done.returncode == 0, done.stderr
    (run,) = shell.json("runs")
    assert (run["state"], run["orders"]) == ("done", {"received": 6})
    check_money(shell, provider, run_id)


@pytest.mark.slow  # every day: integration/test_more_of_a_gone_model.py
def test_a_judge_is_asked_again_and_more_is_bought_without_the_finals_model(
    shell: Shell, open_provider: OpenProvider
) -> None:
    """Neither buys finals; a run keeps its state, and its promotion alone asks for another model."""
    provider = open_provider(near_copy_rate=0.0, exact_copy_rate=0.0, paint="plain")
    judged = {"weights": {"technical": 1, "judge": 3}, "judge": {"rubric": ["The picture is sharp"]}}
    review = {"count": 2, "approval": "review"}
    campaign = shell.campaign(FINALS | {"score": judged, "finalists": review})
    assert shell.runoff("run", campaign, RUNOFF_TODAY=EVE).returncode == 0
    run_id = shell.json("runs")[0]["run_id"]
    for words in (("judge", run_id, "--ask-again", "3"), ("more", run_id, "A-000-000", "--n", "2")):
        done = shell.runoff(*words, "--yes", RUNOFF_TODAY=LAST_DAY)
        assert done.returncode == 0, done.stderr
    (run,) = shell.json("runs")
    assert (run["state"], run["pictures"]) == ("awaiting review", 14)
    check_money(shell, provider, run_id)
    refused = shell.runoff("promote", run_id, "--yes", RUNOFF_TODAY=LAST_DAY)
    assert refused.stderr.rstrip().endswith(f"promote {run_id} --set finals.model=gpt-image-2.6-flare")


@pytest.mark.slow
def test_a_batch_is_collected_where_the_run_cannot_go_on(shell: Shell, out: Out) -> None:
    """The error names another model for the finals alone; the drafts need none, and it is true."""
    provider, run_id = out(**FINALS)
    setting = ("--set", "finals.model=gpt-image-2.6-flare")
    refused = shell.runoff("run", "--resume", run_id, RUNOFF_TODAY=LAST_DAY)
    assert refused.returncode == 2
    assert refused.stderr.rstrip().endswith(" ".join(("runoff run --resume", run_id, *setting)))
    (run,) = shell.json("runs")
    assert (run["state"], run["orders"]) == ("stopped", {"received": 4})
    check_money(shell, provider, run_id)
    done = shell.runoff("run", "--resume", run_id, *setting, RUNOFF_TODAY=LAST_DAY)
    assert done.returncode == 0, done.stderr
    (run,) = shell.json("runs")
    assert (run["state"], run["orders"]) == ("done", {"received": 6})
    check_money(shell, provider, run_id)
    for words in (("run", "--resume", run_id), ("promote", run_id)):
        nothing = shell.runoff(*words, RUNOFF_TODAY="2027-12-01")
        assert nothing.returncode == 0, nothing.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", [("cancel",), ("cancel", "--for-good")])
def test_a_batch_is_cancelled_though_all_models_of_its_run_were_shut_down(
    shell: Shell, out: Out, words: tuple[str, ...]
) -> None:
    """Nothing is bought by it, so no model is needed."""
    provider, run_id = out(**FINALS)
    done = shell.runoff(*words, run_id, RUNOFF_TODAY=LAST_DAY)
    assert done.returncode == 0, done.stderr
    if "--for-good" in words:
        check_money(shell, provider, run_id)
