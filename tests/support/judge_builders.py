"""Makers of questions to a judging model, for tests."""

import hashlib
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter

from tasks.judging.duels import duel_parameters, duel_prompt
from tasks.judging.rubric import rubric_parameters, rubric_prompt
from tasks.order import Order, Reference
from tests.support.builders import an_order

MODEL = "gpt-6-luna"
RUBRIC = ("The picture is sharp", "The light is good")


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
