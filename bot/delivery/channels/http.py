"""Calls to services other than Telegram, and what their answers and faults mean in common.

Knows no service. Redirects are not followed: a message goes where feeds.yaml says and nowhere else.
"""

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import structlog

from bot.delivery.channels.telegram import tls_context
from bot.model.delivery import ChatClosed, NotSent, Refused, SendOutcome, ServiceFault, Undecided

TIMEOUT = 25.0  #: seconds
LONGEST_ANSWER = 65_536  #: bytes that are read of an answer
LONGEST_PAUSE = timedelta(days=1)  #: that a service may ask for
DEFAULT_PAUSE = timedelta(seconds=30)  #: where it asks for one and names none
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NOT_VALID = (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError, ValueError)
_REASON_LENGTH = 200

log = structlog.stdlib.get_logger("newsbell.services")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether its status is 2xx."""
        return 200 <= self.status < 300

    @property
    def content(self) -> dict[str, Any]:
        """The JSON object in the body; empty where there is none."""
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}

    def text(self, name: str) -> str:
        """Return a text of the JSON object; empty where it is none."""
        value = self.content.get(name)
        return value if isinstance(value, str) else ""


class Client:
    """Calls services, with one pool of connections for all."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def call(
        self, method: str, url: str, *, idempotent: bool = False, **more: Any
    ) -> Answer | SendOutcome:
        """Return the answer, or what a fault on the way means for the message.

        Where a repeated call does no harm, a lost answer leaves no doubt: it is called again.
        """
        try:
            async with self._client.stream(method, url, **more) as response:
                body = b""
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > LONGEST_ANSWER:
                        break
                return Answer(response.status_code, response.headers, body)
        except _NOT_CONNECTED as error:
            return NotSent(_no_connection(error))
        except _NOT_VALID:
            return ChatClosed("its address is not valid; mend it in feeds.yaml.", probe=False)
        except httpx.TimeoutException:
            return lost("the service does not answer in time", ServiceFault.SILENT, idempotent)
        except httpx.HTTPError:
            reason = "the connection ended before the answer"
            return lost(reason, ServiceFault.BROKEN, idempotent)


@asynccontextmanager
async def open_service_client(
    proxy: str = "", user_agent: str = "newsbell"
) -> AsyncIterator[Client]:
    """A client whose connections are closed at the end. Proxies of the environment are not used."""
    async with httpx.AsyncClient(
        timeout=httpx.Timeout(TIMEOUT, connect=10.0, pool=20.0),
        verify=tls_context(),
        trust_env=False,
        proxy=proxy or None,
        follow_redirects=False,
        headers={"User-Agent": user_agent},
    ) as client:
        yield Client(client)


def lost(reason: str, fault: ServiceFault, idempotent: bool) -> SendOutcome:
    """Return what a lost answer means: a doubt, unless a repeated call does no harm."""
    return NotSent(reason) if idempotent else Undecided(reason, fault)


def failure(
    answer: Answer, *, idempotent: bool = False, pause: timedelta | None = None
) -> SendOutcome:
    """Return what an answer that is no success means for the message.

    `pause` is what the service asks for in a way of its own.
    """
    status, said = answer.status, reason_of(answer)
    if status == 429:
        wait = pause or pause_of(answer) or DEFAULT_PAUSE
        return NotSent("the service asks to slow down (429)", wait, rate_limited=True)
    if status >= 500:
        text = f"the service answers with an error of its own ({status})"
        if status == 503:  # it says that it took nothing
            return NotSent(text, pause_of(answer))
        return lost(text, ServiceFault.ERROR, idempotent)
    if closed := _closed(status):
        log.warning("chat_closed", status=status, words=said)
        return closed
    if status in {408, 425}:
        return NotSent(f"the service was not ready ({status})")
    return Refused(f"the service refuses it ({status}){said}.")


def _closed(status: int) -> ChatClosed | None:
    """Return what is wrong with a place; the log has the service's own words."""
    if status in {401, 403}:
        return ChatClosed(
            "its service does not let newsbell write there; check what feeds.yaml says of it.",
            probe=True,
            soon=True,
        )
    if status in {404, 410}:
        return ChatClosed(
            "its service knows no such place; check what feeds.yaml says of it.",
            probe=True,
            soon=True,
        )
    if 300 <= status < 400:
        return ChatClosed(
            "its address leads elsewhere; write the new one into feeds.yaml.",
            probe=True,
            soon=True,
        )
    return None


def reason_of(answer: Answer) -> str:
    """Return what a service says of its refusal, behind a colon; empty where it says nothing."""
    content = answer.content
    for name in ("message", "error", "detail", "reason"):
        value = content.get(name)
        if isinstance(value, str) and value.strip():
            words = " ".join(value.split())
            return f": {words[:_REASON_LENGTH]}"
    return ""


def pause_of(answer: Answer) -> timedelta | None:
    """Return the pause that Retry-After asks for (RFC 9110 §10.2.3), within bounds."""
    text = answer.headers.get("Retry-After", "").strip()
    try:
        return bounded(float(text))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    sent = answer.headers.get("Date", "")
    try:
        base = parsedate_to_datetime(sent)
    except (ValueError, TypeError, IndexError, OverflowError):
        base = datetime.now(UTC)
    base = base if base.tzinfo else base.replace(tzinfo=UTC)
    return bounded((moment - base).total_seconds())


def bounded(seconds: object) -> timedelta | None:
    """Return a pause of so many seconds, at most a day; None for what is no number above 0."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not seconds > 0:
        return None
    return timedelta(seconds=min(max(float(seconds), 0.1), LONGEST_PAUSE.total_seconds()))


def _no_connection(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "the certificate of its service fails"
        cause = cause.__cause__ or cause.__context__
    return "its service cannot be reached"
