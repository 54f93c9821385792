"""A day by a script: about sixty articles, eight chats and twenty subscriptions. No assertions."""

from pathlib import Path
from typing import Any

from botapi import TooManyRequests
from outside.history import Chat, Subscribed, Where
from outside.newswire import Event, Newswire, Telling
from outside.replay import DAY, LOOK, ROUND, Replay, add_chat, chat_config, replay
from outside.scenes import OUTLETS, REFUSAL, Played, Scene, feed_config, subscription_config
from outside.weather import Weather

ANN, BOB, CID, DORA, EVE, FAY = ((number, 0) for number in range(11, 17))
DESK, TOPIC = (-201, 0), (-301, 55)


def _small_chats() -> list[Chat]:
    people = zip((ANN, BOB, CID, DORA, EVE), "ann bob cid dora eve".split(), strict=True)
    chats = [Chat(where, name, 0.0, user=where[0]) for where, name in people]
    chats += [Chat(DESK, "desk", 0.0, user=11), Chat(TOPIC, "topic", 0.0, user=12)]
    chats[3].digest = (20 * 60,)
    return chats


def _small_config(run: Replay) -> None:
    config = run.config
    config["chats"]["dora"] = chat_config(run.history.chats[DORA], digest=["20:00"])
    config["chats"]["topic"] = chat_config(run.history.chats[TOPIC], stories="strict")
    run.history.chats[TOPIC].levels = ["strict"]
    config["names"] = {"ports": ["harbour", "pier", "причал"]}
    run.history.lists = [(0.0, dict(config["names"]))]
    for name, publisher, *tags in OUTLETS:
        outlet = run.add_outlet(name, publisher, *tags)
        config["feeds"].append(feed_config(outlet))
    config["subscriptions"] = [
        subscription_config("Harbours", "harbour OR причал", "ann", "desk"),
        subscription_config(
            "Confirmed", "strike OR забастовка", "ann", "bob",
            publishers=3, or_after="2h", alert_again_at=4,
        ),
        subscription_config("Coast floods", "flood NOT festival", "cid", feeds=["coast"]),
        subscription_config("Russian", "пожар OR забастовка", "dora", urgency="digest"),
        subscription_config("Quakes", "earthquake", "dora", "desk", urgency="breaking",
                      developments="alert"),
        subscription_config("Bonds", '"railway bonds" AND banker', "eve"),
        subscription_config("Ports", "@ports", "bob"),
    ]  # fmt: skip


async def small(folder: Path, seed: int = 1) -> Played:
    """About sixty articles, eight chats and twenty subscriptions, through a day."""
    async with replay(folder, seed, _small_chats()) as run:
        scene = Scene(run, Newswire(seed))
        _small_config(run)
        pieces = scene.news.pieces("tannery")
        for outlet in run.served.feeds.values():
            run.publish(outlet.name, next(pieces), age=3 * DAY, old=True)
        await run.start()
        subscribed = await _small_subscribe(run)
        harbour, strike = await _small_morning(scene, subscribed)
        await _small_noon(scene, subscribed, harbour, strike)
        await _small_outage(scene)
        await _small_evening(scene, subscribed)
        return scene.finish()


async def _small_subscribe(run: Replay) -> dict[str, Subscribed]:
    """People subscribe through the chat."""
    wanted: dict[str, tuple[Where, str, dict[str, Any]]] = {
        "ann-flood": (ANN, "flood", {}),
        "ann-verdict": (ANN, "verdict OR banker", {}),
        "bob-flood": (BOB, "flood", {"publishers": 2}),
        "bob-ballot": (BOB, "ballot", {"developments": "edit"}),
        "bob-ports": (BOB, "@ports NOT flood", {}),
        "cid-harbour": (CID, "harbour", {}),
        "cid-strike": (CID, "strike", {"urgency": "digest"}),
        "dora-ballot": (DORA, "ballot OR verdict", {}),
        "eve-harbour": (EVE, "harbour", {}),
        "eve-flood": (EVE, "flood", {}),
        "desk-strike": (DESK, "strike", {"publishers": 4, "or_after": "1h"}),
        "topic-all": (TOPIC, "* NOT windmill", {}),
    }
    found: dict[str, Subscribed] = {}

    async def subscribe(key: str) -> None:
        where, query, options = wanted[key]
        if made := await run.subscribe(where, query, **options):
            found[key] = made

    await run.together(*map(subscribe, wanted))
    return found


async def _small_morning(scene: Scene, subscribed: dict[str, Subscribed]) -> tuple[Event, Event]:
    """Two stories begin, one of them on the wire; people mute, follow, pause, edit and delete."""
    run, news = scene.run, scene.news
    harbour, strike, fire = news.event("harbour"), news.event("strike"), news.event("пожар")
    lead = scene.wire(harbour, 2)[0]
    scene.tell(strike, strike.wire)
    scene.wire(fire, 1)
    await run.pass_time(ROUND)
    scene.tell(harbour, harbour.rewrites[0])
    scene.tell(strike, strike.rewrites[0])
    scene.tell(fire, fire.rewrites[0])
    await run.pass_time(ROUND)
    seen = _first_seen_by(run, ANN, harbour, scene) or lead.link
    followed = _first_seen_by(run, BOB, harbour, scene) or lead.link
    await run.together(
        run.stance(ANN, seen, "/mute"),
        run.stance(BOB, followed, "/follow"),
        run.pause(CID, subscribed["cid-harbour"]),
        run.setting(CID, "Quiet hours", "10:30-19:00"),
        run.edit(DORA, subscribed["dora-ballot"], "ballot OR tram"),
        run.delete(EVE, subscribed["eve-flood"]),
        run.delete(BOB, subscribed["bob-flood"]),
    )
    run.history.chats[CID].quiet = (630, 19 * 60)
    return harbour, strike


