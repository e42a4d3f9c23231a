"""The words and numbers that records of files may hold, and what a record and a finding are.

No sentence stands in them: every text is one of a few words, a name without spaces, a date or digest, or a citation
that bears its trust mark.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct


def matching(pattern: str) -> Meta:
    """Texts of a pattern, whole; without the line end that ``$`` would let pass."""
    return Meta(pattern=f"^{pattern}$(?!\\n)")


#: As `findings` has them: a word, a code, a file's or a person-made name; never a sentence.
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.:/+-]{0,79}"
Name = Annotated[str, matching(_NAME)]
Code = Annotated[str, matching(r"[a-z0-9]+(-[a-z0-9]+)+")]

#: What is quoted from the literature, with its trust mark.
_CITATION = r"[^\n]{0,600}\[(src|lit|calc)[^\n]{0,600}"
Citation = Annotated[str, matching(_CITATION)]

#: One of the two.
Source = Annotated[str, matching(f"({_NAME}|{_CITATION})")]

Digest = Annotated[str, matching(r"[0-9a-f]{64}")]
MeshDigest = Annotated[str, matching(r"([0-9a-f]{64})?")]
Moment = Annotated[str, matching(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ")]
#: Of who signed a head off; `head.sign_off.SignOff` is stricter.
Person = Annotated[str, matching(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,60}")]
Version = Annotated[str, matching(r"\d[0-9A-Za-z.+!_-]{0,39}")]

Side = Literal["left", "right"]
Level = Literal["stop", "warn", "note"]
Kind = Literal["rMT", "aMT"]
Method = Literal["emg", "twitch"]
Symmetry = Literal["continuous", "two-fold", "none"]

#: mm, V/m, A/s, seconds, bytes: none is larger, and one that is would overflow what is computed with it.
_LARGEST = 1e12
Number = Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
Share = Annotated[float, Meta(ge=0, le=_LARGEST)]
Count = Annotated[int, Meta(ge=0, le=int(_LARGEST))]
Vector = tuple[Number, Number, Number]
Row = tuple[Number, Number, Number, Number]
Pose = tuple[Row, Row, Row, Row]
Numbers = tuple[Number, ...]
Counts = tuple[Count, ...]

#: What a finding may carry.
Scalar = bool | int | float | Name | None
Value = bool | int | float | Name | None | tuple[Scalar, ...]


class Record(Struct, forbid_unknown_fields=True, kw_only=True):
    """Entries of an object, all of them needed and no others."""


class FindingRecord(Record):
    """`findings.Finding`."""

    code: Code
    level: Level
    values: dict[Name, Value]


Findings = tuple[FindingRecord, ...]
