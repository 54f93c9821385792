"""How a chat is spoken to and when: language, time zone, quiet hours, digests, how much one alert is for. What the file says stays as it is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel.dates import get_timezone_location

from bot.alerts.quiet_hours import DIGEST_AT
from bot.chat.access import Permission
from bot.chat.context import Context, StaticScreen, in_rows, say, show
from bot.i18n.catalog import LANGUAGES, Translator, clock_text
from bot.model.chat_events import Change, Reply, Screen, SetGrouping, SetSettings
from bot.model.chats import ChatSettings
from bot.model.message import Button, Message
from bot.model.stories import Grouping
from bot.text.fold import fold
from bot.text.times import MAX_DIGESTS, parse_time_span, parse_times

_QUIET = ((22, 7), (23, 7), (0, 8))
_DIGESTS = ((8,), (8, 18), (7, 13, 20))
_KYIV = frozenset(
    map(fold, ("Київ", "Киев", "Kiew", "Kiev", "كييف"))
)  # the one city that Babel names by its English name only
_WAITING = (0, 5, 10, 20)
_WORDS = {
    "language": "language",
    "zone": "zone",
    "quiet": "quiet",
    "digest": "digest_at",
    "waiting": "digest_from",
}


class Settings(StaticScreen):
    """The commands /settings and /language."""

    def __init__(
        self, grouping: Callable[[int], Grouping], translator: Callable[[ChatSettings], Translator]
    ) -> None:
        self._grouping, self._translator = grouping, translator

    def permission(self, screen: Screen, word: str) -> Permission:  # noqa: ARG002 (all of it is the same)
        """All of it changes the chat."""
        return Permission.CHANGE

    async def command(self, context: Context, name: str, rest: str) -> Reply:
        """The overview, or the languages; /language CODE chooses at once."""
        screen = Screen("settings")
        if name == "/language" and rest.lower() in LANGUAGES:
            return self._set(
                context, screen, SetSettings(ChatSettings(language=rest.lower())), "language"
            )
        return (
            self._asked(context, screen, "language")
            if name == "/language"
            else self._overview(context, screen)
        )

    def _overview(self, context: Context, screen: Screen, *, edit: bool = False) -> Reply:
        translator, chat = context.translator, context.chat
        settings = chat.settings
        lines = [
            translator.gettext(
                "Language: {language}", language=LANGUAGES[translator.catalog.language]
            ),
            translator.gettext("Time zone: {zone}", zone=str(translator.zone)),
            translator.gettext(
                "Quiet hours: {hours}", hours=quiet_text(settings.quiet, translator)
            ),
            translator.gettext("Digest: {times}", times=digest_text(settings, translator)),
            translator.gettext(
                "Story grouping: {level}", level=level_name(self._grouping(chat.id), translator)
            ),
        ]
        if chat.fixed or chat.grouping:
            lines.append(
                "\n" + translator.gettext("Some of this is set in feeds.yaml; edit it there.")
            )
        buttons = [
            Button(translator.gettext("Language"), "language"),
            Button(translator.gettext("Time zone"), "zone"),
            Button(translator.gettext("Quiet hours"), "quiet"),
            Button(translator.gettext("Digest"), "digest"),
            Button(translator.gettext("Grouping"), "stories"),
        ]
        return show(
            Message("\n".join(lines)),
            replace(screen, values={}, expects=""),
            *in_rows(buttons, 2),
            edit=edit,
        )

    async def pressed(self, context: Context, screen: Screen, word: str) -> Reply:
        """Choose what to change, or change it."""
        what, _, value = word.partition(" ")
        if what == "back":
            return self._overview(context, screen, edit=True)
        if what not in {*_WORDS, "stories"}:
            return Reply(toast=context.translator.gettext("This button no longer works."))
        fixed = (
            context.chat.grouping is not None
            if what == "stories"
            else _WORDS[what] in context.chat.fixed
        )
        if fixed:
            return Reply(
                toast=context.translator.gettext("Set in feeds.yaml for this chat; edit it there.")
            )
        if not value:
            return self._asked(context, screen, what, edit=True)
        change = _chosen(what, value)
        if change is None:
            return Reply(toast=context.translator.gettext("This button no longer works."))
        return self._set(context, screen, change, what, edit=True)

    def _set(
        self,
        context: Context,
        screen: Screen,
        change: SetSettings | SetGrouping,
        what: str,
        *,
        edit: bool = False,
    ) -> Reply:
        """Change it, and show the overview as it is then."""
        if what != "stories" and _WORDS[what] in context.chat.fixed:
            return say(
                context.translator.gettext("Set in feeds.yaml for this chat; edit it there.")
            )
        changes: tuple[Change, ...] = (change,)
        after = context
        if isinstance(change, SetSettings):
            chat = replace(context.chat, settings=change.settings.over(context.chat.settings))
            after = replace(context, chat=chat, translator=self._translator(chat.settings))
            reply = self._overview(after, screen, edit=edit)
        else:
            reply = show(
                Message(level_text(context.translator, change.grouping)),
                replace(screen, expects=""),
                [_back(context)],
                edit=edit,
            )
        return replace(
            reply, changes=changes, toast=after.translator.gettext("Changed.") if edit else ""
        )

    def _asked(self, context: Context, screen: Screen, what: str, *, edit: bool = False) -> Reply:
        """What one thing may be."""
        translator = context.translator
        match what:
            case "language":
                text, rows = (
                    "🌐",
                    in_rows(
                        (Button(name, f"language {code}") for code, name in LANGUAGES.items()), 2
                    ),
                )
            case "zone":
                text = translator.gettext(
                    "Send your city or time zone, for example: Kyiv, Berlin, America/Bogota, UTC."
                )
                text += "\n" + translator.gettext(
                    "Current time in {zone}: {time}",
                    time=f"{context.now.astimezone(translator.zone):%H:%M}",
                    zone=str(translator.zone),
                )
                rows = []
            case "quiet":
                text = translator.gettext(
                    "In quiet hours only breaking alerts come through; the rest arrive "
                    "in one message afterwards. Pick, or send your own, for example: "
                    "23:30-06:45."
                )
                choices = [
                    Button(f"{clock_text(60 * a)}–{clock_text(60 * b)}", f"quiet {60 * a}-{60 * b}")
                    for a, b in _QUIET
                ]
                rows = [choices, [Button(translator.gettext("No quiet hours"), "quiet 0-0")]]
            case "digest":
                text = translator.gettext(
                    "Digest subscriptions are sent at these times. Pick, or send up to "
                    "six, for example: 7:30 19:00."
                )
                choices = [
                    Button(
                        ", ".join(clock_text(60 * one) for one in times),
                        f"digest {','.join(str(60 * one) for one in times)}",
                    )
                    for times in _DIGESTS
                ]
                rows = [choices, [Button(translator.gettext("Send early …"), "waiting")]]
            case "waiting":
                text = translator.gettext("Send the digest early once this many stories wait:")
                rows = [
                    [
                        Button(str(one) if one else translator.gettext("never"), f"waiting {one}")
                        for one in _WAITING
                    ]
                ]
            case _:
                text = level_text(translator, None)
                rows = [
                    [
                        Button(level_name(one, translator), f"stories {one.value}")
                        for one in Grouping
                    ]
                ]
        expects = what if what in {"zone", "quiet", "digest"} else ""
        return show(
            Message(text),
            replace(screen, values={"what": what}, expects=expects),
            *rows,
            [_back(context)],
            edit=edit,
        )

    async def answered(self, context: Context, screen: Screen, text: str) -> Reply:
        """A time zone, quiet hours or times of digests, as people write them."""
        what, translator = screen.expects, context.translator
        fresh = replace(screen, id=0)
        if what == "zone":
            found = zones(text, translator.catalog.language)
            if len(found) == 1:
                return self._set(context, fresh, SetSettings(ChatSettings(zone=found[0])), what)
            if not found:
                return say(
                    translator.gettext(
                        "I don't know that city. Try a larger one nearby, or a time zone "
                        "such as Europe/Kyiv."
                    )
                )
            rows = in_rows((Button(one, f"zone {one}") for one in found[:10]), 2)
            return show(
                Message(translator.gettext("Which one?")),
                replace(fresh, expects="zone"),
                *rows,
                [_back(context)],
            )
        change = _written(what, text)
        if change is None:
            example = "23:30-06:45" if what == "quiet" else "7:30 19:00"
            return say(
                translator.gettext(
                    "I didn't understand. Use this format: {example}", example=example
                )
            )
        return self._set(context, fresh, change, what)


def _back(context: Context) -> Button:
    return Button("‹ " + context.translator.gettext("Back"), "back")


def _chosen(what: str, value: str) -> SetSettings | SetGrouping | None:
    """The change behind a button's word; None where it is none."""
    numbers = [int(one) for one in re.split("[-,]", value) if one.isdecimal() and len(one) < 5]
    good = bool(numbers) and all(0 <= one < 24 * 60 for one in numbers)
    match what:
        case "language" if value in LANGUAGES:
            return SetSettings(ChatSettings(language=value))
        case "zone" if value in available_timezones():
            return SetSettings(ChatSettings(zone=value))
        case "quiet" if good and len(numbers) == 2:
            return SetSettings(ChatSettings(quiet=(numbers[0], numbers[1])))
        case "digest" if good and len(numbers) <= MAX_DIGESTS:
            return SetSettings(ChatSettings(digest_at=tuple(sorted(set(numbers)))))
        case "waiting" if value.isdecimal() and int(value) in _WAITING:
            return SetSettings(ChatSettings(digest_from=int(value)))
        case "stories" if value in set(Grouping):
            return SetGrouping(Grouping(value))
        case _:
            return None


