"""The language and the time zone of a chat, as a value that is handed down.

Texts are looked up by their English form (gettext). They are literals in calls of `gettext` and
`ngettext`, where the extraction finds them; values go in by name, so that a translation may put
them in another order. Reads the translations of `locale`, nothing else.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {
    "en": "English",
    "ar": "العربية",
    "de": "Deutsch",
    "es": "Español",
    "ru": "Русский",
    "uk": "Українська",
}  #: by code, in themselves
_RTL = {"ar", "fa", "he", "ur"}


@dataclass(frozen=True, slots=True)
class Catalog:
    """The texts of one language."""

    language: str = "en"
    translations: NullTranslations = field(
        default_factory=NullTranslations, repr=False, compare=False
    )

    @property
    def rtl(self) -> bool:
        """Whether the language is written from right to left."""
        return self.language in _RTL


@dataclass(frozen=True, slots=True)
class Translator:
    """A language and a time zone."""

    zone: tzinfo = UTC
    catalog: Catalog = Catalog()

    def gettext(self, text: str, /, **values: object) -> str:
        """The text in the chat's language, with its values in place of `{name}`."""
        said = self.catalog.translations.gettext(text)
        return said.format(**values) if values else said

    def ngettext(self, singular: str, plural: str, number: int, /, **values: object) -> str:
        """The form of the text that goes with a number, which stands in it as `{number}`."""
        return self.catalog.translations.ngettext(singular, plural, number).format(
            number=number, **values
        )

    def time(self, moment: datetime, now: datetime) -> str:
        """Return `14:05` for today in the chat's zone, else `21 Nov 14:05`, else with the year.

        Months have the names of the language.
        """
        here, today = moment.astimezone(self.zone), now.astimezone(self.zone)
        clock = f"{here:%H:%M}"
        if here.date() == today.date():
            return clock
        if self.catalog.language == "en":
            return (
                f"{here.day} {here:%b} {clock}"
                if here.year == today.year
                else f"{here.day} {here:%b %Y} {clock}"
            )
        pattern = "dMMM" if here.year == today.year else "yMMMd"
        return f"{format_skeleton(pattern, here, tzinfo=self.zone, locale=self._locale)} {clock}"

    def duration(self, span: timedelta) -> str:
        """Return a duration in at most two units: `40 s`, `7 min`, `3 h`, `3 h 5 min`."""
        seconds = round(span.total_seconds())
        if seconds < 60:
            return self.ngettext("{number} s", "{number} s", seconds)
        hours, minutes = divmod(round(seconds / 60), 60)
        parts = [self.ngettext("{number} h", "{number} h", hours)] if hours else []
        if minutes or not hours:
            parts.append(self.ngettext("{number} min", "{number} min", minutes))
        return " ".join(parts)

    def weekday(self, day: date) -> str:
        """A day of the week with its date: `Mon 23`."""
        return (
            f"{day:%a %d}"
            if self.catalog.language == "en"
            else format_date(day, "EEE dd", locale=self._locale)
        )

    @property
    def _locale(self) -> Locale:
        return Locale.parse(self.catalog.language)


ENGLISH = Translator()  #: as the command line speaks


def clock_text(minutes: int) -> str:
    """Minutes of the day as `23:00`."""
    return f"{time(minutes // 60 % 24, minutes % 60):%H:%M}"


class Catalogs:
    """Reads each language once, when it is first asked for."""

    def __init__(self) -> None:
        self._read = {"en": Catalog()}

    def of(self, language: str) -> Catalog:
        """The catalog of a language; the English one where there is no such."""
        if language not in LANGUAGES:
            language = "en"
        if language not in self._read:
            self._read[language] = Catalog(language, _translations(language))
        return self._read[language]


def _translations(language: str) -> GNUTranslations:
    compiled = BytesIO()
    with files("bot.i18n").joinpath("locale", f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
