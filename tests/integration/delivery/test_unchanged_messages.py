"""An edit that would change nothing of a message is not sent; one that might change it is."""

from datetime import timedelta

from botapi import BotApi, DropAfter
from telegram_harness import ANN, ArticleSpec, OpenHarness, TelegramHarness, rule

from bot.model.delivery import DropReason

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def edits(harness: TelegramHarness) -> int:
    return sum(call.method == "editMessageText" for call in harness.api.calls)


async def test_a_further_article_that_a_digest_does_not_show_changes_nothing(
    opened: OpenHarness,
) -> None:
    """Of a story in a digest the number of publishers is shown; after a restart as well."""
    digest = rule("Digest", "ann", urgency="digest")
    async with opened(digest) as harness:
        first, _ = await harness.add(ArticleSpec("ann one", origin="A"), ArticleSpec("ann two"))
        await harness.execute("update chats set settings = '{\"digest_from\": 2}', hours_at = ''")
        await harness.deliver(10 * SECOND)
        story = (first, first, first)
        await harness.add(ArticleSpec("ann one, again", story, origin="A"))
        await harness.deliver(2 * MINUTE, 10 * SECOND)
        assert edits(harness) == 0
        await harness.add(ArticleSpec("ann one, elsewhere", story, origin="B"))
        await harness.deliver(2 * MINUTE, 10 * SECOND)
        assert edits(harness) == 1
        assert "2 publishers" in harness.api.messages(ANN)[-1].text
    async with opened(digest) as harness:
        await harness.add(ArticleSpec("ann one, once more", story, origin="B"))
        await harness.deliver(2 * MINUTE, 10 * SECOND)
        assert edits(harness) == 1
        last = (await harness.outbox("dropped"))[-1]
        assert (last.error, last.attempts) == (DropReason.UNCHANGED, 0)


async def test_after_an_edit_of_which_nobody_knows_whether_it_arrived_the_former_words_are_sent(
    opened: OpenHarness, api: BotApi
) -> None:
    async with opened(rule("All", "ann")) as harness:
        await harness.add(ArticleSpec("ann one"))
        await harness.deliver(2 * SECOND)
        api.fault(DropAfter(), "editMessageText")
        await harness.retitle("ann one", "ann two")
        await harness.deliver()
        assert harness.shown(ANN) == ["ann two"]
        await harness.retitle("ann two", "ann one")
        await harness.deliver(2 * MINUTE, SECOND)
        assert harness.shown(ANN) == ["ann one"]


async def test_words_that_came_and_went_between_two_edits_are_no_edit(opened: OpenHarness) -> None:
    async with opened(rule("All", "ann")) as harness:
        await harness.add(ArticleSpec("ann one"))
        await harness.deliver(2 * SECOND)
        await harness.retitle("ann one", "ann two")
        await harness.retitle("ann two", "ann one")
        await harness.deliver(2 * MINUTE, SECOND)
        assert harness.shown(ANN) == ["ann one"]
        assert edits(harness) == 0


async def test_a_terminal_prints_every_change(opened: OpenHarness) -> None:
    """Its records hold more than a message shows."""
    async with opened(rule("All", "ann", to=("here",))) as harness:
        await harness.add(ArticleSpec("ann one"))
        await harness.deliver(2 * SECOND)
        await harness.retitle("ann one", "ann two")
        await harness.retitle("ann two", "ann one")
        await harness.deliver(2 * MINUTE, SECOND)
        assert len(harness.terminal.sent) == 2
