"""Parse a query: text to tree, with errors that point at the character and say what to do.

Not matching. Two steps: `plain_structure` reads the structure, or `grammar` where it is not plain;
`_TreeBuilder` parses the terms. Queries that match everything or nothing, or are a NOT alone, are
rejected by `validate`.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache

from bot.errors import QueryError
from bot.names.pattern import compile_name
from bot.query import fields, plain_structure, regex
from bot.query.plain_structure import Token
from bot.query.signs import is_sign_alone, signs_of, written
from bot.query.tree import (
    META_FIELDS,
    TEXT_FIELDS,
    AllOf,
    AnyOf,
    Everything,
    InField,
    Meta,
    Name,
    NamedList,
    Near,
    Node,
    NoneOf,
    Prefix,
    Regex,
    Symbol,
    Term,
    Unit,
    show,
)
from bot.query.validate import validation_error
from bot.text.clean import visible_positions
from bot.text.tokens import Tokens, designation, is_unspaced, tokens

LENGTH = 4_000  #: code points of a query
TERMS = 300  #: words, phrases and items of lists of a query
DEPTH = 30  #: parentheses within parentheses
_NODES = 3 * DEPTH  # an AND within an OR within a NOT for each pair of parentheses
NEARS = 20  #: NEAR and ONEAR of a query
DISTANCE = 50  #: words between the sides of a NEAR
PREFIX = 2  #: letters before a star
NAME_WORDS = 8  #: words of a name

# Replaced by single characters, so that positions stay the same: full-width forms of ASCII,
# typographic quotes and dashes.
_REPLACEMENTS = (
    dict.fromkeys("“”„‟«»「」『』〝〞", '"')
    | dict.fromkeys("−–—―‐‑‒﹣", "-")
    | {"～": "~"}
    | dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000\u2028\u2029\x0b\x1c\x1d\x1e\x1f\x85", " ")
    | dict.fromkeys(map(chr, range(0x2000, 0x200B)), " ")
)
_TYPOGRAPHIC = {point: chr(point - 0xFEE0) for point in range(0xFF01, 0xFF5F)} | {
    ord(sign): plain for sign, plain in _REPLACEMENTS.items()
}
_FIELDS = (*TEXT_FIELDS, *META_FIELDS)
_OPENS_REGEX = re.compile(r"(?:^|[\s(:])[!-]*$")
_BEFORE_REGEX = 8  # characters before a slash that are looked at
# Signs with which other languages join words, and what to write instead.
_OPERATOR_IN_ITEM = re.compile(r"(?:^|\s)(?:AND|OR|NOT|O?NEAR/\d+)(?:\s|$)|&&|\|\||[()]")
_JOINING_SIGNS = {"|": "OR", ",": "OR", ";": "OR", "&": "AND", "+": "AND"}

Names = Mapping[str, tuple[str, ...]]


class _TreeBuilder:
    """Builds the tree bottom up.

    `query` is as typed, for messages and for regular expressions, in which typographic signs count.
    """

    def __init__(self, query: str, names: Names) -> None:
        self._query, self._names = query, names
        self._terms = self._nears = 0

    def _count(self, position: int, words: int = 1) -> None:
        self._terms += max(1, words)
        if self._terms > TERMS:
            raise QueryError(
                self._query,
                position,
                "A query can have at most {most} words. Split this one into two subscriptions.",
                most=TERMS,
            )

    def _term(self, text: str, position: int, term: Term) -> Term | Symbol:
        """Return the term with its units, or its signs. Raises QueryError if it has neither."""
        if term.mode != "exact" and text == term.text and _has_letters_alone(text):
            words = tuple(text.lower().split())
            self._count(position, len(words))
            return Term(words, text, term.mode, term.quoted)
        term_units = units(text, inflected=term.mode == "inflected")
        self._count(
            position,
            sum(
                len(unit) if isinstance(unit, tuple) and not is_unspaced(unit[0]) else 1
                for unit in term_units
            ),
        )
        if not term_units:
            if is_sign_alone(term.text):
                return Symbol(term.text.strip(), term.quoted)
            if term.mode == "exact" and not text:
                raise QueryError(self._query, position, "Write a word right after =, as in =WHO.")
            if not term.quoted and text in _JOINING_SIGNS:
                raise QueryError(
                    self._query,
                    position,
                    "“{sign}” means nothing between words. Write {operator}.",
                    sign=text,
                    operator=_JOINING_SIGNS[text],
                )
            if term.quoted:
                raise QueryError(
                    self._query,
                    position,
                    "These quotes are empty. Put a word in them, or remove them.",
                )
            raise QueryError(
                self._query,
                position,
                "Unexpected “{word}”. Write a word here, or OR between alternatives.",
                word=text,
            )
        spans = tokens(term.text).spans
        shown = written(term.text, spans) if term.mode == "exact" else term.text
        return Term(term_units, shown, term.mode, term.quoted, signs_of(term.text, spans))

    def word(self, token: Token) -> Node:
        text, position = token.text, token.position
        if text[0] in "=~" and text.endswith("*"):
            raise QueryError(
                self._query,
                position + len(text) - 1,
                "A star works only with plain words. Remove the star, or the sign before the word.",
            )
        if text.startswith("="):
            return self._term(text[1:], position, Term((), text[1:], "exact"))
        if text.startswith("~"):
            if text[1:].isdecimal():
                raise QueryError(
                    self._query,
                    position,
                    "Write distances with NEAR: a NEAR/{number} b.",
                    number=text[1:],
                )
            return self._name(text[1:], position, quoted=False)
        self._check_word(text, position)
        return self.plain_word(text, position)

    def plain_word(self, text: str, position: int) -> Node:
        """Return a word that begins with no sign, with a star behind it or not."""
        if text.endswith("*"):
            return self._prefix(text[:-1], position)
        if text.isascii() and text.isalnum():  # as most are: without signs and accents
            self._count(position)
            return _plain_term(text)
        return self._term(text, position, Term((), text))

    def _check_word(self, text: str, position: int) -> None:
        """Reject operators of other query languages, rather than search for them as words."""
        if re.fullmatch(r"O?NEAR(?:/.*)?", text):
            operator = text.partition("/")[0]
            raise QueryError(
                self._query,
                position,
                "{operator} needs a number of words. Write {operator}/5.",
                operator=operator,
            )
        if "://" in text:
            host = fields.site_value(text)
            if not host:
                raise QueryError(self._query, position, "Put the address in quotes.")
            raise QueryError(
                self._query,
                position,
                "This is an address. For articles of a site, write site:{host}.",
                host=host,
            )
        if text.startswith("/"):
            raise QueryError(
                self._query,
                position,
                "An expression goes between two slashes, as in /S-[34]00/. Close it, or put the "
                "text in quotes.",
            )
        if text.startswith("*"):
            raise QueryError(
                self._query,
                position,
                "A star works only at the end of a word, as in rate*. For any part of a word, "
                "use /…/.",
            )
        if "*" in text[:-1] or "?" in text[:-1]:
            raise QueryError(
                self._query,
                position + min(text.index(sign) for sign in "*?" if sign in text),
                "A star works only at the end of a word, as in rate*. For letters inside a word, "
                "use /…/.",
            )
        if re.match(r"\^\d|.+[\^~]\d", text):
            raise QueryError(
                self._query,
                position,
                "Weights and ~ with a number do nothing here. Write the word alone, or NEAR/n "
                "between two words.",
            )

    def _prefix(self, text: str, position: int) -> Node:
        term_units = units(text, inflected=False)
        last = term_units[-1] if term_units else ""
        parts = last if isinstance(last, tuple) else (last,)
        if parts[-1] and is_unspaced(parts[-1]):
            # These scripts match within words anyway.
            return self._term(text, position, Term((), text))
        if len(term_units) > 1:
            raise QueryError(
                self._query,
                position,
                "“{word}” is more than one word. Put a star after a single word, and join words "
                "by ONEAR/0.",
                word=f"{text}*",
            )
        if len(term_units) != 1 or len("".join(parts)) < PREFIX:
            raise QueryError(
                self._query,
                position,
                "“{word}” is too short. Put at least {least} letters before a star.",
                word=f"{text}*",
                least=PREFIX,
            )
        self._count(position)
        return Prefix(parts[:-1], parts[-1], text, signs_of(text, tokens(text).spans))

    def _name(self, text: str, position: int, *, quoted: bool) -> Name:
        self._count(position)
        text = text.strip()
        if len(text.split()) > NAME_WORDS:
            raise QueryError(
                self._query, position, "A name can have at most {most} words.", most=NAME_WORDS
            )
        try:
            return Name(compile_name(text), text, quoted)
        except ValueError:
            raise QueryError(
                self._query, position, 'Put a name after ~, as in ~Zelensky or ~"Deir ez-Zor".'
            ) from None

    def phrase(self, token: Token) -> Term | Symbol:
        text = token.text[1:-1].strip()
        if "*" in text:
            raise QueryError(
                self._query,
                (token.position) + token.text.index("*"),
                'A star does nothing in quotes. Put it after a word, as in "air" ONEAR/0 def*.',
            )
        return self._term(text, token.position, Term((), text, "folded", quoted=True))

    def exact_phrase(self, token: Token) -> Term | Symbol:
        text = token.text[2:-1].strip()
        return self._term(text, token.position, Term((), text, "exact", quoted=True))

    def name_phrase(self, token: Token) -> Name:
        return self._name(token.text[2:-1], token.position, quoted=True)

    def everything(self, _: Token) -> Everything:
        return Everything()

    def regex(self, token: Token) -> Regex:
        position = token.position
        # The slashes may be typed full-width; what is between them counts as typed.
        end = token.text.rindex("/")
        source, flags = self._query[position + 1 : position + end], token.text[end + 1 :]
        self._count(position)
        return regex.parse_regex(source, flags, self._query, position)

    def named_list(self, token: Token) -> NamedList:
        name, position = token.text[1:], token.position
        items = self._names.get(name)
        if items is None:
            similar = get_close_matches(name, self._names, n=1)
            if similar:
                raise QueryError(
                    self._query,
                    position,
                    "There is no list @{name}. Did you mean @{other}?",
                    name=name,
                    other=similar[0],
                )
            raise QueryError(
                self._query,
                position,
                "There is no list @{name}. Define lists under `names:` in feeds.yaml.",
                name=name,
            )
        return NamedList(name, tuple(self._item(item, position) for item in items))

    def _item(self, item: str, position: int) -> Term | Prefix | Name:
        """Parse an item of a list: inflected words, or `"phrase"`, `=Word`, `word*`, `~name`."""
        text = item.translate(_TYPOGRAPHIC).strip()
        sign, bare = (text[0], text[1:].strip('"')) if text[:1] in {"=", "~"} else ("", text)
        if sign == "~":
            return self._name(bare, position, quoted=True)
        if sign == "=":
            return self._item_term(item, position, Term((), bare, "exact"))
        if len(text) > 1 and text[0] == text[-1] == '"':
            return self._item_term(item, position, Term((), text[1:-1], "folded", quoted=True))
        if _OPERATOR_IN_ITEM.search(text):
            raise QueryError(
                self._query,
                position,
                '“{item}” is a query. An item of a list is words, a "phrase", =Word, word* or '
                "~name: make each alternative an item of its own.",
                item=item,
            )
        if text.endswith("*") and " " not in text:
            prefix = self._prefix(text[:-1], position)
            if isinstance(prefix, Prefix):
                return prefix
        return self._item_term(item, position, Term((), text))

    def _item_term(self, item: str, position: int, term: Term) -> Term:
        if "*" in term.text:
            raise QueryError(
                self._query,
                position,
                "In “{item}” the star does nothing: in a list it works only after a single word. "
                "Write the words of the item without it.",
                item=item,
            )
        parsed = self._term(term.text, position, term)
        if not isinstance(parsed, Term):
            raise QueryError(
                self._query,
                position,
                "An item of a list needs a letter or digit; “{item}” has none. Write it in the "
                "query.",
                item=item,
            )
        return parsed

    def address(self, token: Token) -> Meta:
        field, _, address = token.text.partition(":")
        self._count(token.position)
        return Meta(field, fields.site_value(address) if field == "site" else address, address)

    def in_field(self, parts: list[Token | Node]) -> Node:
        token, part = parts
        assert isinstance(token, Token)  # noqa: S101 (the grammar says so)
        position = token.position
        name = token.text[:-1].lower()
        if name not in _FIELDS:
            raise self._unknown_field(name, position)
        assert not isinstance(part, Token)  # noqa: S101
        rule = fields.in_text_field if name in TEXT_FIELDS else fields.in_meta_field
        return rule(name, part, self._query, position)

    def _unknown_field(self, name: str, position: int) -> QueryError:
        similar = get_close_matches(name, _FIELDS, n=1, cutoff=0.6)
        if similar:
            return QueryError(
                self._query,
                position,
                "There is no field {name}:. Did you mean {other}:? To look for the text itself, "
                "put it in quotes.",
                name=name,
                other=similar[0],
            )
        return QueryError(
            self._query,
            position,
            "There is no field {name}:. Fields are {fields}. To look for the text itself, put it "
            "in quotes.",
            name=name,
            fields=", ".join(_FIELDS),
        )

    def near(self, parts: list[Token | Node]) -> Near:
        left, token, right = parts
        assert isinstance(token, Token)  # noqa: S101 (the grammar says so)
        assert not isinstance(left, Token)  # noqa: S101
        assert not isinstance(right, Token)  # noqa: S101
        operator, _, number = token.text.partition("/")
        distance, position = int(number[:6]), token.position
        if distance > DISTANCE:
            raise QueryError(
                self._query,
                position,
                "At most {most} words can come between. Write {operator}/{most} or less.",
                most=DISTANCE,
                operator=operator,
            )
        self._nears += 1
        if self._nears > NEARS:
            raise QueryError(
                self._query,
                position,
                "A query can have at most {most} NEAR. Split this one into two subscriptions.",
                most=NEARS,
            )
        for part, other in ((left, right), (right, left)):
            fields.check_near_side(
                part,
                fields.NearSide(show(other, inside=True), token.text, part is left),
                self._query,
                position,
            )
        return Near(left, right, distance, ordered=operator == "ONEAR")

    def none_of(self, parts: list[Node]) -> Node:
        return NoneOf(parts[-1])

    def all_of(self, parts: list[Node]) -> Node:
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def any_of(self, parts: list[Node]) -> Node:
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _has_letters_alone(text: str) -> bool:
    """Whether a text is words of ASCII letters with blanks between: nothing to fold or to join."""
    return text.isascii() and text.replace(" ", "").isalpha()


@lru_cache(maxsize=1 << 13)
def _plain_term(text: str) -> Term:
    """A word of letters without signs and accents: the same for all queries that ask for it."""
    folded = text.lower()
    return Term((text if folded == text else folded,), text)


def units(text: str, *, inflected: bool) -> tuple[Unit, ...]:
    """Return the words of a term, single or as compounds.

    Adjacent characters of scripts without spaces are a compound. Words are folded; inflected ones
    keep their accents, by which stemmers recognise endings.
    """
    term_tokens = tokens(text)
    words = [
        _latin_designation(word) for word in (term_tokens.lower if inflected else term_tokens.words)
    ]
    term_units: list[Unit] = []
    compounds = dict(term_tokens.compounds)
    index = 0
    while index < len(words):
        end = compounds.get(index, index + 1)
        if is_unspaced(term_tokens.words[index]):
            end = _end_of_unspaced(term_tokens, index)
        parts = tuple(words[index:end])
        term_units.append(parts if len(parts) > 1 else parts[0])
        index = end
    return tuple(term_units)


def _end_of_unspaced(term_tokens: Tokens, start: int) -> int:
    """Where a run of touching characters of scripts without spaces ends."""
    end = start + 1
    while (
        end < len(term_tokens.words)
        and is_unspaced(term_tokens.words[end])
        and term_tokens.spans[end][0] == term_tokens.spans[end - 1][1]
    ):
        end += 1
    return end


def _latin_designation(word: str) -> str:
    """A word of letters and digits in Latin letters (С300 as c300); any other word unchanged."""
    if word.isascii() or not any(map(str.isdecimal, word)) or not any(map(str.isalpha, word)):
        return word
    return designation(word)


def parse(query: str, names: Names | None = None) -> Node:
    """Parse a query. Raises QueryError with the position of the first mistake."""
    positions = [] if query.isascii() else visible_positions(query)
    if query.isascii() or len(positions) == len(query):
        return _parse(query, names)
    # Invisible signs, pasted with a word, are dropped as they are from texts.
    try:
        return _parse("".join(query[position] for position in positions), names)
    except QueryError as error:
        raise error.within(query, (*positions, len(query))[error.position]) from None


def _parse(query: str, names: Names | None) -> Node:
    if len(query) > LENGTH:
        raise QueryError(
            query,
            LENGTH,
            "A query can have at most {most} characters; this one has {number}.",
            most=LENGTH,
            number=len(query),
        )
    text = query.translate(_TYPOGRAPHIC)
    if not text.strip():
        raise QueryError(query, 0, 'The query is empty. Write a word, or a "phrase".')
    tree = _plain_tree(query, text, names or {})
    if tree is None:
        tree = _tree(query, text, names or {})
    if len(text) > _NODES and _depth(tree, 0) > _NODES:  # each part takes a character
        raise _too_deep(query)
    problem = validation_error(tree, query)
    if problem:
        raise problem
    return tree


def _plain_tree(query: str, text: str, names: Names) -> Node | None:
    """The tree of a query without peculiarities; None for others, and for those with a mistake."""
    try:
        return plain_structure.read(text, _TreeBuilder(query, names))
    except (plain_structure.NotPlainError, QueryError):
        return None


def _tree(query: str, text: str, names: Names) -> Node:
    """The tree of any query, by the grammar."""
    # lark and its grammar take a tenth of a second, and few queries need them.
    from bot.query import grammar  # noqa: PLC0415

    _check_brackets(query, text)
    try:
        return grammar.read(query, text, _TreeBuilder(query, names))
    except RecursionError:
        raise _too_deep(query) from None


def _too_deep(query: str) -> QueryError:
    return QueryError(
        query,
        0,
        "Parentheses, NOT and fields can be nested at most {most} deep. Simplify the query.",
        most=DEPTH,
    )


def _depth(node: Node, above: int) -> int:
    """The depth of a tree; deeper than the limit it is not examined."""
    if above > _NODES:
        return above
    match node:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return max(_depth(part, above + 1) for part in parts)
        case NoneOf(part=part) | InField(part=part):
            return _depth(part, above + 1)
        case Near(left=left, right=right):
            return max(_depth(left, above + 1), _depth(right, above + 1))
        case _:
            return above


def _check_brackets(query: str, text: str) -> None:
    """Raise QueryError for a quote or parenthesis without its partner."""
    opened: list[int] = []
    quote = -1
    position = 0
    while position < len(text):
        character = text[position]
        if character == '"':
            quote = -1 if quote >= 0 else position
        elif (
            quote < 0
            and character == "/"
            and _OPENS_REGEX.search(text[max(0, position - _BEFORE_REGEX) : position])
        ):
            position = regex.end_of_regex(text, position)
            continue
        elif quote < 0 and character == "(":
            opened.append(position)
            if len(opened) > DEPTH:
                raise QueryError(
                    query, position, "Parentheses can be nested at most {most} deep.", most=DEPTH
                )
        elif quote < 0 and character == ")":
            if not opened:
                raise QueryError(
                    query,
                    position,
                    "This parenthesis was never opened. Remove it, or open one before it.",
                )
            opened.pop()
        position += 1
    if quote >= 0:
        raise QueryError(
            query, quote, 'This quote is not closed. Add a " after the last word of the phrase.'
        )
    if opened:
        raise QueryError(
            query, opened[-1], "This parenthesis is not closed. Add a ) where it should end."
        )
