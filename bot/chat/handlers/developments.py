"""What people read of the ways to hear of developments. Not the choice itself (`settings`)."""

from bot.i18n.catalog import Translator
from bot.model.chats import Developments


def developments_name(choice: Developments, translator: Translator) -> str:
    """Return the display name of a way to hear of developments."""
    match choice:
        case Developments.NOTE:
            return translator.gettext("silent reply")
        case Developments.ALERT:
            return translator.gettext("new alert")
        case Developments.EDIT:
            return translator.gettext("in the alert only")


def developments_text(translator: Translator) -> str:
    """Return what the ways to hear of developments mean."""
    return "\n".join(
        (
            translator.gettext("How you hear of something new in a story you were alerted to."),
            translator.gettext("silent reply: one line below the alert, without a sound"),
            translator.gettext("new alert: an alert of its own, with a sound"),
            translator.gettext("in the alert only: the alert's message changes"),
        )
    )
