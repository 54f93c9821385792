"""Following, muting, claiming and showing storylines, and how widely articles are grouped."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.chat.context import Context, text_reply, time_format
from bot.chat.guard import only_admins
from bot.chat.handlers.settings import grouping_name, grouping_text
from bot.chat.replies import archive_unavailable, not_an_alert
from bot.chat.services import ChatConfig, SearchService
from bot.delivery.composer import Composer, linkable
from bot.errors import StoreError
from bot.i18n.catalog import Translator
from bot.model.alerts import AlertedStory, Stance
from bot.model.chat_events import AssignStory, Command, Reply, SetGrouping, SetStance
from bot.model.message import Message
from bot.model.stories import Grouping
from bot.ports import ChatStore
from bot.search.timeline import TimelineStory, format_delay, summary, timeline, who_was_first
from bot.text.clean import cut, plain

_LENGTH = 3000  # characters of a storyline after which no further story is shown
_ENTITIES = 80  # the same for its links and bold parts
_OUTCOMES = 3  # of the article that was asked for
_ARTICLES = 20  # of the story that was asked for


class Storylines:
    """The commands and alert buttons about storylines."""

    def __init__(
        self, store: ChatStore, search: SearchService, config: Callable[[], ChatConfig]
    ) -> None:
        self._store, self._search, self._config = store, search, config

    async def grouping(self, context: Context, level: str) -> Reply:
        """/stories: show how articles are grouped into alerts, or choose."""
        translator = context.translator
        current = self._config().grouping_of(context.chat.id)
        if level.lower() not in set(Grouping):
            changes = translator.gettext(
                "Here: {level}. To change it: /stories strict, /stories normal or /stories loose",
                level=grouping_name(current, translator),
            )
            return text_reply(f"{grouping_text(translator, None)}\n\n{changes}")
        if not context.may_change:
            return text_reply(only_admins(translator))
        if context.chat.grouping:
            return text_reply(
                translator.gettext(
                    "Set to {level} for this chat in feeds.yaml; edit it there.",
                    level=context.chat.grouping.value,
                )
            )
        chosen = Grouping(level.lower())
        return Reply(Message(grouping_text(translator, chosen)), (SetGrouping(chosen),))

    async def story(self, context: Context, text: str) -> Reply:
        """/story: show who reports a story. Raises StoreError."""
        translator, entry_id = context.translator, 0
        try:
            if text:
                entry_id = (await self._search.found(text, context.chat.id)).entry_id
            elif alert := await self._alert(context):
                entry_id = alert.entry_id
            stories = (
                timeline(
                    await self._search.storyline(entry_id, context.chat.id), entry_id, translator
                )
                if entry_id
                else []
            )
            outcomes = await self._outcomes(context, entry_id) if stories else []
        except StoreError:
            return text_reply(archive_unavailable(translator))
        if stories:
            return Reply(storyline_message(stories, context.now, translator, outcomes))
        if text:
            return text_reply(
                translator.gettext("No stored article was found with this address or headline.")
            )
        return text_reply(
            translator.gettext("Reply to an alert with /story, or send /story and a link.")
        )

    async def _outcomes(self, context: Context, entry_id: int) -> list[str]:
        """What became of an article in this chat. Raises StoreError."""
        chat, translator = context.chat, context.translator
        facts = await self._search.facts(entry_id, chat.id)
        if facts is None:
            return []
        chats = {chat.id: translator.gettext("This chat")}
        when = time_format(context)
        outcomes = await self._search.outcomes(facts, chats, chat.id, when, translator)
        return outcomes[:_OUTCOMES]

    async def follow(self, context: Context, _argument: str) -> Reply:
        """/follow, as a reply to an alert. Raises StoreError."""
        translator = context.translator
        alert = await self._alert(context)
        if alert is None:
            return _no_alert(context, "/follow")
        text = translator.gettext(
            "Following. You are alerted to all later stories of this storyline, until it has been "
            "quiet for 48 hours:"
        )
        composer = _titled(text, alert)
        if self._config().grouping_of(context.current_chat.id) is Grouping.LOOSE:
            loose = translator.gettext(
                "Here one message covers the whole storyline (/stories loose). It is updated as "
                "the story goes on; a new alert comes only if there was none before."
            )
            composer.add(f"\n\n{loose}")
        return _stance_reply(context, composer, alert, Stance.FOLLOW)

    async def mute(self, context: Context, _argument: str) -> Reply:
        """/mute, as a reply to an alert. Raises StoreError."""
        alert = await self._alert(context)
        if alert is None:
            return _no_alert(context, "/mute")
        text = context.translator.gettext(
            "Muted. No more alerts for this storyline here, until it has been quiet for 48 hours:"
        )
        return _stance_reply(context, _titled(text, alert), alert, Stance.MUTE)

    async def clear_stance(self, context: Context, _argument: str) -> Reply:
        """/unfollow and /unmute, as a reply to an alert. Raises StoreError."""
        alert = await self._alert(context)
        if alert is None:
            update = context.update
            return _no_alert(context, update.name if isinstance(update, Command) else "/unmute")
        text = context.translator.gettext(
            "Back to normal. You are alerted to this storyline only where it matches a "
            "subscription:"
        )
        return Reply(_titled(text, alert).message(), (SetStance(alert.storyline_id, None),))

    async def toggle_mute(self, context: Context) -> Reply:
        """Mute by the button under an alert, or unmute. Raises StoreError."""
        text = context.translator.gettext(
            "Muted until this storyline has been quiet for 48 hours. Tap again to undo."
        )
        undone = context.translator.gettext("Unmuted.")
        return await self._toggle(context, Stance.MUTE, text, undone)

    async def toggle_follow(self, context: Context) -> Reply:
        """Follow by the button under an alert, or stop following. Raises StoreError."""
        text = context.translator.gettext(
            "Following this storyline until it has been quiet for 48 hours. Tap again to undo."
        )
        undone = context.translator.gettext("You no longer follow this storyline.")
        return await self._toggle(context, Stance.FOLLOW, text, undone)

    async def _toggle(self, context: Context, stance: Stance, text: str, undone: str) -> Reply:
        alert = await self._alert(context)
        if alert is None:
            return not_an_alert(context)
        if alert.stance is stance:
            return Reply(toast=undone, changes=(SetStance(alert.storyline_id, None),))
        return Reply(toast=text, changes=(SetStance(alert.storyline_id, stance),))

    async def toggle_claim(self, context: Context) -> Reply:
        """Claim a story in a group, or release it; the alert shows who has it.

        Raises StoreError.
        """
        update, translator = context.update, context.translator
        alert = await self._alert(context)
        if alert is None or update.reply_to is None:
            return not_an_alert(context)
        if not alert.taken_by:
            name = plain(update.user_name) or str(update.user_id)
            return Reply(
                toast=translator.gettext("It's yours."),
                changes=(AssignStory(update.reply_to, name),),
            )
        if alert.taken_user != update.user_id and not context.may_change:
            return Reply(toast=translator.gettext("{name} is on it.", name=cut(alert.taken_by, 60)))
        return Reply(
            toast=translator.gettext("Released."),
            changes=(AssignStory(update.reply_to, ""),),
        )

    async def _alert(self, context: Context) -> AlertedStory | None:
        """Return the story of the alert that is replied to, or whose button was pressed."""
        message_id = context.update.reply_to
        if message_id is None:
            return None
        return await self._store.alert_of(context.current_chat.id, message_id)


def _no_alert(context: Context, command: str) -> Reply:
    return text_reply(
        context.translator.gettext(
            "Reply to an alert with {command}; it applies to the story of that alert.",
            command=command,
        )
    )


def _titled(text: str, alert: AlertedStory) -> Composer:
    return Composer().add(text).add("\n").add_marked(cut(alert.title, 300), (), "bold", "bold")


def _stance_reply(
    context: Context, composer: Composer, alert: AlertedStory, stance: Stance
) -> Reply:
    undo = {Stance.FOLLOW: "/unfollow", Stance.MUTE: "/unmute"}[stance]
    text = context.translator.gettext(
        "To undo, reply to the same alert with {command}.", command=undo
    )
    composer.add(f"\n\n{text}")
    return Reply(composer.message(), (SetStance(alert.storyline_id, stance),))


def storyline_message(
    stories: list[TimelineStory],
    now: datetime,
    translator: Translator,
    outcomes: Sequence[str] = (),
) -> Message:
    """Return a storyline: the story that was asked for by article, the others by their first.

    `outcomes` say what became of the article that was asked for.
    """
    composer = (
        Composer()
        .add(translator.gettext("Storyline:") + " ")
        .add(summary(stories, translator), "bold")
    )
    for story in sorted(stories, key=lambda story: not story.requested):
        if composer.length > _LENGTH or composer.entities > _ENTITIES:
            composer.add("\n\n" + translator.gettext("… and more; `newsbell story` lists all."))
            break
        _add_story(composer, story, now, translator)
        if story.requested:
            for outcome in outcomes:
                composer.add("\n").add_marked(cut(outcome, 300), (), "italic")
    return composer.message()


def _add_story(
    composer: Composer, story: TimelineStory, now: datetime, translator: Translator
) -> None:
    composer.add("\n\n▶ " if story.requested else "\n\n○ ").add_marked(
        cut(story.title, 200), (), "bold", "bold"
    )
    composer.add("\n").add_marked(who_was_first(story, translator), (), "italic", "italic")
    for line in story.entries[: _ARTICLES if story.requested else 0]:
        entry = line.entry
        link = ("text_link",) if linkable(entry.link) else ()
        agency = translator.gettext("via {agency}:", agency=entry.agency) if entry.agency else ""
        lead = f"{agency} " if agency else ""
        time = translator.time(entry.at, now)
        composer.add(f"\n{time} ({format_delay(line.delay, translator)}) {lead}")
        composer.add_marked(cut(entry.name, 40), (), "bold", *link, url=entry.link)
        if entry.title != story.title:
            composer.add(" ").add_marked(cut(entry.title, 80), (), "bold")
    hidden = len(story.entries) - _ARTICLES
    if story.requested and hidden > 0:
        more = translator.ngettext("… and {number} more", "… and {number} more", hidden)
        composer.add(f"\n{more}")
