"""What holds for every test: an environment without anybody's settings, and patience on a busy machine."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support import prefect_server as shared

# A shared machine breaks hypothesis's limit of 200 ms an example now and then; nothing here is about time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_xdist_auto_num_workers() -> int:
    """Run one worker more than there are cores: a fifth of the suite's time is waiting."""
    return (os.cpu_count() or 1) + 1


OURS = ("RUNOFF_", "OPENAI_", "COMETAPI_", "PREFECT_")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own keys, home and server out of the tests."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Prefect server for all runs of the session and all its workers, as with PREFECT_API_URL set."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers
    with shared.prefect_server(folder / "prefect") as api_url:
        yield api_url
