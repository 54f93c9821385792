"""Say why an entry rang a subscription's chats, or why it did not, through every stage it went. Decides nothing; no I/O.

Stages in order: the feed showed it, it was new, it was not held back, the subscription looks at the feed, the words match, the story had
not rung the chat before, the chat is open, the message was sent.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.archive import AlertFact, EntryFacts, FeedFact
from bot.model.chats import Subscription
from bot.model.delivery import DeliveryState
from bot.model.entries import Article, Silence
from bot.query.explain import explain, sentence
from bot.query.tree import Node
from bot.query.words import ArticleWords
from bot.text.clean import plain

_PART = re.compile(r"^(?:www|feeds?|rss|news|m)\.(?=[^.]+\.)")
TimeFormat = Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class AlertExplanation:
    """Why one subscription rang, or not."""

    subscription: str
    matches: bool
    alerted: bool
    text: str


@dataclass(frozen=True, slots=True)
class ParsedSubscription:
    """A subscription with its tree."""

    subscription: Subscription
    tree: Node | None
    problem: str = ""  #: why there is no tree


def explain_article(
    article: Article, held: Iterable[ParsedSubscription], translator: Translator = ENGLISH
) -> list[AlertExplanation]:
    """Why each subscription would match a text that no feed has shown."""
    words = ArticleWords(article)
    result = []
    for one in held:
        if one.tree is None:
            result.append(_unread(one, translator))
            continue
        said = explain(one.tree, words)
        result.append(
            AlertExplanation(
                one.subscription.name,
                said.matched,
                alerted=False,
                text=plain(sentence(said, translator)),
            )
        )
    return result


def explain_entry(
    facts: EntryFacts,
    held: Iterable[ParsedSubscription],
    chats: Mapping[int, tuple[str, str]],
    when: TimeFormat,
    translator: Translator = ENGLISH,
) -> list[AlertExplanation]:
    """Why each subscription rang for a stored entry, or not. `chats` has names, and why a chat is paused."""
    words = ArticleWords(facts.entry.article)
    return [_of_one(facts, words, one, chats, when, translator) for one in held]


def _of_one(
    facts: EntryFacts,
    words: ArticleWords,
    held: ParsedSubscription,
    chats: Mapping[int, tuple[str, str]],
    when: TimeFormat,
    translator: Translator,
) -> AlertExplanation:
    subscription, entry = held.subscription, facts.entry
    if held.tree is None:
        return _unread(held, translator)
    said = explain(held.tree, words)
    texts = []
    excluded = bool(subscription.feeds) and entry.article.selectors.isdisjoint(subscription.feeds)
    if excluded:
        feeds = ", ".join(subscription.feeds)
        texts.append(
            translator.gettext(
                "Limited to {feeds}; {feed} is not one of them.",
                feeds=feeds,
                feed=entry.article.feed_name,
            )
        )
    texts.append(sentence(said, translator))
    matches = said.matched and not excluded
    alerts = {alert.chat_id: alert for alert in facts.alerts}
    rang = False
    for number in subscription.chats:
        name, paused = chats.get(number, (str(number), ""))
        alert = alerts.get(number)
        named = alert is not None and subscription.id in alert.subscriptions
        if matches or named:
            what = _in_chat(facts, alert, subscription, paused, when, translator)
            texts.append(
                translator.gettext("{chat}: {what}.", chat=name, what=what)
                if matches
                else translator.gettext(
                    "{chat}: alerted before the article or the query changed; {what}.",
                    chat=name,
                    what=what,
                )
            )
        rang = rang or (
            alert is not None and named and alert.entry_id == entry.id and _arrived(alert)
        )
    return AlertExplanation(subscription.name, matches, rang, plain(" ".join(texts)))


def _unread(held: ParsedSubscription, translator: Translator) -> AlertExplanation:
    text = translator.gettext(
        "Not working: its query cannot be read. {problem}", problem=held.problem
    )
    return AlertExplanation(held.subscription.name, matches=False, alerted=False, text=plain(text))


def _arrived(alert: AlertFact) -> bool:
    return alert.state is DeliveryState.SENT or (not alert.state and alert.arrived)


# What follows are clauses that stand by themselves, with a subject and a verb, so that they fit behind a colon in any language.


def _in_chat(
    facts: EntryFacts,
    alert: AlertFact | None,
    subscription: Subscription,
    paused: str,
    when: TimeFormat,
    translator: Translator,
) -> str:
    if alert is None:
        if facts.entry.silent:
            return translator.gettext(
                "no alert, because {reason}", reason=_silent(facts.entry.silent, translator)
            )
        return translator.gettext(
            "no alert: when the article came, the subscription did not exist or was different"
        )
    state = _state(alert, when, translator)
    if paused and alert.state is DeliveryState.QUEUED:
        state = translator.gettext(
            "{state}; the chat is paused: {reason}", state=state, reason=paused
        )
    if alert.entry_id != facts.entry.id:
        return translator.gettext(
            "already alerted to its story {when}, with “{title}” ({state})",
            when=when(alert.created_at),
            title=alert.title,
            state=state,
        )
    if subscription.id not in alert.subscriptions:
        return translator.gettext("alerted for another subscription, {state}", state=state)
    return state


def _silent(kind: Silence, translator: Translator) -> str:
    """Why an entry could not ring anyone."""
    match kind:
        case Silence.BASELINE:
            return translator.gettext(
                "it was already in the feed on the first fetch; such articles do not alert (a "
                "terminal shows those of the last day)"
            )
        case Silence.FLOOD:
            return translator.gettext(
                "the feed showed very many new entries at once; those of the last day came in "
                "one message"
            )
        case _:
            return translator.gettext(
                "it was in the older part of a document that was too long to read at once"
            )


def _state(alert: AlertFact, when: TimeFormat, translator: Translator) -> str:
    if alert.pending:
        if alert.due_at:
            until = when(alert.due_at)
            return translator.gettext(
                "waiting for enough independent publishers; you are alerted {when} at the latest",
                when=until,
            )
        return translator.gettext("waiting for enough independent publishers")
    if _arrived(alert):
        return (
            translator.gettext("sent {when}", when=when(alert.settled_at))
            if alert.settled_at
            else translator.gettext("sent")
        )
    text = _unsettled(alert.state, translator)
    return (
        f"{text} ({alert.error})"
        if alert.error
        and alert.state in {DeliveryState.QUEUED, DeliveryState.DEAD, DeliveryState.UNKNOWN}
        else text
    )


def _unsettled(state: DeliveryState | None, translator: Translator) -> str:
    match state:
        case DeliveryState.QUEUED:
            return translator.gettext("the message is queued")
        case DeliveryState.SENDING:
            return translator.gettext("the message is being sent")
        case DeliveryState.UNKNOWN:
            return translator.gettext(
                "the connection broke before the reply, so the message may or may not have arrived"
            )
        case DeliveryState.DEAD:
            return translator.gettext("the message was refused")
        case DeliveryState.DROPPED:
            return translator.gettext("the message was dropped by hand, or was no longer needed")
        case _:
            return translator.gettext("what happened to the message is no longer stored")


def describe_entry(
    facts: EntryFacts, when: TimeFormat, key: str, translator: Translator = ENGLISH
) -> str:
    """How the entry is known; `key` says by what it was found: link, headline or guid."""
    entry = facts.entry
    feed, first = entry.article.feed_name, when(entry.first_seen_at)
    match key:
        case "link":
            text = translator.gettext(
                "First seen in {feed} {when}.",
                feed=feed,
                when=first,
            )
        case "headline":
            text = translator.gettext(
                "First seen in {feed} {when}; recognised by its headline.",
                feed=feed,
                when=first,
            )
        case _:
            text = translator.gettext(
                "First seen in {feed} {when}; recognised by its guid.",
                feed=feed,
                when=first,
            )
    texts = [text]
    texts += [
        translator.gettext("Text changed {when}; before: “{title}”.", when=when(at), title=title)
        for at, title in facts.revisions[-3:]
    ]
    if entry.silent:
        texts.append(
            translator.gettext(
                "No alert was possible: {reason}.", reason=_silent(entry.silent, translator)
            )
        )
    return plain(" ".join(texts))


def explain_unknown(
    url: str, feeds: Iterable[FeedFact], when: TimeFormat, translator: Translator = ENGLISH
) -> str:
    """Why an address is not known: which feeds could have shown it."""
    host = _site(url)
    near = [feed for feed in feeds if _related(host, _site(feed.url))]
    if not near and host:
        return translator.gettext(
            "No feed has shown this address, and no feed of {site} is watched. Add one to "
            "feeds.yaml.",
            site=host,
        )
    if not near:
        return translator.gettext(
            "No feed has shown this address, and no feed of its site is watched. Add one to "
            "feeds.yaml."
        )
    return "\n".join(
        [
            translator.gettext("No feed has shown this address yet."),
            *(plain(_unseen(feed, when, translator)) for feed in near[:10]),
        ]
    )


def _unseen(feed: FeedFact, when: TimeFormat, translator: Translator) -> str:
    """What became of a feed that could have shown it."""
    after = when(feed.next_poll_at)
    if feed.last_poll_at is None:
        return translator.gettext(
            "{feed} has not been fetched yet; next fetch {next}.",
            feed=feed.name,
            next=after,
        )
    last = when(feed.last_poll_at)
    if feed.failure:
        return translator.gettext(
            "{feed} could not be read at the last fetch, {last}: {problem}; next fetch {next}.",
            feed=feed.name,
            last=last,
            problem=feed.failure.rstrip("."),
            next=after,
        )
    return translator.gettext(
        "{feed} did not have it at the last fetch, {last}; next fetch {next}.",
        feed=feed.name,
        last=last,
        next=after,
    )


def _site(url: str) -> str:
    """The host of an address without the first label that sites give their parts; empty where it has none."""
    try:
        return _PART.sub("", urlsplit(url).hostname or "")
    except ValueError:
        return ""


def _related(host: str, feed_host: str) -> bool:
    """Whether two hosts are one site: the same, or one under the other."""
    return bool(host) and (
        host == feed_host or host.endswith(f".{feed_host}") or feed_host.endswith(f".{host}")
    )
