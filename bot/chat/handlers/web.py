"""The command /web: a link by which a person opens the web page, once. Not the page itself."""

import secrets
from collections.abc import Callable

from bot.chat.access import ChatType
from bot.chat.context import Context, text_reply
from bot.chat.services import ChatConfig
from bot.model.chat_events import Reply, ShowChatOnWeb, StoreWebLink
from bot.model.message import Message

LINK_MINUTES = 10  #: for how long a link to the web page can be opened


class WebLinks:
    """The command /web."""

    def __init__(self, config: Callable[[], ChatConfig]) -> None:
        self._config = config

    async def link(self, context: Context, _argument: str) -> Reply:
        """/web: send a link that works once; in a group, show that on the person's page, too."""
        translator, address = context.translator, self._config().web
        if context.chat_type is ChatType.CHANNEL or not context.update.user_id:
            return text_reply(translator.gettext("This works only in a private chat with me."))
        if not address:
            return text_reply(
                translator.gettext(
                    "There is no web page. Operators switch it on in feeds.yaml: {key}",
                    key="settings.web.listen",
                )
            )
        if not context.update.private:
            text = translator.gettext(
                "You see this chat on your web page now, as long as you are in it. For a link, "
                "send /web to me in our private chat."
            )
            return Reply(Message(text), (ShowChatOnWeb(),))
        word = secrets.token_hex(24)
        lead = translator.gettext(
            "Open the web page with this link. It works once, within {number} minutes; pass it on "
            "to nobody:",
            number=LINK_MINUTES,
        )
        message = Message(f"{lead}\n{address}/login/{word}")
        return Reply(message, (StoreWebLink(word, LINK_MINUTES),))
