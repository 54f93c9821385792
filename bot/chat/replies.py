"""Sentences that several handlers say, and the display names of choices."""

from bot.chat.context import Context
from bot.i18n.catalog import Translator
from bot.model.chat_events import Reply


def archive_unavailable(translator: Translator) -> str:
    """Return that stored articles cannot be read now."""
    return translator.gettext("Cannot read the stored articles right now. Try again in a minute.")


def search_too_long(translator: Translator) -> str:
    """Return that a search of the stored articles was stopped."""
    return translator.gettext(
        "This search took too long and was stopped. Add a word that the articles must contain."
    )


def no_article(translator: Translator, days: int) -> str:
    """Return that nothing of the last days matches."""
    return translator.gettext("No article of the last {days} days matches.", days=days)


def list_changed(context: Context) -> Reply:
    """Return that the list on a screen is out of date."""
    return Reply(toast=context.translator.gettext("That list has changed. Open it again."))


def unknown_button(context: Context) -> Reply:
    """Return that a button cannot be used any longer."""
    return Reply(toast=context.translator.gettext("This button no longer works."))


def not_an_alert(context: Context) -> Reply:
    """Return that the message whose button was pressed is not an alert."""
    return Reply(toast=context.translator.gettext("That is not an alert, or it is too old."))
