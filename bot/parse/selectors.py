"""CSS selectors as people write them: which cannot be read. Reads no page."""

from selectolax.lexbor import LexborHTMLParser, SelectolaxError


def selector_fault(selector: str) -> str:
    """Return what is wrong with a CSS selector; empty where nothing is."""
    try:
        LexborHTMLParser("<p></p>").css(selector)
    except (SelectolaxError, ValueError) as error:
        return str(error) or "it cannot be read"
    return ""
