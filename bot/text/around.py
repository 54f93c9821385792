"""Cut the part of a text around a place in it. Not the layout of messages."""


def around(text: str, place: int, length: int) -> tuple[str, int]:
    """Return about `length` code points of a text around a place, whole words where it has blanks.

    Also what to take from positions of the text to have them in the part.
    """
    start = max(0, min(place - length // 3, len(text) - length))
    if start:
        blank = text.find(" ", start, place)
        start = blank + 1 if blank >= 0 else start
    end = min(len(text), start + length)
    if end < len(text):
        blank = text.rfind(" ", place, end)
        end = blank if blank > place else end
    return text[start:end], start
