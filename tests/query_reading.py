"""A second, independent reading of docs/queries.md: queries evaluated plainly and slowly.

Written from the page alone. It shares no code with `bot.query` and `bot.text`: it has its own
parser, words, folding and signs, and instead of stemmers a list of word forms. So it knows the
inflection of the words of `FORMS` only, and no names (`~`).
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import regex

from bot.model.entries import Article

#: forms of one word, by language
FORMS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "en": (("missile", "missiles"), ("harbour", "harbours"), ("burn", "burned", "burning"),
           ("rate", "rates")),
    "de": (("Brücke", "Brücken"), ("Brand", "Brände", "Brandes"), ("Straße", "Straßen")),
    "fr": (("navire", "navires"), ("grève", "grèves"), ("port", "ports")),
    "ru": (("ракета", "ракеты", "ракетами"), ("пожар", "пожары", "пожаром"), ("мост", "моста")),
    "uk": (("ракета", "ракетами"), ("Київ", "Києва"), ("міст", "моста")),
    "ar": (("حكومة", "الحكومة", "والحكومة"), ("فرنسا", "لفرنسا", "وفرنسا", "الفرنسية"),
           ("حرب", "الحرب", "وحرب")),
    "he": (("ממשלה", "הממשלה", "בממשלה"), ("גשר", "הגשר", "בגשר")),
    "ko": (("미사일", "미사일을", "미사일이"), ("서울", "서울에서", "서울은"), ("NATO", "NATO가")),
    "zh": (), "ja": (), "": (),
}  # fmt: skip
# What a word of a query has before or after it stays part of it.
_AS_WRITTEN = frozenset(
    "لفرنسا وفرنسا وحرب בממשלה בגשר 미사일을 미사일이 서울에서 서울은 NATO가".split()
)
_LATIN_IS_ENGLISH = frozenset({"ru", "uk", "ar", "he", "ko", "zh", "ja", ""})
_LONG_A = frozenset({"de"})
_SIMPLE = str.maketrans("臺灣導彈東發國電", "台湾导弹东发国电")
_CYRILLIC = str.maketrans("стуabc", "stuabc") | {ord("с"): "s", ord("т"): "t", ord("у"): "u"}
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]"
_NUMBER = (
    r"(?<![\p{L}\p{N}.,])(?:"
    r"[1-9]\d{0,2}(?P<s>[,.'’\u00a0\u202f])\d{3}(?:(?P=s)\d{3})*(?:(?!(?P=s))[.,]\d\d?)?"
    r"|0[.,]\d+|\d+[.,]\d\d?)(?!\d|[.,]\d)"
)
_WORD = rf"[[\p{{L}}\p{{N}}]--{_UNSPACED}][[\p{{L}}\p{{N}}\p{{M}}]--{_UNSPACED}]*"
_ATOM = regex.compile(rf"(?V1){_NUMBER}|{_UNSPACED}|{_WORD}")
_HARD = frozenset("-‐‑–−'’‘`ʼ")
_SOFT = _HARD | frozenset("—_/")
_MOST_JOINED = 4


def visible(text: str) -> str:
    """Return a text as newsbell keeps it: without invisible signs, spaces made one."""
    clean = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return re.sub(r"(?:(?!(?<=\d)[\u00a0\u202f]\d{3}(?!\d))\s)+", " ", clean).strip()


def fold(word: str) -> str:
    """Return a word without case, accents and the other differences that do not count."""
    text = unicodedata.normalize("NFKD", word.translate(_SIMPLE)).casefold()
    text = unicodedata.normalize("NFD", text)
    kept = re.sub("(и)\u0306|(і)\u0308", lambda hit: "й" if hit[1] else "ї", text)
    bare = "".join(
        sign for sign in kept if unicodedata.category(sign) != "Mn" or sign in "\u3099\u309a"
    )
    for letter, other in (("þ", "th"), ("ð", "d"), ("ı", "i"), ("ς", "σ"), ("ø", "o"), ("ة", "ه"),
                          ("ى", "ي"), ("đ", "d"), ("ł", "l"), ("æ", "ae")):  # fmt: skip
        bare = bare.replace(letter, other)
    return unicodedata.normalize("NFC", bare)


@dataclass(frozen=True)
class Atom:
    """A word, a number, or a character of a script without spaces."""

    written: str
    word: str  #: a number as digits and a point; anything else as written
    start: int
    end: int

    @property
    def unspaced(self) -> bool:
        return regex.fullmatch(_UNSPACED, self.written) is not None


def number(written: str) -> str:
    """Return a number without thousands separators, its decimals after a point."""
    hit = re.fullmatch(r"(.*)[.,](\d\d?)|(0)[.,](\d+)", written)
    if hit and hit[3]:
        return f"0.{hit[4]}"
    return f"{re.sub(r'[^0-9]', '', hit[1])}.{hit[2]}" if hit else re.sub(r"[^0-9]", "", written)


def atoms(text: str) -> list[Atom]:
    result = []
    for hit in _ATOM.finditer(text):
        written = hit.group()
        plain = "".join(str(unicodedata.digit(sign, sign)) for sign in written)
        is_number = written[0].isdecimal() and not any(map(str.isalpha, written))
        result.append(Atom(written, number(plain) if is_number else plain, *hit.span()))
    return result


class Field:
    """The words of a headline or of a summary."""

    def __init__(self, text: str, language: str) -> None:
        self.text, self.language = text, language
        self.atoms = atoms(text)
        #: whether an atom is written together with the one before it
        self.joined = [False] + [self._is_joined(index) for index in range(1, len(self.atoms))]
        self.numbers: list[int] = []  # of each atom: its place when compounds count as one word
        for is_joined in self.joined[: len(self.atoms)]:
            self.numbers.append((self.numbers[-1] if self.numbers else 0) + (not is_joined))

    def gap(self, index: int) -> str:
        """Return what is between an atom and the one before it."""
        return self.text[self.atoms[index - 1].end : self.atoms[index].start]

    def _is_joined(self, index: int) -> bool:
        before, after, gap = self.atoms[index - 1], self.atoms[index], self.gap(index)
        if len(gap) == 1 and gap in _HARD:
            return True
        if gap == ".":
            return len(before.written) == len(after.written) == 1 and (
                (before.written + after.written).isalpha()
            )
        if gap == " ":  # 10 000
            return bool(
                re.fullmatch(r"[1-9]\d?|\d{3}", before.written)
                and not (before.written[0] == "0" and len(before.written) < 3)
                and re.fullmatch(r"\d{3}(?:[.,]\d\d?)?", after.written)
            )
        return gap == "" and bool(  # 1,000km
            re.fullmatch(r"\d.*[.,\u00a0\u202f].*\d", before.written)
            and after.written.isalpha()
            and not after.unspaced
        )


@dataclass(frozen=True)
class Words:
    """A term: its words, each of one or more parts, and how they are compared."""

    text: str
    parts: tuple[tuple[str, ...], ...]
    mode: str  #: inflected, folded or exact
    star: bool = False


Range = tuple[int, int]


def read_words(text: str, mode: str, *, star: bool = False) -> Words:
    field = Field(text, "")
    parts: list[list[str]] = []
    for index, atom in enumerate(field.atoms):
        touching = index > 0 and field.gap(index) == "" and atom.unspaced
        run = touching and field.atoms[index - 1].unspaced
        if parts and (field.joined[index] or run):
            parts[-1].append(atom.word)
        else:
            parts.append([atom.word])
    return Words(text, tuple(map(tuple, parts)), mode, star)


def _latin(word: str) -> str:
    """A word with digits in Latin letters."""
    folded = fold(word)
    return folded.translate(_CYRILLIC) if any(map(str.isdecimal, folded)) else folded


def _a_spellings(word: str) -> set[str]:
    """The spellings of a word with å."""
    return {fold(word), fold(word.replace("å", "aa").replace("Å", "Aa"))}


def same(query: str, text: str, language: str, mode: str) -> bool:
    """Whether a word of a query is a word of a text."""
    spellings = {fold(query)} if language in _LONG_A else _a_spellings(query)
    if _latin(query) == _latin(text) or spellings & _a_spellings(text):
        return True
    single = fold(text).replace("aa", "a")
    if "aa" in fold(text) and language not in _LONG_A and single in _a_spellings(query):
        return True
    if mode != "inflected":
        return False
    foreign = regex.fullmatch(r"([\p{Latin}\d]+)\p{Hangul}+", text)
    if foreign and same(query, foreign[1], language, mode):
        return True
    if query in _AS_WRITTEN:
        return False
    if language in _LATIN_IS_ENGLISH and regex.match(r"\p{Latin}", text):
        language = "ko" if text in {"NATO", "NATO가"} else "en"
    return any({fold(query), fold(text)} <= set(map(fold, forms)) for forms in FORMS[language])


def ranges(term: Words, field: Field) -> set[Range]:
    """Return the ranges of atoms that are this term."""
    found: set[Range] = set()
    for start in range(len(field.atoms)):
        ends = {start}
        for position, parts in enumerate(term.parts):
            star = term.star and position == len(term.parts) - 1
            ends = {
                after for end in ends for after in _word_ends(parts, end, field, term, star=star)
            }
        found |= {(start, end) for end in ends if end > start}
    found = {span for span in found if _has_signs(term, field, span)}
    if term.mode == "exact":
        found = {
            span for span in found if _exact(field.atoms[slice(*span)]) == _exact(atoms(term.text))
        }
    return found


def _word_ends(
    parts: Sequence[str], start: int, field: Field, term: Words, *, star: bool
) -> Iterator[int]:
    def fits(query: str, text: str) -> bool:
        if star:
            return _latin(text).startswith(_latin(query))
        return same(query, text, field.language, term.mode)

    for count in range(1, _MOST_JOINED + 1):
        end = start + count
        if end > len(field.atoms) or not all(field.joined[start + 1 : end]):
            break
        if count == 1 and field.atoms[start].unspaced and len(parts) > 1:
            continue
        if fits("".join(parts), "".join(atom.word for atom in field.atoms[start:end])):
            yield end
    if len(parts) < 2 or start + len(parts) > len(field.atoms):
        return
    here = field.atoms[start : start + len(parts)]
    pairs = list(zip(parts, here, strict=True))
    designation = any(map(str.isdecimal, "".join(parts)))
    alike = all(
        fits(part, atom.word)
        if star and index == len(parts) - 1
        else same(part, atom.word, field.language, "folded" if star else term.mode)
        or (designation and _latin(f"{part}0") == _latin(f"{atom.word}0"))
        for index, (part, atom) in enumerate(pairs)
    )
    if alike and all(
        _is_soft(field, index, parts) for index in range(start + 1, start + len(parts))
    ):
        yield start + len(parts)


def _is_soft(field: Field, index: int, parts: Sequence[str]) -> bool:
    gap, before, after = field.gap(index), field.atoms[index - 1], field.atoms[index]
    if before.unspaced or after.unspaced:
        return not gap.strip()
    if gap.isspace():
        small = len(before.written) == 1 and before.written.islower()
        return not (small and after.word[0].isdecimal())
    initials = all(len(part) == 1 and part.isalpha() for part in parts)
    return gap == "" or (len(gap) == 1 and gap in _SOFT) or (initials and gap.strip() == ".")


def _exact(parts: Sequence[Atom]) -> str:
    return "".join(
        unicodedata.normalize("NFKC", atom.written)
        if any(map(str.isalpha, atom.written))
        else atom.word
        for atom in parts
    )


# Signs

_EMOJI = "🚨⚠"
_MONEY = "$€£¥"


def _signs_before(text: str, word: str) -> str:
    text = text.translate(_WIDE).replace("\ufe0f", "")
    hit = re.search(rf"((?:[{_EMOJI}{_MONEY}]\s*|(?<![^\W_])[#@])+)$", text)
    if hit:
        return re.sub(r"\s", "", hit[1])
    return "." if re.search(r"(?<![^\W_])(?<!\.)\.$", text) and word[0].isalpha() else ""


def _signs_after(text: str) -> str:
    text = text.translate(_WIDE).replace("\ufe0f", "")
    hit = re.match(rf"(?:\+|#(?![^\W_])|\s*[%{_MONEY}{_EMOJI}])+", text)
    return re.sub(r"\s", "", hit[0]) if hit else ""


def _signs_between(text: str) -> str:
    return "".join(re.findall(rf"[+#%&@{_MONEY}{_EMOJI}]", text.translate(_WIDE)))


def _has_signs(term: Words, field: Field, span: Range) -> bool:
    words = atoms(term.text)
    start, end = field.atoms[span[0]].start, field.atoms[span[1] - 1].end
    first, last = words[0].start, words[-1].end
    before, after = (
        _signs_before(term.text[:first], term.text[first:]),
        _signs_after(term.text[last:]),
    )
    there = _signs_before(field.text[:start], field.text[start:])
    behind = _signs_after(field.text[end:])
    if not there.endswith(before) or not behind.startswith(after):
        return False
    if after and after[-1] in "+#" and behind[len(after) :][:1] in ("+", "#"):
        return False
    between = _signs_between(term.text[first:last])
    if between and between != _signs_between(field.text[start:end]):
        return False
    for initials in re.findall(r"(?<!\w)(?:[^\W\d_]\.){1,3}[^\W\d_](?!\w)", term.text):
        letters = initials.replace(".", "")
        points, capitals = r"\.\s?".join(letters), r"\s?".join(letters.upper())
        here = field.text[start : end + 1]
        if not re.search(points, here, re.IGNORECASE) and not re.search(capitals, here):
            return False
    return True


# Queries

Node = Callable[["Reading", str], bool]


@dataclass(frozen=True)
class Reading:
    """An article, to be asked."""

    article: Article
    fields: Mapping[str, Field]

    @classmethod
    def of(cls, article: Article) -> "Reading":
        texts = {
            "title": visible(article.title),
            "summary": visible(article.summary),
            "body": visible(article.body),
        }
        return cls(article, {name: Field(text, article.language) for name, text in texts.items()})

    def within(self, field: str) -> list[Field]:
        return [self.fields[field]] if field else list(self.fields.values())


_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<near>O?NEAR/\d+)(?=[\s(]|$)
    |(?P<field>(?:title|summary|body|site|source|author|category|tag|lang|feed):)
    |(?P<operator>(?:AND|OR|NOT)(?=[\s(]|$)|&&|\|\||[-!](?=\S))
    |(?P<phrase>=?"[^"]*")|(?P<regex>/(?:[^/\\]|\\.)+/i?)(?=[\s)]|$)
    |(?P<list>@[\w.-]+)|(?P<number>[1-9]\d{0,2}(?:\ \d{3})+)(?=[\s)]|$)|(?P<word>[^\s()"]+))""",
    re.VERBOSE,
)


