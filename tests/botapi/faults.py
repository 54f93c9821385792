"""What can go wrong between a bot and Telegram, and the plan of when it does.

The values say what happens; the server makes it happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import Json


@dataclass(frozen=True)
class TooManyRequests:
    """Answer 429; the request is not carried out."""

    retry_after: int = 3
    with_parameters: bool = True


@dataclass(frozen=True)
class ServerError:
    """Answer 5xx, as the front's HTML page or as the API's JSON."""

    status: int = 502
    html: bool = True
    processed: bool = False


@dataclass(frozen=True)
class Refuse:
    """Answer this error; the request is not carried out."""

    code: int
    description: str
    parameters: Json | None = None


@dataclass(frozen=True)
class DropBefore:
    """Close the connection without carrying the request out."""


@dataclass(frozen=True)
class DropAfter:
    """Carry the request out, then close the connection without an answer."""


@dataclass(frozen=True)
class Slow:
    """Carry the request out at once and answer late."""

    seconds: float


@dataclass(frozen=True)
class Hang:
    """Take the request, carry nothing out and never answer."""


@dataclass(frozen=True)
class NotJson:
    """Answer 200 with something that is not JSON."""

    processed: bool = False


Fault = TooManyRequests | ServerError | Refuse | DropBefore | DropAfter | Slow | Hang | NotJson


@dataclass
class _Rule:
    fault: Fault
    method: str | None
    chat_id: int | str | None
    times: int
    after: int

    def fits(self, method: str, chat_id: object) -> bool:
        applies = self.method is None or self.method.lower() == method.lower()
        return applies and self.chat_id in {None, chat_id}


@dataclass
class FaultPlan:
    """Faults in order of registration; each takes the calls no earlier one took."""

    rules: list[_Rule] = field(default_factory=list)

    def add(
        self, fault: Fault, method: str | None, chat_id: int | str | None, *, times: int, after: int
    ) -> None:
        """Plan a fault for `times` fitting calls, once `after` of them have passed."""
        self.rules.append(_Rule(fault, method, chat_id, times, after))

    def take(self, method: str, chat_id: object) -> Fault | None:
        """Return the fault this call meets."""
        for rule in self.rules:
            if rule.times and rule.fits(method, chat_id):
                if not rule.after:
                    rule.times -= 1
                    return rule.fault
                rule.after -= 1
        return None


def carries_out(fault: Fault | None) -> bool:
    """Say whether a call that meets this is carried out all the same."""
    match fault:
        case None | Slow() | DropAfter():
            return True
        case ServerError() | NotJson():
            return fault.processed
        case _:
            return False
