"""Decide who may do what in which chat. No I/O; who administers a chat is an argument."""

from enum import StrEnum

from bot.model.chat_events import Role


class Permission(StrEnum):
    """What somebody wants to do."""

    READ = "read"  #: look at what is there
    CHANGE = "change"  #: subscriptions, feeds and settings of a chat
    OPERATE = "operate"  #: who uses this newsbell, its load, what was given up
    OWN = "own"  #: who operates it


class ChatType(StrEnum):
    """What kind of chat it is."""

    PRIVATE = "private"
    GROUP = "group"
    CHANNEL = "channel"  #: everybody reads, administrators write


class DenialReason(StrEnum):
    """Why something may not be done."""

    BLOCKED = "blocked"  #: they are told nothing
    STRANGER = "stranger"  #: the chat is not let in
    NOT_CHAT_ADMIN = "no admin"  #: of the chat
    NOT_OPERATOR = "no operator"  #: of this newsbell
    NOT_HERE = "not here"  #: in a private chat only


class Access(StrEnum):
    """Who is let in."""

    PRIVATE = "private"  #: chats and admins of the file, and whom those let in or invite
    INVITE = "invite"  #: groups of those, too
    OPEN = "open"  #: everyone


OPERATORS = frozenset({Role.OWNER, Role.ADMIN})


def denial_reason(
    permission: Permission, role: Role, chat_type: ChatType, *, allowed: bool, chat_admin: bool
) -> DenialReason | None:
    """Return why something may not be done; None where it may.

    `allowed`: the chat is admitted; `chat_admin`: the person administers it.
    """
    if role is Role.BLOCKED:
        return DenialReason.BLOCKED
    if not allowed:
        return DenialReason.STRANGER
    match permission:
        case Permission.READ:
            # Everybody sees what is replied in a channel.
            is_public = chat_type is ChatType.CHANNEL and not chat_admin
            return DenialReason.NOT_CHAT_ADMIN if is_public else None
        case Permission.CHANGE:
            may_change = chat_type is ChatType.PRIVATE or chat_admin
            return None if may_change else DenialReason.NOT_CHAT_ADMIN
        case Permission.OPERATE | Permission.OWN:
            enough = OPERATORS if permission is Permission.OPERATE else {Role.OWNER}
            if role not in enough:
                return DenialReason.NOT_OPERATOR
            return None if chat_type is ChatType.PRIVATE else DenialReason.NOT_HERE


def admitted(access: Access, role: Role, *, invited: bool = False) -> bool:
    """Whether a chat that this person opens to the bot is admitted."""
    if role is Role.BLOCKED:
        return False
    if role in OPERATORS:
        return True
    match access:
        case Access.PRIVATE:
            return invited
        case Access.INVITE:
            return invited or role is Role.USER
        case Access.OPEN:
            return True
