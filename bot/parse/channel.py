"""Read a public channel of Telegram from the preview that its site shows: posts to entries.

Not feeds, no requests. What is missing of a page is told by what is there: a page that has the
frame of a channel and no posts is one that reads differently than it used to, never an empty one.
The block of a post is hashed over what is read of it: its views and pictures change all the time.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from bot.model.entries import ParsedDocument, ParsedEntry, ParseFailed, ParseOutcome
from bot.model.feeds import Failure
from bot.parse.blocks import block_hash
from bot.parse.charset import decode
from bot.parse.dates import DateStyle, read_date
from bot.parse.document import AUTHORS_LENGTH, plausible_date
from bot.parse.entry_keys import digest, keys_of, link_key
from bot.text import clean
from bot.text.channel_link import SITE, channel_name, post_link
from bot.text.language import language_of
from bot.text.url import names_page, safe_link

MAX_POSTS = 200  #: posts of a page that are read; the site shows twenty
_TEXT_LENGTH = 8000  # code points of a post that are looked at; Telegram allows 4096
_SHORT = 20  # code points of a first sentence below which the next belongs to it
_POST_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}/[0-9]{1,12}")
_LINE_BREAK = re.compile(
    r"<br\s*/?>|(?=<(?:blockquote|pre|p)\b)|</(?:blockquote|pre|p)>", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?…؟。！？])[\"'»”’)\]]*(?:\s+|(?<=[。！？]))(?!$)")
_WORD = re.compile(r"\w")
# Around the words of links to channels and bots, of which the last lines of posts are made.
_OPEN, _CLOSE = "\ue000", "\ue001"
_LINKED = re.compile(f"{_OPEN}[^{_OPEN}{_CLOSE}]*{_CLOSE}")
_SUBSCRIBERS = re.compile(r"\bsubscribers?\b", re.IGNORECASE)
_MEMBERS = re.compile(r"\bmembers?\b", re.IGNORECASE)
#: what a post without text is called, by what the page has of it; the first that is there counts
_KINDS = tuple(
    (f'[class*="{part}"]', name)
    for part, name in (
        ("tgme_widget_message_grouped", "Photos and videos"),
        ("tgme_widget_message_roundvideo", "Video message"),
        ("tgme_widget_message_videosticker", "Sticker"),
        ("tgme_widget_message_video", "Video"),
        ("tgme_widget_message_photo", "Photo"),
        ("tgme_widget_message_voice", "Voice message"),
        ("tgme_widget_message_sticker", "Sticker"),
        ("tgme_widget_message_tgsticker", "Sticker"),
        ("tgme_widget_message_location", "Location"),
        ("tgme_widget_message_contact", "Contact"),
        ("tgme_widget_message_document", "File"),
        ("message_media_not_supported", "Post that only Telegram shows"),
    )
)
_CHANGED = (
    "The channel's page reads differently than it used to: {what}. "
    "This version of newsbell cannot read it."
)


@dataclass(frozen=True, slots=True)
class _Post:
    """What is read of a post."""

    number: str
    text: str  # lines apart by line breaks; empty where it has none
    kind: str  # what a post without text is called
    more: str  # words of its poll, files and link
    origin: str  # of a forwarded post: the channel as `@name`, or a name
    cites: str  # the post or article that it is about
    author: str
    at: str  # as written
    edited: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of what it shows."""
        return not (self.text or self.kind or self.more)


def read_channel(
    body: bytes,
    content_type: str,
    name: str,
    known: frozenset[bytes],
    now: datetime,
    *,
    truncated: bool = False,
) -> ParseOutcome:
    """Return the new or changed posts of the page of a channel, oldest first; or what is wrong."""
    tree = LexborHTMLParser(_LINE_BREAK.sub("\n", decode(body, content_type)))
    nodes = tree.css(".tgme_widget_message[data-post]")[:MAX_POSTS]
    if not nodes:
        return _without_posts(tree, name)
    posts = [
        node for node in nodes if "service_message" not in (node.attributes.get("class") or "")
    ]
    blocks: list[bytes] = []
    entries: list[ParsedEntry] = []
    faulty = empty = 0
    for node in posts:
        post = _read_post(node)
        if post is None:
            faulty += 1
            continue
        if post.is_empty:
            empty += 1
        block = block_hash(repr(post).encode("utf-8", "surrogatepass"))
        blocks.append(block)
        if block not in known:
            entries.append(_entry(post, block, name, now))
    if posts and faulty + empty == len(posts):
        return _changed("its posts have neither text nor pictures")
    return ParsedDocument(
        entries=tuple(entries),
        blocks=tuple(blocks),
        title=_line(_text_of(tree, ".tgme_channel_info_header_title, .tgme_header_title"))
        or f"@{name}",
        link=f"{SITE}/{name}",
        faulty=faulty,
        truncated=truncated,
    )


