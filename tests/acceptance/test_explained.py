"""What `explain` says of every article, subscription and chat is what the chats received.

The real program plays a day of invented news; the large one is `make soak PART=explain`. Whoever
judges it is judged first: of true statements none is found false, of false ones each.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from outside.clocks import ClockShim
from outside.evidence import Evidence, Place, Receipt, Version, read
from outside.history import Chat, History, Published, Subscribed, Turn, Wish
from outside.scripted import small
from outside.statements import judge

NOON = 1_772_452_800.0  #: 2 March 2026
ANN, BOB = (11, 0), (12, 0)
STORM, SEQUEL, REGATTA, ARCHIVE = (f"https://news.example/wire/{number}" for number in (1, 2, 3, 4))
TITLES = {
    STORM: "Storm closes harbour of Velholm",
    SEQUEL: "Harbour of Velholm closed as storm nears",
    REGATTA: "Regatta of Oskmere ends",
    ARCHIVE: "Storm of last year in Tarvos",
}

#: outcomes and causes that a day has to have; else it would prove little
TOLD = {
    "sent", "joined", "noted", "held", "lost refused",
    *(f"waiting {cause}" for cause in ("quiet_hours", "digest", "paused", "service_down")),
    *(f"not_sent {cause}" for cause in (
        "no_match", "not_in_feeds", "baseline", "archive", "muted", "paused", "made_later",
        "query_changed", "feed_of_others",
    )),
}  # fmt: skip

Record = dict[str, Any]


def iso(at: float) -> str:
    return f"2026-03-02T12:{int(at - NOON) // 60:02}:{int(at - NOON) % 60:02}+00:00"


def history() -> History:
    """Two people; Ann wants storms, and three publishers of regattas; Bob muted the storm."""
    chats = {where: Chat(where, name, 0.0, where[0], number) for where, name, number in (
        (ANN, "ann", 1), (BOB, "bob", 2))}  # fmt: skip
    subscriptions = {
        1: Subscribed(1, "Storms", frozenset({ANN, BOB}), [Wish(0.0, "storm")]),
        2: Subscribed(
            2, "Regattas", frozenset({ANN}), [Wish(0.0, "regatta", options={"publishers": 3})]
        ),
    }
    articles = {
        link: Published(
            number, link, f"wire{number}", f"Wire {number}", frozenset(), [(NOON, title)], "",
            NOON, served_at=NOON + 60, is_old=link == ARCHIVE,
        )
        for number, (link, title) in enumerate(TITLES.items(), 1)
    }  # fmt: skip
    turns = [Turn(NOON - 60, BOB, STORM, "mute")]
    return History(chats, subscriptions, articles, turns)


def evidence() -> Evidence:
    """Ann got the storm, with its sequel."""
    text = f"{TITLES[STORM]}\nWire 1\n\nalso: Wire 2 12:01\n\n🔔 Storms"
    links = [(0, len(TITLES[STORM]), STORM), (text.index("Wire 2"), 6, SEQUEL)]
    entities = [
        {"type": "text_link", "offset": offset, "length": length, "url": url}
        for offset, length, url in links
    ]
    version = Version(NOON + 61, text, tuple(read(text, entities)), is_repeat=False)
    return Evidence({(11, 5): Receipt(11, 0, 5, None, [version])})


def account(chat: int, subscription: int, outcome: str, because: str = "", **more: Any) -> Record:
    names = {1: "Storms", 2: "Regattas"}
    return {
        "chat": chat, "chat_name": {1: "ann", 2: "bob"}[chat], "subscription": subscription,
        "subscription_name": names[subscription], "matches": False, "outcome": outcome,
        "because": because, "text": "So it is.", "at": None, "until": None, "message": None,
        "alert": None, "publishers": None, "needed": None, "uncounted": [], "lacks": [],
        "again_at": None, **more,
    }  # fmt: skip


def record(number: int, link: str, story: int, *accounts: Record) -> Record:
    return {
        "article": number, "title": TITLES[link], "link": link, "feed": f"wire{number}",
        "first_seen": iso(NOON + 60), "published": iso(NOON),
        "stories": {"strict": number, "story": story, "storyline": story},
        "accounts": list(accounts),
    }  # fmt: skip


def true_records() -> tuple[Record, ...]:
    alert = {"article": 1, "title": TITLES[STORM], "outcome": "sent", "sent_at": None, "message": 5}
    none = [account(1, 2, "not_sent", "no_match")]
    return (
        record(
            1, STORM, 1,
            account(1, 1, "sent", matches=True, at=iso(NOON + 61), message=5),
            account(2, 1, "not_sent", "muted", matches=True), *none,
        ),
        record(
            2, SEQUEL, 1,
            account(1, 1, "joined", matches=True, alert=alert),
            account(2, 1, "not_sent", "muted", matches=True), *none,
        ),
        record(
            3, REGATTA, 3,
            account(1, 1, "not_sent", "no_match"), account(2, 1, "not_sent", "no_match"),
            account(1, 2, "held", matches=True, publishers=1, needed=3),
        ),
        record(
            4, ARCHIVE, 4,
            account(1, 1, "not_sent", "archive", matches=True),
            account(2, 1, "not_sent", "archive", matches=True), *none,
        ),
    )  # fmt: skip


def test_of_true_statements_none_is_found_false() -> None:
    verdict = judge(true_records(), NOON + 600, history(), evidence())
    assert verdict.falsehoods == []
    assert (verdict.statements, verdict.headlines) == (12, 1)


def change(number: int, place: int, **values: Any) -> Callable[[tuple[Record, ...]], None]:
    return lambda records: records[number]["accounts"][place].update(values)


FALSEHOODS: dict[str, Callable[[tuple[Record, ...]], None]] = {
    "sent, by another message": change(0, 0, message=6),
    "sent, an hour later": change(0, 0, at="2026-03-02T13:01:01+00:00"),
    "joined its own alert": change(
        0, 0, outcome="joined", alert={"article": 1, "outcome": "sent", "message": 5}
    ),
    "waiting, though it arrived": change(0, 0, outcome="waiting", because="in_line"),
    "not sent, though it arrived": change(0, 0, outcome="not_sent", because="withdrawn"),
    "lost, though it arrived": change(0, 0, outcome="lost", because="refused"),
    "sent, though it only joined": change(1, 0, outcome="sent", message=5, at=iso(NOON + 61)),
    "noted, though it only joined": change(1, 0, outcome="noted", message=5, at=iso(NOON + 61)),
    "joined an alert of another storyline": lambda records: records[1].update(
        stories={"strict": 2, "story": 2, "storyline": 2}
    ),
    "joined an alert that is queued": change(
        1, 0, alert={"article": 1, "outcome": "waiting", "message": None}
    ),
    "muted in a chat that muted nothing": change(2, 0, because="muted"),
    "no match, though it matches": change(0, 1, because="no_match"),
    "matches, though it does not": change(2, 0, matches=True),
    "paused, though nobody paused it": change(0, 1, because="paused"),
    "made later, though it was there": change(0, 1, because="made_later"),
    "deleted, though it is not": change(0, 1, because="deleted"),
    "in the baseline, though it came later": change(0, 1, because="baseline"),
    "an archive's, though it was news": change(0, 1, because="archive"),
    "of a feed of others, though it is not": change(0, 1, because="feed_of_others"),
    "not in the feeds, though it has all": change(0, 1, because="not_in_feeds"),
    "the query changed, though it did not": change(0, 1, because="query_changed"),
    "the chat came later, though it did not": change(0, 1, because="chat_added_later"),
    "waiting for the end of quiet hours": change(
        3, 0, outcome="waiting", because="quiet_hours", until="2026-03-02T22:00:00+00:00"
    ),
    "waiting for a digest": change(
        3, 0, outcome="waiting", because="digest", until="2026-03-03T08:00:00+00:00"
    ),
    "waiting for the service": change(3, 0, outcome="waiting", because="service_down"),
    "waiting for a chat that is not paused": change(3, 0, outcome="waiting", because="paused"),
    "waiting after a failure": change(3, 0, outcome="waiting", because="retry"),
    "refused, though nothing was": change(3, 0, outcome="lost", because="refused"),
    "forgotten after ten minutes": change(3, 0, outcome="forgotten"),
    "held with enough publishers": change(2, 2, publishers=3),
    "held for another number of publishers": change(2, 2, needed=5),
    "held with publishers of other stories": change(2, 2, publishers=2),
    "no cause": change(0, 1, because=""),
    "nothing said": change(0, 1, text=""),
    "a subscription left out": lambda records: records[3]["accounts"].pop(),
    "an account given twice": lambda records: records[3]["accounts"].append(
        copy.deepcopy(records[3]["accounts"][0])
    ),
    "another headline": lambda records: records[2].update(title="Regatta of Oskmere begins"),
    "seen before it was served": lambda records: records[2].update(first_seen=iso(NOON)),
}


@pytest.mark.parametrize("name", FALSEHOODS)
def test_of_false_statements_each_is_found(name: str) -> None:
    records = true_records()
    FALSEHOODS[name](records)
    assert judge(records, NOON + 600, history(), evidence()).falsehoods


def test_a_headline_without_an_account_is_found() -> None:
    seen = evidence()
    text = f"↳ {TITLES[REGATTA]} · Wire 3"
    link = {"type": "text_link", "offset": 2, "length": len(TITLES[REGATTA]), "url": REGATTA}
    version = Version(NOON + 90, text, tuple(read(text, [link])), is_repeat=False)
    seen.receipts[12, 6] = Receipt(12, 0, 6, None, [version])
    [falsehood] = judge(true_records(), NOON + 600, history(), seen).falsehoods
    assert (falsehood.article, falsehood.chat, falsehood.statement) == (REGATTA, "bob", "nothing")


def test_what_a_message_shows_is_read_from_its_links() -> None:
    text = f"(repeat) 2 stories 🔔 Storms\n\n• {TITLES[STORM]}\n  Wire 1\n\n↳ {TITLES[SEQUEL]}\n  W"
    units = len(text[: text.index("•")].encode("utf-16-le")) // 2 + 2
    entities = [
        {"type": "text_link", "offset": units, "length": len(TITLES[STORM]), "url": STORM},
        {"type": "text_link", "offset": units + text.index("↳") - text.index("•"),
         "length": len(TITLES[SEQUEL]), "url": SEQUEL},
    ]  # fmt: skip
    assert [(item.place, item.link, item.title) for item in read(text, entities)] == [
        (Place.LISTED, STORM, TITLES[STORM]),
        (Place.NOTE, SEQUEL, TITLES[SEQUEL]),
    ]
    assert not list(read("Done. You get one alert here per new story matching:\nstorm", ()))


@pytest.mark.slow
@pytest.mark.skipif(not ClockShim.available(), reason="there is no C compiler")
async def test_what_is_said_of_a_day_is_what_the_chats_received(tmp_path: Path) -> None:
    played = await small(tmp_path)
    assert played.errors == []
    assert [str(falsehood) for falsehood in played.verdict.falsehoods] == []
    assert played.articles >= 50
    assert played.subscriptions >= 20
    assert set(played.verdict.counts) >= TOLD
