"""Messages in the markup of other services: what is shown is the text, and nothing breaks out."""

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.composer import Composer, units
from bot.delivery.markup import fitting, runs, shortened, to_html, to_markdown, to_slack
from bot.model.entries import Span
from bot.model.message import Entity, Message

TEXT = st.text(st.sampled_from("ab *_<>&[]()`~|\\\n@#😀é"), max_size=40)


def headline() -> Message:
    composer = Composer()
    composer.add_marked(
        "Mill <b>burns</b>",
        [Span("title", 0, 4, "mill")],
        "underline",
        "bold",
        "text_link",
        url="https://a.example/1?x=1&y=2",
    )
    return composer.add("\n").add("two publishers", "italic").message()


@st.composite
def messages(draw: st.DrawFn) -> Message:
    text = draw(TEXT)
    places = st.integers(0, len(text)).map(lambda place: units(text[:place]))
    entities = []
    for kind in draw(st.lists(st.sampled_from(["bold", "italic", "text_link"]), max_size=4)):
        start, end = sorted((draw(places), draw(places)))
        url = "https://a.example/" if kind == "text_link" else ""
        entities.append(Entity(kind, start, end - start, url))
    return Message(text, tuple(entities))


class Shown(HTMLParser):
    """The text of HTML, and the tags in it."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.tags = "", set[str]()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self.text += "\n" if tag == "br" else ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_links_and_marks_a_headline_and_escapes_it() -> None:
    assert to_html(headline()) == (
        '<a href="https://a.example/1?x=1&amp;y=2"><u><strong>Mill</strong></u><strong> '
        "&lt;b&gt;burns&lt;/b&gt;</strong></a><br><em>two publishers</em>"
    )


def test_markdown_links_and_marks_a_headline_and_escapes_it() -> None:
    assert to_markdown(headline(), underline="__") == (
        r"[__**Mill**__ **\<b\>burns\</b\>**](<https://a.example/1?x=1&y=2>)"
        "\n*two publishers*"
    )


def test_slack_has_a_structure_instead_of_markup() -> None:
    [block] = to_slack(headline())
    first = block["elements"][0]["elements"][0]
    assert first == {
        "type": "link",
        "url": "https://a.example/1?x=1&y=2",
        "text": "Mill",
        "style": {"bold": True},
    }


@given(messages())
def test_html_shows_the_text_and_no_tag_of_its_own(message: Message) -> None:
    shown = Shown()
    shown.feed(to_html(message))
    shown.close()
    assert shown.text == message.text
    assert shown.tags <= {"a", "br", "strong", "em"}


@given(messages())
def test_runs_are_the_text(message: Message) -> None:
    assert "".join(run.text for run in runs(message)) == message.text


@given(messages())
def test_markdown_without_its_marks_is_the_text(message: Message) -> None:
    written = to_markdown(Message(message.text))
    assert re.sub(r"\\(.)", r"\1", written, flags=re.DOTALL) == message.text


@given(messages(), st.integers(40, 90))
def test_a_message_is_cut_until_it_fits(message: Message, limit: int) -> None:
    short = fitting(message, limit, to_html)
    assert len(to_html(short)) <= limit
    end = units(short.text)
    assert all(entity.offset + entity.length <= end for entity in short.entities)


def test_a_link_that_is_no_web_address_is_text() -> None:
    message = Message("go", (Entity("text_link", 0, 2, "javascript:alert(1)"),))
    assert to_html(message) == to_markdown(message) == "go"
    assert shortened(message, 1).text == "…"
