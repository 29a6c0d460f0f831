"""What people have: a shell, a home of their own, a provider somewhere else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.provider import OpenProvider, Provider, providers
from tests.support.shell import Shell


@pytest.fixture
def shell(tmp_path: Path, prefect_server: str) -> Shell:
    """A shell with an empty home and a Prefect server, and no key."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
    environ = kept | {"RUNOFF_HOME": str(tmp_path / "home"), "PREFECT_API_URL": prefect_server}
    return Shell(tmp_path / "home", environ)


@pytest.fixture
def open_provider(shell: Shell) -> Iterator[OpenProvider]:
    """Open an emulator with faults and point the shell's OPENAI_BASE_URL at it."""
    with providers() as opened:

        def open_one(*faults: dict[str, object], **settings: object) -> Provider:
            provider = opened(*faults, **settings)
            shell.environ |= provider.environ
            return provider

        yield open_one
