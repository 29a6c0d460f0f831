"""The help of ``runoff``: its commands by what people are about to do, each with its whole sentence."""

from collections.abc import Mapping, Sequence

import click

WHOLE_SENTENCE = 1_000


class SectionedGroup(click.Group):
    """A group whose help lists its commands in sections.

    Args:
        sections: The commands of each section, by its title; every command is in one.
    """

    sections: Mapping[str, Sequence[click.Command]] = {}

    def add_sections(self, sections: Mapping[str, Sequence[click.Command]]) -> None:
        """Add the commands of all sections, in their order."""
        self.sections = sections
        for commands in sections.values():
            for command in commands:
                self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the sections; a sentence that is too long for a line goes on in the next."""
        width = max(len(command.name or "") for one in self.sections.values() for command in one)
        for title, commands in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(
                    [
                        ((command.name or "").ljust(width), command.get_short_help_str(WHOLE_SENTENCE))
                        for command in commands
                    ]
                )
