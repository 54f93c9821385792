"""How a newsbell is, as text for operators in chats and on the command line. No I/O, no clock."""

from datetime import datetime, timedelta

from bot.i18n.catalog import ENGLISH, Translator
from bot.i18n.phrase import span_phrase
from bot.model.health import Health


def health_text(health: Health, now: datetime, translator: Translator = ENGLISH) -> str:
    """Return in a few lines what runs since when, and why it does not work where it does not."""
    span = span_phrase(timedelta(seconds=health.uptime)).read(translator)
    lines = [
        translator.gettext(
            "newsbell {version}, running for {span}. Database: {size} MB, longest delay in the "
            "last minute: {seconds} s.",
            version=health.version,
            span=span,
            size=f"{health.database_bytes / 1_000_000:.1f}",
            seconds=f"{health.lag:.2f}",
        )
    ]
    if health.telegram_answered_at:
        at = translator.time(health.telegram_answered_at, now)
        lines.append(translator.gettext("Last answer of Telegram: {time}", time=at))
    lines += [f"✗ {reason.read(translator)}" for reason in health.reasons]
    return "\n".join(lines)
