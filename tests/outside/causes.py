"""What has to hold where `explain` names a cause: by the log of history and what Telegram answered.

Each function says what is false about an account; empty where it is true. No I/O, no clock.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from outside.evidence import Failed
from outside.history import Chat, Published, Subscribed, Wish

if TYPE_CHECKING:
    from outside.statements import Judge

DAY = 86400.0
#: seconds within which a change takes effect: people wait for answers, and feeds.yaml for quiet
EFFECT = 75.0
_PACE = 65.0  #: seconds until which a chat's turn comes at the latest
_AT_ONCE = 45.0  #: seconds within which an article may have met a change
_BACK_OFF = 620.0  #: the longest wait after a failure that names none


def seconds(moment: str | None) -> float | None:
    """A moment of the answer as seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp() if moment else None


def near(first: float | None, second: float | None, tolerance: float) -> bool:
    """Whether two moments are about the same, or both unknown."""
    if first is None or second is None:
        return first is second
    return abs(first - second) <= tolerance


@dataclass(frozen=True)
class Case:
    """One account, and what it is judged by."""

    judge: "Judge"
    record: Mapping[str, Any]
    article: Published
    account: Mapping[str, Any]
    chat: Chat
    subscribed: Subscribed | None

    @property
    def because(self) -> str:
        """The cause that is named."""
        return str(self.account["because"])

    @property
    def first_seen(self) -> float:
        """When the article came."""
        return seconds(self.record["first_seen"]) or 0.0

    @property
    def now(self) -> float:
        """When the account was given."""
        return self.judge.at

    @property
    def wish_then(self) -> Wish | None:
        """What the subscription asked for when the article came."""
        return self.subscribed.wish_at(self.first_seen) if self.subscribed else None

    @property
    def changed_since(self) -> bool:
        """Whether the subscription was changed since the article came, or about then."""
        if self.subscribed is None:
            return False
        moments = [wish.at for wish in self.subscribed.wishes[1:]]
        moments += [moment for pair in self.subscribed.gone for moment in pair if moment]
        return any(moment > self.first_seen - EFFECT for moment in moments)

    @cached_property
    def is_development(self) -> bool:
        """Whether the subscription wanted another article of the storyline that came before.

        What is new in a story is told for the subscriptions that it was alerted for.
        """
        wishes = self.subscribed.wishes if self.subscribed else []
        storyline = self.record["stories"]["storyline"]
        earlier = [
            self.judge.history.articles.get(record["link"])
            for record in self.judge.by_storyline[storyline]
            if record["article"] < self.record["article"]
        ]
        fits = self.judge.fits_title
        return any(
            fits(wish, article, title, self.first_seen)
            for article in earlier
            if article
            for _, title in article.titles
            for wish in wishes
        )

    @property
    def could_match(self) -> bool:
        """Whether anything that the subscription asked for matches any words of the article."""
        wishes = self.subscribed.wishes if self.subscribed else []
        titles = [title for _, title in self.article.titles]
        fits = self.judge.fits_title
        return any(fits(w, self.article, t, self.first_seen) for w in wishes for t in titles)

    @property
    def was_wanted(self) -> bool:
        """Whether the subscription matched the article while both were there.

        When it came, or when its headline changed; within seconds of a change of the
        subscription, what it asked for before and after both count.
        """
        subscribed = self.subscribed
        if subscribed is None:
            return False
        for begin, title in ((self.first_seen, self._title_then), *self.article.titles[1:]):
            for wish in subscribed.wishes_about(begin - EFFECT, begin + EFFECT):
                fits = self.judge.fits_title(wish, self.article, title, begin)
                if fits and not wish.paused:
                    return True
        return False

    @property
    def _title_then(self) -> str:
        titles = [title for at, title in self.article.titles if at <= self.first_seen]
        return titles[-1]

    @property
    def was_muted(self) -> bool:
        """Whether the chat muted the storyline well before the article came."""
        stances = [s for at, s in self.stances() if at < self.first_seen - EFFECT]
        later = [s for at, s in self.stances() if at >= self.first_seen - EFFECT]
        return bool(stances) and stances[-1] == "mute" and not later

    def stances(self) -> list[tuple[float, str]]:
        """What the chat wanted of the article's storyline, and since when."""
        storyline = self.record["stories"]["storyline"]
        turns = [turn for turn in self.judge.history.turns if turn.where == self.chat.where]
        return [
            (turn.at, turn.stance)
            for turn in turns
            if (other := self.judge.by_link.get(turn.link)) is None
            or other["stories"]["storyline"] == storyline
        ]

    @property
    def is_unable(self) -> str:
        """Why the article could lead to no message for the subscription; else empty."""
        article = self.article
        if self.subscribed is None:
            return ""
        if self.is_development:
            return ""
        if not self.could_match:
            return "the subscription has nothing to do with it"
        if article.readers is not None and self.chat.where not in article.readers:
            return "its feed is for others"
        if article.is_first or article.is_old:
            changed = len(article.titles) > 1
            return "" if changed else "it was there before, or is an archive's"
        return "" if self.was_wanted or self.changed_since else "it was not wanted then"

    @property
    def is_paused(self) -> str:
        """That the subscription is paused now, and so waits for nothing; else empty."""
        paused = self.subscribed is not None and self.subscribed.wish.paused
        return "the subscription is paused" if paused else ""

    def failures(self, link: str) -> Sequence[Failed]:
        """The sends of an article to the chat that failed."""
        return self.judge.failed.get((self.chat.where[0], link), ())

    @property
    def is_troubled(self) -> bool:
        """Whether something kept messages from the chat of late."""
        failed = self.judge.failed_in.get(self.chat.where[0], ())
        return (
            any(until is None or until > self.first_seen for _, until in self.judge.history.outages)
            or any(until is None or until > self.first_seen for _, until in self.chat.blocked)
            or any(item.at > self.first_seen - 3600 for item in failed)
        )


