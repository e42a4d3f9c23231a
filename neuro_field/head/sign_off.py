"""Who has looked at a head and at the targets in it, bound to that head: one that was changed is unsigned again."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mapping import MniMapping
from neuro_field.nouns import noun

#: Where a head's provenance tells of it: who, when, and the fingerprint of the head that was looked at.
SIGNED_BY, SIGNED_AT, SIGNED_HEAD = "signed_off_by", "signed_off_at", "signed_off_head"

#: Names of people are not longer, letters.
LONGEST = 60


@noun
class SignOff:
    """That ``name`` has looked at a head ``when``, as in "2030-01-02T03:04Z"; ``head`` is the fingerprint of that one.

    Raises
    ------
    InputError
        If the name is empty, longer than 60 letters, or holds what is no letter to be read; or the moment is none.
    """

    name: str
    when: str
    head: str

    def __post_init__(self) -> None:
        name = " ".join(str(self.name).replace("\u3000", " ").split(" ")).strip()  # Japanese keyboards' wide blank
        if not name or len(name) > LONGEST or not name.isprintable() or not any(map(str.isalpha, name)):
            raise InputError(
                f"The name of who signs a head off must be 1 to {LONGEST} letters on one line, without control "
                f"characters; instead received {self.name!r:.80}."
            )
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", self.when):
            raise InputError(f"The moment of a sign-off must be as 2030-01-02T03:04Z; instead {self.when!r:.40}.")
        object.__setattr__(self, "name", name)

    @property
    def told(self) -> str:
        """As people read it: name, date and time."""
        return f"{self.name}, {self.when[:10]} {self.when[11:16]} UTC"

    @classmethod
    def kept(cls, provenance: Mapping[str, Any], head: str) -> "SignOff | None":
        """As provenance tells of the head of that fingerprint; None where nobody has, or it was another head."""
        name, when = provenance.get(SIGNED_BY), provenance.get(SIGNED_AT)
        if not isinstance(name, str) or not isinstance(when, str) or provenance.get(SIGNED_HEAD) != head:
            return None
        try:
            return cls(name, when, head)
        except InputError:  # a name that nobody here has typed
            return None

    def plain(self) -> dict[str, str]:
        """As provenance keeps it."""
        return {SIGNED_BY: self.name, SIGNED_AT: self.when, SIGNED_HEAD: self.head}


def without_sign_off(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance that tells of nobody who signed."""
    return {key: value for key, value in provenance.items() if key not in (SIGNED_BY, SIGNED_AT, SIGNED_HEAD)}


def fingerprint_of(mesh: TetMesh, conductivity: AnyArray, mapping: MniMapping | None) -> str:
    """SHA-256 of all that a person looks at when checking a head: mesh, tissues, conductivities, map to MNI."""
    state = hashlib.sha256(mesh.digest.encode())
    parts = [mesh.tags.astype(np.int64), conductivity]
    if mapping is not None:
        parts.append(mapping.mni_from_head)
        warp = getattr(mapping, "displacement", None)
        parts += [] if warp is None else [warp]
    for part in parts:
        state.update(f"{part.dtype.str} {part.shape}".encode())
        state.update(np.ascontiguousarray(part).data)
    return state.hexdigest()
