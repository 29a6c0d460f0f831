"""A small campaign, its plan and its finals, at the shipped prices of one day."""

from datetime import date
from pathlib import Path
from typing import Any

from tasks.campaign import Campaign
from tasks.candidate import Candidate, Inspection
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.orders.finals import plan_finals
from tasks.plan import Plan, plan

CATALOGUE = load_catalogue(environ={})
PROVIDERS = load_providers()
TODAY = date(2026, 11, 22)
RUN = "20261122-170000-abcd"
DRAFT = Candidate(
    candidate_id="c-1", order_id="o-1", stage="draft", arm="B", row=2, replicate=3, attempt=0,
    prompt="sketch of an otter in sand", file="drafts/B-002-003.png", sha256="ab" * 32, n_bytes=9,
    inspection=Inspection(width=1024, height=1024, format="png"),
)  # fmt: skip


def campaign(**changes: Any) -> Campaign:
    """Make a small campaign: two arms, three rows, four pictures each."""
    basis = {
        "name": "otter",
        "provider": "openai",
        "budget": {"per_run_usd": 50},
        "variables": {"place": ["kelp", "ice", "sand"]},
        "arms": {
            "A": {"prompt": "otter in {{ place }}"},
            "B": {"prompt": "sketch of an otter in {{ place }}"},
        },
        "drafts": {"model": "gpt-image-2"},
        "finalists": {"count": 3, "approval": "auto"},
        "finals": {"model": "gpt-image-2.6-sunburst"},
    }
    return Campaign.model_validate(basis | changes)


def planned(subject: Campaign, today: date = TODAY) -> Plan:
    """Plan it."""
    return plan(subject, CATALOGUE, PROVIDERS, RUN, today)


def finals(subject: Campaign, draft: Candidate = DRAFT, attempt: int = 0) -> Any:
    """Order the final of one draft."""
    (order,) = plan_finals(
        subject, CATALOGUE, PROVIDERS, [draft], run_id=RUN, folder=Path("/runs/x"), attempt=attempt
    )
    return order
