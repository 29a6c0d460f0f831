"""What counts as a duplicate."""

from typing import Literal, Protocol

from tasks.candidate import HashName
from tasks.pictures.likeness import NEAR_SIMILARITY

Level = Literal["exact", "near", "similar"]
Within = Literal["prompt", "arm", "campaign"]
Altered = Literal["mirrored", "framed"]
"""A copy that was mirrored or turned, or that has a border round it."""

DEFAULT_RADIUS_BITS = 6
"""The radius where no look can be had and none was set."""

SIMILAR_SIMILARITY = 0.6
"""From this similarity on, pictures have the same composition with other details.

Pictures with one word exchanged have 0.71 and more, the emulator's pictures of one product before other
backgrounds 0.46 at most (``benchmarks/deduplication.py``).
"""


class DuplicateRule(Protocol):
    """What counts as a duplicate: the ``deduplicate`` section of a campaign.

    Attributes:
        level: How alike duplicates are: ``exact`` in every byte, ``near`` the same picture to the eye,
            ``similar`` the same composition with other details.
        min_similarity: The similarity from which on pictures are duplicates, 0-1; ``None`` for the level's.
        fold_mirrored: Whether a mirrored or turned copy is a duplicate.
        fold_framed: Whether a copy with a border round it is a duplicate.
        hash: Which hash is compared.
        radius_bits: Hashes of duplicates differ in at most this many bits, 0-16, and no look is taken;
            ``None`` to decide by looks.
        within: Where duplicates are looked for: among the pictures of one arm's prompt, of one arm, or of the
            whole campaign.
        history_runs: How many earlier runs are compared with; the caller passes their candidates.
    """

    @property
    def level(self) -> Level: ...  # noqa: D102
    @property
    def min_similarity(self) -> float | None: ...  # noqa: D102
    @property
    def fold_mirrored(self) -> bool: ...  # noqa: D102
    @property
    def fold_framed(self) -> bool: ...  # noqa: D102
    @property
    def hash(self) -> HashName: ...  # noqa: D102
    @property
    def radius_bits(self) -> int | None: ...  # noqa: D102
    @property
    def within(self) -> Within: ...  # noqa: D102
    @property
    def history_runs(self) -> int: ...  # noqa: D102


def least_similarity(rule: DuplicateRule) -> float:
    """Return the similarity from which on two pictures are duplicates."""
    if rule.min_similarity is not None:
        return rule.min_similarity
    return SIMILAR_SIMILARITY if rule.level == "similar" else NEAR_SIMILARITY


def folds(rule: DuplicateRule, altered: Altered) -> bool:
    """Whether a copy that was turned, or that has a border, is a duplicate."""
    return rule.fold_mirrored if altered == "mirrored" else rule.fold_framed
