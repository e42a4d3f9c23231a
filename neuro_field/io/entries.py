"""The entries of a JSON object that came from outside: every value is checked, and the place named when it is wrong."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, read_only
from neuro_field.errors import FileFormatError

Noun = TypeVar("Noun")


class Entries:
    """The entries of one JSON object; each getter checks the kind and names the place when it is wrong."""

    def __init__(self, record: Mapping[str, Any], where: str) -> None:
        self.record, self.where = record, where

    @classmethod
    def of(cls, record: Any, where: str) -> "Entries":
        """Of a value that must be an object."""
        if not isinstance(record, dict):
            raise FileFormatError(f"{where} must be a JSON object; instead it is {record!r:.40}.")
        return cls(record, where)

    def value(self, key: str) -> Any:
        """Whatever stands there; an error when nothing does."""
        if key not in self.record:
            raise FileFormatError(f"{self.where}: the entry {key!r} is missing.")
        return self.record[key]

    def child(self, key: str, optional: bool = False) -> "Entries | None":
        """An object, or None for null where that is allowed."""
        value = self.value(key)
        return None if value is None and optional else Entries.of(value, f"{self.where}, {key}")

    def required(self, key: str) -> "Entries":
        """An object."""
        found = self.child(key)
        assert found is not None
        return found

    def children(self, key: str) -> "list[Entries]":
        """A list of objects."""
        value = self.value(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return [Entries.of(entry, f"{self.where}, {key}[{i}]") for i, entry in enumerate(value)]

    def text(self, key: str) -> str:
        """A string."""
        return self._checked(key, "text", lambda value: isinstance(value, str))

    def text_or_none(self, key: str) -> str | None:
        """A string or null."""
        return self._checked(key, "text or null", lambda value: value is None or isinstance(value, str))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(self._checked(
            key, "a list of texts", lambda value: isinstance(value, list) and all(isinstance(e, str) for e in value)
        ))  # fmt: skip

    def number(self, key: str) -> float:
        """A finite number."""
        return float(self._checked(key, "a finite number", _is_number))

    def number_or_none(self, key: str) -> float | None:
        """A finite number or null."""
        value = self._checked(key, "a finite number or null", lambda value: value is None or _is_number(value))
        return None if value is None else float(value)

    def flag(self, key: str) -> bool:
        """True or false."""
        return bool(self._checked(key, "true or false", lambda value: isinstance(value, bool)))

    def count(self, key: str) -> int:
        """A whole number from zero."""
        return int(self._checked(key, "a whole number", lambda v: isinstance(v, int) and _is_number(v) and v >= 0))

    def array(self, key: str, shape: tuple[int | None, ...], whole: bool = False) -> AnyArray:
        """Finite numbers of a shape, None for any length."""
        value = self.value(key)
        try:
            out = np.array(value)
        except (ValueError, OverflowError):
            raise self._wrong(key, f"numbers of shape {_shape(shape)}") from None
        if out.size == 0:
            out = out.reshape([n or 0 for n in shape]).astype(np.float64)
        fits = len(out.shape) == len(shape) and all(
            want is None or want == have for want, have in zip(shape, out.shape, strict=True)
        )
        if not fits or out.dtype.kind not in "if" or not np.isfinite(out).all() or (whole and (out % 1).any()):
            raise self._wrong(key, f"finite {'whole ' if whole else ''}numbers of shape {_shape(shape)}")
        return out.astype(np.int64 if whole else np.float64)

    def array_or_none(self, key: str, shape: tuple[int | None, ...]) -> FloatArray | None:
        """The same, or None for null."""
        return None if self.value(key) is None else self.array(key, shape)

    def numbers(self, key: str) -> dict[str, float]:
        """An object of finite numbers."""
        child = self.required(key)
        return {name: child.number(name) for name in child.record}

    def noun(self, kind: type[Noun], **given: Any) -> Noun:
        """A dataclass of plain values: each field is read by its type, but those that are given."""
        hints = get_type_hints(kind)
        names = [entry.name for entry in fields(kind) if entry.name not in given]  # type: ignore[arg-type]
        return kind(**{name: self._of_type(name, hints[name]) for name in names}, **given)

    def _of_type(self, key: str, wanted: Any) -> Any:
        if wanted in _GETTERS:
            return _GETTERS[wanted](self, key)
        raise TypeError(f"No entry is read as {wanted}; give {key} to Entries.noun.")

    def _checked(self, key: str, what: str, good: Callable[[Any], bool]) -> Any:
        value = self.value(key)
        if not good(value):
            raise self._wrong(key, what)
        return value

    def _wrong(self, key: str, what: str) -> FileFormatError:
        return FileFormatError(f"{self.where}: {key!r} must be {what}; instead it is {self.record[key]!r:.40}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _shape(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"


_GETTERS: dict[Any, Callable[[Entries, str], Any]] = {
    float: Entries.number,
    float | None: Entries.number_or_none,
    int: Entries.count,
    bool: Entries.flag,
    str: Entries.text,
    str | None: Entries.text_or_none,
    tuple[str, ...]: Entries.texts,
    tuple[float, ...]: lambda entries, key: tuple(entries.array(key, (None,)).tolist()),
    tuple[float, float, float]: lambda entries, key: tuple(entries.array(key, (3,)).tolist()),
    tuple[tuple[float, ...], ...]: lambda entries, key: tuple(map(tuple, entries.array(key, (None, None)).tolist())),
    dict[str, float]: Entries.numbers,
    Mapping[str, float]: Entries.numbers,
    FloatArray: lambda entries, key: read_only(entries.array(key, (None,))),
}