def _first_seen_by(run: Replay, where: Where, event: Event, scene: Scene) -> str:
    """The article of an event that made the chat's alert."""
    articles = scene.told.get(event.wire.title, [])
    shown = (a.link for a in articles if run.api.evidence.showing(*where, a.link))
    return next(shown, "")


async def _small_noon(
    scene: Scene, subscribed: dict[str, Subscribed], harbour: Event, strike: Event
) -> None:
    """More news, to chats that are quiet, paced, or refuse; a correction; the first account."""
    run, news = scene.run, scene.news
    scene.tell(harbour, harbour.turns[0])
    scene.tell(strike, strike.rewrites[1])
    quake, verdict = news.event("quake"), news.event("verdict")
    flood, ballot = news.event("flood"), news.event("ballot")
    scene.wire(quake, 1)
    run.retitle(scene.told[harbour.wire.title][0], harbour.correction)
    run.api.fault(REFUSAL, "sendMessage", EVE[0], times=2)
    run.api.fault(TooManyRequests(3600), "sendMessage", BOB[0])
    scene.tell(verdict, verdict.wire)
    await run.pass_time(ROUND)
    scene.tell(quake, quake.turns[0])
    for feed in ("harbour-times", "evening-signal"):
        run.publish(feed, flood.wire)
    scene.tell(ballot, ballot.wire)
    scene.tell(news.event("harbour"), news.event("harbour").wire)
    scene.tell(news.event("забастовка"), news.event("забастовка").wire)
    await run.pass_time(ROUND)
    await scene.ask()


async def _small_outage(scene: Scene) -> None:
    """Telegram is down for a while, and Eve blocks the bot; an account meanwhile."""
    run, news = scene.run, scene.news
    await run.block(EVE)
    await run.settle()
    await run.api.change(Weather.BAD_GATEWAY)
    run.history.outages.append((run.now, None))
    for topic, feed in (("harbour", "lantern"), ("verdict", "meridian")):
        run.publish(feed, news.event(topic).wire)
    await run.pass_time(ROUND)
    await scene.ask()
    await run.api.change(Weather.FINE)
    run.history.outages[-1] = (run.history.outages[-1][0], run.now)
    await run.pass_time(120, step=60, steady=LOOK)


async def _small_evening(scene: Scene, subscribed: dict[str, Subscribed]) -> None:
    """A changed file, an archive, a flood, and the end of quiet hours; the last accounts."""
    run, news = scene.run, scene.news
    event = news.event("harbour")
    own = run.add_outlet("anns-blog", "Ann's Blog", readers=frozenset({ANN}))
    run.publish(own.name, next(news.pieces("quarry")), age=2 * DAY, old=True)
    late = run.add_outlet("gazette", "Old Gazette", "city")
    for telling in (event.rewrites[1], next(news.pieces("harbour"))):
        run.publish(late.name, telling, age=3600)
    run.config["feeds"].append(feed_config(late))
    fay = Chat(FAY, "fay", run.now, user=FAY[0])
    run.history.chats[FAY] = fay
    add_chat(run.api, fay)
    run.config["chats"]["fay"] = chat_config(fay)
    subscriptions = run.config["subscriptions"]
    subscriptions[:] = [entry for entry in subscriptions if entry["name"] != "Ports"]
    subscriptions.append(subscription_config("Late", "harbour OR mirror", "fay", "cid"))
    subscriptions[0]["query"] = "harbour OR причал OR quarry"
    run.config["names"] = {"ports": ["pier", "mirror"]}
    await run.reload()
    await run.together(run.add_feed(ANN, own))
    await run.pass_time(ROUND)
    run.publish(own.name, Telling("Quarry of Velholm gets a harbour", "A canal of four miles."))
    archive, flood = news.pieces("harbour"), news.pieces("strike")
    for number in range(11):
        run.publish("lantern", next(archive), age=(4 + number) * DAY, old=True)
    newest = max(article.dated for article in run.outlet("meridian").articles)
    for number in range(12):  # none is dated after what was known
        run.publish("meridian", next(flood), age=run.now - newest + 60 * (number + 1))
    run.publish("meridian", news.event("harbour").wire, age=10)
    await run.pass_time(ROUND)
    restored = subscribed["cid-harbour"]
    removed = await run.delete(DORA, subscribed["dora-ballot"])
    await run.together(
        run.undo(DORA, subscribed["dora-ballot"], removed), run.resume(CID, restored)
    )
    await run.unblock(EVE)
    await run.pass_time(3600, step=3600, steady=LOOK)
    hours = (20 * 3600 + 300 - run.now % DAY) % DAY
    await run.pass_time(hours, step=5 * 3600, steady=LOOK)
    await scene.ask()
