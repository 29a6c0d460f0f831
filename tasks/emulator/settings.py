"""How an emulator behaves: all of it, in one place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from tasks.emulator.faults import FaultRule

# Seconds a picture takes at the vendor, roughly. Source: timings reported in public, checked 2026-11-22.
VENDOR_LATENCY_S = {"low": 8.0, "medium": 15.0, "high": 40.0, "xhigh": 70.0, "max": 120.0}


def _utc_today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """How an emulator behaves. Same settings and same order of equal requests: same answers.

    Args:
        seed: Decides every picture, copy, drift and chance fault.
        paint: ``scene`` for pictures worth looking at, ``plain`` for cheap mosaics of the right size.
        near_copy_rate: Share of replicates that are nearly an earlier one of the same request, 0-1.
        exact_copy_rate: Share of replicates whose bytes equal an earlier one's, 0-1.
        edit_drift_rate: Share of edits that lose the reference's composition, 0-1.
        pace: 0 answers as quickly as it can, 1 as slowly as ``latency_s`` says, 0.1 ten times quicker.
        latency_s: Seconds per request by quality tier, times ``pace``.
        images_per_minute: The account's limit; ``None`` for none.
        minute_s: How long that minute is, seconds.
        today: The day, for models that are shut down.
        faults: Fault rules in force from the start.
        api_key: The only key accepted; ``None`` accepts any, but one must be sent.
        picture_by_client_request_id: Let the caller's ``X-Client-Request-Id`` decide the picture in place of
            the order of arrival, so that a request repeated after a crash shows the same picture.
    """

    seed: int = 1
    paint: Literal["scene", "plain"] = "scene"
    near_copy_rate: float = 0.25
    exact_copy_rate: float = 0.03
    edit_drift_rate: float = 0.15
    pace: float = 0.0
    latency_s: Mapping[str, float] = field(default_factory=lambda: dict(VENDOR_LATENCY_S))
    images_per_minute: int | None = None
    minute_s: float = 60.0
    today: Callable[[], date] = _utc_today
    faults: tuple[FaultRule, ...] = ()
    api_key: str | None = None
    picture_by_client_request_id: bool = False
