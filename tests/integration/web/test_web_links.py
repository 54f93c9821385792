"""Links to the page: in alerts without buttons, from the command line, and what ends them."""

import asyncio
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner
from services import services
from support import ManualClock
from telegram_harness import ANN, BOB, GROUP, ArticleSpec, rule
from web_reader import HOSTILE, WEB, Reader, site

from bot.cli.main import main
from bot.service.control import WEB_REVOKE, control
from bot.service.web_requests import change_web

CHANNEL = -1002
PUBLIC = "https://news.example.org"


async def test_an_alert_without_buttons_links_to_its_story_and_to_nothing_else(
    tmp_path: Path, clock: ManualClock
) -> None:
    chats = {"ann": ANN, "bob": BOB, "news": CHANNEL}
    rules = [rule("Secret desk", "tram", to=("here", "ann", "news"))]
    web = {**WEB, "public": PUBLIC}
    async with site(tmp_path, clock, chats=chats, subscriptions=rules, web=web) as here:
        harness = here.harness
        harness.api.add_channel(CHANNEL, "News")
        await harness.execute("update chats set channel = 1 where name = 'news'")
        await harness.add(ArticleSpec(f"tram {HOSTILE[0]}"))
        await harness.deliver(timedelta(seconds=10))
        posted = harness.api.messages(CHANNEL)[-1]
        links = [entity["url"] for entity in posted.entities if entity["type"] == "text_link"]
        address = next(link for link in links if link.startswith(PUBLIC))
        assert posted.text.endswith("The story so far")
        own = harness.api.messages(ANN)[-1]
        assert PUBLIC not in str(own.entities)
        assert "The story so far" not in own.text  # its buttons ask
        [(_, told)] = harness.terminal.sent
        assert told.text.rpartition("\n")[2].startswith(f"The story so far: {PUBLIC}/s/")
        stranger = await here.reader()
        path = address.removeprefix(PUBLIC)
        page = await stranger.get(path)
        assert page.status == 200
        assert "Who was first" in page.words
        assert "Secret desk" in page.words
        assert page.tree.css("nav") == page.tree.css("form") == page.tree.css("script") == []
        await harness.execute(
            "update chats set settings = ? where name = 'news'", '{"hide_names": 1}'
        )
        assert "Secret desk" not in (await stranger.get(path)).words
        other = path.replace("/s/", "/s/1")
        assert (await stranger.get(other)).status == 404
        await harness.execute("update chats set allowed = 0 where name = 'news'")
        assert (await stranger.get(path)).status == 404
        await harness.execute("update chats set allowed = 1 where name = 'news'")
        await change_web(harness.app.store.web, WEB_REVOKE, "", 0, clock.now())
        assert (await stranger.get(path)).status == 404


async def test_who_administers_a_channel_reads_it_too_while_that_lasts(
    tmp_path: Path, clock: ManualClock
) -> None:
    chats = {"ann": ANN, "bob": BOB, "news": CHANNEL}
    async with site(tmp_path, clock, chats=chats) as here:
        harness = here.harness
        harness.api.add_channel(CHANNEL, "News", members={BOB: "administrator"})
        number = await here.chat("news")
        await harness.execute("insert into links values (?, ?, '2026')", number, BOB)
        await harness.add(ArticleSpec("news tram"))
        bob: Reader = await here.signed_in(BOB)
        assert "news" in (await bob.get("/")).words.split()
        assert "news tram" in (await bob.get(f"/alerts?chat={number}")).words
        harness.api.set_member(CHANNEL, BOB, "member")
        assert harness.app.telegram is not None
        harness.app.telegram.members._known.clear()  # the answer is kept for a minute
        assert "news tram" not in (await bob.get(f"/alerts?chat={number}")).words


