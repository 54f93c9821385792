"""Copies of values with many fields. No values of its own."""

from typing import TYPE_CHECKING, TypeVar

__all__ = ["changed"]
T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import replace as changed
else:

    def changed(value: T, /, **changes: object) -> T:
        """Return a frozen value with other fields, as `dataclasses.replace` in a tenth of its time.

        That reads and sets each field by its name. Only for classes without slots, `__post_init__`
        and cached properties; the type checker sees to the names.
        """
        copy = object.__new__(type(value))
        fields = copy.__dict__
        fields.update(value.__dict__)
        fields.update(changes)
        return copy
