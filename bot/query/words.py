"""The words of one article, tokenized, folded and stemmed once for all queries. Not matching."""

from bisect import bisect_left, bisect_right
from itertools import combinations, pairwise
from unicodedata import normalize

from bot.model.entries import Article, Span
from bot.names.context import NameText, name_text
from bot.names.lookup_keys import word_keys
from bot.names.pattern import NamePattern
from bot.query.fields import site_value
from bot.text.fold import fold, fold_once, folded_key
from bot.text.overlap import repeated
from bot.text.stem import text_stems
from bot.text.tokens import (
    MAX_JOINED,
    Tokens,
    designation,
    is_unspaced,
    joined,
    single_ranges,
    tokens,
)
from bot.text.word_cache import word_cache

TokenRange = tuple[int, int]  #: half-open range of word positions
# Languages in whose texts aa is a long a; in others it may stand for å.
_LONG_A_LANGUAGES = frozenset({"af", "de", "et", "fi", "fy", "lb", "nl", "so"})


@word_cache(1 << 17)
def keys_of_word(word: str, language: str) -> tuple[str, ...]:
    """Return the keys of a lower-case word: its folded form after `=`, and its stems.

    С300 has the keys of S300, too, and Århus those of Aarhus, and the other way round.
    """
    folded = word if word.isascii() else fold_once(word)
    keys = (f"={folded}", *text_stems(word, language))
    if "å" in word or ("aa" in word and language not in _LONG_A_LANGUAGES):
        other = fold(word.replace("å", "aa")) if "å" in word else word.replace("aa", "å")
        keys = tuple(dict.fromkeys((*keys, f"={fold(other)}", *text_stems(other, language))))
    if folded.isascii() or not any(map(str.isdecimal, folded)):
        return keys
    return (*keys, f"={designation(folded)}", designation(folded))


def _add_word(keys: dict[str, str | list[str]], key: str, word: str) -> None:
    """Add a word to those of a key that others have already."""
    known = keys[key]
    if isinstance(known, list):
        known.append(word)
    else:
        keys[key] = [known, word]


def exact_form(written: str, folded: str) -> str:
    """Return what `=` compares of a word: its letters with case and accents; of a number, it."""
    if not any(map(str.isalpha, written)):
        return folded
    return normalize("NFKC", written.replace("ـ", "").replace("\u200c", "").replace("\u200d", ""))