def held(case: Case) -> str:
    """Fewer publishers carry the story than a subscription waits for."""
    if problem := case.is_unable or case.is_paused:
        return problem
    account, subscribed = case.account, case.subscribed
    count, needed = account["publishers"], account["needed"]
    if subscribed is not None:
        wanted = subscribed.wish.options.get("publishers", 1)
        if needed > wanted or needed < 1:
            return f"it waits for {wanted} publishers"
    if not 1 <= count < needed:
        return f"{count} of {needed} is no reason to wait"
    problems = [_counts(case, level, count) for level in case.chat.levels]
    return _or_after(case) if "" in problems else problems[-1]


def _counts(case: Case, level: str, count: int) -> str:
    """So many articles of the story count, and each other one is named."""
    account, stories = case.account, case.record["stories"]
    if stories[level] not in case.judge.by_number:
        return ""  # the story began before what was asked for
    members = [
        judged
        for record in case.judge.records
        if record["stories"][level] == stories[level]
        and (judged := case.judge.history.articles.get(record["link"]))
        and (judged.readers is None or case.chat.where in judged.readers)
    ]
    uncounted = {item["article"] for item in account["uncounted"]}
    links = {case.judge.by_number[n]["link"] for n in uncounted if n in case.judge.by_number}
    if strange := links - {member.link for member in members}:
        return f"{sorted(strange)} are of another story"
    counted = [member for member in members if member.link not in links]
    if len(counted) != count:
        return f"{len(counted)} articles count: {[member.link for member in counted]}"
    names = {member.agency or member.publisher for member in counted}
    if len(names) < count:
        return f"the story has {len(names)} publishers: {sorted(names)}"
    return ""


def _or_after(case: Case) -> str:
    """Where its time is limited, it says when that is over."""
    until = seconds(case.account["until"])
    if until is not None and until <= case.now - 30:
        return "its time is over"
    if case.subscribed is None or case.changed_since:
        return ""
    span = case.subscribed.wish.options.get("or_after")
    if span is None:
        return ""
    hours = float(span[:-1]) * {"m": 60, "h": 3600, "d": DAY}[span[-1]]
    if until is None or until > case.first_seen + hours + 10:
        return f"it waits for {span} at most"
    return ""


def waiting(case: Case) -> str:
    """The chat is quiet, paused, in trouble or busy, as is said, and until then."""
    check = _WAITS.get(case.because)
    if check is None:
        return "there is no such cause"
    if problem := case.is_unable or case.is_paused:
        return problem
    refused = [item for item in case.failures(case.article.link) if item.status == 400]
    if len(refused) > 1:
        return "it was refused, and refused again without styling"
    until = seconds(case.account["until"])
    if until is not None and until < case.now - 2:
        return f"until {case.account['until']} is over"
    return check(case, until)


def _quiet(case: Case, until: float | None) -> str:
    if problem := _quiet_until(case):
        return problem
    end = (case.chat.quiet or (0, 0))[1]
    ends = (end - case.now % DAY / 60) % 1440 * 60 + case.now
    return "" if near(until, ends, 5) else f"it is quiet for {ends - case.now:.0f} s"


