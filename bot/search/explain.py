"""Explain in sentences why an entry alerted the chats of a subscription or not.

What became of it is found out by `account`, and put into clauses by `account_text`. Decides
nothing; no I/O.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.archive import EntryFacts, FeedFact, FoundEntry, StoredEntry
from bot.model.entries import Article, Silence, counts_from_sight
from bot.query.explain import explain, sentence
from bot.query.words import ArticleWords
from bot.search.account import ARRIVED, Account, Cause, Outcome, ParsedSubscription
from bot.search.account_text import TimeFormat, account_text, silence_text
from bot.search.failures import describe_failure
from bot.search.page_text import read_text
from bot.text.clean import plain

_SUBDOMAIN = re.compile(r"^(?:www|feeds?|rss|news|m)\.(?=[^.]+\.)")
#: sites whose addresses lead elsewhere and do not hold where
_SHORTENERS = frozenset(
    "t.co bit.ly tinyurl.com ow.ly lnkd.in goo.gl buff.ly is.gd dlvr.it trib.al apple.news flip.it "
    "share.google search.app fb.me shorturl.at cutt.ly rb.gy clck.ru vk.cc".split()
)
#: no alert is sent for these; those of a flood come together
_SILENT = frozenset({Silence.BASELINE, Silence.ARCHIVE})


@dataclass(frozen=True, slots=True)
class AlertExplanation:
    """Why a subscription alerted its chats, or not."""

    subscription: str
    matches: bool
    alerted: bool
    text: str


def explain_article(
    article: Article, parsed: Iterable[ParsedSubscription], translator: Translator = ENGLISH
) -> list[AlertExplanation]:
    """Explain for each subscription whether it would match a text that no feed has shown."""
    words = ArticleWords(article)
    result = []
    for item in parsed:
        if item.tree is None:
            text = _broken(item.problem, translator)
            result.append(AlertExplanation(item.subscription.name, False, False, plain(text)))
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
    parsed: Sequence[ParsedSubscription],
    accounts: Iterable[Account],
    chats: Mapping[int, str],
    when: TimeFormat,
    translator: Translator = ENGLISH,
) -> list[AlertExplanation]:
    """Explain for each subscription why a stored entry alerted its chats, or not.

    `accounts` are those of the entry. Chats that are not in `chats` are left out.
    """
    by_subscription: dict[int | None, list[Account]] = {}
    for account in accounts:
        if account.chat_id in chats:
            by_subscription.setdefault(account.subscription_id, []).append(account)
    words = ArticleWords(facts.entry.article)
    explanations = [
        _subscription(
            facts,
            item,
            by_subscription.get(item.subscription.id, ()),
            words,
            chats,
            when,
            translator,
        )
        for item in parsed
    ]
    others = by_subscription.get(None, ())
    return explanations + [_other(account, chats, when, translator) for account in others]


def account_sentence(
    account: Account,
    chats: Mapping[int, str],
    when: TimeFormat,
    translator: Translator = ENGLISH,
) -> str:
    """Return what became of an entry in a chat, as a sentence; empty where no words matched."""
    text = account_text(account, when, translator)
    name = chats.get(account.chat_id, str(account.chat_id))
    if _matched_before(account):
        return translator.gettext(
            "{chat}: alerted before the article or the query changed; {what}.",
            chat=name,
            what=text,
        )
    return translator.gettext("{chat}: {what}.", chat=name, what=text) if text else ""


def _matched_before(account: Account) -> bool:
    """Whether it alerted by words that are no longer there, of the article or the query."""
    return (
        account.outcome is Outcome.SENT
        and not account.matches
        and not account.cause
        and account.subscription_id is not None
    )


def _subscription(
    facts: EntryFacts,
    parsed: ParsedSubscription,
    accounts: Sequence[Account],
    words: ArticleWords,
    chats: Mapping[int, str],
    when: TimeFormat,
    translator: Translator,
) -> AlertExplanation:
    subscription, article = parsed.subscription, facts.entry.article
    if parsed.tree is None:
        texts, matches = [_broken(parsed.problem, translator)], False
    else:
        explanation = explain(parsed.tree, words)
        excluded = bool(subscription.feeds) and article.selectors.isdisjoint(subscription.feeds)
        matches = explanation.matched and not excluded
        texts = [sentence(explanation, translator)]
        if excluded:
            feeds = ", ".join(subscription.feeds)
            texts.insert(
                0,
                translator.gettext(
                    "Limited to {feeds}; {feed} is not one of them.",
                    feeds=feeds,
                    feed=article.feed_name,
                ),
            )
    texts += [account_sentence(account, chats, when, translator) for account in accounts]
    alerted = any(
        account.outcome in ARRIVED and account.cause is not Cause.OTHER_SUBSCRIPTION
        for account in accounts
    )
    text = plain(" ".join(text for text in texts if text))
    return AlertExplanation(subscription.name, matches, alerted, text)


def _other(
    account: Account, chats: Mapping[int, str], when: TimeFormat, translator: Translator
) -> AlertExplanation:
    """Explain an alert that no subscription of today accounts for."""
    removed = account.alert.removed.values() if account.alert else ()
    texts = [translator.gettext("Removed since, {when}.", when=when(at)) for _, at in removed]
    if not texts:
        texts = [translator.gettext("No words matched: this chat follows the storyline.")]
    name = account.name or translator.gettext("Followed storyline")
    texts.append(account_sentence(account, chats, when, translator))
    return AlertExplanation(
        name, account.matches, account.outcome in ARRIVED, plain(" ".join(texts))
    )


def _broken(problem: str, translator: Translator) -> str:
    return translator.gettext("Not working: its query cannot be read. {problem}", problem=problem)


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
    if facts.withdrawn_at:
        texts.append(
            translator.gettext("Its feed withdrew it {when}.", when=when(facts.withdrawn_at))
        )
    texts.append(read_text(facts, when, translator))
    if entry.silent in _SILENT:
        texts.append(
            translator.gettext(
                "No alert was possible: {reason}.", reason=silence_text(entry.silent, translator)
            )
        )
    return plain(" ".join(text for text in texts if text))


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
