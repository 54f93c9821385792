"""The command that shows the state of feeds, queues and deliveries."""

import json
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.text import Text

from bot import __version__
from bot.cli.common import in_force, read_only, rejected_text
from bot.cli.config_option import config_option
from bot.cli.faults import failing
from bot.cli.health import activity
from bot.cli.tables import open_console, status_table
from bot.i18n.catalog import ENGLISH, Translator
from bot.model.nodes import NodeState, Sharing
from bot.model.pages import PageCounts
from bot.model.retention import Retention, RetentionState
from bot.model.status import FeedStatus, Status
from bot.search.feed_state import overruled_hint
from bot.search.nodes_text import faults, queue_text, role_of, role_text
from bot.search.page_text import failure_text
from bot.service.control import HealthAnswer, ask_health
from bot.service.last_good import Rejected
from bot.service.retention import NOTICE_FIRST
from bot.text.duration import in_words
from bot.text.output_charset import takes_unicode

ANSWERS_WITHIN = 2.0  #: seconds to wait for the newsbell that runs


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(path: Path, *, as_json: bool) -> None:
    """Show the state of feeds, queues and deliveries. Works while newsbell runs."""
    used = in_force(path)
    config, rejected = used.config, used.rejected
    now = datetime.now(UTC)
    with failing():
        current = read_only(config).status()
        kept = read_only(config).retention()
        pages = read_only(config).pages(now - timedelta(days=1))
    process = ask_health(config.beside, ANSWERS_WITHIN)
    if as_json:
        document = {
            "version": __version__,
            "newsbell": process.health,
            "database_bytes": read_only(config).bytes(),
            "config": rejected and _rejected(rejected),
            "retention": _retention(config.settings.retention.value),
            "pages": {"waiting": pages.waiting, "read": pages.read, "failed": pages.failed},
            **_stored(current),
        }
        click.echo(json.dumps(document, ensure_ascii=not takes_unicode(sys.stdout)))
        return
    console = open_console(error=False)
    if rejected:
        console.print(Text(f"{rejected_text(rejected, config)}\n{rejected.places()}", style="red"))
    for part in status_table(current, now, ZoneInfo(config.settings.timezone)):
        console.print(part)
    if pages:
        console.print(Text(pages_line(pages)))
    console.print(Text(retention_line(config.settings.retention.value)))
    if kept.announced:
        console.print(_announced_line(kept, now, ZoneInfo(config.settings.timezone)))
    if current.sharing.states:
        console.print(Text(nodes_text(current.sharing)))
    console.print(_process_line(process, now))


def nodes_text(sharing: Sharing) -> str:
    """Who shares the database, what each does, what is wrong with it, and what waits."""
    lines = [f"Machines: {queue_text(sharing)}"]
    for state in sharing.states:
        heard = "" if state.is_gone else f", heard {state.silent.total_seconds():.0f} s ago"
        text = f"  {state.node.name} {role_text(state, sharing.leader)}{heard}."
        lines.append(" ".join([text, *faults(state, sharing.leader)]))
    return "\n".join(lines)


def pages_line(pages: PageCounts) -> str:
    """How many pages of articles wait, and what became of those of the last day."""
    failed = sorted(pages.failed.items(), key=lambda pair: -pair[1])
    reasons = "".join(f"; {count} not read: {failure_text(why, ENGLISH)}" for why, count in failed)
    return f"Pages of articles: {pages.waiting} waiting; last day: {pages.read} read{reasons}."


def retention_line(retention: Retention) -> str:
    """How long what nobody needs is kept."""
    spans = ", ".join(f"{kind} {text}" for kind, text in _retention(retention).items())
    return f"Kept: {spans}."


def _retention(retention: Retention) -> dict[str, str]:
    return {
        field.name: "forever" if span is None else in_words(span)
        for field in fields(retention)
        for span in [getattr(retention, field.name)]
    }


def _announced_line(kept: RetentionState, now: datetime, zone: ZoneInfo) -> Text:
    """That a shorter retention is not in force yet."""
    since = kept.announced_at or now
    text = Translator(zone).time(since + NOTICE_FIRST, now)
    return Text(f"A shorter retention takes effect after {text}.", style="yellow")


def _rejected(rejected: Rejected) -> dict[str, Any]:
    """Why feeds.yaml is not in force."""
    return {
        "mistakes": [item.at(rejected.file) for item in rejected.error.mistakes],
        "in_force_since": _iso(rejected.since),
    }


def _stored(status: Status) -> dict[str, Any]:
    """What stands in the database."""
    outage, sharing = status.outage, status.sharing
    return {
        "nodes": [_node(state, sharing.leader) for state in sharing.states],
        "handed_over": {
            "waiting": sharing.waiting,
            "oldest": round(sharing.oldest.total_seconds(), 1),
        },
        "feeds": [_feed(feed) for feed in status.feeds],
        "chats": [
            {"name": chat.name, "queued": queued, "paused": chat.paused, "not_before": _iso(until)}
            for chat, queued, until in status.chats
        ],
        "subscriptions": status.subscriptions,
        "deliveries": status.deliveries,
        "outage": outage
        and {"fault": outage.fault, "reason": outage.reason, "since": _iso(outage.since)},
    }


def _node(state: NodeState, leader: NodeState | None) -> dict[str, Any]:
    return {
        "name": state.node.name,
        "version": state.node.version,
        "role": role_of(state, leader) or "gone",
        "silent": round(state.silent.total_seconds(), 1),
        "faults": list(faults(state, leader)),
    }


def _feed(feed: FeedStatus) -> dict[str, Any]:
    state = feed.state
    return {
        "name": feed.name,
        "url": feed.url,
        "entries": feed.entries,
        "last_poll": _iso(state.last_poll_at),
        "next_poll": _iso(state.next_poll_at),
        "failures": state.failures,
        "failure": state.failure,
        "failure_text": state.failure_text,
        "interval": state.interval.total_seconds(),
        "reason": state.reason,
        "hint": overruled_hint(state, feed.every),
        "silent": state.stopped,
        "last_news": _iso(state.news_at),
        "delay": state.delay,
    }


def _process_line(answer: HealthAnswer, now: datetime) -> Text:
    """Whether a newsbell runs, and how it is."""
    if answer.health:
        reasons = answer.health["reasons"]
        text = " ".join(reasons) if reasons else f"It {activity(answer.health, now)}."
        notes = " ".join(["", *answer.health.get("notes", ())])
        line = f"A newsbell runs, version {answer.health['version']}. {text}{notes}"
        return Text(line, style="red" if reasons else "")
    if answer.listens:
        return Text("A newsbell runs, but does not answer.", style="red")
    return Text("No newsbell runs.", style="yellow")


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
