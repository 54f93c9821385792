"""What happens on the invented newswire, and when. All places and articles are made up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.demo.wire import Newswire, Outlet

CONFIG = """\
# The demo's own feeds.yaml.
settings:
  network: {{allow: [127.0.0.0/8]}}
chats:
  here: {{terminal: true, quiet: "23:00-07:00", digest: ["08:00"]}}
feeds:
  - url: "{base}/harbour.xml"
    name: Harbour Wire
    publisher: Harbour Wire
    tags: [wire]
    every: 10m
  - url: "{base}/meridian.xml"
    name: Meridian Post
    publisher: Meridian Media
    tags: [world]
    every: 10m
  - url: "{base}/coastal.xml"
    name: Coastal Evening
    publisher: Coastal Evening
    tags: [local]
    every: 10m
  - url: "{base}/sever.xml"
    name: Северный вестник
    publisher: Северный вестник
    tags: [world]
    every: 10m
  - url: "{base}/wadi.xml"
    name: صوت الوادي
    publisher: صوت الوادي
    tags: [world]
    every: 10m
  - url: "{base}/mill.xml"
    name: Old Mill Gazette
    publisher: Old Mill Gazette
    tags: [local]
    every: 10m
  - url: "{base}/lantern.xml"
    name: The Lantern
    publisher: The Lantern
    tags: [local]
    every: 1m
names:
  port-selva: [Port Selva, Порт-Сельва, ميناء سلفا]
subscriptions:
  - name: Air defence
    query: '("air defence" OR radar) NOT football'
    publishers: 2
    urgency: breaking
    to: [here]
  - {{name: Port Selva, query: '@port-selva', to: [here]}}
  - {{name: Works, query: 'pier* OR crane*', urgency: digest, to: [here]}}
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """Something that happens."""

    at: float  #: share of the demo's length
    text: str
    act: Callable[[Newswire], None]


def outlets(wire: Newswire, now: datetime) -> None:
    """The outlets with what they published before newsbell came."""
    for key, name in (
        ("harbour", "Harbour Wire"),
        ("meridian", "Meridian Post"),
        ("coastal", "Coastal Evening"),
        ("sever", "Северный вестник"),
        ("wadi", "صوت الوادي"),
        ("mill", "Old Mill Gazette"),
        ("lantern", "The Lantern"),
    ):
        wire.outlets[key] = Outlet(name)
        for number in range(8):
            wire.publish(
                key,
                f"old-{number}",
                f"{name}: yesterday's item {number}",
                "Nothing to see here.",
                at=now - timedelta(hours=30 - number),
            )
    wire.publish(
        "harbour",
        "before",
        "New radar station opens on Cape Lorne",
        "The station was built in two years.",
        at=now - timedelta(hours=5),
    )


def _first(wire: Newswire) -> None:
    text = (
        "Three trucks with a long-range radar drove through the harbour district before dawn, "
        "two residents said."
    )
    wire.publish("harbour", "a1", "Air defence units seen moving into Port Selva", text)


def _copy(wire: Newswire) -> None:
    text = "Three trucks with a long-range radar were seen before dawn."
    wire.publish(
        "meridian",
        "m1",
        "Air defence units seen in Port Selva",
        text,
        link="https://www.harbour.example/a1/?utm_source=meridian",
    )


def _confirm(wire: Newswire) -> None:
    text = (
        "People in the harbour district of Port Selva saw three trucks and a long-range radar "
        "drive past before dawn on Monday."
    )
    wire.publish(
        "coastal", "c1", "Trucks with air defence radar seen in Port Selva before dawn", text
    )


def _works(wire: Newswire) -> None:
    wire.publish(
        "coastal", "c2", "Old pier gets new planks before the summer", "Work begins in May."
    )
    wire.publish(
        "harbour", "a2", "Harbour crane painted for the first time in ten years", "It is blue now."
    )
    wire.publish(
        "meridian", "m3", "Council buys second crane for the grain quay", "The vote was close."
    )


def _retitle(wire: Newswire) -> None:
    wire.retitle("harbour", "a1", "Ministry confirms air defence units in Port Selva")


def _languages(wire: Newswire) -> None:
    wire.publish(
        "sever",
        "s1",
        "В Порт-Сельве закрыли порт: ПОРТ-СЕЛЬВА ждёт кораблей",
        "Портовые власти Порт-Сельва ждут распоряжений.",
    )
    wire.publish(
        "wadi",
        "w1",
        "إغلاق المرفأ في ميناء سِلفا",
        "قالت السلطات إن ميناء سلفا سيبقى مغلقا حتى الغد.",
    )


def _football(wire: Newswire) -> None:
    wire.publish(
        "meridian",
        "m2",
        "Football: a defence like radar, and a late winner",
        "The air defence of the visitors failed twice.",
    )


def _burst(wire: Newswire) -> None:
    now = wire.now()
    for number in range(60):
        title = (
            f"From our archive: radar mast number {number}"
            if number % 20 == 0
            else f"From our archive: item {number}"
        )
        wire.publish(
            "mill",
            f"renumbered-{number}",
            title,
            "An article of long ago.",
            at=now - timedelta(hours=20 if number % 20 == 0 else 900 + number),
        )


def _break(wire: Newswire) -> None:
    wire.outlets["lantern"].broken = True


def _mend(wire: Newswire) -> None:
    wire.outlets["lantern"].broken = False


SCENES = (
    Scene(
        0.06,
        "The Lantern's server breaks. newsbell backs off, keeps trying, and notifies the "
        "operator once, after a day.",
        _break,
    ),
    Scene(
        0.085,
        "Harbour Wire is first with a story. The subscription needs two publishers, so it waits.",
        _first,
    ),
    Scene(
        0.10,
        "Meridian Post has the same article under a tracking link: no confirmation, still waiting.",
        _copy,
    ),
    Scene(
        0.115,
        "Coastal Evening reports it in its own words, the second independent publisher: one "
        "alert, breaking, even in quiet hours.",
        _confirm,
    ),
    Scene(0.14, "Three small stories for the digest at eight in the morning.", _works),
    Scene(0.26, "Harbour Wire changes the headline: the alert is edited, silently.", _retitle),
    Scene(
        0.34,
        "Two more outlets, in Russian and Arabic: @port-selva has the name in three scripts.",
        _languages,
    ),
    Scene(0.42, "A match report with the same words: NOT football keeps it out.", _football),
    Scene(
        0.50,
        "Old Mill Gazette renumbers its archive, 60 articles at once: the flood guard sends one "
        "message for the recent ones.",
        _burst,
    ),
    Scene(0.62, "The Lantern's server works again; newsbell notices at its next try.", _mend),
)
