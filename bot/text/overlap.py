"""Tell how much of an article's summary its body says again. Not cleaning, not matching."""


def repeated(summary: str, body: str) -> int:
    """Return how many code points of a summary its body begins with.

    All of it, or up to where it was cut; 0 where the body does not begin with it.
    """
    length = len(summary) - summary.endswith("…")
    return length if length and body.startswith(summary[:length]) else 0
