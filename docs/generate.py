"""Generate every page, table and schema that can be derived from the code: ``python -m docs.generate``.

Generated text cannot disagree with the product: commands come from click, errors from their classes, failures
from the table that the buyer uses, columns and campaign keys from their models. On pages written by people
the generated parts are between two marker lines. ``--check`` writes nothing and reports stale files.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from inspect import cleandoc
from itertools import groupby
from pathlib import Path

import click

from docs.limits import limits_table
from docs.million import arithmetic, measurements
from docs.rooms import layers, rooms
from flows.command_line import runoff
from flows.commands.plan_tables import format_range
from flows.commands.review import TOKEN_VARIABLE
from flows.runs.log_lines import LOG_FORMAT_VARIABLE
from flows.runs.outcome import INCOMPLETE
from flows.workers.scheduler import DASK_VARIABLE
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
from tasks.settings import PUBLIC_URL_VARIABLE
from tasks.storage.mirror import HOME_VARIABLE, MIRRORS_VARIABLE

PAGES = Path(__file__).parent
PRICED_CAMPAIGNS = ("otter.yaml", "product-ad.yaml")

OWN_VARIABLES = {
    HOME_VARIABLE: "The home of the ledger, pictures and reports, if `--home` is not given: a folder, "
    "or the address of a [store](deploy.md).",
    MIRRORS_VARIABLE: "This machine's mirror of such a store. Default: a folder in the user's cache.",
    LEDGER_VARIABLE: "The ledger's database, as an SQLAlchemy URL. Default: `ledger.db` in the home.",
    LIMIT_VARIABLE: "The most that all campaigns may spend in a calendar month (UTC), in US dollars; "
    "it can only lower what `runoff ledger limit` set.",
    CATALOGUE_VARIABLE: "A YAML file that adds or replaces models; it overrides the catalogue.",
    RATE_VARIABLE: "Your account's rate limit, images per minute; overrides `providers.yaml`.",
    DASK_VARIABLE: "A Dask scheduler, such as `tcp://host:8786`, whose workers make "
    "[a run's pictures](deploy.md#one-run-on-many-workers).",
    ANCHORS_VARIABLE: "A PEM file of root certificates whose signers count as [`trusted`](report.md).",
    TODAY_VARIABLE: "A date, `YYYY-MM-DD`, used as today, to rehearse a model's shutdown.",
    PUBLIC_URL_VARIABLE: "Where people open the review page, such as `https://studio.example.org/runoff`: "
    "links in Prefect, events and logs lead there.",
    LOG_FORMAT_VARIABLE: "`json` has flow runs write lines of JSON; `--log-format` of `serve` and "
    "`worker` sets it.",
    TOKEN_VARIABLE: "The token of the [review page](review.md) when it does not listen on loopback.",
    "PREFECT_API_URL": "The Prefect server to use, ending in `/api`. Default: Runoff starts its own.",
}
"""The variables that no provider defines; a test finds any that the code reads and this lacks."""


def pages() -> dict[Path, str]:
    """Map each generated file to the text it should hold.

    Raises:
        ValueError: A page has no markers. Nothing was written.
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
        **_filled(PAGES / "limits.md", limits=limits_table()),
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
    """Price campaigns as ``runoff plan`` does, from models that stay: after the shutdown of others."""
    catalogue = load_catalogue()
    day = max(model.prices.price_as_of for model in catalogue.models.values() if model.prices)
    yield f"| campaign, at the prices of {day} | drafts | finals | total | all at high quality |"
    yield "|---|---|---|---|---|"
    for name in PRICED_CAMPAIGNS:
        planned = _plan_on(day, name, catalogue)
        while gone_on := catalogue.model(planned.campaign.drafts.model).lifecycle_facts.shutdown_on:
            planned = _plan_on(gone_on, name, catalogue)
        yield _cost_row(name, planned)


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
        rows = [row for parameter in command.params for row in _parameter(parameter, context)]
        yield from ("| | meaning |", "|---|---|", *rows, "") if rows else ()


def _parameter(parameter: click.Parameter, context: click.Context) -> Iterator[str]:
    """Describe an option, or an optional argument; required ones are in the usage line."""
    default = parameter.get_default(context)
    if isinstance(parameter, click.Option):
        names, meaning = parameter.get_help_record(context) or (parameter.name or "", "")
        yield f"| `{_cell(names)}` | {_cell(meaning)} |"
    elif isinstance(default, str):
        yield f"| `{parameter.make_metavar(context)}` | Default: `{default}`. |"


def _leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Walk the commands in alphabetical order, those of groups included."""
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
        INCOMPLETE: "Finished, but some requests were refused, failed, are unknown, or returned no picture.",
    }
    by_code = sorted((kind for _, kind in _kinds()), key=lambda kind: kind.exit_code)
    for code, kinds in groupby(by_code, key=lambda kind: kind.exit_code):
        codes[code] = ", ".join(f"[`{kind.__name__}`](errors.md)" for kind in kinds) + "."
    codes[2] += " Also a wrong command line."
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
        yield f"| `{provider.key_variable}` | The API key for `{name}`. It is never stored. |"
    if provider.base_url_variable:
        usual = f"`{provider.base_url}`" if provider.base_url else "the emulator in the process"
        yield f"| `{provider.base_url_variable}` | The address of `{name}`. Default: {usual}. |"
    for header, variable in provider.sent_variables():
        yield f"| `{variable}` | Sent to `{name}`, and to no other provider, as `{header}`. |"
    if provider.headers_variable:
        yield f"| `{provider.headers_variable}` | Further headers for `{name}` only: `Name: value` lines. |"


def _tree() -> Iterator[str]:
    yield "| error | exit code | meaning |"
    yield "|---|---|---|"
    for depth, kind in _kinds():
        yield f"| {'· ' * (depth - 1)}`{kind.__name__}` | {kind.exit_code} | {_cell(_summary(kind))} |"


def _faults() -> Iterator[str]:
    yield "| failure | meaning | billed | sent again | final state of the request |"
    yield "|---|---|---|---|---|"
    for kind in FailureKind:
        end = f"`{kind.state}`" + ("; the run stops" if kind.state == "planned" else "")
        cells = (f"`{kind.name}`", kind.meaning, kind.billed, kind.resent, end)
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"


def main(arguments: Sequence[str]) -> int:
    """Write stale files, or with ``--check`` only list them; 1 when a check finds any."""
    stale = [
        (file, text)
        for file, text in pages().items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]
    for file, text in stale:
        if "--check" in arguments:
            sys.stderr.write(f"{file} is not current; update it with: make docs\n")
        else:
            file.write_text(text, encoding="utf-8")
    return int("--check" in arguments and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
