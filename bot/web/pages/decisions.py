"""What a signed link lets people decide about its story, where their chat has no buttons.

Whoever has the link is somebody of the chat to which it was sent. Chats of Telegram have buttons
and commands, which ask who presses them; there the link only shows.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.i18n.catalog import Translator
from bot.model.alerts import AlertedStory, Stance
from bot.model.chat_events import AssignStory, SetStance
from bot.model.chats import Chat, ChatKind
from bot.text.clean import cut, plain
from bot.web.blocks import Block, Field, Form, Page, Section, Text, paragraph

NAME_LENGTH = 60  #: code points of the name of who takes a story
_STANCES: Mapping[str, Stance | None] = {
    "mute": Stance.MUTE,
    "follow": Stance.FOLLOW,
    "normal": None,
}


def decides(chat: Chat) -> bool:
    """Whether links decide anything for the chat."""
    return chat.kind is not ChatKind.TELEGRAM


def decision(
    chat: Chat, alert: AlertedStory | None, form: Mapping[str, str]
) -> SetStance | AssignStory | None:
    """Return what a form wants; None where it is not for this chat, or nothing that there is."""
    if alert is None or not decides(chat):
        return None
    do = form.get("do", "")
    if do in _STANCES:
        return SetStance(alert.storyline_id, _STANCES[do])
    if alert.message_id is None:
        return None
    name = cut(plain(form.get("name", "")).strip(), NAME_LENGTH)
    if do == "take" and name:
        return AssignStory(alert.message_id, name)
    return AssignStory(alert.message_id, "") if do == "release" else None


def with_decisions(
    page: Page, chat: Chat, alert: AlertedStory | None, action: str, translator: Translator
) -> Page:
    """Return the page with what can be decided, where something can."""
    if alert is None or not decides(chat):
        return page
    blocks: list[Block] = []
    match alert.stance:
        case Stance.MUTE:
            text = translator.gettext("This storyline is muted.")
            choices = [("normal", translator.gettext("Unmute"))]
        case Stance.FOLLOW:
            text = translator.gettext("This storyline is followed.")
            choices = [("normal", translator.gettext("Stop following"))]
        case _:
            text = ""
            choices = [
                ("mute", translator.gettext("Mute")),
                ("follow", translator.gettext("Follow")),
            ]
    if text:
        blocks.append(paragraph(text))
    blocks += [_form(action, do, label) for do, label in choices]
    if alert.taken_by:
        name = plain(alert.taken_by)
        blocks.append(paragraph(translator.gettext("{name} is on it", name=name)))
        blocks.append(_form(action, "release", translator.gettext("Release")))
    else:
        field = Field("name", translator.gettext("Your name"))
        blocks.append(_form(action, "take", translator.gettext("I'm on it"), field))
    heading = Text(translator.gettext("For {chat}", chat=plain(chat.name)))
    return replace(page, sections=(*page.sections, Section(heading, tuple(blocks))))


def _form(action: str, do: str, submit: str, *fields: Field) -> Form:
    hidden = Field("do", "", do, hidden=True)
    return Form(action, submit, (hidden, *fields), post=True, label=submit)
