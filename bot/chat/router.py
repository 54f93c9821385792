"""Which handler an update leads to: by its command, its button, or the screen that waits for it.

Decides nothing about permissions, and replies only that a command or button is unknown.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial

from bot.chat.access import Permission
from bot.chat.callbacks import parse_callback
from bot.chat.context import Context, ScreenHandler, text_reply
from bot.chat.guard import CommandHandler, CommandRoute, Route
from bot.chat.handlers import questions
from bot.chat.handlers.admin import Admin
from bot.chat.handlers.channels import Channels
from bot.chat.handlers.evidence import EvidenceFiles
from bot.chat.handlers.exclusions import Exclusions
from bot.chat.handlers.explain import Explanations
from bot.chat.handlers.feeds import Feeds, site_question
from bot.chat.handlers.privacy import Privacy
from bot.chat.handlers.recent_alerts import RecentAlerts
from bot.chat.handlers.search import Search
from bot.chat.handlers.settings import Settings
from bot.chat.handlers.start import Start
from bot.chat.handlers.storylines import Storylines
from bot.chat.handlers.subscriber import Subscriber
from bot.chat.handlers.subscriptions import Subscriptions
from bot.chat.handlers.trends import Trends
from bot.chat.handlers.web import WebLinks
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

_EXPRESSION = re.compile(r"/.+/[a-z]*", re.DOTALL)
_LINK = re.compile(r"(?:https?://|(?:[\w-]+\.)+[a-z]{2,}/|www\.)\S*|(?:[\w-]+\.)+([a-z]{2,})")
_DOMAINS = frozenset({"com", "edu", "eu", "gov", "info", "int", "mil", "net", "news", "org", "tv"})
_COUNTRY_LETTERS = 2
_SUBSCRIPTION_SCREENS = ("subscriptions", "subscription", "confirm", "deleted")
#: what people of other bots write
_ALIASES = {"/list": "/subscriptions", "/set": "/subscriptions", "/lang": "/language"}


class Router:
    """The routes of the chat."""

    def __init__(
        self,
        commands: Mapping[str, CommandRoute],
        screens: Mapping[str, ScreenHandler],
        alert_actions: Mapping[AlertAction, Route],
        default: CommandHandler,
        link: CommandHandler,
        is_address: Callable[[str], bool],
    ) -> None:
        """Take the routes: commands by name, screens by name, buttons under alerts by action.

        `default` takes what is written in a private chat without a command while no screen waits,
        and `link` an address there, also where a screen waits for words. `is_address` says which
        texts are addresses.
        """
        self.commands = commands
        self.screens = screens
        self.alert_actions = alert_actions
        self._default, self._link, self._is_address = default, link, is_address

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

    def is_command(self, command: Command) -> bool:
        """Whether it leads somewhere; a regular expression such as `/air/` does not."""
        name = _ALIASES.get(command.name, command.name)
        return name in self.commands or not _EXPRESSION.fullmatch(command.text)

    def _command(self, context: Context, command: Command) -> Route | Reply:
        route = self.commands.get(_ALIASES.get(command.name, command.name))
        if route:
            answered = command.argument or command.upload
            if route.question and not answered and not _is_about_alert(command):
                question = partial(_ask, command.name, route.question)
                return Route(route.permission, question)
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
        command = self.commands.get(questions.asked_command(screen)) if screen else None
        if command:
            handle = partial(_handle, command.handle, text.text)
            return Route(command.permission, handle, slow=command.slow)
        handler = self.screens.get(screen.name) if screen else None
        if text.private and self._is_address(text.text) and _waits_for_words(screen):
            return Route(Permission.READ, partial(_handle, self._link, text.text))
        if screen and handler:
            return Route(
                handler.permission(screen, None),
                lambda context: handler.read_input(context, screen, text.text),
                slow=handler.is_slow(screen, None),
            )
        if text.private:
            return Route(Permission.READ, partial(_handle, self._default, text.text), slow=True)
        return Reply()


async def _handle(handle: CommandHandler, argument: str, context: Context) -> Reply:
    return await handle(context, argument)


async def _ask(command: str, question: questions.Question, context: Context) -> Reply:
    return questions.ask(context, command, question)


def _is_about_alert(command: Command) -> bool:
    return command.name == "/why" and command.reply_to is not None


def _waits_for_words(screen: Screen | None) -> bool:
    """Whether an address is no answer to what a screen asks; where none does, it is an offer."""
    return screen is None or screen.expects is ExpectedInput.TOPIC


def is_link(text: str) -> bool:
    """Whether a text is the address of a page or site, and nothing else."""
    match = _LINK.fullmatch(text.strip().lower())
    if match is None or match[1] is None:
        return match is not None
    return match[1] in _DOMAINS or len(match[1]) == _COUNTRY_LETTERS


def _is_address(feeds: Feeds, text: str) -> bool:
    """Whether a text is the address of a page or site, or the name of a channel."""
    return is_link(text) or feeds.is_channel(text)


def _similar(name: str, commands: Iterable[str]) -> str:
    """Return the command that a mistyped one begins or resembles; empty if there is none."""
    known = {command.removeprefix("/"): command for command in sorted(commands)}
    word = name.removeprefix("/")
    begun = [other for other in known if other.startswith(word)] if len(word) > 1 else []
    similar = begun or get_close_matches(word, known, 1, 0.75)
    return known[similar[0]] if similar else ""


def build_router(services: ChatServices, subscriber: Subscriber, start: Start) -> Router:
    """Build the handlers and name what leads to them."""
    store, subscriptions = services.store, Subscriptions(subscriber, services.members)
    search = Search(services.search, services.feeds, store, services.admin)
    storylines = Storylines(store, services.search, services.config)
    explanations = Explanations(store, services.search)
    settings = Settings(services.config, services.translator)
    feeds = Feeds(subscriber, services.feeds, services.config)
    admin = Admin(store, services.members, services.admin, services.translator)
    channels = Channels(store, services.members)
    privacy = Privacy(store)
    exclusions, trends = Exclusions(store, services.search), Trends(services.search)
    read, change = Permission.READ, Permission.CHANGE
    article = questions.article_question
    about_alerts = _alert_commands(storylines)
    recent, web = RecentAlerts(store, about_alerts), WebLinks(services.config)
    return Router(
        commands={
            "/start": CommandRoute(read, start.greet),
            "/help": CommandRoute(read, start.help, current_chat=True),
            **_subscription_commands(subscriptions, feeds),
            "/search": CommandRoute(
                read, search.search, slow=True, question=questions.query_question
            ),
            "/feeds": CommandRoute(read, search.feeds),
            "/status": CommandRoute(read, search.status),
            "/trend": CommandRoute(read, trends.draw, slow=True, question=questions.trend_question),
            **{name: replace(route, handle=recent.run) for name, route in about_alerts.items()},
            "/stories": CommandRoute(read, storylines.grouping),
            "/why": CommandRoute(read, explanations.why, slow=True, question=article),
            "/settings": CommandRoute(change, settings.overview),
            "/language": CommandRoute(change, settings.language),
            **_feed_commands(feeds),
            "/channels": CommandRoute(read, channels.list_or_link, current_chat=True),
            "/web": CommandRoute(read, web.link, current_chat=True),
            **_operator_commands(admin, EvidenceFiles(store, services.search)),
            "/forgetme": CommandRoute(read, privacy.ask, current_chat=True),
            "/cancel": CommandRoute(read, _cancel, current_chat=True),
        },
        screens={
            "start": start,
            **dict.fromkeys(_SUBSCRIPTION_SCREENS, subscriptions),
            "settings": settings,
            "feeds": feeds,
            "admin": admin,
            "channels": channels,
            "unwanted": exclusions,
            "trend": trends,
            "recent": recent,
            "privacy": privacy,
        },
        alert_actions={
            AlertAction.WHY: Route(read, explanations.press, slow=True),
            AlertAction.NOT_FOR_ME: Route(change, exclusions.propose, slow=True),
            **_storyline_actions(storylines),
        },
        default=partial(_without_command, start, feeds),
        link=feeds.offer_link,
        is_address=partial(_is_address, feeds),
    )


def _subscription_commands(subscriptions: Subscriptions, feeds: Feeds) -> dict[str, CommandRoute]:
    """Return the commands about subscriptions; what other bots call them leads there, too."""
    read, change = Permission.READ, Permission.CHANGE
    query, subscribe = questions.query_question, partial(_subscribe, subscriptions, feeds)
    return {
        "/subscribe": CommandRoute(change, subscribe, slow=True, question=query),
        "/sub": CommandRoute(change, subscribe, slow=True, question=site_question),
        "/confirm": CommandRoute(change, subscriptions.confirm, slow=True),
        "/test": CommandRoute(read, subscriptions.test, slow=True, question=query),
        "/subscriptions": CommandRoute(read, subscriptions.list),
        "/unsubscribe": CommandRoute(change, subscriptions.unsubscribe),
        "/unsub": CommandRoute(change, partial(_unsubscribe, subscriptions, feeds)),
    }


def _operator_commands(admin: Admin, evidence: EvidenceFiles) -> dict[str, CommandRoute]:
    """Return the commands of operators."""
    operate = Permission.OPERATE
    return {
        "/admin": CommandRoute(operate, admin.overview, current_chat=True),
        "/evidence": CommandRoute(operate, evidence.send, current_chat=True, slow=True),
    }


def _feed_commands(feeds: Feeds) -> dict[str, CommandRoute]:
    """Return the commands about the feeds of a chat."""
    change = Permission.CHANGE
    return {
        "/addfeed": CommandRoute(change, feeds.add, question=site_question),
        "/removefeed": CommandRoute(change, feeds.remove),
        "/import": CommandRoute(change, feeds.import_opml),
        "/export": CommandRoute(change, feeds.export),  # feed addresses may hold secrets
    }


def _alert_commands(storylines: Storylines) -> dict[str, CommandRoute]:
    """Return the commands about an alert of the current chat."""
    read, change = Permission.READ, Permission.CHANGE
    return {
        "/story": CommandRoute(read, storylines.story, current_chat=True, slow=True),
        "/follow": CommandRoute(change, storylines.follow, current_chat=True),
        "/unfollow": CommandRoute(change, storylines.clear_stance, current_chat=True),
        "/mute": CommandRoute(change, storylines.mute, current_chat=True),
        "/unmute": CommandRoute(change, storylines.clear_stance, current_chat=True),
    }


def _storyline_actions(storylines: Storylines) -> dict[AlertAction, Route]:
    """Return the buttons under an alert that are about its storyline."""
    return {
        AlertAction.MUTE: Route(Permission.CHANGE, storylines.toggle_mute),
        AlertAction.FOLLOW: Route(Permission.CHANGE, storylines.toggle_follow),
        AlertAction.CLAIM: Route(Permission.READ, storylines.toggle_claim),
    }


async def _without_command(start: Start, feeds: Feeds, context: Context, text: str) -> Reply:
    """Handle what nobody asked for: offer the site of a link, or the topic of words or a post."""
    if _is_address(feeds, text):
        return await feeds.offer_link(context, text)
    return await start.offer_topic(context, text)


async def _subscribe(
    subscriptions: Subscriptions, feeds: Feeds, context: Context, text: str
) -> Reply:
    """Subscribe to a query; offer the site of an address."""
    if _is_address(feeds, text):
        return await feeds.offer_link(context, text)
    return await subscriptions.subscribe(context, text)


async def _unsubscribe(
    subscriptions: Subscriptions, feeds: Feeds, context: Context, text: str
) -> Reply:
    """Remove a subscription by its number, or a feed by its address."""
    if _is_address(feeds, text):
        return await feeds.remove(context, text)
    return await subscriptions.unsubscribe(context, text)


async def _cancel(context: Context, _argument: str) -> Reply:
    """End the wait for input: a newer screen that expects nothing replaces what did."""
    reply = text_reply(context.translator.gettext("Cancelled. All commands: /help"))
    screen = Screen("cancelled", {}, ExpectedInput.CANCEL)
    return Reply(reply.message, screen=screen)
