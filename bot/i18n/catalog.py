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

LANGUAGES = {
    "en": "English",
    "ar": "العربية",
    "de": "Deutsch",
    "es": "Español",
    "ru": "Русский",
    "uk": "Українська",
}  #: by code, in themselves


@dataclass(frozen=True, slots=True)
class Catalog:
    """The texts of one language."""

    language: str = "en"
    translations: NullTranslations = field(
        default_factory=NullTranslations, repr=False, compare=False
    )


@dataclass(frozen=True, slots=True)
class Translator:
    """A language and a time zone."""

    zone: tzinfo = UTC
    catalog: Catalog = Catalog()

    def gettext(self, text: str, /, **values: object) -> str:
        """Return the text in the chat's language, with values in place of `{name}`."""
        translation = self.catalog.translations.gettext(text)
        return translation.format(**values) if values else translation

    def ngettext(self, singular: str, plural: str, number: int, /, **values: object) -> str:
        """Return the form of the text for a number, which is `{number}` in it."""
        return self.catalog.translations.ngettext(singular, plural, number).format(
            number=number, **values
        )

    def time(self, moment: datetime, now: datetime) -> str:
        """Return a moment in the chat's zone: `14:05` today, `21 Nov 14:05`, or with the year."""
        local, today = moment.astimezone(self.zone), now.astimezone(self.zone)
        clock = f"{local:%H:%M}"
        if local.date() == today.date():
            return clock
        if self.catalog.language == "en":
            return (
                f"{local.day} {local:%b} {clock}"
                if local.year == today.year
                else f"{local.day} {local:%b %Y} {clock}"
            )
        from babel.dates import format_skeleton  # noqa: PLC0415 (English needs no Babel)

        pattern = "dMMM" if local.year == today.year else "yMMMd"
        language = self.catalog.language
        day = format_skeleton(pattern, local, tzinfo=self.zone, locale=language)
        return f"{day} {clock}"

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
        """Return a day of the week with its date: `Mon 23`."""
        if self.catalog.language == "en":
            return f"{day:%a %d}"
        from babel.dates import format_date  # noqa: PLC0415 (English needs no Babel)

        return format_date(day, "EEE dd", locale=self.catalog.language)


ENGLISH = Translator()  #: as the command line speaks


def zone_name(zone: tzinfo) -> str:
    """Return what people call a time zone: `Etc/GMT-2` lies two hours before Greenwich."""
    name = str(zone)
    sign, hours = name[7:8], name[8:]
    if not name.startswith("Etc/GMT") or not sign or not hours:
        return name
    return f"UTC{'+' if sign == '-' else '-'}{hours}"


def clock_text(minutes: int) -> str:
    """Return minutes of the day as `23:00`."""
    return f"{time(minutes // 60 % 24, minutes % 60):%H:%M}"


class Catalogs:
    """Reads each language once, on first use."""

    def __init__(self) -> None:
        self._read = {"en": Catalog()}

    def of(self, language: str) -> Catalog:
        """Return the catalog of a language; English where there is none."""
        if language not in LANGUAGES:
            language = "en"
        if language not in self._read:
            self._read[language] = Catalog(language, _translations(language))
        return self._read[language]


def _translations(language: str) -> GNUTranslations:
    from babel.messages.mofile import write_mo  # noqa: PLC0415 (English needs no Babel)
    from babel.messages.pofile import read_po  # noqa: PLC0415 (likewise)

    compiled = BytesIO()
    with files("bot.i18n").joinpath("locale", f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
