"""The ways to write that are crashed: what somebody does, and what was there before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RUN_ID = "20261122-120000-0001"
CONCURRENCY = 2


@dataclass(frozen=True)
class Job:
    """One command: what is run and with which words; ``{file}`` and ``{home}`` stand for the trial's."""

    action: str
    words: tuple[str, ...]


FLOW = Job("flow", ("{file}", "{home}", RUN_ID))


@dataclass(frozen=True)
class Way:
    """What somebody does, and what was there before.

    Args:
        name: In figures.
        job: What is ended at its points.
        again: What ends the work afterwards; default: the same.
        before: What was done before, undisturbed.
        campaign: What differs from `CAMPAIGN`.
        leaves_parts: It holds no lock: its half files stay until a command that does.
        later_s: How far the provider's clock moves on before each command.
    """

    name: str
    job: Job
    again: Job | None = None
    before: tuple[Job, ...] = ()
    campaign: Mapping[str, Any] = field(default_factory=dict)
    leaves_parts: bool = False
    later_s: float = 0


CAMPAIGN: dict[str, Any] = {
    "name": "otters",
    "provider": "openai",
    "budget": {"per_run_usd": "3.00"},
    "arms": {"A": {"prompt": "An otter, watercolour"}, "B": {"prompt": "An otter, photograph"}},
    "drafts": {"model": "gpt-image-2.5-flare", "quality": "low", "size": "1024x640", "per_prompt": 1},
    "finalists": {"count": 1, "approval": "auto"},
    "finals": {
        "model": "gpt-image-2.5-sunburst", "quality": "medium", "size": "1024x640", "attempts": 1,
        "min_fidelity": 0.0,
    },
}  # fmt: skip
_JUDGED = {"score": {"weights": {"technical": 1, "judge": 3}, "judge": {"rubric": ["The picture is sharp"]}}}
_FROM_BRIEF = {
    "rows": [{"animal": animal} for animal in ("otter", "fox", "owl", "hare", "bear", "mouse", "lion", "wolf",
             "cat", "dog", "robin", "whale")],
    "arms": {
        "A": {"prompt": "One {{ animal }} on a rock, watercolour"},
        "B": {"prompt": "One {{ animal }} on a rock, photograph"},
    },
    "score": {"weights": {"judge": 1}, "judge": {"questions": "from_brief"}},
}  # fmt: skip
_REVIEWED = {"finalists": {"count": 1, "approval": "review"}}
_BATCH = {"drafts": CAMPAIGN["drafts"] | {"lane": "batch"}}
_PROMOTE = Job("command", ("promote", RUN_ID, "--yes"))
_MORE = Job("command", ("more", RUN_ID, "A-000-000", "--n", "2", "--key", "from the first", "--yes"))
_CANCEL = Job("command", ("cancel", RUN_ID, "--for-good"))
_PRUNE = Job("command", ("runs", "--prune", "--older-than", "0d", "--yes"))

WAYS = {
    way.name: way
    for way in (
        Way("run", FLOW, campaign=_JUDGED),
        Way("statements from briefs", FLOW, campaign=_FROM_BRIEF),
        Way("promote", _PROMOTE, before=(FLOW,), campaign=_REVIEWED),
        Way("more", _MORE, before=(FLOW,), campaign=_REVIEWED),
        Way("hand over a batch", FLOW, campaign=_BATCH, later_s=3600),
        Way("collect a batch", FLOW, before=(FLOW,), campaign=_BATCH, later_s=3600),
        Way("rescore", Job("command", ("rescore", RUN_ID)), before=(FLOW,)),
        Way("report", Job("command", ("report", RUN_ID)), before=(FLOW,), leaves_parts=True),
        Way("prune", _PRUNE, before=(FLOW,)),
        Way("cancel for good", _CANCEL, before=(FLOW,), campaign=_REVIEWED),
        Way("restore", Job("command", ("ledger", "restore", "--yes")), before=(FLOW,)),
        Way("buy on the page", Job("page", ("{home}", RUN_ID)), before=(FLOW,), campaign=_REVIEWED),
        Way("migrate", Job("command", ("runs",)), before=(Job("older ledger", ("{home}", "0001")),)),
    )
}
