"""One Telegram update as a `ChatUpdate`. Reads only; who administers a group is asked elsewhere."""

from typing import Any

from telegram import (
    CallbackQuery,
    ChatMember,
    ChatMemberUpdated,
    Document,
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    MessageReactionUpdated,
    ReactionTypeEmoji,
    Update,
    User,
)
from telegram.constants import ChatType

from bot.model.chat_events import (
    ChatUpdate,
    Command,
    Membership,
    Press,
    Reaction,
    Text,
    TopicOpened,
    Upload,
)
from bot.model.chats import GENERAL_TOPIC
from bot.text.channel_link import channel_name
from bot.text.clean import encodable, plain

ALLOWED = ["message", "channel_post", "my_chat_member", "callback_query", "message_reaction"]
FILE_SIZE = 10 * 1024 * 1024  #: bytes of a document that is fetched
#: anonymous administrators, people who write as a channel, and what a linked channel posts
SHARED_ACCOUNTS = frozenset({1087968824, 136817688, 777000})
_OUT = {ChatMember.LEFT, ChatMember.BANNED}
_OPML = (".opml", ".xml", ".txt")
_IMPORT = "/import"


def parse_update(update: Update, upload: Upload | None = None) -> ChatUpdate:
    """Return a Telegram update as a value; a plain `ChatUpdate` where it is to be ignored.

    `upload` is the document that was fetched for it (`wanted_document`).
    `is_admin` is set for private chats, channels and anonymous administrators.
    """
    if update.my_chat_member:
        return _membership(update.update_id, update.my_chat_member)
    if update.callback_query:
        return _press(update.update_id, update.callback_query)
    if update.message_reaction:
        return _reaction(update.update_id, update.message_reaction)
    message = update.message or update.channel_post
    ignored = ChatUpdate(update_id=update.update_id)
    if message is None or message.is_automatic_forward:
        return ignored
    if message.forum_topic_reopened or message.general_forum_topic_unhidden:
        return TopicOpened(
            update_id=update.update_id, address=message.chat.id, topic=_topic(message)
        )
    text = encodable(message.text or message.caption or "")
    is_post = message.chat.type == ChatType.PRIVATE and bool(_public_channel(message))
    if not text and not _is_opml(message) and not is_post:
        return ignored
    return _written(update.update_id, message, text, upload)


def person_of(user: User | None) -> User | None:
    """Return the account of one person; None for those that Telegram lets many write by."""
    return None if user is None or user.id in SHARED_ACCOUNTS else user


def addressee(update: Update) -> str:
    """Return the name of the bot that a command names (`/help@name`); empty for none."""
    message = update.message or update.channel_post
    text = (message.text or message.caption or "") if message else ""
    return text.split(maxsplit=1)[0].partition("@")[2] if text.startswith("/") else ""


def wanted_document(update: Update) -> Document | None:
    """Return the document of a message that may be a list of feeds for /import."""
    message = update.message
    if message is None or not _is_opml(message):
        return None
    commanded = (message.caption or "").lower().startswith(_IMPORT)
    return message.document if message.chat.id > 0 or commanded else None


def _is_opml(message: Message) -> bool:
    file = message.document
    return bool(file and (file.file_name or "").lower().endswith(_OPML))


def _written(number: int, message: Message, text: str, upload: Upload | None) -> Command | Text:
    anonymous = _anonymous(message)
    user = person_of(message.from_user) if not anonymous else None
    own = message.chat.type in {ChatType.PRIVATE, ChatType.CHANNEL}
    common: dict[str, Any] = {
        "update_id": number,
        "address": message.chat.id,
        "topic": _topic(message),
        "title": plain(message.chat.effective_name or ""),
        "user_id": user.id if user else 0,
        "user_name": _name(user),
        "language": (user.language_code or "") if user else "",
        "channel": message.chat.type == ChatType.CHANNEL,
        "message_id": message.message_id,
        "reply_to": _replied_to(message),
        "is_admin": own or anonymous,
        "forwarded_from": _origin(message),
        "forwarded_channel": _public_channel(message),
    }
    if upload:
        return Command(name=_IMPORT, upload=upload, **common)
    if not text.startswith("/"):
        return Text(text=text, **common)
    words = text.split(maxsplit=1)
    name = words[0].partition("@")[0].lower()
    argument = words[1].strip() if len(words) > 1 else ""
    return Command(name=name, argument=argument, text=text, **common)


