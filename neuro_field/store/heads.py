"""Heads on the disk: our HEAD folder, Gmsh meshes and SimNIBS m2m folders; and a head from a T1 and its labels."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.face import Face
from neuro_field.head.mapping import WarpedMapping
from neuro_field.head.model import HeadModel
from neuro_field.head.sign_off import SignOff
from neuro_field.head.tissues import BY_TAG, tags_of
from neuro_field.io.atomic import new_file, new_folder
from neuro_field.io.digest import digest
from neuro_field.io.images import Image, read_image, read_labels, write_image
from neuro_field.io.m2m import fissure_of, images_of, m2m_of, mapping_of, mesh_of
from neuro_field.io.msh import MshFile, read_msh, write_msh
from neuro_field.io.tissue_names import by_names
from neuro_field.mri.labels import volume_findings
from neuro_field.mri.nesting import Nesting, nesting_of_mesh
from neuro_field.mri.volume import Volume
from neuro_field.report.head_page import head_page, signed_page
from neuro_field.report.opengl import PictureError
from neuro_field.report.view import head_picture
from neuro_field.report.words import check_language
from neuro_field.store.conductivities import NAME, of_elements
from neuro_field.store.head_records import WARP, HeadFile, card_of, fiducials_of, provenance_of, read_card, signed_card
from neuro_field.store.head_records import fissure_of as fissure_of_card
from neuro_field.store.head_records import mapping_of as mapping_of_card

MESH, CARD, TISSUES, T1, QC = "head.msh", "head.json", "tissues.nii.gz", "T1.nii.gz", "qc.html"

#: Largest extent of a mesh that can be one in mm; a head in metres spans 0.3, one in micrometres 300,000.
EXTENT = (20.0, 1000.0)


def is_head(path: str | Path) -> bool:
    """Whether `read_head` takes a path: a HEAD folder, a .msh file or an m2m folder."""
    path = Path(path)
    return (path / CARD).is_file() or (path.is_file() and path.suffix.lower() == ".msh") or m2m_of(path) is not None


def read_head(path: str | Path, *, mapping: Literal[False] | None = None) -> HeadModel:
    """A head from the disk.

    Parameters
    ----------
    path : path
        A folder that `write_head` wrote; the folder ``m2m_<ID>`` of SimNIBS, whose mapping to MNI is read, or found
        from its labels, and whose parcels tell left from right; the mesh of either; or another Gmsh ``.msh`` in mm
        whose volumes are named as tissues or numbered as SimNIBS does, without a mapping to MNI.
    mapping : False, optional
        Read or find no map to MNI: the way round one that is refused.

    Raises
    ------
    InputError
        If it is none of these, or holds tags that are no tissue, or tissues that do not nest as in a head.
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
        head = _from_folder(ours)
        return head if mapping is None else unmapped(head)
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
    return _of_folder(head, folder, mapping)


def unmapped(head: HeadModel) -> HeadModel:
    """A head without its map to MNI, and without what its record tells of that map."""
    kept = {what: told for what, told in head.provenance.items() if what != "mapping_overlap"}
    return replace(head, mapping=None, provenance=kept | {"mapping": "none was wanted"})


def _of_folder(head: HeadModel, folder: Path, mapping: Literal[False] | None) -> HeadModel:
    """The head of a mesh with the map, the sides and the findings of the folder of SimNIBS that it belongs to."""
    images = images_of(folder)
    found, about = (None, {}) if mapping is False else mapping_of(folder, head.mesh, images)
    of_t1 = images["t1"].findings("t1") if "t1" in images else ()
    rows = [*head.provenance.get("findings", ()), *about.get("findings", ()), *(each.plain() for each in of_t1)]
    out = replace(
        head, name=folder.resolve().name, mapping=found, known_fissure=fissure_of(folder),
        provenance=dict(head.provenance) | about | ({"findings": rows} if rows else {}),
    )  # fmt: skip
    out.__dict__["scalp"] = head.scalp
    return out


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
    tags, renamed = by_names(file.mesh.tags, file.names, str(path))
    name = "".join(letter if letter.isprintable() else "?" for letter in path.name)
    head = HeadModel.from_mesh(replace(file.mesh, tags=tags), name=name.removesuffix(path.suffix))
    nesting = _checked_nesting(head, path)
    findings = [*file.findings, *renamed, *volume_findings(nesting)]
    record: dict[str, Any] = {"source": name, "sha256": digest(path)}
    if findings:
        record["findings"] = [found.plain() for found in findings]
    out = replace(head, provenance=record)
    out.__dict__["scalp"] = head.scalp
    return out


def _checked_nesting(head: HeadModel, path: Path) -> Nesting:
    """How the tissues of a mesh nest; refuses those that lie in another order than in a head."""
    nesting = nesting_of_mesh(head.mesh, head.scalp)
    if nesting.reversals:
        worst = nesting.reversals[0]
        outer, inner = (f"{name.replace('_', ' ')} ({tags_of(name)[0]})" for name in (worst.outer, worst.inner))
        raise InputError(
            f"The volumes of the mesh {path} do not nest as tissues of a head: {outer} begins {worst.outer_begins:.0f} "
            f"mm below the surface, deeper than {inner} at {worst.inner_begins:.0f} mm: they look exchanged; name each "
            "volume as the tissue it is in $PhysicalNames."
        )
    return nesting


