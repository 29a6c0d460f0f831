"""Draws docs/images/tour.svg: a session in a terminal, from nothing to bought finals, as a moving picture.

``python -m docs.terminal_session`` types the commands below in an empty folder without a key, keeps what they
print with its colours, and writes the screens one after another into one SVG that moves by CSS alone. It
takes a minute or two and spends nothing. Who asks for less motion sees the screen of the run.
"""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from docs.screenshots import COMMAND, IMAGES, TODAY
from tasks.catalogue.providers import load_providers
from tests.support.child_process import end_by, read_line, started

COLUMNS, ROWS = 100, 39
CELL_PX, LINE_PX, FONT_PX = 8.0, 18, 13.2
MARGIN_PX, BAR_PX = 22, 46
TYPED_PER_S, ANSWER_S, READ_S_PER_LINE, MOST_READ_S, SCREEN_S = 22, 0.4, 0.25, 5.0, 2.0
GROUND, BAR, INK, DIM = "#14161b", "#1d2027", "#e6e9ef", "#8d95a5"
COLOURS = [
    (141, 149, 165), (255, 140, 128), (95, 208, 174), (240, 195, 110),
    (134, 170, 255), (215, 155, 224), (92, 201, 187), (230, 233, 239),
]  # fmt: skip
THEME = TerminalTheme((20, 22, 27), (230, 233, 239), COLOURS, COLOURS)
CONTROL = re.compile(r"\x1b\[(?:\?25[lh]|[0-9]*K|[0-9]*[A-D])")


@dataclass(frozen=True)
class Screen:
    """What stands in the window at one time.

    Args:
        title: What the commands are for.
        commands: What is typed, one after another.
    """

    title: str
    commands: Sequence[str]


SCREENS = (
    Screen("Write a campaign of your own", ["runoff init"]),
    Screen("See what it would buy, and its price", ["runoff plan"]),
    Screen("Buy the drafts; duplicates go, the rest is judged", ["runoff run --yes"]),
    Screen(
        "Find it again, look, and vote in the browser",
        ["runoff runs", "runoff report latest", "runoff review"],
    ),
    Screen("Buy the finalists at high quality", ["runoff promote latest --yes"]),
    Screen("What it cost, and that the books are right", ["runoff ledger spend", "runoff ledger verify"]),
)
SHOWN_WITHOUT_MOTION = 2


def environ() -> Mapping[str, str]:
    """Return the environment of somebody without a key, at a terminal with colours."""
    providers = load_providers().by_name.values()
    secret = {name for one in providers for name in (one.key_variable, one.base_url_variable)}
    kept = {name: value for name, value in os.environ.items() if name not in secret and "RUNOFF" not in name}
    return kept | {
        "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "RUNOFF_TODAY": TODAY, "PYTHONUNBUFFERED": "1"
    }  # fmt: skip


