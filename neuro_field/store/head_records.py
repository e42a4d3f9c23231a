"""What head.json holds, entry by entry, and heads as these records and back; the files around it are for heads.py.

Lengths are mm in the head frame (world RAS of the T1), volumes cm3, conductivities S/m.  Provenance tells how a head
was built, and what was found then, as plain values within bounds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import replace

from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.head.fiducials import Fiducials
from neuro_field.head.fissure import Fissure
from neuro_field.head.lesion import lesion_summary
from neuro_field.head.mapping import AffineMapping, MniMapping, WarpedMapping
from neuro_field.head.model import HeadModel
from neuro_field.head.sign_off import SignOff, without_sign_off
from neuro_field.head.tissues import BY_TAG
from neuro_field.io.images import read_vectors
from neuro_field.names import one_line
from neuro_field.store.record_words import (
    Count,
    Digest,
    Findings,
    Moment,
    Name,
    Numbers,
    Pose,
    Record,
    Share,
    Vector,
    Version,
    matching,
)

SCHEMA = "neuro_field head"
VERSION = 2
WARP = "mni_warp.nii.gz"

#: Cards are a few ten kB; larger ones are not read, bytes.
LARGEST = 20_000_000

#: Provenance reaches this deep and holds this many entries; its whole numbers are those that all readers of JSON keep.
DEEPEST, MOST_ENTRIES, LARGEST_NUMBER = 8, 20_000, 2**53

#: One line of words: names of people's making, sources.
Line = Annotated[str, matching(r"[^\x00-\x1f\x7f\ud800-\udfff]{0,1000}")]


class TissueRow(Record):
    """One tissue; no conductivity where elements of it differ."""

    tag: Annotated[int, Meta(ge=0, le=255)]
    name: Name
    conductivity_S_per_m: Annotated[float, Meta(gt=0)] | None
    source: Line
    volume_cm3: Share


class MeshRow(Record):
    """Of head.msh."""

    nodes: Count
    tetrahedra: Count


class LesionRow(Record):
    """`head.lesion.LesionSummary`: told, and computed anew by whoever reads the head."""

    volume_cm3: Share
    side: Literal["left", "right", "both", "midline", "infratentorial"] | None
    centroid_mm: Vector
    centroid_mni_mm: Vector | None
    tissues_cm3: dict[Name, Share]
    left_cm3: float | None
    right_cm3: float | None
    infratentorial_cm3: float | None


class MappingRow(Record):
    """The map to MNI152, or the affine part of a warp: head_mm = inverse(mni_from_head) @ (mni_mm + u(mni_mm))."""

    mni_from_head: Pose
    source: Line
    affine_source: Line | None
    warp: Literal["mni_warp.nii.gz"] | None


class FissureRow(Record):
    """`head.fissure.Fissure`."""

    head_from_grid: Pose
    start: tuple[float, float]
    step: Annotated[float, Meta(gt=0)]
    offsets: tuple[Numbers, ...]
    seen_cm2: Share
    source: Literal["labels", "csf"]


class FiducialsRow(Record):
    """`head.fiducials.Fiducials`: the patient's own, mm, head frame; none where only arcs were measured."""

    points: dict[Literal["Nz", "Iz", "LPA", "RPA"], Vector]
    nasion_inion: float | None
    ear_ear: float | None


class DigestRow(Record):
    """A file that the head was made from."""

    sha256: Digest


class CleaningRow(Struct, forbid_unknown_fields=False, kw_only=True):
    """Volumes by tissue, and moved by step."""

    before_cm3: dict[Name, float]
    after_cm3: dict[Name, float]
    moved_cm3: dict[str, float]


class Known(Struct, forbid_unknown_fields=False, kw_only=True):
    """Entries of provenance that are read again, of the kinds that their readers need."""

    findings: Findings | None = None
    mapping_overlap: dict[Name, dict[Name, Share]] | None = None
    inputs: dict[Name, DigestRow] | None = None
    cleaning: CleaningRow | None = None


class HeadFile(Struct, forbid_unknown_fields=True, kw_only=True):
    """head.json."""

    schema: Literal["neuro_field head"]
    schema_version: Literal[2]
    neuro_field: Version
    written: Moment
    name: Line
    frame: Literal["mm, world RAS of the T1"]
    mesh: MeshRow
    conductivity: Literal["per tissue", "per element, in head.msh"]
    tissues: tuple[TissueRow, ...]
    lesion: LesionRow | None
    mapping: MappingRow | None
    fissure: FissureRow | None
    provenance: dict[str, Any]
    fiducials: FiducialsRow | None = None


class _Mark(Struct):
    schema: str | None = None
    schema_version: int | float | str | None = None


