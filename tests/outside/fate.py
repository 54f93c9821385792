"""Where articles that did not arrive got stuck, as the database of a newsbell says.

For the report of a run that lost something; nothing is judged by it.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

_ENTRY = "select id, silent, story_id, strict_id, storyline_id from entries where title like ?"
_ALERTS = """
  select
    alerts.entry_id, alerts.held, alerts.message_id,
    outbox.kind, outbox.state, outbox.doubts, outbox.error
  from alerts
  join chats on chats.id = alerts.chat_id
  left join outbox_alerts on outbox_alerts.chat_id = alerts.chat_id
    and outbox_alerts.story_id = alerts.story_id
  left join outbox on outbox.id = outbox_alerts.outbox_id
  where chats.address = ? and alerts.story_id in (?, ?, ?)
  order by outbox.id desc limit 1
"""


def fates(database: Path, lost: Iterable[tuple[int, int, str]]) -> Counter[str]:
    """Count what became of each lost pair of chat and article number."""
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        return Counter(f"{_fate(connection, chat, number)} in {chat}" for chat, number, _ in lost)


def _fate(connection: sqlite3.Connection, chat: int, number: int) -> str:
    entry = connection.execute(_ENTRY, (f"%n{number:06}%",)).fetchone()
    if entry is None:
        return "never polled"
    alert = connection.execute(_ALERTS, (chat, *entry[2:])).fetchone()
    if alert is None:
        return f"no alert ({entry[1] or 'not silent'})"
    first, held, message_id, kind, state, doubts, error = alert
    if first != entry[0]:
        return f"in the story of entry {first}"
    if state is None:
        return "held" if held else f"no message (id {message_id})"
    return f"{kind} {state}, in doubt {doubts} times {error}".strip()
