"""What the environment says: read once where a process begins, and handed down from there.

Commands, flows, hooks, workers and what people call from Python are such doors. Below them nothing reads the
environment, so that what a function does follows from what it is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType

from tasks.clock import today
from tasks.storage.home import home_folder


@dataclass(frozen=True)
class Settings:
    """A home, and the environment it is worked on in.

    Args:
        home: Runoff's home.
        environ: Variables; providers name those of their keys and addresses. Never shown.
    """

    home: Path
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, home: str | Path | None, environ: Mapping[str, str]) -> "Settings":
        """Find the home (what is given, else ``RUNOFF_HOME``, else ``./runs``) and keep the environment.

        Raises:
            SettingError: The home is a store's address, and its mirror cannot be made.
        """
        return cls(home_folder(home, environ), MappingProxyType(dict(environ)))

    @property
    def today(self) -> date:
        """The day (UTC); raises SettingError when ``RUNOFF_TODAY`` is none."""
        return today(self.environ)