# --- writing --------------------------------------------------------------------------------------------------------


def card_of(head: HeadModel, by_tag: Mapping[int, float] | None) -> bytes:
    """head.json of a head, whose elements have the conductivities of their tags, or (None) their own.

    Raises
    ------
    InputError
        If something of it cannot be told by the records: with the entry.
    """
    try:
        record = {
            "schema": SCHEMA,
            "schema_version": VERSION,
            "neuro_field": version("neuro_field"),
            "written": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
            "name": head.name,
            "frame": "mm, world RAS of the T1",
            "mesh": {"nodes": len(head.mesh.nodes), "tetrahedra": len(head.mesh.tets)},
            "conductivity": "per tissue" if by_tag is not None else "per element, in head.msh",
            "tissues": _tissue_rows(head, by_tag),
            "lesion": _lesion_row(head),
            "mapping": None if head.mapping is None else _mapping_row(head.mapping),
            "fissure": None if head.known_fissure is None else head.known_fissure.plain(),
            "provenance": _bounded(head.provenance if head.sign_off is not None else without_sign_off(head.provenance)),
            "fiducials": None if head.fiducials is None else _fiducials_row(head.fiducials),
        }
        card = msgspec.convert(record, HeadFile)
        msgspec.convert(card.provenance, Known)
        return msgspec.json.format(msgspec.json.encode(card), indent=1) + b"\n"
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InputError(f"This head cannot be written to head.json: {_one_line(error)}.") from None


def signed_card(card: HeadFile, made: SignOff) -> bytes:
    """The same head.json with who has signed the head off."""
    provenance = without_sign_off(card.provenance) | made.plain()
    return msgspec.json.format(msgspec.json.encode(replace(card, provenance=provenance)), indent=1) + b"\n"


def _tissue_rows(head: HeadModel, by_tag: Mapping[int, float] | None) -> list[dict[str, Any]]:
    rows = []
    for tag in np.unique(head.mesh.tags).tolist():
        tissue = BY_TAG.get(tag)
        sigma = None if by_tag is None else by_tag[tag]
        standard = tissue is not None and sigma == tissue.conductivity
        rows.append(
            {
                "tag": tag,
                "name": tissue.name if tissue else f"tag_{tag}",
                "conductivity_S_per_m": sigma,
                "source": tissue.source if tissue and standard else "changed from the standard value",
                "volume_cm3": float(head.mesh.volumes[head.mesh.tags == tag].sum() / 1e3),
            }
        )
    return rows


def _lesion_row(head: HeadModel) -> dict[str, Any] | None:
    lesion = lesion_summary(head)
    if lesion is None:
        return None
    centroids = {"centroid_mm": lesion.centroid, "centroid_mni_mm": lesion.centroid_mni}
    return {
        "volume_cm3": lesion.volume_cm3,
        "side": lesion.side,
        "tissues_cm3": dict(lesion.tissues_cm3),
        "left_cm3": lesion.left_cm3,
        "right_cm3": lesion.right_cm3,
        "infratentorial_cm3": lesion.infratentorial_cm3,
        **{name: None if point is None else np.asarray(point).tolist() for name, point in centroids.items()},
    }


def _mapping_row(mapping: MniMapping) -> dict[str, Any]:
    warped = isinstance(mapping, WarpedMapping)
    return {
        "mni_from_head": np.asarray(mapping.mni_from_head).tolist(),
        "source": mapping.source,
        "affine_source": mapping.affine.source if isinstance(mapping, WarpedMapping) else None,
        "warp": WARP if warped else None,
    }


def _fiducials_row(given: Fiducials) -> dict[str, Any]:
    return {
        "points": {name: place.tolist() for name, place in given.points.items()},
        "nasion_inion": given.nasion_inion,
        "ear_ear": given.ear_ear,
    }


def _bounded(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance as JSON knows it, within bounds; raises InputError."""
    plain = _plain(provenance, "provenance")
    entries = _entries(plain)
    if entries > MOST_ENTRIES:
        raise InputError(f"Provenance of a head must hold at most {MOST_ENTRIES} entries; instead it has {entries}.")
    return dict(plain)


def _entries(value: Any) -> int:
    if isinstance(value, dict | list):
        return 1 + sum(map(_entries, value.values() if isinstance(value, dict) else value))
    return 1


def _plain(value: Any, where: str, depth: int = 0) -> Any:
    """A value as JSON knows it: finite numbers, texts, lists and objects."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Path):
        value = str(value)
    if depth > DEEPEST:
        raise InputError(f"Entry {where:.80} of a head must be at most {DEEPEST} deep.")
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(entry, f"{where}.{key}", depth + 1) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, f"{where}[{i}]", depth + 1) for i, entry in enumerate(value)]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_NUMBER:
        return value
    if isinstance(value, float) and np.isfinite(value):
        return value
    raise InputError(f"Entry {where:.80} of a head must be a finite number, text, list or object; not {value!r:.60}.")


