"""A group of commands: listed in the order in which they were added, and found by their other names as well."""

from __future__ import annotations

import click


class CommandGroup(click.Group):
    """Lists its commands in the order in which a newcomer meets them, not by the alphabet."""

    def __init__(self, *words: object, **details: object) -> None:
        super().__init__(*words, **details)  # type: ignore[arg-type]  # what click takes
        self._aliases: dict[str, str] = {}

    def add_alias(self, alias: str, name: str) -> None:
        """Let a command be called by another name too; the help lists it once, under its own."""
        self._aliases[alias] = name

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name or alias."""
        return super().get_command(ctx, self._aliases.get(cmd_name, cmd_name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which the commands were added."""
        return list(self.commands)
