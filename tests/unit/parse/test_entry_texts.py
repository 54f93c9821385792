"""What of an entry is its headline, its text and its authors, and which markup is meant."""

import json
from xml.sax.saxutils import escape

import pytest
from support import NOON

from bot.model.entries import ParsedDocument, ParsedEntry
from bot.parse.read import read_document
from bot.parse.texts import CATEGORIES
from bot.text.clean import BODY_LENGTH, SUMMARY_LENGTH, to_text
from bot.text.markup import TextType
from bot.text.overlap import repeated

NAMESPACES = (
    "xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:media='http://search.yahoo.com/mrss/' "
    "xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' "
    "xmlns:content='http://purl.org/rss/1.0/modules/content/'"
)


def rss(inside: str) -> ParsedEntry:
    """The one entry of an RSS document that holds this inside its item."""
    return _entry(
        f"<rss version='2.0' {NAMESPACES}><channel><title>Zoo Post</title>"
        f"<item><guid>1</guid>{inside}</item></channel></rss>"
    )


def atom(inside: str) -> ParsedEntry:
    return _entry(
        f"<feed xmlns='http://www.w3.org/2005/Atom' {NAMESPACES}><title>Zoo Post</title>"
        f"<entry><id>urn:1</id>{inside}</entry></feed>"
    )


def _entry(body: str) -> ParsedEntry:
    document = read_document(body.encode(), "", "https://zoo.example/feed", frozenset(), NOON)
    assert isinstance(document, ParsedDocument)
    (entry,) = document.entries
    return entry


# Markup that is named, and markup that is meant.

NAMED = [
    "Bears open <script> tags in Tarvos mail",
    "Injection by <style> and an open <!-- in Tarvos",
    "Why List<a> beats List<s> today",
    "The <p> element turns thirty",
    "Use <b> not <i>, says the owl",
    "Map<Key, List<String>> explained",
    "Break out with </script> in Tarvos",
    "Add the <a href> attribute first",
    "<video> and <audio> for foxes",
    "A `<form>` in a `<table>` in a `<div>`",
    "if a<b and c>d then e",
    "The <vector> header grows",
]


@pytest.mark.parametrize("words", NAMED)
def test_a_headline_keeps_the_elements_that_it_names(words: str) -> None:
    once, twice = escape(words), escape(escape(words))
    assert rss(f"<title>{once}</title>").title == words
    assert rss(f"<title>{twice}</title>").title == words
    assert rss(f"<title><![CDATA[{words}]]></title>").title == words
    assert atom(f"<title>{once}</title>").title == words
    assert atom(f"<title type='text'>{once}</title>").title == words
    assert atom(f"<title type='html'>{once}</title>").title == words
    assert atom(f"<title type='html'>{twice}</title>").title == words
    xhtml = f"<div xmlns='http://www.w3.org/1999/xhtml'>{once}</div>"
    assert atom(f"<title type='xhtml'>{xhtml}</title>").title == words


@pytest.mark.parametrize("words", NAMED)
def test_a_text_keeps_the_elements_that_it_names(words: str) -> None:
    once, twice = escape(words), escape(escape(words))
    for escaped in (once, twice):
        assert rss(f"<title>T</title><description>{escaped}</description>").summary == words
        assert atom(f"<title>T</title><content type='html'>{escaped}</content>").summary == words
        encoded = f"<content:encoded><![CDATA[{escaped}]]></content:encoded>"
        assert rss(f"<title>T</title>{encoded}").summary == words.replace("&", "&")
    assert atom(f"<title>T</title><summary type='text'>{once}</summary>").summary == words


@pytest.mark.parametrize(
    "words",
    [
        "<script>steal()</script> runs in Tarvos mail",
        "<style>p{}</style> hides text",
        "The <b>bold</b> and the <i>beautiful</i> tag",
        "Tarvos trips over <img src=x onerror=alert(1)>",
    ],
)
def test_the_type_text_of_atom_has_no_markup(words: str) -> None:
    assert atom(f"<title type='text'>{escape(words)}</title>").title == words


