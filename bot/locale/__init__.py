"""The languages that newsbell speaks, read from the `.po` files beside this module. Says nothing itself.

The files are compiled when they are read, so that no second, binary form of them can be stale.
"""

from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.text.catalog import LANGUAGES, Catalog


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
    with files(__package__).joinpath(f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
