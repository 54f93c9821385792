"""The option that names the configuration file, before a command or after it. Reads no file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

DEFAULT = Path("feeds.yaml")
VARIABLE = "NEWSBELL_CONFIG"


def _chosen(context: click.Context, _: click.Parameter, value: Path | None) -> Path:
    """Return the file named here, else before the command, else by the environment."""
    if value is not None:
        context.obj = value
    return context.find_object(Path) or Path(os.environ.get(VARIABLE) or DEFAULT)


def _option(*, expose_value: bool) -> Callable[[Any], Any]:
    return click.option(
        "--config",
        "-c",
        "path",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        callback=_chosen,
        expose_value=expose_value,
        help=f"The configuration file; else that of {VARIABLE}, else {DEFAULT}.",
    )


#: of a command, which gets the file as `path`
config_option = _option(expose_value=True)
#: of the program, for all commands
config_option_of_all = _option(expose_value=False)
