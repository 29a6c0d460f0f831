"""The emulator's vision judge: measures pictures and fills the requested schema with the results.

It does not understand rubrics. A question that names sharpness, light, contrast or colour is answered by that
measure, any other by their mean; comparisons use the same measures. Noise and a bias for the first of two
pictures come from the settings. Equal requests get equal answers.
"""

import hashlib
import io
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

LOOKED_AT_PX = 256
TIE_MARGIN = 0.002
HALF_SHARP = 60.0
"""Mean square of the Laplacian, in squared grey levels, that counts as sharpness 0.5: an arbitrary choice."""

WORDS = {
    "sharpness": ("sharp", "focus", "blur", "crisp", "detail"),
    "light": ("expos", "light", "bright", "dark"),
    "contrast": ("contrast", "flat", "subject"),
    "colour": ("colo", "palette", "vivid", "hue"),
}
GRADES = {"excellent": 1.0, "good": 0.75, "fair": 0.5, "poor": 0.25, "bad": 0.0}


@dataclass(frozen=True, slots=True)
class VisionJudge:
    """The judge of one request.

    Args:
        pictures: The pictures' bytes, in order.
        seed: Determines its noise, together with the pictures and the question.
        noise: Standard deviation added to every measure, 0 for none.
        first_bias: Share of comparisons in which it prefers the first picture in any case, 0-1.
    """

    pictures: Sequence[bytes]
    seed: int
    noise: float
    first_bias: float

    def fill(self, schema: Mapping[str, Any], text: str = "") -> Any:  # noqa: ANN401 - JSON
        """Build a value that matches a schema.

        Args:
            schema: A JSON schema of objects, arrays, enums, strings, booleans and numbers.
            text: The question; for a value inside an object, its key and description.
        """
        text = f"{text} {schema.get('description', '')}"
        if "enum" in schema:
            return self._choose([str(choice) for choice in schema["enum"]], text)
        kind = schema.get("type")
        if kind == "object":
            own = schema.get("description", "")
            return {
                name: self.fill(part, f"{name} {own}") for name, part in schema.get("properties", {}).items()
            }
        if kind == "array":
            return [self.fill(schema.get("items", {}), text)]
        if kind == "boolean":
            return self._value(text) > 0.5
        if kind in ("number", "integer"):
            low, high = schema.get("minimum", 0), schema.get("maximum", 1)
            value = low + (high - low) * self._value(text)
            return round(value) if kind == "integer" else value
        return self._reason()

    def _choose(self, choices: Sequence[str], text: str) -> str:
        if {"first", "second"} <= set(choices):
            return self._compare(choices, text)
        value = self._value(text)
        if {"yes", "no"} <= set(choices):
            return "yes" if value > 0.5 else "no"
        known = [choice for choice in choices if choice in GRADES]
        if known:
            return min(known, key=lambda choice: abs(GRADES[choice] - value))
        return choices[min(int((1 - value) * len(choices)), len(choices) - 1)]

    def _compare(self, choices: Sequence[str], text: str) -> str:
        if self._chance(text, "bias").random() < self.first_bias:
            return "first"
        lead = self._value(text, 0) - self._value(text, 1)
        if abs(lead) < TIE_MARGIN and "tie" in choices:
            return "tie"
        return "first" if lead > 0 else "second"

    def _value(self, text: str, index: int = 0) -> float:
        """Measure what a text asks about, in [0, 1]; 0.5 without a picture."""
        if index >= len(self.pictures):
            return 0.5
        seen = measure(self.pictures[index])
        asked = [seen[name] for name, words in WORDS.items() if any(word in text.lower() for word in words)]
        value = sum(asked or seen.values()) / len(asked or seen)
        noise = self._chance(text, f"noise {index}").gauss(0, self.noise) if self.noise else 0.0
        return min(1.0, max(0.0, value + noise))

    def _reason(self) -> str:
        if not self.pictures:
            return "There is no picture."
        seen = [measure(picture) for picture in self.pictures[:2]]
        measured = " / ".join(", ".join(f"{name} {value:.2f}" for name, value in one.items()) for one in seen)
        return f"Measured: {measured}."

    def _chance(self, text: str, what: str) -> random.Random:
        shown = [hashlib.sha256(picture).hexdigest() for picture in self.pictures]
        return random.Random(json.dumps([self.seed, shown, text, what]))


def measure(data: bytes) -> dict[str, float]:
    """Measure a picture: sharpness, light, contrast and colour, each in [0, 1], higher is better."""
    with Image.open(io.BytesIO(data)) as picture:
        picture.draft("RGB", (LOOKED_AT_PX, LOOKED_AT_PX))
        small = picture.convert("RGB")
        small.thumbnail((LOOKED_AT_PX, LOOKED_AT_PX))
        colours = np.asarray(small, dtype=np.float32)
    grey = colours @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    inner = grey[1:-1, 1:-1]
    edges = 4 * inner - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    energy = float(np.mean(edges**2)) if edges.size else 0.0
    return {
        "sharpness": energy / (energy + HALF_SHARP),
        "light": 1 - abs(float(grey.mean()) / 255 - 0.5) * 2,
        "contrast": min(1.0, float(grey.std()) / 64),
        "colour": min(1.0, float(np.ptp(colours, axis=2).mean()) / 96),
    }
