"""The alerts of a chat, and their address for feed readers: made, renewed and revoked here."""

from bot.i18n.catalog import Translator
from bot.model.archive import ChatAlert
from bot.text.clean import cut, headline, plain
from bot.web.blocks import (
    Block,
    Facts,
    Field,
    Form,
    Item,
    Items,
    Page,
    Section,
    Text,
    Tone,
    line,
    outside,
    paragraph,
)
from bot.web.services import WebServices
from bot.web.visit import Visit

SHOWN = 50  #: alerts of the page and of a feed


async def alerts_page(visit: Visit, services: WebServices, word: str = "") -> Page:
    """Return the page; `word` is that of a feed made just now, which is shown once.

    Raises StoreError.
    """
    translator, chat = visit.translator, visit.chat
    title = Text(translator.gettext("Alerts"))
    if chat is None:
        choose = translator.gettext("Choose a chat above to see its alerts.")
        return Page(title, (paragraph(choose),))
    alerts = await services.search.alerts(chat.id, SHOWN)
    listed: Block = (
        Items(tuple(_item(alert, visit) for alert in alerts))
        if alerts
        else paragraph(translator.gettext("No alerts here yet."))
    )
    newest = Section(Text(translator.gettext("Newest alerts")), (listed,))
    if not visit.viewer.may_change(chat):
        return Page(title, (), (newest,))
    return Page(title, (), (await _feed(visit, services, chat.id, word), newest))


def _item(alert: ChatAlert, visit: Visit) -> Item:
    source = Text(cut(plain(alert.name), 80), outside(alert.link), foreign=True)
    names = [Text(plain(name), foreign=True) for name in alert.subscriptions]
    head = Text(headline(alert.title), visit.link(f"/story/{alert.entry_id}"), foreign=True)
    with_names = [piece for name in names for piece in ("·", name)]
    return Item(head, (line(source, "·", visit.time(alert.created_at), *with_names),))


async def _feed(visit: Visit, services: WebServices, chat_id: int, word: str) -> Section:
    translator = visit.translator
    heading = Text(translator.gettext("For feed readers"))
    blocks: list[Block] = []
    if word:
        note = translator.gettext(
            "Copy these addresses now: they are shown once. Who has one can read the alerts."
        )
        blocks += [
            paragraph(note, tone=Tone.WARN),
            Facts(
                tuple(
                    (name, line(Text(feed_address(services.public, word, kind), code=True)))
                    for name, kind in (("Atom", "atom"), ("JSON Feed", "json"))
                )
            ),
        ]
    made_at = await services.web.feed_made_at(chat_id)
    if made_at is None:
        blocks.append(
            paragraph(translator.gettext("These alerts have no address for feed readers yet."))
        )
        blocks.append(_form(visit, "make", translator.gettext("Make an address")))
        return Section(heading, tuple(blocks))
    if not word:
        made = translator.gettext("Their address was made")
        blocks.append(paragraph(made, visit.time(made_at)))
    blocks.append(_form(visit, "make", translator.gettext("Make another address")))
    blocks.append(_form(visit, "revoke", _revoke(translator), tone=Tone.BAD))
    return Section(heading, tuple(blocks))


def _revoke(translator: Translator) -> str:
    return translator.gettext("Revoke the address")


def _form(visit: Visit, do: str, submit: str, *, tone: Tone = Tone.PLAIN) -> Form:
    chat = str(visit.chat_id or "")
    fields = (Field("do", "", do, hidden=True), Field("chat", "", chat, hidden=True))
    return Form("/alerts", submit, fields, post=True, tone=tone)


def feed_address(public: str, word: str, kind: str) -> str:
    """Return the address of the alerts as a feed; `kind` is atom or json."""
    return f"{public}/out/{word}/alerts.{kind}"
