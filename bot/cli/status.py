"""The command that shows the state of feeds, queues and deliveries."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.text import Text

from bot.cli.common import in_force, read_only, rejected_text
from bot.cli.config_option import config_option
from bot.cli.tables import open_console, status_table
from bot.search.feed_state import overruled_hint
from bot.text.output_charset import takes_unicode


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(path: Path, *, as_json: bool) -> None:
    """Show the state of feeds, queues and deliveries. Works while newsbell runs."""
    used = in_force(path)
    config, rejected = used.config, used.rejected
    current = read_only(config).status()
    if as_json:
        feeds = [
            {
                "name": feed.name,
                "url": feed.url,
                "entries": feed.entries,
                "last_poll": _iso(feed.state.last_poll_at),
                "next_poll": _iso(feed.state.next_poll_at),
                "failures": feed.state.failures,
                "failure": feed.state.failure,
                "failure_text": feed.state.failure_text,
                "interval": feed.state.interval.total_seconds(),
                "reason": feed.state.reason,
                "hint": overruled_hint(feed.state, feed.every),
                "silent": feed.state.stopped,
                "last_news": _iso(feed.state.news_at),
                "delay": feed.state.delay,
            }
            for feed in current.feeds
        ]
        chats = [
            {"name": chat.name, "queued": queued, "paused": chat.paused, "not_before": _iso(until)}
            for chat, queued, until in current.chats
        ]
        click.echo(
            json.dumps(
                {
                    "config": rejected
                    and {
                        "mistakes": [item.at(rejected.file) for item in rejected.error.mistakes],
                        "in_force_since": _iso(rejected.since),
                    },
                    "feeds": feeds,
                    "chats": chats,
                    "subscriptions": current.subscriptions,
                    "deliveries": current.deliveries,
                    "outage": current.outage
                    and {
                        "fault": current.outage.fault,
                        "reason": current.outage.reason,
                        "since": _iso(current.outage.since),
                    },
                },
                ensure_ascii=not takes_unicode(sys.stdout),
            )
        )
        return
    console = open_console(error=False)
    if rejected:
        console.print(Text(f"{rejected_text(rejected, config)}\n{rejected.places()}", style="red"))
    for part in status_table(current, datetime.now(UTC), ZoneInfo(config.settings.timezone)):
        console.print(part)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
