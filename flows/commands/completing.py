"""What a shell can complete: runs, pictures, models, providers and arms. Nothing here may fail or be slow."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import wraps
from pathlib import Path

import click

from flows.commands.options import read_settings

MOST = 50
"""So many are offered, the newest runs first."""

Words = Callable[[click.Context], Iterable[str]]
Complete = Callable[[click.Context, click.Parameter, str], Sequence[str]]


def _offered(words: Words) -> Complete:
    """Make a completion of a function that lists words; whatever goes wrong, there are none."""

    @wraps(words)
    def complete(context: click.Context, _parameter: click.Parameter, begun: str) -> Sequence[str]:
        with suppress(Exception):
            return [word for word in words(context) if word.startswith(begun)][:MOST]
        return []

    return complete


@_offered
def runs(context: click.Context) -> Iterable[str]:
    """List the runs whose folders are in the home, the newest first, and ``latest``."""
    home = read_settings(context.params.get("home")).home
    folders = sorted((path.name for path in home.glob("*/*-*-*") if path.is_dir()), reverse=True)
    return ["latest", *folders]


@_offered
def pictures(context: click.Context) -> Iterable[str]:
    """List the drafts of the run that was named, by their file names."""
    home = read_settings(context.params.get("home")).home
    run = str(context.params.get("run") or "")
    folders = sorted(home.glob(f"*/{'' if run == 'latest' else run}*/drafts"), reverse=True)
    return sorted(path.stem for path in folders[0].iterdir() if not path.name.startswith("."))


@_offered
def models(_context: click.Context) -> Iterable[str]:
    """List the models of the installed catalogue."""
    from tasks.catalogue import configs_folder, read_mapping

    return sorted(read_mapping(configs_folder() / "catalogue.yaml", "models"))


@_offered
def providers(context: click.Context) -> Iterable[str]:
    """List the providers, the home's own among them."""
    from tasks.catalogue import configs_folder, read_mapping

    files = (
        configs_folder() / "providers.yaml",
        read_settings(context.params.get("home")).home / "providers.yaml",
    )
    return [name for file in files if file.is_file() for name in read_mapping(file, "providers")]


@_offered
def arms(context: click.Context) -> Iterable[str]:
    """List the arms of the campaign file that was named, else of the only one in this folder."""
    from flows.commands.campaign_choice import campaigns_in
    from tasks.catalogue import read_mapping

    named = context.params.get("file")
    return list(read_mapping(Path(named) if named else campaigns_in(Path.cwd())[0], "arms"))
