"""Believable report rows with real little pictures, for the tests and the benchmark of the report.

The amounts follow the published prices of small models; the scores are drawn from a seeded generator, so that
every call with the same arguments gives the same rows.
"""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from PIL import Image

from tasks.candidate import candidate_id
from tasks.report_page.columns import COLUMNS
from tasks.report_page.facts import ArmFacts, RunFacts

RUN_ID = "20261122-091500-k7qd"
STARTED = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)
ACTIONS = ("swimming on its back at sunrise", "asleep in kelp at night", "holding a shell at noon")
TEMPLATES = {
    "A": "A baby sea otter {{ action }}, watercolour",
    "B": "A baby sea otter {{ action }}, studio photograph",
}
DRAFT_USD = Decimal("0.0052")
FINAL_USD = Decimal("0.1672")

CAMPAIGN = """\
name: sea-otter
provider: emulator
budget: {per_run_usd: 5.00}

arms:
  A: {prompt: "A baby sea otter {{ action }}, watercolour"}
  B: {prompt: "A baby sea otter {{ action }}, studio photograph"}

finalists: {count: 4, max_per_arm: 3, approval: auto}
"""

Paint = Callable[[str, int, tuple[int, int]], Image.Image]


def paint_gradient(prompt: str, replicate: int, size: tuple[int, int]) -> Image.Image:
    """Paint two colours into each other: cheap, and different for each prompt and replicate."""
    dice = random.Random(f"{prompt} {replicate}")
    ends = [tuple(dice.randrange(256) for _ in range(3)) for _ in range(2)]
    mask = Image.linear_gradient("L").rotate(90 * dice.randrange(4)).resize(size)
    return Image.composite(Image.new("RGB", size, ends[0]), Image.new("RGB", size, ends[1]), mask)


def make_row(**known: Any) -> dict[str, Any]:
    """Make one report row; what is not given is unknown."""
    return {column.name: None for column in COLUMNS} | {"run_id": RUN_ID, "campaign": "sea-otter"} | known


def make_draft(arm: str, row: int, replicate: int, **known: Any) -> dict[str, Any]:
    """Make a received draft that survived, with a score from the arm's own distribution."""
    dice = random.Random(f"{arm} {row} {replicate}")
    order_id = f"o-{arm}{row:04d}{replicate:04d}"
    stem = f"{arm}-{row:03d}-{replicate:03d}"
    technical = min(1.0, max(0.0, dice.gauss(0.58 if arm == "A" else 0.69, 0.09)))
    name = candidate_id(order_id, 0)
    usual: dict[str, Any] = {
        "stage": "draft", "arm": arm, "row": row, "replicate": replicate, "order_id": order_id,
        "prompt": TEMPLATES.get(arm, TEMPLATES["A"]).replace("{{ action }}", ACTIONS[row % len(ACTIONS)]),
        "candidate_id": name, "provider": "emulator", "model": "gpt-image-1-mini", "quality": "low",
        "size": "1024x1024", "requested_format": "png", "state": "received", "attempts": 1,
        "vendor_request_id": f"req_{dice.getrandbits(64):016x}",
        "sent_at": STARTED + timedelta(seconds=replicate * 2), "latency_s": round(dice.uniform(6, 19), 3),
        "input_tokens": 21, "output_tokens": 272, "estimate_usd": Decimal("0.006"), "cost_usd": DRAFT_USD,
        "file": f"drafts/{stem}.png", "thumbnail": f"thumbnails/{stem}.webp",
        "sha256": f"{dice.getrandbits(256):064x}",
        "bytes": dice.randrange(900_000, 1_500_000), "width": 1024, "height": 1024, "format": "png",
        "c2pa": True, "phash": f"{dice.getrandbits(64):016x}", "dhash": f"{dice.getrandbits(64):016x}",
        "colorhash": f"{dice.getrandbits(44):011x}", "status": "survivor", "cluster": name,
        "score_technical": technical, "score": technical, "finalist": False,
        "score_reason": "Sharp, well exposed" if technical > 0.6 else "A little soft in the subject",
        "selection_reason": "Ranked below the finalists of its arm",
    }  # fmt: skip
    return make_row(**usual | known)


def make_barren(arm: str, row: int, replicate: int, state: str, code: str, message: str) -> dict[str, Any]:
    """Make an order that brought no picture."""
    draft = make_draft(arm, row, replicate)
    kept = (
        "stage",
        "arm",
        "row",
        "replicate",
        "order_id",
        "prompt",
        "provider",
        "model",
        "quality",
        "size",
        "requested_format",
        "attempts",
        "sent_at",
        "latency_s",
        "estimate_usd",
        "vendor_request_id",
    )
    return make_row(
        **{name: draft[name] for name in kept}, state=state, error_code=code, error_message=message
    )


def make_copy(draft: Mapping[str, Any], original: Mapping[str, Any], bits: int) -> dict[str, Any]:
    """Turn a draft into a copy of another."""
    name = original["candidate_id"]
    kind = "exact" if bits == 0 else "near"
    return dict(draft) | {
        "status": "duplicate", "duplicate_of": name, "cluster": name, "duplicate_kind": kind,
        "hash_distance": bits, "similarity": None, "similar_cluster": None, "finalist": None, "rank": None,
        "selection_reason": "A copy of a better picture",
    }  # fmt: skip


