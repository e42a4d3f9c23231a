"""What of the labels the mesh kept: tissues and pieces of a lesion that became less, or went."""

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.lesion_elements import MeshedPieces
from neuro_field.head.tissues import BY_TAG

#: A tissue or a piece of a lesion of which the mesh holds less than this is told.
LEAST_KEPT = 0.7

#: Less of a tissue than this, cm3, is not told: specks of labels are no tissue.  Of a lesion every piece is.
_SPECK = 0.05


def told_of_tissues(mesh: TetMesh, labels: AnyArray, affine: FloatArray) -> tuple[Finding, ...]:
    """Tissues of the labels of which the mesh holds too little, or nothing."""
    voxel = abs(float(np.linalg.det(affine[:3, :3]))) / 1e3
    drawn = np.bincount(labels.ravel(), minlength=max(BY_TAG) + 1)[: max(BY_TAG) + 1] * voxel
    meshed = np.bincount(mesh.tags, mesh.volumes, minlength=max(BY_TAG) + 1) / 1e3
    return tuple(
        Finding(
            "build-tissue-lost-in-mesh",
            "warn",
            {"tissue": tissue.name, "labels_cm3": float(drawn[tag]), "mesh_cm3": float(meshed[tag])},
        )
        for tag, tissue in BY_TAG.items()
        if meshed[tag] < LEAST_KEPT * drawn[tag]
        and (drawn[tag] > _SPECK or (tissue.name.startswith("lesion") and drawn[tag] > 0))
    )


def told_of_pieces(pieces: MeshedPieces) -> tuple[Finding, ...]:
    """Pieces of a lesion that were given finer elements, and those that are lost all the same."""
    if not len(pieces.labels_cm3):
        return ()
    gone = pieces.after_cm3 < LEAST_KEPT * pieces.labels_cm3
    told = [_told("lesion-lost-in-mesh", "warn", pieces, gone)] if gone.any() else []
    return (*told, _told("lesion-meshed-finer", "note", pieces, ~gone)) if not gone.all() else tuple(told)


def _told(code: str, level: str, pieces: MeshedPieces, which: AnyArray) -> Finding:
    sums = {name: float(getattr(pieces, name)[which].sum()) for name in ("labels_cm3", "before_cm3", "after_cm3")}
    return Finding(code, level, {"pieces": int(np.count_nonzero(which)), **sums})
