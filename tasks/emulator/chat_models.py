"""The vendor's models that read pictures and answer in words, as the emulator knows them.

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
    """One model that answers in words; prices are nano-dollars for one token.

    Args:
        id: The name sent in requests.
        released: First day.
        input_nanousd: For each token sent, of text and of pictures alike.
        output_nanousd: For each token of the answer.
    """

    id: str
    released: date
    input_nanousd: int
    output_nanousd: int

    def charge_nanousd(self, input_tokens: int, output_tokens: int) -> int:
        """What tokens cost, in nano-dollars."""
        return input_tokens * self.input_nanousd + output_tokens * self.output_nanousd

    def as_wire(self) -> dict[str, str | int | None]:
        """The model as the models endpoint tells it."""
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
    """Count the input tokens of one picture: patches of 32 pixels, a fifth more, at most 3,000."""
    patches = ceil(width_px / PATCH_PX) * ceil(height_px / PATCH_PX)
    return ceil(min(patches, MOST_PATCHES) * PATCH_FACTOR)


def text_tokens(text: str) -> int:
    """Count the tokens of a text, the emulator's own way: a quarter of its characters, and six around."""
    return len(text) // 4 + 6
