"""How every noun of this house is made: frozen, compared by identity, told in a line, and the same after a pickle."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar, dataclass_transform

import numpy as np

#: Longest representation of a noun, characters.
LONGEST = 200

_Noun = TypeVar("_Noun")


@dataclass_transform(frozen_default=True, eq_default=False)
def noun(made: type[_Noun]) -> type[_Noun]:
    """A frozen dataclass whose arrays nobody writes to, here and on the other side of a process border.

    A pickle holds the fields alone: what was derived from them is derived again where it is asked for.  A class that
    tells or pickles itself in its own way keeps that.

    Examples
    --------
    >>> import pickle
    >>> import neuro_field as nf
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> head.mesh
    TetMesh(nodes=(11554, 3), tets=(59116, 4), tags=(59116,))
    >>> pickle.loads(pickle.dumps(head)).mesh.nodes.flags.writeable
    False
    """
    out = dataclass(frozen=True, eq=False, repr=False)(made)
    for name, method in (
        ("__repr__", _told), ("__getstate__", _fields_of), ("__setstate__", _set), ("__copy__", copied),
    ):  # fmt: skip
        if name not in made.__dict__:
            setattr(out, name, method)
    return out


def copied(self: Any) -> Any:
    """A copy that shares what was derived already, as `copy.copy` makes it: a pickle leaves that behind."""
    out = object.__new__(type(self))
    out.__dict__.update(self.__dict__)
    return out


def _fields_of(self: Any) -> dict[str, Any]:
    return {each.name: getattr(self, each.name) for each in fields(self)}


def _set(self: Any, state: Mapping[str, Any]) -> None:
    for name, value in state.items():
        object.__setattr__(self, name, _sealed(value))


def _sealed(value: Any) -> Any:
    """A value whose arrays nobody can write to, those in tuples and mappings too."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, tuple | list):
        for each in value:
            _sealed(each)
    elif isinstance(value, dict):
        for each in value.values():
            _sealed(each)
    return value


def _told(self: Any) -> str:
    shown = ""
    for each in fields(self):
        if not each.repr:
            continue
        part = f"{each.name}={_short(getattr(self, each.name))}"
        if len(shown) + len(part) > LONGEST - len(type(self).__name__) - 8:
            shown += ", ..." if shown else "..."
            break
        shown += f", {part}" if shown else part
    return f"{type(self).__name__}({shown})"


def _short(value: Any) -> str:
    """A value in a few characters: arrays by their shape, mappings by their size."""
    if isinstance(value, np.ndarray):
        small = value.ndim == 1 and len(value) <= 4 and value.dtype.kind in "iuf"
        return "(" + ", ".join(f"{each:.4g}" for each in value) + ")" if small else str(value.shape)
    if isinstance(value, Mapping):
        return f"{{{len(value)} entries}}" if value else "{}"
    if isinstance(value, tuple | list) and len(value) > 2:
        return f"{len(value)} x {type(value[0]).__name__}"
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= 80 else f"{type(value).__name__}(...)"
