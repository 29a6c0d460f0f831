"""A stored run: its ledger record and its folder, for reading it and deciding about its pictures.

A run that this process works on is a ``flows.session.session.Session``, which contains a stored run.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

from flows.runs.lock import fetch_campaign
from tasks.campaign import Campaign
from tasks.campaign_file.load import load_campaign
from tasks.candidate import Candidate
from tasks.catalogue import Catalogue, load_catalogue
from tasks.catalogue.providers import Providers, load_providers
from tasks.errors import RunError
from tasks.ledger import Ledger, RunRecord
from tasks.ledger.homes import place_of
from tasks.order import Stage
from tasks.pictures.provenance import ANCHORS_VARIABLE
from tasks.settings import Settings
from tasks.storage.home import run_folder


@dataclass(frozen=True)
class StoredRun:
    """A run, its ledger and its folder. Nothing here spends.

    Args:
        settings: The home and the environment.
        ledger: Its ledger, open.
        record: The run's row when it was read; the ledger may have changed since.
        other_campaign: The campaign to decide by; ``None`` for the one in the run's folder.
    """

    settings: Settings
    ledger: Ledger
    record: RunRecord
    other_campaign: Campaign | None = None

    @classmethod
    def find(cls, settings: Settings, ledger: Ledger, name: str) -> Self:
        """Find a run.

        Args:
            settings: The home and the environment.
            ledger: Its ledger.
            name: The run's id, a unique beginning of it, or ``latest``.

        Raises:
            RunError: There is no such run.
        """
        return cls(settings, ledger, ledger.runs.find(name))

    def decided_by(self, campaign: Campaign) -> Self:
        """Return the same run with another campaign; writes nothing."""
        return replace(self, other_campaign=campaign)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.record.run_id

    @property
    def home(self) -> Path:
        """Runoff's home."""
        return self.settings.home

    @property
    def anchors_file(self) -> str | None:
        """A PEM file of the root certificates trusted to sign pictures."""
        return self.settings.environ.get(ANCHORS_VARIABLE)

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return run_folder(self.home, self.record.campaign, self.run_id)

    def campaign_file(self) -> Path:
        """Return the run's campaign file; with a store, its current version is fetched.

        Raises:
            RunError: The file is missing.
            SettingError: The store cannot be read.
        """
        file = fetch_campaign(self.folder)
        if not file.exists():
            raise RunError(
                where=str(file),
                what="the run's campaign file is missing",
                money="The ledger still knows what was bought.",
                next_step=f"{self._where_made()} See what was spent with: runoff ledger spend",
            )
        return file

    def _where_made(self) -> str:
        if self.record.home is None:
            return "If it was made with another home on this ledger, name that with --home."
        if self.record.home == place_of(self.home):
            return "It was made in this home: put its folder back, as from a backup."
        return (
            f"It was made in the home {self.record.home}: name that with --home, there. "
            "If this is that home, moved, put the folder back."
        )

    @cached_property
    def catalogue(self) -> Catalogue:
        """Models and prices of the home, as they are now."""
        return load_catalogue(self.home, self.settings.environ)

    @cached_property
    def providers(self) -> Providers:
        """Providers of the home, as they are now."""
        return load_providers(self.home, self.settings.environ)

    @cached_property
    def campaign(self) -> Campaign:
        """The campaign that the run is decided by. What it sent need not be where it was.

        Raises:
            RunError: Its file is missing.
            CampaignError: It was changed and is now invalid.
        """
        if self.other_campaign is not None:
            return self.other_campaign
        return load_campaign(self.campaign_file(), self.catalogue, self.providers, buys=False)

    def read_candidates(self, stage: Stage | None = None) -> list[Candidate]:
        """Read the run's pictures, or those of one stage, from the ledger."""
        return self.ledger.candidates.of_run(self.run_id, stage)