def _conductivity_by_tag(head: HeadModel) -> dict[int, float] | None:
    """One conductivity per tissue, or None where elements of one tissue differ."""
    if head.conductivity.ndim != 1:
        return None
    tags, first = np.unique(head.mesh.tags, return_index=True)
    values = head.conductivity[first]
    if (values[np.searchsorted(tags, head.mesh.tags)] != head.conductivity).any():
        return None
    return {int(tag): float(value) for tag, value in zip(tags, values, strict=True)}


def write_head(
    head: HeadModel, folder: str | Path, *, t1: Image | None = None, labels: Image | None = None, qc: bool = True,
    faceless: bool = False, language: str = "en",
) -> None:  # fmt: skip
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
    faceless : bool
        Leave the face out of ``qc.html``; the other files hold it all the same.
    language : {"en", "ja"}
        Of ``qc.html``.

    Raises
    ------
    InputError
        If the folder holds something (nothing is overwritten), or the head's provenance something that JSON does not
        know; if there is no such language; if the face is to be left out of a head that does not tell where it is
        (`Face.of`).
    """
    check_language(language)
    face = Face.of(head) if faceless else None
    by_tag = _conductivity_by_tag(head)
    card = card_of(head, by_tag)
    names = {tag: BY_TAG[tag].name for tag in np.unique(head.mesh.tags).tolist() if tag in BY_TAG}
    with new_folder(folder) as beside:
        data = {} if by_tag is not None else {NAME: head.conductivity}
        write_msh(beside / MESH, head.mesh, names=names, element_data=data)
        (beside / CARD).write_bytes(card)
        for image, name in ((t1, T1), (labels, TISSUES)):
            if image is not None:
                write_image(beside / name, image.values, image.affine, image.code, image.other_form)
        if isinstance(head.mapping, WarpedMapping):
            write_image(beside / WARP, head.mapping.displacement, head.mapping.mni_from_voxel, space="mni")
        if qc:
            (beside / QC).write_text(_qc_page(head, labels, t1, face, language), encoding="utf-8", newline="\n")


def sign_head(folder: str | Path, name: str) -> SignOff:
    """Keep in a HEAD folder who has looked at its qc.html and signed it off: in head.json, and on that page.

    Parameters
    ----------
    folder : path
        That `write_head` wrote.
    name : str
        Of the person, 1 to 60 letters.

    Raises
    ------
    InputError
        If it is no such folder, has no page to look at, holds a head with something unanswered, or the name is none.
    """
    ours = _folder_of(Path(folder))
    if ours is None or not (ours / QC).is_file():
        raise InputError(
            f"{folder} holds no {CARD} with a {QC} to look at: only such a folder can be signed off. Make one: "
            f"neuro-field head {folder} -o HEAD."
        )
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
    SignOff(name, when, "")  # refused before the head is read
    head = _from_folder(ours)
    if any(found.level == "stop" for found in head.findings):
        raise InputError(
            f"The head {folder} has something unanswered, which {QC} tells first: it is signed off once that is "
            "answered and the head built again."
        )
    made = SignOff(name, when, head.fingerprint)
    page = signed_page((ours / QC).read_text(encoding="utf-8"), made)
    with new_file(ours / CARD) as beside:
        beside.write_bytes(signed_card(read_card(ours / CARD), made))
    with new_file(ours / QC) as beside:
        beside.write_text(page, encoding="utf-8", newline="\n")
    return made


def _qc_page(head: HeadModel, labels: Image | None, t1: Image | None, face: Face | None, language: str) -> str:
    """The page for checking a head, with a picture where one can be drawn; without a face that is given."""
    volumes = [None if image is None else Volume(image.values, image.affine) for image in (labels, t1)]
    picture, why = None, ""
    try:
        picture = head_picture(head, face)
    except PictureError as error:
        why = str(error)
    return head_page(
        head, labels=volumes[0], t1=volumes[1], picture=picture, no_picture=why, face=face, language=language
    )


def _from_folder(folder: Path) -> HeadModel:
    """A head that `write_head` wrote."""
    path = folder / CARD
    card = read_card(path)
    file = read_msh(folder / MESH)
    sigma = _conductivity(card, file, folder)
    try:
        return HeadModel(
            file.mesh, sigma, name=card.name, mapping=mapping_of_card(card, folder), provenance=provenance_of(card),
            known_fissure=fissure_of_card(card), fiducials=fiducials_of(card),
        )  # fmt: skip
    except FileFormatError:
        raise
    except InputError as trouble:  # a value of the right kind that its noun refuses
        raise FileFormatError(f"The file {path} is damaged: {trouble}") from None


def _conductivity(card: HeadFile, file: MshFile, folder: Path) -> FloatArray:
    """(t,) or (t, 3, 3) S/m as the card says."""
    if card.conductivity != "per tissue":
        found = of_elements(file, str(folder / MESH))
        if found is None:
            raise FileFormatError(f"The mesh {folder / MESH} lacks the conductivity that {CARD} says it holds.")
        return found
    by_tag = {row.tag: row.conductivity_S_per_m for row in card.tissues if row.conductivity_S_per_m is not None}
    tags, inverse = np.unique(file.mesh.tags, return_inverse=True)
    missing = [int(tag) for tag in tags if int(tag) not in by_tag]
    if missing:
        raise FileFormatError(f"The file {folder / CARD} gives no conductivity for tags {missing} of {MESH}.")
    return np.array([by_tag[int(tag)] for tag in tags])[inverse.reshape(-1)]
