"""Changes to feedparser for which it has no options, made once, at import. Not reading entries.

All of feedparser's private names that newsbell uses are here.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from feedparser.api import StrictFeedParser
from feedparser.mixin import _FeedParserMixin

LONGEST_AUTHOR = 400  #: characters that are searched for an e-mail address
#: Elements that feedparser takes for the headline or the text of an entry, with their types. The
#: format's own elements mean that; these stand in for them, the first first.
TITLES = {"dc_title": "text/plain", "itunes_title": "text/plain", "media_title": "text/plain"}
SUMMARIES = {
    "dc_description": "text/html",
    "itunes_summary": "text/plain",
    "media_description": "text/html",
}


def keep_guids_verbatim() -> None:
    """Keep feedparser from resolving guids as links; it has no option for that.

    A guid is a name. Resolved against the address of the feed, it would change with every
    redirect, and "17" would look like a link.
    """
    parser = _FeedParserMixin
    parser.can_be_relative_uri = parser.can_be_relative_uri - {"id"}


def survive_elements() -> None:
    """Keep an element that feedparser cannot read from costing its whole document.

    The handlers of its extensions raise at elements that are empty or misplaced. Such an element
    is left out; what is around it is read.
    """
    for name in ("unknown_starttag", "unknown_endtag", "handle_charref", "handle_entityref"):
        setattr(_FeedParserMixin, name, _surviving(getattr(_FeedParserMixin, name)))


def _surviving(handler: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(handler)
    def survive(self: Any, *arguments: Any) -> Any:
        try:
            return handler(self, *arguments)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return None

    return survive


def separate_elements() -> None:
    """Keep titles and texts of extensions apart from those of the entry.

    feedparser gives them one slot, so that the last one, the caption of a photo, wins.
    """
    for name, kind in (*TITLES.items(), *SUMMARIES.items()):
        start, end = _separate(name, kind)
        setattr(_FeedParserMixin, f"_start_{name}", start)
        setattr(_FeedParserMixin, f"_end_{name}", end)
    end_item = _FeedParserMixin._end_item  # noqa: SLF001 (there is no other way in)

    @wraps(end_item)
    def stand_in(self: Any) -> None:
        if self.entries and self.inentry:
            _stand_in(self.entries[-1], "title", TITLES)
            _stand_in(self.entries[-1], "summary", SUMMARIES)
        end_item(self)

    _FeedParserMixin._end_item = _FeedParserMixin._end_entry = stand_in  # noqa: SLF001 (as above)


def _separate(name: str, kind: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Handlers that keep an element of an entry under its own name."""
    starts = getattr(_FeedParserMixin, f"_start_{name}", None)
    ends = getattr(_FeedParserMixin, f"_end_{name}", None)

    def start(self: Any, attributes: dict[str, str]) -> None:
        if self.svgOK or self.insource or not self.inentry:
            if starts:
                starts(self, attributes)
            return
        self.push_content(name, attributes, kind, 1)

    def end(self: Any) -> None:
        if self.elementstack and self.elementstack[-1][0] == name:
            self.pop_content(name)
        elif ends:
            ends(self)

    return start, end


def _stand_in(entry: Any, element: str, others: dict[str, str]) -> None:
    """Give an entry without title, or without text, that of the first element that has one."""
    if str(dict.get(entry, element) or "").strip():
        return
    for name in others:
        if str(entry.get(name) or "").strip():
            entry[element] = entry[name]
            entry[f"{element}_detail"] = entry.get(f"{name}_detail")
            return


def keep_declared_types() -> None:
    """Keep the type that an element declares: feedparser fills in one where none is declared."""
    push_content = _FeedParserMixin.push_content

    @wraps(push_content)
    def push(self: Any, tag: str, attributes: dict[str, str], *rest: Any) -> None:
        push_content(self, tag, attributes, *rest)
        if attributes.get("type"):
            self.contentparams["declared"] = self.contentparams["type"]

    _FeedParserMixin.push_content = push


def bound_texts() -> None:
    """Cut authors before feedparser searches them.

    Its search for an e-mail address takes quadratic time: seconds for 60 kB.
    """
    sync = _FeedParserMixin._sync_author_detail  # noqa: SLF001 (as above)

    @wraps(sync)
    def bounded_sync(self: Any, key: str = "author") -> None:
        context = self._get_context()
        text = context.get(key)
        if isinstance(text, str) and len(text) > LONGEST_AUTHOR:
            context[key] = text[:LONGEST_AUTHOR]
        authors = context.get(f"{key}s") or []
        as_written = authors and not authors[-1] and context.get(key)
        sync(self, key)
        if as_written:  # its search for an address breaks those whose last part is long
            authors[-1]["as_written"] = as_written

    _FeedParserMixin._sync_author_detail = bounded_sync  # noqa: SLF001 (as above)


def separate_authors() -> None:
    """Begin each author of an entry without what is known of the one before.

    feedparser takes its name for the next one's as well, so that of three authors one is lost.
    """
    start = _FeedParserMixin._start_author  # noqa: SLF001 (as above)

    @wraps(start)
    def start_anew(self: Any, attributes: dict[str, str]) -> None:
        self._get_context().pop("author", None)
        start(self, attributes)

    for name in ("author", "managingeditor"):
        setattr(_FeedParserMixin, f"_start_{name}", start_anew)


def prefix_of(namespace: str) -> str | None:
    """Return the prefix under which feedparser knows a namespace; None where it knows it not."""
    name = namespace.lower()
    return "" if "backend.userland.com/rss" in name else _known_namespaces().get(name)


@lru_cache(maxsize=1)
def _known_namespaces() -> dict[str, str]:
    known = _FeedParserMixin.namespaces
    return {name.lower(): prefix.lower() for name, prefix in known.items()}


@lru_cache(maxsize=4096)
def has_handler(name: str) -> bool:
    """Whether feedparser does something of its own at elements of this name, such as `dc_date`."""
    return hasattr(StrictFeedParser, f"_start_{name}") or hasattr(StrictFeedParser, f"_end_{name}")