def oldest_post(body: bytes) -> int:
    """Return the number of the oldest post on a page; 0 where it shows none."""
    numbers = re.findall(rb'data-post="[A-Za-z0-9_]{4,32}/([0-9]{1,12})"', body)
    return min(map(int, numbers), default=0)


def is_channel_page(body: bytes, *, shows_posts: bool) -> bool:
    """Return whether a page has the frame of a channel, with posts or without."""
    is_framed = b"tgme_channel_" in body or b"tme_no_messages_found" in body
    return is_framed and bool(oldest_post(body)) is shows_posts


def _without_posts(tree: Any, name: str) -> ParseOutcome:
    """Tell a hidden preview, what is no channel, and a page that is not known any more apart."""
    extra = _line(_text_of(tree, ".tgme_page_extra"))
    title = _line(_text_of(tree, ".tgme_page_title"))
    if tree.css_first(".tme_no_messages_found") is not None:
        return ParseFailed(
            Failure.SLOW_DOWN,
            f"Telegram shows no posts of @{name}, as it does where it is asked too often.",
        )
    if tree.css_first(".tgme_channel_history, .tgme_channel_info") is not None:
        return _changed("it shows no posts")
    if _SUBSCRIBERS.search(extra):
        return ParseFailed(
            Failure.NO_PREVIEW,
            f"The channel @{name} shows no preview on the web, so newsbell cannot read it.",
        )
    if _MEMBERS.search(extra):
        return ParseFailed(
            Failure.NOT_A_CHANNEL, f"@{name} is a group; only public channels can be read."
        )
    if title and extra:
        return ParseFailed(
            Failure.NOT_A_CHANNEL, f"@{name} is a person or a bot; only channels can be read."
        )
    if tree.css_first(".tgme_page") is not None and not title:
        return ParseFailed(Failure.NO_CHANNEL, f"Telegram has no public channel @{name}.")
    return _changed("it has neither a channel's name nor its posts")


def _changed(what: str) -> ParseFailed:
    return ParseFailed(Failure.CHANGED_PAGE, _CHANGED.format(what=what))


def _read_post(node: Any) -> _Post | None:
    """What a post shows; None where it has no number."""
    named = node.attributes.get("data-post") or ""
    if not _POST_NAME.fullmatch(named):
        return None
    channel, _, number = named.partition("/")
    for reply in node.css(".tgme_widget_message_reply"):
        reply.decompose()  # words of another post
    origin, original = _origin(node)
    preview = node.css_first("a.tgme_widget_message_link_preview")
    texts, links = _texts(node, channel.lower())
    if preview is not None and (href := safe_link(preview.attributes.get("href") or "")):
        links.append(href)
    articles = dict.fromkeys(post_link(link) or link for link in links if _is_article(link))
    moment = node.css_first(".tgme_widget_message_date time[datetime], time.time[datetime]")
    meta = _text_of(node, ".tgme_widget_message_meta")
    return _Post(
        number=number.lstrip("0") or "0",
        text=texts,
        kind=next((kind for query, kind in _KINDS if node.css_first(query) is not None), ""),
        more=_more(node, preview),
        origin=origin,
        cites=original or (next(iter(articles)) if len(articles) == 1 else ""),
        author=clean.label(_text_of(node, ".tgme_widget_message_from_author"), AUTHORS_LENGTH),
        at=(moment.attributes.get("datetime") or "")[:100] if moment is not None else "",
        edited="edited" in meta,
    )


def _origin(node: Any) -> tuple[str, str]:
    """Whose post was forwarded, and its link; a person or private channel has a name alone."""
    origin = node.css_first(".tgme_widget_message_forwarded_from_name")
    if origin is None:
        return "", ""
    href = origin.attributes.get("href") or ""
    name = channel_name(href) if href else ""
    return f"@{name}" if name else _line(origin.text()), post_link(href)


def _is_article(link: str) -> bool:
    """Whether a link leads to an article or a post, not to a site, a channel or a bot."""
    return bool(post_link(link)) or (
        names_page(link) and not channel_name(link) and "//t.me/" not in link.lower()
    )


