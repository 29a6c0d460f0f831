"""The vendor's models that read pictures and answer in text, with prices and token counts.

Source: developers.openai.com, model page of GPT-6 Luna, checked 2026-11-22.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import ceil

PATCH_PX = 32
# Source: public token counters for the GPT-6 family (vision-squeezer 0.6.2), checked 2026-11-22.
PATCH_FACTOR = 1.2
MOST_PATCHES = 2_500
EFFORTS = ("none", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class ChatModel:
    """One model that answers in text; prices are nano-dollars per token.

    Args:
        id: The name sent in requests.
        released: The day of its release.
        input_nanousd: Per token sent, for text and pictures alike.
        output_nanousd: Per token of the answer.
    """

    id: str
    released: date
    input_nanousd: int
    output_nanousd: int

    def charge_nanousd(self, input_tokens: int, output_tokens: int) -> int:
        """The cost of tokens, in nano-dollars."""
        return input_tokens * self.input_nanousd + output_tokens * self.output_nanousd

    def as_wire(self) -> dict[str, str | int | None]:
        """The model as JSON of the models endpoint."""
        midnight = datetime(self.released.year, self.released.month, self.released.day, tzinfo=UTC)
        return {
            "id": self.id,
            "object": "model",
            "created": int(midnight.timestamp()),
            "owned_by": "system",
            "shutdown_date": None,
        }


CHAT_MODELS = {model.id: model for model in (ChatModel("gpt-6-luna", date(2026, 9, 22), 100, 500),)}


def picture_tokens(width_px: int, height_px: int) -> int:
    """Count the input tokens of one picture: 1.2 per patch of 32 x 32 px, at most 3,000."""
    patches = ceil(width_px / PATCH_PX) * ceil(height_px / PATCH_PX)
    return ceil(min(patches, MOST_PATCHES) * PATCH_FACTOR)


def text_tokens(text: str) -> int:
    """Count the tokens of a text by the emulator's own rule: a quarter of its characters, plus six."""
    return len(text) // 4 + 6
