"""Kinds of header field: each checks a value that came in and says what is wrong with it.

A message class declares its fields as `name: Annotated[type, Kind(...)]`; packing and strict
unpacking follow from that (see `messages`).
"""

from __future__ import annotations

import math
import typing
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from .failures import ProtocolError


class Kind(Protocol):
    """One kind of field."""

    def check(self, name: str, value: object) -> object:
        """Return `value` as the field holds it, or raise ProtocolError."""
        ...


@dataclass(frozen=True)
class Text:
    """Text of limited length; longer texts of ours are cut when `cut` is set."""

    longest: int
    among: Collection[str] | None = None

    def check(self, name: str, value: object) -> str:
        """Return the text."""
        if not isinstance(value, str) or len(value) > self.longest:
            raise ProtocolError(f"The field {name} is not a text of up to {self.longest} letters.")
        if self.among is not None and value not in self.among:
            raise ProtocolError(f"The field {name} holds a value that is not known.")
        return value


@dataclass(frozen=True)
class Bytes:
    """Bytes of one exact length (a digest, a job's key)."""

    length: int

    def check(self, name: str, value: object) -> bytes:
        """Return the bytes."""
        if not isinstance(value, bytes) or len(value) != self.length:
            raise ProtocolError(f"The field {name} is not {self.length} bytes.")
        return value


@dataclass(frozen=True)
class Integer:
    """A whole number in an inclusive range."""

    low: int
    high: int

    def check(self, name: str, value: object) -> int:
        """Return the number."""
        if type(value) is not int or not self.low <= value <= self.high:
            raise ProtocolError(f"The field {name} is not within {self.low} to {self.high}.")
        return value


@dataclass(frozen=True)
class Real:
    """A finite number in an inclusive range."""

    low: float
    high: float

    def check(self, name: str, value: object) -> float:
        """Return the number."""
        if type(value) is not float and type(value) is not int:
            raise ProtocolError(f"The field {name} is not a number.")
        # An integer beyond float's range must not raise OverflowError.
        if not self.low <= value <= self.high or not math.isfinite(value):
            raise ProtocolError(f"The field {name} is not within {self.low} to {self.high}.")
        return float(value)


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    def check(self, name: str, value: object) -> bool:
        """Return the flag."""
        if type(value) is not bool:
            raise ProtocolError(f"The field {name} is not a flag.")
        return value


@dataclass(frozen=True)
class Table:
    """A flat map from text to text, number or flag, of limited size."""

    longest: int

    def check(self, name: str, value: object) -> dict[str, str | int | float | bool]:
        """Return the map."""
        if not isinstance(value, dict) or len(value) > self.longest:
            raise ProtocolError(f"The field {name} is not a map of up to {self.longest} entries.")
        for key, entry in value.items():
            if not isinstance(key, str) or not isinstance(entry, (str, int, float, bool)):
                raise ProtocolError(f"The field {name} holds an entry that is not plain.")
        return value


@dataclass(frozen=True)
class Optional:
    """A field that may be None."""

    kind: Kind

    def check(self, name: str, value: object) -> object:
        """Return the value or None."""
        return None if value is None else self.kind.check(name, value)


def kinds_of(of_class: type) -> dict[str, Kind]:
    """Return the kind of each field of a class that is annotated with one, by name."""
    hints = typing.get_type_hints(of_class, include_extras=True)
    return {
        name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")
    }


def check_fields(names_to_kinds: dict[str, Kind], values: object) -> dict[str, Any]:
    """Return the checked values; a missing, unknown or wrong field raises ProtocolError."""
    if not isinstance(values, dict):
        raise ProtocolError("The message's fields are not a map.")
    if values.keys() != names_to_kinds.keys():
        raise ProtocolError("The message has fields that are missing or unknown.")
    return {name: kind.check(name, values[name]) for name, kind in names_to_kinds.items()}
