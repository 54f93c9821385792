"""What a subscription would have sent of a story: the same rules as for alerts, on stored entries.

Only what stored entries tell: no follows and mutes, no other subscriptions of the chat. `alerts`
decides real alerts. No I/O, no clock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.model.archive import StoryMember
from bot.model.chats import AlertOptions, Developments
from bot.model.entries import Silence
from bot.model.stories import Grouping
from bot.stories.headline_kinds import Kind, kind_of


@dataclass(frozen=True, slots=True)
class Terms:
    """What a subscription sends, beside its query."""

    feeds: tuple[str, ...] = ()  #: tags, names or addresses; empty: all
    options: AlertOptions = AlertOptions()
    grouping: Grouping = Grouping.NORMAL  #: the level of stories that the chat chose
    developments: Developments = Developments.NOTE  #: how the chat hears of them

    @property
    def heard(self) -> Developments:
        """Return how the chat hears of developments in what this subscription alerts."""
        return self.options.developments or self.developments


@dataclass(frozen=True, slots=True)
class PastMessage:
    """A message that would have been sent."""

    at: datetime
    entry_id: int  #: the entry that led to it
    feed: str  #: address of that entry's feed
    silent: bool = False  #: a note on a development


def time_of(member: StoryMember) -> datetime:
    """Return when an entry counts: when it came; before its feed was watched, by its date."""
    if member.silent is not Silence.BASELINE:
        return member.first_seen_at
    # Without a date all that is known is that it is older than the first fetch.
    before = member.first_seen_at - timedelta.resolution
    return min(member.published, member.first_seen_at) if member.published else before


def messages_of(
    members: Sequence[StoryMember], matched: Collection[int], terms: Terms, now: datetime
) -> list[PastMessage]:
    """Return what one story would have sent until now.

    Args:
        members: all entries of the story that the chat can read.
        matched: ids of the entries that the subscription matches.
        terms: how the subscription alerts.
        now: when a story that waits has waited until.
    """
    story = _Story(terms)
    for member in sorted(members, key=lambda member: (time_of(member), member.id)):
        story.release(time_of(member))
        story.add(member, matches=member.id in matched)
    story.release(now)
    return story.messages


class _Story:
    """The state of one story while its entries come."""

    def __init__(self, terms: Terms) -> None:
        self._terms, self._options = terms, terms.options
        self.messages: list[PastMessage] = []
        self._origins: set[str] = set()
        self._told: set[int] = set()  # strict stories that a piece of news told of
        self._first: StoryMember | None = None  # the first that matches
        self._due: datetime | None = None
        self._alerted = self._alerted_again = False

    def release(self, now: datetime) -> None:
        """Alert what has waited long enough for further publishers."""
        if self._first and self._due and not self._alerted and self._due <= now:
            self._alert(self._due)

    def add(self, member: StoryMember, *, matches: bool) -> None:
        """Take in the next entry."""
        before, alerted = len(self._origins), self._alerted
        if member.counts(self._terms.grouping):
            self._origins.add(member.origin)
        if matches and self._first is None and member.silent is not Silence.ARCHIVE:
            self._first = member
            wait = self._options.or_after
            self._due = time_of(member) + wait if wait is not None else None
        count = len(self._origins)
        if self._first and not self._alerted and count >= self._options.publishers:
            self._alert(time_of(member))
        again = self._options.alert_again_at
        if alerted and not self._alerted_again and again and before < again <= count:
            self._alerted_again = True
            self._say(time_of(member), member)
        self._tell(member, alerted=alerted)

    def _tell(self, member: StoryMember, *, alerted: bool) -> None:
        """Tell the chat of a development: the first news of a strict story of its own."""
        strict = member.story_ids.strict
        if strict in self._told or kind_of(member.title) is not Kind.NEWS:
            return
        self._told.add(strict)
        is_own = strict == member.story_ids.at(self._terms.grouping)
        if not alerted or is_own or member.silent is Silence.ARCHIVE:
            return
        heard = self._terms.heard
        if heard is not Developments.EDIT:
            self._say(time_of(member), member, silent=heard is Developments.NOTE)

    def _alert(self, at: datetime) -> None:
        if self._first:
            self._alerted = True
            self._say(at, self._first)

    def _say(self, at: datetime, member: StoryMember, *, silent: bool = False) -> None:
        self.messages.append(PastMessage(at, member.id, member.feed, silent))
