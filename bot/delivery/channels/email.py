"""Send mail: one message a story, follow-ups in its thread. What was sent never changes.

RFC 5322 §3.6.4: Message-ID, In-Reply-To and References keep a thread together.
"""

from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib
import structlog

from bot.delivery.channels.webhook import NO_DESTINATION, event_id
from bot.delivery.markup import plain_text, to_html
from bot.model.delivery import (
    ChatClosed,
    Delivery,
    NotSent,
    Refused,
    SendOutcome,
    Sent,
    ServiceFault,
    Undecided,
)
from bot.model.destinations import Destination, MailDestination
from bot.model.message import Message
from bot.ports import Clock

TIMEOUT = 30.0  #: seconds
SUBJECT = 200  #: code points
_TEMPORARY = range(400, 500)

log = structlog.stdlib.get_logger("newsbell.email")


class EmailChannel:
    """Implements `ports.Channel`."""

    def __init__(self, destination: Callable[[str], Destination | None], clock: Clock) -> None:
        self._destination, self._clock = destination, clock

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Hand the message to the mail server."""
        place = self._destination(delivery.chat.name)
        if not isinstance(place, MailDestination):
            return NotSent(NO_DESTINATION)
        mail = written(delivery, message, place, format_datetime(self._clock.now()))
        client = aiosmtplib.SMTP(
            hostname=place.host,
            port=place.port,
            use_tls=place.security == "tls",
            start_tls=place.security == "starttls",
            timeout=TIMEOUT,
        )
        try:
            await client.connect()
            if place.user:
                await client.login(place.user, place.password)
        except aiosmtplib.SMTPAuthenticationError:
            client.close()
            return ChatClosed(
                "the mail server does not take name and password; check them in feeds.yaml.",
                probe=True,
                soon=True,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            return NotSent(f"the mail server cannot be used: {_words(error)}")
        try:
            return await _handed_over(client, mail, delivery)
        finally:
            client.close()


async def _handed_over(
    client: aiosmtplib.SMTP, mail: EmailMessage, delivery: Delivery
) -> SendOutcome:
    """Send over an open connection; a doubt is left where the end of the text was not answered."""
    try:
        refused, _ = await client.send_message(mail)
    except aiosmtplib.SMTPRecipientsRefused as error:
        codes = [recipient.code for recipient in error.recipients]
        if any(code in _TEMPORARY for code in codes):
            return NotSent("the mail server takes no mail for the receivers at present")
        return ChatClosed(
            "the mail server refuses the receivers; check the addresses in feeds.yaml.",
            probe=True,
            soon=True,
        )
    except aiosmtplib.SMTPResponseException as error:
        if error.code in _TEMPORARY:
            return NotSent(f"the mail server does not take it now: {_words(error)}")
        return Refused(f"the mail server refuses it: {_words(error)}.")
    except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError):
        return Undecided("the mail server did not answer in the end", ServiceFault.BROKEN)
    except (aiosmtplib.SMTPException, ValueError) as error:
        return Refused(f"the mail cannot be written: {_words(error)}.")
    if refused:  # the others have it: to send again would reach them twice
        log.warning("receivers_refused", number=len(refused))
    return Sent(delivery.message_id or delivery.id, str(mail["Message-ID"]))


def written(
    delivery: Delivery, message: Message, place: MailDestination, date: str
) -> EmailMessage:
    """Return the mail: its subject is the first line, its text is there twice, as HTML as well."""
    mail = EmailMessage()
    first = plain_text(message).partition("\n")[0]
    mail["Subject"] = " ".join(first.split())[:SUBJECT] or "newsbell"
    mail["From"] = _address(place.sender)
    mail["To"] = [_address(receiver) for receiver in place.to]
    mail["Date"] = date
    domain = place.sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{event_id(delivery)}@{domain}>"
    if delivery.reply_reference:
        mail["In-Reply-To"] = delivery.reply_reference
        mail["References"] = delivery.reply_reference
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice answers
    links = [alert.link for alert in delivery.alerts if alert.link]
    mail.set_content("\n\n".join([plain_text(message), *links]))
    if not delivery.plain:
        mail.add_alternative(f"<div>{to_html(message)}</div>", subtype="html")
    return mail


def _address(text: str) -> Address:
    name, _, domain = text.rpartition("@")
    return Address("", name, domain)


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
