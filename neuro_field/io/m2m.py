"""The folder m2m_<ID> that SimNIBS charm or headreco leaves: its mesh, its images, and how it maps to MNI.

SimNIBS 4 puts the mesh ``<ID>.msh`` into the folder, SimNIBS 3 beside it.  A folder that was renamed is known by what
else SimNIBS leaves in it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.fissure import Fissure
from neuro_field.head.mapping import AffineMapping, MniMapping
from neuro_field.io.digest import digests
from neuro_field.io.images import Image, read_image, read_labels, read_vectors
from neuro_field.mri.build import fissure_between
from neuro_field.mri.coordinate_maps import coordinate_mapping
from neuro_field.mri.labels import to_sides, to_tissues
from neuro_field.mri.mapping import MapRefused, register_to_mni
from neuro_field.mri.overlap import mapping_overlap
from neuro_field.mri.tables import TABLES

#: The affine that SimNIBS 3 writes: world mm of MNI to world mm of the head.
AFFINE = Path("toMNI") / "MNI2conform_12DOF.txt"

#: Images of coordinates, mm: of the head in every voxel of MNI space, and of MNI space in every voxel of the head.
MAPS = (Path("toMNI") / "MNI2Conform_nonl.nii.gz", Path("toMNI") / "Conform2MNI_nonl.nii.gz")

#: The tissue labels that SimNIBS 4 writes, and its T1; SimNIBS 3 has the T1 under another name.
LABELS = Path("final_tissues.nii.gz")
#: Its parcels of the brain, which have sides.
PARCELS = Path("segmentation") / "labeling.nii.gz"
T1 = (Path("T1.nii.gz"), Path("T1fs_conform.nii.gz"))

#: Letters of a 4x4 matrix as text; more is none.
_LONGEST = 10_000

#: By any of these a folder of another name is known for one of SimNIBS.
SIGNS = ("toMNI", "eeg_positions", str(LABELS), "charm_log.html", "headreco_log.html", "settings.ini")

#: A folder with this is ours, whatever else lies in it.
_OURS = "head.json"

#: Centre of the brain in MNI152, mm, and how far from it a mapped brain's centre may lie.
BRAIN_CENTRE = (0.0, -20.0, 10.0)
CENTRE_TOLERANCE = 25.0


def m2m_of(path: Path) -> Path | None:
    """The folder of SimNIBS that a path means: such a folder, or the mesh that belongs to one; else None."""
    if path.is_dir():
        return path if mesh_of(path) is not None else None
    if path.suffix.lower() != ".msh" or not path.is_file():
        return None
    mesh = path.resolve()
    for folder in (mesh.parent, mesh.parent / f"m2m_{mesh.stem}"):
        found = mesh_of(folder) if folder.is_dir() else None
        if found is not None and found.resolve() == mesh:
            return folder
    return None


def mesh_of(folder: Path) -> Path | None:
    """The mesh of a folder of SimNIBS; None where it is none, or holds several meshes and none of its name."""
    if (folder / _OURS).exists():
        return None
    named = _subject(folder)
    if named is not None:
        for place in (folder, folder.resolve().parent):
            if (place / f"{named}.msh").is_file():
                return place / f"{named}.msh"
    if named is None and not any((folder / sign).exists() for sign in SIGNS):
        return None
    meshes = [path for path in folder.glob("*.msh") if path.is_file()]
    return meshes[0] if len(meshes) == 1 else None


def _subject(folder: Path) -> str | None:
    """The <ID> of a folder that is called m2m_<ID>."""
    name = folder.resolve().name
    return name.removeprefix("m2m_") if name.startswith("m2m_") else None


def images_of(folder: Path) -> dict[str, Image]:
    """The ``t1`` and the ``labels`` (tissue tags) of an m2m folder, those that are there."""
    out = {}
    beside = folder.resolve().parent / f"{_subject(folder)}_{T1[1]}"
    for path in (*(folder / name for name in T1), beside):
        if "t1" not in out and path.is_file():
            out["t1"] = read_image(path)
    if (folder / LABELS).is_file():
        labels = read_labels(folder / LABELS)
        out["labels"] = Image(to_tissues(labels.values, "simnibs"), labels.affine, labels.path)
    return out


def mapping_of(folder: Path, mesh: TetMesh, images: Mapping[str, Image]) -> tuple[MniMapping | None, dict[str, Any]]:
    """The map of an m2m folder's mesh to MNI, and what provenance tells of it; ``images`` are those of the folder.

    SimNIBS's own images of coordinates make a non-linear map, around its own affine or, where there is none, around the
    one found from ``final_tissues.nii.gz``; without such images there is the affine map alone, or none.  Where no map
    can be found from the labels, the head is without one, and provenance has why.

    Raises
    ------
    InputError
        If a file belongs to another head, or does not tell which way it maps.
    FileFormatError
        If a file is damaged.
    """
    labels, used = images.get("labels"), {what: image.path for what, image in images.items()}
    mapping: MniMapping | None = None
    if (folder / AFFINE).is_file():
        mapping, used["affine"] = _own_affine(folder / AFFINE, mesh), folder / AFFINE
    elif labels is not None:
        try:
            mapping = register_to_mni(labels.values, labels.affine)
        except MapRefused as refused:
            return None, {
                "inputs": digests(used),
                "mapping": str(refused),
                "findings": [Finding("head-map-refused", "warn", {"kind": refused.kind}).plain()],
            }
    own = [folder / name for name in MAPS if (folder / name).is_file()]
    if own and mapping is None:
        raise InputError(
            f"The map {own[0]} cannot be used: neither {AFFINE.name} nor {LABELS} is there to tell which way it goes; "
            "add one of them, or remove the map."
        )
    if own and isinstance(mapping, AffineMapping):
        used["coordinates"] = own[0]
        map_read = read_vectors(own[0])
        mapping = coordinate_mapping(map_read.values, map_read.affine, mapping, str(own[0]), _brain(mesh))
    about: dict[str, Any] = {"inputs": digests(used)}
    if mapping is not None and labels is not None:
        about["mapping_overlap"] = mapping_overlap(labels.values, labels.affine, mapping)
    return mapping, about


def fissure_of(folder: Path) -> Fissure | None:
    """The fissure between the hemispheres of an m2m folder's parcels; None where it has none."""
    if not (folder / PARCELS).is_file():
        return None
    parcels = read_labels(folder / PARCELS)
    sides = to_sides(parcels.values, TABLES["charm"])
    return fissure_between(sides, parcels.affine, np.zeros(sides.shape, dtype=np.uint8), parcels.affine)


