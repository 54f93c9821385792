"""What a feed is besides a document of RSS, Atom or JSON Feed: how its address is read.

A plain feed has none of these.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChannelSource:
    """A public channel of Telegram, read from the preview that its site shows to everyone."""

    name: str  #: in lower case, without `@`


Source = ChannelSource