def test_an_attack_in_a_headline_of_rss_stays() -> None:
    for words in ("<script>steal()</script> in Tarvos", "Tarvos and <img src=x onerror=alert(1)>"):
        assert rss(f"<title>{escape(words)}</title>").title == words


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Fox <b>sleeps</b>", "Fox sleeps"),
        ("Fox <b>sleeps", "Fox sleeps"),
        ("Fox sleeps</b>", "Fox sleeps"),
        ("<p>Fox sleeps</p>", "Fox sleeps"),
        ("<p>Fox sleeps", "Fox sleeps"),
        ("Fox<br>hen", "Fox hen"),
        ("Fox <br/>hen", "Fox hen"),
        ("<span class=x>Fox</span> sleeps", "Fox sleeps"),
        ("Fox <a href='/hen'>and hen</a>", "Fox and hen"),
        ("Fox <img src='a.png' alt='b'> hen", "Fox hen"),
        ("Fox <!-- sleeps --> hen", "Fox hen"),
        ("<![CDATA[Fox sleeps]]>", "Fox sleeps"),
    ],
)
def test_markup_that_is_meant_is_removed(markup: str, text: str) -> None:
    assert rss(f"<title>{escape(markup)}</title>").title == text
    assert atom(f"<title type='html'>{escape(markup)}</title>").title == text
    assert rss(f"<title>T</title><description>{escape(markup)}</description>").summary == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Fox<script>x()</script> hen", "Fox hen"),
        ("Fox <script src='/x.js'> hen", "Fox hen"),
        ("<style>p { color: red }</style>Fox", "Fox"),
        ("<ul><li>one<li>two</ul>", "one two"),
        ("Fox slept.<p>Hen too.", "Fox slept. Hen too."),
        ("<o:p>Fox</o:p> <my-tag>hen</my-tag>", "Fox hen"),
        ("&lt;p&gt;Fox &lt;b&gt;sleeps&lt;/b&gt;&lt;/p&gt;", "Fox sleeps"),
    ],
)
def test_markup_of_a_text_is_removed(markup: str, text: str) -> None:
    assert rss(f"<title>T</title><description>{escape(markup)}</description>").summary == text


def test_telling_markup_from_text_takes_linear_time() -> None:
    for part in (
        "<",
        "<a ",
        "<!--",
        "<b>",
        "<li> ",
        "</p>",
        "<script>",
        "<![CDATA[",
        "<a b=",
        "&lt;",
    ):
        for kind in TextType:
            to_text(part * 40_000, kind)  # quadratic work would take minutes


# Which element is which.


@pytest.mark.parametrize(
    "others",
    [
        "<dc:title>A series</dc:title>",
        "<media:title>A photo of a fox</media:title>",
        "<itunes:title>Episode</itunes:title>",
        "<media:content url='/a.png'><media:title>A photo of a fox</media:title></media:content>",
    ],
)
def test_the_headline_is_the_title_of_the_format_itself(others: str) -> None:
    title = "<title>Fox sleeps</title>"
    assert rss(others + title).title == rss(title + others).title == "Fox sleeps"
    assert atom(others + title).title == atom(title + others).title == "Fox sleeps"


@pytest.mark.parametrize("name", ["dc:title", "itunes:title", "media:title"])
def test_another_title_stands_in_where_there_is_none(name: str) -> None:
    inside = f"<{name}>Fox &amp;amp; hen</{name}><link>https://zoo.example/1</link>"
    assert rss(inside).title == "Fox & hen"
    assert rss(f"<title></title>{inside}").title == "Fox & hen"


@pytest.mark.parametrize(
    "others",
    [
        "<itunes:summary>Weekly talk.</itunes:summary>",
        "<itunes:subtitle>Weekly.</itunes:subtitle>",
        "<media:description>A fox. Photo: Ann Arbour</media:description>",
        "<media:content url='/a.png'><media:description>A fox</media:description></media:content>",
        "<media:group><media:description>A fox</media:description></media:group>",
        "<dc:description>Short.</dc:description>",
    ],
)
def test_the_text_is_the_description_of_the_format_itself(others: str) -> None:
    text = "<description>The fox slept all day.</description>"
    expected = "The fox slept all day."
    assert rss(others + text).summary == rss(text + others).summary == expected
    content = "<content:encoded>The fox slept all day.</content:encoded>"
    assert rss(others + content).summary == rss(content + others).summary == expected
    summary = f"<title>T</title><summary>{expected}</summary>"
    assert atom(others + summary).summary == atom(summary + others).summary == expected


@pytest.mark.parametrize("name", ["itunes:summary", "media:description", "dc:description"])
def test_another_text_stands_in_where_there_is_none(name: str) -> None:
    inside = f"<title>T</title><{name}>The fox slept.</{name}>"
    assert rss(inside).summary == rss(f"<description/>{inside}").summary == "The fox slept."


def test_all_authors_count() -> None:
    expected = "Ann Arbour, Bob Berth, Cid Crane"
    names = ("Ann Arbour", "Bob Berth", "Cid Crane", "ann arbour")
    creators = "".join(f"<dc:creator>{name}</dc:creator>" for name in names)
    assert rss(f"<title>T</title>{creators}").author == expected
    authors = "".join(f"<author><name>{name}</name></author>" for name in names[:3])
    assert atom(f"<title>T</title>{authors}").author == expected
    items = "".join(f'{{"name": "{name}"}},' for name in names[:3]).rstrip(",")
    body = (
        '{"version": "https://jsonfeed.org/version/1.1", "items": '
        f'[{{"id": "1", "title": "T", "authors": [{items}]}}]}}'
    )
    assert _entry(body).author == expected


