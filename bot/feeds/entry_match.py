"""Find the known entry that an entry of a document is. `entry_identity` says what follows.

The rules are those of docs/design.md, "Entry identity"; each names the trouble it answers. No I/O,
no clock.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.feeds.last_document import Document
from bot.model.entries import EntryKeys, KnownEntry, ParsedDocument, ParsedEntry
from bot.model.feeds import FeedDue, Policy
from bot.model.poll import KnownEntries
from bot.text.counters import same_but_counters
from bot.text.fold import folded_key
from bot.text.url import canonical, names_page

_ALIKE = 0.6  # share of words that two versions of a headline have in common
_AT_FETCH = timedelta(minutes=2)  # a date as close to the fetch may be that of the fetch
_BEARERS = 20  # newest known entries of one link that are compared word for word
_VERSION_DIGITS = 3  # of a number behind a guid that counts versions of one article


def unchanged_entries(last: Document, document: ParsedDocument) -> frozenset[int]:
    """Entries whose blocks are in the document as they were."""
    present = frozenset(document.blocks)
    return frozenset(entry for block, entry in last.records if entry and block in present)


class Recogniser:
    """Compares the entries of one document with those the store knows."""

    def __init__(
        self, feed: FeedDue, document: ParsedDocument, known: KnownEntries, now: datetime
    ) -> None:
        own, last = known.entries, Document.unpack(feed.state.document)
        self._now = now
        self.unchanged = unchanged_entries(last, document)
        self.before = last.entries
        self.by_guid = {entry.keys.guid: entry for entry in own if entry.keys.guid}
        self._by_key_of_link: dict[bytes, list[KnownEntry]] = {}
        for entry in own:
            if entry.keys.link:
                self._by_key_of_link.setdefault(entry.keys.link, []).append(entry)
        self._by_title = {entry.keys.title: entry for entry in own if entry.keys.title}
        self._by_guid_link = {(entry.keys.guid, entry.keys.link): entry for entry in own}
        self._by_all = {
            (entry.keys.guid, entry.keys.link, entry.keys.title): entry for entry in own
        }
        bearers = Counter(entry.keys.article for entry in own)
        # A number that several articles bear is that of a section.
        self._by_article = {
            entry.keys.article: entry
            for entry in own
            if entry.keys.article and bearers[entry.keys.article] == 1
        }
        self._vanished = [
            entry for entry in own if entry.id in self.before and entry.id not in self.unchanged
        ]
        self._home = canonical(document.link)
        self._articles = Counter(
            entry.keys.article for entry in document.entries if entry.keys.article
        )
        self._links = {entry.keys.link for entry in document.entries if entry.keys.link}
        self.guids_changed = self._mostly_changed(document, "guid", self.by_guid)
        self._links_changed = self._mostly_changed(document, "link", self._by_key_of_link)

    def find(
        self, entry: ParsedEntry, keys: EntryKeys, policy: Policy, links_identify: bool
    ) -> KnownEntry | None:
        """Return the known entry that this one is, None where it is new."""
        match policy:
            case Policy.TITLE:
                return self._by_title.get(keys.title)
            case Policy.LINK_TITLE:
                return self._by_link_or_title(entry, keys, links_identify)
            case Policy.GUID_LINK:
                return self._by_guid_and_link(keys, links_identify) or self._by_link(
                    entry, keys, links_identify
                )
            case Policy.GUID:
                return (
                    self._by_guid(keys)
                    or self._by_link(entry, keys, links_identify)
                    or self._renamed(entry, keys)
                )

    def is_another(self, known: KnownEntry, keys: EntryKeys) -> bool:
        """Whether the known entry stands in this document beside the one with these keys."""
        beside = known.keys.link != keys.link and known.keys.link in self._links
        return known.keys.title != keys.title and (known.id in self.unchanged or beside)

    def _mostly_changed(
        self, document: ParsedDocument, kind: str, known: Mapping[bytes, object]
    ) -> bool:
        """Whether most entries have another guid or link than before.

        A key is another one if it is new while the headline is known and this entry's alone. With
        a new guid the text has to be the same as well: bulletins repeat their headlines.
        """
        titles = Counter(entry.keys.title for entry in document.entries)
        count = 0
        for entry in document.entries:
            key, title = getattr(entry.keys, kind), entry.keys.title
            same = self._by_title.get(title) if titles[title] == 1 and key not in known else None
            if key and same:
                count += kind == "link" or same_but_counters(same.summary, entry.summary)
        return count >= 3 and 2 * count > max(len(document.blocks), len(document.entries))

    def _by_guid(self, keys: EntryKeys) -> KnownEntry | None:
        known = self.by_guid.get(keys.guid)
        return None if known and self.is_another(known, keys) else known

    def _by_guid_and_link(self, keys: EntryKeys, links_identify: bool) -> KnownEntry | None:
        if not keys.link:
            return self._by_title.get(keys.title)
        known = self._by_all.get((keys.guid, keys.link, keys.title))
        if known or not links_identify:
            return known
        known = self._by_guid_link.get((keys.guid, keys.link))
        return None if known and self.is_another(known, keys) else known

    def _by_link_or_title(
        self, entry: ParsedEntry, keys: EntryKeys, links_identify: bool
    ) -> KnownEntry | None:
        """By link; by headline where links say nothing, all have changed or a link was replaced.

        A daily column keeps its headline, too, so the headline alone does not identify.
        """
        link_counts = links_identify and self._names_a_page(entry)
        bearers = self._by_key_of_link.get(keys.link, [])[-_BEARERS:] if link_counts else []
        # What stands beside it as it was, with another date and text, is another item.
        same = [
            known
            for known in bearers
            if known.id not in self.unchanged
            or _is_same_date(known, entry, None)
            or same_but_counters(known.summary, entry.summary)
        ]
        if same:
            return self._same_item(entry, keys, same) or same[-1]
        known = self._by_title.get(keys.title)
        replaced = (
            known in self._vanished and known.keys.link not in self._links if known else False
        )
        return known if replaced or self._links_changed or not link_counts else None

    def _names_a_page(self, entry: ParsedEntry) -> bool:
        return (
            bool(entry.keys.link) and names_page(entry.link) and canonical(entry.link) != self._home
        )

    def _by_link(
        self, entry: ParsedEntry, keys: EntryKeys, links_identify: bool
    ) -> KnownEntry | None:
        known_of_link = self._by_key_of_link.get(keys.link)
        if known_of_link is None or not self._names_a_page(entry):
            return None
        bearers = known_of_link[-_BEARERS:]
        same = self._same_item(entry, keys, bearers)
        if same:
            return same
        edited = [
            known
            for known in bearers
            if known.id not in self.unchanged and not self._is_reissue(known, entry)
        ]
        known = edited[-1] if edited else None
        return known if known and (links_identify or known.keys.title == keys.title) else None

    def _same_item(
        self, entry: ParsedEntry, keys: EntryKeys, bearers: Sequence[KnownEntry]
    ) -> KnownEntry | None:
        """The one of these known entries of its link that this entry is, word for word."""
        return next(
            (
                known
                for known in bearers
                if known.keys.title == keys.title and is_same_item(known, entry, self._now)
            ),
            None,
        )

    def _is_reissue(self, known: KnownEntry, entry: ParsedEntry) -> bool:
        """Whether an entry is the next bulletin under the link of a known one, and no edit of it.

        Its guid is another one and means something, and its text or date is another one, too;
        under another headline all of these are.
        """
        if known.keys.link != entry.keys.link or not _differ_in_guid(known, entry):
            return False
        if known.keys.title == entry.keys.title:
            return not is_same_item(known, entry, self._now)
        same_date = _is_same_date(known, entry, self._now)
        same_text = bool(entry.summary) and same_but_counters(known.summary, entry.summary)
        return not same_date and not same_text and not _alike(known.title, entry.title)

    def _renamed(self, entry: ParsedEntry, keys: EntryKeys) -> KnownEntry | None:
        """A headline edit that changed the slug, and with it link and guid.

        The article number or the date of publication stayed.
        """
        known = (
            self._by_article.get(keys.article)
            if keys.article and self._articles[keys.article] == 1
            else None
        )
        if known and known in self._vanished and not self._is_reissue(known, entry):
            return known
        # Feeds that date by the day or the hour give one moment to many entries.
        moment = (
            entry.published
            if entry.published and (entry.published.minute or entry.published.second)
            else None
        )
        for candidate in self._vanished:
            if self._names_a_page(entry) and self._is_reissue(candidate, entry):
                continue
            if moment and candidate.published == moment and _alike(candidate.title, entry.title):
                return candidate
            same = (
                candidate.keys.title == keys.title
                and candidate.summary == entry.summary
                and candidate.published == entry.published
            )
            if same and not self._names_a_page(entry):
                return candidate
        return None


def is_same_item(
    first: KnownEntry | ParsedEntry, second: ParsedEntry, now: datetime | None = None
) -> bool:
    """Whether two entries of one link and headline are one item.

    Feeds of warnings show each under one link and one headline: there a guid that differs together
    with date or text tells them apart. Without guids that say something, date and text both differ.
    """
    if _differ_in_guid(first, second):
        # The dates first: texts are costly to compare.
        return _is_same_date(first, second, now) and same_but_counters(
            first.summary, second.summary
        )
    return _is_same_date(first, second, None) or same_but_counters(first.summary, second.summary)


def _differ_in_guid(first: KnownEntry | ParsedEntry, second: ParsedEntry) -> bool:
    """Whether both have a guid of their own, and another one.

    A guid that is the link, or the link with the number of a version behind it, is none.
    """
    guid, _, fragment = second.guid.partition("#")
    is_version = not fragment or (fragment.isdecimal() and len(fragment) <= _VERSION_DIGITS)
    is_link = guid.startswith(("http://", "https://")) and canonical(guid) == canonical(second.link)
    differ = first.keys.guid != second.keys.guid
    return bool(differ and first.keys.guid and second.keys.guid) and not (is_link and is_version)


def _is_same_date(
    first: KnownEntry | ParsedEntry, second: ParsedEntry, now: datetime | None
) -> bool:
    """Whether the dates tell the two apart; with `now`, those of their fetches do not."""
    if first.published is None or second.published is None:
        return True
    if second.published in {first.published, first.updated}:
        return True
    return (
        now is not None
        and isinstance(first, KnownEntry)
        and abs(first.published - first.first_seen_at) < _AT_FETCH
        and abs(second.published - now) < _AT_FETCH
    )


def _alike(first: str, second: str) -> bool:
    words, others = set(folded_key(first).split()), set(folded_key(second).split())
    numbers = {word for word in words ^ others if any(map(str.isdigit, word))}
    return bool(words) and not numbers and len(words & others) >= _ALIKE * len(words | others)
