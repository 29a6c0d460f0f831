"""The emulator's vision judge: looks at pictures and fills the requested schema with the results.

What a painted picture shows it knows from the picture's own note, never from a prompt: it answers statements
about objects, their number and colour, places and lettering, with the errors that the settings ask for. A
question that names sharpness, light, contrast or colour is answered by that measure, any other by their mean;
comparisons use the same measures. Noise and a bias for the first of two pictures come from the settings.
Equal requests get equal answers.
"""

import hashlib
import io
import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from tasks.emulator.painting.contents import Contents
from tasks.emulator.picture_note import read_note
from tasks.emulator.statement_truth import describe, is_as_in, is_true, ordered_answer

LOOKED_AT_PX = 256
TIE_MARGIN = 0.002
HALF_SHARP = 60.0
"""Mean square of the Laplacian, in squared grey levels, that counts as sharpness 0.5: an arbitrary choice."""

YES_NO = ("yes", "no")
WORDS = {
    "sharpness": ("sharp", "focus", "blur", "crisp", "detail"),
    "light": ("expos", "light", "bright", "dark"),
    "contrast": ("contrast", "flat", "subject"),
    "colour": ("colo", "palette", "vivid", "hue"),
}
CERTAINTY = {"yes": 1.0, "probably": 0.75, "unsure": 0.5, "probably not": 0.25, "no": 0.0}
SURE_LOG_ODDS, WRONG_LOG_ODDS = 4.0, 1.0
"""Log-odds of a right answer and of a wrong one, whose judge is less sure; arbitrary."""
LOG_ODDS_PER_MEASURE = 12.0
GRADES = {"excellent": 1.0, "good": 0.75, "fair": 0.5, "poor": 0.25, "bad": 0.0}


@dataclass(frozen=True, slots=True)
class VisionJudge:
    """The judge of one request.

    Args:
        pictures: The pictures' bytes, in order.
        seed: Determines its noise, together with the pictures and the question.
        noise: Standard deviation added to every measure, 0 for none.
        first_bias: Share of comparisons in which it prefers the first picture in any case, 0-1.
        error_rate: Share of understood statements that it answers wrongly, 0-1.
        yes_bias: Share of them that it answers with yes in any case, 0-1.
        swayed_rate: Share of statements that it answers as the picture's lettering orders, if it does, 0-1.
        certainties: Filled by ``fill``: the probability of yes behind each answer, in order.
    """

    pictures: Sequence[bytes]
    seed: int
    noise: float
    first_bias: float
    error_rate: float = 0.0
    yes_bias: float = 0.0
    swayed_rate: float = 0.0
    certainties: list[float] = field(default_factory=list)

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
        return self._reason(text.partition(" ")[2].strip())

    def _choose(self, choices: Sequence[str], text: str) -> str:
        if {"first", "second"} <= set(choices):
            return self._compare(choices, text)
        if {"yes", "no"} <= set(choices):
            chance = self.certainty(text.partition(" ")[2].strip())
            self.certainties.append(chance)
            if len(choices) == len(YES_NO):
                return "yes" if chance > 0.5 else "no"
            return min(choices, key=lambda choice: abs(CERTAINTY.get(choice, 2.0) - chance))
        value = self._value(text)
        known = [choice for choice in choices if choice in GRADES]
        if known:
            return min(known, key=lambda choice: abs(GRADES[choice] - value))
        return choices[min(int((1 - value) * len(choices)), len(choices) - 1)]

    def certainty(self, statement: str) -> float:
        """Return the probability of yes to a statement about the first picture; yes is over 0.5."""
        shown = self._shown()
        ordered = None if shown is None else ordered_answer(shown)
        if ordered and self._chance(statement, "swayed").random() < self.swayed_rate:
            return _logistic(SURE_LOG_ODDS if ordered == "yes" else -SURE_LOG_ODDS)
        truth = None if shown is None else self._truth(statement, shown)
        if truth is None:
            return _logistic(LOG_ODDS_PER_MEASURE * (self._value(statement) - 0.5))
        chance = self._chance(statement, "answer")
        is_wrong, is_swayed = chance.random() < self.error_rate, chance.random() < self.yes_bias
        sign = 1 if (truth != is_wrong or is_swayed) else -1
        sure = WRONG_LOG_ODDS if (sign > 0) != truth else SURE_LOG_ODDS
        noise = chance.gauss(0, 10 * self.noise) if self.noise else 0.0
        return _logistic(sign * max(0.05, sure + noise))

    def _truth(self, statement: str, shown: Contents) -> bool | None:
        references = [note for picture in self.pictures[1:] if (note := read_note(picture)) is not None]
        as_in = is_as_in(statement, shown, references)
        return is_true(statement, shown) if as_in is None else as_in

    def _shown(self) -> Contents | None:
        return read_note(self.pictures[0]) if self.pictures else None

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

    def _reason(self, statement: str) -> str:
        if not self.pictures:
            return "There is no picture."
        shown = self._shown()
        if shown is not None and self._truth(statement, shown) is not None:
            return describe(shown)
        seen = [measure(picture) for picture in self.pictures[:2]]
        measured = " / ".join(", ".join(f"{name} {value:.2f}" for name, value in one.items()) for one in seen)
        return f"Measured: {measured}."

    def _chance(self, text: str, what: str) -> random.Random:
        shown = [hashlib.sha256(picture).hexdigest() for picture in self.pictures]
        return random.Random(json.dumps([self.seed, shown, text, what]))


def _logistic(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


@lru_cache(maxsize=8)
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
