"""A group of commands, each of which is imported when it is called. Knows no command."""

import gc
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from bot.cli.faults import failing
from bot.cli.interrupts import interruptible


class LateGroup(click.Group):
    """Lists its commands without their modules, which take a second to import together."""

    def __init__(self, *args: Any, late: Mapping[str, tuple[str, str]], **more: Any) -> None:
        """Take the module of each command, where it has its own name, and the start of its help."""
        super().__init__(*args, **more)
        self._late = late

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (as click calls it)
        """Return the names of the commands, in order."""
        return sorted(self._late)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 (as click calls it)
        cmd_name: str,
    ) -> click.Command | None:
        """Import a command. Ctrl-C meanwhile ends newsbell without a traceback."""
        if cmd_name not in self._late:
            return None
        with interruptible():
            gc.disable()  # what modules are made of stays: to look for garbage takes longer
            try:
                module = import_module(self._late[cmd_name][0])
            finally:
                gc.enable()
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. What a person can mend is a message, wherever it is found."""
        with failing():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, as click does for those that are there."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        rows = [
            (name, click.Command(name, help=self._late[name][1]).get_short_help_str(limit))
            for name in names
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
