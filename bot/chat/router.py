"""Which handler an update leads to: by its command, its button, or the screen that waits for it.

Decides nothing about permissions, and replies only that a command or button is unknown.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial

from bot.chat.access import Permission
from bot.chat.callbacks import parse_callback
from bot.chat.context import Context, ScreenHandler, text_reply
from bot.chat.guard import Route
from bot.chat.handlers.admin import Admin
from bot.chat.handlers.channels import Channels
from bot.chat.handlers.exclusions import Exclusions
from bot.chat.handlers.explain import Explanations
from bot.chat.handlers.feeds import Feeds
from bot.chat.handlers.search import Search
from bot.chat.handlers.settings import Settings
from bot.chat.handlers.start import Start
from bot.chat.handlers.storylines import Storylines
from bot.chat.handlers.subscriber import Subscriber
from bot.chat.handlers.subscriptions import Subscriptions
from bot.chat.handlers.trends import Trends
from bot.chat.services import ChatServices
from bot.model.chat_events import (
    AlertAction,
    Command,
    ExpectedInput,
    Press,
    Reply,
    Screen,
    Text,
)
from bot.text.clean import cut

_LINK = re.compile(r"https?://\S+")

CommandHandler = Callable[[Context, str], Awaitable[Reply]]  #: takes what follows the command


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """What a command needs and leads to."""

    permission: Permission
    handle: CommandHandler
    #: it is about the chat in which it is written, whichever chat is managed from there
    current_chat: bool = False
    slow: bool = False  #: it compiles queries or reads stored articles


class Router:
    """The routes of the chat."""

    def __init__(
        self,
        commands: Mapping[str, CommandRoute],
        screens: Mapping[str, ScreenHandler],
        alert_actions: Mapping[AlertAction, Route],
        default: CommandHandler,
    ) -> None:
        """Take the routes: commands by name, screens by name, buttons under alerts by action.

        `default` takes what is written in a private chat without a command while no screen waits.
        """
        self.commands = commands
        self.screens = screens
        self.alert_actions = alert_actions
        self._default = default

    def resolve(self, context: Context, screen: Screen | None) -> Route | Reply:
        """Return the route of a command, a text or a press, or the reply where there is none."""
        match context.update:
            case Press():
                return self._press(context, context.update, screen)
            case Command():
                return self._command(context, context.update)
            case Text():
                return self._text(context.update, screen)
            case _:
                return Reply()

    def _press(self, context: Context, press: Press, screen: Screen | None) -> Route | Reply:
        unknown = Reply(toast=context.translator.gettext("This button no longer works."))
        _, is_screen, data = press.data.partition(":")
        if not is_screen:
            if press.data not in set(AlertAction):
                return unknown
            return self.alert_actions[AlertAction(press.data)]
        handler = self.screens.get(screen.name) if screen else None
        if screen is None or handler is None:
            outdated = context.translator.gettext("This button is too old. Send the command again.")
            return Reply(toast=outdated)
        callback = parse_callback(data, handler.actions)
        if callback is None:
            return unknown
        return Route(
            handler.permission(screen, callback),
            lambda context: handler.press(context, screen, callback),
            slow=handler.is_slow(screen, callback),
        )

    def _command(self, context: Context, command: Command) -> Route | Reply:
        route = self.commands.get(command.name)
        if route:
            handle = partial(_handle, route.handle, command.argument)
            return Route(route.permission, handle, slow=route.slow)
        if not command.private:
            return Reply()  # in a group it is probably another bot's
        similar = _similar(command.name, self.commands)
        if similar:
            return text_reply(
                context.translator.gettext(
                    "Unknown command. Did you mean {command}?", command=similar
                )
            )
        return text_reply(
            context.translator.gettext(
                "Unknown command {command}. All commands: /help", command=cut(command.name, 40)
            )
        )

    def _text(self, text: Text, screen: Screen | None) -> Route | Reply:
        handler = self.screens.get(screen.name) if screen else None
        if screen and handler:
            return Route(
                handler.permission(screen, None),
                lambda context: handler.read_input(context, screen, text.text),
                slow=handler.is_slow(screen, None),
            )
        if text.private:
            return Route(None, partial(_handle, self._default, text.text))
        return Reply()


async def _handle(handle: CommandHandler, argument: str, context: Context) -> Reply:
    return await handle(context, argument)


def _similar(name: str, commands: Iterable[str]) -> str:
    """Return the command that a mistyped one begins or resembles; empty if there is none."""
    known = {command.removeprefix("/"): command for command in sorted(commands)}
    word = name.removeprefix("/")
    begun = [other for other in known if other.startswith(word)] if len(word) > 1 else []
    similar = begun or get_close_matches(word, known, 1, 0.75)
    return known[similar[0]] if similar else ""


def build_router(services: ChatServices, subscriber: Subscriber, start: Start) -> Router:
    """Build the handlers and name what leads to them."""
    store = services.store
    subscriptions = Subscriptions(subscriber, services.members)
    search = Search(services.search, services.feeds, store)
    storylines = Storylines(store, services.search, services.config)
    explanations = Explanations(store, services.search)
    settings = Settings(services.config, services.translator)
    feeds = Feeds(store, services.feeds, services.config)
    admin = Admin(store, services.members, services.admin)
    channels = Channels(store, services.members)
    exclusions, trends = Exclusions(store, services.search), Trends(services.search)
    read, change = Permission.READ, Permission.CHANGE
    return Router(
        commands={
            "/start": CommandRoute(read, start.greet),
            "/help": CommandRoute(read, start.help, current_chat=True),
            "/subscribe": CommandRoute(change, subscriptions.subscribe, slow=True),
            "/confirm": CommandRoute(change, subscriptions.confirm, slow=True),
            "/test": CommandRoute(read, subscriptions.test, slow=True),
            "/subscriptions": CommandRoute(read, subscriptions.list),
            "/unsubscribe": CommandRoute(change, subscriptions.unsubscribe),
            "/search": CommandRoute(read, search.search, slow=True),
            "/feeds": CommandRoute(read, search.feeds),
            "/status": CommandRoute(read, search.status),
            "/trend": CommandRoute(read, trends.draw, slow=True),
            **_storyline_commands(storylines),
            "/why": CommandRoute(read, explanations.why, slow=True),
            "/settings": CommandRoute(change, settings.overview),
            "/language": CommandRoute(change, settings.language),
            "/addfeed": CommandRoute(change, feeds.add),
            "/removefeed": CommandRoute(change, feeds.remove),
            "/import": CommandRoute(change, feeds.import_opml),
            "/export": CommandRoute(change, feeds.export),  # feed addresses may hold secrets
            "/channels": CommandRoute(read, channels.list_or_link, current_chat=True),
            "/admin": CommandRoute(Permission.OPERATE, admin.overview, current_chat=True),
            "/cancel": CommandRoute(read, _cancel, current_chat=True),
        },
        screens={
            "start": start,
            "subscriptions": subscriptions,
            "subscription": subscriptions,
            "confirm": subscriptions,
            "deleted": subscriptions,
            "settings": settings,
            "feeds": feeds,
            "admin": admin,
            "channels": channels,
            "unwanted": exclusions,
            "trend": trends,
        },
        alert_actions={
            AlertAction.WHY: Route(read, explanations.press, slow=True),
            AlertAction.MUTE: Route(change, storylines.toggle_mute),
            AlertAction.FOLLOW: Route(change, storylines.toggle_follow),
            AlertAction.NOT_FOR_ME: Route(change, exclusions.propose, slow=True),
            AlertAction.CLAIM: Route(read, storylines.toggle_claim),
        },
        default=partial(_without_command, start, feeds),
    )


def _storyline_commands(storylines: Storylines) -> dict[str, CommandRoute]:
    """Return the commands about stories. All but /stories are about alerts of the current chat."""
    read, change = Permission.READ, Permission.CHANGE
    return {
        "/story": CommandRoute(read, storylines.story, current_chat=True, slow=True),
        "/stories": CommandRoute(read, storylines.grouping),
        "/follow": CommandRoute(change, storylines.follow, current_chat=True),
        "/unfollow": CommandRoute(change, storylines.clear_stance, current_chat=True),
        "/mute": CommandRoute(change, storylines.mute, current_chat=True),
        "/unmute": CommandRoute(change, storylines.clear_stance, current_chat=True),
    }


async def _without_command(start: Start, feeds: Feeds, context: Context, text: str) -> Reply:
    """Handle what nobody asked for: offer the site of a link, or the topic of a forwarded post."""
    if _LINK.fullmatch(text.strip()):
        return await feeds.offer_link(context, text)
    return await start.offer_topic(context, text)


async def _cancel(context: Context, _argument: str) -> Reply:
    """End the wait for input: a newer screen that expects nothing replaces what did."""
    reply = text_reply(context.translator.gettext("Cancelled. All commands: /help"))
    screen = Screen("cancelled", {}, ExpectedInput.CANCEL)
    return Reply(reply.message, screen=screen)