# --- reading --------------------------------------------------------------------------------------------------------


def read_card(path: Path) -> HeadFile:
    """head.json, of this version or of the one before.

    Raises
    ------
    FileFormatError
        If it is damaged, or of another version: in one line, with the entry.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise FileFormatError(f"{path} is larger than {LARGEST / 1e6:.0f} MB; it is no card of a head.")
        data = path.read_bytes()
        mark = msgspec.json.decode(data, type=_Mark)
        if mark.schema != SCHEMA:
            raise FileFormatError(f"The file {path} must be a {SCHEMA}; it does not say so.")
        if mark.schema_version not in (1, VERSION):
            raise FileFormatError(
                f"The file {path} must have schema version 1 or {VERSION}; instead it has {mark.schema_version!r:.20}: "
                "it was written by another version of neuro_field."
            )
        card = _from_version1(data) if mark.schema_version == 1 else msgspec.json.decode(data, type=HeadFile)
        _bounded(card.provenance)
        msgspec.convert(card.provenance, Known)
    except FileFormatError:
        raise
    except (
        OSError, msgspec.MsgspecError, UnicodeError, RecursionError, InputError, KeyError, TypeError, ValueError,
        AttributeError,
    ) as error:  # fmt: skip
        raise FileFormatError(f"The file {path} is damaged: {_one_line(error)}.") from None
    return card


def _from_version1(data: bytes) -> HeadFile:
    """The card that one of version 1 would be now: its findings stood in provenance, its warnings were sentences."""
    old = msgspec.json.decode(data)
    provenance = dict(old["provenance"])
    sentences = provenance.pop("warnings", [])
    if sentences:
        told = Finding("head-told-before", "note", {"count": len(sentences)})
        provenance["findings"] = [*provenance.get("findings", []), told.plain()]
    mapping = old["mapping"]
    if mapping is not None:
        mapping = {name: mapping.get(name) for name in MappingRow.__struct_fields__}
    per_tissue = old["conductivity"] == "per tissue"
    return msgspec.convert(
        {
            "schema": SCHEMA,
            "schema_version": VERSION,
            "neuro_field": old["neuro_field"],
            "written": datetime.fromisoformat(old["written"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ"),
            "name": old["name"],
            "frame": old["frame"],
            "mesh": old["mesh"],
            "conductivity": "per tissue" if per_tissue else "per element, in head.msh",
            "tissues": old["tissues"],
            "lesion": None,  # is computed from the mesh
            "mapping": mapping,
            "fissure": old.get("fissure"),  # older cards have none: the mesh is asked
            "provenance": provenance,
        },
        HeadFile,
    )


def mapping_of(card: HeadFile, folder: Path) -> MniMapping | None:
    """The map to MNI152 that a card tells, its warp from the folder."""
    told = card.mapping
    if told is None:
        return None
    matrix = np.array(told.mni_from_head)
    if told.warp is None:
        return AffineMapping(matrix, told.source)
    warp = read_vectors(folder / WARP)
    return WarpedMapping(AffineMapping(matrix, told.affine_source or ""), warp.values, warp.affine, told.source)


def fissure_of(card: HeadFile) -> Fissure | None:
    """The fissure that a card tells; raises InputError for one that cannot be."""
    told = card.fissure
    if told is None:
        return None
    if len({len(row) for row in told.offsets}) != 1:
        raise InputError("fissure.offsets must have rows of one length; they have several, or none.")
    return Fissure.of_plain(msgspec.to_builtins(told))


def fiducials_of(card: HeadFile) -> Fiducials | None:
    """The patient's own landmarks that a card tells; raises InputError for some that cannot be."""
    told = card.fiducials
    if told is None:
        return None
    points = {str(name): np.array(place) for name, place in told.points.items()}
    return Fiducials(points, told.nasion_inion, told.ear_ear)


def provenance_of(card: HeadFile) -> dict[str, Any]:
    """Provenance as heads have it; every finding in it is one."""
    provenance = dict(card.provenance)
    if provenance.get("findings") is not None:
        provenance["findings"] = [Finding.of_plain(row).plain() for row in provenance["findings"]]
    return provenance


def _one_line(error: Exception) -> str:
    text = one_line(error)
    return (
        f"{type(error).__name__} {text}"
        if isinstance(error, KeyError | TypeError | AttributeError)
        else text.rstrip(".")
    )
