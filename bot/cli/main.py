"""The command line. Exit codes: 0 fine, 1 the work failed, 2 wrong usage or configuration.

Knows the names of the commands; each is imported when it is called.
"""

import sys

import click

from bot import __version__
from bot.cli.config_option import config_option_of_all
from bot.cli.late_group import LateGroup

#: the module of each command, and the first line of its help
COMMANDS = {
    "backtest": ("bot.cli.queries", "Try a query on past articles."),
    "backup": ("bot.cli.backups", "Copy the database into a folder, also while newsbell runs."),
    "check": ("bot.cli.check", "Check a configuration file and test its queries."),
    "demo": ("bot.cli.demo", "Play an invented newswire through all of newsbell."),
    "evidence": ("bot.cli.evidence", "Write a storyline down as evidence, with hashes."),
    "explain": ("bot.cli.explain", "Explain why an article alerted or did not."),
    "export": ("bot.cli.queries", "Print the subscriptions made in chats as feeds.yaml."),
    "fetch": ("bot.cli.fetch", "Show what a feed gives and how newsbell reads it."),
    "forget": ("bot.cli.forget", "Delete what is stored about a person or chat."),
    "health": ("bot.cli.health", "Say whether newsbell works, by the exit code 0 or 1."),
    "init": ("bot.cli.init", "Write a first feeds.yaml."),
    "move": ("bot.cli.move", "Copy the database to another place: a file or PostgreSQL."),
    "names": ("bot.cli.queries", 'Show the spellings that ~"NAME" accepts.'),
    "outbox": ("bot.cli.outbox", "List, retry or drop undelivered messages."),
    "plan": ("bot.cli.plan", "Say what a changed feeds.yaml would do, before it is saved."),
    "restore": ("bot.cli.backups", "Put a backup in place of the database."),
    "retry": ("bot.cli.by_hand", "Try failing feeds now: all, one, or those of a host."),
    "run": ("bot.cli.run", "Watch the feeds and send alerts."),
    "schema": ("bot.cli.schema", "Print the JSON Schema of feeds.yaml, for editors."),
    "search": ("bot.cli.queries", "Find stored articles by a query, newest first."),
    "send-test": ("bot.cli.send_test", "Send a test message to a chat and say what came of it."),
    "status": ("bot.cli.status", "Show the state of feeds, queues and deliveries."),
    "systemd": ("bot.cli.systemd", "Print a unit for systemd, with the paths of this newsbell."),
    "web-link": ("bot.cli.web_link", "Print a link that opens the web page, once."),
    "story": ("bot.cli.explain", "Show the storyline of an article in order of time."),
    "try-page": ("bot.cli.try_page", "Find CSS selectors for a page, and show what they give."),
}


@click.group(
    cls=LateGroup,
    late=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@config_option_of_all
@click.version_option(__version__, prog_name="newsbell")
@click.pass_context
def main(context: click.Context) -> None:
    """Alerts for news feeds.

    newsbell watches the feeds of feeds.yaml and sends each chat one alert per story that matches
    its subscriptions, in Telegram or in this terminal. See it on an invented newswire with
    `newsbell demo`; begin with `newsbell init`, then `newsbell run`.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        return
    if "structlog" in sys.modules:  # its import takes a fifth of a second, and some never log
        from bot.service import logs  # noqa: PLC0415 (likewise)

        logs.use_standard_logging()
