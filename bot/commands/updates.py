"""One Telegram update as an `Incoming`. Pure reading; who may change things in a group is asked for elsewhere."""

from telegram import CallbackQuery, ChatMember, Message, Update
from telegram.constants import ChatType

from bot.model.chats import Incoming

ALLOWED = ["message", "channel_post", "my_chat_member", "callback_query"]
_OUT = {ChatMember.LEFT, ChatMember.BANNED}


def incoming(update: Update) -> Incoming | None:
    """What the update says; None where it is nothing to newsbell. `may_change` is set for private chats, channels and anonymous admins."""
    if update.my_chat_member:
        change = update.my_chat_member
        closed = change.new_chat_member.status in _OUT
        return Incoming(
            update.update_id,
            change.chat.id,
            0,
            change.chat.effective_name or "",
            change.from_user.id,
            "",
            closed=closed,
        )
    if update.callback_query:
        return _pressed(update.update_id, update.callback_query)
    message = update.message or update.channel_post
    if message is None or not message.text:
        return None
    user = message.from_user
    return Incoming(
        update_id=update.update_id,
        address=message.chat.id,
        topic=(message.message_thread_id or 0) if message.is_topic_message else 0,
        title=message.chat.effective_name or "",
        user_id=user.id if user and not _anonymous(message) else 0,
        text=message.text,
        message_id=message.message_id,
        reply_to=message.reply_to_message.message_id if message.reply_to_message else None,
        may_change=message.chat.type in {ChatType.PRIVATE, ChatType.CHANNEL} or _anonymous(message),
    )


def _pressed(number: int, query: CallbackQuery) -> Incoming | None:
    """A press of a button. In a private chat its person may change things; elsewhere that is asked for."""
    message = query.message
    if message is None or not query.data:
        return None
    topic = (message.message_thread_id or 0) if isinstance(message, Message) and message.is_topic_message else 0
    return Incoming(
        update_id=number,
        address=message.chat.id,
        topic=topic,
        title=message.chat.effective_name or "",
        user_id=query.from_user.id,
        text="",
        message_id=message.message_id,
        may_change=message.chat.type == ChatType.PRIVATE,
        reply_to=message.message_id,
        press=query.data,
        press_id=query.id,
    )


def _anonymous(message: Message) -> bool:
    """An administrator who writes as the group itself. The account number they share proves nothing; the sender chat does."""
    return message.sender_chat is not None and message.sender_chat.id == message.chat.id
