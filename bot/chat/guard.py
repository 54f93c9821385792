"""Let a route run for those who may use it, and tell the others why not.

What is permitted, `access` decides.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.chat.access import ChatType, DenialReason, Permission, denial_reason
from bot.chat.context import Context, text_reply
from bot.i18n.catalog import Translator
from bot.model.chat_events import Press, Reply
from bot.ports import Members


@dataclass(frozen=True, slots=True)
class Route:
    """Where an update leads, and what that needs."""

    permission: Permission | None  #: None: everybody may
    handle: Callable[[Context], Awaitable[Reply]]
    slow: bool = False  #: it may take seconds: it is postponed, and other chats go on


CommandHandler = Callable[[Context, str], Awaitable[Reply]]  #: takes what follows the command


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """What a command needs and leads to."""

    permission: Permission
    handle: CommandHandler
    #: it is about the chat in which it is written, whichever chat is managed from there
    current_chat: bool = False
    slow: bool = False  #: it compiles queries or reads stored articles
    #: asks for what follows the command, where nothing does
    question: Callable[[Translator], str] | None = None


class Guard:
    """Asks who administers a chat, and runs a route or refuses it."""

    def __init__(self, members: Members) -> None:
        self._members = members

    async def run(self, route: Route, context: Context) -> Reply:
        """Return the reply of the route, or the refusal. Raises StoreError."""
        if route.permission is None:
            return await route.handle(context)
        reason = await self._denial(route.permission, context)
        if reason is not None:
            return _refusal(reason, context)
        if context.chat_type is not ChatType.PRIVATE:
            context = replace(context, may_change=await self.is_admin(context))
        return await route.handle(context)

    async def allows(self, route: Route, context: Context) -> bool:
        """Whether the person may do what a route does."""
        return route.permission is None or await self._denial(route.permission, context) is None

    async def is_admin(self, context: Context) -> bool:
        """Whether the person administers the chat that is managed."""
        if context.update.is_admin and not context.manages_other:
            return True
        user_id = context.update.user_id
        return bool(user_id) and await self._members.is_admin(context.chat.address, user_id)

    async def _denial(self, permission: Permission, context: Context) -> DenialReason | None:
        changes_group = context.chat_type is not ChatType.PRIVATE and (
            permission is Permission.CHANGE or context.chat_type is ChatType.CHANNEL
        )
        asked = changes_group or context.manages_other
        chat_admin = await self.is_admin(context) if asked else False
        reason = denial_reason(
            permission,
            context.person.role,
            context.chat_type,
            allowed=context.current_chat.allowed and context.chat.allowed,
            chat_admin=chat_admin,
        )
        if reason is None and context.manages_other and not chat_admin:
            return DenialReason.NOT_CHAT_ADMIN
        return reason


def _refusal(reason: DenialReason, context: Context) -> Reply:
    text = _explanation(reason, context.translator)
    if isinstance(context.update, Press):
        return Reply(toast=text)
    return text_reply(text) if text else Reply()


def _explanation(reason: DenialReason, translator: Translator) -> str:
    match reason:
        case DenialReason.NOT_CHAT_ADMIN:
            return only_admins(translator)
        case DenialReason.NOT_OPERATOR:
            return translator.gettext("Only the operators of this bot can do that.")
        case DenialReason.NOT_HERE:
            return translator.gettext("This works only in a private chat with me.")
        case DenialReason.STRANGER:
            return translator.gettext("This chat has no access to this bot.")
        case DenialReason.BLOCKED:
            return ""


def only_admins(translator: Translator) -> str:
    """Return the refusal for those who do not administer the chat."""
    return translator.gettext("Only administrators of this chat can change its alerts.")
