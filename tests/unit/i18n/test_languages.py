"""The languages of chats: every text can be translated, and a translation says the same."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from gettext import NullTranslations, c2py
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog as Messages
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po
from support import known_subscription

from bot.alerts import options
from bot.errors import QueryError
from bot.i18n.catalog import ENGLISH, LANGUAGES, Catalog, Catalogs, Translator
from bot.model.alerts import Fate
from bot.model.archive import (
    AlertFact,
    EntryFacts,
    EntryRecord,
    FeedFact,
    StoredEntry,
    StoryEntry,
    UncountedEntry,
)
from bot.model.delivery import DeliveryState, DropReason, Wait, WaitCause
from bot.model.entries import Article, Silence
from bot.model.stories import Pair, PairReason, StoryIds
from bot.query.explain import explain, sentence
from bot.query.parser import parse
from bot.query.words import ArticleWords
from bot.search.account import ParsedSubscription, accounts_of
from bot.search.explain import (
    describe_entry,
    explain_entry,
    explain_unknown,
)
from bot.search.timeline import timeline

PACKAGE = Path(__file__).resolve().parents[3]
KEYWORDS = {
    "gettext": None,
    "ngettext": (1, 2),
    "QueryError": (3,),
    "ChatClosed": None,
    "OpmlError": None,
    "QueryWarning": None,
    "phrase": None,
    "counted_phrase": (1, 2),
    "gettext_noop": None,
}  # as `make messages` has them
TEXT_AT = {
    "gettext": (0,),
    "ngettext": (0, 1),
    "QueryError": (2,),
    "ChatClosed": (0,),
    "OpmlError": (0,),
    "QueryWarning": (0,),
    "phrase": (0,),
    "counted_phrase": (0, 1),
    "gettext_noop": (0,),
}  # the same, counted from 0, of what has so many arguments
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
UNFINISHED: set[str] = (
    set()
)  # languages that may still lack texts; one that is taken out has to have all
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

# What people type or read elsewhere and what therefore is the same in every language.
KEPT = re.compile(
    r"/stories (?:strict|normal|loose)\b|/export yaml\b|(?<![\w/}])/[a-z]+\b"  # a command
    r"|\bfeeds\.yaml\b|`[^`]+`|\bOPML\b|\bRE2\b|\bUTC\b"
    r"|\b(?:AND|OR|NOT|O?NEAR)\b(?:/\w+)?"
    r"|\b[a-z]+_[a-z_]+\b"  # an option of two words, @example_channel
    r"|^(?:urgency|site|lang):|\b(?:site|lang):[\w{]+(?:\.\w+)*|\bpublishers: \d"
    r"|/S-\[34\]00/|/…/i?|~Zelensky|~\"Deir ez-Zor\"|\bdef\*|\brate\*|\breuters\.com\b"
    r"|\b[A-Z]\w+/[A-Z]\w+\b"
    r"|\b\d+[smhd]\b|\d+(?::\d\d)?"
)
VALUES = {"urgency: expected breaking, normal or digest": ("breaking", "normal", "digest")}
MARKUP = re.compile(r"</?[a-zA-Z][^>]*>|\*\*|__|&#?\w+;|%\(|\\[nt]|[\x00-\x09\x0b-\x1f\x7f]")
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e")
ISOLATES, POP = set("\u2066\u2067\u2068"), "\u2069"


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return () if not text else (text,) if isinstance(text, str) else tuple(text)


@cache
def extracted() -> frozenset[tuple[str, ...]]:
    """The texts of the code, each as its one form or its two."""
    found = extract_from_dir(str(PACKAGE / "bot"), [("**.py", "python")], keywords=KEYWORDS)
    return frozenset(forms(text) for _, _, text, _, _ in found)


@cache
def messages(language: str) -> Messages:
    with (PACKAGE / "bot" / "i18n" / "locale" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def texts(language: str) -> list[Message]:
    return [message for message in messages(language) if message.id]


def is_translated(message: Message) -> bool:
    return bool(message.string) and all(forms(message.string))


def pairs(language: str) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """Each translated form with the English of its message, and which form it is."""
    for message in texts(language):
        for number, text in enumerate(forms(message.string)):
            if text:
                yield forms(message.id), text, number


def fields(text: str) -> set[str]:
    return {
        f"{name}!{conversion or ''}:{spec}"
        for _, name, spec, conversion in Formatter().parse(text)
        if name is not None
    }


def kept(text: str) -> Counter[str]:
    return Counter(KEPT.findall(re.sub(r"\{\w+\}", "{}", text)))


def single_numbers(messages: Messages) -> set[int]:
    """The plural forms that stand for one number alone, and so need not name it."""
    form = c2py(messages.plural_expr)
    count = Counter(form(number) for number in range(1000))
    return {which for which, many in count.items() if many == 1}


# What is said can be translated.


def called() -> Iterator[tuple[str, ast.Call, ast.expr]]:
    for path in sorted((PACKAGE / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                at = TEXT_AT.get(name, ())
                if at and len(node.args) > max(at):
                    yield from (
                        (f"{path.relative_to(PACKAGE)}:{node.lineno}", node, node.args[index])
                        for index in at
                    )


def test_every_text_that_is_said_is_found_by_the_extraction() -> None:
    """Before Python 3.12 an f-string is one token, in which nothing is found."""
    known = {text for form in extracted() for text in form}
    assert not [
        f"{place} {text.value}"
        for place, _, text in called()
        if isinstance(text, ast.Constant)
        and isinstance(text.value, str)
        and re.search("[a-z]", text.value)
        and text.value not in known
    ]


def test_no_text_that_is_said_is_put_together_beforehand() -> None:
    wrong = [
        place
        for place, node, text in called()
        if isinstance(text, ast.JoinedStr | ast.BinOp)
        and not (isinstance(node.func, ast.Name) and node.func.id == "gettext")
    ]
    assert not wrong


def test_what_is_said_has_only_named_values() -> None:
    for form in extracted():
        for text in form:
            assert all(re.fullmatch(r"[a-z_]+!:", field) for field in fields(text)), text


# The files hold what is said, and say the same.


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_file_has_the_texts_of_the_code_and_no_others(language: str) -> None:
    in_file = {forms(message.id) for message in texts(language)}
    assert in_file == extracted(), "run `make messages`"
    assert not [message.id for message in texts(language) if message.fuzzy]
    assert not messages(language).obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated(language: str) -> None:
    missing = [message.id for message in texts(language) if not is_translated(message)]
    if missing and language in UNFINISHED:
        pytest.skip(
            f"{len(missing)} of {len(texts(language))} texts are not yet translated "
            f"into {LANGUAGES[language]}"
        )
    assert not missing, f"{language}.po lacks {len(missing)} translations"


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_plural_forms_of_its_language(language: str) -> None:
    assert messages(language).num_plurals == get_plural(language)[0]
    assert messages(language).plural_expr == get_plural(language)[1]
    for message in texts(language):
        many = messages(language).num_plurals if message.pluralizable else 1
        assert len(forms(message.string)) in {0, many}, message.id
        assert not any(forms(message.string)) or all(forms(message.string)), (
            f"{message.id}: a form is missing"
        )


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_values_of_the_english_text(language: str) -> None:
    """A plural form that stands for a single number may say it in words."""
    single = single_numbers(messages(language))
    for english, text, number in pairs(language):
        needed = fields(english[-1])
        free = {"number!:"} if len(english) > 1 and number in single else set()
        assert needed - free <= fields(text) <= needed, f"{english[0]} → {text}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_the_shape_of_the_english_text(language: str) -> None:
    for english, text, _ in pairs(language):
        whole = english[-1]
        assert not MARKUP.search(text), text
        assert text.count("\n") == whole.count("\n"), text
        for sign in "`~*@#":
            assert text.count(sign) == whole.count(sign), f"{sign} in: {whole} → {text}"
        assert (
            whole[: len(whole) - len(whole.lstrip())] == text[: len(text) - len(text.lstrip())]
        ), f"“{text}” begins with other white space"
        assert whole[len(whole.rstrip()) :] == text[len(text.rstrip()) :], (
            f"“{text}” ends with other white space"
        )


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_what_people_type(language: str) -> None:
    """Commands, options, operators, numbers and examples."""
    for english, text, _ in pairs(language):
        missing = kept(english[-1]) - kept(text)
        assert not missing, f"{sorted(missing)} of: {english[-1]} → {text}"
        assert all(value in text for value in VALUES.get(english[0], ())), f"{english[0]} → {text}"
        new = {word for word in kept(text) - kept(english[-1]) if word.startswith("/")}
        assert not new, f"{sorted(new)} is no command of: {english[-1]}"


def test_arabic_has_no_signs_of_direction_but_isolates_that_end() -> None:
    for english, text, _ in pairs("ar"):
        assert not BIDI & set(text), f"{english[0]} → {text!r}"
        opened = 0
        for sign in text:
            opened += (sign in ISOLATES) - (sign == POP)
            assert opened >= 0, f"{english[0]} → {text!r}"
        assert not opened, f"{english[0]} → {text!r}"


# The files are read as they are.


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_language_is_loaded_and_says_what_its_file_says(language: str) -> None:
    translator = Translator(catalog=Catalogs().of(language))
    assert translator.catalog.language == language
    known = messages(language)["All feeds OK"]
    assert translator.gettext("All feeds OK") == (known.string or known.id)
    for message in texts(language):
        if message.pluralizable and is_translated(message):
            form = c2py(messages(language).plural_expr)
            singular, plural = forms(message.id)
            names = {name.partition("!")[0] for name in fields(plural)} - {"number"}
            values = dict.fromkeys(names, "…")
            for number in (0, 1, 2, 3, 5, 11, 21, 100, 101):
                text = translator.ngettext(singular, plural, number, **values)
                expected = forms(message.string)[form(number)]
                assert text == expected.format(number=number, **values)
        elif is_translated(message):
            (text,) = forms(message.id)
            assert translator.catalog.translations.gettext(text) == message.string


def test_a_language_that_is_unknown_is_english() -> None:
    catalogs = Catalogs()
    assert catalogs.of("xx").language == "en"
    assert Translator(catalog=catalogs.of("xx")).gettext("All feeds OK") == "All feeds OK"
    assert catalogs.of("de") is catalogs.of("de")


# What is said of an article speaks the language throughout.


class Masked(NullTranslations):
    """A language in which every letter is `ж`."""

    def gettext(self, message: str) -> str:
        return "".join(
            part if part.startswith("{") else re.sub(r"[A-Za-z]", "ж", part)
            for part in re.split(r"(\{\w+\})", message)
        )

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


MASKED = Translator(catalog=Catalog("xx", Masked()))
LATIN = re.compile("[A-Za-z]+")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("удар", "Удары"),
        ("удар море", "Удары"),
        ("удар NOT море", "Удар, море"),
        ("удар OR море", "Удар"),
        ("уд*", "Удары"),
        ("~Удар", "Удар"),
        ("/у.ар/i", "Удар"),
        ("удар NEAR/3 море", "Удар: море"),
        ('="Удар"', "удар"),
        ("*", "Удар"),
        ("@список", "Удары"),
    ],
)
def test_an_explanation_is_all_of_one_language(query: str, text: str) -> None:
    told = explain(parse(query, {"список": ("удар",)}), ArticleWords(Article(text, language="ru")))
    reply = sentence(told, MASKED)
    assert set(LATIN.findall(reply)) <= set(LATIN.findall(query)), reply
    assert len(sentence(told)) == len(reply)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "(" * 31 + "а" + ")" * 31,
        "а " * 301,
        '""',
        "а OR",
        "OR а",
        "(а",
        "а)",
        '"а',
        "/а",
        "*а",
        "а*б",
        "=а*",
        "а*",
        "~5",
        "а NEAR б",
        "а NEAR/99 б",
        "а NEAR/3 NOT б",
        "а NEAR/3 (NOT б)",
        "а NEAR/3 (б AND в)",
        "а^2",
        "@нет",
        "NOT а",
        "а NOT а",
        "а OR *",
        "/а/у",
        "/а{2000}/",
        "/а*/",
        f"/{'а' * 201}/",
        "~" + '"' + "а " * 9 + '"',
        '"а*"',
        "а" * 4001,
    ],
)
def test_a_mistake_of_a_query_is_all_of_the_language(query: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query, {"список": ("удар",)})
    reply = caught.value.translated(MASKED.gettext)
    assert set(LATIN.findall(reply)) <= {*LATIN.findall(query), "invalid", "repetition", "size"} | {
        "bad"
    }, reply
    assert caught.value.translated(ENGLISH.gettext) == caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "urgency:x а",
        "publishers:x а",
        "or_after:x а",
        "or_after:1h а",
        "publishers:2 or_after:9d а",
        "publishers:3 ring_again_at:2 а",
    ],
)
def test_a_mistake_of_an_option_is_all_of_the_language(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        options.split(text)
    assert set(LATIN.findall(caught.value.translated(MASKED.gettext))) <= set(LATIN.findall(text))
    assert caught.value.translated(ENGLISH.gettext) == caught.value.message


def reason_facts() -> Iterator[EntryFacts]:
    """An entry in each state that its alert, its records and its subscription can have."""
    article = Article("Удар", feed_name="Лампа", language="ru")
    sent = AlertFact(
        1, 1, "Удар", NOON, DeliveryState.SENT, "", NOON, arrived=True, matches={1: 1, 2: 1}
    )
    waits = [Wait(cause, NOON, "пауза") for cause in WaitCause]
    others = (UncountedEntry(7, "Буря", "Маяк"), UncountedEntry(8, "Буря"))
    alerts = [
        sent,
        *(replace(sent, state=state, arrived=False) for state in (*DeliveryState, None)),
        *(replace(sent, state=DeliveryState.QUEUED, arrived=False, wait=wait) for wait in waits),
        *(replace(sent, state=DeliveryState.DROPPED, error=reason) for reason in DropReason),
        *(replace(sent, pending=True, due_at=at, uncounted=others) for at in (None, NOON)),
        replace(sent, pending=True, matches={}),
        replace(sent, entry_id=9),
        replace(sent, matches={}),
        replace(sent, settled_at=None),
        replace(sent, note=True, again_at=NOON),
        replace(sent, again_at=NOON),
        replace(sent, removed={5: ("Пять", NOON)}, matches={5: 1}),
    ]
    records = [EntryRecord(1, 1, fate, leader) for fate in Fate for leader in (0, 9)]
    for silent in (None, *Silence):
        entry = StoredEntry(1, 1, article, NOON, NOON, silent)
        for alert in (None, *alerts):
            for record in (None, *records):
                yield EntryFacts(
                    entry,
                    (alert,) if alert else (),
                    ((NOON, "Море"),),
                    (record,) if record else (),
                )


def test_reasons_are_all_of_the_language() -> None:
    held = [
        ParsedSubscription(known_subscription(1, "Один", "удар"), parse("удар")),
        ParsedSubscription(known_subscription(2, "Два", "море", ("Маяк",)), parse("море")),
        ParsedSubscription(known_subscription(3, "Три", "("), None, "…"),
    ]
    for facts in reason_facts():
        accounts = accounts_of(facts, held, parse)
        reply = [
            reason.text
            for reason in explain_entry(
                facts, held, accounts, {1: "тут"}, lambda _: "12:00", MASKED
            )
        ]
        reply += [
            describe_entry(facts, lambda _: "12:00", key, MASKED)
            for key in ("link", "guid", "headline")
        ]
        assert not [text for text in reply if LATIN.search(text)]
    feeds = [
        FeedFact("Лампа", "https://новости.рф/", seen, NOON, failed)
        for seen in (None, NOON)
        for failed in ("", "нет")
    ]
    assert not LATIN.search(
        explain_unknown("https://новости.рф/1", feeds, lambda _: "12:00", MASKED)
    )


def test_a_storyline_is_all_of_the_language() -> None:
    kinds = tuple(PairReason)
    pairs_of = {
        2: tuple(Pair(other, 0.5, kind) for other in (1, 77) for kind in kinds),
        3: (Pair(1, 0.5, PairReason.WORDS),),
    }
    entries = [
        StoryEntry(
            number,
            StoryIds(story, story, 1),
            "Удар",
            "",
            "Лампа",
            "Лампа",
            "",
            NOON,
            pairs_of.get(number, ()),
        )
        for number, story in ((1, 1), (2, 1), (3, 3), (4, 4))
    ]
    told = timeline(entries, 1, MASKED)
    assert not [
        line.reason for story in told for line in story.entries if LATIN.search(line.reason)
    ]
