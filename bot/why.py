"""Say why an entry rang a subscription's chats, or why it did not, through every stage it went. Decides nothing; no I/O.

Stages in order: the feed showed it, it was new, it was not held back, the subscription looks at the feed, the words match, the story had
not rung the chat before, the chat is open, the message was sent.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.model.archive import AlertFact, EntryFacts, FeedFact
from bot.model.chats import Subscription
from bot.model.entries import Article
from bot.query.explain import explain, sentence
from bot.query.tree import Node
from bot.query.words import ArticleWords
from bot.text.catalog import ENGLISH, Voice
from bot.text.clean import plain

SILENT = {
    "baseline": "it was in the feed when newsbell looked at that for the first time; of that a terminal shows the last day, others nothing",
    "flood": "it came in a flood of entries that the feed had never shown before; those of the last day were told of in one message",
    "archive": "it came with the older part of a document that was too long to read at once",
}
_STATES = {
    "queued": "the message waits to be sent",
    "sending": "the message is being sent",
    "unknown": "the connection ended before the answer, so the message may or may not have arrived",
    "dead": "the message was refused",
    "dropped": "the message was dropped by hand or was not needed any more",
}
_PART = re.compile(r"^(?:www|feeds?|rss|news|m)\.(?=[^.]+\.)")
When = Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one subscription rang, or not."""

    subscription: str
    matches: bool
    rang: bool
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """A subscription with its tree."""

    subscription: Subscription
    tree: Node | None
    problem: str = ""  #: why there is no tree


def of_article(article: Article, held: Iterable[Held]) -> list[Reason]:
    """Why each subscription would match a text that no feed has shown."""
    words = ArticleWords(article)
    result = []
    for one in held:
        if one.tree is None:
            result.append(_unread(one))
            continue
        said = explain(one.tree, words)
        result.append(Reason(one.subscription.name, said.matched, rang=False, text=plain(sentence(said))))
    return result


def of_entry(facts: EntryFacts, held: Iterable[Held], chats: Mapping[int, tuple[str, str]], when: When, voice: Voice = ENGLISH) -> list[Reason]:
    """Why each subscription rang for a stored entry, or not. `chats` has names, and why a chat is paused."""
    words = ArticleWords(facts.entry.article)
    return [_of_one(facts, words, one, chats, when) for one in held]


def _of_one(facts: EntryFacts, words: ArticleWords, held: Held, chats: Mapping[int, tuple[str, str]], when: When) -> Reason:
    subscription, entry = held.subscription, facts.entry
    if held.tree is None:
        return _unread(held)
    said = explain(held.tree, words)
    texts = []
    excluded = bool(subscription.feeds) and entry.article.selectors.isdisjoint(subscription.feeds)
    if excluded:
        texts.append(f"It looks at {', '.join(subscription.feeds)} only, not at {entry.article.feed_name}.")
    texts.append(sentence(said))
    matches = said.matched and not excluded
    alerts = {alert.chat_id: alert for alert in facts.alerts}
    rang = False
    for number in subscription.chats:
        name, paused = chats.get(number, (str(number), ""))
        alert = alerts.get(number)
        named = alert is not None and subscription.id in alert.subscriptions
        if matches or named:
            before = "" if matches else "it rang before its words or the query changed; "
            texts.append(f"{name}: {before}{_in_chat(facts, alert, subscription, paused, when)}.")
        rang = rang or (alert is not None and named and alert.entry_id == entry.id and _arrived(alert))
    return Reason(subscription.name, matches, rang, plain(" ".join(texts)))


def _unread(held: Held) -> Reason:
    return Reason(held.subscription.name, matches=False, rang=False, text=plain(f"It rings nobody: its query cannot be read. {held.problem}"))


def _arrived(alert: AlertFact) -> bool:
    return alert.state == "sent" or (not alert.state and alert.arrived)


def _in_chat(facts: EntryFacts, alert: AlertFact | None, subscription: Subscription, paused: str, when: When) -> str:
    if alert is None:
        if facts.entry.silent:
            return f"no alert, for {SILENT[facts.entry.silent]}"
        return "no alert: the subscription did not stand, or read otherwise, when the article came"
    state = _state(alert, when)
    if paused and alert.state == "queued":
        state += f", for the chat is paused: {paused}"
    if alert.entry_id != facts.entry.id:
        return f"its story had rung {when(alert.created_at)} with “{alert.title}” ({state})"
    if subscription.id not in alert.subscriptions:
        return f"it rang for another subscription, {state}"
    return state


def _state(alert: AlertFact, when: When) -> str:
    if alert.held:
        until = f"; it rings {when(alert.due_at)} all the same" if alert.due_at else ""
        return f"it waits until enough independent publishers carry the story{until}"
    if _arrived(alert):
        return f"sent {when(alert.settled_at)}" if alert.settled_at else "sent"
    text = _STATES.get(alert.state, "what became of the message is forgotten by now")
    return f"{text} ({alert.error})" if alert.error and alert.state in {"queued", "dead", "unknown"} else text


def known(facts: EntryFacts, when: When, key: str, voice: Voice = ENGLISH) -> str:
    """How the entry is known; `key` says by what it was found."""
    entry = facts.entry
    text = f"{entry.article.feed_name} showed it first {when(entry.first_seen_at)}; it is known by its {key}, so it does not ring again."
    for at, title in facts.revisions[-3:]:
        text += f" Its words changed {when(at)}; before: “{title}”."
    if entry.silent:
        text += f" It could not ring: {SILENT[entry.silent]}."
    return plain(text)


def unknown(url: str, feeds: Iterable[FeedFact], when: When, voice: Voice = ENGLISH) -> str:
    """Why an address is not known: which feeds could have shown it."""
    host = _site(url)
    near = [feed for feed in feeds if _related(host, _site(feed.url))]
    if not near:
        return f"No feed has shown this address, and no feed of {host or 'its site'} is watched. Add one to feeds.yaml."
    lines = ["No feed has shown this address yet."]
    for feed in near[:10]:
        if feed.last_poll_at is None:
            seen = "has not been looked at yet"
        elif feed.failure:
            seen = f"could not be read when it was last looked at, {when(feed.last_poll_at)}: {feed.failure.rstrip('.')}"
        else:
            seen = f"was last looked at {when(feed.last_poll_at)} and did not hold it"
        lines.append(plain(f"{feed.name} {seen}; the next look is {when(feed.next_poll_at)}."))
    return "\n".join(lines)


def _site(url: str) -> str:
    """The host of an address without the first label that sites give their parts; empty where it has none."""
    try:
        return _PART.sub("", urlsplit(url).hostname or "")
    except ValueError:
        return ""


def _related(host: str, feed_host: str) -> bool:
    """Whether two hosts are one site: the same, or one under the other."""
    return bool(host) and (host == feed_host or host.endswith(f".{feed_host}") or feed_host.endswith(f".{host}"))
