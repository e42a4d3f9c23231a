"""Heads on the disk: our HEAD folder, Gmsh meshes and SimNIBS m2m folders; and a head from a T1 and its labels."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.fissure import Fissure
from neuro_field.head.lesion import lesion_summary
from neuro_field.head.mapping import AffineMapping, MniMapping, WarpedMapping
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import BY_TAG
from neuro_field.io.atomic import new_folder
from neuro_field.io.digest import digest
from neuro_field.io.images import Image, read_image, read_labels, read_vectors, write_image
from neuro_field.io.m2m import images_of, m2m_of, mapping_of, mesh_of
from neuro_field.io.msh import MshFile, read_msh, write_msh
from neuro_field.io.tissue_names import by_names
from neuro_field.mri.volume import Volume
from neuro_field.report.head_page import head_page
from neuro_field.report.opengl import PictureError
from neuro_field.report.view import head_picture

SCHEMA = "neuro_field head"
SCHEMA_VERSION = 1
MESH, CARD, TISSUES, T1, QC = "head.msh", "head.json", "tissues.nii.gz", "T1.nii.gz", "qc.html"
WARP = "mni_warp.nii.gz"

#: Largest extent of a mesh that can be one in mm; a head in metres spans 0.3, one in micrometres 300,000.
EXTENT = (20.0, 1000.0)


def is_head(path: str | Path) -> bool:
    """Whether `read_head` takes a path: a HEAD folder, a .msh file or an m2m folder."""
    path = Path(path)
    return (path / CARD).is_file() or (path.is_file() and path.suffix.lower() == ".msh") or m2m_of(path) is not None


def read_head(path: str | Path) -> HeadModel:
    """A head from the disk.

    Parameters
    ----------
    path : path
        A folder that `write_head` wrote; the folder ``m2m_<ID>`` of SimNIBS, whose mapping to MNI is read, or found
        from its labels; the mesh of either; or another Gmsh ``.msh`` in mm whose volumes are named as tissues or
        numbered as SimNIBS does, without a mapping to MNI.

    Raises
    ------
    InputError
        If it is none of these, or holds tags that are no tissue.
    FileFormatError
        If a file is damaged.

    Examples
    --------
    >>> import neuro_field as nf
    >>> nf.write(nf.sphere_head((70, 80, 90), edge=9.0), "SPHERE")
    >>> nf.read_head("SPHERE").name
    'sphere'
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"The head {path} does not exist.")
    ours = _folder_of(path)
    if ours is not None:
        return _from_folder(ours)
    folder = m2m_of(path)
    mesh = mesh_of(folder) if folder is not None else path
    if mesh is None or not mesh.is_file() or mesh.suffix.lower() != ".msh":
        raise InputError(
            f"{path} is no head: give a folder with {CARD}, a .msh file, or a SimNIBS folder: with its one .msh in it, "
            "or <ID>.msh beside m2m_<ID>."
        )
    head = _from_msh(mesh)
    if folder is None:
        return head
    mapping, about = mapping_of(folder, head.mesh)
    return replace(head, name=folder.resolve().name, mapping=mapping, provenance=dict(head.provenance) | about)


def _folder_of(path: Path) -> Path | None:
    """The HEAD folder that a path means: the folder, or its mesh."""
    folder = path.parent if path.name == MESH else path
    return folder if (folder / CARD).is_file() else None


def head_images(path: str | Path) -> dict[str, Image]:
    """The images beside a head on the disk, as `write_head` takes them: ``t1`` and ``labels``, those that are there."""
    path = Path(path)
    folder = m2m_of(path)
    if folder is not None:
        return images_of(folder)
    path = _folder_of(path) or path
    readers = {"t1": (T1, read_image), "labels": (TISSUES, read_labels)}
    return {what: read(path / name) for what, (name, read) in readers.items() if (path / name).is_file()}


def _checked_extent(mesh: TetMesh, path: Path) -> None:
    extent = float(np.ptp(mesh.nodes, axis=0).max())
    if not EXTENT[0] <= extent <= EXTENT[1]:
        raise InputError(f"The mesh {path} must be in mm; instead it spans {extent:.3g} (metres, or another unit?).")


