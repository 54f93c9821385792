"""One Telegram update as an `Incoming`. Pure reading; who may change things in a group is asked for elsewhere."""

from telegram import (
    CallbackQuery,
    ChatMember,
    ChatMemberUpdated,
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

from bot.model.chat_events import Event, Incoming

ALLOWED = ["message", "channel_post", "my_chat_member", "callback_query", "message_reaction"]
FILE_SIZE = 10 * 1024 * 1024  #: bytes of a document that is fetched
_OUT = {ChatMember.LEFT, ChatMember.BANNED}
_OPML = (".opml", ".xml", ".txt")


def incoming(update: Update) -> Incoming | None:
    """What the update says; None where it is nothing to newsbell. `may_change` is set for private chats, channels and anonymous admins."""
    if update.my_chat_member:
        return _membership_change(update.update_id, update.my_chat_member)
    if update.callback_query:
        return _pressed(update.update_id, update.callback_query)
    if update.message_reaction:
        return _reacted(update.update_id, update.message_reaction)
    message = update.message or update.channel_post
    if message is None or message.is_automatic_forward:
        return None
    text = message.text or message.caption or ""
    if not text and not document(message):
        return None
    anonymous = _anonymous(message)
    user = message.from_user if not anonymous else None
    return Incoming(
        update_id=update.update_id,
        address=message.chat.id,
        topic=_topic(message),
        title=message.chat.effective_name or "",
        user_id=user.id if user else 0,
        text=text,
        message_id=message.message_id,
        may_change=message.chat.type in {ChatType.PRIVATE, ChatType.CHANNEL} or anonymous,
        reply_to=_answers(message),
        channel=message.chat.type == ChatType.CHANNEL,
        user_name=_name(user),
        language=(user.language_code or "") if user else "",
        forwarded=_origin(message),
    )


def document(message: Message | None) -> bool:
    """Whether the message brings a document that may be a list of feeds."""
    file = message.document if message else None
    return bool(file and (file.file_name or "").lower().endswith(_OPML))


def _membership_change(number: int, change: ChatMemberUpdated) -> Incoming:
    out = change.new_chat_member.status in _OUT
    return Incoming(
        number,
        change.chat.id,
        0,
        change.chat.effective_name or "",
        change.from_user.id,
        "",
        event=Event.CLOSED if out else Event.OPENED,
        channel=change.chat.type == ChatType.CHANNEL,
        user_name=_name(change.from_user),
        language=change.from_user.language_code or "",
    )


def _pressed(number: int, query: CallbackQuery) -> Incoming | None:
    """A press of a button. In a private chat its person may change things; elsewhere that is asked for."""
    message = query.message
    if message is None or not query.data:
        return None
    return Incoming(
        update_id=number,
        address=message.chat.id,
        topic=_topic(message) if isinstance(message, Message) else 0,
        title=message.chat.effective_name or "",
        user_id=query.from_user.id,
        text="",
        message_id=message.message_id,
        may_change=message.chat.type == ChatType.PRIVATE,
        reply_to=message.message_id,
        press=query.data,
        press_id=query.id,
        channel=message.chat.type == ChatType.CHANNEL,
        user_name=_name(query.from_user),
        language=query.from_user.language_code or "",
    )


def _reacted(number: int, change: MessageReactionUpdated) -> Incoming | None:
    """A person's reaction to a message; where they had several, the newest."""
    if change.user is None:
        return None
    emoji = [one.emoji for one in change.new_reaction if isinstance(one, ReactionTypeEmoji)]
    return Incoming(
        update_id=number,
        address=change.chat.id,
        topic=0,
        title=change.chat.effective_name or "",
        user_id=change.user.id,
        text="",
        reply_to=change.message_id,
        reaction=emoji[-1] if emoji else "",
        channel=change.chat.type == ChatType.CHANNEL,
        user_name=_name(change.user),
    )


def _answers(message: Message) -> int | None:
    """The message that this one answers. In a topic, one that answers none is given as an answer to what opened the topic."""
    before = message.reply_to_message
    return before.message_id if before and not before.forum_topic_created else None


def _topic(message: Message) -> int:
    return (message.message_thread_id or 0) if message.is_topic_message else 0


def _name(user: User | None) -> str:
    return user.full_name if user else ""


def _origin(message: Message) -> str:
    """Who wrote a forwarded message first; empty where it was not forwarded."""
    match message.forward_origin:
        case MessageOriginChannel(chat=chat):
            return chat.title or chat.username or "?"
        case MessageOriginChat(sender_chat=chat):
            return chat.title or "?"
        case MessageOriginUser(sender_user=user):
            return user.full_name
        case MessageOriginHiddenUser(sender_user_name=name):
            return name
        case _:
            return ""


def _anonymous(message: Message) -> bool:
    """An administrator who writes as the group itself. The account number they share proves nothing; the sender chat does."""
    return message.sender_chat is not None and message.sender_chat.id == message.chat.id
