"""Candidates: one picture each, with all that is known about it.

An order is one paid request; a candidate is one picture. Both are immutable: the ledger stores them, steps
read them and write results back by id. A position in a list is never an identity.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from tasks.order import Stage, digest_of


@dataclass(frozen=True, slots=True)
class Receipt:
    """One picture received: its file and its position in the answer.

    Args:
        order_id: The order that paid for it.
        index: Its position in the response, from 0.
        replicate: Its position among the pictures of its arm and row, from 0.
        file: Path relative to the run's folder.
        sha256: Hex digest of the bytes as received.
        n_bytes: The number of bytes.
        downgraded: What differs from the request, or ``None`` when everything was checked and matches.
    """

    order_id: str
    index: int
    replicate: int
    file: str
    sha256: str
    n_bytes: int
    downgraded: str | None

    @property
    def candidate_id(self) -> str:
        """The picture's id, derived from its order and its position in the answer."""
        return candidate_id(self.order_id, self.index)


def candidate_id(order_id: str, index: int) -> str:
    """Return the id of the ``index``-th picture of an order."""
    return "c-" + digest_of([order_id, index])


@dataclass(frozen=True, slots=True)
class Inspection:
    """What decoding a picture showed.

    Args:
        width: Pixels; ``None`` when the bytes are not a picture; the same holds for all fields below.
        height: Pixels.
        format: ``png``, ``jpeg``, ``webp`` or ``gif``.
        has_c2pa: Whether the container carries Content Credentials.
        phash: 64-bit perceptual hash, 16 hex digits.
        dhash: 64-bit difference hash, 16 hex digits.
        colorhash: imagehash's colour hash, hex digits.
        measurements: Raw technical measurements by name.
        thumbnail: Path relative to the run's folder.
        fault: Why the bytes are not a usable picture, or ``None``.
        c2pa_issuer: Who signed the Content Credentials; ``None`` without the extra ``provenance``.
        c2pa_state: ``valid``, ``invalid`` or ``trusted``.
    """

    width: int | None = None
    height: int | None = None
    format: str | None = None
    has_c2pa: bool | None = None
    phash: str | None = None
    dhash: str | None = None
    colorhash: str | None = None
    measurements: Mapping[str, float] = field(default_factory=dict)
    thumbnail: str | None = None
    fault: str | None = None
    c2pa_issuer: str | None = None
    c2pa_state: str | None = None


HashName = Literal["phash", "dhash"]
"""A perceptual hash whose bits can be compared."""

