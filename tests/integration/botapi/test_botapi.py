"""The loopback Bot API keeps to what is known of the real one, as python-telegram-bot sees it.

Not a test of the project: it makes the other tests' server trustworthy.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from botapi import (
    BotApi,
    DropAfter,
    DropBefore,
    Fault,
    NotJson,
    Refuse,
    ServerError,
    Slow,
    TooManyRequests,
)
from botapi import text as texts
from botapi.errors import ApiError
from botapi.html import parse_html
from ptb import TLS, client, refused
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    ReplyKeyboardMarkup,
    Update,
    WebAppInfo,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import Application, CommandHandler, ContextTypes

ANN, BOB, GROUP, FORUM, CHANNEL, TOPIC = 7, 8, -10, -1001, -1002, 55


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time it stands at."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def api(clock: Clock) -> AsyncIterator[BotApi]:
    async with BotApi(clock=clock) as server:
        server.add_private(ANN, "Ann", username="ann")
        server.add_group(GROUP, "Group", {ANN: "creator", BOB: "member"})
        server.add_supergroup(FORUM, "Forum", {ANN: "administrator"}, forum=True)
        server.add_topic(FORUM, TOPIC, "News")
        server.add_channel(CHANNEL, "Channel", username="news")
        yield server


@pytest.fixture(autouse=True)
def _timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it RetryAfter warns while it is built, and where warnings are errors, that it is."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest_asyncio.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with client(api) as ready:
        api.calls.clear()
        yield ready


def keyboard(*buttons: InlineKeyboardButton) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([list(buttons)])


def pressable(data: str = "1") -> InlineKeyboardMarkup:
    return keyboard(InlineKeyboardButton("Mute", callback_data=data))


# sending


async def test_a_sent_message_is_kept_with_all_that_came_with_it(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(
        ANN, "<b>Hi</b> 123", parse_mode="HTML", reply_markup=pressable(),
        disable_notification=True, link_preview_options=LinkPreviewOptions(is_disabled=True),
    )  # fmt: skip

    [message] = api.messages(ANN)
    assert (message.message_id, message.chat_id, message.thread_id) == (sent.message_id, ANN, None)
    assert (message.text, message.silent, message.deleted) == ("Hi 123", True, False)
    assert message.entities == [{"type": "bold", "offset": 0, "length": 2}]
    assert message.reply_markup == {"inline_keyboard": [[{"text": "Mute", "callback_data": "1"}]]}
    assert message.link_preview == {"is_disabled": True}
    assert sent.entities == (MessageEntity("bold", 0, 2),)
    assert sent.from_user is not None
    assert sent.from_user.id == bot.id


async def test_text_that_looks_like_a_number_stays_text(api: BotApi, bot: Bot) -> None:
    await bot.send_message(ANN, "42")

    assert [call.params for call in api.calls] == [{"chat_id": ANN, "text": "42"}]
    assert api.messages(ANN)[0].text == "42"


async def test_json_bodies_and_query_strings_are_understood_too(api: BotApi) -> None:
    async with httpx.AsyncClient(verify=TLS, base_url=f"{api.url}/bot{api.token}/") as http:
        bold = {"type": "bold", "offset": 0, "length": 1}
        body = {"chat_id": ANN, "text": "a", "entities": [bold]}
        by_json = (await http.post("SENDMESSAGE", json=body)).json()
        by_query = (await http.get("sendMessage", params={"chat_id": ANN, "text": "b"})).json()

    assert by_json["result"]["entities"] == [bold]
    assert by_query["result"]["text"] == "b"
    assert [call.method for call in api.calls] == ["sendMessage", "sendMessage"]


async def test_text_is_counted_after_parsing_in_code_points(bot: Bot) -> None:
    longest = f"<b>{'😀' * 4096}</b>"

    assert (await bot.send_message(ANN, longest, parse_mode="HTML")).text == "😀" * 4096
    assert await refused(bot.send_message(ANN, "x" * 4097)) == "Message is too long"
    assert await refused(bot.send_message(ANN, "x" * 32769)) == "Text is too long"


async def test_empty_texts_are_refused_each_in_its_words(bot: Bot) -> None:
    assert await refused(bot.send_message(ANN, "")) == "Message text is empty"
    assert await refused(bot.send_message(ANN, " \n\u202e ")) == "Text must be non-empty"
    assert await refused(bot.send_message(ANN, "<b> </b>", "HTML")) == "Text must be non-empty"


async def test_text_is_cleaned_and_trimmed_and_entities_move_along(bot: Bot) -> None:
    bold = MessageEntity("bold", 6, 3)

    sent = await bot.send_message(ANN, "\r\n\x07a\r\u202e😀c\x0bd\n", entities=[bold])

    assert sent.text == "a😀c d"
    assert sent.entities == (MessageEntity("bold", 1, 3),)


async def test_isolates_and_zero_width_characters_stay(bot: Bot) -> None:
    assert (await bot.send_message(ANN, "a\u2066\u200b\u200eb")).text == "a\u2066\u200b\u200eb"


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ("a<br>", 'Unsupported start tag "br" at byte offset 1'),
        ("é<3", "Unclosed start tag at byte offset 2"),
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>a</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
async def test_broken_html_fails_the_message_in_telegrams_words(
    api: BotApi, markup: str, reason: str
) -> None:
    async with httpx.AsyncClient(verify=TLS) as http:
        form = {"chat_id": str(ANN), "text": markup, "parse_mode": "HTML"}
        answer = await http.post(f"{api.url}/bot{api.token}/sendMessage", data=form)

    assert answer.status_code == 400
    assert answer.json() == {
        "ok": False, "error_code": 400,
        "description": f"Bad Request: can't parse entities: {reason}",
    }  # fmt: skip


@pytest.mark.parametrize("own_parser", [False, True])
async def test_html_links_without_a_dotted_host_vanish_and_users_become_mentions(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, *, own_parser: bool
) -> None:
    if own_parser:
        monkeypatch.setattr(texts, "td_execute", None)
    links = "http://localhost/x", "ftp://a.b", "HTTP://A.b", "http://[::1]/", f"tg://user?id={ANN}"
    text = "".join(f'<a href="{link}">L</a>' for link in links)

    sent = await bot.send_message(ANN, text, parse_mode="HTML")

    entities = [(entity.offset, entity.type, entity.url) for entity in sent.entities]
    assert entities == [
        (2, "text_link", "http://a.b/"), (3, "text_link", "http://[::1]/"),
        (4, "text_mention", None),
    ]  # fmt: skip
    assert sent.entities[2].user is not None
    assert sent.entities[2].user.id == ANN


MARKUP = [
    "&lt;&nbsp;&#65;&#x42;&amp;&quot;&apos;> & &foo;", "<b>1<i>2</i></b><u>3</u><del>4</del>",
    "<a href='a.b?x&lt;'>l</a><a>a.b</a><a>x</a>", "<pre><code class='language-py'>x</code></pre>",
    "<pre>x</pre><code class='language-py'>y</code>", "<blockquote expandable>q</blockquote>",
    "<tg-spoiler>1</tg-spoiler><span class='tg-spoiler'>2</span>", "😀<b>😀</b></", "<b a=1>x</>",
    "<tg-emoji emoji-id='5'>x</tg-emoji>", "<tg-emoji emoji-id='x'>x</tg-emoji>", "<b", "<b a='",
    "<i =1>", "<i a=*>", "<b></b>x<i> </i>", "&#xD800;", "<B>x</b >", "<b>x</b", "<script>",
]  # fmt: skip


@pytest.mark.skipif(texts.td_execute is None, reason="tdjson is not installed")
@pytest.mark.parametrize("markup", MARKUP)
def test_the_small_parser_agrees_with_telegrams_own(markup: str) -> None:
    def outcome(own: bool) -> object:
        try:
            parsed = (
                texts.Formatted(*parse_html(markup)) if own else texts.parse(markup, "HTML", [])
            )
        except ApiError as error:
            return error.description
        return parsed

    assert outcome(own=True) == outcome(own=False)


async def test_entities_out_of_bounds_fail_the_message(bot: Bot) -> None:
    async def reply(offset: int, length: int) -> str:
        entity = MessageEntity("bold", offset, length)
        return (await refused(bot.send_message(ANN, "a😀", entities=[entity]))).casefold()

    assert await reply(9, 1) == "entity begins after the end of the text at utf-16 offset 9"
    assert await reply(0, 4) == (
        "entity beginning at utf-16 offset 0 ends after the end of the text at utf-16 offset 4"
    )
    assert await reply(2, 1) == "entity begins in a middle of a utf-16 symbol at byte offset 5"
    assert await reply(-1, 1) == "receive an entity with incorrect offset -1"


async def test_entities_beyond_a_hundred_are_ignored(bot: Bot) -> None:
    many = [MessageEntity("bold", 2 * at, 1) for at in range(120)]

    assert len((await bot.send_message(ANN, "x " * 120, entities=many)).entities) == 100


async def test_a_bad_link_given_as_an_entity_is_dropped_or_refused_as_set(
    api: BotApi, bot: Bot
) -> None:
    entity = MessageEntity("text_link", 0, 1, url="localhost")

    assert (await bot.send_message(ANN, "x", entities=[entity])).entities == ()
    api.refuse_bad_links = True
    reply = await refused(bot.send_message(ANN, "x", entities=[entity]))
    assert reply == "Entity url 'localhost' is invalid: wrong http url"


@pytest.mark.parametrize(
    ("button", "reply"),
    [
        (InlineKeyboardButton("x", callback_data="é" * 33), "Button_data_invalid"),
        (
            InlineKeyboardButton("x", url="http://localhost/"),
            "Inline keyboard button url 'http://localhost/' is invalid: wrong http url",
        ),
        (
            InlineKeyboardButton("x", url="javascript://a.b"),
            "Inline keyboard button url 'javascript://a.b' is invalid: unsupported url protocol",
        ),
        (
            InlineKeyboardButton("x"),
            "Can't parse inline keyboard button: text buttons are unallowed in the inline keyboard",
        ),
        (
            InlineKeyboardButton("x", web_app=WebAppInfo("http://a.b/")),
            (
                "Inline keyboard button web app url 'http://a.b/' is invalid: only https links "
                "are allowed"
            ),
        ),
        (
            InlineKeyboardButton("x", copy_text=CopyTextButton("x" * 257)),
            "Button_copy_text_invalid",
        ),
        (InlineKeyboardButton("x", pay=True), "Button_type_invalid"),
        (
            InlineKeyboardButton(" ", callback_data="x"),
            "Inline keyboard button text must be non-empty",
        ),
    ],
)
async def test_wrong_buttons_fail_the_message(
    api: BotApi, bot: Bot, button: InlineKeyboardButton, reply: str
) -> None:
    assert await refused(bot.send_message(ANN, "x", reply_markup=keyboard(button))) == reply
    assert api.messages(ANN) == []


async def test_right_buttons_pass_with_their_links_in_telegrams_form(bot: Bot) -> None:
    links = {
        "A.b": "http://a.b/",
        "https://a.b:443?q": "https://a.b/?q",
        "http://u@a.b:81/#x": "http://u@a.b:81/#x",
        "tg:resolve?domain=x": "tg://resolve?domain=x",
        "http://пример.рф/": "http://пример.рф/",
    }
    buttons = [InlineKeyboardButton("x", url=link) for link in links]
    app = InlineKeyboardButton("x", web_app=WebAppInfo("https://a.b/"))
    search = InlineKeyboardButton("x", switch_inline_query="x")

    sent = await bot.send_message(ANN, "x", reply_markup=keyboard(*buttons, app, search))

    assert sent.reply_markup is not None
    assert [button.url for button in sent.reply_markup.inline_keyboard[0][:5]] == list(
        links.values()
    )
    assert (
        await refused(bot.send_message(CHANNEL, "x", reply_markup=keyboard(app)))
        == "Button_type_invalid"
    )
    reply = await refused(bot.send_message(CHANNEL, "x", reply_markup=keyboard(search)))
    assert reply.startswith("Can't use switch_inline_query button in a channel chat")


async def test_keyboards_hold_eight_buttons_a_row_and_a_hundred_in_all(bot: Bot) -> None:
    button = InlineKeyboardButton("x", callback_data="é" * 32)

    await bot.send_message(ANN, "x", reply_markup=InlineKeyboardMarkup([[button] * 8] * 12))
    for rows in ([[button] * 9], [[button] * 8] * 13):
        reply = await refused(bot.send_message(ANN, "x", reply_markup=InlineKeyboardMarkup(rows)))
        assert reply == "Reply markup is too long"


async def test_a_reply_names_its_message_which_must_exist(api: BotApi, bot: Bot) -> None:
    first = await bot.send_message(ANN, "one")
    second = await bot.send_message(ANN, "two", reply_to_message_id=first.message_id)

    assert second.reply_to_message is not None
    assert second.reply_to_message.text == "one"
    assert api.messages(ANN)[1].reply_to == first.message_id
    reply = await refused(bot.send_message(ANN, "x", reply_to_message_id=999))
    assert reply == "Message to be replied not found"


async def test_documents_and_photos_are_stored_with_their_captions(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_document(ANN, b"<opml/>", filename="feeds.opml", caption="<i>a</i>",
                                   parse_mode="HTML")  # fmt: skip
    photo = await bot.send_photo(ANN, b"png", caption=" ")

    assert sent.document is not None
    assert (sent.document.file_name, sent.document.file_size) == ("feeds.opml", 7)
    assert (sent.caption, sent.caption_entities) == ("a", (MessageEntity("italic", 0, 1),))
    assert api.files[sent.document.file_id] == ("feeds.opml", b"<opml/>")
    assert (photo.caption, api.files[photo.photo[0].file_id][1]) == (None, b"png")
    reply = await refused(bot.send_document(ANN, b"x", caption="x" * 1025))
    assert reply == "Message caption is too long"


async def test_a_document_someone_sent_can_be_fetched(api: BotApi, bot: Bot) -> None:
    api.upload(ANN, ANN, "feeds.opml", b"<opml/>", caption="/import")

    [update] = await bot.get_updates()
    assert update.message is not None
    assert update.message.document is not None
    file = await update.message.document.get_file()
    assert bytes(await file.download_as_bytearray()) == b"<opml/>"
    assert "wrong file_id" in (await refused(bot.get_file("nothing"))).casefold()


# editing and deleting


async def test_an_edit_replaces_the_text_and_is_remembered(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(ANN, "one", reply_markup=pressable())

    edited = await sent.edit_text("<b>two</b>", parse_mode="HTML")

    [message] = api.messages(ANN)
    assert (message.text, message.reply_markup) == ("two", None)
    assert message.edits == [("two", [{"type": "bold", "offset": 0, "length": 3}])]
    assert isinstance(edited, type(sent))
    assert edited.edit_date is not None


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot) -> None:
    sent = await bot.send_message(ANN, "one", reply_markup=pressable())
    same = (
        "Message is not modified: specified new message content and reply markup are exactly the "
        "same as a current content and reply markup of the message"
    )

    assert await refused(sent.edit_text("one\n", reply_markup=pressable())) == same
    assert await refused(sent.edit_reply_markup(pressable())) == same
    await sent.edit_reply_markup(pressable("2"))
    await sent.edit_text("one")


async def test_only_the_bots_own_living_messages_can_be_edited(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(ANN, "one")
    await sent.delete()
    typed = await bot.send_message(ANN, "x", reply_markup=ReplyKeyboardMarkup([["Yes"]]))
    api.say(ANN, ANN, "hello")

    assert await refused(sent.edit_text("two")) == "Message to edit not found"
    assert await refused(sent.delete()) == "Message to delete not found"
    assert await refused(typed.edit_text("two")) == "Message can't be edited"
    foreign = bot.edit_message_text("two", ANN, typed.message_id + 1)
    assert await refused(foreign) == "Message can't be edited"
    assert [message.deleted for message in api.messages(ANN)] == [True, False]


async def test_others_messages_in_a_group_are_deleted_by_administrators_only(
    api: BotApi, bot: Bot
) -> None:
    api.say(GROUP, ANN, "hello")
    [update] = await bot.get_updates()
    assert update.message is not None

    assert await refused(update.message.delete()) == "Message can't be deleted"


# chats the bot may not write to


async def test_the_bot_writes_only_to_chats_it_knows(bot: Bot) -> None:
    assert await refused(bot.send_message(404, "x")) == "Chat not found"
    assert await refused(bot.send_message("@nobody", "x")) == "Chat not found"
    assert await refused(bot.send_message("", "x")) == "Chat_id is empty"
    reply = await refused(bot.send_message(BOB, "x"), Forbidden)
    assert reply == "Forbidden: bot can't initiate conversation with a user"
    reply = await refused(bot.send_message(bot.id, "x"), Forbidden)
    assert reply == "Forbidden: the bot can't send messages to the bot"
    assert (await bot.send_message("@news", "x")).chat.id == CHANNEL


async def test_blocking_and_unblocking_is_told_and_enforced(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(ANN, "x")
    api.block(ANN)
    blocked = "Forbidden: bot was blocked by the user"
    assert await refused(bot.send_message(ANN, "x"), Forbidden) == blocked
    assert await refused(sent.edit_text("y"), Forbidden) == blocked
    api.unblock(ANN)
    await bot.send_message(ANN, "x")

    changes = [update.my_chat_member for update in await bot.get_updates()]
    assert [change and change.new_chat_member.status for change in changes] == ["kicked", "member"]
    api.deactivate(ANN)
    reply = await refused(bot.send_message(ANN, "x"), Forbidden)
    assert reply == "Forbidden: user is deactivated"


@pytest.mark.parametrize(
    ("chat_id", "name"), [(GROUP, "group"), (FORUM, "supergroup"), (CHANNEL, "channel")]
)
async def test_a_kick_is_told_and_enforced_until_the_bot_is_invited(
    api: BotApi, bot: Bot, chat_id: int, name: str
) -> None:
    api.kick(chat_id)
    reply = await refused(bot.send_message(chat_id, "x"), Forbidden)
    assert reply == f"Forbidden: bot was kicked from the {name} chat"
    api.invite(chat_id)
    await bot.send_message(chat_id, "x")

    changes = [update.my_chat_member for update in await bot.get_updates()]
    statuses = [change and change.new_chat_member.status for change in changes]
    assert statuses == ["kicked", "administrator" if chat_id == CHANNEL else "member"]


async def test_deleted_and_restricted_groups_refuse_each_in_its_words(
    api: BotApi, bot: Bot
) -> None:
    api.restrict(GROUP)
    reply = await refused(bot.send_message(GROUP, "x"))
    assert reply == "Not enough rights to send text messages to the chat"
    reply = await refused(bot.send_photo(GROUP, b"x"))
    assert reply == "Not enough rights to send photos to the chat"
    api.unrestrict(GROUP)
    await bot.send_message(GROUP, "x")
    api.delete_group(GROUP)
    reply = await refused(bot.send_message(GROUP, "x"), Forbidden)
    assert reply == "Forbidden: the group chat was deleted"


async def test_an_upgraded_group_answers_with_its_new_id(api: BotApi, bot: Bot) -> None:
    api.migrate(GROUP, -1009)

    with pytest.raises(ChatMigrated) as caught:
        await bot.send_message(GROUP, "x")
    assert caught.value.new_chat_id == -1009
    await bot.send_message(-1009, "x")
    old, new = [update.message for update in await bot.get_updates()]
    assert old is not None
    assert new is not None
    assert (old.migrate_to_chat_id, new.migrate_from_chat_id) == (-1009, GROUP)
    assert (await bot.get_chat_member(-1009, ANN)).status == "creator"


async def test_topics_must_exist_and_be_open(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(FORUM, "x", message_thread_id=TOPIC)
    await bot.send_message(FORUM, "general")
    assert (sent.message_thread_id, sent.is_topic_message) == (TOPIC, True)
    assert [message.text for message in api.messages(FORUM, TOPIC)] == ["x"]

    api.close_topic(FORUM, TOPIC)
    reply = await refused(bot.send_message(FORUM, "x", message_thread_id=TOPIC))
    assert reply == "Topic_closed"
    api.delete_topic(FORUM, TOPIC)
    for chat_id, thread_id in ((FORUM, TOPIC), (FORUM, 1), (ANN, 5)):
        reply = await refused(bot.send_message(chat_id, "x", message_thread_id=thread_id))
        assert reply == "Message thread not found"


# updates


async def test_what_people_say_arrives_with_command_entities(api: BotApi, bot: Bot) -> None:
    first = api.say(ANN, ANN, "😀 /watch@bell_bot https://a.b/c and/or")

    [update] = await bot.get_updates()
    assert update.update_id == first
    assert update.message is not None
    assert update.message.from_user is not None
    assert update.message.from_user.language_code == "en"
    assert list(update.message.parse_entities().values()) == ["/watch@bell_bot", "https://a.b/c"]
    assert update.message.entities[0] == MessageEntity("bot_command", 3, 15)


async def test_anonymous_administrators_and_channels_speak_as_their_chat(
    api: BotApi, bot: Bot
) -> None:
    api.say(GROUP, ANN, "x", anonymous_admin=True)
    api.say(CHANNEL, ANN, "y")

    group, channel = await bot.get_updates()
    assert group.message is not None
    assert group.message.from_user is not None
    assert group.message.sender_chat is not None
    assert (group.message.from_user.id, group.message.sender_chat.id) == (1087968824, GROUP)
    assert channel.channel_post is not None
    assert channel.channel_post.from_user is None


async def test_words_in_a_topic_answer_its_first_message(api: BotApi, bot: Bot) -> None:
    api.say(FORUM, ANN, "/start", thread_id=TOPIC)

    [update] = await bot.get_updates()
    assert update.message is not None
    assert update.message.message_thread_id == TOPIC
    assert update.message.reply_to_message is not None
    assert update.message.reply_to_message.forum_topic_created is not None


async def test_a_press_arrives_with_its_message_and_can_be_answered(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(GROUP, "x", reply_markup=pressable("mute:1"))
    api.press(GROUP, BOB, sent.message_id, "mute:1")

    [update] = await bot.get_updates()
    query = update.callback_query
    assert query is not None
    assert (query.data, query.from_user.id, query.message) == ("mute:1", BOB, sent)
    await query.answer("Muted", show_alert=True)
    [answer] = api.answers
    assert (answer.callback_query_id, answer.text, answer.show_alert) == (query.id, "Muted", True)
    assert await refused(bot.answer_callback_query("404")) == (
        "Query is too old and response timeout expired or query id is invalid"
    )


async def test_a_press_on_a_deleted_message_shows_no_message(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(GROUP, "x", reply_markup=pressable())
    await sent.delete()
    api.press(GROUP, BOB, sent.message_id, "1")

    [update] = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.message is not None
    assert not update.callback_query.message.is_accessible


async def test_updates_come_again_until_an_offset_confirms_them(api: BotApi, bot: Bot) -> None:
    ids = [api.say(ANN, ANN, str(number)) for number in range(5)]

    async def polled(offset: int | None = None, limit: int | None = None) -> list[int]:
        return [update.update_id for update in await bot.get_updates(offset, limit)]

    assert await polled(limit=2) == ids[:2]
    assert await polled() == ids
    assert await polled(offset=ids[2]) == ids[2:]
    assert await polled(offset=-1) == ids[4:]
    assert await polled() == ids[4:]
    assert await polled(offset=ids[4] + 1) == []


async def test_only_the_allowed_kinds_arrive_and_the_choice_lasts(api: BotApi, bot: Bot) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    api.say(ANN, ANN, "unheard")
    assert await bot.get_updates() == ()
    await bot.get_updates(allowed_updates=[])
    api.say(ANN, ANN, "heard")
    assert len(await bot.get_updates()) == 1


async def test_a_long_poll_waits_for_the_first_update(api: BotApi, bot: Bot) -> None:
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(bot.get_updates(timeout=30))
        await api.arrived("getUpdates")
        update_id = api.say(ANN, ANN, "x")

    assert [update.update_id for update in poll.result()] == [update_id]


async def test_of_two_pollers_the_older_gets_the_conflict(api: BotApi, bot: Bot) -> None:
    async with client(api) as other:
        old = asyncio.create_task(bot.get_updates(timeout=30))
        await api.arrived("getUpdates")
        new = asyncio.create_task(other.get_updates(timeout=30))
        reply = await refused(old, Conflict)
        api.say(ANN, ANN, "x")

        assert len(await new) == 1
    assert reply == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot "
        "instance is running"
    )


async def test_polling_and_a_webhook_exclude_each_other(api: BotApi, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=30))
    await api.arrived("getUpdates")
    await bot.set_webhook("https://a.b/")

    assert await refused(poll, Conflict) == "Conflict: terminated by setWebhook request"
    reply = await refused(bot.get_updates(), Conflict)
    assert reply.startswith("Conflict: can't use getUpdates method while webhook is active")
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


async def test_leaving_the_server_answers_whoever_still_polls(clock: Clock) -> None:
    async with BotApi(clock=clock) as api:
        bot = client(api)
        await bot.initialize()
        poll = asyncio.create_task(bot.get_updates(timeout=50))
        await api.arrived("getUpdates")
    assert await poll == ()
    await bot.shutdown()


async def test_an_application_polls_answers_and_falls_quiet(api: BotApi) -> None:
    async def start(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        await update.message.reply_text("welcome")

    application = Application.builder().bot(client(api)).build()
    application.add_handler(CommandHandler("start", start))
    assert application.updater is not None
    async with application:
        await application.updater.start_polling()
        await application.start()
        api.say(ANN, ANN, "/start")
        await api.quiet()
        assert [message.text for message in api.messages(ANN)] == ["welcome"]
        await application.updater.stop()
        await application.stop()


# what the bot asks


async def test_tokens_are_checked_first(api: BotApi) -> None:
    for token, cause in (("123456:wrong", "Unauthorized"), ("broken", "Not Found")):
        stranger = client(api, token)
        with pytest.raises(InvalidToken) as caught:
            await stranger.initialize()
        await stranger.shutdown()
        assert str(caught.value.__cause__) == cause


async def test_unknown_methods_are_not_found(api: BotApi, bot: Bot) -> None:
    await refused(bot.send_dice(ANN), InvalidToken)

    assert [(call.method, call.status) for call in api.calls] == [("sendDice", 404)]


async def test_members_and_administrators_are_told_apart(bot: Bot) -> None:
    assert (await bot.get_chat_member(GROUP, ANN)).status == "creator"
    assert (await bot.get_chat_member(GROUP, BOB)).status == "member"
    assert (await bot.get_chat_member(FORUM, ANN)).status == "administrator"
    assert (await bot.get_chat_member(FORUM, BOB)).status == "left"
    assert await refused(bot.get_chat_member(GROUP, 404)) == "User not found"
    assert [admin.user.id for admin in await bot.get_chat_administrators(GROUP)] == [ANN]
    reply = await refused(bot.get_chat_administrators(ANN))
    assert reply == "There are no administrators in the private chat"


async def test_chats_describe_themselves(bot: Bot) -> None:
    assert (await bot.get_chat(ANN)).username == "ann"
    forum = await bot.get_chat(FORUM)
    assert (forum.type, forum.title, forum.is_forum) == ("supergroup", "Forum", True)


async def test_commands_are_kept_by_scope_and_language(bot: Bot) -> None:
    scope = BotCommandScopeChat(ANN)
    await bot.set_my_commands([("list", "What I watch")])
    await bot.set_my_commands([("liste", "Was ich sehe")], scope=scope, language_code="de")

    assert await bot.get_my_commands() == (BotCommand("list", "What I watch"),)
    assert (await bot.get_my_commands(scope, "de"))[0].command == "liste"
    await bot.delete_my_commands()
    assert await bot.get_my_commands() == ()
    assert await refused(bot.set_my_commands([("List", "x")])) == "Bot_command_invalid"
    assert await refused(bot.set_my_commands([("x" * 33, "x")])) == (
        "Command length must not exceed 32"
    )


# faults


@pytest.mark.parametrize(
    ("fault", "error", "processed", "status"),
    [
        (TooManyRequests(with_parameters=False), NetworkError, False, 429),
        (ServerError(), NetworkError, False, 502),
        (ServerError(500, html=False), NetworkError, False, 500),
        (ServerError(504, processed=True), NetworkError, True, 504),
        (Refuse(403, "Forbidden: x"), Forbidden, False, 403),
        (DropBefore(), NetworkError, False, None),
        (DropAfter(), NetworkError, True, None),
        (NotJson(), TelegramError, False, 200),
    ],
)
async def test_each_fault_reaches_the_bot_as_its_error(
    api: BotApi,
    bot: Bot,
    fault: Fault,
    *,
    error: type[TelegramError],
    processed: bool,
    status: int | None,
) -> None:
    """And is met once; what was carried out stays."""
    api.fault(fault)
    await refused(bot.send_message(ANN, "first"), error)

    [call] = api.calls
    assert (call.processed, call.status) == (processed, status)
    assert len(api.messages(ANN)) == int(processed)
    await bot.send_message(ANN, "second")
    assert api.messages(ANN)[-1].text == "second"


async def test_retry_after_comes_as_a_parameter(api: BotApi, bot: Bot) -> None:
    api.fault(TooManyRequests(retry_after=9))

    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(ANN, "x")
    assert caught.value.retry_after == timedelta(seconds=9)


async def test_a_slow_answer_times_out_though_the_message_is_there(api: BotApi, bot: Bot) -> None:
    api.fault(Slow(30))

    await refused(bot.send_message(ANN, "x", read_timeout=0.05), TimedOut)

    assert [message.text for message in api.messages(ANN)] == ["x"]
    api.fault(Slow(0.01))
    await bot.send_message(ANN, "y")


async def test_faults_are_met_in_order_by_method_chat_and_count(api: BotApi, bot: Bot) -> None:
    api.fault(Refuse(400, "Bad Request: group"), chat_id=GROUP, times=2)
    api.fault(Refuse(400, "Bad Request: third"), after=2)
    api.fault(Refuse(400, "Bad Request: any"), method=None, after=5)

    async def outcome(chat_id: int) -> str:
        try:
            return (await bot.send_message(chat_id, "sent")).text or ""
        except BadRequest as error:
            return error.message

    got = [await outcome(chat) for chat in (ANN, GROUP, GROUP, ANN, ANN, GROUP, ANN, ANN, ANN)]
    assert got == ["sent", "Group", "Group", "sent", "Third", "sent", "sent", "sent", "Any"]


# limits


async def test_a_chat_takes_a_small_burst_and_then_one_message_a_second(
    api: BotApi, bot: Bot, clock: Clock
) -> None:
    api.enforce_limits = True
    for _ in range(3):
        await bot.send_message(ANN, "x")
    with pytest.raises(RetryAfter):
        await bot.send_message(ANN, "x")
    assert [(broken.limit, broken.chat_id, broken.retry_after) for broken in api.violations] == [
        ("chat", ANN, 1)
    ]

    for _ in range(3):
        clock.now += 1
        await bot.send_message(ANN, "x")
    assert len(api.violations) == 1


async def test_a_group_takes_twenty_messages_and_edits_a_minute(
    api: BotApi, bot: Bot, clock: Clock
) -> None:
    api.enforce_limits = True
    sent = await bot.send_message(GROUP, "0")
    for number in range(1, 20):
        clock.now += 1
        await sent.edit_text(str(number))
    with pytest.raises(RetryAfter):
        await sent.edit_text("20")
    assert [(broken.limit, broken.retry_after) for broken in api.violations] == [("group", 41)]

    clock.now += 41
    await sent.edit_text("20")


@pytest.mark.parametrize("kind", ["document", "photo"])
async def test_files_and_changed_captions_count_as_messages_do(
    api: BotApi, bot: Bot, clock: Clock, kind: str
) -> None:
    send = bot.send_document if kind == "document" else bot.send_photo
    api.enforce_limits = True
    sent = await send(GROUP, b"x", caption="0")
    for number in range(1, 20):
        clock.now += 1
        await sent.edit_caption(str(number))
    with pytest.raises(RetryAfter):
        await sent.edit_caption("20")
    with pytest.raises(RetryAfter):
        await send(GROUP, b"x")

    assert [(broken.limit, broken.method) for broken in api.violations] == [
        ("group", "editMessageCaption"), ("group", f"send{kind.title()}"),
    ]  # fmt: skip


async def test_a_channel_named_by_its_username_has_its_limits_too(api: BotApi, bot: Bot) -> None:
    api.enforce_limits = True
    for _ in range(3):
        await bot.send_message("@news", "x")
    with pytest.raises(RetryAfter):
        await bot.send_message(CHANNEL, "x")


async def test_thirty_messages_a_second_go_out_over_all_chats(api: BotApi, bot: Bot) -> None:
    for user in range(100, 131):
        api.add_private(user)
    api.enforce_limits = True
    for user in range(100, 130):
        await bot.send_message(user, "x")
    with pytest.raises(RetryAfter):
        await bot.send_message(130, "x")

    assert [broken.limit for broken in api.violations] == ["overall"]


async def test_limits_are_off_until_they_are_asked_for(api: BotApi, bot: Bot) -> None:
    for _ in range(40):
        await bot.send_message(ANN, "x")

    assert api.violations == []


def test_errors_are_plain_json() -> None:
    body = json.dumps(ApiError(400, "Bad Request: x", {"migrate_to_chat_id": -1}).body())

    assert json.loads(body)["parameters"] == {"migrate_to_chat_id": -1}
