"""The options that change a campaign for one command, without editing its file."""

import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from flows.commands import completing

if TYPE_CHECKING:
    from tasks.campaign_file.overrides import Overrides

P = ParamSpec("P")
R = TypeVar("R")


def _values(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read values such as drafts.per_prompt=2."""
    found = {}
    for value in values:
        key, mark, text = value.partition("=")
        if not mark or not key.strip():
            what = f"{value!r} is not KEY=VALUE, such as drafts.per_prompt=2"
            raise click.BadParameter(what, context, option)
        found[key.strip()] = text
    return found


def _values_of_finals(
    context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> "Overrides":
    """Read values of finals, such as finals.model=gpt-image-2."""
    from tasks.campaign_file.overrides import Overrides

    found = _values(context, option, values)
    for key in found:
        if not key.startswith(FINALS):
            what = f"{key} is not of the finals: a key begins with {FINALS}"
            raise click.BadParameter(what, context, option)
    return Overrides(found)


def is_of_models(overrides: "Overrides") -> bool:
    """Whether only what a run still buys with is otherwise: its finals, or which models it has."""
    is_whole = not overrides.only_arms and not overrides.only_rows
    return is_whole and all(key.startswith(FINALS) or _OF_MODEL.fullmatch(key) for key in overrides.values)


FINALS = "finals."
_OF_MODEL = re.compile(r"(drafts|arms\.[^.]+\.drafts|score\.(judge|duel))\.model")

finals_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    callback=_values_of_finals,
    metavar="KEY=VALUE",
    help="Another value of this run's finals from now on, such as finals.model=NAME; can be repeated.",
)

OPTIONS = (
    click.option(
        "--set",
        "values",
        multiple=True,
        callback=_values,
        metavar="KEY=VALUE",
        help="Another value for this once, such as drafts.per_prompt=2; can be repeated.",
    ),
    click.option(
        "--provider",
        metavar="NAME",
        shell_complete=completing.providers,
        help="Another provider for this once, such as emulator.",
    ),
    click.option(
        "--only-arm",
        "only_arms",
        multiple=True,
        metavar="ARM",
        shell_complete=completing.arms,
        help="Only this arm; repeatable.",
    ),
    click.option("--only-rows", metavar="ROWS", default="", help="Only these rows, such as 1-3,7."),
    click.option(
        "--images-per-minute",
        type=click.IntRange(min=1),
        metavar="N",
        help="The account's limit, for this once.",
    ),
)


def override_options(command: Callable[P, R]) -> Callable[..., R]:
    """Add the options; the command gets them as ``overrides``, an empty one if none is given."""

    @wraps(command)
    def overridden(*arguments: P.args, **named: P.kwargs) -> R:
        from tasks.campaign_file.overrides import Overrides

        given: dict[str, Any] = dict(named)
        values = dict(given.pop("values"))
        for key in ("provider", "images_per_minute"):
            if (value := given.pop(key)) is not None:
                values[key] = str(value)
        overrides = Overrides(values, given.pop("only_arms"), given.pop("only_rows"))
        call: Callable[..., R] = command
        return call(*arguments, overrides=overrides, **given)

    decorated: Callable[..., R] = overridden
    for option in reversed(OPTIONS):
        decorated = option(decorated)
    return decorated
