"""When each publisher had a headline whose numbers and dates alone differ. No decisions.

A feed of earthquakes or rates has thousands of such headlines in the window, and each newcomer asks
for their times up to thirty times: the times are in order, so that the first and the last answer.
"""

from bisect import bisect_left, insort


class Series:
    """Hours since the Unix epoch by publisher and headline template.

    Most have one, which stands for itself there.
    """

    __slots__ = ("by_publisher",)

    def __init__(self) -> None:
        self.by_publisher: dict[str, dict[str, float | list[float]]] = {}  #: not to be changed

    def add(self, publisher: str, template: str, hours: float) -> None:
        """Add the time of an entry."""
        by_template = self.by_publisher.setdefault(publisher, {})
        held = by_template.get(template)
        if held is None:
            by_template[template] = hours
        elif isinstance(held, list):
            insort(held, hours)
        else:
            by_template[template] = sorted((held, hours))

    def remove(self, publisher: str, template: str, hours: float) -> None:
        """Remove the time of an entry that was added."""
        by_template = self.by_publisher[publisher]
        held = by_template[template]
        if isinstance(held, list):
            del held[bisect_left(held, hours)]
            if len(held) == 1:
                by_template[template] = held[0]
            return
        del by_template[template]
        if not by_template:
            del self.by_publisher[publisher]

    def bounds(self, publisher: str, template: str) -> tuple[float, float] | None:
        """Return the first and the last time, None where there is none."""
        held = self.by_publisher.get(publisher, {}).get(template)
        if held is None:
            return None
        return (held[0], held[-1]) if isinstance(held, list) else (held, held)
