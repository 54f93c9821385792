"""What people read of the ways to hear what became of articles. Not the choice (`settings`)."""

from bot.i18n.catalog import Translator
from bot.model.abilities import ABILITIES
from bot.model.chats import Chat, Updates


def updates_name(choice: Updates | None, chat: Chat, translator: Translator) -> str:
    """Return the display name of a way to hear of updates; None: the usual one of the chat."""
    match choice or (Updates.EDIT if ABILITIES[chat.kind].edits else Updates.NOTE):
        case Updates.NOTE:
            return translator.gettext("silent reply")
        case Updates.ALERT:
            return translator.gettext("reply with sound")
        case Updates.EDIT:
            return translator.gettext("in the alert only")


def updates_text(translator: Translator) -> str:
    """Return what the ways to hear of updates mean."""
    return "\n".join(
        (
            translator.gettext(
                "How you hear that an article you were alerted to was withdrawn or corrected, or "
                "that a status page has an update."
            ),
            translator.gettext("silent reply: below the alert, without a sound"),
            translator.gettext("reply with sound: as urgent as the alert"),
            translator.gettext("in the alert only: the alert's message changes"),
        )
    )
