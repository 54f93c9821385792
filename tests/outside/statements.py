"""Judge each statement of `explain --json` by what chats received and by what people did.

For every article, subscription and chat: what is said became of it has to be true of the messages
of the stand-in (`evidence`), and its cause of the log (`history`); and back, each headline in a
chat has to be accounted for. Queries are evaluated plainly, one by one. No I/O, no clock.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any

from outside.causes import CAUSES, Case, near, seconds
from outside.evidence import HEADLINES, Evidence, Failed, Place, Receipt
from outside.history import Chat, History, Published, Wish

from bot.errors import QueryError
from bot.model.entries import Article
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.words import ArticleWords
from bot.text.language import language_of

OUTCOMES = frozenset(
    "sent joined noted waiting held not_sent lost forgotten".split()
)  #: that there are
_ALERTED = frozenset({Place.LEAD, Place.LISTED})
_SAYS_OTHERWISE = re.compile("sent|told as news|waiting|the message")
_STORIES = ("strict", "story", "storyline")
_SETTLED = 60.0  #: seconds of quiet after which a message shows what its story has
_SHOWN = 8  #: further articles that a message names


@dataclass(frozen=True, slots=True)
class Falsehood:
    """A statement that is not true, or a headline of which none is made."""

    article: str  #: its link
    chat: str
    subscription: str
    statement: str
    evidence: str

    def __str__(self) -> str:
        return (
            f"{self.article} in {self.chat} for {self.subscription}: {self.statement} — "
            f"{self.evidence}"
        )


@dataclass
class Verdict:
    """What came of judging an answer."""

    falsehoods: list[Falsehood] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  #: statements by outcome and cause
    headlines: int = 0  #: in messages of chats, that are accounted for
    articles: int = 0

    @property
    def statements(self) -> int:
        """How many were judged."""
        return sum(self.counts.values())

    def add(self, other: "Verdict") -> None:
        """Take in the verdict about a further answer."""
        self.falsehoods += other.falsehoods
        self.counts.update(other.counts)
        self.headlines += other.headlines
        self.articles += other.articles


def judge(
    records: tuple[Mapping[str, Any], ...], at: float, history: History, evidence: Evidence
) -> Verdict:
    """Judge what was said at a moment; the log and the evidence are those of that moment."""
    return Judge(records, at, history, evidence).verdict()


@dataclass
class Judge:
    """Judges one answer."""

    records: tuple[Mapping[str, Any], ...]
    at: float
    history: History
    evidence: Evidence

    @cached_property
    def by_link(self) -> Mapping[str, Mapping[str, Any]]:
        """What is said, by the links of the articles."""
        return {record["link"]: record for record in self.records}

    @cached_property
    def by_number(self) -> Mapping[int, Mapping[str, Any]]:
        """The same, by newsbell's numbers of the articles."""
        return {record["article"]: record for record in self.records}

    @cached_property
    def by_storyline(self) -> Mapping[int, Sequence[Mapping[str, Any]]]:
        """The same, by storyline."""
        found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for record in self.records:
            found[record["stories"]["storyline"]].append(record)
        return found

    @cached_property
    def received(self) -> Mapping[tuple[int, int, str], Sequence[Receipt]]:
        """The messages that show an article as news, by chat, topic and link."""
        found: dict[tuple[int, int, str], list[Receipt]] = defaultdict(list)
        for receipt in self.evidence.receipts.values():
            for link in self.shown(receipt, HEADLINES):
                found[receipt.chat, receipt.topic, link].append(receipt)
        return found

    @cached_property
    def failed(self) -> Mapping[tuple[int, str], Sequence[Failed]]:
        """The sends of an article that failed, by chat and link."""
        found: dict[tuple[int, str], list[Failed]] = defaultdict(list)
        for failed in self.evidence.failures:
            for link in {item.link for item in failed.shown if item.place in HEADLINES}:
                found[failed.chat, link].append(failed)
        return found

    @cached_property
    def failed_in(self) -> Mapping[int, Sequence[Failed]]:
        """The sends that failed, by chat."""
        found: dict[int, list[Failed]] = defaultdict(list)
        for failed in self.evidence.failures:
            found[failed.chat].append(failed)
        return found

    @cached_property
    def chats(self) -> Mapping[int, Chat]:
        """The chats, by newsbell's numbers."""
        return {chat.number: chat for chat in self.history.chats.values()}

    @cached_property
    def names(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The lists of words that are in force."""
        return tuple((name, tuple(items)) for name, items in self.history.names.items())

    def verdict(self) -> Verdict:
        """Judge everything."""
        verdict = Verdict(articles=len(self.records))
        for record in self.records:
            article = self.history.articles.get(record["link"])
            if article is None:
                verdict.falsehoods.append(_about(record, "", "", "stored", "never published"))
                continue
            verdict.falsehoods += self._article(record, article)
            for account in record["accounts"]:
                verdict.counts[f"{account['outcome']} {account['because']}".strip()] += 1
                if problem := self._account(record, article, account):
                    verdict.falsehoods.append(
                        _about(
                            record, account["chat_name"], account["subscription_name"],
                            f"{account['outcome']} {account['because']} “{account['text']}”",
                            problem,
                        )
                    )  # fmt: skip
        verdict.falsehoods += self._unsaid()
        verdict.headlines = sum(len(receipt.links()) for receipt in self.evidence.receipts.values())
        return verdict

    def _article(self, record: Mapping[str, Any], article: Published) -> Iterator[Falsehood]:
        """What is said of the article itself; and that each subscription has an account."""
        first_seen = seconds(record["first_seen"])
        titles = [title for _, title in article.titles]
        published = seconds(record["published"])
        for said, is_true in (
            (f"title {record['title']}", record["title"] in titles),
            (f"feed {record['feed']}", record["feed"] == article.feed),
            (f"first seen {record['first_seen']}", _is_soon(first_seen, article.served_at)),
            (f"published {record['published']}", near(published, article.dated, 1)),
        ):
            if not is_true:
                facts = f"{titles}, {article.feed}, {_iso(article.dated)}"
                served = _iso(article.served_at or 0.0)
                yield _about(record, "", "", said, f"{facts}, served at {served}")
        given = Counter((a["chat"], a["subscription"]) for a in record["accounts"])
        for subscribed in self.history.subscriptions.values():
            for where in () if subscribed.is_gone else subscribed.chats:
                chat = self.history.chats[where]
                count = given[chat.number, subscribed.number]
                if count != 1:
                    name = subscribed.name
                    yield _about(record, chat.name, name, f"{count} accounts", "one is due")

    def _account(
        self, record: Mapping[str, Any], article: Published, account: Mapping[str, Any]
    ) -> str:
        """Say what is false about an account; empty where it is true."""
        chat = self.chats.get(account["chat"])
        if chat is None:
            return "there is no such chat"
        subscribed = self.history.subscriptions.get(account["subscription"] or 0)
        if account["subscription"] is not None and subscribed is None:
            return "nobody made this subscription"
        if account["outcome"] not in OUTCOMES:
            return "there is no such outcome"
        unmatched = account["because"] in {"no_match", "not_in_feeds"}
        if not unmatched and not str(account["text"]).strip():
            return "nothing is said"
        if account["outcome"] == "not_sent" and _SAYS_OTHERWISE.match(str(account["text"])):
            return "the text says otherwise"
        case = Case(self, record, article, account, chat, subscribed)
        if subscribed and account["matches"] != self.fits(subscribed.wish, article, record):
            return f"matches {account['matches']} is not so of {subscribed.wish.query}"
        outcome = account["outcome"]
        if outcome in {"sent", "noted"}:
            return self._sent(case)
        if outcome == "joined":
            return self._joined(case)
        return self._absent(case) or CAUSES[outcome](case)

    def _sent(self, case: Case) -> str:
        """A message of this number holds the headline, from this moment on."""
        unable = case.account["because"] != "other_subscription" and case.is_unable
        if unable:
            return unable
        account, where = case.account, case.chat.where
        receipt = self.evidence.receipts.get((where[0], account["message"] or 0))
        if receipt is None or receipt.topic != where[1]:
            return f"the chat has no message {account['message']}"
        places = {Place.NOTE} if account["outcome"] == "noted" else _ALERTED
        shown = self.shown(receipt, frozenset(places))
        if case.article.link not in shown:
            return f"message {receipt.number} shows {sorted(self.shown(receipt, HEADLINES))}"
        if not near(seconds(account["at"]), receipt.at, 5):
            return f"it arrived at {_iso(receipt.at)}, not {account['at']}"
        return self._named(case, receipt)

    def _named(self, case: Case, receipt: Receipt) -> str:
        """The message names the subscription, or another one where that is said."""
        subscribed, names = case.subscribed, [version.names for version in receipt.versions]
        if subscribed is None or "🔔" not in receipt.versions[0].text:
            return ""  # a note names none
        other = case.account["because"] == "other_subscription"
        bundled = not receipt.links(frozenset({Place.LEAD}))
        named = any(name in shown for shown in names for name in subscribed.names)
        cut = any(shown.endswith("…") for shown in names)
        if not other and not named and not cut:
            return f"message {receipt.number} names {names}"
        at_first = any(name in names[0] for name in subscribed.names)
        if case.account["because"] == "development" and case.account["matches"]:
            return "its own words match"
        is_sent = case.account["outcome"] == "sent"  # a note says by itself why it came
        if is_sent and not case.account["because"] and not case.could_match:
            return "its words do not match, and nothing says why it was sent"
        if other and at_first and not bundled and case.was_wanted and not case.changed_since:
            return f"message {receipt.number} named it at once"
        return ""

    def _joined(self, case: Case) -> str:
        """Another article of the story made the alert, which is in the state that is said."""
        alert, where = case.account["alert"], case.chat.where
        if alert is None:
            return "no alert is named"
        other = self.by_number.get(alert["article"])
        if other is None:
            return ""  # it is older than what was asked for
        if other["link"] == case.article.link:
            return "the alert is its own"
        if not any(case.record["stories"][x] == other["stories"][x] for x in _STORIES):
            return f"{other['link']} is of another storyline"
        if case.subscribed and not case.was_wanted:
            return case.is_unable or "it was not wanted when it came"
        if case.was_muted:
            return "the chat had muted the storyline"
        received = self.received.get((*where, other["link"]), ())
        if alert["outcome"] in {"sent", "noted"}:
            receipt = self.evidence.receipts.get((where[0], alert["message"] or 0))
            if receipt is None or other["link"] not in self.shown(receipt, HEADLINES):
                return f"message {alert['message']} does not show {other['link']}"
            return self._shown_in(case, receipt)
        if received and not any(failed.arrived for failed in case.failures(other["link"])):
            return f"that alert arrived as {[receipt.number for receipt in received]}"
        return ""

    def _shown_in(self, case: Case, receipt: Receipt) -> str:
        """The message of the alert shows who else reports the story, this article among them."""
        first_seen = seconds(case.record["first_seen"]) or 0.0
        rest = self.at - first_seen
        is_single = receipt.links(frozenset({Place.LEAD}))
        if not is_single or rest < 120 or case.is_troubled or not receipt.versions[-1].shown:
            return ""
        further = [i for i in receipt.versions[-1].shown if i.place is Place.ALSO]
        if len(further) >= _SHOWN or case.article.link in {i.link for i in further}:
            return ""
        return f"message {receipt.number} does not show it: {[i.link for i in further]}"

    def _absent(self, case: Case) -> str:
        """The chat got no message with the headline, or only one that does not count."""
        receipts = self.received.get((*case.chat.where, case.article.link), ())
        doubtful = any(failed.arrived for failed in case.failures(case.article.link))
        if not receipts or doubtful:
            return ""
        if case.account["outcome"] != "not_sent":
            return f"it arrived as {[receipt.number for receipt in receipts]}"
        subscribed = case.subscribed
        if subscribed is None:
            return f"it arrived as {[receipt.number for receipt in receipts]}"
        for receipt in receipts:
            alone = bool(receipt.links(frozenset({Place.LEAD})))
            names = receipt.versions[-1].names
            if alone and case.was_wanted and subscribed.names & set(names.split(", ")):
                return f"it arrived as {receipt.number} for {names}"
        return ""

    def _unsaid(self) -> Iterator[Falsehood]:
        """Headlines in chats of which no account is given."""
        said: dict[tuple[str, int], set[int]] = defaultdict(set)
        joined: dict[tuple[str, int], set[int]] = defaultdict(set)
        for record in self.records:
            for account in record["accounts"]:
                key = (record["link"], account["chat"])
                if account["outcome"] in {"sent", "noted"}:
                    said[key].add(account["message"])
                elif account["alert"]:
                    joined[key].add(account["alert"]["message"])
        chats = {chat.where: chat for chat in self.history.chats.values()}
        for receipt in self.evidence.receipts.values():
            chat = chats.get((receipt.chat, receipt.topic))
            if chat is None:
                continue  # the operator's, who gets notices
            for link in self.shown(receipt, HEADLINES) & self.by_link.keys():
                record = self.by_link[link]
                numbers = said[link, chat.number]
                if receipt.number in numbers or self._is_copy(receipt, link, numbers):
                    continue
                text = f"message {receipt.number} shows it; accounts name {numbers or 'none'}"
                yield _about(record, chat.name, receipt.versions[-1].names, "nothing", text)
            for link in receipt.links(frozenset({Place.LATEST})) & self.by_link.keys():
                record = self.by_link[link]
                if chat.number not in {account["chat"] for account in record["accounts"]}:
                    continue  # an edit showed it; nobody there has a subscription any more
                if not (joined[link, chat.number] | said[link, chat.number]):
                    text = f"message {receipt.number} shows it as the newest of its story"
                    yield _about(record, chat.name, "", "nothing", text)

    def _is_copy(self, receipt: Receipt, link: str, numbers: set[int]) -> bool:
        """Whether it arrived more than once, which a message says, or nobody knew that it did."""
        if not any(failed.arrived for failed in self.evidence.failures):
            return False
        others = [self.evidence.receipts.get((receipt.chat, number or 0)) for number in numbers]
        return not numbers or any(other and link in other.links() for other in others)

    def shown(self, receipt: Receipt, places: frozenset[Place]) -> set[str]:
        """The articles that a message shows in these places, by their links.

        What was sent without styling shows some by their headlines alone.
        """
        links = receipt.links(places) - {""}
        titles = {
            item.title
            for version in receipt.versions
            for item in version.shown
            if not item.link and item.place in places
        }
        if titles:
            links |= {
                article.link
                for article in self.history.articles.values()
                if titles & {title for _, title in article.titles}
            }
        return links

    def fits(self, wish: Wish, article: Published, record: Mapping[str, Any]) -> bool:
        """Whether what a subscription asked for matches the article as newsbell has it."""
        return self._fits(wish, article, record["title"], self.names)

    def fits_title(self, wish: Wish, article: Published, title: str, since: float) -> bool:
        """Whether it matches a headline that it had, by the lists of then or of any later time."""
        lists = self.history.lists
        later = [names for at, names in lists if at >= since]
        before = [names for at, names in lists if at < since]
        return any(
            self._fits(wish, article, title, tuple((n, tuple(x)) for n, x in names.items()))
            for names in (*before[-1:], *later)
        )

    def _fits(
        self,
        wish: Wish,
        article: Published,
        title: str,
        names: tuple[tuple[str, tuple[str, ...]], ...],
    ) -> bool:
        if wish.feeds and wish.feeds.isdisjoint({article.feed, *article.tags}):
            return False
        feed = (article.feed, article.publisher, tuple(sorted(article.tags)))
        return matches(wish.query, names, title, article.text, article.link, feed)

    def reads(self, query: str) -> bool:
        """Whether a query can be read with the lists in force."""
        try:
            parse(query, dict(self.names))
        except QueryError:
            return False
        return True


@cache
def matches(
    query: str,
    names: tuple[tuple[str, tuple[str, ...]], ...],
    title: str,
    text: str,
    link: str,
    feed: tuple[str, str, tuple[str, ...]],
) -> bool:
    """Evaluate a query on an article, without the index and without explaining anything.

    `feed`: its name, publisher and tags.
    """
    try:
        tree = parse(query, dict(names))
    except QueryError:
        return False
    name, publisher, tags = feed
    article = Article(
        title=title,
        summary=text,
        language=language_of(f"{title} {text}"),
        link=link,
        feed_name=name,
        publisher=publisher,
        tags=tags,
    )
    return match(tree, ArticleWords(article)) is not None


def _about(
    record: Mapping[str, Any], chat: str, subscription: str, statement: str, evidence: str
) -> Falsehood:
    return Falsehood(record["link"], chat, subscription, statement, evidence)


def _is_soon(moment: float | None, after: float | None) -> bool:
    """Whether a moment is not before another, and not long after it; machines may be slow."""
    return moment is not None and after is not None and -1 < moment - after < 120


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