class ArticleWords:
    """An article, ready to be matched.

    Positions run through title, summary and body, with an empty word between them that nothing
    matches. A body that begins with the summary has its positions alone: the first of them are
    those of the summary, too.
    """

    __slots__ = (
        "_compounds",
        "_joined",
        "_lower",
        "_name_keys",
        "_name_text",
        "_numbers",
        "_occurrences",
        "_pairs",
        "_positions",
        "_tokens",
        "article",
        "body_from",
        "keys",
        "language",
        "repeated",
        "sorted_keys",
        "spans",
        "summary_from",
        "summary_to",
        "texts",
        "words",
    )

    def __init__(self, article: Article) -> None:
        self.article = article
        self.language = article.language
        self.texts = (article.title, article.summary, article.body)
        #: code points of the summary that the body begins with
        self.repeated = repeated(article.summary, article.body) if article.body else 0
        texts = [article.title]
        if article.summary and not self.repeated:
            texts.append(article.summary)
        if article.body:
            texts.append(article.body)
        self._tokens = [tokens(text) for text in texts]
        self.words, lower, compounds, unspaced, starts = _joined(self._tokens)
        self.summary_from = starts[1]
        self.body_from = starts[-2] if article.body else starts[-1]
        self.summary_to = self.body_from
        if self.repeated:
            ends = [end for _, end in self._tokens[-1].spans]
            self.summary_to += bisect_right(ends, self.repeated)
        self._lower = lower
        self._compounds = compounds
        self._numbers: list[int] = []  # of each word, counting compounds as one; filled on demand
        # Words of compounds joined, and pairs of characters, with their positions.
        self._joined: dict[str, list[TokenRange]] = {}
        self._pairs: dict[str, list[TokenRange]] = {}
        # Positions of words and of keys: filled on demand, most articles have no candidate.
        self._occurrences: dict[str, list[TokenRange]] = {}
        self._positions: dict[str, list[TokenRange]] = {}
        #: keys to the words that have them, as they are first looked up: a word, or several
        self.keys: dict[str, str | list[str]] = {}
        self.spans: dict[str, list[Span] | None] = {}  #: cache: results of terms by their text
        self.sorted_keys: list[str] = []  #: filled by the first search for a prefix
        # Words with a key, in small letters or not: filled by the first search for a name.
        self._name_keys: dict[bool, dict[str, list[int]]] = {}
        self._name_text: NameText | None = None
        if compounds:
            self._join_compounds()
        self._add_keys()
        if unspaced:
            self._add_pairs()

    def _join_compounds(self) -> None:
        lower, joined_words = self._lower, self._joined
        for first, last in self._compounds:
            for start, end in combinations(range(first, last + 1), 2):
                if 2 <= end - start <= MAX_JOINED:
                    compound = joined(tuple(lower[start:end]))
                    joined_words.setdefault(compound, []).append((start, end))

    def _add_keys(self) -> None:
        keys, language = self.keys, self.language
        distinct = dict.fromkeys(self._lower)
        distinct.pop("", None)
        distinct.update(dict.fromkeys(self._joined))
        for word in distinct:
            for key in keys_of_word(word, language):
                if key in keys:
                    _add_word(keys, key, word)
                else:
                    keys[key] = word

    def _add_pairs(self) -> None:
        """Add pairs of characters of a script without spaces: they are rarer than single ones.

        They are folded already, have no stems, and are too many to be remembered.
        """
        pairs, words, keys = self._pairs, self.words, self.keys
        here = {word for word in set(words) if is_unspaced(word)}
        for index, (before, word) in enumerate(pairwise(words)):
            if word in here and before in here:
                pair = before + word
                if pair in pairs:
                    pairs[pair].append((index, index + 2))
                else:
                    pairs[pair] = [(index, index + 2)]
        for pair in pairs:
            for key in (f"={pair}", pair):
                if key in keys:
                    _add_word(keys, key, pair)
                else:
                    keys[key] = pair

    def positions(self, key: str) -> list[TokenRange]:
        """Return the positions of the words with a key. The list is shared, and never changed."""
        known = self._positions.get(key)
        if known is None:
            words = self.keys.get(key)
            if words is None:
                return []
            known = (
                self._of_word(words)
                if isinstance(words, str)
                else [position for word in words for position in self._of_word(word)]
            )
            self._positions[key] = known
        return known

    def _of_word(self, word: str) -> list[TokenRange]:
        if not self._occurrences:
            self._locate()
        return self._occurrences[word]

    def _locate(self) -> None:
        """Note where each word is: at once for all, since one is seldom asked for alone."""
        found = self._occurrences
        lower = self._lower
        for word, position in zip(lower, single_ranges(0, len(lower)), strict=True):
            if word in found:
                found[word].append(position)
            else:
                found[word] = [position]
        for others in (self._joined, self._pairs):
            for word, positions in others.items():
                found[word] = [*found.get(word, ()), *positions]

    def character_range(self, token_range: TokenRange) -> tuple[str, int, int]:
        """Return the field of these words and the half-open range of their characters in it."""
        start, end = token_range
        if start < self.summary_from:
            spans = self._tokens[0].spans
            return "title", spans[start][0], spans[end - 1][1]
        if start < self.body_from:
            spans, shift = self._tokens[1].spans, self.summary_from
            return "summary", spans[start - shift][0], spans[end - 1 - shift][1]
        spans, shift = self._tokens[-1].spans, self.body_from
        field = "summary" if self.repeated and end <= self.summary_to else "body"
        return field, spans[start - shift][0], spans[end - 1 - shift][1]

    def in_field(self, token_range: TokenRange, field: str) -> bool:
        """Return whether words are of a field, or of any if it is empty."""
        start, end = token_range
        match field:
            case "":
                return True
            case "title":
                return start < self.summary_from
            case "summary":
                return self.summary_from <= start and end <= self.summary_to
            case _:
                return start >= self.body_from

    def in_one_text(self, first: int, second: int) -> bool:
        """Return whether two words are of the same text."""
        summary, body = self.summary_from, self.body_from
        return (first < summary) == (second < summary) and (first < body) == (second < body)

    def exact_text(self, token_range: TokenRange) -> str:
        """Return these words as `exact_form` of a query: with their case and accents."""
        start, end = token_range
        return "".join(
            exact_form(self.original_text(index), self.words[index]) for index in range(start, end)
        )

    def original_text(self, index: int) -> str:
        """Return a word as written."""
        field, start, end = self.character_range((index, index + 1))
        return self.article.text_of(field)[start:end]

    def gap(self, index: int) -> str:
        """Return what is written between a word and the next one of the same field."""
        _, _, end = self.character_range((index, index + 1))
        field, start, _ = self.character_range((index + 1, index + 2))
        return self.article.text_of(field)[end:start]

    def words_between(self, before: TokenRange, after: TokenRange) -> int:
        """Return how many words stand between two others; those of a compound count as one."""
        if not self._compounds:
            return after[0] - before[1]
        if not self._numbers:
            number = 0
            inside = {index for start, end in self._compounds for index in range(start + 1, end)}
            for index in range(len(self.words)):
                number += index not in inside
                self._numbers.append(number)
        return self._numbers[after[0]] - self._numbers[before[1] - 1] - 1

    def with_prefix(self, prefix: str) -> list[TokenRange]:
        """Return the positions of words whose folded form begins with this prefix."""
        if not self.sorted_keys:
            self.sorted_keys = sorted(key for key in self.keys if key[0] == "=")
        positions: list[TokenRange] = []
        index = bisect_left(self.sorted_keys, f"={prefix}")
        while index < len(self.sorted_keys) and self.sorted_keys[index].startswith(prefix, 1):
            positions += self.positions(self.sorted_keys[index])
            index += 1
        return positions

    @property
    def name_text(self) -> NameText:
        """The words among which names are looked for; ranges are of positions."""
        if self._name_text is None:
            summary = () if self.repeated or not self.texts[1] else (self.texts[1],)
            texts = (self.texts[0], *summary, self.texts[2])
            fields = [
                (text, part.words, part.spans)
                for text, part in zip(texts, self._tokens, strict=False)
            ]
            self._name_text = name_text(fields, self.language)
        return self._name_text

    def indices_with(self, pattern: NamePattern) -> list[int]:
        """Return the indices in `name_text` of words that share a key with a name, in order.

        Those in small letters only where the name may be.
        """
        indices = self._indices_of_keys(pattern.keys, small=False)
        if pattern.may_be_small:
            indices |= self._indices_of_keys(pattern.keys, small=True)
        return sorted(indices)

    def _indices_of_keys(self, keys: frozenset[str], *, small: bool) -> set[int]:
        by_key = self._name_keys.get(small)
        if by_key is None:
            by_key = self._name_keys[small] = {}
            in_small = self.name_text.context.small
            for index, word in enumerate(self.name_text.words):
                for key in word_keys(word) if word and (index in in_small) == small else ():
                    by_key.setdefault(key, []).append(index)
        return {index for key in keys & by_key.keys() for index in by_key[key]}

    def name_words(self) -> dict[str, bool]:
        """Return the words that may be of a name, and whether each has small letters only."""
        found: dict[str, bool] = {}
        small = self.name_text.context.small
        for index, word in enumerate(self.name_text.words):
            if word:
                found[word] = index in small and found.get(word, True)
        return found

    def meta_keys(self) -> set[str]:
        """Return the keys of the metadata, such as `lang:ru`."""
        article = self.article
        keys = {
            f"lang:{article.language}",
            *(f"tag:{fold(tag)}" for tag in article.tags),
            f"feed:{article.feed}",
        }
        keys.update(f"site:{site}" for site in site_hosts(site_value(article.link)))
        for field, text in (
            ("feed", article.feed_name),
            ("source", " ".join(sources(article))),
            ("author", article.author),
            ("category", " ".join(article.categories)),
        ):
            keys.update(f"{field}:{word}" for word in folded_key(text).split())
        return keys


def _joined(
    parts: list[Tokens],
) -> tuple[list[str], list[str], list[TokenRange], bool, list[int]]:
    """Words, lower-case words and compounds of several texts, and where each begins.

    Also whether any is of a script without spaces. The last start is that of a further text.
    """
    first = parts[0]
    words, lower, compounds, unspaced = first.words, first.lower, first.compounds, first.unspaced
    starts = [0, len(words) + 1]
    for part in parts[1:]:
        shift = starts[-1]
        words = [*words, "", *part.words]
        lower = [*lower, "", *part.lower]
        compounds = compounds + [(start + shift, end + shift) for start, end in part.compounds]
        unspaced = unspaced or part.unspaced
        starts.append(len(words) + 1)
    return words, lower, compounds, unspaced, starts


def sources(article: Article) -> tuple[str, ...]:
    """Return the names for `source:`: the outlet an aggregator names, else publisher and feed."""
    return (article.source,) if article.source else (article.publisher, article.feed_name)


def site_hosts(address: str) -> list[str]:
    """Return the host of an address and its parent domains, without the top-level domain."""
    labels = address.partition("/")[0].split(".")
    return [".".join(labels[index:]) for index in range(len(labels) - 1)]