def _from_msh(path: Path) -> HeadModel:
    file = read_msh(path)
    _checked_extent(file.mesh, path)
    tags, notes = by_names(file.mesh.tags, file.names, str(path))
    record: dict[str, Any] = {"source": path.name, "sha256": digest(path)}
    if notes or file.notes:
        record["warnings"] = [f"{path.name}: {note}" for note in (*file.notes, *notes)]
    return HeadModel.from_mesh(replace(file.mesh, tags=tags), name=path.stem, provenance=record)


def _plain(value: Any) -> Any:
    """What JSON does not know, as what it knows."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _conductivity_by_tag(head: HeadModel) -> dict[int, float] | None:
    """One conductivity per tissue, or None where elements of one tissue differ."""
    if head.conductivity.ndim != 1:
        return None
    tags, first = np.unique(head.mesh.tags, return_index=True)
    values = head.conductivity[first]
    if (values[np.searchsorted(tags, head.mesh.tags)] != head.conductivity).any():
        return None
    return {int(tag): float(value) for tag, value in zip(tags, values, strict=True)}


def _tissue_rows(head: HeadModel, by_tag: dict[int, float] | None) -> list[dict[str, Any]]:
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


def _card(head: HeadModel, by_tag: dict[int, float] | None) -> dict[str, Any]:
    """What head.json says."""
    lesion = lesion_summary(head)
    mapping = head.mapping
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "neuro_field": version("neuro_field"),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "name": head.name,
        "frame": "mm, world RAS of the T1",
        "mesh": {"nodes": len(head.mesh.nodes), "tetrahedra": len(head.mesh.tets)},
        "conductivity": "per tissue" if by_tag is not None else f"per element, in {MESH}",
        "tissues": _tissue_rows(head, by_tag),
        "lesion": None
        if lesion is None
        else {
            "volume_cm3": lesion.volume_cm3,
            "side": lesion.side,
            "centroid_mm": lesion.centroid,
            "centroid_mni_mm": lesion.centroid_mni,
            "tissues_cm3": lesion.tissues_cm3,
            "left_cm3": lesion.left_cm3,
            "right_cm3": lesion.right_cm3,
            "infratentorial_cm3": lesion.infratentorial_cm3,
        },
        "mapping": None if mapping is None else _mapping_card(mapping),
        "fissure": None if head.known_fissure is None else head.known_fissure.plain(),
        "provenance": head.provenance,
    }


def _mapping_card(mapping: MniMapping) -> dict[str, Any]:
    """The affine map, or the affine part and source of a non-linear one and where the rest of it lies."""
    card: dict[str, Any] = {"mni_from_head": mapping.mni_from_head, "source": mapping.source}
    if isinstance(mapping, WarpedMapping):
        card |= {"affine_source": mapping.affine.source, "warp": WARP}
        card["meaning"] = f"head_mm = inverse(mni_from_head) @ (mni_mm + displacement(mni_mm)), displacement in {WARP}"
    return card


def _mapping_of(card: dict[str, Any] | None, folder: Path) -> MniMapping | None:
    """What `_mapping_card` says."""
    if card is None:
        return None
    matrix = np.array(card["mni_from_head"])
    if "warp" not in card:
        return AffineMapping(matrix, card["source"])
    warp = read_vectors(folder / WARP)
    return WarpedMapping(AffineMapping(matrix, card["affine_source"]), warp.values, warp.affine, card["source"])


def write_head(
    head: HeadModel, folder: str | Path, *, t1: Image | None = None, labels: Image | None = None, qc: bool = True
) -> None:
    """Write a head to a new folder; `read_head` gives the same head back, conductivities included.

    The folder holds ``head.msh``, ``head.json``, ``qc.html``; when given, ``T1.nii.gz`` and ``tissues.nii.gz``; and
    ``mni_warp.nii.gz``, three displacements in mm per point of MNI152, where the map to MNI is non-linear.

    Parameters
    ----------
    head : HeadModel
    folder : path
        Must not exist, or be empty.
    t1 : Image, optional
        The T1 whose world is the head frame.
    labels : Image, optional
        The tissue labels that were meshed.
    qc : bool
        Leave out ``qc.html``, the page for checking the head, where nobody will look at it.

    Raises
    ------
    InputError
        If the folder holds something; nothing is overwritten.
    """
    by_tag = _conductivity_by_tag(head)
    names = {tag: BY_TAG[tag].name for tag in np.unique(head.mesh.tags).tolist() if tag in BY_TAG}
    with new_folder(folder) as beside:
        data = {} if by_tag is not None else {"conductivity": head.conductivity}
        write_msh(beside / MESH, head.mesh, names=names, element_data=data)
        text = json.dumps(_card(head, by_tag), default=_plain, indent=1, allow_nan=False)
        (beside / CARD).write_text(text + "\n", encoding="utf-8")
        for image, name in ((t1, T1), (labels, TISSUES)):
            if image is not None:
                write_image(beside / name, image.values, image.affine)
        if isinstance(head.mapping, WarpedMapping):
            write_image(beside / WARP, head.mapping.displacement, head.mapping.mni_from_voxel, space="mni")
        if qc:
            (beside / QC).write_text(_qc_page(head, labels, t1), encoding="utf-8", newline="\n")


def _qc_page(head: HeadModel, labels: Image | None, t1: Image | None) -> str:
    """The page for checking a head, with a picture where one can be drawn."""
    volumes = [None if image is None else Volume(image.values, image.affine) for image in (labels, t1)]
    picture, why = None, ""
    try:
        picture = head_picture(head)
    except PictureError as error:
        why = str(error)
    return head_page(head, labels=volumes[0], t1=volumes[1], picture=picture, no_picture=why)


def _from_folder(folder: Path) -> HeadModel:
    """A head that `write_head` wrote."""
    path = folder / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as trouble:
        raise FileFormatError(f"The file {path} cannot be read: {trouble}.") from None
    if not isinstance(card, dict) or card.get("schema") != SCHEMA:
        raise FileFormatError(f"The file {path} must be a {SCHEMA}; it does not say so.")
    if card.get("schema_version") != SCHEMA_VERSION:
        raise FileFormatError(
            f"The file {path} must have schema version {SCHEMA_VERSION}; instead it has "
            f"{card.get('schema_version')!r}: it was written by another version of neuro_field."
        )
    file = read_msh(folder / MESH)
    try:
        found = _mapping_of(card["mapping"], folder)
        sigma = _conductivity(card, file, folder)
        known = card.get("fissure")  # cards of older versions have none: the mesh is asked
        fissure = None if known is None else Fissure.of_plain(known)
        return HeadModel(
            file.mesh, sigma, name=card["name"], mapping=found, provenance=card["provenance"], known_fissure=fissure
        )
    except (KeyError, ValueError, TypeError, AttributeError) as trouble:
        raise FileFormatError(f"The file {path} is damaged: {type(trouble).__name__} {trouble}.") from None


def _conductivity(card: dict[str, Any], file: MshFile, folder: Path) -> FloatArray:
    """(t,) or (t, 3, 3) S/m as the card says."""
    if card["conductivity"] != "per tissue":
        if "conductivity" not in file.element_data:
            raise FileFormatError(f"The mesh {folder / MESH} lacks the conductivity that {CARD} says it holds.")
        values: AnyArray = file.element_data["conductivity"]
        return np.asarray(values if values.ndim == 1 else values.reshape(-1, 3, 3), dtype=np.float64)
    by_tag = {int(row["tag"]): float(row["conductivity_S_per_m"]) for row in card["tissues"]}
    tags, inverse = np.unique(file.mesh.tags, return_inverse=True)
    missing = [int(tag) for tag in tags if int(tag) not in by_tag]
    if missing:
        raise FileFormatError(f"The file {folder / CARD} gives no conductivity for tags {missing} of {MESH}.")
    return np.array([by_tag[int(tag)] for tag in tags])[inverse.reshape(-1)]
