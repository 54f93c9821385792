"""What is known of the alerts of one batch's stories while the batch is decided. No I/O, no clock.

Decides nothing: `decide` asks it what the chats have and enters what they are to get.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from bot.model.alerts import KnownAlert, Stance, StoryOrigin, StoryState, publishers_for
from bot.model.entries import PlacedEntry
from bot.model.stories import Grouping, StoryIds
from bot.stories.assign import Merges


@dataclass(frozen=True, slots=True)
class AlertState:
    """Alerts, publishers and stances as the store has them and as the batch changed them so far."""

    merges: Merges
    #: alerts by story and chat
    alerts: Mapping[int, Mapping[int, KnownAlert]] = field(default_factory=dict)
    #: whom the entries of a story count for
    origins: Mapping[tuple[Grouping, int], frozenset[StoryOrigin]] = field(default_factory=dict)
    #: what chats want of a storyline, by storyline and chat
    stances: Mapping[int, Mapping[int, Stance]] = field(default_factory=dict)
    #: publishers that an alert counted before its story merged, by chat and story
    counted: Mapping[tuple[int, int], int] = field(default_factory=dict)
    #: alerts whose story became part of another, of which the chat has an alert as well
    superseded: tuple[KnownAlert, ...] = ()

    @classmethod
    def of(cls, stored: StoryState, merges: Merges) -> "AlertState":
        """The stored state where the merges of the batch lead it."""
        alerts: dict[int, dict[int, KnownAlert]] = {}
        counted: dict[tuple[int, int], int] = {}
        active = (alert for alert in stored.alerts if not alert.superseded)
        # What was sent outlives what waits.
        for alert in sorted(active, key=_precedence):
            story = merges.follow(alert.grouping, alert.story_id)
            chats = alerts.setdefault(story, {})
            chats[alert.chat_id] = _joined(chats.get(alert.chat_id, alert), alert, story)
            if merges.done:
                counts = stored.origins.get((alert.grouping, alert.story_id), ())
                publishers = publishers_for(counts, alert.chat_id)
                counted.setdefault((alert.chat_id, story), publishers)
        superseded = tuple(alert for alert in stored.alerts if alert.superseded)
        origins, stances = _origins(stored, merges), _stances(stored, merges)
        return cls(merges, alerts, origins, stances, counted, superseded)

    def stance(self, chat: int, story_ids: StoryIds) -> Stance | None:
        """What a chat wants of the entry's storyline."""
        return self.stances.get(story_ids.storyline, {}).get(chat)

    def publishers(self, chat: int, level: Grouping, story_ids: StoryIds) -> int:
        """Independent publishers of the entry's story, among those that the chat sees."""
        return publishers_for(self.origins.get((level, story_ids.at(level)), ()), chat)

    def of_stories(
        self, story_ids: StoryIds, grouping: Callable[[int], Grouping]
    ) -> list[KnownAlert]:
        """The alerts of the entry's stories, in all chats."""
        alerts = (
            _as_of(alert, number, story_ids, grouping)
            for number in _numbers(story_ids)
            for alert in self.alerts.get(number, {}).values()
        )
        return [alert for alert in alerts if alert]

    def of_chat(
        self, chat: int, story_ids: StoryIds, grouping: Callable[[int], Grouping]
    ) -> KnownAlert | None:
        """A chat's alert of the entry's story: of two, the one at the chat's own level."""
        alerts = [
            current
            for number in _numbers(story_ids)
            if (alert := self.alerts.get(number, {}).get(chat))
            and (current := _as_of(alert, number, story_ids, grouping))
        ]
        own = story_ids.at(grouping(chat))
        return min(alerts, key=lambda alert: (alert.note, alert.story_id != own), default=None)


