"""Turn a delivery into a message: text with entities, which fits Telegram's 4,096 characters.

Lengths count code points, as Telegram does. No I/O, no clock; language and time zone are an
argument.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.delivery.composer import Composer, fitting, linkable, units, without_links
from bot.i18n.catalog import Translator
from bot.model.abilities import ABILITIES
from bot.model.alerts import AlertView, BundleKind
from bot.model.chat_events import AlertAction
from bot.model.chats import ChatKind
from bot.model.delivery import Delivery, DeliveryKind
from bot.model.entries import Span, counts_from_sight
from bot.model.message import Button, Entity, Message
from bot.model.updates import ChangeKind, UpdateView
from bot.text.clean import HEADLINE_LENGTH, cut, headline
from bot.text.url import host
from bot.text.withdrawal import Withdrawal, withdrawal_of

NOTE_MARK = "↳"  #: before a development
_UPDATE_MARKS = {ChangeKind.WITHDRAWN: "⚠", ChangeKind.CORRECTED: "⚠", ChangeKind.PROGRESS: "↻"}
CAPTION = 1024  #: code points of the text under a file
SNIPPET = 300  #: code points of a snippet
SOURCE = 200  #: code points of the line with publisher, host and time
_LISTED = 25  # stories that a collapsed message names; the rest is counted
_LISTED_SOURCE = 60
_ALSO_NAME = 40
_HEADLINE = 2 * HEADLINE_LENGTH  # with what keeps parts of it from becoming links
_AROUND = 32  # bullet, line breaks, isolates and publishers of a listed story
_SAID = 8  # sign and isolates of what became of it
_LONGEST = 4096  # code points of a message of several stories, for the eyes of its readers
_TAIL = 60  # reserved for the count of the rest
_SENTENCE_ENDS = ".!?…:;,。！？"
_MARKS = 40  # matched spans that are marked in one text


def snippet(
    summary: str, spans: Sequence[Span], title: str = "", length: int = SNIPPET
) -> tuple[str, tuple[Span, ...]]:
    """At most `length` code points of the summary around the first match, and the spans within.

    What the headline says already is left out.
    """
    said = _said_by(title, summary)
    summary = summary[said:]
    inside = [
        replace(span, start=span.start - said, end=span.end - said)
        for span in spans
        if span.field == "summary" and 0 <= span.start - said < len(summary)
    ]
    if len(summary) <= length:
        return summary, tuple(inside)
    first = inside[0].start if inside else 0
    start = 0
    if first > length * 2 // 3:
        space = summary.find(" ", max(0, first - length // 3))
        start = space + 1 if 0 <= space < first else first
    lead = "…" if start else ""
    text = lead + cut(summary[start:], length - len(lead))
    shift = start - len(lead)
    end = len(text) - text.endswith("…")
    return text, tuple(
        Span("summary", span.start - shift, min(span.end - shift, end))
        for span in inside
        if start <= span.start < shift + end
    )


def excerpt(
    title: str, summary: str, spans: Sequence[Span], body: str = ""
) -> tuple[str, tuple[Span, ...]]:
    """Return what is shown below a headline: the text around the first match, and spans within.

    That is of the summary, unless a term stands in the body alone and none in the summary, or all
    that matched is where the headline is cut.
    """
    shown = headline(title)
    elsewhere = {span.term for span in spans if span.field != "body"}
    only = [replace(span, field="summary") for span in spans if span.term not in elsewhere]
    if body and only and not any(span.field == "summary" for span in spans):
        return snippet(body, only, shown)
    text, inside = snippet(summary, spans, shown)
    end = len(shown) - len("…") if shown != title else len(title)
    unseen = [replace(span, field="summary") for span in spans if span.field == "title"]
    if inside or not unseen or any(span.start < end for span in unseen):
        return text, inside
    return snippet(title, unseen)


def _said_by(title: str, summary: str) -> int:
    """How much of a summary is its headline: a post without one has its first words for it."""
    head = title.rstrip("…")
    if not head or not summary.startswith(head):
        return 0
    rest = summary[len(head) :]
    is_cut = head != title
    if not (is_cut or not rest or rest[0] in _SENTENCE_ENDS or head[-1] in _SENTENCE_ENDS):
        return 0
    return len(summary) - len(rest.lstrip(_SENTENCE_ENDS + " "))


def buttons(delivery: Delivery, translator: Translator) -> tuple[tuple[Button, ...], ...]:
    """The buttons below an alert of one story; in a group a person can claim it."""
    first = [
        Button(translator.gettext("Why"), AlertAction.WHY),
        Button(translator.gettext("Mute"), AlertAction.MUTE),
        Button(translator.gettext("Follow"), AlertAction.FOLLOW),
    ]
    second = [Button(translator.gettext("Not for me"), AlertAction.NOT_FOR_ME)]
    if delivery.chat.is_group:
        taken = delivery.alerts[0].taken_by
        second.append(
            Button(
                translator.gettext("Release") if taken else translator.gettext("I'm on it"),
                AlertAction.CLAIM,
            )
        )
    return (tuple(first), tuple(second))


def source_line(
    alert: AlertView, now: datetime, translator: Translator, length: int = SOURCE
) -> str:
    """Publisher, the link's host where it says more, and the local time.

    At most `length` code points.
    """
    publisher = alert.source or alert.feed
    if alert.agency:
        publisher = translator.gettext(
            "via {agency}: {publisher}", agency=alert.agency, publisher=publisher
        )
    site = host(alert.link)
    if counts_from_sight(alert.published, alert.first_seen_at):
        at = translator.gettext("seen {time}", time=_past(alert.first_seen_at, now, translator))
    else:
        at = _past(min(alert.published or now, alert.first_seen_at), now, translator)
    names = (
        [publisher] if not site or site.casefold() in publisher.casefold() else [publisher, site]
    )
    names = [name for name in names if name]
    free = length - len(at) - 3 * len(names)
    return " · ".join([*(fitting(name, free // len(names)) for name in names), at])


def _past(at: datetime, now: datetime, translator: Translator) -> str:
    """A time that is not after now: the clock may have been ahead when it was stored."""
    return translator.time(min(at, now), now)


def render(
    delivery: Delivery, now: datetime, translator: Translator, story_page: str = ""
) -> Message:
    """The message of a delivery, as it should read at this moment.

    `story_page`: address of the web page of its story, for a chat that cannot ask for it.
    """
    if delivery.kind in {DeliveryKind.NOTICE, DeliveryKind.REPLY} or not delivery.alerts:
        return _text(delivery, translator)
    if delivery.chat.settings.hide_names:
        alerts = tuple(replace(alert, subscriptions=()) for alert in delivery.alerts)
        delivery = replace(delivery, alerts=alerts)
    kind = delivery.chat.kind
    if delivery.kind is DeliveryKind.AGAIN:
        message = _again(delivery.alerts[0], now, translator, kind, repeat=delivery.repeat)
    elif len(delivery.alerts) == 1 and (update := delivery.alerts[0].update):
        message = _update(delivery.alerts[0], update, now, translator, repeat=delivery.repeat)
    elif delivery.silent and len(delivery.alerts) == 1:
        message = _note(delivery.alerts[0], now, translator, repeat=delivery.repeat)
    elif len(delivery.alerts) == 1:
        message = _single(delivery.alerts[0], now, translator, kind, repeat=delivery.repeat)
        if story_page:
            plainly = delivery.plain or not delivery.abilities.links
            told = _with_page(message, story_page, translator, plainly=plainly)
            message = told if len(told.text) <= delivery.abilities.length else message
    else:
        message = _collapsed(delivery, now, translator)
    if delivery.plain:
        links = [alert.link for alert in delivery.alerts[:10] if alert.link]
        length = delivery.abilities.length
        message = Message(cut("\n".join([message.text, *links]), length))
    with_buttons = (
        len(delivery.alerts) == 1
        and delivery.kind is not DeliveryKind.AGAIN
        and not delivery.silent
        and not any(alert.update for alert in delivery.alerts)
        and not delivery.chat.channel
        and delivery.abilities.buttons
    )
    return replace(message, buttons=buttons(delivery, translator)) if with_buttons else message


def _text(delivery: Delivery, translator: Translator) -> Message:
    """A notice or reply."""
    lead = f"({translator.gettext('repeat')}) " if delivery.repeat and delivery.text else ""
    entities: tuple[Entity, ...] = ()
    if not delivery.plain:
        shift = units(lead)
        moved = (replace(entity, offset=entity.offset + shift) for entity in delivery.entities)
        entities = (Entity("italic", 0, shift - 1), *moved) if lead else delivery.entities
    length = CAPTION if delivery.file else delivery.abilities.length
    text = delivery.phrase.read(translator) if delivery.phrase else delivery.text
    text = cut(lead + text, length)
    entities = tuple(entity for entity in entities if entity.offset + entity.length <= units(text))
    return Message(text, entities, buttons=delivery.buttons, file=delivery.file, asks=delivery.asks)


def _mark_repeat(composer: Composer, translator: Translator, *, repeat: bool) -> None:
    if repeat:
        composer.add("(" + translator.gettext("repeat") + ") ", "italic")


def _headline(composer: Composer, alert: AlertView, spans: Sequence[Span], limit: int) -> None:
    title = [span for span in spans if span.field == "title"]
    kinds = ("bold", "text_link") if linkable(alert.link) else ("bold",)
    composer.add_marked(
        fitting(headline(alert.title), limit), title[:_MARKS], "underline", *kinds, url=alert.link
    )


def _with_page(message: Message, address: str, translator: Translator, *, plainly: bool) -> Message:
    """The message with the way to the web page of its story at its end."""
    label = translator.gettext("The story so far")
    text = f"{message.text}\n\n{label}"
    if plainly:
        return replace(message, text=f"{text}: {address}")
    link = Entity("text_link", units(text) - units(label), units(label), address)
    return replace(message, text=text, entities=(*message.entities, link))


def _single(
    alert: AlertView, now: datetime, translator: Translator, kind: ChatKind, *, repeat: bool
) -> Message:
    composer = Composer()
    _mark_repeat(composer, translator, repeat=repeat)
    if alert.catch_up:
        composer.add("(" + translator.gettext("catch-up") + ") ", "italic")
    if alert.single and alert.publishers < 2:
        composer.add("(" + translator.gettext("single publisher") + ") ", "italic")
    _headline(composer, alert, alert.spans, _HEADLINE)
    composer.add("\n").add_marked(source_line(alert, now, translator), (), "italic", "italic")
    _add_changes(composer, alert, translator)
    text, spans = excerpt(alert.title, alert.summary, alert.spans, alert.body)
    if text:
        composer.add("\n\n").add_marked(text, spans[:_MARKS], "bold")
    if alert.continuation:
        other = alert.continuation
        link = ("text_link",) if other.link else ()
        composer.add(f"\n\n{_goes_on(translator)}: ").add_marked(
            fitting(headline(other.title), HEADLINE_LENGTH), (), "bold", *link, url=other.link
        )
    elif alert.entries > 1:
        composer.add("\n\n")
        _also(composer, alert, now, translator, kind)
        _latest(composer, alert, now, translator)
    if alert.taken_by:
        composer.add("\n\n✋ ").add_marked(
            translator.gettext("{name} is on it", name=fitting(alert.taken_by, 60)), (), "bold"
        )
    if alert.subscriptions:
        composer.add("\n\n🔔 ").add_marked(fitting(", ".join(alert.subscriptions), 300), (), "bold")
    elif alert.followed:
        composer.add("\n\n👣 ").add(translator.gettext("a storyline you follow"), "italic")
    return composer.message(alert.link if linkable(alert.link) else "")


def _add_changes(composer: Composer, alert: AlertView, translator: Translator) -> None:
    """The headline before, and whether the publisher took the article back or corrected it.

    A feed takes an entry back, or its headline begins with the word.
    """
    if alert.first_title and headline(alert.first_title) != headline(alert.title):
        composer.add("\n✎ " + translator.gettext("before:") + " ").add_marked(
            fitting(headline(alert.first_title), _HEADLINE), (), "strikethrough", "strikethrough"
        )
    if said := _said(alert, translator):
        composer.add("\n⚠ ").add(said, "bold")


def _said(alert: AlertView, translator: Translator) -> str:
    """That an article was withdrawn or corrected; empty where its publisher stands by it."""
    said = Withdrawal.WITHDRAWN if alert.withdrawn else withdrawal_of(alert.title)
    if said is Withdrawal.WITHDRAWN:
        return translator.gettext("withdrawn by the publisher")
    if said is Withdrawal.CORRECTED or alert.corrected:
        return translator.gettext("corrected by the publisher")
    return ""


def _update(
    alert: AlertView, update: UpdateView, now: datetime, translator: Translator, *, repeat: bool
) -> Message:
    """What became of an article, in reply to its alert."""
    composer = Composer()
    _mark_repeat(composer, translator, repeat=repeat)
    composer.add(f"{_UPDATE_MARKS[update.kind]} ")
    composer.add_marked(fitting(update_label(update, translator), _ALSO_NAME), (), "bold", "bold")
    composer.add(": ")
    _headline(composer, replace(alert, title=update.title), (), _HEADLINE)
    composer.add("\n").add_marked(
        _update_source(alert, update, now, translator), (), "italic", "italic"
    )
    if update.before and headline(update.before) != headline(update.title):
        composer.add("\n✎ " + translator.gettext("before:") + " ").add_marked(
            fitting(headline(update.before), _HEADLINE), (), "strikethrough", "strikethrough"
        )
    if update.text:
        composer.add("\n\n").add_marked(cut(update.text, SNIPPET), (), "bold")
    if alert.subscriptions and update.loud:
        composer.add("\n\n🔔 ").add_marked(fitting(", ".join(alert.subscriptions), 300), (), "bold")
    return composer.message()


def update_label(update: UpdateView, translator: Translator) -> str:
    """Return what became of an article, in a word or two."""
    match update.kind:
        case ChangeKind.WITHDRAWN:
            return translator.gettext("withdrawn by the publisher")
        case ChangeKind.CORRECTED:
            return translator.gettext("corrected by the publisher")
        case ChangeKind.PROGRESS:
            return update.status or translator.gettext("update")


def _update_source(
    alert: AlertView,
    update: UpdateView,
    now: datetime,
    translator: Translator,
    length: int = SOURCE,
) -> str:
    """Publisher, and when newsbell learned of it."""
    at = _past(update.at, now, translator)
    return f"{fitting(alert.source or alert.feed, length - len(at) - 3)} · {at}"


def _also(
    composer: Composer, alert: AlertView, now: datetime, translator: Translator, kind: ChatKind
) -> None:
    """Who else carries the story and since when, agency copy apart, and how many independent."""
    agencies = dict.fromkeys(entry.agency for entry in alert.also)
    for number, agency in enumerate(sorted(agencies, key=bool)):
        lead = (
            translator.gettext("via {agency}:", agency=agency)
            if agency
            else translator.gettext("also:")
        )
        composer.add(f"{' · ' if number else ''}{lead} ")
        entries = [entry for entry in alert.also if entry.agency == agency]
        for position, entry in enumerate(entries):
            composer.add(", " if position else "")
            link = ("text_link",) if linkable(entry.link) else ()
            name = fitting(entry.name, _ALSO_NAME)
            composer.add_marked(name, (), "bold", *link, url=entry.link)
            composer.add(f" {_past(entry.at, now, translator)}")
    rest = alert.entries - 1 - len(alert.also)
    if rest > 0:
        composer.add(f" {_more(rest, translator, kind)}")
    composer.add(f" · {_publishers(alert.publishers, translator)}")


def _more(number: int, translator: Translator, kind: ChatKind) -> str:
    """How many further articles a story has, and how to see them where that is known."""
    if ABILITIES[kind].buttons:
        return translator.ngettext(
            "and {number} more (reply with /story to see all)",
            "and {number} more (reply with /story to see all)",
            number,
        )
    if kind is ChatKind.TERMINAL:
        return translator.ngettext(
            "and {number} more (`newsbell story` shows all)",
            "and {number} more (`newsbell story` shows all)",
            number,
        )
    return translator.ngettext("and {number} more", "and {number} more", number)


def _latest(composer: Composer, alert: AlertView, now: datetime, translator: Translator) -> None:
    """The newest headline of the story that says something else."""
    latest = alert.latest
    if latest is None:
        return
    name = fitting(latest.name, _ALSO_NAME)
    link = ("text_link",) if linkable(latest.link) else ()
    composer.add(f"\n{NOTE_MARK} ").add_marked(
        fitting(headline(latest.title), HEADLINE_LENGTH), (), "bold", *link, url=latest.link
    )
    composer.add(f" · {name} · {_past(latest.at, now, translator)}")


def _note(alert: AlertView, now: datetime, translator: Translator, *, repeat: bool) -> Message:
    """A development in one line: headline, publisher, time."""
    composer = Composer()
    _mark_repeat(composer, translator, repeat=repeat)
    composer.add(f"{NOTE_MARK} ")
    _headline(composer, alert, alert.spans, _HEADLINE)
    composer.add(" · ").add_marked(source_line(alert, now, translator), (), "italic", "italic")
    if alert.first_title and headline(alert.first_title) != headline(alert.title):
        composer.add(" · ✎ " + translator.gettext("before:") + " ").add_marked(
            fitting(headline(alert.first_title), _HEADLINE), (), "strikethrough", "strikethrough"
        )
    if said := _said(alert, translator):
        composer.add(" · ⚠ ").add(said, "bold")
    if alert.continuation or alert.entries > 1:
        _tail(composer, alert, translator)
    return composer.message()


def _tail(composer: Composer, alert: AlertView, translator: Translator) -> None:
    """At the end of one line: where its story goes on, or how many publishers report it."""
    composer.add(" · ")
    if alert.continuation is None:
        composer.add(_publishers(alert.publishers, translator))
        return
    link = ("text_link",) if alert.continuation.link else ()
    composer.add_marked(_goes_on(translator), (), "bold", *link, url=alert.continuation.link)


def _goes_on(translator: Translator) -> str:
    return "↪ " + translator.gettext("goes on in another message")


def _publishers(number: int, translator: Translator) -> str:
    return translator.ngettext("{number} publisher", "{number} publishers", number)


def _again(
    alert: AlertView, now: datetime, translator: Translator, kind: ChatKind, *, repeat: bool
) -> Message:
    lead = translator.ngettext(
        "Now {number} publisher:", "Now {number} publishers:", alert.publishers
    )
    composer = Composer()
    _mark_repeat(composer, translator, repeat=repeat)
    composer.add(f"🔔 {lead} ")
    _headline(composer, alert, (), _HEADLINE)
    composer.add("\n").add_marked(source_line(alert, now, translator), (), "italic", "italic").add(
        "\n"
    )
    _also(composer, alert, now, translator, kind)
    return composer.message()


def _heading(form: BundleKind, number: int, translator: Translator) -> str:
    match form:
        case BundleKind.DIGEST:
            return translator.ngettext("Digest: {number} story", "Digest: {number} stories", number)
        case BundleKind.CATCH_UP:
            return translator.ngettext(
                "During quiet hours: {number} story", "During quiet hours: {number} stories", number
            )
        case _:
            return translator.ngettext("{number} story", "{number} stories", number)


def _in_order(alerts: Sequence[AlertView]) -> Sequence[AlertView]:
    """By number of publishers in a digest or catch-up, storylines together; else as they came."""
    if alerts[0].form is BundleKind.ALERT:
        return alerts
    lines: dict[int, list[AlertView]] = {}
    for alert in alerts:
        lines.setdefault(alert.storyline_id, []).append(alert)
    ordered = [sorted(line, key=lambda alert: -alert.publishers) for line in lines.values()]
    return [
        alert for line in sorted(ordered, key=lambda line: -line[0].publishers) for alert in line
    ]


def _collapsed(delivery: Delivery, now: datetime, translator: Translator) -> Message:
    # A reply about a change has the headline that it tells of.
    alerts = [
        replace(alert, title=alert.update.title) if alert.update else alert
        for alert in _in_order(delivery.alerts)
    ]
    composer = Composer()
    _mark_repeat(composer, translator, repeat=delivery.repeat)
    composer.add(_heading(alerts[0].form, len(alerts), translator), "bold")
    names = list(dict.fromkeys(name for alert in alerts for name in alert.subscriptions))
    if names:
        composer.add(" 🔔 ").add_marked(fitting(", ".join(names), 200), (), "bold")
    elif any(alert.followed for alert in alerts):
        composer.add(" 👣 ").add(translator.gettext("storylines you follow"), "italic")
    listed = alerts[:_LISTED]
    sources = [
        _update_source(alert, alert.update, now, translator, _LISTED_SOURCE)
        if alert.update
        else source_line(alert, now, translator, _LISTED_SOURCE)
        for alert in listed
    ]
    said = [
        fitting(update_label(alert.update, translator), _ALSO_NAME)
        if alert.update
        else _said(alert, translator)
        for alert in listed
    ]
    free = (
        min(delivery.abilities.length, _LONGEST)
        - _TAIL
        - composer.length
        - sum(len(without_links(source)) + _AROUND for source in sources)
        - len(_goes_on(translator)) * sum(alert.continuation is not None for alert in listed)
        - sum(len(text) + _SAID for text in said)
    )
    # Long headlines are cut, so that every story is named.
    limit = _share([len(without_links(headline(alert.title))) + 2 for alert in listed], free)
    for alert, source, text in zip(listed, sources, said, strict=True):
        composer.add(f"\n\n{_bullet(alert)} ")
        _headline(composer, alert, (), limit)
        composer.add("\n  ").add_marked(source, (), "italic", "italic")
        if text:
            composer.add(" · ⚠ " if alert.update is None else " · ").add_marked(text, (), "bold")
        if alert.continuation or alert.publishers > 1:
            _tail(composer, alert, translator)
    rest = len(alerts) - len(listed)
    if rest:
        more = translator.ngettext(
            "and {number} more, all of them stored.",
            "and {number} more, all of them stored.",
            rest,
        )
        composer.add(f"\n\n{more}")
    return composer.message()


def _bullet(alert: AlertView) -> str:
    if alert.update:
        return _UPDATE_MARKS[alert.update.kind]
    return NOTE_MARK if alert.note else "•"


def _share(lengths: Sequence[int], free: int) -> int:
    """The limit of each so that all fit in `free`; the short ones leave their rest to the long."""
    share = 0
    for done, length in enumerate(sorted(lengths)):
        share = free // (len(lengths) - done)
        if length > share:
            return share
        free -= length
    return max(share, *lengths)