def type_in(command: str, folder: Path) -> str:
    """Give a command in the folder; returns what it prints.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    words = [COMMAND, *command.split()[1:]]
    if command == "runoff review":
        with started([*words, "--no-browser"], cwd=folder, env=environ(), stdout=subprocess.PIPE) as process:
            line = read_line(process)
            end_by(process, signal.SIGINT)
        return line
    done = subprocess.run(words, cwd=folder, env=environ(), check=True, stdout=-1, stderr=-2)
    return done.stdout.decode()  # as bytes: a lone carriage return begins a line again, and ends none


def lines_of(output: str, folder: Path) -> list[Text]:
    """Read an output's lines as they stand in the end, with colours and without the machine's folder."""
    plain = output.replace(str(folder.resolve()), "~/pictures").replace(str(folder), "~/pictures")
    settled = [CONTROL.sub("", line.rstrip("\r").rpartition("\r")[2]).rstrip() for line in plain.split("\n")]
    lines = [part for line in settled for part in wrapped(Text.from_ansi(line))]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    return lines[1:] if lines and not lines[0].plain.strip() else lines


def wrapped(line: Text) -> list[Text]:
    """Break a line where the window ends, as a terminal does."""
    line.rstrip()
    return list(line.divide(range(COLUMNS, len(line), COLUMNS)))


def colour_of(style: Style) -> str:
    """Return the colour of text in a style."""
    if style.dim:
        return DIM
    colour: Color | None = style.color
    return colour.get_truecolor(THEME).hex if colour and not colour.is_default else INK


def spans(line: Text, y: float) -> Iterator[str]:
    """Draw a line: words of one style at their column, so that tables are straight in any font."""
    column = 0
    for text, style, _ in line.render(Console(width=COLUMNS, color_system="truecolor")):
        drawn = style or Style()
        weight = ' font-weight="700"' if drawn.bold else ""
        for words in re.finditer(r"\S+(?: \S+)*", text):
            x = MARGIN_PX + (column + cell_len(text[: words.start()])) * CELL_PX
            yield (
                f'<text x="{x:g}" y="{y:g}" textLength="{cell_len(words[0]) * CELL_PX:g}" '
                f'fill="{colour_of(drawn)}"{weight}>{escape(words[0])}</text>'
            )
        column += cell_len(text)


@dataclass(frozen=True)
class Part:
    """A part of the picture.

    Args:
        begin_s: When it is first seen.
        end_s: When it is last seen.
        drawn: What is seen.
        y: The base line of a command that is typed letter by letter; ``None`` for all else.
        n_cells: The command's length.
    """

    begin_s: float
    end_s: float
    drawn: str
    y: float | None = None
    n_cells: int = 0


class Film:
    """The screens one after another; each types its commands, answers, and leaves time to read."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.screens: list[list[Part]] = []

    def add(self, screen: Screen, outputs: Sequence[Sequence[Text]]) -> None:
        """Add a screen with what its commands print; the title is its first part."""
        n_lines = sum(len(output) + 2 for output in outputs) - 1
        y = BAR_PX + 30 - max(0, n_lines - ROWS) * LINE_PX
        now, parts = self.seconds, [Part(self.seconds, 0, title(screen.title))]
        for command, output in zip(screen.commands, outputs, strict=True):
            typed = Text.assemble(("$ ", "cyan"), (command, "bold"))
            parts.append(Part(now, 0, "".join(spans(typed, y)), y, len(command)))
            now += len(command) / TYPED_PER_S + ANSWER_S
            drawn = [span for at, line in enumerate(output, 1) for span in spans(line, y + at * LINE_PX)]
            parts.append(Part(now, 0, "".join(drawn)))
            y += (len(output) + 2) * LINE_PX
            now += min(MOST_READ_S, len(output) * READ_S_PER_LINE)
        self.seconds = now + SCREEN_S
        self.screens.append([replace(part, end_s=self.seconds) for part in parts])

    def percent(self, at_s: float) -> str:
        """Write a time as a part of the whole."""
        return f"{100 * at_s / self.seconds:.3f}%"

    def animated(self, part: Part, name: str, *, is_still: bool) -> tuple[str, str]:
        """Return the rules of a part and its elements.

        Args:
            part: The part.
            name: Its class and that of its keyframes.
            is_still: Whether it is seen where nothing moves.
        """
        first = "visible" if part.begin_s == 0 else "hidden"
        begin, end = self.percent(part.begin_s), self.percent(part.end_s)
        rules = (
            f".{name}{{animation-name:{name}}}@keyframes {name}{{0%{{visibility:{first}}}"
            f"{begin}{{visibility:visible}}{end},100%{{visibility:hidden}}}}"
        )
        cover = ""
        if part.y is not None:
            typed = self.percent(part.begin_s + part.n_cells / TYPED_PER_S)
            shift = f"transform:translateX({part.n_cells * CELL_PX:g}px)"
            rules += (
                f"@keyframes {name}t{{0%,{begin}{{transform:none;animation-timing-function:"
                f"steps({part.n_cells})}}{typed},100%{{{shift}}}}}"
                f".{name} .t{{animation:{name}t {self.seconds:.2f}s infinite}}"
            )
            cover = (
                f'<svg x="{MARGIN_PX + 2 * CELL_PX:g}" y="{part.y - LINE_PX + 5:g}" height="{LINE_PX}" '
                f'width="{part.n_cells * CELL_PX:g}"><rect class="t" width="100%" height="100%" '
                f'fill="{GROUND}"/></svg>'
            )
        return rules, f'<g class="p {name}{" still" if is_still else ""}">{part.drawn}{cover}</g>'

    def svg(self) -> str:
        """Write the picture."""
        rules: list[str] = []
        titles: list[str] = []
        texts: list[str] = []
        for number, screen in enumerate(self.screens):
            for at, part in enumerate(screen):
                names = f"s{number}p{at}"
                rule, drawn = self.animated(part, names, is_still=number == SHOWN_WITHOUT_MOTION)
                rules.append(rule)
                (titles if at == 0 else texts).append(drawn)
        return PAGE.format(
            width=2 * MARGIN_PX + COLUMNS * CELL_PX, height=BAR_PX + 24 + ROWS * LINE_PX, font=FONT_PX,
            seconds=f"{self.seconds:.2f}", rules="\n".join(rules), ground=GROUND, bar=BAR, bar_height=BAR_PX,
            texts="\n".join(texts), titles="\n".join(titles),
        )  # fmt: skip


def title(text: str) -> str:
    """Draw the title of a screen into the window's bar."""
    return f'<text class="title" x="50%" y="29" text-anchor="middle">{escape(text)}</text>'


PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">
<title>A session in a terminal: init, plan, run, runs, report, review, promote, and what it cost</title>
<style>
text{{font:{font}px ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"Liberation Mono",monospace}}
.title{{font:600 14px system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;fill:#c9cfda}}
.p{{visibility:hidden;animation:{seconds}s step-end infinite}}
.still{{visibility:visible}}
{rules}
@media (prefers-reduced-motion:reduce){{.p,.p .t{{animation:none}}.t{{visibility:hidden}}}}
</style>
<rect width="100%" height="100%" rx="10" fill="{ground}"/>
{texts}
<rect width="100%" height="{bar_height}" rx="10" fill="{bar}"/>
<g fill="#3a3f4b">
<circle cx="24" cy="23" r="6"/><circle cx="44" cy="23" r="6"/><circle cx="64" cy="23" r="6"/>
</g>
{titles}
</svg>
"""


def hold(folder: Path) -> list[list[list[Text]]]:
    """Hold the session in a folder; returns the lines of each command of each screen."""
    return [[lines_of(type_in(command, folder), folder) for command in screen.commands] for screen in SCREENS]


def main() -> None:
    """Hold the session, and draw it."""
    film = Film()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "pictures"
        folder.mkdir()
        for screen, outputs in zip(SCREENS, hold(folder), strict=True):
            film.add(screen, outputs)
    (IMAGES / "tour.svg").write_text(film.svg(), encoding="utf-8")


if __name__ == "__main__":
    main()