def _written(what: str, text: str) -> SetSettings | None:
    """The change that somebody wrote; None where it cannot be read."""
    if what == "quiet":
        span = parse_time_span(text)
        return (
            SetSettings(ChatSettings(quiet=span)) if span and span[0] != span[1] else None
        )  # 0:00-24:00 is not meant for none
    times = parse_times(text)
    return SetSettings(ChatSettings(digest_at=times)) if times else None


def zones(text: str, language: str = "en") -> list[str]:
    """The time zones that a name may mean, the likeliest first; those of a city by its English name, or by its name in the language."""
    name = text.strip().replace(" ", "_")
    try:
        if name and "/" not in name[:1] and ZoneInfo(name).key in available_timezones():
            return [name]
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    wanted = fold(name)
    if not wanted:
        return []
    if wanted in _KYIV:
        return ["Europe/Kyiv"]
    every = sorted(
        one
        for one in available_timezones()
        if not one.startswith(("Etc/", "posix", "right", "SystemV"))
    )
    found = _meant(wanted, every, {one: fold(one.rpartition("/")[2]) for one in every})
    if found or language == "en":
        return found
    answered = {
        one: fold(get_timezone_location(one, locale=language, return_city=True).replace(" ", "_"))
        for one in every
        if "/" in one
    }
    return _meant(wanted, list(answered), answered)


