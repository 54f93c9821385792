"""The loopback Bot API keeps to what is known of the real one: people, files, keyboards.

Not a test of the project: it makes the other tests' server trustworthy.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from botapi import BotApi, FromChannel, FromChat, FromHiddenUser, FromUser
from ptb import TLS, client, refused
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
    BotCommandScopeChatMember,
    ChatMemberAdministrator,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    MessageEntity,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    SwitchInlineQueryChosenChat,
    Update,
)
from telegram.error import Forbidden, NetworkError
from telegram.request import HTTPXRequest
from telegram_harness import ANN, BOB, FORUM, GROUP, TOPIC

CHANNEL, STRANGER = -1_000_900, 99
EVERYTHING = [*Update.ALL_TYPES]


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    api.add_channel(CHANNEL, "Wire", {ANN: "creator"}, username="wire")
    async with client(api) as ready:
        yield ready


async def only(bot: Bot) -> Update:
    """The one update there is, confirmed."""
    [update] = await bot.get_updates()
    await bot.get_updates(offset=update.update_id + 1)
    return update


async def message(bot: Bot) -> Message:
    """The message of the one update there is."""
    effective = (await only(bot)).effective_message
    assert isinstance(effective, Message)
    return effective


# the bot itself


async def test_the_bot_names_itself_and_says_what_it_can(bot: Bot) -> None:
    me = await bot.get_me()

    assert (me.username, me.is_bot, me.can_join_groups, me.can_read_all_group_messages) == (
        "bell_bot",
        True,
        True,
        False,
    )
    assert me.supports_inline_queries is False


# files and captions


async def test_a_document_carries_caption_entities_buttons_and_a_topic(
    api: BotApi, bot: Bot
) -> None:
    bold, buttons = (
        MessageEntity("bold", 0, 2),
        InlineKeyboardMarkup.from_button(InlineKeyboardButton("x", callback_data="1")),
    )

    sent = await bot.send_document(
        FORUM, b"a,b", filename="watches.csv", caption="My file", caption_entities=[bold],
        reply_markup=buttons, message_thread_id=TOPIC, disable_notification=True,
    )  # fmt: skip

    [message] = api.messages(FORUM, TOPIC)
    assert (message.text, message.silent) == ("My file", True)
    assert sent.caption_entities == (bold,)
    assert (sent.message_thread_id, sent.reply_markup) == (TOPIC, buttons)
    assert sent.document is not None
    assert sent.document.mime_type == "text/csv"
    assert message.attachment["document"]["file_id"] == sent.document.file_id


async def test_captions_are_counted_after_parsing_in_code_points(bot: Bot) -> None:
    longest = f"<i>{'😀' * 1024}</i>"

    sent = await bot.send_photo(ANN, b"png", caption=longest, parse_mode="HTML")

    assert sent.caption == "😀" * 1024
    assert await refused(sent.edit_caption("x" * 1025)) == "Message caption is too long"
    assert await refused(bot.send_photo(ANN, b"png", caption="<b>x", parse_mode="HTML")) != ""


async def test_a_caption_is_changed_or_taken_away_and_nothing_else_is(
    api: BotApi, bot: Bot
) -> None:
    sent = await bot.send_photo(ANN, b"png", caption="one")
    text = await bot.send_message(ANN, "text")

    edited = await sent.edit_caption("<b>two</b>", parse_mode="HTML")
    assert isinstance(edited, Message)
    assert (edited.caption, edited.caption_entities) == ("two", (MessageEntity("bold", 0, 3),))
    assert (await refused(sent.edit_caption("<b>two</b>", parse_mode="HTML"))).startswith(
        "Message is not modified"
    )
    await sent.edit_caption()

    assert api.messages(ANN)[0].text == ""
    assert api.messages(ANN)[0].edits == [
        ("two", [{"type": "bold", "offset": 0, "length": 3}]),
        ("", []),
    ]
    assert await refused(sent.edit_text("x")) == "There is no text in the message to edit"
    assert await refused(text.edit_caption("x")) == "There is no caption in the message to edit"


async def test_a_photo_telegram_has_is_sent_again_by_its_id(api: BotApi, bot: Bot) -> None:
    first = await bot.send_photo(ANN, b"png")
    again = await bot.send_photo(BOB, first.photo[-1].file_id)

    assert again.photo == first.photo
    assert len(api.files) == 1


async def test_uploads_have_their_limits(bot: Bot) -> None:
    assert await refused(bot.send_document(ANN, b"")) == "File must be non-empty"
    assert (await refused(bot.send_photo(ANN, bytes(10_000_001)))).endswith(
        "bytes is too big for a photo"
    )
    reply = await refused(bot.send_document(ANN, bytes(50_000_001)), NetworkError)
    assert reply == "Request Entity Too Large"


async def test_a_file_up_to_twenty_mebibytes_is_fetched_by_the_path_that_get_file_gave(
    api: BotApi, bot: Bot
) -> None:
    api.upload(ANN, ANN, "largest.opml", bytes(20 << 20))
    document = (await message(bot)).document
    assert document is not None
    request = HTTPXRequest(httpx_kwargs={"verify": TLS})
    address = f"{api.url}/file/bot{api.token}/documents/file_1.opml"

    async with request:
        assert (await request.do_request(address, "GET"))[0] == 404
        file = await document.get_file()
        assert file.file_path == address
        assert await request.do_request(address, "GET") == (200, bytes(20 << 20))
        assert (await request.do_request(address.replace(api.token, "123456:wrong"), "GET"))[
            0
        ] == 401


async def test_a_file_beyond_twenty_mebibytes_is_not_given_out(api: BotApi, bot: Bot) -> None:
    api.upload(ANN, ANN, "large.opml", bytes((20 << 20) + 1))
    document = (await message(bot)).document
    assert document is not None

    assert await refused(document.get_file()) == "File is too big"


# keyboards


async def test_keyboards_keep_their_rows(api: BotApi, bot: Bot) -> None:
    rows = [
        [InlineKeyboardButton(f"{row}{n}", callback_data=f"{row}{n}") for n in range(row + 1)]
        for row in range(3)
    ]

    sent = await bot.send_message(ANN, "x", reply_markup=InlineKeyboardMarkup(rows))

    assert sent.reply_markup == InlineKeyboardMarkup(rows)
    markup = api.messages(ANN)[0].reply_markup
    assert markup is not None
    assert [len(row) for row in markup["inline_keyboard"]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("switch", "named"),
    [
        ({"switch_inline_query": "x"}, "switch_inline_query"),
        ({"switch_inline_query_current_chat": ""}, "switch_inline_query_current_chat"),
        (
            {"switch_inline_query_chosen_chat": SwitchInlineQueryChosenChat(allow_user_chats=True)},
            "switch_inline_query",
        ),
    ],
)
async def test_buttons_that_switch_to_inline_mode_are_refused_in_channels(
    bot: Bot, switch: dict[str, Any], named: str
) -> None:
    markup = InlineKeyboardMarkup.from_button(InlineKeyboardButton("x", **switch))

    await bot.send_message(GROUP, "x", reply_markup=markup)
    assert (await refused(bot.send_message(CHANNEL, "x", reply_markup=markup))).startswith(
        f"Can't use {named} button in a channel chat"
    )


async def test_a_forced_reply_keeps_its_placeholder_and_its_answer_names_the_question(
    api: BotApi, bot: Bot
) -> None:
    asked = await bot.send_message(
        GROUP,
        "Which words?",
        reply_markup=ForceReply(selective=True, input_field_placeholder="harbour"),
    )

    assert api.messages(GROUP)[0].reply_markup == {
        "force_reply": True,
        "selective": True,
        "input_field_placeholder": "harbour",
    }
    api.say(GROUP, BOB, "ferry", reply_to=asked.message_id)
    answer = await message(bot)
    assert answer.reply_to_message is not None
    assert (answer.text, answer.reply_to_message.message_id) == ("ferry", asked.message_id)
    too_long = ForceReply(input_field_placeholder="x" * 65)
    assert (
        await refused(bot.send_message(GROUP, "x", reply_markup=too_long)) == "Reply_markup_invalid"
    )


async def test_a_message_that_forces_a_reply_cannot_be_edited_nor_an_edit_force_one(
    bot: Bot,
) -> None:
    asked = await bot.send_message(ANN, "x", reply_markup=ForceReply())
    plain = await bot.send_message(ANN, "x")

    assert await refused(asked.edit_text("y")) == "Message can't be edited"
    for markup in (ForceReply(), ReplyKeyboardMarkup([["x"]])):
        reply = await refused(plain.edit_text("y", reply_markup=markup))  # type: ignore[arg-type]
        assert reply == "Inline keyboard expected"


# deleting


@pytest.mark.parametrize(
    ("chat_id", "reply"),
    [
        (ANN, "Message can't be deleted for everyone"),
        (GROUP, "Message can't be deleted for everyone"),
        (FORUM, "Message can't be deleted"),
        (CHANNEL, "Message can't be deleted"),
    ],
)
async def test_what_is_two_days_old_can_be_edited_but_not_deleted(
    api: BotApi, bot: Bot, chat_id: int, reply: str
) -> None:
    sent = await bot.send_message(chat_id, "x")
    api.backdate(chat_id, sent.message_id, 2 * 86400)

    await sent.edit_text("y")
    assert await refused(sent.delete()) == reply


async def test_an_administrator_that_may_delete_deletes_what_others_wrote(
    api: BotApi, bot: Bot
) -> None:
    api.promote(FORUM, ANN)
    api.say(FORUM, BOB, "hello")
    heard = [update.message for update in await bot.get_updates()][-1]
    assert heard is not None

    api.set_member(FORUM, bot.id, "administrator", can_delete_messages=False)
    assert await refused(heard.delete()) == "Message can't be deleted"
    api.set_member(FORUM, bot.id, "administrator")
    assert await heard.delete()


async def test_a_message_that_someone_deleted_is_not_found(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(GROUP, "x")
    api.remove(GROUP, sent.message_id)

    assert await refused(sent.edit_text("y")) == "Message to edit not found"
    assert await bot.get_updates() == ()


# commands


async def test_commands_are_read_by_the_names_of_their_scopes(api: BotApi, bot: Bot) -> None:
    await bot.set_my_commands([("/list", " What I watch ")])
    await bot.set_my_commands(
        [("liste", "Was")], scope=BotCommandScopeAllGroupChats(), language_code="de"
    )
    await bot.set_my_commands([("a", "b")], scope=BotCommandScopeChat(ANN))
    await bot.set_my_commands([("a", "b")], scope=BotCommandScopeChatAdministrators(GROUP))
    await bot.set_my_commands([("a", "b")], scope=BotCommandScopeChatMember(GROUP, BOB))

    assert api.commands["default", ""] == [{"command": "list", "description": "What I watch"}]
    assert api.commands["all_group_chats", "de"] == [{"command": "liste", "description": "Was"}]
    assert {scope for scope, _ in api.commands} == {
        "default",
        "all_group_chats",
        f"chat:{ANN}",
        f"chat_administrators:{GROUP}",
        f"chat_member:{GROUP}:{BOB}",
    }
    assert await bot.get_my_commands(BotCommandScopeAllGroupChats()) == ()
    await bot.set_my_commands([])
    assert ("default", "") not in api.commands


async def test_commands_have_their_limits(bot: Bot) -> None:
    hundred = [BotCommand(f"c_{number}", "x" * 256) for number in range(100)]

    await bot.set_my_commands(hundred)
    assert await refused(bot.set_my_commands([*hundred, ("more", "x")])) == "Bot_commands_too_much"
    for name in ("wätch", "watch-it", "Watch", "слово"):
        assert await refused(bot.set_my_commands([(name, "x")])) == "Bot_command_invalid"
    assert await refused(bot.set_my_commands([("/", "x")])) == "Command must be non-empty"
    assert (
        await refused(bot.set_my_commands([("a", " ")])) == "Command description must be non-empty"
    )
    assert (
        await refused(bot.set_my_commands([("a", "x" * 257)]))
        == "Command description length must not exceed 256"
    )
    assert len(await bot.get_my_commands()) == 100


async def test_commands_need_a_language_and_a_chat_there_is(bot: Bot) -> None:
    commands = [("a", "b")]

    for code in ("deu", "DE", "d"):
        assert (
            await refused(bot.set_my_commands(commands, language_code=code))
            == "Invalid language code specified"
        )
    for scope, reply in (
        (BotCommandScopeChat(CHANNEL), "Can't change commands in channel chats"),
        (BotCommandScopeChat(404), "Chat not found"),
        (BotCommandScopeChatAdministrators(ANN), "Can't use specified scope in private chats"),
        (BotCommandScopeChatMember(GROUP, STRANGER), "User not found"),
    ):
        assert await refused(bot.set_my_commands(commands, scope=scope)) == reply


# updates


async def test_reactions_come_only_when_they_were_asked_for(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(ANN, "x")
    api.react(ANN, ANN, sent.message_id, "👍")
    assert await bot.get_updates(allowed_updates=["message", "message_reaction"]) == ()

    api.react(ANN, ANN, sent.message_id, "👎")
    changed = (await only(bot)).message_reaction
    assert changed is not None
    assert changed.user is not None
    assert (changed.chat.id, changed.message_id, changed.user.id) == (ANN, sent.message_id, ANN)
    assert (changed.old_reaction, changed.new_reaction) == (
        (ReactionTypeEmoji("👍"),),
        (ReactionTypeEmoji("👎"),),
    )
    api.react(ANN, ANN, sent.message_id, None)
    changed = (await only(bot)).message_reaction
    assert changed is not None
    assert changed.new_reaction == ()


async def test_in_groups_reactions_come_to_administrators_only(api: BotApi, bot: Bot) -> None:
    await bot.get_updates(allowed_updates=["message_reaction"])
    sent = await bot.send_message(FORUM, "x")
    assert api.react(FORUM, BOB, sent.message_id, "👍") is None
    api.set_member(FORUM, bot.id, "administrator")
    api.react(FORUM, BOB, sent.message_id, "👎")
    api.react(FORUM, ANN, sent.message_id, "👍", anonymous_admin=True)

    named, unnamed = [update.message_reaction for update in await bot.get_updates()]
    assert named is not None
    assert unnamed is not None
    assert named.user is not None
    assert (named.user.id, named.actor_chat) == (BOB, None)
    assert unnamed.actor_chat is not None
    assert (unnamed.user, unnamed.actor_chat.id) == (None, FORUM)


async def test_reactions_in_channels_are_only_counted(api: BotApi, bot: Bot) -> None:
    await bot.get_updates(allowed_updates=EVERYTHING)
    sent = await bot.send_message(CHANNEL, "x")
    for user, emoji in ((ANN, "👍"), (BOB, "👎"), (STRANGER, "👍")):
        api.react(CHANNEL, user, sent.message_id, emoji)

    counts = [update.message_reaction_count for update in await bot.get_updates()]
    assert counts[-1] is not None
    assert [(count.type, count.total_count) for count in counts[-1].reactions] == [
        (ReactionTypeEmoji("👍"), 2),
        (ReactionTypeEmoji("👎"), 1),
    ]


async def test_names_of_updates_that_do_not_exist_choose_nothing(api: BotApi, bot: Bot) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    await bot.get_updates(allowed_updates=["nonsense"])
    api.say(ANN, ANN, "heard")

    assert (await message(bot)).text == "heard"


async def test_forwarded_messages_say_where_they_come_from(api: BotApi, bot: Bot) -> None:
    elsewhere = -1_000_123
    origins: list[FromUser | FromHiddenUser | FromChat | FromChannel] = [
        FromUser(STRANGER),
        FromHiddenUser("Nobody"),
        FromChat(elsewhere, "Chief"),
        FromChannel(CHANNEL, 12),
        FromChannel(elsewhere, 3),
    ]
    for origin in origins:
        api.forward(ANN, ANN, origin, "A headline")

    forwarded = [update.message for update in await bot.get_updates()]
    assert all(
        each and each.from_user and (each.from_user.id, each.text) == (ANN, "A headline")
        for each in forwarded
    )
    user, hidden, chat, known, unknown = [each.forward_origin for each in forwarded if each]
    assert isinstance(user, MessageOriginUser)
    assert user.sender_user.id == STRANGER
    assert isinstance(hidden, MessageOriginHiddenUser)
    assert hidden.sender_user_name == "Nobody"
    assert isinstance(chat, MessageOriginChat)
    assert (chat.sender_chat.id, chat.author_signature) == (elsewhere, "Chief")
    assert isinstance(known, MessageOriginChannel)
    assert (known.chat.username, known.message_id) == ("wire", 12)
    assert isinstance(unknown, MessageOriginChannel)
    assert (unknown.chat.id, unknown.chat.type) == (elsewhere, "channel")


async def test_a_person_edits_a_message_and_a_post(api: BotApi, bot: Bot) -> None:
    api.say(ANN, ANN, "/wach x")
    first = await message(bot)
    api.say(CHANNEL, ANN, "post")
    post = await message(bot)

    api.edit(ANN, first.message_id, "/watch x")
    api.edit(CHANNEL, post.message_id, "posted")

    private, channel = await bot.get_updates()
    assert private.edited_message is not None
    assert (private.message, private.edited_message.message_id, private.edited_message.text) == (
        None,
        first.message_id,
        "/watch x",
    )
    assert private.edited_message.edit_date is not None
    assert channel.edited_channel_post is not None
    assert (channel.edited_channel_post.text, channel.edited_channel_post.from_user) == (
        "posted",
        None,
    )


async def test_posts_go_on_into_the_linked_group_in_the_name_of_telegram(
    api: BotApi, bot: Bot
) -> None:
    api.link(CHANNEL, FORUM)
    api.say(CHANNEL, ANN, "by a person")
    sent = await bot.send_photo(CHANNEL, b"png", caption="by the bot")

    updates = await bot.get_updates()
    [post] = [update.channel_post for update in updates if update.channel_post]
    copies = [update.message for update in updates if update.message]
    assert post.from_user is None
    assert [copy.text or copy.caption for copy in copies] == ["by a person", "by the bot"]
    for copy, original in zip(copies, (post, sent), strict=True):
        assert copy.is_automatic_forward
        assert copy.from_user is not None
        assert copy.sender_chat is not None
        assert (copy.chat.id, copy.from_user.id, copy.sender_chat.id) == (FORUM, 777000, CHANNEL)
        assert isinstance(copy.forward_origin, MessageOriginChannel)
        assert (copy.forward_origin.chat.id, copy.forward_origin.message_id) == (
            CHANNEL,
            original.message_id,
        )
    assert api.messages(FORUM) == []
    assert (await bot.get_chat(CHANNEL)).linked_chat_id == FORUM


async def test_reactions_to_forwarded_posts_are_only_counted(api: BotApi, bot: Bot) -> None:
    api.link(CHANNEL, FORUM)
    api.set_member(FORUM, bot.id, "administrator")
    await bot.get_updates(allowed_updates=EVERYTHING)
    api.say(CHANNEL, ANN, "x")
    copy = next(update.message for update in await bot.get_updates())
    assert copy is not None
    await bot.get_updates(offset=-1)

    api.react(FORUM, BOB, copy.message_id, "👍")

    assert (await bot.get_updates())[-1].message_reaction_count is not None


async def test_who_writes_as_a_channel_comes_under_the_channels_account(
    api: BotApi, bot: Bot
) -> None:
    api.say(FORUM, BOB, "x", as_channel=CHANNEL)

    heard = await message(bot)
    assert heard.from_user is not None
    assert heard.sender_chat is not None
    assert (heard.from_user.id, heard.sender_chat.id) == (136817688, CHANNEL)


async def test_anonymous_administrators_press_under_their_own_account(
    api: BotApi, bot: Bot
) -> None:
    sent = await bot.send_message(FORUM, "x")
    api.say(FORUM, ANN, "words", anonymous_admin=True)
    api.press(FORUM, ANN, sent.message_id, "1")

    words, press = await bot.get_updates()
    assert words.message is not None
    assert words.message.from_user is not None
    assert words.message.from_user.id == 1087968824
    assert press.callback_query is not None
    assert press.callback_query.from_user.id == ANN


# who is what


async def test_who_adds_the_bot_to_a_channel_is_told(api: BotApi, bot: Bot) -> None:
    assert await refused(bot.send_message(-1_000_901, "x")) == "Chat not found"
    api.add_to_channel(-1_000_901, BOB, title="New wire")

    change = (await only(bot)).my_chat_member
    assert change is not None
    assert (change.chat.type, change.chat.title, change.from_user.id) == (
        "channel",
        "New wire",
        BOB,
    )
    assert (change.old_chat_member.status, change.new_chat_member.status) == (
        "left",
        "administrator",
    )
    assert isinstance(change.new_chat_member, ChatMemberAdministrator)
    assert change.new_chat_member.can_post_messages
    assert (await bot.send_message(-1_000_901, "x")).chat.title == "New wire"


@pytest.mark.parametrize(
    ("deed", "status", "reply"),
    [
        ("kick", "kicked", "Forbidden: bot was kicked from the channel chat"),
        ("demote", "left", "Forbidden: bot is not a member of the channel chat"),
    ],
)
async def test_who_takes_the_bot_out_of_a_channel_is_told(
    api: BotApi, bot: Bot, deed: str, status: str, reply: str
) -> None:
    getattr(api, deed)(CHANNEL, by=ANN)

    change = (await only(bot)).my_chat_member
    assert change is not None
    assert (change.old_chat_member.status, change.new_chat_member.status, change.from_user.id) == (
        "administrator",
        status,
        ANN,
    )
    assert await refused(bot.send_message(CHANNEL, "x"), Forbidden) == reply
    api.promote(CHANNEL, BOB)
    change = (await only(bot)).my_chat_member
    assert change is not None
    assert (change.old_chat_member.status, change.from_user.id) == (status, BOB)
    await bot.send_message(CHANNEL, "x")


async def test_a_bot_without_the_right_to_post_is_refused(api: BotApi, bot: Bot) -> None:
    api.promote(CHANNEL, ANN, can_post_messages=False)

    change = (await only(bot)).my_chat_member
    assert change is not None
    assert isinstance(change.new_chat_member, ChatMemberAdministrator)
    assert change.new_chat_member.can_post_messages is False
    assert (
        await refused(bot.send_message(CHANNEL, "x"))
        == "Need administrator rights in the channel chat"
    )


async def test_a_demoted_bot_stays_a_member_of_a_group(api: BotApi, bot: Bot) -> None:
    api.promote(FORUM, ANN)
    api.demote(FORUM, ANN)

    changes = [update.my_chat_member for update in await bot.get_updates()]
    assert [change.new_chat_member.status for change in changes if change] == [
        "administrator",
        "member",
    ]
    await bot.send_message(FORUM, "x")


async def test_administrators_have_the_rights_of_their_kind_of_chat(api: BotApi, bot: Bot) -> None:
    api.set_member(CHANNEL, BOB, "administrator", can_post_messages=False)
    channel, forum = await bot.get_chat_member(CHANNEL, BOB), await bot.get_chat_member(FORUM, ANN)

    assert isinstance(channel, ChatMemberAdministrator)
    assert (channel.can_post_messages, channel.can_edit_messages, channel.can_pin_messages) == (
        False,
        True,
        None,
    )
    assert isinstance(forum, ChatMemberAdministrator)
    assert (forum.can_post_messages, forum.can_pin_messages, forum.can_manage_topics) == (
        None,
        True,
        False,
    )
    assert {head.user.id for head in await bot.get_chat_administrators(CHANNEL)} == {
        ANN,
        BOB,
        bot.id,
    }


async def test_members_are_asked_for_in_words_telegram_understands(bot: Bot) -> None:
    assert await refused(bot.get_chat_member(GROUP, 0)) == "Invalid user_id specified"
    assert await refused(bot.get_chat_member(ANN, BOB)) == "Member not found"
    assert (await bot.get_chat_member(ANN, ANN)).status == "member"


async def test_a_public_channel_is_seen_from_outside_but_not_its_members(
    api: BotApi, bot: Bot
) -> None:
    api.add_channel(-1_000_902, "Elsewhere", {ANN: "creator", bot.id: "left"}, username="elsewhere")

    assert (await bot.get_chat("@elsewhere")).title == "Elsewhere"
    assert await refused(bot.get_chat_member("@elsewhere", ANN)) == "Member list is inaccessible"
    assert await refused(bot.get_chat_administrators(-1_000_902)) == "Member list is inaccessible"
    reply = await refused(bot.send_message("@elsewhere", "x"), Forbidden)
    assert reply == "Forbidden: bot is not a member of the channel chat"


async def test_a_private_channel_is_not_found_from_outside(api: BotApi, bot: Bot) -> None:
    api.add_channel(-1_000_903, "Hidden", {ANN: "creator", bot.id: "left"})

    for asked in (
        bot.get_chat(-1_000_903),
        bot.get_chat_member(-1_000_903, ANN),
        bot.get_chat_administrators(404),
    ):
        assert await refused(asked) == "Chat not found"
