"""Give each new entry its story: that of another feed's entry with the same canonical link, or one of its own. No I/O.

Links only: what else belongs together is a matter of words and is decided elsewhere.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from bot.model.entries import NewEntry
from bot.text.url import names_page

WINDOW = timedelta(hours=72)  #: how long a story takes in further entries


def assign(entries: Iterable[NewEntry], stories: dict[bytes, int]) -> list[NewEntry]:
    """The entries with their stories.

    `stories` maps canonical link keys of the window to stories and is brought up to date for the next feed of the batch.
    """
    new = list(entries)
    titles: dict[bytes, set[bytes]] = {}
    for entry in new:
        titles.setdefault(entry.keys.link, set()).add(entry.keys.title)
    result: list[NewEntry] = []
    for entry in new:
        # A link that several entries of one feed share, or that leads to a site's front page, tells nothing about the story.
        telling = entry.keys.link and len(titles[entry.keys.link]) == 1 and names_page(entry.link)
        story = stories.setdefault(entry.keys.link, entry.story_id) if telling else entry.story_id
        result.append(replace(entry, story_id=story))
    return result