Status = Literal["survivor", "duplicate", "unfit"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The result of deduplication for a candidate.

    Args:
        status: ``survivor`` (a unique image), ``duplicate`` or ``unfit`` (not a picture that can be shown).
        cluster: The candidate id of its cluster's representative; its own for a unique image.
        duplicate_of: The representative it is a duplicate of, or ``None``.
        duplicate_kind: ``exact`` (same bytes), ``near``, ``similar``, ``mirrored`` (or turned), ``framed``
            (with a border), ``told`` (a person decided it), or ``None``. A unique image may be ``mirrored``
            or ``framed`` too, when such copies are kept, and ``near``: the same as one of another arm.
        hash_distance_bits: Hamming distance to the representative; ``None`` for a unique image.
        similarity: To the representative; for a unique image to the one that it is most similar to, 0-1;
            ``None`` when it was not measured.
        similar_cluster: The best of the unique images that are similar to one another; its own id when none
            is; ``None`` when looks were not compared.
    """

    status: Status
    cluster: str | None
    duplicate_of: str | None = None
    duplicate_kind: Literal["exact", "near", "similar", "mirrored", "framed", "told"] | None = None
    hash_distance_bits: int | None = None
    similarity: float | None = None
    similar_cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One scorer's score of one candidate.

    Args:
        value: In [0, 1], higher is better; ``None``, never 0, when the scorer could not score it.
        reason: Why, in a few words for people.
        measurements: The raw figures behind it.
        version: The scorer's version; scores of different versions are not compared.
    """

    value: float | None
    reason: str
    measurements: Mapping[str, float] = field(default_factory=dict)
    version: str = "1"


@dataclass(frozen=True, slots=True)
class Choice:
    """What selection decided about a draft.

    Args:
        rank: 1 for the best unique image; ``None`` when it was not ranked.
        is_finalist: Whether it is to be bought again.
        reason: Why it was or was not chosen.
        chosen_by: ``rule`` or a person's name; ``None`` when it was not chosen.
    """

    rank: int | None
    is_finalist: bool
    reason: str
    chosen_by: str | None = None


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How closely a final matches the draft it was made from.

    Args:
        value: In [0, 1]; 1 is the same picture.
        ssim: Structural similarity where it is lowest, -1 to 1.
        hash_distance_bits: Hamming distance of the perceptual hashes, 0-64.
        palette: Similarity of the colours where it is lowest, 0-1.
        zoom: How much larger the final shows things, as a share: 0.04 is 4 %. ``None`` here and below where
            it was not measured.
        shift: How far its middle moved, in shares of the longest edge.
        tone: How far its colours changed as a whole, in shares of the range from black to white.
        is_mirrored: Whether it shows the draft's mirror image.
    """

    value: float
    ssim: float
    hash_distance_bits: int
    palette: float
    zoom: float | None = None
    shift: float | None = None
    tone: float | None = None
    is_mirrored: bool | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One picture and all that is known about it; ``None`` means not known (yet).

    Args:
        candidate_id: Its id.
        order_id: The order that paid for it.
        stage: ``draft`` or ``final``.
        arm: The arm's name.
        row: Index of the row of variables, from 0.
        replicate: Its position among the pictures of its arm and row, from 0.
        attempt: For a final, which attempt it is, from 0.
        prompt: The rendered text.
        file: Path relative to the run's folder.
        sha256: Hex digest of the bytes.
        n_bytes: The number of bytes.
        downgraded: What differs from the request, or ``None``.
        draft_id: For a final, the draft it is made from; for a draft of a further round, the picture that it
            grew from.
        edition: For a final, which edition it is; ``None`` where there is only one.
        further_round: Which further round bought it, or its draft; ``None`` for the campaign's own.
        endpoint: Which endpoint made it.
        is_liked: Whether a person liked it: such a picture is never marked as a duplicate.
        is_pruned: Whether its files were deleted to save disk space.
        inspection: What decoding it showed.
        standing: The result of deduplication.
        scores: Scores by scorer name.
        score: Weighted mean of the scorers that answered, in [0, 1].
        choice: What selection decided.
        fidelity: For a final, how closely it matches its draft.
        is_accepted: For a final, whether it is the one delivered.
    """

    candidate_id: str
    order_id: str
    stage: Stage
    arm: str
    row: int
    replicate: int
    attempt: int
    prompt: str
    file: str
    sha256: str
    n_bytes: int
    downgraded: str | None = None
    draft_id: str | None = None
    edition: str | None = None
    endpoint: str = "generations"
    is_liked: bool = False
    is_pruned: bool = False
    inspection: Inspection | None = None
    standing: Standing | None = None
    scores: Mapping[str, Score] = field(default_factory=dict)
    score: float | None = None
    choice: Choice | None = None
    fidelity: Fidelity | None = None
    is_accepted: bool | None = None
    further_round: int | None = None

    @property
    def name(self) -> str:
        """The name shown to people: its file name without folder and extension."""
        return PurePosixPath(self.file).stem

    @property
    def is_draft(self) -> bool:
        """Whether it is a draft."""
        return self.stage == "draft"

    @property
    def is_further_draft(self) -> bool:
        """Whether it is a draft that a person asked for from one picture."""
        return self.is_draft and self.further_round is not None

    @property
    def is_campaign_draft(self) -> bool:
        """Whether it is a draft that the campaign itself asks for, and so evidence about its arm."""
        return self.is_draft and self.further_round is None

    @property
    def is_final(self) -> bool:
        """Whether it is a final."""
        return self.stage == "final"

    @property
    def fault(self) -> str | None:
        """Why its bytes are not a usable picture; ``None`` when they are, or were not inspected."""
        return self.inspection.fault if self.inspection else None

    @property
    def thumbnail(self) -> str | None:
        """Its thumbnail's file, relative to the run's folder; ``None`` when it has none."""
        return self.inspection.thumbnail if self.inspection else None

    @property
    def is_sound(self) -> bool:
        """Whether its bytes were inspected and are a usable picture."""
        return self.inspection is not None and self.inspection.fault is None

    @property
    def status(self) -> Status | None:
        """Its deduplication status; ``None`` before deduplication."""
        return self.standing.status if self.standing else None

    @property
    def is_survivor(self) -> bool:
        """Whether it is a unique image: no duplicate, and fit to show."""
        return self.status == "survivor"

    @property
    def is_duplicate(self) -> bool:
        """Whether another picture represents it."""
        return self.status == "duplicate"

    @property
    def is_fit(self) -> bool:
        """Whether a person may choose it: a unique image or a duplicate of one."""
        return self.is_survivor or self.is_duplicate

    @property
    def is_finalist(self) -> bool:
        """Whether it is to be bought again."""
        return self.choice is not None and self.choice.is_finalist

    @property
    def rank(self) -> int | None:
        """Its rank among the unique images, 1 for the best; ``None`` when it was not ranked."""
        return self.choice.rank if self.choice else None

    def hash_digits(self, name: HashName) -> str | None:
        """Read one of its perceptual hashes, 16 hex digits; ``None`` when it has none."""
        if self.inspection is None:
            return None
        return self.inspection.phash if name == "phash" else self.inspection.dhash

    def value_of(self, scorer: str) -> float | None:
        """Read one scorer's value; ``None`` when it gave none."""
        score = self.scores.get(scorer)
        return score.value if score else None


def rank_finalists(candidates: Iterable[Candidate]) -> list[Candidate]:
    """List the finalists by rank; those that a person chose among the unranked come first."""
    return sorted((one for one in candidates if one.is_finalist), key=lambda one: one.rank or 0)


def are_one_picture(one: Candidate, other: Candidate) -> bool:
    """Whether two unique images are the same picture to the eye, in two arms.

    In a group of similar pictures with such a pair its members are not told from the others.
    """
    kinds = [each.standing.duplicate_kind if each.standing else None for each in (one, other)]
    return one.arm != other.arm and "near" in kinds and are_similar(one, other)


def are_similar(one: Candidate, other: Candidate) -> bool:
    """Whether two pictures look the same, or have the same composition; not known counts as no."""
    clusters = [each.standing.similar_cluster if each.standing else None for each in (one, other)]
    return clusters[0] is not None and clusters[0] == clusters[1]
