"""The page's pictures: the gallery by row and arm, and the finalists with their finals.

The gallery has a band for each prompt row, with a column for each arm: its unique images, best first, each
with its duplicates collapsed under it. A finalist is a draft with the finals that were made from it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tasks.report_page.columns import VARIABLE
from tasks.report_page.lineage import lineage_file
from tasks.report_page.rows import Row, is_final, merit, name_verdict
from tasks.report_page.sources import Sources

STATEMENTS = f"{VARIABLE}rubric"
"""The column of a row's own statements, which are no part of its name."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture and its text.

    Args:
        row: Its report row.
        src: Its thumbnail, or ``None`` if there is none.
        duplicates: The drafts that are duplicates of it, nearest first.
    """

    row: Row
    src: str | None
    duplicates: tuple["Picture", ...] = ()

    @property
    def name(self) -> str:
        """The file's name without its extension."""
        return PurePosixPath(self.row["file"] or self.row["candidate_id"]).stem

    @property
    def alt(self) -> str:
        """The alternative text for screen readers."""
        kind = "Final" if is_final(self.row) else "Draft"
        return f"{kind} {self.name}, arm {self.row['arm']}: {self.row['prompt']}"

    @property
    def scores(self) -> list[tuple[str, float]]:
        """The scorers that gave a value, with their values."""
        pairs = ((key[6:], value) for key, value in self.row.items() if key.startswith("score_"))
        return [(name, value) for name, value in pairs if isinstance(value, float | int)]


@dataclass(frozen=True, slots=True)
class Cell:
    """The pictures of one arm for one prompt row."""

    arm: str
    prompt: str
    pictures: tuple[Picture, ...]
    without_picture: int


@dataclass(frozen=True, slots=True)
class Band:
    """One prompt row: the same variables in every arm, side by side; its title has their values."""

    row: int
    cells: tuple[Cell, ...]
    title: str = ""

    @property
    def kinds(self) -> str:
        """The CSS classes that the filter uses."""
        pictures = [picture for cell in self.cells for picture in cell.pictures]
        kinds = {
            "has-finalists": any(picture.row["finalist"] for picture in pictures),
            "has-duplicates": any(picture.duplicates for picture in pictures),
        }
        return " ".join(kind for kind, is_there in kinds.items() if is_there)


@dataclass(frozen=True, slots=True)
class Final:
    """One attempt at a finalist.

    Args:
        picture: The picture, and whether it was accepted (``None``: not decided).
        large: The large version of the picture; only for the first attempt.
        verdict: Whether it was accepted, as a short label.
        lineage: Its lineage file relative to the run's folder, if there is one.
    """

    picture: Picture
    large: str | None
    verdict: str
    lineage: str | None = None


@dataclass(frozen=True, slots=True)
class Finalist:
    """A chosen draft, its finals (the accepted or most faithful one first), and orders without a picture."""

    draft: Picture
    large: str | None
    finals: tuple[Final, ...]
    without_picture: tuple[Row, ...]

    @property
    def editions(self) -> tuple[Final, ...]:
        """The first final of each edition: the accepted one, or the most faithful."""
        first: dict[str | None, Final] = {}
        for final in self.finals:
            first.setdefault(final.picture.row["edition"], final)
        return tuple(first.values())

    @property
    def verdict(self) -> str:
        """The verdict as a short label; for several editions, how many were accepted."""
        verdicts = [edition.verdict for edition in self.editions]
        if len(set(verdicts)) == 1:
            return verdicts[0]
        return f"{verdicts.count('Accepted')} of {len(verdicts)} accepted"


