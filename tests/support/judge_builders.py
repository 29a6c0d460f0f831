"""Makers of questions to a judging model, for tests."""

import hashlib
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter

from tasks.campaign import Campaign
from tasks.candidate import Candidate, Inspection
from tasks.judging.duels import duel_parameters, duel_prompt
from tasks.judging.rubric import rubric_parameters, rubric_prompt
from tasks.ledger import Ledger, Limits, Settlement
from tasks.order import Order, Reference
from tests.support.builders import NOON, an_order
from tests.support.draft_builders import a_draft
from tests.support.planning import campaign

MODEL = "gpt-6-luna"
RUBRIC = ("The picture is sharp", "The light is good")
BOTH = {
    "weights": {"technical": 1, "judge": 3, "duel": 2},
    "judge": {"rubric": RUBRIC},
    "duel": {"per_row": 10},
}


def a_shown_picture(folder: Path, seed: int = 1, blur_px: float = 1.0) -> Reference:
    """Write a picture of soft noise and describe it."""
    noise = Image.effect_noise((96, 64), 40 + seed).filter(ImageFilter.GaussianBlur(blur_px))
    out = io.BytesIO()
    noise.convert("RGB").save(out, "PNG")
    file = folder / f"shown-{seed}-{blur_px}.png"
    file.write_bytes(out.getvalue())
    digest = hashlib.sha256(out.getvalue()).hexdigest()
    return Reference(str(file), digest, 96, 64, "image/png")


def a_question(*shown: Reference, **changes: Any) -> Order:
    """Make an order for a judge: by the rubric about one picture, or between two."""
    is_duel = len(shown) == 2
    facts: dict[str, Any] = {
        "stage": "judge",
        "endpoint": "chat",
        "provider": "shop",
        "prompt": duel_prompt(RUBRIC) if is_duel else rubric_prompt(RUBRIC),
        "parameters": duel_parameters(MODEL) if is_duel else rubric_parameters(MODEL, RUBRIC),
        "references": shown,
        "estimate_usd": Decimal("0.001"),
        "draft_id": "c-1",
    }
    return an_order(**(facts | changes))


def judged(**changes: Any) -> Campaign:
    """Make a campaign that asks a judge and holds duels."""
    return campaign(**{"score": BOTH} | changes)


def seen(name: str, **changes: Any) -> Candidate:
    """Make a survivor of 1024 x 1024 px."""
    return a_draft(name, inspection=Inspection(width=1024, height=1024, format="webp"), **changes)


def answer_yes(ledger: Ledger, order: Order) -> None:
    """Settle a question about two statements with two times yes."""
    ledger.orders.plan([order])
    ledger.orders.send(order, Limits(), NOON)
    yes = {"reason": "", "answer": "yes"}
    content = json.dumps({"statement_1": yes, "statement_2": yes, "overall": {"reason": "", "grade": "good"}})
    ledger.orders.settle(order.order_id, Settlement("received", is_charged=True), (), content)
