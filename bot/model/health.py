"""Whether a newsbell works, and the few numbers that show it. Values only."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.i18n.phrase import Phrase


class Role(StrEnum):
    """What a newsbell does, where several share a database."""

    LEADS = "leads"  #: decides and sends
    POLLS = "polls"  #: for the one that leads
    WAITS = "waits"  #: for its turn to lead, and polls nothing


@dataclass(frozen=True, slots=True)
class Health:
    """A newsbell that runs, at one moment."""

    version: str
    started_at: datetime
    uptime: float  #: seconds, whatever the wall clock did
    lag: float  #: seconds by which the event loop was late, at most, in the last minute
    database_bytes: int  #: the file and its log; 0 where they are gone
    reasons: tuple[Phrase, ...] = ()  #: why it does not work, a sentence each; empty: it works
    last_poll_at: datetime | None = None  #: when polls were last stored, since the start
    last_sent_at: datetime | None = None  #: when a message last arrived, since the start
    telegram_answered_at: datetime | None = None  #: None: not since the start
    role: Role | None = None  #: None where no other newsbell can share the database
    notes: tuple[str, ...] = ()  #: what to know although it works, a sentence each

    @property
    def healthy(self) -> bool:
        """Whether it works."""
        return not self.reasons

    def record(self) -> dict[str, object]:
        """Return it as JSON has it; times are ISO 8601 in UTC."""
        return {
            "healthy": self.healthy,
            "reasons": [str(reason) for reason in self.reasons],
            "version": self.version,
            "started_at": self.started_at.isoformat(),
            "uptime": round(self.uptime, 1),
            "lag": round(self.lag, 4),
            "database_bytes": self.database_bytes,
            "last_poll_at": _iso(self.last_poll_at),
            "last_sent_at": _iso(self.last_sent_at),
            "telegram_answered_at": _iso(self.telegram_answered_at),
            "role": self.role,
            "notes": list(self.notes),
        }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
