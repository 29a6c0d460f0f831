"""Write every page, table and schema that can be read off the code: ``python -m docs.generate``.

What is written here cannot disagree with the product: commands come from click, errors from their classes,
faults from the table the buyer acts by, columns and campaign keys from their models. Pages that people write
hold written parts between two marker lines. ``--check`` writes nothing and tells which files are stale.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from inspect import cleandoc
from itertools import groupby
from pathlib import Path

import click

from docs.million import arithmetic, measurements
from docs.rooms import layers, rooms
from flows.command_line import runoff
from flows.commands.plan_tables import format_range
from flows.commands.review import TOKEN_VARIABLE
from flows.runs.outcome import INCOMPLETE
from flows.workers.dask_pool import DASK_VARIABLE
from tasks.campaign.schema import generated_files
from tasks.campaign_file.load import load_campaign
from tasks.catalogue import CATALOGUE_VARIABLE, Catalogue, configs_folder, load_catalogue
from tasks.catalogue.providers import RATE_VARIABLE, Provider, load_providers
from tasks.clock import TODAY_VARIABLE
from tasks.errors import RunoffError
from tasks.images_api.failures import FailureKind
from tasks.ledger.database import LEDGER_VARIABLE
from tasks.ledger.monthly_limit import LIMIT_VARIABLE
from tasks.money import format_usd
from tasks.pictures.provenance import ANCHORS_VARIABLE
from tasks.plan import Plan, plan
from tasks.report_page.columns import replace_table
from tasks.storage.mirror import HOME_VARIABLE, MIRRORS_VARIABLE

PAGES = Path(__file__).parent
PRICED_CAMPAIGNS = ("otter.yaml", "product-ad.yaml")

"""After these, once nothing is sent again, the buyer takes the order back and stops the run."""

OWN_VARIABLES = {
    HOME_VARIABLE: "Where the ledger, pictures and reports are kept, when `--home` is not given: a "
    "folder, or the address of a [store](deploy.md).",
    MIRRORS_VARIABLE: "Where this machine mirrors such a store; else below the user's cache folder.",
    LEDGER_VARIABLE: "The ledger's database, as an SQLAlchemy URL; without it `ledger.db` in the home.",
    LIMIT_VARIABLE: "The most that all campaigns together may spend in a calendar month (UTC), US dollars.",
    CATALOGUE_VARIABLE: "A YAML file with models to add or replace, merged last over the catalogue.",
    RATE_VARIABLE: "Your account's images per minute, in place of the provider's in `providers.yaml`.",
    DASK_VARIABLE: "A Dask scheduler, such as `tcp://host:8786`: its workers make "
    "[a run's pictures](deploy.md#one-run-over-many-workers).",
    ANCHORS_VARIABLE: "A PEM file of root certificates: who signs by one is [`trusted`](report.md).",
    TODAY_VARIABLE: "A day, `YYYY-MM-DD`, taken for today: to rehearse a model's retirement.",
    TOKEN_VARIABLE: "The token that the [review page](review.md) asks for away from loopback.",
    "PREFECT_API_URL": "A Prefect server to run on, ending in `/api`; without it Runoff brings up its own.",
}
"""What each variable means that no provider brings; a test finds any that the code reads and this lacks."""


def pages() -> dict[Path, str]:
    """Map each written file to the text it should hold.

    Raises:
        ValueError: A page has lost its markers. Nothing was written.
    """
    report = PAGES / "report.md"
    return {
        **generated_files(),
        report: replace_table(report.read_text(encoding="utf-8")),
        **_filled(PAGES.parent / "README.md", costs=_costs()),
        **_filled(
            PAGES / "commands.md", commands=_commands(), exit_codes=_exit_codes(), variables=_variables()
        ),
        **_filled(PAGES / "errors.md", tree=_tree(), faults=_faults()),
        **_filled(PAGES / "architecture.md", rooms=rooms(), layers=layers()),
        **_filled(PAGES / "scale.md", measurements=measurements(), arithmetic=arithmetic(load_catalogue())),
    }


def _filled(file: Path, **parts: Iterator[str]) -> dict[Path, str]:
    """Put each part between its markers on a page."""
    page = file.read_text(encoding="utf-8")
    for part, lines in parts.items():
        begin = f"<!-- {part}: written by `python -m docs.generate`. -->"
        end = f"<!-- {part}: end. -->"
        before, begun, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        if not begun or not ended:
            message = f"{file} needs the lines {begin!r} and {end!r}"
            raise ValueError(message)
        page = "\n".join((before + begin, "", *lines, "", end + after))
    return {file: page}


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _costs() -> Iterator[str]:
    """Price campaigns as ``runoff plan`` does: on the day the prices were read, and once a model is gone."""
    catalogue = load_catalogue()
    day = max(model.prices.price_as_of for model in catalogue.models.values() if model.prices)
    yield f"| campaign, planned on {day} | drafts | finals | all together | the drafts all made as finals |"
    yield "|---|---|---|---|---|"
    for name in PRICED_CAMPAIGNS:
        now = _plan_on(day, name, catalogue)
        yield _cost_row(name, now)
        gone_on = catalogue.model(now.campaign.drafts.model).lifecycle(day).shutdown_on
        if gone_on is not None:
            yield _cost_row(f"{name}, from {gone_on} on", _plan_on(gone_on, name, catalogue))


def _plan_on(day: date, name: str, catalogue: Catalogue) -> Plan:
    providers = load_providers()
    campaign = load_campaign(configs_folder() / "campaigns" / name, catalogue=catalogue, providers=providers)
    return plan(campaign, catalogue, providers, "plan", day)


def _cost_row(name: str, planned: Plan) -> str:
    finals, drafts, edition = planned.finals, planned.campaign.drafts, planned.campaign.editions[0]
    cells = (
        name,
        f"{planned.pictures} × `{drafts.model}`",
        f"{finals.finalists}–{finals.most_pictures} × `{edition.model}` {edition.quality}",
        format_range(planned.low_usd, planned.high_usd),
        format_usd(planned.all_high_usd),
    )
    return f"| {' | '.join(cells)} |"


def _commands() -> Iterator[str]:
    for path, command in _leaves(runoff, "runoff"):
        context = click.Context(command, info_name=path)
        usage = " ".join([path, *command.collect_usage_pieces(context)])
        yield f"### `{path}`\n"
        yield f"{cleandoc(command.help or '')}\n"
        yield f"```text\n{usage}\n```\n"
        yield "| | meaning |"
        yield "|---|---|"
        for parameter in command.params:
            yield from _parameter(parameter, context)
        yield ""


def _parameter(parameter: click.Parameter, context: click.Context) -> Iterator[str]:
    """Describe an option, or an argument that may be left out; the others are told by the usage."""
    default = parameter.get_default(context)
    if isinstance(parameter, click.Option):
        names, meaning = parameter.get_help_record(context) or (parameter.name or "", "")
        yield f"| `{_cell(names)}` | {_cell(meaning)} |"
    elif isinstance(default, str):
        yield f"| `{parameter.make_metavar(context)}` | Left out: `{default}`. |"


def _leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Walk the commands in alphabetical order; a group stands for its commands."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in sorted(command.commands):
        yield from _leaves(command.commands[name], f"{path} {name}")


def _kinds() -> Iterator[tuple[int, type[RunoffError]]]:
    """Walk the error classes below the root, each with its depth, in the order of their definition."""
    waiting = [(1, kind) for kind in reversed(RunoffError.__subclasses__())]
    while waiting:
        depth, kind = waiting.pop()
        if kind.__module__ == RunoffError.__module__:
            yield depth, kind
            waiting += [(depth + 1, one) for one in reversed(kind.__subclasses__())]


def _summary(kind: type) -> str:
    return cleandoc(kind.__doc__ or "").splitlines()[0]


def _exit_codes() -> Iterator[str]:
    codes = {
        0: "Done.",
        INCOMPLETE: "Finished, but some orders were refused, failed or are unknown, or brought no picture.",
    }
    by_code = sorted((kind for _, kind in _kinds()), key=lambda kind: kind.exit_code)
    for code, kinds in groupby(by_code, key=lambda kind: kind.exit_code):
        codes[code] = ", ".join(f"[`{kind.__name__}`](errors.md)" for kind in kinds) + "."
    codes[2] += " Also a command line that is wrong."
    yield "| exit code | meaning |"
    yield "|---|---|"
    yield from (f"| {code} | {codes[code]} |" for code in sorted(codes))


def _variables() -> Iterator[str]:
    yield "| variable | meaning |"
    yield "|---|---|"
    yield from (f"| `{name}` | {_cell(meaning)} |" for name, meaning in OWN_VARIABLES.items())
    for name, provider in load_providers().by_name.items():
        yield from _provider_variables(name, provider)


def _provider_variables(name: str, provider: Provider) -> Iterator[str]:
    if provider.key_variable:
        yield f"| `{provider.key_variable}` | The key for `{name}`. It is never written anywhere. |"
    if provider.base_url_variable:
        usual = f"`{provider.base_url}`" if provider.base_url else "the emulator inside the process"
        yield f"| `{provider.base_url_variable}` | Another address for `{name}`, in place of {usual}. |"


def _tree() -> Iterator[str]:
    yield "| error | exit code | meaning |"
    yield "|---|---|---|"
    for depth, kind in _kinds():
        yield f"| {'· ' * (depth - 1)}`{kind.__name__}` | {kind.exit_code} | {_cell(_summary(kind))} |"


def _faults() -> Iterator[str]:
    yield "| fault | meaning | billed | sent again | the order ends as |"
    yield "|---|---|---|---|---|"
    for kind in FailureKind:
        end = f"`{kind.state}`" + ("; the run stops" if kind.state == "planned" else "")
        cells = (f"`{kind.name}`", kind.meaning, kind.billed, kind.resent, end)
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"


def main(arguments: Sequence[str]) -> int:
    """Write what is stale, or with ``--check`` only name it; 1 when a check finds anything."""
    stale = [
        (file, text)
        for file, text in pages().items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]
    for file, text in stale:
        if "--check" in arguments:
            sys.stderr.write(f"{file} is not current; write it again with: make docs\n")
        else:
            file.write_text(text, encoding="utf-8")
    return int("--check" in arguments and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
