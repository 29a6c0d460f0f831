"""What a provider's error means, read from ``configs/provider_errors.yaml``: its codes first, then its words.

Codes are compared without case and punctuation, because gateways spell them in their own way.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tasks.catalogue import configs_folder, read_mapping
from tasks.images_api.error_body import ErrorBody

FILE = "provider_errors.yaml"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error means.

    Args:
        kind: The name of a ``FailureKind``.
        remedy: The name of a ``Remedy``; ``None`` where the kind says enough.
    """

    kind: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorMeanings:
    """Everything that the file knows, compared as ``plain_code`` and ``str.casefold`` leave it."""

    codes: Mapping[str, Meaning]
    types: Mapping[str, Meaning]
    phrases: Sequence[tuple[str, Meaning]]
    no_list_phrases: Sequence[str]

    def at_models_endpoint(self, code: str, message: str) -> Meaning | None:
        """Return what an error means for the list of models: ``no_list`` where it says nothing of buying."""
        words = message.casefold()
        if any(phrase in words for phrase in self.no_list_phrases):
            return Meaning("no_list")
        return self.of(ErrorBody(message, code, codes=(code,)))

    def of(self, error: ErrorBody) -> Meaning | None:
        """Return what an error means; ``None`` where only its status can say."""
        for code in error.codes:
            if meaning := self.codes.get(plain_code(code)):
                return meaning
        words = error.message.casefold()
        for phrase, meaning in self.phrases:
            if phrase in words:
                return meaning
        if (meaning := self.types.get(plain_code(error.type))) is None:
            return None
        # The type is of whatever the sender can change: with a code that is no moderation's, the request.
        return Meaning("rejected") if meaning.kind == "refused" and error.codes else meaning


def plain_code(code: str) -> str:
    """Return a code without case and punctuation."""
    return re.sub(r"[\W_]", "", code).lower()


@lru_cache(maxsize=1)
def error_meanings() -> ErrorMeanings:
    """Read the file.

    Raises:
        CatalogueError: It is missing or is not YAML.
    """
    file = configs_folder() / FILE
    codes, types = (
        {plain_code(name): _meaning(entry) for name, entry in read_mapping(file, key).items()}
        for key in ("codes", "types")
    )
    phrases = read_mapping(file, "phrases").items()
    no_list = [text.casefold() for text in read_mapping(file, "no_list_phrases")]
    return ErrorMeanings(
        codes, types, [(text.casefold(), _meaning(entry)) for text, entry in phrases], no_list
    )


def _meaning(entry: Mapping[str, Any]) -> Meaning:
    return Meaning(entry["kind"], entry.get("remedy"))
