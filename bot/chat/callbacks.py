"""What the button of a screen carries: an action of its handler, and a value.

Not the buttons under alerts.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.model.message import Button

_DIGITS = 11  # of a number that a button may carry


@dataclass(frozen=True, slots=True)
class Callback:
    """An action and its value. Written as `action value`, or as the action alone."""

    action: StrEnum
    value: str = ""

    def __str__(self) -> str:
        """Return the text that the button carries."""
        return f"{self.action} {self.value}" if self.value else str(self.action)

    @property
    def number(self) -> int:
        """The value as a number; 0 where it is none."""
        return int(self.value) if self.value.isdecimal() and len(self.value) <= _DIGITS else 0


def parse_callback(data: str, actions: type[StrEnum]) -> Callback | None:
    """Return what a button carries; None where the handler has no such action."""
    action, _, value = data.partition(" ")
    return Callback(actions(action), value) if action in set(actions) else None


def button(text: str, action: StrEnum, value: object = "") -> Button:
    """Return a button of a screen."""
    return Button(text, str(Callback(action, str(value))))
