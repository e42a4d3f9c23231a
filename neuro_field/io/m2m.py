"""The folder m2m_<ID> that SimNIBS charm or headreco leaves: where its mesh is, and how it maps to MNI."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from neuro_field.errors import FileFormatError, InputError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mapping import AffineMapping
from neuro_field.io.images import read_labels
from neuro_field.mri.labels import to_tissues
from neuro_field.mri.mapping import register_to_mni

#: The affine that SimNIBS 3 writes: world mm of MNI to world mm of the head.
AFFINE = Path("toMNI") / "MNI2conform_12DOF.txt"

#: The tissue labels that SimNIBS 4 writes.
LABELS = "final_tissues.nii.gz"

#: Centre of the brain in MNI152, mm, and how far from it a mapped brain's centre may lie.
BRAIN_CENTRE = (0.0, -20.0, 10.0)
CENTRE_TOLERANCE = 25.0


def is_m2m(path: Path) -> bool:
    """Whether a folder is called m2m_<ID> and holds <ID>.msh."""
    return path.is_dir() and path.resolve().name.startswith("m2m_") and _mesh_path(path).is_file()


def _mesh_path(folder: Path) -> Path:
    return folder / f"{folder.resolve().name.removeprefix('m2m_')}.msh"


def read_m2m(folder: Path) -> tuple[Path, Callable[[TetMesh], AffineMapping | None]]:
    """The mesh of an m2m folder, and what gives the mapping of that mesh to MNI.

    The mapping is SimNIBS's own affine where there is one; else it is found from ``final_tissues.nii.gz``;
    else there is none.
    """

    def mapping(mesh: TetMesh) -> AffineMapping | None:
        if (folder / AFFINE).is_file():
            return _own_affine(folder / AFFINE, mesh)
        if (folder / LABELS).is_file():
            labels = read_labels(folder / LABELS)
            return register_to_mni(to_tissues(labels.values, "simnibs"), labels.affine)
        return None

    return _mesh_path(folder), mapping


def _own_affine(path: Path, mesh: TetMesh) -> AffineMapping:
    """SimNIBS's affine, checked on the brain it must carry to the middle of MNI space."""
    try:
        head_from_mni = np.loadtxt(path)
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