def _membership(number: int, change: ChatMemberUpdated) -> Membership:
    user = person_of(change.from_user)
    return Membership(
        update_id=number,
        address=change.chat.id,
        title=plain(change.chat.effective_name or ""),
        user_id=user.id if user else 0,
        user_name=_name(user),
        language=(user.language_code or "") if user else "",
        channel=change.chat.type == ChatType.CHANNEL,
        joined=change.new_chat_member.status not in _OUT,
    )


def _press(number: int, query: CallbackQuery) -> ChatUpdate:
    """In a private chat the person may change things; elsewhere that is asked for."""
    message = query.message
    if message is None or not query.data:
        return ChatUpdate(update_id=number)
    return Press(
        update_id=number,
        address=message.chat.id,
        topic=_topic(message) if isinstance(message, Message) else 0,
        title=plain(message.chat.effective_name or ""),
        user_id=query.from_user.id,
        user_name=_name(query.from_user),
        language=query.from_user.language_code or "",
        channel=message.chat.type == ChatType.CHANNEL,
        message_id=message.message_id,
        reply_to=message.message_id,
        is_admin=message.chat.type == ChatType.PRIVATE,
        data=query.data,
        press_id=query.id,
    )


def _reaction(number: int, change: MessageReactionUpdated) -> ChatUpdate:
    """A person's reaction; where they have several, the newest."""
    if person_of(change.user) is None or change.user is None:
        return ChatUpdate(update_id=number)
    emoji = [
        reaction.emoji
        for reaction in change.new_reaction
        if isinstance(reaction, ReactionTypeEmoji)
    ]
    return Reaction(
        update_id=number,
        address=change.chat.id,
        title=plain(change.chat.effective_name or ""),
        user_id=change.user.id,
        user_name=_name(change.user),
        channel=change.chat.type == ChatType.CHANNEL,
        reply_to=change.message_id,
        emoji=emoji[-1] if emoji else "",
    )


def _replied_to(message: Message) -> int | None:
    """Return the message that this one replies to.

    In a topic, a message that replies to none is given as a reply to what opened the topic.
    """
    before = message.reply_to_message
    return before.message_id if before and not before.forum_topic_created else None


def _topic(message: Message) -> int:
    """Return the topic; 0 for General, which is the group itself."""
    topic = message.message_thread_id if message.is_topic_message else 0
    return 0 if topic in {None, GENERAL_TOPIC} else topic or 0


def _name(user: User | None) -> str:
    return plain(user.full_name) if user else ""


def _origin(message: Message) -> str:
    """Return who wrote a forwarded message first; empty where it was not forwarded."""
    match message.forward_origin:
        case MessageOriginChannel(chat=chat):
            return plain(chat.title or chat.username or "?")
        case MessageOriginChat(sender_chat=chat):
            return plain(chat.title or "?")
        case MessageOriginUser(sender_user=user):
            return plain(user.full_name)
        case MessageOriginHiddenUser(sender_user_name=name):
            return plain(name)
        case _:
            return ""


def _public_channel(message: Message) -> str:
    """Return the name of the public channel that a message was forwarded from; else empty."""
    match message.forward_origin:
        case MessageOriginChannel(chat=chat):
            return channel_name(f"@{chat.username}") if chat.username else ""
        case _:
            return ""


def _anonymous(message: Message) -> bool:
    """Whether an administrator writes as the group itself.

    The account that all of those share proves nothing; the sender chat does.
    """
    return message.sender_chat is not None and message.sender_chat.id == message.chat.id
