"""Read what a status page says of an incident: its updates, each with a status and a time.

A status page has one entry for an incident and adds its updates to the text of that:
"Jun 5, 14:32 UTC Resolved - This incident has been resolved. Jun 5, 13:50 UTC Monitoring - ...".
Which change of an alert that is, is decided elsewhere.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.text.around import around
from bot.text.clean import cut
from bot.text.fold import folded_key

NEWS = 300  #: code points of an update that are kept
TAGS = frozenset({"status", "status-page", "incidents"})  #: that say that a feed is one

# What is said while a fault lasts and when it ends; by these an incident is known.
_FAULT = r"""
    investigating|identified|monitoring|(?:partially\ )?resolved|mitigated|recovering
    |untersuchung|identifiziert|beobachtung|überwachung|behoben|gelöst
    |investigando|identificado|monitore(?:ando|o)|supervisando|resuelto
    |расследуем|изучаем|определено|наблюдаем|решено|устранено
    |досліджуємо|визначено|спостерігаємо|вирішено|усунено
    |قيد\ التحقيق|تم\ تحديد\ السبب|قيد\ المراقبة|تم\ الحل
"""
_STATUS = rf"""(?:{_FAULT}
    |update[ds]?|in\ progress|scheduled|verifying|completed|post-?mortem|fixed|service\ restored
    |degraded|(?:partial\ |major\ )?outage|maintenance
    |aktualisierung|geplant|actualización|programado|обновление|запланировано|оновлення|заплановано
    |تحديث
)"""
_DAY = r"""(?:
    (?:[^\W\d_]{3,10}\.?\s+\d{1,2}|\d{1,2}\.?\s+[^\W\d_]{3,10}\.?|\d{4}-\d\d-\d\d)
    (?:,?\s+\d{4})?,?(?:\s+(?:at|um))?[\sT]+
)?"""
_ZONE = r"(?:\s?(?:[A-Z]{2,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:?\d{2}|Z)\b)?"
_TIME = rf"{_DAY}\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s?[AaPp][Mm])?{_ZONE}"
_SAYS = r"\s*[-–—:]\s"
_FLAGS = re.VERBOSE | re.IGNORECASE
# With its time: before the status, or behind it.
_DATED = re.compile(
    rf"""(?<!\w)(?:
        (?P<before>{_TIME})[\s\]):,–—-]{{1,4}}(?P<status>{_STATUS}){_SAYS}
        |(?P<other>{_STATUS})\s*[(\[]?(?:at\ )?(?P<behind>{_TIME})[)\]]?{_SAYS}
    )""",
    _FLAGS,
)
_UNDATED = re.compile(rf"(?:^|(?<=[.!?…])\s+)(?P<status>{_STATUS}){_SAYS}", _FLAGS)
_BRACKETED = re.compile(rf"^\s*[\[(【]\s*(?P<status>{_STATUS})\s*[\])】]", _FLAGS)
_LEADING = re.compile(rf"^\s*(?P<status>{_STATUS}){_SAYS}", _FLAGS)
_OF_FAULT = re.compile(rf"(?:{_FAULT})", _FLAGS)
_HOSTS = frozenset({"statuspage.io", "instatus.com", "status.io", "hund.io", "statuscast.com"})
_MOST = 60  # updates of one text


@dataclass(frozen=True, slots=True)
class IncidentUpdate:
    """What was said of an incident at one time."""

    status: str  #: as it is written there; empty where none is named
    text: str
    key: str  #: the same for the same update, whatever became of its wording


def is_status_page(url: str, tags: Iterable[str]) -> bool:
    """Whether a feed is that of a status page: by its host, or because a tag says so."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        host = ""
    labels = host.split(".")
    named = any(label.endswith("status") for label in labels[:-1])
    return named or ".".join(labels[-2:]) in _HOSTS or not TAGS.isdisjoint(map(str.lower, tags))


def incident_updates(title: str, text: str, *, status_page: bool) -> tuple[IncidentUpdate, ...]:
    """Return the updates that an entry has, in the order of its text, that of its headline last.

    Of what is no `status_page` only those with a time, where one of them names a fault's status,
    and such a status in brackets before the headline: "Update:" is a word of every day.
    """
    found = list(_DATED.finditer(text))[:_MOST]
    if not found and status_page:
        found = list(_UNDATED.finditer(text))[:_MOST]
    headline = _status_of(title, status_page=status_page)
    if not status_page:
        found = found if any(map(_is_of_fault, found)) else []
    ends = [*(match.start() for match in found), len(text)]
    updates = [
        _update(match, text[match.end() : end].strip())
        for match, end in zip(found, ends[1:], strict=True)
    ]
    if headline:
        status = headline["status"]
        updates.append(IncidentUpdate(status, "", f"headline {status.casefold()}"))
    return tuple(updates)


def newest(
    before: Iterable[IncidentUpdate], after: Iterable[IncidentUpdate]
) -> IncidentUpdate | None:
    """Return the newest update that was not there before; None where each was.

    Pages write the newest first, or last: what was there shows which.
    """
    known = {update.key for update in before}
    listed = list(after)
    new = [update for update in listed if update.key not in known]
    told = [update for update in new if update.text] or new
    if not told:
        return None
    is_appended = listed[0].key in known and told[0].text
    return told[-1] if is_appended else told[0]


def changed_part(before: str, after: str) -> str:
    """Return what a text says around the first place where it differs from what it was."""
    length = min(len(before), len(after))
    place = next((at for at in range(length) if before[at] != after[at]), length)
    part, start = around(after, min(place, max(len(after) - 1, 0)), NEWS)
    return f"{'…' if start else ''}{part.strip()}{'…' if start + len(part) < len(after) else ''}"


def without_status(title: str, *, status_page: bool) -> str:
    """Return a headline without the status before it; all of it where nothing is left."""
    match = _status_of(title, status_page=status_page)
    bare = title[match.end() :].strip() if match else title
    return bare or title


def _status_of(title: str, *, status_page: bool) -> re.Match[str] | None:
    """The status in a headline; where it is no status page, one of a fault in brackets."""
    match = _BRACKETED.match(title)
    if status_page:
        return match or _LEADING.match(title)
    return match if match and _is_of_fault(match) else None


def _update(match: re.Match[str], text: str) -> IncidentUpdate:
    at = _part(match, "before") or _part(match, "behind")
    said = folded_key(at) if at else folded_key(text[:120])
    status = _status(match)
    return IncidentUpdate(status, cut(text, NEWS), f"{status.casefold()} {said}")


def _is_of_fault(match: re.Match[str]) -> bool:
    return _OF_FAULT.fullmatch(_status(match)) is not None


def _status(match: re.Match[str]) -> str:
    return _part(match, "status") or _part(match, "other")


def _part(match: re.Match[str], name: str) -> str:
    return match.groupdict().get(name) or ""
