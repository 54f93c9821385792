"""Explain why an entry alerted the chats of a subscription or not. Decides nothing; no I/O.

The stages in order: a feed showed the entry, it was new, it was not silent, the subscription
includes the feed, the words match, the chat had no alert of the story before, the chat is not
paused, the message was sent.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.archive import AlertFact, EntryFacts, FeedFact, FoundEntry, StoredEntry
from bot.model.chats import Subscription
from bot.model.delivery import DeliveryState
from bot.model.entries import Article, Silence, counts_from_sight
from bot.query.explain import explain, sentence
from bot.query.tree import Node
from bot.query.words import ArticleWords
from bot.search.failures import describe_failure
from bot.text.clean import plain

_SUBDOMAIN = re.compile(r"^(?:www|feeds?|rss|news|m)\.(?=[^.]+\.)")
#: sites whose addresses lead elsewhere and do not hold where
_SHORTENERS = frozenset(
    "t.co bit.ly tinyurl.com ow.ly lnkd.in goo.gl buff.ly is.gd dlvr.it trib.al apple.news flip.it "
    "share.google search.app fb.me shorturl.at cutt.ly rb.gy clck.ru vk.cc".split()
)
#: no alert is sent for these; those of a flood come together
_SILENT = frozenset({Silence.BASELINE, Silence.ARCHIVE})
TimeFormat = Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class AlertExplanation:
    """Why a subscription alerted its chats, or not."""

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
    article: Article, parsed: Iterable[ParsedSubscription], translator: Translator = ENGLISH
) -> list[AlertExplanation]:
    """Explain for each subscription whether it would match a text that no feed has shown."""
    words = ArticleWords(article)
    result = []
    for item in parsed:
        if item.tree is None:
            result.append(_broken(item, translator))
            continue
        explanation = explain(item.tree, words)
        result.append(
            AlertExplanation(
                item.subscription.name,
                explanation.matched,
                alerted=False,
                text=plain(sentence(explanation, translator)),
            )
        )
    return result


def explain_entry(
    facts: EntryFacts,
    parsed: Iterable[ParsedSubscription],
    chats: Mapping[int, tuple[str, str]],
    when: TimeFormat,
    translator: Translator = ENGLISH,
) -> list[AlertExplanation]:
    """Explain for each subscription why a stored entry alerted its chats, or not.

    `chats` maps ids to the name of a chat and why it is paused (empty if it is not).
    """
    words = ArticleWords(facts.entry.article)
    return [_explain_subscription(facts, words, item, chats, when, translator) for item in parsed]


def _explain_subscription(
    facts: EntryFacts,
    words: ArticleWords,
    parsed: ParsedSubscription,
    chats: Mapping[int, tuple[str, str]],
    when: TimeFormat,
    translator: Translator,
) -> AlertExplanation:
    subscription, entry = parsed.subscription, facts.entry
    if parsed.tree is None:
        return _broken(parsed, translator)
    explanation = explain(parsed.tree, words)
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
    texts.append(sentence(explanation, translator))
    matches = explanation.matched and not excluded
    alerts = {alert.chat_id: alert for alert in facts.alerts}
    alerted = False
    for number in subscription.chats:
        name, paused = chats.get(number, (str(number), ""))
        alert = alerts.get(number)
        included = alert is not None and subscription.id in alert.subscriptions
        if matches or included:
            outcome = _in_chat(facts, alert, subscription, paused, when, translator)
            changed = alert is not None and alert.entry_id == entry.id and not alert.note
            texts.append(
                translator.gettext("{chat}: {what}.", chat=name, what=outcome)
                if matches or not changed
                else translator.gettext(
                    "{chat}: alerted before the article or the query changed; {what}.",
                    chat=name,
                    what=outcome,
                )
            )
        alerted = alerted or (
            alert is not None and included and alert.entry_id == entry.id and _arrived(alert)
        )
    return AlertExplanation(subscription.name, matches, alerted, plain(" ".join(texts)))


def _broken(parsed: ParsedSubscription, translator: Translator) -> AlertExplanation:
    text = translator.gettext(
        "Not working: its query cannot be read. {problem}", problem=parsed.problem
    )
    return AlertExplanation(
        parsed.subscription.name, matches=False, alerted=False, text=plain(text)
    )


def _arrived(alert: AlertFact) -> bool:
    return alert.state is DeliveryState.SENT or (not alert.state and alert.arrived)


# The texts below are clauses that can follow a colon in any language.


def _in_chat(
    facts: EntryFacts,
    alert: AlertFact | None,
    subscription: Subscription,
    paused: str,
    when: TimeFormat,
    translator: Translator,
) -> str:
    if alert is None:
        if facts.entry.silent in _SILENT:
            return translator.gettext(
                "no alert, because {reason}", reason=_silent(facts.entry.silent, translator)
            )
        return translator.gettext(
            "no alert: when the article came, the subscription did not exist or was different"
        )
    state = _state(alert, when, translator)
    if paused and alert.state is DeliveryState.QUEUED:
        state = translator.gettext(
            "{state}; the chat is paused: {reason}",
            state=state,
            reason=translator.gettext(paused).rstrip("."),
        )
    if alert.entry_id != facts.entry.id:
        return translator.gettext(
            "already alerted to its story {when}, with “{title}” ({state})",
            when=when(alert.created_at),
            title=alert.title,
            state=state,
        )
    if alert.note:
        return translator.gettext("told as news of a story that was alerted, {state}", state=state)
    if subscription.id not in alert.subscriptions:
        return translator.gettext("alerted for another subscription, {state}", state=state)
    return state


def _silent(kind: Silence, translator: Translator) -> str:
    """Why no alert was possible for an entry."""
    if kind is Silence.BASELINE:
        return translator.gettext(
            "it was already in the feed on the first fetch; such articles do not alert (a "
            "terminal shows those of the last day)"
        )
    return translator.gettext("it looked like an old article of the feed's archive, not like news")


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
    facts: EntryFacts,
    when: TimeFormat,
    key: str,
    translator: Translator = ENGLISH,
    carrier: FoundEntry | None = None,
) -> str:
    """Describe a stored entry that was found by `key`: link, headline, guid or words.

    `carrier`: the first entry with its link.
    """
    entry = facts.entry
    texts = [_seen(entry, when, key, translator, carrier)]
    if entry.published is None:
        texts.append(
            translator.gettext("The feed gives no readable date, so it counts from then on.")
        )
    elif counts_from_sight(entry.published, entry.first_seen_at):
        texts.append(
            translator.gettext(
                "The feed gave a time in the future ({when}), so it counts from then on.",
                when=when(entry.published),
            )
        )
    texts += [
        translator.gettext("Text changed {when}; before: “{title}”.", when=when(at), title=title)
        for at, title in facts.revisions[-3:]
    ]
    if entry.silent in _SILENT:
        texts.append(
            translator.gettext(
                "No alert was possible: {reason}.", reason=_silent(entry.silent, translator)
            )
        )
    return plain(" ".join(texts))


def _seen(
    entry: StoredEntry,
    when: TimeFormat,
    key: str,
    translator: Translator,
    carrier: FoundEntry | None,
) -> str:
    """Where and when an entry was first seen, and who had its link before."""
    feed, first = entry.article.feed_name, when(entry.first_seen_at)
    if carrier and carrier.id != entry.id and carrier.first_seen_at <= entry.first_seen_at:
        return translator.gettext(
            "Seen in {feed} {when}; the same address was first seen in {other}, {first}.",
            feed=feed,
            when=first,
            other=carrier.names[0],
            first=when(carrier.first_seen_at),
        )
    match key:
        case "headline":
            return translator.gettext(
                "First seen in {feed} {when}; recognised by its headline.",
                feed=feed,
                when=first,
            )
        case "guid":
            return translator.gettext(
                "First seen in {feed} {when}; recognised by its guid.",
                feed=feed,
                when=first,
            )
        case _:
            return translator.gettext("First seen in {feed} {when}.", feed=feed, when=first)


def explain_unknown(
    url: str,
    feeds: Iterable[FeedFact],
    when: TimeFormat,
    translator: Translator = ENGLISH,
    *,
    in_chat: bool = False,
) -> str:
    """Say that no article was found under an address, and which feeds are of its site.

    `in_chat`: where feeds are added by a command.
    """
    host = _site(url)
    if host in _SHORTENERS:
        return translator.gettext(
            "An address of {site} does not say where it leads. Open it, and send the address of "
            "the article itself.",
            site=host,
        )
    unknown = translator.gettext("No stored article was found under this address.")
    related = [feed for feed in feeds if _related(host, _site(feed.url))]
    if related:
        fetches = [plain(_unseen(feed, when, translator)) for feed in related[:10]]
        return "\n".join((unknown, *fetches))
    if not host:
        return unknown
    unwatched = (
        translator.gettext(
            "No feed that is watched here has an address at {site}. Add one: /addfeed {site}",
            site=host,
        )
        if in_chat
        else translator.gettext(
            "No watched feed has an address at {site}. Add one to feeds.yaml.", site=host
        )
    )
    return f"{unknown} {unwatched}"


def _unseen(feed: FeedFact, when: TimeFormat, translator: Translator) -> str:
    """The last fetch of a feed that could have shown the address."""
    next_fetch = when(feed.next_poll_at)
    if feed.last_poll_at is None:
        return translator.gettext(
            "{feed} has not been fetched yet; next fetch {next}.",
            feed=feed.name,
            next=next_fetch,
        )
    last = when(feed.last_poll_at)
    if feed.failure_text:
        return translator.gettext(
            "{feed} could not be read at the last fetch, {last}: {problem}; next fetch {next}.",
            feed=feed.name,
            last=last,
            problem=describe_failure(feed.failure, feed.failure_text, translator).rstrip("."),
            next=next_fetch,
        )
    return translator.gettext(
        "{feed}: last fetch {last}; next fetch {next}.",
        feed=feed.name,
        last=last,
        next=next_fetch,
    )


def _site(url: str) -> str:
    """The host of an address without a usual subdomain such as `www`; empty if it has none."""
    try:
        return _SUBDOMAIN.sub("", urlsplit(url).hostname or "")
    except ValueError:
        return ""


def _related(host: str, feed_host: str) -> bool:
    """Whether two hosts belong to the same site: equal, or a subdomain of the other."""
    return bool(host) and (
        host == feed_host or host.endswith(f".{feed_host}") or feed_host.endswith(f".{host}")
    )