class Parser:
    """Reads a query; the result is a function of an article and a field."""

    def __init__(self, query: str, lists: Mapping[str, Sequence[str]]) -> None:
        plain = _INVISIBLE.sub("", query).translate(_WIDE)
        plain = re.sub("[“”„«»]", '"', re.sub("[\u2003\u3000\u00a0\u202f]", " ", plain))
        plain = re.sub("[–—‑−]", "-", plain)
        self._lists = lists
        self._tokens = [
            (str(hit.lastgroup), str(hit[str(hit.lastgroup)])) for hit in _TOKEN.finditer(plain)
        ]
        self._place = 0

    def _next(self, *wanted: str) -> str:
        """Take the next token if it is one of these."""
        if self._place < len(self._tokens):
            kind, text = self._tokens[self._place]
            if kind in wanted or text in wanted:
                self._place += 1
                return text
        return ""

    def parse(self) -> Node:
        node = self._any()
        assert self._place == len(self._tokens), self._tokens[self._place :]
        return node

    def _any(self) -> Node:
        parts = [self._all()]
        while self._next("OR", "||"):
            parts.append(self._all())
        return lambda reading, field: any(part(reading, field) for part in parts)

    def _all(self) -> Node:
        parts = [self._not()]
        while True:
            if not self._next("AND", "&&"):
                if self._place == len(self._tokens):
                    break
                kind, text = self._tokens[self._place]
                if kind == "close" or text in {"OR", "||"}:
                    break
            parts.append(self._not())
        return lambda reading, field: all(part(reading, field) for part in parts)

    def _not(self) -> Node:
        if self._next("NOT", "-", "!"):
            part = self._not()
            return lambda reading, field: not part(reading, field)
        return self._near()

    def _near(self) -> Node:
        start = self._place
        node = self._atom()
        end = self._place
        operator = self._next("near")
        if not operator:
            return node
        left = self._alternatives(start, end)
        start = self._place
        self._atom()
        right = self._alternatives(start, self._place)
        ordered, distance = operator.startswith("O"), int(operator.partition("/")[2])

        def nearby(reading: Reading, within: str) -> bool:
            return any(
                _is_near(first, second, text, distance)
                or (not ordered and _is_near(second, first, text, distance))
                for text in reading.within(within)
                for first in _all_ranges(left, text)
                for second in _all_ranges(right, text)
            )

        return nearby

    def _alternatives(self, start: int, end: int) -> list[Words]:
        """The terms of a side of NEAR: a term, a list, or an OR of them."""
        terms: list[Words] = []
        for kind, text in self._tokens[start:end]:
            terms += self._terms(kind, text)
        return terms

    def _terms(self, kind: str, text: str) -> list[Words]:
        if kind == "list":
            return [term for item in self._lists[text[1:]] for term in self._item(item)]
        if kind == "phrase":
            exact = text.startswith("=")
            return [read_words(text.strip('="'), "exact" if exact else "folded")]
        if kind in {"word", "number"}:
            return self._item(text)
        return []

    def _item(self, text: str) -> list[Words]:
        if text.startswith('"'):
            return self._terms("phrase", text)
        if text.startswith("="):
            return [read_words(text[1:].strip('"'), "exact")]
        if text.endswith("*"):
            return [read_words(text[:-1], "folded", star=True)]
        return [read_words(text, "inflected")]

    def _atom(self) -> Node:
        if self._next("open"):
            node = self._any()
            self._next("close")
            return node
        if name := self._next("field"):
            return self._in_field(name[:-1])
        kind, text = self._tokens[self._place]
        self._place += 1
        if kind == "regex":
            return _expression(text)
        if text == "*":
            return lambda _reading, _field: True
        terms = self._terms(kind, text)
        if not terms[0].parts:  # an emoji
            sign = text.strip('="').replace("\ufe0f", "")
            return lambda reading, field: any(sign in each.text for each in reading.within(field))
        return lambda reading, field: any(
            ranges(term, each) for term in terms for each in reading.within(field)
        )

    def _in_field(self, name: str) -> Node:
        if name in {"title", "summary", "body"}:
            part = self._atom()
            return lambda reading, _field: part(reading, name)
        kind, text = self._tokens[self._place]
        self._place += 1
        assert kind in {"word", "phrase"}
        value = text.strip('"')
        return lambda reading, _field: _meta(name, value, reading.article)


