"""Show alerts in a terminal, or print them as JSON lines. One write a delivery, so that a line is there whole or not at all."""

import json
import sys
from datetime import datetime
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from bot.model.alerts import AlertView
from bot.model.delivery import Delivery, DeliveryKind, NotSent, SendOutcome, Sent
from bot.model.message import Entity, Message

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
    places = _code_points(message.text)
    for entity in message.entities:
        text.stylize(_style(entity), places[entity.offset], places[entity.offset + entity.length])
    return text


def _style(entity: Entity) -> str:
    return (
        f"link {entity.url}"
        if entity.kind == "text_link" and " " not in entity.url
        else _STYLES.get(entity.kind, "")
    )


def _code_points(text: str) -> list[int]:
    places: list[int] = []
    for index, character in enumerate(text):
        places += [index] * (2 if ord(character) > 0xFFFF else 1)
    return [*places, len(text)]


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
                self._stream.write(
                    json.dumps(record(delivery, message, number), ensure_ascii=False) + "\n"
                )
            else:
                self._print(delivery, message)
            self._stream.flush()
        except OSError as error:
            return NotSent(f"the terminal takes no text: {error.strerror or type(error).__name__}")
        return Sent(number)

    def _print(self, delivery: Delivery, message: Message) -> None:
        text = styled(message)
        match delivery.kind:
            case DeliveryKind.EDIT:
                grown = all(alert.title == alert.first_title for alert in delivery.alerts) and any(
                    alert.also for alert in delivery.alerts
                )
                lead = Text("＋ grown  " if grown else "✎ changed  ", style="yellow")
            case DeliveryKind.NOTICE:
                lead = Text("⚠ ", style="yellow")
            case _:
                lead = Text(
                    "● ",
                    style="green"
                    if delivery.alerts and delivery.alerts[0].catch_up
                    else "bold red",
                )
        with self._console.capture() as capture:
            self._console.print(lead + text)
            for alert in delivery.alerts[:1]:
                if len(delivery.alerts) == 1 and alert.link:
                    self._console.print(Text(alert.link, style="dim blue"))
            self._console.print()
        self._stream.write(capture.get())


def record(delivery: Delivery, message: Message, number: int) -> dict[str, Any]:
    """One JSON line: `type` is alert, revision, again, collapsed, notice or reply."""
    kind = {
        DeliveryKind.EDIT: "revision",
        DeliveryKind.AGAIN: "again",
        DeliveryKind.ALERT: "alert" if len(delivery.alerts) == 1 else "collapsed",
    }.get(delivery.kind, delivery.kind.value)
    line: dict[str, Any] = {"type": kind, "id": number, "chat": delivery.chat.name}
    if delivery.repeat:
        line["repeat"] = True
    if not delivery.alerts:
        return line | {"text": message.text}
    if len(delivery.alerts) == 1:
        return line | _alert(delivery.alerts[0])
    return line | {"alerts": [_alert(alert) for alert in delivery.alerts]}


def _alert(alert: AlertView) -> dict[str, Any]:
    return {
        "story": alert.story_id,
        "title": alert.title,
        "first_title": alert.first_title,
        "link": alert.link,
        "summary": alert.summary,
        "feed": alert.feed,
        "publisher": alert.publisher,
        "source": alert.source,
        "published": _iso(alert.published),
        "first_seen": _iso(alert.first_seen_at),
        "subscriptions": list(alert.subscriptions),
        "matches": [[span.field, span.start, span.end, span.term] for span in alert.spans],
        "catch_up": alert.catch_up,
        "also": [
            {"source": one.name, "link": one.link, "at": one.at.isoformat(), "via": one.agency}
            for one in alert.also
        ],
        "entries": alert.entries,
        "publishers": alert.publishers,
        "via": alert.agency,
        "single_source": alert.single and alert.publishers < 2,
        "followed": alert.followed,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
