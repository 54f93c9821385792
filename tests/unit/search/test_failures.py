"""What a chat reads of a feed that could not be read."""

import pytest

from bot.i18n.catalog import Catalogs, Translator
from bot.model.feeds import Failure
from bot.search.failures import describe_failure

GERMAN = Translator(catalog=Catalogs().of("de"))


@pytest.mark.parametrize("failure", Failure)
def test_each_failure_has_a_sentence_in_another_language(failure: Failure) -> None:
    stored = "The stored sentence."

    assert describe_failure(failure, stored, GERMAN) != stored
    assert describe_failure(failure, stored, GERMAN).endswith((".", ")."))


def test_in_english_the_stored_sentence_is_shown() -> None:
    assert describe_failure(Failure.HTTP, "Status 418.") == "Status 418."


def test_a_text_without_a_kind_is_shown_as_it_is() -> None:
    assert describe_failure(None, "Status 418.", GERMAN) == "Status 418."
