"""What could not be delivered, and what waits; for operators."""

from bot.model.delivery import OutboxRow
from bot.text.clean import cut, plain
from bot.web.blocks import Block, Page, Section, Table, Text, Tone, paragraph
from bot.web.services import WebServices
from bot.web.visit import Visit

_SHOWN = 200  # messages


async def outbox_page(visit: Visit, services: WebServices) -> Page:
    """Return the page. Raises StoreError."""
    translator = visit.translator
    rows = await services.admin.dead()
    title = Text(translator.gettext("Undelivered"))
    if not rows:
        none = translator.gettext("No undeliverable messages.")
        return Page(title, (paragraph(none, tone=Tone.GOOD),))
    columns = (
        translator.gettext("Chat"),
        translator.gettext("Message"),
        translator.gettext("State"),
        translator.gettext("Since"),
        translator.gettext("Tries"),
        translator.gettext("Reason"),
    )
    heading = translator.ngettext(
        "{number} undeliverable message", "{number} undeliverable messages", len(rows)
    )
    table: Block = Table(
        heading, columns, tuple(_row(row, visit) for row in rows[:_SHOWN]), is_headed=True
    )
    hint = translator.gettext("To send them again: {command}", command="newsbell outbox retry")
    return Page(title, (), (Section(Text(heading), (table, paragraph(hint))),))


def _row(row: OutboxRow, visit: Visit) -> tuple[Text, ...]:
    return (
        Text(cut(plain(row.chat), 80), foreign=True),
        Text(cut(plain(row.title), 120), foreign=True),
        Text(row.state.value, code=True),
        visit.time(row.created_at),
        Text(str(row.attempts)),
        Text(plain(row.error), foreign=True),
    )
