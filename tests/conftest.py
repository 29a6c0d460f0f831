"""What holds for every test: an environment without anybody's settings, and patience on a busy machine."""

import os

import pytest
from hypothesis import settings

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
