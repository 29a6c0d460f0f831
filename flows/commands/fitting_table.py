"""A table that is never cut: where a terminal is too narrow for its columns, each row is a short paragraph.

Without a terminal it is as wide as its figures need, so that a program or ``grep`` finds whole words.
"""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

LEAST_WORDS = 12
"""A column of words is no narrower than its longest word, or than this; a ``min_width`` counts instead."""
UNBOUNDED = 100_000


class UncutConsole(Console):
    """A console without a terminal: sentences are wrapped, and tables are as wide as they need."""

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401
        """Print, without cutting what is wider than the console."""
        super().print(*objects, **({"crop": False} | options))


class FittingTable(Table):
    """A table whose cells are never cut; use ``no_wrap`` for figures and for what people type again."""

    def __init__(self, right_padding: int = 1) -> None:
        super().__init__(
            box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", padding=(0, right_padding, 0, 0)
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as a table if there is room, and as paragraphs otherwise."""
        for column in self.columns:
            column.min_width = column.min_width or _least_width(column, console, options)
        if isinstance(console, UncutConsole):
            needed = Measurement.get(console, options.update(max_width=UNBOUNDED), self).minimum
            options = options.update(max_width=max(options.max_width, needed))
        drawn = list(super().__rich_console__(console, options))
        is_too_wide = _width(drawn) > options.max_width
        yield from self._paragraphs() if is_too_wide else drawn

    def _paragraphs(self) -> Iterator[RenderableType]:
        """Write the first cell of each row on a line of its own, and below it the others by their names."""
        yield Text("")
        names = [_text(column.header) for column in self.columns]
        cells = [list(column.cells) for column in self.columns]
        for row, (first, *others) in zip(self.rows, zip_longest(*cells, fillvalue=""), strict=False):
            named = zip(names[1:], map(_text, others), strict=True)
            style = row.style or ""
            yield Text.assemble((_text(first).plain, "bold"), style=style)
            parts = [Text.assemble((name.plain, "dim"), " ", cell) for name, cell in named if cell.plain]
            yield Padding(Text(" · ", style=style).join(parts), (0, 0, 0, 2))
        yield Text("")


def _least_width(column: Column, console: Console, options: ConsoleOptions) -> int:
    unbounded = options.update(max_width=UNBOUNDED)
    widths = [Measurement.get(console, unbounded, _text(cell)) for cell in (column.header, *column.cells)]
    if column.no_wrap:
        return max(width.maximum for width in widths)
    return min(LEAST_WORDS, max(width.minimum for width in widths))


def _text(cell: RenderableType) -> Text:
    return cell if isinstance(cell, Text) else Text.from_markup(str(cell))


def _width(drawn: Iterable[object]) -> int:
    segments = [part for part in drawn if isinstance(part, Segment)]
    return max((Segment.get_line_length(line) for line in Segment.split_lines(segments)), default=0)
