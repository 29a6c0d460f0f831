"""A run's batches at real Dask workers: bought from one ledger, stopped when told, refused elsewhere."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.evaluation.scores import add_free_scores
from flows.session.prepare import prepare
from flows.session.session import Session, open_session
from flows.workers.dask_pool import DaskPool
from flows.workers.worker import Bought
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings
from tasks.errors import EngineError, InterruptError, SettingError
from tasks.settings import Settings
from tests.support.dask_setup import DaskSetup, dask_setup, n_done_by_worker, opencv_threads
from tests.support.provider import KEY
from tests.support.shell import CAMPAIGN

RUN_ID = "20261122-120000-abcd"
N_DRAFTS = 24
LATENCY_S = 0.2
Work = Callable[[Session, DaskPool], Awaitable[Any]]


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    """An emulator that takes a moment for each answer."""
    with emulator_server(EmulatorSettings(paint="plain", pace=1, latency_s={"low": LATENCY_S})) as url:
        yield url


@pytest.fixture(scope="module")
def dask(provider_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskSetup]:
    """A scheduler and two workers with a key of their own."""
    environ = {"OPENAI_BASE_URL": provider_url, "OPENAI_API_KEY": KEY}
    with dask_setup(tmp_path_factory.mktemp("dask"), environ, "one", "two") as team:
        yield team


@pytest.fixture
def make(
    request: pytest.FixtureRequest, provider_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Work], Any]:
    """Open a run of 24 drafts for work with the team."""
    for name, value in {"OPENAI_BASE_URL": provider_url, "OPENAI_API_KEY": KEY}.items():
        monkeypatch.setenv(name, value)
    if "dask" in request.fixturenames:
        monkeypatch.setenv("RUNOFF_DASK", request.getfixturevalue("dask").address)
    monkeypatch.setenv("RUNOFF_IMAGES_PER_MINUTE", "100000")
    file = tmp_path / "otters.yaml"
    file.write_text(yaml.safe_dump(CAMPAIGN | {"drafts": CAMPAIGN["drafts"] | {"per_prompt": N_DRAFTS // 4}}))

    async def work_on(work: Work) -> Any:
        async with open_session(prepare(file, Settings(tmp_path / "home", os.environ), RUN_ID)) as run:
            assert run.pool is not None
            return await work(run, run.pool)

    return lambda work: asyncio.run(work_on(work))


async def buy_all(run: Session, team: DaskPool) -> list[Bought]:
    """Have all drafts bought in batches of four, side by side."""
    orders = run.planned("draft")
    return await asyncio.gather(*(team.buy(orders[start : start + 4]) for start in range(0, N_DRAFTS, 4)))


def states_of(run: Session) -> Counter[str]:
    """Count the run's orders by state."""
    return Counter(record.state for record in run.ledger.orders.of_run(RUN_ID))


@pytest.mark.slow  # every day: the same steps in one process
def test_two_workers_buy_look_and_score_for_one_run(make: Callable[[Work], Any], dask: DaskSetup) -> None:
    """The ledger knows all; what comes back are ids and counts; asked again, nothing is bought again."""

    async def work(run: Session, team: DaskPool) -> None:
        before = n_done(await asyncio.to_thread(n_done_by_worker, dask))
        bought = await buy_all(run, team)
        assert states_of(run) == {"received": N_DRAFTS}
        ends = {end.order_id: end for batch in bought for end in batch.ends}
        assert ends.keys() == {record.order.order_id for record in run.ledger.orders.of_run(RUN_ID)}
        charged_usd = run.ledger.orders.charged_usd(RUN_ID)
        assert sum(end.charged_usd for end in ends.values()) == charged_usd
        assert run.ledger.candidates.uninspected(RUN_ID) == []
        assert [batch.ends for batch in await again(run, team)] == [()]
        score = partial(team.evaluate, add_free_scores)
        names = [draft.candidate_id for draft in run.ledger.candidates.of_run(RUN_ID, "draft")]
        assert sum(await asyncio.gather(*map(score, (names[:9], names[9:])))) == N_DRAFTS
        drafts = run.ledger.candidates.of_run(RUN_ID, "draft")
        assert all(draft.scores["technical"].value is not None for draft in drafts)
        after = n_done(await asyncio.to_thread(n_done_by_worker, dask))
        assert all(now > then for then, now in zip(before, after, strict=True))
        assert await asyncio.to_thread(opencv_threads, dask) == [1, 1]  # as in the command's process

    make(work)


def n_done(by_worker: dict[str, int]) -> list[int]:
    """List what each worker has done, always in the same sequence."""
    return [n for _, n in sorted(by_worker.items())]


async def again(run: Session, team: DaskPool) -> list[Bought]:
    """Hand out all orders once more, as after a worker's death."""
    return [await team.buy([record.order for record in run.ledger.orders.of_run(RUN_ID)])]


@pytest.mark.slow  # every day: the same in one process, in end_to_end/test_stops_from_outside.py
@pytest.mark.usefixtures("dask")
def test_workers_stop_when_the_run_does_and_what_is_under_way_comes_in(make: Callable[[Work], Any]) -> None:
    """Nobody sends anything further; every order is either received or still planned."""

    async def work(run: Session, team: DaskPool) -> None:
        buying = asyncio.ensure_future(team.buy(run.planned("draft")))
        while not states_of(run)["received"]:
            await asyncio.sleep(0.05)
        run.buyer.close(InterruptError(where="run", what="was interrupted"))
        bought = await buying
        assert isinstance(bought.stop, InterruptError)
        assert set(states_of(run)) == {"received", "planned"}
        assert len(bought.ends) == states_of(run)["received"] < N_DRAFTS

    make(work)


@pytest.mark.slow  # with the other tests of workers
@pytest.mark.usefixtures("dask")
def test_a_worker_refuses_a_run_that_would_be_another_one_there(
    make: Callable[[Work], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another address: it would have bought elsewhere, and nothing was sent."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    async def work(run: Session, team: DaskPool) -> None:
        (bought,) = [await team.buy(run.planned("draft"))]
        assert isinstance(bought.stop, SettingError)
        assert "OPENAI_BASE_URL" in str(bought.stop)
        assert states_of(run) == {"planned": N_DRAFTS}

    make(work)


def test_a_scheduler_that_is_not_there_is_told_before_anything_is_bought(
    make: Callable[[Work], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the way out."""
    monkeypatch.setenv("RUNOFF_DASK", "tcp://127.0.0.1:9")
    monkeypatch.setattr("flows.workers.dask_pool.CONNECT_S", 0.5)

    async def work(_: Session, __: DaskPool) -> None:
        pytest.fail("it was opened")

    with pytest.raises(
        EngineError, match=r"there is no Dask scheduler at tcp://127\.0\.0\.1:9.*unset RUNOFF_DASK"
    ):
        make(work)