def build_gallery(drafts: Sequence[Row], arms: Sequence[str], sources: Sources) -> list[Band]:
    """Arrange the drafts by prompt row and arm.

    Args:
        drafts: The report rows of stage ``draft``.
        arms: The arms in the order of the columns.
        sources: Gives thumbnails.
    """
    duplicates = _find_duplicates(drafts, sources)
    collapsed = {each.row["candidate_id"] for group in duplicates.values() for each in group}
    titles = {row["row"]: title_of(row) for row in drafts}
    by_place: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for row in drafts:
        if row["candidate_id"] not in collapsed:
            by_place[row["row"], row["arm"]].append(row)
    return [
        Band(
            row,
            tuple(
                _fill_cell(arm, by_place[row, arm], duplicates, sources)
                for arm in arms
                if (row, arm) in by_place
            ),
            titles.get(row, ""),
        )
        for row in sorted({place[0] for place in by_place})
    ]


def title_of(row: Row) -> str:
    """Name a row by the values of its variables."""
    named = (key for key in row if key.startswith(VARIABLE) and key != STATEMENTS)
    return " · ".join(str(row[key]) for key in named)


def _find_duplicates(drafts: Sequence[Row], sources: Sources) -> dict[str, tuple[Picture, ...]]:
    present = {row["candidate_id"] for row in drafts if row["candidate_id"]}
    found: dict[str, list[Picture]] = defaultdict(list)
    for row in drafts:
        if row["duplicate_of"] in present:  # else a duplicate of an earlier run's picture
            found[row["duplicate_of"]].append(Picture(row, sources.thumbnail(row["thumbnail"])))
    return {key: tuple(sorted(group, key=_nearness)) for key, group in found.items()}


def _nearness(duplicate: Picture) -> tuple[int, str]:
    distance = duplicate.row["hash_distance"]
    return (64 if distance is None else distance, duplicate.name)


def _fill_cell(
    arm: str, rows: Sequence[Row], duplicates: dict[str, tuple[Picture, ...]], sources: Sources
) -> Cell:
    shown = sorted((row for row in rows if row["candidate_id"]), key=merit)
    pictures = (
        Picture(row, sources.thumbnail(row["thumbnail"]), duplicates.get(row["candidate_id"], ()))
        for row in shown
    )
    without = {row["order_id"] for row in rows if not row["candidate_id"]}
    return Cell(arm, rows[0]["prompt"], tuple(pictures), len(without))


def build_finalists(
    drafts: Iterable[Row],
    finals: Iterable[Row],
    sources: Sources,
    min_fidelity: float | None,
    large_count: int = 12,
) -> list[Finalist]:
    """Pair each finalist with the finals that were made from it.

    Args:
        drafts: The report rows of stage ``draft``.
        finals: The report rows of stage ``final``.
        sources: Gives thumbnails and large pictures.
        min_fidelity: The fidelity below which a final is not accepted; ``None`` if editions differ.
        large_count: How many finalists are shown large; the others as thumbnails.
    """
    tries: dict[str, list[Row]] = defaultdict(list)
    for row in finals:
        tries[row["draft_id"]].append(row)
    chosen = sorted((row for row in drafts if row["finalist"] or row["candidate_id"] in tries), key=merit)
    return [
        _pair(row, tries[row["candidate_id"]], sources, min_fidelity, is_large=place < large_count)
        for place, row in enumerate(chosen)
    ]


def _pair(
    draft: Row, tries: Sequence[Row], sources: Sources, min_fidelity: float | None, *, is_large: bool
) -> Finalist:
    look: Callable[[Row], str | None] = lambda row: sources.thumbnail(row["thumbnail"])  # noqa: E731
    if is_large:
        look = sources.large
    made = sorted((row for row in tries if row["candidate_id"]), key=_accepted_first)
    finals = [
        Final(
            Picture(row, sources.thumbnail(row["thumbnail"])),
            look(row) if place == 0 else None,
            name_verdict(row, min_fidelity).capitalize(),
            sources.beside(lineage_file(row["file"])) if row["file"] else None,
        )
        for place, row in enumerate(made)
    ]
    without_picture = tuple(row for row in tries if not row["candidate_id"])
    return Finalist(
        Picture(draft, sources.thumbnail(draft["thumbnail"])), look(draft), tuple(finals), without_picture
    )


def _accepted_first(row: Row) -> tuple[bool, float]:
    return (not row["accepted"], -(row["fidelity"] or 0.0))
