"""Runoff's home and environment, read once at each entry point and passed down.

Entry points are commands, flows, hooks, workers and the functions that people call from Python. Below them
nothing reads the environment, so that a function depends only on its arguments. Whoever makes settings makes
the environment's secrets known to the redactor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType

from tasks.clock import today
from tasks.redaction import learn_environment
from tasks.secret_files import with_secret_files
from tasks.storage.home import home_folder

PUBLIC_URL_VARIABLE = "RUNOFF_PUBLIC_URL"
"""Where people open the review page: the address that links lead to."""


@dataclass(frozen=True)
class Settings:
    """Runoff's home and the environment variables.

    Args:
        home: Runoff's home.
        environ: Environment variables, keys included; never shown.
    """

    home: Path
    environ: Mapping[str, str] = field(repr=False)

    def __post_init__(self) -> None:
        learn_environment(self.environ)

    @classmethod
    def of(cls, home: str | Path | None, environ: Mapping[str, str]) -> "Settings":
        """Find the home (the argument, else ``RUNOFF_HOME``, else ``./runs``) and keep the environment.

        Secrets that are given as files are variables in it.

        Raises:
            SettingError: The home is an object store's address, and its mirror cannot be created, or a
                secret's file cannot be read.
        """
        return cls(home_folder(home, environ), MappingProxyType(with_secret_files(environ)))

    @property
    def today(self) -> date:
        """Today (UTC); raises SettingError when ``RUNOFF_TODAY`` is not a date."""
        return today(self.environ)