def _digest(case: Case, until: float | None) -> str:
    own = case.judge.history.of_chat(case.chat.where)
    wishes = [wish for subscribed in own for wish in subscribed.wishes]
    if not any(wish.options.get("urgency") == "digest" for wish in wishes):
        return "no subscription of the chat is for the digest"
    due = min((at - case.now % DAY / 60) % 1440 * 60 + case.now for at in case.chat.digest)
    if case.chat.quiet and not _is_quiet(case.chat.quiet, due):
        due += (case.chat.quiet[1] - due % DAY / 60) % 1440 * 60
    return "" if near(until, due, 5) else f"the digest is due at {case.chat.digest}"


def _retry(case: Case, until: float | None) -> str:
    if not case.failures(case.article.link):
        return "no send of it failed"
    return _chat_pace(case, until)


def _chat_pace(case: Case, until: float | None) -> str:
    """A send to the chat failed, and it is left alone as long as the answer said."""
    for failed in case.judge.failed_in.get(case.chat.where[0], ()):
        if until is None:
            break
        latest = failed.at + (failed.pause or _BACK_OFF)
        if near(until, latest, 10) or (not failed.pause and failed.at < until < latest):
            return ""
    return f"no answer asked for a pause until {case.account['until']}"


def _chat_paused(case: Case, until: float | None) -> str:
    del until
    blocked = case.chat.blocked
    return "" if blocked and blocked[-1][1] is None else "nobody blocked the bot"


def _service_down(case: Case, until: float | None) -> str:
    del until
    outages = case.judge.history.outages
    return "" if outages and outages[-1][1] is None else "Telegram works"


def _in_line(case: Case, until: float | None) -> str:
    """The chat takes messages, and others are sent."""
    if until is not None:
        return "nobody knows until when"
    loud = case.subscribed is not None and case.subscribed.wish.options.get("urgency") == "breaking"
    if not loud and not _quiet_until(case):
        return "the chat is quiet"
    if not _service_down(case, None) or not _chat_paused(case, None):
        return "nothing is sent there"
    receipts = case.judge.evidence.of_chat(*case.chat.where)
    busy = any(case.now - receipt.at < _PACE for receipt in receipts)
    others = case.judge.evidence.receipts.values()
    return "" if busy or any(case.now - r.at < 3 for r in others) else "nothing is before it"


def _quiet_until(case: Case) -> str:
    """What is false about it being quiet now; empty where it is."""
    hours = case.chat.quiet
    return _is_quiet(hours, case.now) if hours else "the chat has no quiet hours"


def _is_quiet(hours: tuple[int, int], moment: float) -> str:
    """The same for a moment."""
    (begin, end), minute = hours, moment % DAY / 60
    inside = begin <= minute < end if begin < end else minute >= begin or minute < end
    return "" if inside else f"it is not quiet: {hours}"


_WAITS: Mapping[str, Callable[[Case, float | None], str]] = {
    "quiet_hours": _quiet,
    "digest": _digest,
    "retry": _retry,
    "chat_pace": _chat_pace,
    "paused": _chat_paused,
    "service_down": _service_down,
    "in_line": _in_line,
    "collected": _in_line,
    "sending": _in_line,
}


def lost(case: Case) -> str:
    """Telegram refused it, or nobody knows, or somebody dropped it."""
    if problem := case.is_unable:
        return problem
    failures = case.failures(case.article.link)
    match case.because:
        case "refused":
            is_true = any(failed.status == 400 for failed in failures)
        case "undecided":
            is_true = any(failed.status in {0, 200} or failed.status >= 500 for failed in failures)
        case "dropped":
            is_true = bool(case.judge.history.dropped)
        case _:
            return "there is no such cause"
    return "" if is_true else f"Telegram answered {[failed.status for failed in failures]}"


def forgotten(case: Case) -> str:
    """Nothing is forgotten within a month."""
    age = case.now - case.first_seen
    return "" if age > 30 * DAY else f"it came {age / 3600:.1f} hours ago"


def not_sent(case: Case) -> str:
    """There was a reason not to send it."""
    check = _REASONS.get(case.because)
    if check is None:
        return "there is no such cause"
    return check(case)


def _muted(case: Case) -> str:
    stances = case.stances()
    now = stances[-1][1] if stances else ""
    then = [stance for at, stance in stances if at <= case.first_seen + EFFECT]
    if now == "mute" or (then and then[-1] == "mute"):
        return ""
    return f"nobody muted the storyline: {stances}"


def _paused(case: Case) -> str:
    if case.subscribed is None:
        return "there is no subscription to pause"
    wishes = [w for w in case.subscribed.wishes if w.at > case.first_seen - EFFECT]
    wishes += [case.wish_then] if case.wish_then else []
    return "" if any(wish.paused for wish in wishes) else "nobody paused it"


