"""A run whose pictures are looked at or decided about; nobody buys for it now."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tasks.campaign import Campaign
from tasks.ledger import Ledger


class Run(Protocol):
    """A run whose pictures are to be decided about."""

    @property
    def run_id(self) -> str:
        """The run's id."""

    @property
    def campaign(self) -> Campaign:
        """The rules."""

    @property
    def ledger(self) -> Ledger:
        """Where its pictures are known."""

    @property
    def folder(self) -> Path:
        """Where its pictures are."""

    @property
    def anchors_file(self) -> str | None:
        """Who is trusted to sign pictures: a PEM file of root certificates."""


@dataclass(frozen=True, slots=True)
class RunOnDisk:
    """A run that nobody buys for now."""

    run_id: str
    campaign: Campaign
    ledger: Ledger
    folder: Path
    anchors_file: str | None = None
