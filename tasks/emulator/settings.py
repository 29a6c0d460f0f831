"""How an emulator behaves: all of it, in one place."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from tasks.emulator.faults import FaultRule

# Seconds a picture takes at the vendor, roughly. Source: timings reported in public, checked 2026-11-22.
VENDOR_LATENCY_S = {"low": 8.0, "medium": 15.0, "high": 40.0, "xhigh": 70.0, "max": 120.0}
# A gateway takes n > 1 for some models only; which is not published, the newest are the emulator's choice.
GATEWAY_ONE_PICTURE = frozenset({"gpt-image-2.6-sunburst", "gpt-image-2.6-flare"})


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
            the order of arrival, so that a request repeated after a crash shows the same picture. A batch's
            line is called by its ``custom_id``.
        profile: ``openai`` answers like the vendor, ``cometapi`` like that gateway.
        one_picture_models: Models whose ``n`` must be 1 at the gateway.
        fewer_partials_rate: Share of streams with fewer partial pictures than asked for, 0-1.
        batch_pace_s: Seconds a batch takes for each line, and for checking and for finishing; 0 for none.
        batch_window_s: Seconds after which a batch expires.
        most_batch_lines: Most lines in a batch.
        batch_file_bytes: Largest input file of a batch.
        judge_noise: Standard deviation added to what a judge measures (each measure lies in [0, 1]).
        judge_first_bias: Share of comparisons in which a judge names the first picture without looking, 0-1.
        judge_refusal_rate: Share of chat answers that are a refusal, 0-1; a refusal is billed.
        judge_broken_rate: Share of chat answers whose JSON breaks off in the middle, 0-1.
        judge_prices: What a judging model costs in place of its published price: its id to nano-dollars for
            one token sent and for one answered (100 is ten cents for a million).
        now_s: The clock of files and batches, seconds since 1970; a test's own makes a day pass at once.
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
    profile: Literal["openai", "cometapi"] = "openai"
    one_picture_models: frozenset[str] = GATEWAY_ONE_PICTURE
    fewer_partials_rate: float = 0.2
    batch_pace_s: float = 0.01
    batch_window_s: float = 24 * 3600
    most_batch_lines: int = 50_000
    batch_file_bytes: int = 200_000_000
    judge_noise: float = 0.05
    judge_first_bias: float = 0.0
    judge_refusal_rate: float = 0.0
    judge_broken_rate: float = 0.0
    judge_prices: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    now_s: Callable[[], float] = time.time
