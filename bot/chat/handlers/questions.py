"""Ask for what a command came without, and take the next message as if it had stood there.

Knows no command's handler: the router leads an answer there.
"""

from collections.abc import Callable

from bot.chat.context import Context, show
from bot.i18n.catalog import Translator
from bot.model.chat_events import ExpectedInput, Reply, Screen
from bot.model.message import Message

SCREEN = "question"  #: the name of its screens
Question = Callable[[Translator], str]


def ask(context: Context, command: str, question: Question) -> Reply:
    """Return the question of a command."""
    screen = Screen(SCREEN, {"command": command}, ExpectedInput.ARGUMENT)
    return show(Message(question(context.translator)), screen)


def asked_command(screen: Screen) -> str:
    """Return the command that a screen asks for; empty where it is no question."""
    return str(screen.values.get("command", "")) if screen.name == SCREEN else ""


def query_question(translator: Translator) -> str:
    """Ask for a query."""
    return translator.gettext(
        "Send me the words to look for, for example: {example}",
        example='"air defence" AND (Syria OR Iraq)',
    )


def trend_question(translator: Translator) -> str:
    """Ask for the query of a chart."""
    return translator.gettext(
        "Send the words to count, and the number of days if you like, for example: {example}",
        example="Syria 30",
    )


def article_question(translator: Translator) -> str:
    """Ask for an article."""
    return translator.gettext(
        "Send the address or headline of an article, or reply to an alert with /why."
    )