def _brain(mesh: TetMesh) -> FloatArray:
    """(m, 3) points all over the brain of a mesh, mm; over the whole of it where no tissue is brain."""
    brain = np.isin(mesh.tags, (1, 2))
    centres = mesh.centroids[brain] if brain.any() else mesh.centroids
    return centres[:: max(1, len(centres) // 5000)]


def _own_affine(path: Path, mesh: TetMesh) -> AffineMapping:
    """SimNIBS's affine, checked on the brain it must carry to the middle of MNI space."""
    try:
        with path.open(encoding="utf-8") as file:
            head_from_mni = np.loadtxt(file.read(_LONGEST).splitlines())
    except (OSError, ValueError) as trouble:
        raise FileFormatError(f"The file {path} cannot be read as a 4x4 matrix: {trouble}.") from None
    if head_from_mni.shape != (4, 4) or not np.isfinite(head_from_mni).all() or np.linalg.det(head_from_mni) == 0:
        raise FileFormatError(f"The file {path} must hold an invertible 4x4 matrix; it does not.")
    mni_from_head = np.asarray(np.linalg.inv(head_from_mni), dtype=np.float64)
    mapping = AffineMapping(mni_from_head, f"SimNIBS {path.name}")
    brain = np.isin(mesh.tags, (1, 2))
    if brain.any():
        centre = np.average(mesh.centroids[brain], axis=0, weights=mesh.volumes[brain])
        gap = float(np.linalg.norm(mapping.to_mni(centre[None])[0] - BRAIN_CENTRE))
        if gap > CENTRE_TOLERANCE:
            raise InputError(
                f"The mapping {path} carries the brain's centre {gap:.0f} mm away from where MNI152 has it "
                f"({CENTRE_TOLERANCE:.0f} mm at most); it does not belong to this mesh."
            )
    return mapping
