"""Where the chats of feeds.yaml are that are not of Telegram, and what opens them.

Secrets come from files, variables, or the file itself, which the caller masks. Calls nobody.
"""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.config.schema import ChatShape, EmailShape, TokenShape, WebhookShape
from bot.model.chats import ChatKind
from bot.model.destinations import (
    Destination,
    HookDestination,
    MailDestination,
    TokenDestination,
    WebhookDestination,
)

#: returns the text of a file that is kept from others; None where it cannot be read
SecretFile = Callable[[str, str], str | None]
#: paths of values within a chat that are secret where they do not name a variable
SECRET_KEYS = (
    ("webhook", "url"),
    ("webhook", "secret"),
    ("discord", "webhook"),
    ("slack", "webhook"),
    ("slack", "token"),
    ("matrix", "token"),
    ("mattermost", "token"),
    ("ntfy", "token"),
    ("email", "password"),
    ("apprise", "url"),
)
_KINDS = {
    "telegram": ChatKind.TELEGRAM,
    "terminal": ChatKind.TERMINAL,
    "webhook": ChatKind.WEBHOOK,
    "discord": ChatKind.DISCORD,
    "slack": ChatKind.SLACK,
    "matrix": ChatKind.MATRIX,
    "mattermost": ChatKind.MATTERMOST,
    "ntfy": ChatKind.NTFY,
    "email": ChatKind.EMAIL,
    "apprise": ChatKind.APPRISE,
}


def kind_of(chat: ChatShape) -> ChatKind:
    """Return the kind of a chat."""
    if chat.slack and (chat.slack.webhook or chat.slack.webhook_file):
        return ChatKind.SLACK_WEBHOOK
    return next(kind for key, kind in _KINDS.items() if getattr(chat, key) is not None)


def destination_of(
    chat: ChatShape, secret_file: SecretFile, mistake: Callable[[str, str], None]
) -> Destination | None:
    """Return where a chat is; None for Telegram and terminals, and where something is missing.

    What is missing is told to `mistake` with the key that lacks it.
    """
    reader = _Reader(secret_file, mistake)
    match kind_of(chat):
        case ChatKind.WEBHOOK if chat.webhook:
            return reader.webhook(chat.webhook)
        case ChatKind.DISCORD if chat.discord:
            url = reader.secret("webhook", chat.discord.webhook, chat.discord.webhook_file)
            return reader.hook("webhook", url)
        case ChatKind.SLACK_WEBHOOK if chat.slack:
            url = reader.secret("webhook", chat.slack.webhook, chat.slack.webhook_file)
            return reader.hook("webhook", url)
        case ChatKind.SLACK if chat.slack:
            return reader.channel(chat.slack, chat.slack.server, chat.slack.channel or "")
        case ChatKind.MATRIX if chat.matrix:
            return reader.channel(chat.matrix, chat.matrix.server, chat.matrix.room)
        case ChatKind.MATTERMOST if chat.mattermost:
            return reader.channel(chat.mattermost, chat.mattermost.server, chat.mattermost.channel)
        case ChatKind.NTFY if chat.ntfy:
            return reader.channel(chat.ntfy, chat.ntfy.server, chat.ntfy.topic, wanted=False)
        case ChatKind.EMAIL if chat.email:
            return reader.mail(chat.email)
        case ChatKind.APPRISE if chat.apprise:
            url = reader.secret("url", chat.apprise.url, chat.apprise.url_file)
            return HookDestination(url) if url else None
    return None


class _Reader:
    """Reads the secrets of one chat."""

    def __init__(self, secret_file: SecretFile, mistake: Callable[[str, str], None]) -> None:
        self._file, self._mistake = secret_file, mistake

    def secret(
        self, key: str, value: SecretStr | None, file: str | None, *, wanted: bool = True
    ) -> str:
        """Return a secret; empty where there is none."""
        if value is not None:
            text = value.get_secret_value().strip()
        elif file is not None:
            content = self._file(f"{key}_file", file)
            if content is None:
                return ""
            text = content
        elif wanted:
            self._mistake(key, f"the key {key} or {key}_file is missing")
            return ""
        else:
            return ""
        if not text:
            self._mistake(key, "it is empty")
        return text

    def hook(self, key: str, url: str) -> HookDestination | None:
        """Return a webhook whose address is a secret."""
        if not url:
            return None
        if urlsplit(url).scheme not in {"http", "https"}:
            self._mistake(key, "expected an address that begins with https://")
            return None
        return HookDestination(url)

    def channel(
        self, shape: TokenShape, server: str, channel: str, *, wanted: bool = True
    ) -> TokenDestination | None:
        """Return a place and the token that opens it."""
        token = self.secret("token", shape.token, shape.token_file, wanted=wanted)
        return TokenDestination(server, channel, token) if token or not wanted else None

    def webhook(self, shape: WebhookShape) -> WebhookDestination | None:
        """Return an address and the secret that signs its events."""
        text = self.secret("secret", shape.secret, shape.secret_file, wanted=False)
        if not text:
            return WebhookDestination(shape.url)
        try:
            secret = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if not 24 <= len(secret) <= 64:
            self._mistake("secret", "expected whsec_ and 24 to 64 bytes in base64")
            return None
        return WebhookDestination(shape.url, secret)

    def mail(self, shape: EmailShape) -> MailDestination | None:
        """Return receivers and their server."""
        wanted = shape.user is not None
        password = self.secret("password", shape.password, shape.password_file, wanted=wanted)
        if wanted and not password:
            return None
        return MailDestination(
            shape.host,
            shape.port,
            shape.security,
            shape.user or "",
            password,
            shape.sender,
            tuple(shape.to),
        )
