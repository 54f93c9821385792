"""Invented reports for the window of stories. Not assertions."""

import random
from datetime import UTC, datetime, timedelta

from bot.model.stories import Report

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMES = "Arlen Mira Jory Sanna Teo Vera Odo Ilka Brand Quist Kestrel Dunmore Lindholm".split()
WORDS = (
    "harbour bridge market museum tramway quarry brewery school archive dam council workers price "
    "storm court vote strike permit debt winter crowd letter budget flood report opens closes"
).split()


def invented_reports(seed: int, count: int = 320) -> list[Report]:
    """Reports of a fortnight in two languages, many of them hours or days late, with pauses."""
    chance = random.Random(seed)
    now = NOON
    reports: list[Report] = []
    events: list[list[str]] = []
    for number in range(1, count + 1):
        now += HOUR * chance.choice((0, 0.2, 1, 1)) + (chance.random() < 0.01) * HOUR * 50
        if not events or chance.random() < 0.3:
            events.append([*chance.sample(NAMES, 4), *chance.sample(WORDS, 5)])
        words = chance.choice(events[-12:])
        title = " ".join(chance.sample(words, 6))
        summary = " ".join([*chance.sample(words, 5), *chance.sample(WORDS, 4)])
        late = chance.choice((0, 0, 1, 3, 30, 71, 80)) * chance.random() * HOUR
        reports.append(
            Report(
                number,
                title.capitalize() if chance.random() < 0.5 else title,
                summary if chance.random() < 0.8 else "",
                chance.choice(("en", "en", "de")),
                f"Publisher {chance.randrange(9)}",
                now - late,
                bytes([chance.randrange(40), 1]) if chance.random() < 0.2 else b"",
            )
        )
    return reports