class AlertStateDraft:
    """A state under change during one decision; the state it began with stays as it is."""

    def __init__(self, before: AlertState) -> None:
        self._alerts: dict[int, Mapping[int, KnownAlert]] = dict(before.alerts)
        self._own: dict[int, dict[int, KnownAlert]] = {}  # stories that are not those of `before`
        self._origins = dict(before.origins)
        self._counted = dict(before.counted)
        self.state = replace(
            before, alerts=self._alerts, origins=self._origins, counted=self._counted
        )

    def put(self, alert: KnownAlert) -> None:
        """A chat has this alert from now on."""
        story = alert.story_id
        if story not in self._own:
            self._alerts[story] = self._own[story] = dict(self._alerts.get(story, {}))
        self._own[story][alert.chat_id] = alert

    def add_origin(self, placed: PlacedEntry, chats: frozenset[int] | None) -> None:
        """An entry counts for its origin in the stories that it opens or confirms.

        `chats` are those that read its feed; None: all.
        """
        origin = StoryOrigin(placed.origin, chats)
        entry, confirms, story_ids = placed.entry.id, placed.placement.confirms, placed.story_ids
        origins, own = self._origins, frozenset((origin,))
        for key, counts in (
            ((Grouping.STRICT, story_ids.strict), True),
            ((Grouping.NORMAL, story_ids.story), confirms or story_ids.story == entry),
            ((Grouping.LOOSE, story_ids.storyline), confirms or story_ids.storyline == entry),
        ):
            if counts:
                known = origins.get(key)
                origins[key] = known | own if known else own

    def take_counted(self, alert: KnownAlert, default: int) -> int:
        """Publishers that the alert counted before its story merged, once; then the default."""
        return self._counted.pop((alert.chat_id, alert.story_id), default)


def _precedence(alert: KnownAlert) -> tuple[bool, bool, int]:
    return alert.undelivered, alert.pending, alert.story_id


def _joined(first: KnownAlert, alert: KnownAlert, story: int) -> KnownAlert:
    """Of two alerts of a chat whose stories became one: the first, with what the other has."""
    subscriptions = first.subscriptions
    if not alert.undelivered:
        subscriptions |= alert.subscriptions
    again = first.alerted_again or alert.alerted_again
    return replace(first, story_id=story, subscriptions=subscriptions, alerted_again=again)


def _origins(
    stored: StoryState, merges: Merges
) -> Mapping[tuple[Grouping, int], frozenset[StoryOrigin]]:
    origins: dict[tuple[Grouping, int], frozenset[StoryOrigin]] = {}
    for (level, story), names in stored.origins.items():
        key = (level, merges.follow(level, story))
        origins[key] = origins.get(key, frozenset()) | names
    return origins


def _stances(stored: StoryState, merges: Merges) -> Mapping[int, Mapping[int, Stance]]:
    """Where two storylines become one, the stance on the one that stays goes first.

    The store does the same.
    """
    stances: dict[int, dict[int, Stance]] = {}
    targets = {number: merges.follow(Grouping.LOOSE, number) for number in stored.stances}
    for storyline in sorted(targets, key=lambda number: targets[number] != number):
        target = stances.setdefault(targets[storyline], {})
        for chat, stance in stored.stances[storyline].items():
            target.setdefault(chat, stance)
    return stances


def _as_of(
    alert: KnownAlert, number: int, story_ids: StoryIds, grouping: Callable[[int], Grouping]
) -> KnownAlert | None:
    """The alert, if it is for a story of this number that the entry belongs to.

    An alert keeps the level at which it was made. Where its chat chose a wider one since, and the
    wider story has the same number, the alert is for that story from now on.
    """
    if number == story_ids.at(alert.grouping):
        return alert
    level = grouping(alert.chat_id)
    return replace(alert, grouping=level) if number == story_ids.at(level) else None


def _numbers(story_ids: StoryIds) -> Iterable[int]:
    """The numbers of an entry's stories, each once, the widest first."""
    return dict.fromkeys((story_ids.storyline, story_ids.story, story_ids.strict))
