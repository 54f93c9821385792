"""How a chat is spoken to and when: language, time zone, quiet hours, digests, how much one alert is for. What the file says stays as it is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel.dates import get_timezone_location

from bot.alerts.quiet_hours import DIGEST_AT
from bot.chat.access import Deed
from bot.chat.context import Still, Turn, in_rows, say, show
from bot.i18n.catalog import LANGUAGES, Voice, clock_text
from bot.model.chat_events import Change, Said, Screen, SetGrouping, SetSettings
from bot.model.chats import ChatSettings
from bot.model.message import Button, Message
from bot.model.stories import Grouping
from bot.text.fold import fold
from bot.text.times import MOST_DIGESTS, minutes_between, times_in

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


class Settings(Still):
    """The commands /settings and /language."""

    def __init__(
        self, grouping: Callable[[int], Grouping], voice: Callable[[ChatSettings], Voice]
    ) -> None:
        self._grouping, self._voice = grouping, voice

    def deed(self, screen: Screen, word: str) -> Deed:  # noqa: ARG002 (all of it is the same)
        """All of it changes the chat."""
        return Deed.CHANGE

    async def command(self, turn: Turn, name: str, rest: str) -> Said:
        """The overview, or the languages; /language CODE chooses at once."""
        screen = Screen("settings")
        if name == "/language" and rest.lower() in LANGUAGES:
            return self._set(
                turn, screen, SetSettings(ChatSettings(language=rest.lower())), "language"
            )
        return (
            self._asked(turn, screen, "language")
            if name == "/language"
            else self._overview(turn, screen)
        )

    def _overview(self, turn: Turn, screen: Screen, *, edit: bool = False) -> Said:
        voice, chat = turn.voice, turn.chat
        settings = chat.settings
        lines = [
            voice.say("Language: {language}", language=LANGUAGES[voice.catalog.language]),
            voice.say("Time zone: {zone}", zone=str(voice.zone)),
            voice.say("Quiet hours: {hours}", hours=quiet_text(settings.quiet, voice)),
            voice.say("Digest: {times}", times=digest_text(settings, voice)),
            voice.say(
                "One alert is for: {level}", level=level_name(self._grouping(chat.id), voice)
            ),
        ]
        if chat.fixed or chat.grouping:
            lines.append("\n" + voice.say("What feeds.yaml says of this chat is changed there."))
        buttons = [
            Button(voice.say("Language"), "language"),
            Button(voice.say("Time zone"), "zone"),
            Button(voice.say("Quiet hours"), "quiet"),
            Button(voice.say("Digest"), "digest"),
            Button(voice.say("Stories"), "stories"),
        ]
        return show(
            Message("\n".join(lines)),
            replace(screen, values={}, expects=""),
            *in_rows(buttons, 2),
            edit=edit,
        )

    async def pressed(self, turn: Turn, screen: Screen, word: str) -> Said:
        """Choose what to change, or change it."""
        what, _, value = word.partition(" ")
        if what == "back":
            return self._overview(turn, screen, edit=True)
        if what not in {*_WORDS, "stories"}:
            return Said(toast=turn.voice.say("I do not know this button any more."))
        fixed = (
            turn.chat.grouping is not None if what == "stories" else _WORDS[what] in turn.chat.fixed
        )
        if fixed:
            return Said(toast=turn.voice.say("feeds.yaml says so for this chat: change it there."))
        if not value:
            return self._asked(turn, screen, what, edit=True)
        change = _chosen(what, value)
        if change is None:
            return Said(toast=turn.voice.say("I do not know this button any more."))
        return self._set(turn, screen, change, what, edit=True)

    def _set(
        self,
        turn: Turn,
        screen: Screen,
        change: SetSettings | SetGrouping,
        what: str,
        *,
        edit: bool = False,
    ) -> Said:
        """Change it, and show the overview as it is then."""
        if what != "stories" and _WORDS[what] in turn.chat.fixed:
            return say(turn.voice.say("feeds.yaml says so for this chat: change it there."))
        changes: tuple[Change, ...] = (change,)
        after = turn
        if isinstance(change, SetSettings):
            chat = replace(turn.chat, settings=change.settings.over(turn.chat.settings))
            after = replace(turn, chat=chat, voice=self._voice(chat.settings))
            said = self._overview(after, screen, edit=edit)
        else:
            said = show(
                Message(level_text(turn.voice, change.grouping)),
                replace(screen, expects=""),
                [_back(turn)],
                edit=edit,
            )
        return replace(said, changes=changes, toast=after.voice.say("Changed.") if edit else "")

    def _asked(self, turn: Turn, screen: Screen, what: str, *, edit: bool = False) -> Said:
        """What one thing may be."""
        voice = turn.voice
        match what:
            case "language":
                text, rows = (
                    "🌐",
                    in_rows(
                        (Button(name, f"language {code}") for code, name in LANGUAGES.items()), 2
                    ),
                )
            case "zone":
                text = voice.say(
                    "Write your city or time zone, for example: Kyiv, Berlin, America/Bogota, UTC."
                )
                text += "\n" + voice.say(
                    "It is {time} in {zone} now.",
                    time=f"{turn.now.astimezone(voice.zone):%H:%M}",
                    zone=str(voice.zone),
                )
                rows = []
            case "quiet":
                text = voice.say(
                    "In quiet hours only what is breaking rings; the rest comes as one message at their end. "
                    "Choose, or write them, for example: 23:30-06:45."
                )
                choices = [
                    Button(f"{clock_text(60 * a)}–{clock_text(60 * b)}", f"quiet {60 * a}-{60 * b}")
                    for a, b in _QUIET
                ]
                rows = [choices, [Button(voice.say("No quiet hours"), "quiet 0-0")]]
            case "digest":
                text = voice.say(
                    "Subscriptions with the urgency “digest” come together at these times. Choose, or write up to six, for example: 7:30 19:00."
                )
                choices = [
                    Button(
                        ", ".join(clock_text(60 * one) for one in times),
                        f"digest {','.join(str(60 * one) for one in times)}",
                    )
                    for times in _DIGESTS
                ]
                rows = [choices, [Button(voice.say("By number"), "waiting")]]
            case "waiting":
                text = voice.say("A digest comes before its time when so many stories wait:")
                rows = [
                    [
                        Button(str(one) if one else voice.say("never"), f"waiting {one}")
                        for one in _WAITING
                    ]
                ]
            case _:
                text = level_text(voice, None)
                rows = [
                    [Button(level_name(one, voice), f"stories {one.value}") for one in Grouping]
                ]
        expects = what if what in {"zone", "quiet", "digest"} else ""
        return show(
            Message(text),
            replace(screen, values={"what": what}, expects=expects),
            *rows,
            [_back(turn)],
            edit=edit,
        )

    async def told(self, turn: Turn, screen: Screen, text: str) -> Said:
        """A time zone, quiet hours or times of digests, as people write them."""
        what, voice = screen.expects, turn.voice
        fresh = replace(screen, id=0)
        if what == "zone":
            found = zones(text, voice.catalog.language)
            if len(found) == 1:
                return self._set(turn, fresh, SetSettings(ChatSettings(zone=found[0])), what)
            if not found:
                return say(
                    voice.say(
                        "I know no such city. Write a larger one of the same time zone, or a name such as Europe/Kyiv."
                    )
                )
            rows = in_rows((Button(one, f"zone {one}") for one in found[:10]), 2)
            return show(
                Message(voice.say("Which one?")),
                replace(fresh, expects="zone"),
                *rows,
                [_back(turn)],
            )
        change = _written(what, text)
        if change is None:
            example = "23:30-06:45" if what == "quiet" else "7:30 19:00"
            return say(
                voice.say("I cannot read that. Write it like this: {example}", example=example)
            )
        return self._set(turn, fresh, change, what)


def _back(turn: Turn) -> Button:
    return Button("‹ " + turn.voice.say("Back"), "back")


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
        case "digest" if good and len(numbers) <= MOST_DIGESTS:
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
        span = minutes_between(text)
        return (
            SetSettings(ChatSettings(quiet=span)) if span and span[0] != span[1] else None
        )  # 0:00-24:00 is not meant for none
    times = times_in(text)
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
    told = {
        one: fold(get_timezone_location(one, locale=language, return_city=True).replace(" ", "_"))
        for one in every
        if "/" in one
    }
    return _meant(wanted, list(told), told)


def _meant(wanted: str, every: list[str], cities: Mapping[str, str]) -> list[str]:
    whole = [one for one in every if fold(one) == wanted]
    exact = [one for one, city in cities.items() if city == wanted]
    if whole or exact:
        return whole or exact[:1]
    return (
        [one for one, city in cities.items() if city.startswith(wanted)] if len(wanted) > 2 else []
    )


def quiet_text(quiet: tuple[int, int] | None, voice: Voice) -> str:
    """`23:00–07:00`, or that there are none."""
    if quiet is None or quiet[0] == quiet[1]:
        return voice.say("none")
    return f"{clock_text(quiet[0])}–{clock_text(quiet[1])}"


def digest_text(settings: ChatSettings, voice: Voice) -> str:
    """When digests come."""
    text = ", ".join(
        clock_text(one) for one in (DIGEST_AT if settings.digest_at is None else settings.digest_at)
    )
    if settings.digest_from:
        text += ", " + voice.say("or when {number} stories wait", number=settings.digest_from)
    return text


def level_name(level: Grouping, voice: Voice) -> str:
    """As people read it."""
    match level:
        case Grouping.STRICT:
            return voice.say("strict")
        case Grouping.NORMAL:
            return voice.say("normal")
        case Grouping.LOOSE:
            return voice.say("loose")


def level_text(voice: Voice, chosen: Grouping | None) -> str:
    """What the levels mean, or that one was chosen."""
    if chosen:
        return voice.say(
            "From now on one alert here is for one story, {level}. /stories explains.",
            level=level_name(chosen, voice),
        )
    return "\n".join(
        (
            voice.say("One alert is for one story; this says how much that is."),
            voice.say(
                "strict - only what surely tells of the same occurrence; you may be rung twice for one"
            ),
            voice.say("normal - what tells of the same occurrence"),
            voice.say(
                "loose - running coverage as a whole: announcement, reactions and follow-ups change one message"
            ),
        )
    )


def stories(turn: Turn, rest: str, now: Grouping) -> Said:
    """The command /stories."""
    voice, word = turn.voice, rest.lower()
    if word not in set(Grouping):
        changes = voice.say(
            "It is {level} here. /stories strict, /stories normal or /stories loose changes it.",
            level=level_name(now, voice),
        )
        return say(f"{level_text(voice, None)}\n\n{changes}")
    if not turn.may_change:
        return say(voice.say("Only administrators of this chat can change what rings here."))
    if turn.chat.grouping:
        return say(
            voice.say(
                "feeds.yaml says {level} for this chat: change it there.",
                level=turn.chat.grouping.value,
            )
        )
    return Said(Message(level_text(voice, Grouping(word))), (SetGrouping(Grouping(word)),))
