"""A text that is stored before anybody knows who reads it: each reader gets it in their language.

It holds the English text, by which translations are looked up, and its values, which may be
phrases themselves. Reads no translations; a `Translator` does.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.i18n.catalog import ENGLISH, Translator


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text with its values, or several of them one after the other."""

    text: str = ""  #: English
    values: "tuple[tuple[str, str | int | Phrase], ...]" = ()
    plural: str = ""  #: English, for other numbers than 1
    number: int = 0  #: `{number}` of a text with a plural
    english: str = ""  #: what is read in English instead: a sentence with more detail
    parts: "tuple[Phrase, ...]" = ()  #: instead of a text
    separator: str = ""  #: between the parts

    def __str__(self) -> str:
        """Return the text in English."""
        return self.read(ENGLISH)

    def read(self, translator: Translator) -> str:
        """Return the text in a language."""
        if self.parts:
            return self.separator.join(part.read(translator) for part in self.parts)
        if self.english and translator.catalog.language == "en":
            return self.english
        values = {
            name: value.read(translator) if isinstance(value, Phrase) else value
            for name, value in self.values
        }
        if self.plural:
            return translator.ngettext(self.text, self.plural, self.number, **values)
        return translator.gettext(self.text, **values) if self.text else self.english

    def dumped(self) -> str:
        """Return the phrase as it is stored."""
        return json.dumps(_record(self), ensure_ascii=False)


def gettext_noop(text: str) -> str:
    """Return the text: it is translated where it is read."""
    return text


def phrase(text: str, /, **values: str | int | Phrase) -> Phrase:
    """Return a text, with values in place of `{name}`."""
    return Phrase(text, tuple(values.items()))


def counted_phrase(
    singular: str, plural: str, number: int, /, **values: str | int | Phrase
) -> Phrase:
    """Return the form of a text for a number, which is `{number}` in it."""
    return Phrase(singular, tuple(values.items()), plural, number)


def verbatim(text: str) -> Phrase:
    """Return what is the same in all languages: a name, an address, another's words."""
    return Phrase(english=text)


def joined(separator: str, *parts: Phrase) -> Phrase:
    """Return phrases one after the other."""
    return Phrase(parts=parts, separator=separator)


def span_phrase(span: timedelta) -> Phrase:
    """Return a span in its largest unit that fits twice, as in "90 minutes"."""
    seconds = span.total_seconds()
    if seconds >= 2 * 365.25 * 86400:
        return counted_phrase("{number} year", "{number} years", round(seconds / 365.25 / 86400))
    if seconds >= 2 * 86400:
        return counted_phrase("{number} day", "{number} days", round(seconds / 86400))
    if seconds >= 2 * 3600:
        return counted_phrase("{number} hour", "{number} hours", round(seconds / 3600))
    if seconds >= 120:
        return counted_phrase("{number} minute", "{number} minutes", round(seconds / 60))
    return counted_phrase("{number} second", "{number} seconds", round(seconds))


def load_phrase(text: str) -> Phrase | None:
    """Return a stored phrase; None where there is none, or it cannot be read."""
    try:
        return _phrase(json.loads(text)) if text else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _record(phrase: Phrase) -> dict[str, Any]:
    values = {
        name: _record(value) if isinstance(value, Phrase) else value
        for name, value in phrase.values
    }
    record = {
        "text": phrase.text,
        "values": values,
        "plural": phrase.plural,
        "number": phrase.number,
        "english": phrase.english,
        "parts": [_record(part) for part in phrase.parts],
        "separator": phrase.separator,
    }
    return {key: value for key, value in record.items() if value}


def _phrase(record: Mapping[str, Any]) -> Phrase:
    values = (
        (name, _phrase(value) if isinstance(value, dict) else value)
        for name, value in record.get("values", {}).items()
    )
    return Phrase(
        str(record.get("text", "")),
        tuple(values),
        str(record.get("plural", "")),
        int(record.get("number", 0)),
        str(record.get("english", "")),
        tuple(_phrase(part) for part in record.get("parts", ())),
        str(record.get("separator", "")),
    )