async def test_the_command_line_makes_and_ends_links(tmp_path: Path, clock: ManualClock) -> None:
    def run(*words: str) -> tuple[int, str]:
        command = ["-c", str(tmp_path / "feeds.yaml"), "web-link", *words]
        result = CliRunner().invoke(main, command)
        return result.exit_code, result.output

    async with site(tmp_path, clock) as here:
        await here.harness.add(ArticleSpec("bob tram"))
        app, anyone = here.harness.app, await here.reader()
        async with control(app.config.beside, app.answer_request, None, app.change_web):
            code, output = await asyncio.to_thread(run)
            link = output.splitlines()[0]
            assert code == 0
            assert link.startswith("http://127.0.0.1:8080/login/")
            await anyone.sign_in(link)
            assert "Chats" in (await anyone.get("/")).words
            _, output = await asyncio.to_thread(run, "--feed", "bob")
            atom = output.splitlines()[0].removeprefix("http://127.0.0.1:8080")
            assert "bob tram" in (await anyone.get(atom)).text
            assert (await asyncio.to_thread(run, "--feed", "bop")) == (
                2,
                "There is no chat 'bop'; did you mean bob?\n",
            )
            assert "ended" in (await asyncio.to_thread(run, "--revoke-feed", "bob"))[1]
            assert (await anyone.get(atom)).status == 404
            _, output = await asyncio.to_thread(run, "--revoke-all")
            assert output.startswith("1 ")
            assert (await anyone.get("/")).status == 401
    code, output = await asyncio.to_thread(run)
    assert code == 0  # where none runs, the next one takes it
    assert "/login/" in output


async def test_a_link_decides_about_its_story_where_a_chat_has_no_buttons(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Only there: in Telegram buttons ask who presses them."""
    web = {**WEB, "public": PUBLIC}
    async with services() as stand_in:
        desk = {"desk": stand_in.chat("matrix")}
        rules = [rule("Tram", "tram", to=("desk", "ann"))]
        async with site(
            tmp_path, clock, chats={"ann": ANN}, subscriptions=rules, web=web, elsewhere=desk
        ) as here:
            harness = here.harness
            [story] = await harness.add(ArticleSpec("tram fire"))
            await harness.deliver(timedelta(seconds=10))
            [message] = stand_in.messages.values()
            html = message.content["formatted_body"]
            path = html.partition(f'href="{PUBLIC}')[2].partition('"')[0]
            reader = await here.reader()
            labels = [node.text() for node in (await reader.get(path)).tree.css("form button")]
            assert labels == ["Mute", "Follow", "I'm on it"]
            assert (await reader.post(path, do="take", name="Bea <b>")).status == 303
            await harness.deliver(timedelta(minutes=1), timedelta(seconds=5))
            assert "Bea <b> is on it" in message.text
            await reader.post(path, do="mute")
            assert "This storyline is muted." in (await reader.get(path)).words
            await harness.add(ArticleSpec("tram fire spreads", (0, 0, story)))
            await harness.deliver(timedelta(seconds=10))
            assert len(stand_in.messages) == 1
            assert [text for text in harness.shown(ANN) if "spreads" in text] != []
            assert (await reader.post(path, do="delete")).status == 404
            await reader.post(path, do="normal")
            await harness.add(ArticleSpec("tram fire is out", (0, 0, story)))
            await harness.deliver(timedelta(seconds=10))
            assert len(stand_in.messages) == 2


async def test_a_group_is_on_the_page_of_a_member_who_asked_for_it_there(
    tmp_path: Path, clock: ManualClock
) -> None:
    chats = {"ann": ANN, "bob": BOB, "desk": GROUP}
    async with site(tmp_path, clock, chats=chats) as here:
        harness = here.harness
        harness.api.add_group(GROUP, "Desk", members={ANN: "administrator", BOB: "member"})
        await harness.add(ArticleSpec("desk tram"))
        page = f"/alerts?chat={await here.chat('desk')}"
        ann, bob = await here.signed_in(ANN), await here.signed_in(BOB)
        assert "desk tram" not in (await bob.get(page)).words  # nor where nobody asked for it
        for user in (ANN, BOB):
            harness.api.say(GROUP, user, "/web")
            await harness.listen()
        await harness.deliver(timedelta(seconds=5))
        assert "/login/" not in harness.api.messages(GROUP)[-1].text
        for reader in (ann, bob):
            assert "desk tram" in (await reader.get(page)).words
        form = {"do": "make", "chat": str(await here.chat("desk"))}
        assert "Make an address" not in (await bob.get(page)).words
        assert (await bob.post("/alerts", None, **form)).status == 403
        assert (await ann.post("/alerts", None, **form)).status == 200
        harness.api.set_member(GROUP, BOB, "left")
        assert harness.app.telegram is not None
        harness.app.telegram.members._known.clear()
        assert "desk tram" not in (await bob.get(page)).words
