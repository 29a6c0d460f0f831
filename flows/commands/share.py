"""The command ``share``: hands a run on as one zip or folder that opens offline anywhere."""

from pathlib import Path

import click

from flows.commands import completing
from flows.commands.options import answer_json, home_option, json_option, opened_ledger, read_settings

BYTES_IN_MB = 1_000_000


@click.command()
@click.argument("run", default="latest", shell_complete=completing.runs)
@click.option(
    "--to",
    "place",
    metavar="PLACE",
    help="A folder, a file ending in .zip, or an address such as s3://bucket/name.zip"
    " [default: CAMPAIGN-RUN.zip here].",
)
@click.option(
    "--drafts-px",
    default=1024,
    show_default=True,
    type=click.IntRange(0, 4096),
    help="Longest edge of drafts that are no finalists, px; 0 leaves them out.",
)
@click.option("--replace", "replaces", is_flag=True, help="Replace a zip that is there.")
@home_option
@json_option
def share(
    run: str, *, place: str | None, drafts_px: int, replaces: bool, home: Path | None, as_json: bool
) -> None:
    """Hand RUN on: its report, pictures and a manifest, in one zip or folder. Spends nothing.

    It opens from disk without Runoff and without a network. Finalists and finals are the provider's bytes,
    untouched; manifest.json has each picture with its row's variables. No secret and no path of this machine
    is in it.
    """
    from flows.runs.run import StoredRun
    from flows.sharing.share import share as hand_on
    from tasks.money import count_of

    settings = read_settings(home)
    with opened_ledger(settings) as opened:
        stored = StoredRun.find(settings, opened, run)
        shared = hand_on(stored, place, draft_px=drafts_px, replaces=replaces)
    if as_json:
        answer_json(shared)
        return
    untouched = count_of(shared.n_untouched, "picture")
    size = f"{shared.n_bytes / BYTES_IN_MB:.1f} MB"
    click.echo(f"Shared  {shared.place}\n{count_of(shared.n_files, 'file')}, {size}; {untouched} as bought.")
    for name, why in shared.left_out.items():
        click.echo(f"  left out: {name}, {why}")
