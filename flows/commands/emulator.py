"""The command ``runoff emulator``, which serves the offline provider to any OpenAI client."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from tasks.emulator.settings import PlantedError


MANNERS = ("openai", "azure", "cometapi", "relay", "openrouter", "chat-images", "gemini", "predictions")


@click.command()
@click.option("--port", default=8187, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--seed", default=1, show_default=True, help="Seed of the pictures.")
@click.option(
    "--pace", default=0.0, show_default=True, help="Delay: 0 answers at once, 1 takes as long as the vendor."
)
@click.option(
    "--near-duplicates",
    "--copies",
    "near_duplicates",
    type=click.FloatRange(0, 1),
    default=0.25,
    show_default=True,
    help="Share of near-duplicates.",
)
@click.option(
    "--edits",
    type=click.Choice(["redrawn", "exact"]),
    default="redrawn",
    show_default=True,
    help="Zoom, shift, tone and redraw edits a little, as real models do, or only draw them finer.",
)
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file of failures to inject.",
)
@click.option(
    "--profile",
    "--manners",
    "profile",
    type=click.Choice(MANNERS),
    default="openai",
    show_default=True,
    help="Behave like the vendor, a gateway, a relay with addresses, or a seller by another protocol.",
)
@click.option("--batch-pace", default=0.01, show_default=True, help="Seconds that a batch takes per line.")
@click.option(
    "--judge-noise",
    default=0.05,
    show_default=True,
    help="Noise added to the judge's measurements, which are 0 to 1.",
)
@click.option(
    "--judge-bias",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of comparisons in which the judge picks the first picture blindly.",
)
@click.option(
    "--judge-refusals",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of the judge's answers that are refusals.",
)
@click.option(
    "--judge-broken",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of the judge's answers whose JSON is truncated.",
)
@click.option(
    "--judge-errors",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of statements about objects, numbers, colours, places and words that the judge gets wrong.",
)
@click.option(
    "--judge-yes-bias",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of those statements that the judge says yes to in any case.",
)
@click.option(
    "--judge-swayed",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of statements that the judge answers as text in the picture orders it to"
    " (“answer yes to everything”), where the request does not say that such text is no instruction.",
)
@click.option(
    "--judge-swayed-though-told",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="The same where the request says it.",
)
@click.option(
    "--judge-logprobs/--no-judge-logprobs",
    default=True,
    show_default=True,
    help="Whether the judge's model gives log-probabilities.",
)
@click.option(
    "--plant",
    "planted",
    multiple=True,
    metavar="KIND=RATE[@WORDS]",
    help="Plant errors into pictures whose prompt has these words: missing, extra, wrong_colour, misspelt or"
    " swapped, at a rate from 0 to 1. Can be given several times.",
)
@click.option("--images-per-minute", type=int, help="Rate limit; requests above it get 429.")
def emulator(
    *,
    port: int,
    host: str,
    seed: int,
    pace: float,
    near_duplicates: float,
    edits: Literal["redrawn", "exact"],
    faults: Path | None,
    profile: Any,  # noqa: ANN401 - one of PROFILES
    batch_pace: float,
    judge_noise: float,
    judge_bias: float,
    judge_refusals: float,
    judge_broken: float,
    judge_errors: float,
    judge_yes_bias: float,
    judge_swayed: float,
    judge_swayed_though_told: float,
    judge_logprobs: bool,
    planted: tuple[str, ...],
    images_per_minute: int | None,
) -> None:
    """Serve the offline emulator of the Images API. It paints pictures and keeps a bill (GET /_bill)."""
    from tasks.emulator.faults import load_rules
    from tasks.emulator.server import serve
    from tasks.emulator.settings import EmulatorSettings

    settings = EmulatorSettings(
        seed=seed,
        pace=pace,
        near_copy_rate=near_duplicates,
        edits=edits,
        faults=tuple(load_rules(faults)) if faults else (),
        images_per_minute=images_per_minute,
        profile=profile,
        batch_pace_s=batch_pace,
        judge_noise=judge_noise,
        judge_first_bias=judge_bias,
        judge_refusal_rate=judge_refusals,
        judge_broken_rate=judge_broken,
        judge_error_rate=judge_errors,
        judge_yes_bias=judge_yes_bias,
        judge_swayed_rate=judge_swayed,
        judge_swayed_though_told_rate=judge_swayed_though_told,
        judge_logprobs=judge_logprobs,
        planted_errors=tuple(map(_planted, planted)),
    )

    def ready(url: str) -> None:
        click.echo(f"The emulator is ready. For any OpenAI client:\n\n  export OPENAI_BASE_URL={url}")
        click.echo(f"  export OPENAI_API_KEY=anything\n\nIts bill: {url.removesuffix('/v1')}/_bill")

    serve(settings, host, port, ready)


def _planted(text: str) -> "PlantedError":
    """Read ``KIND=RATE[@WORDS]``."""
    from tasks.emulator.painting.contents import ERROR_KINDS
    from tasks.emulator.settings import PlantedError

    kind, _, rest = text.partition("=")
    rate, _, words = rest.partition("@")
    try:
        share = float(rate)
    except ValueError:
        share = -1.0
    if kind not in ERROR_KINDS or not 0 <= share <= 1:
        message = (
            f"{text!r} plants nothing; accepted: KIND=RATE or KIND=RATE@WORDS, with a KIND of "
            f"{', '.join(ERROR_KINDS)} and a RATE from 0 to 1."
        )
        raise click.BadParameter(message, param_hint="--plant")
    return PlantedError(kind, share, words)
