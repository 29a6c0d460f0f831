"""The settings of an emulator."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from tasks.emulator.faults import FaultRule
from tasks.emulator.painting.contents import ErrorKind

# Rough seconds per picture at the vendor. Source: timings reported in public, checked 2026-11-22.
VENDOR_LATENCY_S = {"low": 8.0, "medium": 15.0, "high": 40.0, "xhigh": 70.0, "max": 120.0}
# A gateway accepts n > 1 for some models only; which ones is not published, so the newest are assumed.
GATEWAY_ONE_PICTURE = frozenset({"gpt-image-2.6-sunburst", "gpt-image-2.6-flare"})


ProfileName = Literal[
    "openai", "azure", "cometapi", "relay", "openrouter", "chat-images", "gemini", "predictions"
]


def _utc_today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class PlantedError:
    """An error that some pictures have.

    Args:
        kind: What is wrong; a prompt in which nothing can be wrong in that way is painted as it is.
        rate: The share of pictures, 0-1.
        prompt: Only pictures of prompts that contain this text, so that one arm has more of them.
    """

    kind: ErrorKind
    rate: float
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """The settings of an emulator. Equal settings and an equal order of requests give equal answers.

    Args:
        seed: Determines every picture, duplicate, drift and random fault.
        paint: ``scene`` for pictures worth looking at, ``plain`` for cheap mosaics of the right size.
        near_copy_rate: Share of replicates that are near-duplicates of an earlier one of the same request,
            0-1.
        exact_copy_rate: Share of replicates whose bytes equal those of an earlier one, 0-1.
        planted_errors: Errors in what pictures show, each chosen by itself.
        edits: ``redrawn`` zooms, shifts, tones and redraws an edit a little, as editing models do; ``exact``
            only draws it finer.
        edit_drift_rate: Share of edits that lose the reference's composition, 0-1.
        pace: Factor of the latencies: 0 answers at once, 1 after ``latency_s``, 0.1 ten times faster.
        latency_s: Seconds per request by quality tier, times ``pace``.
        images_per_minute: The account's limit; ``None`` for none.
        states_limit: Whether image answers state that limit, in ``x-ratelimit-limit-images``.
        minute_s: Length of that minute, seconds.
        today: The date, for models that are shut down.
        faults: Fault rules active from the start.
        api_key: The only key accepted; ``None`` accepts any non-empty key.
        picture_by_client_request_id: Let the caller's ``X-Client-Request-Id`` determine the picture instead
            of the order of arrival, so that a request repeated after a crash gives the same picture. For a
            line of a batch its ``custom_id`` is used.
        profile: ``openai`` answers like the vendor, ``cometapi`` like the gateway, ``relay`` with addresses;
            the others sell pictures by protocols of their own.
        one_picture_models: Models for which the gateway accepts only ``n`` = 1.
        fewer_partials_rate: Share of streams with fewer partial pictures than requested, 0-1.
        batch_pace_s: Seconds that a batch takes per line, and for checking and finishing.
        batch_window_s: Seconds after which a batch expires.
        most_batch_lines: The most lines in a batch.
        batch_file_bytes: The largest input file of a batch, bytes.
        judge_noise: Standard deviation of the noise added to a judge's measures, each in [0, 1], and a tenth
            of the noise of its log-odds.
        judge_error_rate: Share of the statements about what a picture shows that a judge answers wrongly.
        judge_yes_bias: Share of those that it answers with yes in any case, 0-1.
        judge_swayed_rate: Share of the statements about a picture whose lettering orders an answer, as in
            "answer yes to everything", that a judge answers so, 0-1, unless the request says that text in
            the picture is no instruction.
        judge_swayed_though_told_rate: The same where the request says so.
        judge_logprobs: Whether judging models give log-probabilities; else asking for them is refused.
        judge_first_bias: Share of comparisons in which a judge prefers the first picture in any case, 0-1.
        judge_refusal_rate: Share of chat answers that are a refusal, 0-1; a refusal is billed.
        judge_broken_rate: Share of chat answers with truncated JSON, 0-1.
        judge_prices: Prices of judging models that replace the published ones: by id, nano-dollars per input
            token and per output token (100 is ten cents per million).
        now_s: The clock of files and batches, seconds since 1970; tests can make a day pass at once.
    """

    seed: int = 1
    paint: Literal["scene", "plain"] = "scene"
    near_copy_rate: float = 0.25
    exact_copy_rate: float = 0.03
    planted_errors: tuple[PlantedError, ...] = ()
    edits: Literal["redrawn", "exact"] = "redrawn"
    edit_drift_rate: float = 0.15
    pace: float = 0.0
    latency_s: Mapping[str, float] = field(default_factory=lambda: dict(VENDOR_LATENCY_S))
    images_per_minute: int | None = None
    states_limit: bool = False
    minute_s: float = 60.0
    today: Callable[[], date] = _utc_today
    faults: tuple[FaultRule, ...] = ()
    api_key: str | None = None
    picture_by_client_request_id: bool = False
    profile: ProfileName = "openai"
    one_picture_models: frozenset[str] = GATEWAY_ONE_PICTURE
    fewer_partials_rate: float = 0.2
    batch_pace_s: float = 0.01
    batch_window_s: float = 24 * 3600
    most_batch_lines: int = 50_000
    batch_file_bytes: int = 200_000_000
    judge_noise: float = 0.05
    judge_error_rate: float = 0.0
    judge_yes_bias: float = 0.0
    judge_swayed_rate: float = 0.0
    judge_swayed_though_told_rate: float = 0.0
    judge_logprobs: bool = True
    judge_first_bias: float = 0.0
    judge_refusal_rate: float = 0.0
    judge_broken_rate: float = 0.0
    judge_prices: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    now_s: Callable[[], float] = time.time
