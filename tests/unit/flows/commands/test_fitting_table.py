"""Tables are never cut, however narrow the terminal."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from flows.commands.fitting_table import UncutConsole
from flows.commands.tables import new_table

CELLS = ("20261130-234233-wyhb", "a-campaign-of-otters", "awaiting review", "24", "$0.4491")


def printed(console: Console) -> list[str]:
    """Print a table of one row, and a long sentence; returns the lines."""
    table = new_table("run", "campaign", "state", "drafts", "spent", right=("drafts", "spent"))
    table.add_row(*CELLS)
    console.print(table, Text("word " * 60))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def terminal(width: int) -> Console:
    """A terminal so wide, without colours."""
    return Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_terminal_shows_every_cell_whole(width: int) -> None:
    """Where the columns have no room, each row is a paragraph with the names of its columns."""
    lines = printed(terminal(width))
    words = " ".join(" ".join(lines).split())
    assert [cell for cell in (*CELLS, "campaign", "state", "drafts", "spent") if cell not in words] == []
    assert max(map(len, lines)) <= width


def test_a_table_with_room_is_a_table() -> None:
    """Its cells are on one line."""
    assert any(all(cell in line for cell in CELLS) for line in printed(terminal(120)))


def test_without_a_terminal_a_row_keeps_its_figures_on_one_line() -> None:
    """However narrow the console; sentences are wrapped as before."""
    lines = printed(UncutConsole(file=io.StringIO(), width=40))
    (row,) = [line for line in lines if CELLS[0] in line]
    assert [cell for cell in (CELLS[0], *CELLS[3:]) if cell not in row] == []
    assert max(len(line) for line in lines if line.startswith("word")) <= 40