def _made_later(case: Case) -> str:
    made = case.subscribed.made_at if case.subscribed else 0.0
    return "" if made > case.first_seen - EFFECT else "it was there before"


def _deleted(case: Case) -> str:
    gone = case.subscribed.gone if case.subscribed else []
    spans = [(begin - EFFECT, (end or case.now) + EFFECT) for begin, end in gone]
    is_true = any(begin < case.first_seen < end for begin, end in spans)
    if case.subscribed is None or (case.subscribed.is_gone and gone):
        return ""
    return "" if is_true else "it was not deleted when the article came"


def _baseline(case: Case) -> str:
    return "" if case.article.is_first else "its feed had been fetched before"


def _archive(case: Case) -> str:
    return "" if case.article.is_old else "it was news"


def _feed_of_others(case: Case) -> str:
    readers = case.article.readers
    return "" if readers is not None and case.chat.where not in readers else "the chat reads it"


def _not_in_feeds(case: Case) -> str:
    feeds = case.subscribed.wish.feeds if case.subscribed else frozenset()
    inside = not feeds or not feeds.isdisjoint({case.article.feed, *case.article.tags})
    return "the feed is among those of the subscription" if inside else ""


def _no_match(case: Case) -> str:
    if case.subscribed is None:
        return "there is no subscription"
    words = replace(case.subscribed.wish, feeds=frozenset())
    fits = case.judge.fits(words, case.article, case.record)
    return f"{words.query} matches" if fits else ""


def _query_changed(case: Case) -> str:
    if case.subscribed is None:
        return "there is no subscription"
    now = case.subscribed.wish
    about = case.subscribed.wishes_about(case.first_seen - EFFECT, case.first_seen + EFFECT)
    others = [wish for wish in about if (wish.query, wish.feeds) != (now.query, now.feeds)]
    if not others:
        return "it was not changed since"
    title = _title_at(case.article, case.first_seen)
    fits = case.judge.fits_title
    if all(fits(wish, case.article, title, case.first_seen) for wish in others):
        return f"{[wish.query for wish in others]} matched, too"
    return ""


def _title_at(article: Published, moment: float) -> str:
    return [title for at, title in article.titles if at <= moment][-1]


def _read_differently(case: Case) -> str:
    lists = case.judge.history.lists[-1][0] > case.first_seen - EFFECT
    queries = [wish.query for wish in case.subscribed.wishes] if case.subscribed else []
    if lists and any("@" in query for query in queries):
        return ""
    return "nothing reads differently"


def _changing(case: Case) -> str:
    if case.subscribed is None:
        return "there is no subscription"
    moments = [wish.at for wish in case.subscribed.wishes]
    moments += [moment for pair in case.subscribed.gone for moment in pair if moment]
    near_by = any(abs(moment - case.first_seen) < _AT_ONCE for moment in moments)
    return "" if near_by else "nobody changed it about then"


def _chat_added_later(case: Case) -> str:
    return "" if case.chat.made_at > case.first_seen - EFFECT else "the chat was there before"


def _withdrawn(case: Case) -> str:
    if problem := case.is_unable:
        return problem
    return "" if case.changed_since or case.subscribed is None else "nobody changed it since"


def _broken_query(case: Case) -> str:
    query = case.subscribed.wish.query if case.subscribed else ""
    return f"{query} can be read" if case.judge.reads(query) else ""


def _merged(case: Case) -> str:
    """The chat has another article's alert of the story."""
    if problem := case.is_unable:
        return problem
    alert = case.account["alert"]
    own = alert is None or alert["article"] == case.record["article"]
    return "there is no other alert of its story" if own else ""


_REASONS: Mapping[str, Callable[[Case], str]] = {
    "muted": _muted,
    "paused": _paused,
    "made_later": _made_later,
    "deleted": _deleted,
    "baseline": _baseline,
    "archive": _archive,
    "feed_of_others": _feed_of_others,
    "not_in_feeds": _not_in_feeds,
    "no_match": _no_match,
    "query_changed": _query_changed,
    "read_differently": _read_differently,
    "changing": _changing,
    "chat_added_later": _chat_added_later,
    "withdrawn": _withdrawn,
    "broken_query": _broken_query,
    "merged": _merged,
}
#: what has to hold of an outcome without a message
CAUSES: Mapping[str, Callable[[Case], str]] = {
    "held": held,
    "waiting": waiting,
    "not_sent": not_sent,
    "lost": lost,
    "forgotten": forgotten,
}
