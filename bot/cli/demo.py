"""The command that plays an invented newswire."""

import click
from rich.console import Console

from bot.cli.event_loop import run_to_end
from bot.cli.numbers import FiniteRange
from bot.demo.play import play
from bot.service import logs


@click.command()
@click.option(
    "--seconds",
    type=FiniteRange(5, 300),
    default=40,
    show_default=True,
    help="How long it plays.",
)
def demo(seconds: float) -> None:
    """Play an invented newswire through all of newsbell.

    Runs at high speed and ends by itself.
    """
    logs.set_up()
    run_to_end(play(seconds, Console(highlight=False)))
