"""The command ``completion``: the script by which a shell completes ``runoff``."""

import click

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_RUNOFF_COMPLETE"
"""Set by the script when it asks for completions; click reads it."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script by which a SHELL completes commands, options, runs, models, arms and files.

    bash: eval "$(runoff completion bash)" in ~/.bashrc. zsh: the same with zsh in ~/.zshrc. fish: runoff
    completion fish > ~/.config/fish/completions/runoff.fish.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = context.find_root()
    click.echo(kind(root.command, {}, root.info_name or "runoff", VARIABLE).source())