def _all_ranges(terms: Sequence[Words], field: Field) -> set[Range]:
    return {span for term in terms for span in ranges(term, field)}


def _is_near(first: Range, second: Range, field: Field, distance: int) -> bool:
    if second[0] < first[1]:
        return False
    return field.numbers[second[0]] - field.numbers[first[1] - 1] - 1 <= distance


def _expression(text: str) -> Node:
    body, _, flags = text[1:].rpartition("/")
    pattern = regex.compile(body, regex.IGNORECASE if flags else 0)
    return lambda reading, field: any(pattern.search(each.text) for each in reading.within(field))


def _meta(name: str, value: str, article: Article) -> bool:
    def words(text: str) -> str:
        return f" {' '.join(fold(atom.written) for atom in atoms(text))} "

    match name:
        case "site":
            host, _, path = value.partition("/")
            address = re.sub(r"^https?://(?:www\.)?", "", article.link)
            own, _, rest = address.partition("/")
            on_host = own == host or own.endswith(f".{host}")
            return on_host and (not path or f"{rest}/".startswith(f"{path}/"))
        case "lang":
            return article.language == value
        case "tag":
            return fold(value) in map(fold, article.tags)
        case "author":
            return words(value) in words(article.author)
        case "category":
            return any(words(value) in words(category) for category in article.categories)
        case "feed":
            return words(value) in words(article.feed_name)
        case _:
            outlets = (
                (article.source,) if article.source else (article.publisher, article.feed_name)
            )
            return any(words(value) in words(outlet) for outlet in outlets)


def matches(query: str, article: Article, lists: Mapping[str, Sequence[str]]) -> bool:
    """Whether a query matches an article."""
    return Parser(query, lists).parse()(Reading.of(article), "")