def make_final(
    draft: Mapping[str, Any], attempt: int, fidelity: float | None, **known: Any
) -> dict[str, Any]:
    """Make a final of a draft; without a fidelity it is not compared yet."""
    stem = f"{Path(str(draft['file'])).stem}-try{attempt + 1}"
    order_id = f"{draft['order_id']}-final{attempt}"
    return make_row(
        **{
            name: draft[name]
            for name in ("arm", "row", "replicate", "prompt", "provider", "requested_format")
        },
        stage="final",
        order_id=order_id,
        candidate_id=candidate_id(order_id, 0),
        draft_id=draft["candidate_id"],
        endpoint="edits",
        model="gpt-image-2.6-sunburst",
        quality="high",
        size="1536x1024",
        state="received",
        attempts=1,
        sent_at=STARTED + timedelta(minutes=9),
        latency_s=41.2,
        input_tokens=1080,
        output_tokens=6240,
        estimate_usd=Decimal("0.21"),
        cost_usd=FINAL_USD,
        file=f"finals/{stem}.png",
        thumbnail=f"thumbnails/{stem}.webp",
        width=1536,
        height=1024,
        format="png",
        bytes=2_400_000,
        c2pa=True,
        fidelity=fidelity,
        fidelity_ssim=fidelity and fidelity - 0.06,
        fidelity_hash_bits=None if fidelity is None else round((1 - fidelity) * 40),
        accepted=None if fidelity is None else fidelity >= 0.75,
        **known,
    )


def make_run(
    arms: Sequence[str] = ("A", "B"), prompts: int = 3, replicates: int = 8, finalists: int = 4
) -> list[dict[str, Any]]:
    """Make a whole run: copies, a refusal, a failure, an order without an answer, finalists and finals."""
    drafts = [
        make_draft(arm, row, number) for arm in arms for row in range(prompts) for number in range(replicates)
    ]
    for index in range(7, len(drafts), 6):
        original = drafts[index - 2]
        if original["row"] == drafts[index]["row"] and original["arm"] == drafts[index]["arm"]:
            drafts[index] = make_copy(drafts[index], original, index % 5)
    ranked = sorted((row for row in drafts if row["status"] == "survivor"), key=lambda row: -row["score"])
    for place, draft in enumerate(ranked):
        draft["rank"] = place + 1
        if place < finalists:
            draft |= {
                "finalist": True,
                "chosen_by": "rule",
                "selection_reason": "Best score its arm had left",
            }
    finals = [
        make_final(draft, attempt, fidelity)
        for draft, fidelities in zip(ranked, [(0.91,), (0.68, 0.83), (0.88,), (0.61, 0.7)], strict=False)
        for attempt, fidelity in enumerate(fidelities)
    ][: 2 * finalists]
    first = arms[0]
    barren = [
        make_barren(first, 0, replicates, "refused", "moderation_blocked", "Rejected by the safety system."),
        make_barren(first, 1, replicates, "failed", "server_error", "The server had an error."),
        make_barren(arms[-1], 0, replicates, "unknown", "read_timeout", "No answer within 180 s."),
    ]
    return [*drafts, *barren, *(finals if finalists else [])]


def paint_files(
    rows: Sequence[dict[str, Any]], folder: Path, paint: Paint = paint_gradient, px: int = 96
) -> None:
    """Write the rows' pictures and thumbnails.

    Args:
        rows: Report rows; they get the digests of what is written.
        folder: The run's folder.
        paint: Makes a picture from prompt, replicate and size.
        px: The longer side of the pictures, pixels; thumbnails are at most 384.
    """
    for row in rows:
        if not row["file"]:
            continue
        scale = px / max(row["width"], row["height"])
        size = (round(row["width"] * scale), round(row["height"] * scale))
        picture = paint(str(row["prompt"]), int(row["replicate"]), size)
        for name in (row["file"], row["thumbnail"]):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(folder / row["file"], compress_level=1)
        row["sha256"] = hashlib.sha256((folder / row["file"]).read_bytes()).hexdigest()
        picture.thumbnail((384, 384))
        picture.save(folder / row["thumbnail"], quality=80)


def make_facts(**known: Any) -> RunFacts:
    """Make a run's facts, with every optional part filled unless it is given."""
    usual: dict[str, Any] = {
        "run_id": RUN_ID, "campaign": "sea-otter", "started_at": STARTED,
        "finished_at": STARTED + timedelta(minutes=14), "provider": "emulator",
        "models": {"draft": "gpt-image-1-mini", "final": "gpt-image-2.6-sunburst"},
        "arms": {
            name: ArmFacts(prompt=text, parameters={"quality": "low", "size": "1024x1024"})
            for name, text in TEMPLATES.items()
        },
        "estimate_usd": Decimal("1.62"), "unknown_usd": Decimal("0.006"), "all_high_usd": Decimal("8.02"),
        "warnings": [
            "gpt-image-1-mini shuts down on 2026-12-01; its successor here is gpt-image-2.6-flare."
        ],
        "copies_by_radius": dict(zip(range(13), (2, 2, 3, 4, 5, 5, 7, 7, 8, 11, 16, 24, 33), strict=True)),
        "radius_bits": 6, "min_fidelity": 0.75,
        "finalists": "4 finalists were chosen by rule, 3 accepted at high quality",
        "ab_test": {
            "headline": "Arm B wins: its pictures score 0.09 higher than arm A's.",
            "pairs": [{"arms": ("A", "B"), "difference": -0.094, "low": -0.141, "high": -0.048, 
                       "probability": 0.24, "verdict": "B wins", "more_pictures_needed": None}],
            "arms": {},
        },
        "campaign_yaml": CAMPAIGN,
        "versions": {"runoff": "0.1.0", "openai": "3.54.0"},
    }  # fmt: skip
    return RunFacts(**usual | known)
