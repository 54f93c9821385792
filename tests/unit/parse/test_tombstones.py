"""What an Atom feed has taken back."""

from support import NOON

from bot.model.entries import ParsedDocument
from bot.parse.entry_keys import keys_for
from bot.parse.read import cut_known_blocks, read_document
from bot.parse.tombstones import MAX_TOMBSTONES, withdrawn_keys

HEAD = (
    "<feed xmlns='http://www.w3.org/2005/Atom' "
    "xmlns:at='http://purl.org/atompub/tombstones/1.0'><title>Mill Post</title>"
)
ENTRY = "<entry><id>urn:mill:2</id><title>Mill burns</title></entry>"


def document(inside: str, head: str = HEAD) -> ParsedDocument:
    text = f"{head}{inside}</feed>".encode()
    parsed = read_document(text, "", "https://mill.example/feed", frozenset(), NOON)
    assert isinstance(parsed, ParsedDocument)
    return parsed


def key(guid: str) -> bytes:
    return keys_for(guid, "", "", "").guid


def test_tombstones_name_entries_by_their_ids() -> None:
    parsed = document(
        "<at:deleted-entry ref='urn:mill:1' when='2026-03-01T09:00:00Z'/>" + ENTRY
        + '<at:deleted-entry when="2026-03-01T09:00:00Z" ref="https://mill.example/a?b&amp;c">'
        "<at:comment>Wrong</at:comment></at:deleted-entry>"
    )  # fmt: skip
    assert [entry.title for entry in parsed.entries] == ["Mill burns"]
    assert parsed.withdrawn == (key("urn:mill:1"), key("https://mill.example/a?b&c"))


def test_a_document_without_them_names_none() -> None:
    assert document(ENTRY).withdrawn == ()
    other = HEAD.replace("purl.org", "other.example")
    assert document("<at:deleted-entry ref='urn:mill:1'/>" + ENTRY, other).withdrawn == ()
    many = "".join(f"<at:deleted-entry ref='urn:{number}'/>" for number in range(600))
    assert len(document(many + ENTRY).withdrawn) == MAX_TOMBSTONES


def test_a_known_document_is_read_for_them() -> None:
    text = f"{HEAD}<at:deleted-entry ref='urn:mill:1'/>{ENTRY}</feed>".encode()
    parsed = document("<at:deleted-entry ref='urn:mill:1'/>" + ENTRY)
    known = frozenset(parsed.blocks)

    assert cut_known_blocks(text, "", known) is None
    again = read_document(text, "", "https://mill.example/feed", known, NOON)
    assert isinstance(again, ParsedDocument)
    assert (again.entries, again.withdrawn) == ((), (key("urn:mill:1"),))
    assert withdrawn_keys(b"<at:deleted-entry ref='" * 50_000 + HEAD.encode(), "utf-8") == ()
