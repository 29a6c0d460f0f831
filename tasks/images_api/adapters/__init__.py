"""Adapters: one small file for each protocol by which pictures are sold, other than the vendor's Images API.

The contract: an adapter turns the fields of an images request into one JSON request, a path below the
provider's address and a body. It sends nothing, spends nothing and reads no answer: reserving, sending once,
keeping and settling are the buyer's, and every shape of answer is read in the same way
(``tasks.images_api.found_pictures``). What a protocol cannot say, such as a quality, it leaves out; what a
model wants besides stands in the catalogue as its ``request``.
"""

from collections.abc import Callable, Mapping

from tasks.images_api.adapters import chat_images, gemini, openrouter, predictions
from tasks.images_api.adapters.json_request import Fields, JsonRequest

Adapter = Callable[[Fields], JsonRequest]

ADAPTERS: Mapping[str, Adapter] = {
    "chat-images": chat_images.request_of,
    "gemini": gemini.request_of,
    "openrouter": openrouter.request_of,
    "predictions": predictions.request_of,
}
"""By a provider's ``kind``; ``openai`` needs none, and ``azure`` only another address (``azure.py``)."""

__all__ = ["ADAPTERS", "azure", "json_request"]
