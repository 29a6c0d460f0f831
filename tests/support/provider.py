"""An image provider somewhere else: an emulator behind HTTP, and its bill."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from tasks.emulator.faults import FaultRule
from tasks.emulator.server import emulator_server
from tasks.emulator.settings import EmulatorSettings

KEY = "sk-planted-0123456789abcdef"


@dataclass
class Provider:
    """An emulator somewhere else, and its bill."""

    url: str

    def bill(self) -> dict[str, Any]:
        """Ask for every request received and what it charged."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/_bill") as answer:
            bill: dict[str, Any] = json.load(answer)
        return bill

    @property
    def charged_nanousd(self) -> int:
        """All it charged, nano-dollars."""
        return int(self.bill()["total"]["charged_nanousd"])

    def orders(self) -> list[dict[str, Any]]:
        """List the requests for pictures; looking at the list of models is none."""
        return [entry for entry in self.bill()["entries"] if "/images/" in entry["path"]]

    @property
    def n_requests(self) -> int:
        """All requests for pictures that it received."""
        return len(self.orders())

    @property
    def environ(self) -> dict[str, str]:
        """What leads Runoff to it, without waiting for a rate limit."""
        return {
            "OPENAI_BASE_URL": self.url,
            "OPENAI_API_KEY": KEY,
            "RUNOFF_IMAGES_PER_MINUTE": "100000",
        }


class OpenProvider(Protocol):
    """Opens an emulator with faults and other settings."""

    def __call__(self, *faults: dict[str, Any], **settings: Any) -> Provider:
        """Open it; the one who made this closes it."""
        ...


@contextmanager
def providers() -> Iterator[OpenProvider]:
    """Open emulators that paint plain pictures, unless said otherwise; all are closed in the end."""
    with ExitStack() as opened:

        def open_one(*faults: dict[str, Any], **settings: Any) -> Provider:
            rules = tuple(FaultRule(**fault) for fault in faults)
            wanted = EmulatorSettings(faults=rules, **({"paint": "plain"} | settings))
            return Provider(opened.enter_context(emulator_server(wanted)))

        yield open_one
