"""Show alerts in a terminal, or print them as JSON lines.

Each delivery is one write, so that a line is there whole or not at all.
"""

import json
import sys
from datetime import datetime
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from bot.model.alerts import AlertView
from bot.model.delivery import Delivery, DeliveryKind, NotSent, SendOutcome, Sent
from bot.model.message import Entity, Message
from bot.model.updates import UpdateView
from bot.text.output_charset import takes_unicode

_STYLES = {
    "bold": "bold",
    "italic": "italic dim",
    "underline": "underline",
    "strikethrough": "strike",
    "pre": "cyan",
    "code": "cyan",
    "text_link": "",
}


def styled(message: Message) -> Text:
    """The message for a terminal; entity offsets are in UTF-16 code units."""
    text = Text(message.text)
    positions = _code_points(message.text)
    for entity in message.entities:
        text.stylize(
            _style(entity), positions[entity.offset], positions[entity.offset + entity.length]
        )
    return text


def _style(entity: Entity) -> str:
    if entity.kind == "text_link" and " " not in entity.url:
        return f"link {entity.url}"
    return _STYLES.get(entity.kind, "")


def _code_points(text: str) -> list[int]:
    """The code point at each UTF-16 code unit, and at the end."""
    positions: list[int] = []
    for index, character in enumerate(text):
        positions += [index] * (2 if ord(character) > 0xFFFF else 1)
    return [*positions, len(text)]


class TerminalChannel:
    """Implements `ports.Channel` on a stream."""

    def __init__(self, *, as_json: bool = False, stream: IO[str] | None = None) -> None:
        self._json = as_json
        self._stream = stream or sys.stdout
        self._console = Console(file=self._stream, highlight=False, soft_wrap=True)

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Print. A message's number is its delivery's."""
        number = delivery.message_id or delivery.id
        try:
            if self._json:
                line = json.dumps(
                    record(delivery, message, number),
                    ensure_ascii=not takes_unicode(self._stream),
                )
                self._stream.write(line + "\n")
            else:
                self._print(delivery, message)
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: it is closed
            reason = getattr(error, "strerror", None) or "it is closed"
            return NotSent(f"the terminal takes no text: {reason}")
        return Sent(number)

    def _print(self, delivery: Delivery, message: Message) -> None:
        with self._console.capture() as capture:
            self._console.print(_lead(delivery) + styled(message))
            for alert in delivery.alerts[:1]:
                if len(delivery.alerts) == 1 and alert.link:
                    self._console.print(Text(alert.link, style="dim blue"))
            self._console.print()
        self._stream.write(capture.get())


def _lead(delivery: Delivery) -> Text:
    """The sign in front of a message."""
    match delivery.kind:
        case DeliveryKind.EDIT:
            same_words = all(alert.title == alert.first_title for alert in delivery.alerts)
            grown = same_words and any(alert.also for alert in delivery.alerts)
            return Text("＋ grown  " if grown else "✎ changed  ", style="yellow")
        case DeliveryKind.NOTICE:
            return Text("⚠ ", style="yellow")
        case _:
            catch_up = bool(delivery.alerts) and delivery.alerts[0].catch_up
            return Text("● ", style="green" if catch_up else "bold red")


def record(delivery: Delivery, message: Message, number: int) -> dict[str, Any]:
    """One JSON line: `type` is alert, update, revision, again, collapsed, notice or reply."""
    kind = {
        DeliveryKind.EDIT: "revision",
        DeliveryKind.AGAIN: "again",
        DeliveryKind.ALERT: "alert" if len(delivery.alerts) == 1 else "collapsed",
    }.get(delivery.kind, delivery.kind.value)
    if kind == "alert" and delivery.alerts[0].update:
        kind = "update"
    line: dict[str, Any] = {"type": kind, "id": number, "chat": delivery.chat.name}
    if delivery.repeat:
        line["repeat"] = True
    if not delivery.alerts:
        return line | {"text": message.text}
    if len(delivery.alerts) == 1:
        return line | alert_record(delivery.alerts[0])
    return line | {"alerts": [alert_record(alert) for alert in delivery.alerts]}


def alert_record(alert: AlertView) -> dict[str, Any]:
    """Return an alert as JSON."""
    return {
        "story": alert.story_id,
        "title": alert.title,
        "first_title": alert.first_title,
        "link": alert.link,
        "summary": alert.summary,
        "body": alert.body,
        "feed": alert.feed,
        "publisher": alert.publisher,
        "source": alert.source,
        "published": _iso(alert.published),
        "first_seen": _iso(alert.first_seen_at),
        "subscriptions": list(alert.subscriptions),
        "matches": [[span.field, span.start, span.end, span.term] for span in alert.spans],
        "catch_up": alert.catch_up,
        "also": [
            {
                "source": entry.name,
                "link": entry.link,
                "at": entry.at.isoformat(),
                "via": entry.agency,
            }
            for entry in alert.also
        ],
        "entries": alert.entries,
        "publishers": alert.publishers,
        "via": alert.agency,
        "single_source": alert.single and alert.publishers < 2,
        "followed": alert.followed,
        "goes_on_in": alert.continuation and alert.continuation.message_id,
        "withdrawn": alert.withdrawn,
        "corrected": alert.corrected,
        "update": alert.update and _update_record(alert.update),
    }


def _update_record(update: UpdateView) -> dict[str, Any]:
    """Return what a reply says of a change of its article."""
    return {
        "kind": update.kind,
        "of_story": update.of_story,
        "title": update.title,
        "before": update.before,
        "status": update.status,
        "text": update.text,
        "at": _iso(update.at),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
