"""Caches of what is computed for words, bounded together by the bytes that they take.

Each of them alone would be small; twenty of them, in the words of seven languages, were most of the
memory of a process. A hit costs what one of `functools.lru_cache` costs. No I/O, no clock.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

T = TypeVar("T")
LIMIT = 32 * 1024 * 1024  #: bytes of all caches of words together
_ENTRY = 360  # bytes of an entry of a cache, beside the letters of what it is about


class CacheBudget:
    """Caches that take so many bytes together: when there are more, the largest is emptied.

    What was added to a cache since it was emptied counts, also where the cache has dropped it for
    newer words since: the bound is one from above.
    """

    def __init__(self, limit: int) -> None:
        self.limit = self._goal = limit
        self._used: dict[Callable[..., Any], int] = {}
        self._caches: dict[Callable[..., Any], _lru_cache_wrapper[Any]] = {}
        self._total = 0

    @property
    def used(self) -> int:
        """Bytes in use, estimated."""
        return self._total

    def cache(self, maxsize: int) -> "Callable[[Callable[..., T]], _lru_cache_wrapper[T]]":
        """Return a decorator that caches a function of words, for so many calls at most."""
        used = self._used

        def decorate(function: Callable[..., T]) -> "_lru_cache_wrapper[T]":
            @wraps(function)
            def computed(*args: Any, **kwargs: Any) -> T:  # called where nothing is cached
                size = _ENTRY  # more exact would take longer than what is cached
                for word in args:
                    kind = word.__class__
                    if kind is str:
                        size += 4 * len(word)
                    elif kind is tuple:
                        size += 4 * sum(map(len, word))
                used[function] += size
                self._total += size
                if self._total > self._goal:
                    self._shrink()
                return function(*args, **kwargs)

            cached = lru_cache(maxsize)(computed)
            self._used[function], self._caches[function] = 0, cached
            return cached

        return decorate

    def _shrink(self) -> None:
        """Empty the largest cache; the next ones with the next words, until half is free.

        So that it happens seldom, and takes no more than a few milliseconds at once.
        """
        function = max(self._used, key=self._used.__getitem__)
        self._caches[function].cache_clear()
        self._total -= self._used[function]
        self._used[function] = 0
        half = self.limit // 2
        self._goal = half if self._total > half else self.limit


#: Caches are of a process, and so is what bounds them.
WORDS = CacheBudget(LIMIT)


def word_cache(maxsize: int) -> "Callable[[Callable[..., T]], _lru_cache_wrapper[T]]":
    """Cache a function of words within what all such caches may take together."""
    return WORDS.cache(maxsize)
