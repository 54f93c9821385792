"""A chat's language, time zone, quiet hours, digests and grouping.

What feeds.yaml sets stays as it is.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from zoneinfo import available_timezones

from bot.alerts.quiet_hours import DIGEST_AT
from bot.chat.callbacks import Callback, button
from bot.chat.context import Context, StaticScreen, back_button, in_rows, show, text_reply
from bot.chat.handlers.article_updates import updates_name, updates_text
from bot.chat.handlers.developments import developments_name, developments_text
from bot.chat.replies import unknown_button
from bot.chat.services import ChatConfig
from bot.chat.time_zones import time_zones
from bot.i18n.catalog import LANGUAGES, Translator, clock_text, zone_name
from bot.model.chat_events import (
    ExpectedInput,
    Reply,
    Screen,
    SetGrouping,
    SetSettings,
)
from bot.model.chats import ChatSettings, Developments, Updates
from bot.model.message import Button, Message
from bot.model.stories import Grouping
from bot.text.times import MAX_DIGESTS, parse_time_span, parse_times

_QUIET_CHOICES = ((22, 7), (23, 7), (0, 8))  # hours
_DIGEST_CHOICES = ((8,), (8, 18), (7, 13, 20))  # hours
_EARLY_CHOICES = (0, 5, 10, 20)  # stories
_DAY = 24 * 60  # minutes


class SettingsAction(StrEnum):
    """What the buttons of /settings do; without a value they show the choices."""

    BACK = "back"
    LANGUAGE = "language"
    TIME_ZONE = "zone"
    QUIET_HOURS = "quiet"
    DIGEST = "digest"
    EARLY_DIGEST = "waiting"
    GROUPING = "stories"
    DEVELOPMENTS = "developments"
    UPDATES = "updates"
    NAMES = "names"  #: of queries in the posts of a channel


#: the setting behind each action, by its name in `ChatSettings` and `Chat.fixed`
_SETTING = {
    SettingsAction.LANGUAGE: "language",
    SettingsAction.TIME_ZONE: "zone",
    SettingsAction.QUIET_HOURS: "quiet",
    SettingsAction.DIGEST: "digest_at",
    SettingsAction.EARLY_DIGEST: "digest_from",
    SettingsAction.DEVELOPMENTS: "developments",
    SettingsAction.UPDATES: "updates",
    SettingsAction.NAMES: "hide_names",
}
_INPUT = {
    SettingsAction.TIME_ZONE: ExpectedInput.TIME_ZONE,
    SettingsAction.QUIET_HOURS: ExpectedInput.QUIET_HOURS,
    SettingsAction.DIGEST: ExpectedInput.DIGEST_TIMES,
}


class Settings(StaticScreen):
    """The commands /settings and /language."""

    actions = SettingsAction

    def __init__(
        self,
        config: Callable[[], ChatConfig],
        translator: Callable[[ChatSettings], Translator],
    ) -> None:
        self._config, self._translator = config, translator

    async def overview(self, context: Context, _argument: str) -> Reply:
        """/settings: show all settings."""
        return self._overview(context, Screen("settings"))

    async def language(self, context: Context, code: str) -> Reply:
        """/language: show the languages, or choose one by its code."""
        screen = Screen("settings")
        if code.lower() not in LANGUAGES:
            return self._choices(context, screen, SettingsAction.LANGUAGE)
        change = SetSettings(ChatSettings(language=code.lower()))
        return self._set(context, screen, change, SettingsAction.LANGUAGE)

    def _overview(self, context: Context, screen: Screen, *, edit: bool = False) -> Reply:
        translator, chat = context.translator, context.chat
        grouping = self._config().grouping_of(chat.id)
        lines = [
            translator.gettext(
                "Language: {language}", language=LANGUAGES[translator.catalog.language]
            ),
            translator.gettext("Time zone: {zone}", zone=zone_name(translator.zone)),
            translator.gettext(
                "Quiet hours: {hours}", hours=quiet_text(chat.settings.quiet, translator)
            ),
            translator.gettext("Digest: {times}", times=digest_text(chat.settings, translator)),
            translator.gettext(
                "Story grouping: {level}", level=grouping_name(grouping, translator)
            ),
            translator.gettext(
                "Developments: {how}",
                how=developments_name(chat.settings.developments or Developments.NOTE, translator),
            ),
            translator.gettext(
                "Updates: {how}", how=updates_name(chat.settings.updates, chat, translator)
            ),
        ]
        if chat.channel:
            names = _names_text(translator, hidden=bool(chat.settings.hide_names))
            lines.append(translator.gettext("Query names in posts: {choice}", choice=names))
        if chat.fixed or chat.grouping:
            fixed = translator.gettext("Some of this is set in feeds.yaml; edit it there.")
            lines.append(f"\n{fixed}")
        buttons = [
            button(translator.gettext("Language"), SettingsAction.LANGUAGE),
            button(translator.gettext("Time zone"), SettingsAction.TIME_ZONE),
            button(translator.gettext("Quiet hours"), SettingsAction.QUIET_HOURS),
            button(translator.gettext("Digest"), SettingsAction.DIGEST),
            button(translator.gettext("Grouping"), SettingsAction.GROUPING),
            button(translator.gettext("Developments"), SettingsAction.DEVELOPMENTS),
            button(translator.gettext("Updates"), SettingsAction.UPDATES),
        ]
        if chat.channel:
            buttons.append(button(translator.gettext("Query names"), SettingsAction.NAMES))
        screen = replace(screen, values={}, expects=ExpectedInput.NOTHING)
        return show(Message("\n".join(lines)), screen, *in_rows(buttons, 2), edit=edit)

    async def press(self, context: Context, screen: Screen, callback: Callback) -> Reply:
        """Show the choices of a setting, or change it."""
        action = SettingsAction(callback.action)
        if action is SettingsAction.BACK:
            return self._overview(context, screen, edit=True)
        if _is_fixed(context, action):
            return Reply(toast=_fixed_text(context.translator))
        if not callback.value:
            return self._choices(context, screen, action, edit=True)
        change = _chosen(action, callback.value)
        if change is None:
            return unknown_button(context)
        return self._set(context, screen, change, action, edit=True)

    def _set(
        self,
        context: Context,
        screen: Screen,
        change: SetSettings | SetGrouping,
        action: SettingsAction,
        *,
        edit: bool = False,
    ) -> Reply:
        """Change a setting, and show the settings as they are then."""
        if isinstance(change, SetGrouping):
            text = grouping_text(context.translator, change.grouping)
            idle = replace(screen, expects=ExpectedInput.NOTHING)
            back = [back_button(context, SettingsAction.BACK)]
            reply = show(Message(text), idle, back, edit=edit)
            translator = context.translator
        else:
            if _is_fixed(context, action):
                return text_reply(_fixed_text(context.translator))
            chat = replace(context.chat, settings=change.settings.over(context.chat.settings))
            translator = self._translator(chat.settings)
            changed = replace(context, chat=chat, translator=translator)
            reply = self._overview(changed, screen, edit=edit)
        toast = translator.gettext("Changed.") if edit else ""
        return replace(reply, changes=(change,), toast=toast)

    def _choices(
        self, context: Context, screen: Screen, action: SettingsAction, *, edit: bool = False
    ) -> Reply:
        """Show what a setting may be."""
        text, rows = _CHOICES[action](context)
        screen = replace(
            screen,
            values={"what": action.value},
            expects=_INPUT.get(action, ExpectedInput.NOTHING),
        )
        back = [back_button(context, SettingsAction.BACK)]
        return show(Message(text), screen, *rows, back, edit=edit)

    async def read_input(self, context: Context, screen: Screen, text: str) -> Reply:
        """Read a time zone, quiet hours or digest times as people write them."""
        translator, new = context.translator, replace(screen, id=0)
        if screen.expects is ExpectedInput.TIME_ZONE:
            return self._read_zone(context, new, text)
        if screen.expects is ExpectedInput.QUIET_HOURS:
            action, change, example = SettingsAction.QUIET_HOURS, _quiet_in(text), "23:30-06:45"
        else:
            action, change, example = SettingsAction.DIGEST, _digest_in(text), "7:30 19:00"
        if change is None:
            return text_reply(
                translator.gettext(
                    "I didn't understand. Use this format: {example}", example=example
                )
            )
        return self._set(context, new, change, action)

    def _read_zone(self, context: Context, screen: Screen, text: str) -> Reply:
        translator = context.translator
        zones = time_zones(text, translator.catalog.language)
        if len(zones) == 1:
            change = SetSettings(ChatSettings(zone=zones[0]))
            return self._set(context, screen, change, SettingsAction.TIME_ZONE)
        if not zones:
            return text_reply(
                translator.gettext(
                    "I don't know that city. Try a larger one nearby, or a time zone such as "
                    "Europe/Kyiv."
                )
            )
        rows = in_rows((button(zone, SettingsAction.TIME_ZONE, zone) for zone in zones[:10]), 2)
        waiting = replace(screen, expects=ExpectedInput.TIME_ZONE)
        back = [back_button(context, SettingsAction.BACK)]
        return show(Message(translator.gettext("Which one?")), waiting, *rows, back)


Rows = Sequence[Sequence[Button]]


def _language_choices(context: Context) -> tuple[str, Rows]:
    translator = context.translator
    language = LANGUAGES[translator.catalog.language]
    buttons = (button(name, SettingsAction.LANGUAGE, code) for code, name in LANGUAGES.items())
    text = translator.gettext("Language: {language}", language=language)
    return f"🌐 {text}", in_rows(buttons, 2)


def _zone_choices(context: Context) -> tuple[str, Rows]:
    translator = context.translator
    example = translator.gettext(
        "Send your city or time zone, for example: Kyiv, Berlin, America/Bogota, UTC."
    )
    current = translator.gettext(
        "Current time in {zone}: {time}",
        time=f"{context.now.astimezone(translator.zone):%H:%M}",
        zone=zone_name(translator.zone),
    )
    return f"{example}\n{current}", []


def _quiet_choices(context: Context) -> tuple[str, Rows]:
    translator = context.translator
    text = translator.gettext(
        "In quiet hours only breaking alerts come through; the rest arrive in one message "
        "afterwards. Pick, or send your own, for example: 23:30-06:45."
    )
    choices = [
        button(
            f"{clock_text(60 * start)}–{clock_text(60 * end)}",
            SettingsAction.QUIET_HOURS,
            f"{60 * start}-{60 * end}",
        )
        for start, end in _QUIET_CHOICES
    ]
    none = button(translator.gettext("No quiet hours"), SettingsAction.QUIET_HOURS, "0-0")
    return text, [choices, [none]]


def _digest_choices(context: Context) -> tuple[str, Rows]:
    translator = context.translator
    text = translator.gettext(
        "Digest subscriptions are sent at these times. Pick, or send up to six, for example: 7:30 "
        "19:00."
    )
    choices = [
        button(
            ", ".join(clock_text(60 * hour) for hour in hours),
            SettingsAction.DIGEST,
            ",".join(str(60 * hour) for hour in hours),
        )
        for hours in _DIGEST_CHOICES
    ]
    return text, [
        choices,
        [button(translator.gettext("Send early …"), SettingsAction.EARLY_DIGEST)],
    ]


def _early_choices(context: Context) -> tuple[str, Rows]:
    translator = context.translator
    text = translator.gettext("Send the digest early once this many stories wait:")
    buttons = [
        button(
            str(number) if number else translator.gettext("never"),
            SettingsAction.EARLY_DIGEST,
            number,
        )
        for number in _EARLY_CHOICES
    ]
    return text, [buttons]


def _grouping_choices(context: Context) -> tuple[str, Rows]:
    translator = context.translator
    buttons = [
        button(grouping_name(level, translator), SettingsAction.GROUPING, level.value)
        for level in Grouping
    ]
    return grouping_text(translator, None), [buttons]


def _development_choices(context: Context) -> tuple[str, Rows]:
    translator = context.translator
    buttons = [
        button(developments_name(choice, translator), SettingsAction.DEVELOPMENTS, choice.value)
        for choice in Developments
    ]
    return developments_text(translator), [buttons]


def _update_choices(context: Context) -> tuple[str, Rows]:
    translator = context.translator
    buttons = [
        button(updates_name(choice, context.chat, translator), SettingsAction.UPDATES, choice.value)
        for choice in Updates
    ]
    return updates_text(translator), [buttons]


def _name_choices(context: Context) -> tuple[str, Rows]:
    translator = context.translator
    text = translator.gettext(
        "Posts can end with the names of the queries that they match, for all readers to see."
    )
    buttons = [
        button(_names_text(translator, hidden=hidden), SettingsAction.NAMES, int(hidden))
        for hidden in (False, True)
    ]
    return text, [buttons]


def _names_text(translator: Translator, *, hidden: bool) -> str:
    return translator.gettext("hidden") if hidden else translator.gettext("shown")


_CHOICES: dict[SettingsAction, Callable[[Context], tuple[str, Rows]]] = {
    SettingsAction.LANGUAGE: _language_choices,
    SettingsAction.TIME_ZONE: _zone_choices,
    SettingsAction.QUIET_HOURS: _quiet_choices,
    SettingsAction.DIGEST: _digest_choices,
    SettingsAction.EARLY_DIGEST: _early_choices,
    SettingsAction.GROUPING: _grouping_choices,
    SettingsAction.DEVELOPMENTS: _development_choices,
    SettingsAction.UPDATES: _update_choices,
    SettingsAction.NAMES: _name_choices,
}


def _is_fixed(context: Context, action: SettingsAction) -> bool:
    """Whether feeds.yaml sets it for this chat."""
    if action is SettingsAction.GROUPING:
        return context.chat.grouping is not None
    return _SETTING[action] in context.chat.fixed


def _fixed_text(translator: Translator) -> str:
    return translator.gettext("Set in feeds.yaml for this chat; edit it there.")


def _chosen(action: SettingsAction, value: str) -> SetSettings | SetGrouping | None:
    """Return the change of a button; None where its value is none."""
    parts = re.split("[-,]", value)
    minutes = [int(part) for part in parts if part.isdecimal() and len(part) < 5]
    valid = bool(minutes) and all(0 <= minute < _DAY for minute in minutes)
    match action:
        case SettingsAction.LANGUAGE if value in LANGUAGES:
            return SetSettings(ChatSettings(language=value))
        case SettingsAction.TIME_ZONE if value in available_timezones():
            return SetSettings(ChatSettings(zone=value))
        case SettingsAction.QUIET_HOURS if valid and len(minutes) == 2:
            return SetSettings(ChatSettings(quiet=(minutes[0], minutes[1])))
        case SettingsAction.DIGEST if valid and len(minutes) <= MAX_DIGESTS:
            return SetSettings(ChatSettings(digest_at=tuple(sorted(set(minutes)))))
        case SettingsAction.EARLY_DIGEST if value.isdecimal() and int(value) in _EARLY_CHOICES:
            return SetSettings(ChatSettings(digest_from=int(value)))
        case SettingsAction.GROUPING if value in set(Grouping):
            return SetGrouping(Grouping(value))
        case SettingsAction.DEVELOPMENTS if value in set(Developments):
            return SetSettings(ChatSettings(developments=Developments(value)))
        case SettingsAction.UPDATES if value in set(Updates):
            return SetSettings(ChatSettings(updates=Updates(value)))
        case SettingsAction.NAMES if value in {"0", "1"}:
            return SetSettings(ChatSettings(hide_names=value == "1"))
        case _:
            return None


def _quiet_in(text: str) -> SetSettings | None:
    """Return the quiet hours that somebody wrote. 0:00-24:00 is not meant for none."""
    span = parse_time_span(text)
    return SetSettings(ChatSettings(quiet=span)) if span and span[0] != span[1] else None


def _digest_in(text: str) -> SetSettings | None:
    """Return the digest times that somebody wrote."""
    times = parse_times(text)
    return SetSettings(ChatSettings(digest_at=times)) if times else None


def quiet_text(quiet: tuple[int, int] | None, translator: Translator) -> str:
    """Return quiet hours as `23:00–07:00`, or that there are none."""
    if quiet is None or quiet[0] == quiet[1]:
        return translator.gettext("none")
    return f"{clock_text(quiet[0])}–{clock_text(quiet[1])}"


def digest_text(settings: ChatSettings, translator: Translator) -> str:
    """Return when digests are sent."""
    times = DIGEST_AT if settings.digest_at is None else settings.digest_at
    text = ", ".join(clock_text(minutes) for minutes in times)
    if settings.digest_from:
        text += ", " + translator.ngettext(
            "or once {number} story waits", "or once {number} stories wait", settings.digest_from
        )
    return text


def grouping_name(level: Grouping, translator: Translator) -> str:
    """Return the display name of a grouping."""
    match level:
        case Grouping.STRICT:
            return translator.gettext("strict")
        case Grouping.NORMAL:
            return translator.gettext("normal")
        case Grouping.LOOSE:
            return translator.gettext("loose")


def grouping_text(translator: Translator, chosen: Grouping | None) -> str:
    """Return what the groupings mean, or that one was chosen."""
    if chosen:
        return translator.gettext(
            "Story grouping here is now: {level}. What it means: /stories",
            level=grouping_name(chosen, translator),
        )
    return "\n".join(
        (
            translator.gettext("How widely related articles are grouped into one alert."),
            translator.gettext("strict: only near-certain matches; an event may alert you twice"),
            translator.gettext("normal: articles about the same event"),
            translator.gettext("loose: the whole running story in one message"),
        )
    )