def _texts(node: Any, channel: str) -> tuple[str, list[str]]:
    """The text of a post with its caption, in lines, and the links in it to other places."""
    parts: list[str] = []
    links: list[str] = []
    for part in node.css(".js-message_text") or node.css(".tgme_widget_message_text"):
        if _is_within_another(part):
            continue
        for anchor in part.css("a[href]"):
            # Since 2024 the site escapes addresses twice.
            href = safe_link((anchor.attributes.get("href") or "").replace("&amp;", "&"))
            own = post_link(href).startswith(f"{SITE}/{channel}/")
            if href and not own:
                links.append(href)
            if "://" in anchor.text(deep=True)[:20]:
                anchor.decompose()  # an address has no words
            elif own or (href and not _is_article(href)):
                anchor.insert_before(_OPEN)
                anchor.insert_after(_CLOSE)
        parts.append(part.text(deep=True)[:_TEXT_LENGTH])
    lines = clean.encodable("\n".join(parts)).split("\n")
    while lines and not _WORD.search(_LINKED.sub("", lines[-1])):
        lines.pop()  # "Subscribe | Send us news"
    plain = (clean.plain(line.replace(_OPEN, "").replace(_CLOSE, "")) for line in lines)
    return "\n".join(filter(None, plain)), links


def _is_within_another(part: Any) -> bool:
    """Whether a text stands within another: the site nests captions."""
    above = part.parent
    for _ in range(6):
        if above is None:
            return False
        if "js-message_text" in (above.attributes.get("class") or ""):
            return True
        above = above.parent
    return False


def _more(node: Any, preview: Any) -> str:
    """The words of a poll, of files and of the page that a link leads to."""
    question = _line(_text_of(node, ".tgme_widget_message_poll_question"))
    answers = [_line(part.text()) for part in node.css(".tgme_widget_message_poll_option_text")]
    files = [_line(part.text()) for part in node.css(".tgme_widget_message_document_title")]
    parts = [f"Poll: {question}" if question else "", *answers[:20], *files[:20]]
    if preview is not None:
        parts += [
            _line(_text_of(preview, ".link_preview_title")),
            _line(_text_of(preview, ".link_preview_description")),
        ]
    return "\n".join(filter(None, parts))


def _entry(post: _Post, block: bytes, name: str, now: datetime) -> ParsedEntry:
    headline, rest = _headline(post)
    guid, link = f"{name}/{post.number}", f"{SITE}/{name}/{post.number}"
    text = "\n".join(filter(None, (post.text, post.more)))
    entry = ParsedEntry(
        block=block,
        guid=guid,
        link=link,
        title=clean.cut(headline, clean.TITLE_LENGTH),
        summary=clean.cut(rest, clean.SUMMARY_LENGTH),
        author=post.author,
        source=clean.cut(post.origin, 100),
        published=plausible_date(read_date(post.at, DateStyle()), now) if post.at else None,
        language=language_of(text) if text else "",
        body=rest if len(rest) > clean.SUMMARY_LENGTH else "",
    )
    keys = replace(keys_of(entry), quoted=link_key(post.cites))
    if not text:  # "Photo" is no headline by which another post could be recognised
        keys = replace(keys, title=digest("title", guid))
    return replace(entry, keys=keys)


def _headline(post: _Post) -> tuple[str, str]:
    """The first sentence of a post, with the next where it is a mere exclamation; and the rest."""
    if not post.text and post.more:
        first, _, rest = post.more.partition("\n")
        return first, rest.replace("\n", " ")
    lines = [*post.text.split("\n"), *post.more.split("\n")]
    sentences = [
        part
        for line in lines
        for part in _SENTENCE_END.split(line, maxsplit=3)
        if _WORD.search(part)
    ]
    if not sentences:
        return post.kind or "Post", ""
    sizes = _running_lengths(sentences)
    count = 1 + sum(1 for _ in takewhile(lambda size: size < _SHORT, sizes[:-1]))
    return " ".join(sentences[:count]), " ".join(sentences[count:])


def _running_lengths(sentences: list[str]) -> list[int]:
    """The number of letters and digits of the first sentences together."""
    total, sizes = 0, []
    for sentence in sentences[:4]:
        total += len(_WORD.findall(sentence))
        sizes.append(total)
    return sizes


def _text_of(node: Any, query: str) -> str:
    """The text of the first element of a query; empty where there is none."""
    try:
        found = node.css_first(query)
    except SelectolaxError:
        return ""
    return str(found.text(deep=True))[:_TEXT_LENGTH] if found is not None else ""


def _line(text: str) -> str:
    return clean.cut(clean.plain(clean.encodable(text[: 2 * clean.TITLE_LENGTH])), 500)
