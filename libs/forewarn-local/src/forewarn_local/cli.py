"""The ``forewarn`` command. Each subcommand is a module of :mod:`forewarn_local.commands`.

A module is imported when its command is used, so that starting and stopping the platform does not wait for the
libraries of the file commands.
"""

from importlib import import_module
from typing import Any, Final, TypeAlias

import typer
from typer.core import TyperGroup

#: Module and name of each command: a function, or an application with subcommands.
_COMMANDS: Final = {
    "up": "up:up",
    "status": "status:status",
    "down": "down:down",
    "clean": "clean:clean",
    "logs": "logs:logs",
    "import": "import_:import_",
    "fit": "fit:fit",
    "score": "score:score",
    "rul": "rul:app",
    "evaluate": "evaluate:app",
    "catalogue": "catalogue:app",
    "scenario": "scenario:app",
}


#: Typer vendors click and does not export its types.
_Command: TypeAlias = Any


class _Commands(TyperGroup):
    """Import commands on demand."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> _Command | None:  # noqa: ARG002  # as above
        """Import a command; None if it does not exist."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(f"forewarn_local.commands.{module}"), name)
        if isinstance(found, typer.Typer):
            command: _Command = typer.main.get_group(found)
        else:
            single = typer.Typer(add_completion=False)
            single.command()(found)
            command = typer.main.get_command(single)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Commands,
    help="Run Forewarn on this machine: real Kafka, real PostgreSQL, every service supervised.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def forewarn() -> None:
    """Run Forewarn on this machine: real Kafka, real PostgreSQL, every service supervised."""