def test_an_author_is_a_name_rather_than_an_address() -> None:
    assert (
        rss("<title>T</title><author>ann@zoo.example (Ann Arbour)</author>").author == "Ann Arbour"
    )
    assert rss("<title>T</title><author>ann@zoo.example</author>").author == "ann@zoo.example"


# What software adds.

SENTENCES = [
    "The post {} appeared first on {}.",
    "The post {} first appeared on {}.",
    "Der Beitrag {} erschien zuerst auf {}.",
    "L’article {} est apparu en premier sur {}.",
    "La entrada {} se publicó primero en {}.",
    "L'articolo {} proviene da {}.",
    "O post {} apareceu primeiro em {}.",
    "Het bericht {} verscheen eerst op {}.",
    "Artykuł {} pochodzi z serwisu {}.",
    "Сообщение {} появились сначала на {}.",
    "Inlägget {} dök först upp på {}.",
    "Indlægget {} blev først udgivet på {}.",
    "Příspěvek {} pochází z {}.",
    "{} yazısı ilk önce {} üzerinde ortaya çıktı.",
    "Το άρθρο {} εμφανίστηκε πρώτα στο {}.",
    "投稿 {} は {} に最初に表示されました。",
    "{}最先出现在{}。",
    "הפוסט {} הופיע לראשונה ב{}.",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_where_an_article_appeared_first_is_no_text_of_it(sentence: str) -> None:
    title = "Fox & hen sleep"
    shown = escape(escape(title))
    links = sentence.format(
        f"<a href='/1'>{title.replace('&', '&amp;')}</a>", "<a href='/'>Owl FC News</a>"
    )
    linked = escape(f"<p>The fox slept. It snored.</p>\n<p>{links}</p>")
    text = "The fox slept. It snored."
    assert rss(f"<title>{shown}</title><description>{linked}</description>").summary == text
    bare = escape(escape(f"{text} {sentence.format(title, 'Owl FC News')}"))
    assert rss(f"<title>{shown}</title><description>{bare}</description>").summary == text
    cut = escape(escape(f"The fox slept […] {sentence.format(title, 'Owl FC News')}"))
    summary = rss(f"<title>{shown}</title><description>{cut}</description>").summary
    assert summary == "The fox slept […]"


def test_such_a_paragraph_is_told_by_its_links_in_any_language() -> None:
    paragraph = "<p>Zzz <a href='/1'>Fox sleeps</a> yyy <a href='/'>Owl FC News</a> xxx.</p>"
    inside = f"<title>Fox sleeps</title><description>{escape('<p>It did.</p>' + paragraph)}"
    assert rss(f"{inside}</description>").summary == "It did."


@pytest.mark.parametrize(
    "text",
    [
        "The owl appeared first on the list of birds.",
        "The fox slept. The post office opened.",
        f"Fox sleeps appeared first on the list, and then came {'many ' * 40}others.",
        "<p>See <a href='/2'>Owl wakes</a> and <a href='/3'>Hen eats</a>.</p>",
    ],
)
def test_sentences_like_it_stay(text: str) -> None:
    inside = f"<title>Fox sleeps</title><description>{escape(text)}</description>"
    assert rss(inside).summary == to_text(text, TextType.HTML)


def test_the_headlines_of_others_in_google_news_are_no_text() -> None:
    link = "<a href='https://news.google.com/rss/articles/{}?oc=5' target='_blank'>{}</a>"
    items = "".join(
        f"<li>{link.format(number, words)}&nbsp;&nbsp;<font color='#6f6f6f'>{name}</font></li>"
        for number, (words, name) in enumerate(
            [("Fox sleeps", "Owl FC News"), ("Football: hens win", "Hen Daily")]
        )
    )
    for markup in (f"<ol>{items}</ol>", items, items.replace("<li>", "").replace("</li>", "")):
        inside = (
            f"<title>Fox sleeps - Owl FC News</title><description>{escape(markup)}</description>"
        )
        assert rss(inside).summary == ""
    elsewhere = escape(f"<ol>{items}</ol>".replace("news.google.com", "hen.example"))
    inside = f"<title>Fox sleeps</title><description>{elsewhere}</description>"
    assert rss(inside).summary == ""
    mixed = escape(f"<p>The fox slept.</p><ol>{items}</ol>")
    inside = f"<title>Fox sleeps</title><description>{mixed}</description>"
    assert rss(inside).summary.startswith("The fox slept.")


@pytest.mark.parametrize("element", ["author", "dc:creator", "itunes:author", "managingEditor"])
@pytest.mark.parametrize("text", ["a" * 60_000, "a." * 30_000, "a@a." * 15_000, "1" * 60_000])
def test_a_long_author_costs_no_more_than_others(element: str, text: str) -> None:
    # feedparser's search for an address takes quadratic time: together they would take minutes.
    item = f"<item><title>Fox</title><{element}>{text}</{element}></item>"
    body = f"<rss version='2.0' {NAMESPACES}><channel>{item * 20}</channel></rss>"
    document = read_document(body.encode(), "", "https://zoo.example/feed", frozenset(), NOON)
    assert isinstance(document, ParsedDocument)
    assert len(document.entries) == 20


@pytest.mark.parametrize("sign", ["-", "–", "—", "|"])
def test_the_outlet_behind_an_aggregator_s_headline_is_no_word_of_it(sign: str) -> None:
    entry = rss(
        f"<title>Zebras cross the Orrin {sign} Harbour Times</title>"
        "<source url='https://harbour.example'>Harbour Times</source>"
    )
    assert (entry.title, entry.source) == ("Zebras cross the Orrin", "Harbour Times")


@pytest.mark.parametrize(
    ("title", "source"),
    [
        ("Zebras cross the Orrin - Harbour Times", "Coastal Post"),
        ("Zebras sue Harbour Times", "Harbour Times"),
        ("Harbour Times", "Harbour Times"),
        ("- Harbour Times", "Harbour Times"),
    ],
)
def test_other_words_at_the_end_of_a_headline_stay(title: str, source: str) -> None:
    entry = rss(f"<title>{title}</title><source url='https://h.example'>{source}</source>")
    assert entry.title == title


# What a feed carries beside the summary.

LONG = " ".join(f"Word{number}" for number in range(1500))
TEASER = "<description>Foxes seen</description>"


def content(text: str) -> str:
    return f"<content:encoded><![CDATA[{text}]]></content:encoded>"


@pytest.mark.parametrize(
    ("entry", "summary", "body"),
    [
        (rss(TEASER + content("<p>Two foxes</p><p>call</p>")), "Foxes seen", "Two foxes call"),
        (rss(content("<p>Two foxes</p>")), "Two foxes", ""),
        (rss(TEASER + content("Foxes seen")), "Foxes seen", ""),
        (rss(TEASER + content("Foxes")), "Foxes seen", ""),
        (rss(TEASER), "Foxes seen", ""),
        (rss(TEASER + content("<img src='/fox.png'/>")), "Foxes seen", ""),
        (
            atom(
                "<title>Owls</title><summary>Owls</summary>"
                "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>Owls <b>call</b>"
                "</div></content>"
            ),
            "Owls",
            "Owls call",
        ),
    ],
)  # fmt: skip
def test_the_longest_text_is_the_body_where_it_says_more(
    entry: ParsedEntry, summary: str, body: str
) -> None:
    assert (entry.summary, entry.body) == (summary, body)


def test_a_long_text_is_summary_and_body() -> None:
    for entry in (rss(f"<description>{LONG}</description>"), rss(content(f"<p>{LONG}</p>"))):
        assert len(entry.summary) <= SUMMARY_LENGTH < len(entry.body)
        assert entry.body == LONG
        assert repeated(entry.summary, entry.body) == len(entry.summary) - 1
    longer = rss(content("<p>Long</p> " * 9000)).body
    assert BODY_LENGTH * 3 // 4 < len(longer) <= BODY_LENGTH


def test_json_feeds_carry_texts_and_tags() -> None:
    item = {"id": "1", "title": "Owls", "summary": "Owls", "content_html": "<p>Owls call</p>"}
    tags = ["Birds", "birds", "", 7, "Night life"]
    document = {"version": "https://jsonfeed.org/version/1.1", "items": [{**item, "tags": tags}]}
    entry = _entry(json.dumps(document))

    assert (entry.summary, entry.body) == ("Owls", "Owls call")
    assert entry.categories == ("Birds", "Night life")


def test_categories_are_what_people_read() -> None:
    entry = rss(
        "<title>Owls</title><category>Birds</category><category domain='x'>Night</category>"
    )
    assert entry.categories == ("Birds", "Night")
    entry = atom("<title>Owls</title><category term='b1' label='Birds'/><category term='Night'/>")
    assert entry.categories == ("Birds", "Night")
    many = "".join(f"<category>Kind {number}</category>" for number in range(99))
    assert len(rss(f"<title>Owls</title>{many}").categories) == CATEGORIES