def _meant(wanted: str, every: list[str], cities: Mapping[str, str]) -> list[str]:
    whole = [one for one in every if fold(one) == wanted]
    exact = [one for one, city in cities.items() if city == wanted]
    if whole or exact:
        return whole or exact[:1]
    return (
        [one for one, city in cities.items() if city.startswith(wanted)] if len(wanted) > 2 else []
    )


def quiet_text(quiet: tuple[int, int] | None, translator: Translator) -> str:
    """`23:00–07:00`, or that there are none."""
    if quiet is None or quiet[0] == quiet[1]:
        return translator.gettext("none")
    return f"{clock_text(quiet[0])}–{clock_text(quiet[1])}"


def digest_text(settings: ChatSettings, translator: Translator) -> str:
    """When digests come."""
    text = ", ".join(
        clock_text(one) for one in (DIGEST_AT if settings.digest_at is None else settings.digest_at)
    )
    if settings.digest_from:
        text += ", " + translator.gettext(
            "or once {number} stories wait", number=settings.digest_from
        )
    return text


def level_name(level: Grouping, translator: Translator) -> str:
    """As people read it."""
    match level:
        case Grouping.STRICT:
            return translator.gettext("strict")
        case Grouping.NORMAL:
            return translator.gettext("normal")
        case Grouping.LOOSE:
            return translator.gettext("loose")


def level_text(translator: Translator, chosen: Grouping | None) -> str:
    """What the levels mean, or that one was chosen."""
    if chosen:
        return translator.gettext(
            "Story grouping here is now: {level}. What it means: /stories",
            level=level_name(chosen, translator),
        )
    return "\n".join(
        (
            translator.gettext("How widely related articles are grouped into one alert."),
            translator.gettext("strict: only near-certain matches; an event may alert you twice"),
            translator.gettext("normal: articles about the same event"),
            translator.gettext("loose: the whole running story in one message"),
        )
    )


def stories(context: Context, rest: str, now: Grouping) -> Reply:
    """The command /stories."""
    translator, word = context.translator, rest.lower()
    if word not in set(Grouping):
        changes = translator.gettext(
            "Here: {level}. To change it: /stories strict, /stories normal or /stories loose",
            level=level_name(now, translator),
        )
        return say(f"{level_text(translator, None)}\n\n{changes}")
    if not context.may_change:
        return say(translator.gettext("Only administrators of this chat can change its alerts."))
    if context.chat.grouping:
        return say(
            translator.gettext(
                "Set to {level} for this chat in feeds.yaml; edit it there.",
                level=context.chat.grouping.value,
            )
        )
    return Reply(Message(level_text(translator, Grouping(word))), (SetGrouping(Grouping(word)),))
