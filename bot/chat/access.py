"""Decide who may do what in which chat. No I/O; who administers a chat is an argument."""

from enum import StrEnum

from bot.model.chat_events import Role


class Deed(StrEnum):
    """What somebody wants to do."""

    READ = "read"  #: look at what is there
    CHANGE = "change"  #: what rings in the chat, its feeds, its settings
    OPERATE = "operate"  #: who uses this newsbell, its load, what was given up
    OWN = "own"  #: who operates it


class Seat(StrEnum):
    """What kind of place a chat is."""

    PRIVATE = "private"
    GROUP = "group"
    CHANNEL = "channel"  #: everybody reads, administrators write


class Refusal(StrEnum):
    """Why not."""

    BLOCKED = "blocked"  #: they are told nothing
    STRANGER = "stranger"  #: the chat is not let in
    NO_ADMIN = "no admin"  #: of the chat
    NO_OPERATOR = "no operator"  #: of this newsbell
    NOT_HERE = "not here"  #: in a private chat only


class Access(StrEnum):
    """Who is let in."""

    PRIVATE = "private"  #: chats and admins of the file, and whom those let in
    INVITE = "invite"  #: who has an invitation, too
    OPEN = "open"  #: everyone


OPERATORS = frozenset({Role.OWNER, Role.ADMIN})


def refusal(
    deed: Deed, role: Role, seat: Seat, *, allowed: bool, chat_admin: bool
) -> Refusal | None:
    """Why this may not be done; None where it may. `allowed`: the chat is let in; `chat_admin`: the person administers it."""
    if role is Role.BLOCKED:
        return Refusal.BLOCKED
    if not allowed:
        return Refusal.STRANGER
    match deed:
        case Deed.READ:
            # What is answered in a channel everybody gets to see.
            return Refusal.NO_ADMIN if seat is Seat.CHANNEL and not chat_admin else None
        case Deed.CHANGE:
            return None if seat is Seat.PRIVATE or chat_admin else Refusal.NO_ADMIN
        case Deed.OPERATE | Deed.OWN:
            enough = OPERATORS if deed is Deed.OPERATE else {Role.OWNER}
            if role not in enough:
                return Refusal.NO_OPERATOR
            return None if seat is Seat.PRIVATE else Refusal.NOT_HERE


def admitted(access: Access, role: Role, *, invited: bool = False) -> bool:
    """Whether a chat that this person opens to the bot is let in."""
    if role is Role.BLOCKED:
        return False
    if role in OPERATORS:
        return True
    match access:
        case Access.PRIVATE:
            return False
        case Access.INVITE:
            return invited or role is Role.USER
        case Access.OPEN:
            return True
