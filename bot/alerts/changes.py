"""Decide what a change of an article is, and how a chat hears of it.

A withdrawal, a correction, or an update of an incident on a status page; any other change of words
is none, and changes the alert's message alone. No I/O, no clock.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from bot.model.chats import Updates
from bot.model.entries import KnownEntry, Revision
from bot.model.feeds import FeedDue
from bot.model.updates import ArticleChange, ChangeKind
from bot.text.counters import same_but_counting
from bot.text.fold import folded_key
from bot.text.incident import changed_part, incident_updates, is_status_page, newest, without_status
from bot.text.withdrawal import (
    Statement,
    Withdrawal,
    number_of_sign,
    statements,
    withdrawal_of,
    without_sign,
)

_KINDS = {
    Withdrawal.WITHDRAWN: ChangeKind.WITHDRAWN,
    Withdrawal.CORRECTED: ChangeKind.CORRECTED,
}
_LOUDNESS = (Updates.EDIT, Updates.NOTE, Updates.ALERT)


def withdrawal(known: KnownEntry) -> ArticleChange:
    """Return the change of an article that its feed took back, or whose page is gone for good."""
    return _withdrawn(known, "")


def change_of(revision: Revision, feed: FeedDue) -> ArticleChange | None:
    """Return what other words of an article mean for those who were alerted of it."""
    said = None if revision.flips else _said(revision)
    if said is not None and _KINDS[said.kind] is ChangeKind.WITHDRAWN:
        return _withdrawn(revision.known, said.text)
    return _corrected(revision, said) or _progress(revision, feed)


def loudest(choices: Iterable[Updates | None]) -> Updates | None:
    """Return the loudest of several choices; None where nobody chose."""
    chosen = [choice for choice in choices if choice is not None]
    return max(chosen, key=_LOUDNESS.index, default=None)


def fashion(
    kind: ChangeKind, chosen: Updates | None, *, can_change: bool, is_at_hand: bool = True
) -> Updates:
    """Return how a chat hears of a change of what was sent.

    `can_change`: messages of its service can change; `is_at_hand`: it is known which message that
    is. Where what was sent is wrong and cannot be changed, a reply says so, unless somebody chose
    changed messages alone for a chat in which no message changes.
    """
    if chosen in {Updates.NOTE, Updates.ALERT}:
        return chosen
    silent = (can_change and is_at_hand) or not kind.is_wrong
    return Updates.EDIT if silent or (chosen and not can_change) else Updates.NOTE


def _said(revision: Revision) -> Statement | None:
    """What the new words say of the article that the old ones did not, a withdrawal first."""
    known = revision.known
    said_before = {item.key for item in _statements(known.title, known.summary, known.body)}
    new = [
        item
        for item in _statements(revision.title, revision.summary, revision.body)
        if item.key not in said_before
    ]
    new.sort(key=lambda item: item.kind is not Withdrawal.WITHDRAWN)
    kind, kind_before = withdrawal_of(revision.title), withdrawal_of(known.title)
    if kind is Withdrawal.WITHDRAWN and kind_before is kind:
        return None  # its headline said so before
    is_sign_new = kind is not None and (kind is not kind_before or revision.is_reworded)
    if kind is None or not is_sign_new or (new and new[0].kind is Withdrawal.WITHDRAWN):
        return next(iter(new), None)
    return next((item for item in new if item.kind is kind), Statement(kind, ""))


def _statements(title: str, summary: str, body: str) -> Sequence[Statement]:
    """The statements of an article: posts have theirs in the headline, which is all their text."""
    return [item for text in (without_sign(title), summary, body) for item in statements(text)]


def _withdrawn(known: KnownEntry, text: str) -> ArticleChange:
    return ArticleChange(
        ChangeKind.WITHDRAWN, _mark(ChangeKind.WITHDRAWN), without_sign(known.title), text=text
    )


def _corrected(revision: Revision, said: Statement | None) -> ArticleChange | None:
    if said is None:
        return None
    known = revision.known
    title, before = without_sign(revision.title), without_sign(known.title)
    same_text = same_but_counting(known.summary, revision.summary)
    text = said.text or ("" if same_text else changed_part(known.summary, revision.summary))
    return ArticleChange(
        ChangeKind.CORRECTED,
        _mark(
            ChangeKind.CORRECTED,
            f"{title} {number_of_sign(revision.title)}",
            said.key or revision.summary,
        ),
        title,
        "" if folded_key(title) == folded_key(before) else before,
        text=text,
    )


def _progress(revision: Revision, feed: FeedDue) -> ArticleChange | None:
    """The newest update of an incident, where the entry is one."""
    known = revision.known
    status_page = is_status_page(feed.url, feed.tags)
    text, text_before = revision.body or revision.summary, known.body or known.summary
    before = [
        update
        for title, text in ((known.title, text_before), *known.earlier)
        for update in incident_updates(title, text, status_page=status_page)
    ]
    part = changed_part(text_before, text) if text != text_before else ""
    after = incident_updates(revision.title, text, status_page=status_page)
    news = newest(before, after)
    if news is not None:
        mark = _mark(ChangeKind.PROGRESS, news.key, "" if news.text else folded_key(text))
        said, status = news.text or part, news.status
    elif status_page and not any(item.text for item in after) and _is_new(revision):
        # A page that writes no list of updates: whatever it says now is the newest.
        mark = _mark(ChangeKind.PROGRESS, revision.title, text)
        said, status = part, after[0].status if after else ""
    else:
        return None
    title, title_before = (
        without_status(title, status_page=status_page) for title in (revision.title, known.title)
    )
    renamed = folded_key(title) != folded_key(title_before)
    return ArticleChange(
        ChangeKind.PROGRESS, mark, title, title_before if renamed else "", status, said
    )


def _is_new(revision: Revision) -> bool:
    return revision.is_reworded and not revision.flips


def _mark(kind: ChangeKind, *words: str) -> bytes:
    text = "\n".join((kind, *map(folded_key, words)))
    return blake2b(text.encode(), digest_size=16).digest()
