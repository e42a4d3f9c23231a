"""A study of a small spherical head with a lesion on its left, made once and shared by the tests of what people see."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from neuro_field.clinic.study import study
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mapping import AffineMapping
from neuro_field.head.model import HeadModel
from neuro_field.head.sphere import sphere_head
from neuro_field.search.candidates import Grid
from neuro_field.shelf.coils import load_coil

#: Centre and radius of the lesion, mm; MNI space is the head frame.
LESION = (-52.0, -15.0, 20.0), 16.0


@lru_cache(maxsize=1)
def tiny_head():
    """Three shells with a ball of cavity in the left of the grey matter."""
    head = sphere_head(radii=(80, 86, 92), edge=9.0)
    centre, radius = LESION
    inside = np.linalg.norm(head.mesh.centroids - centre, axis=1) < radius
    tags = np.where(inside & head.region("grey_matter"), 21, head.mesh.tags)
    mesh = TetMesh(head.mesh.nodes, head.mesh.tets, tags)
    mapping = AffineMapping(np.eye(4), "the head frame is MNI space")
    return HeadModel.from_mesh(mesh, name="tiny", mapping=mapping, provenance={"T1": "sha256:0123", "edge": 6.0})


@lru_cache(maxsize=1)
def tiny_study():
    """The hand preset on both sides, with a dose and a warning; the lesion on the left.

    The coil's windings lie 3 mm behind the middle of its face, so that it is another one when turned round: two
    placements a side.
    """
    flat, behind = load_coil("figure8-70mm"), np.eye(4)
    behind[1, 3] = -3.0
    elements = tuple(part.carried(behind) for part in flat.elements)
    coil = replace(flat, elements=elements, didt_max=1e8, declared_symmetry="none")
    return study(
        tiny_head(), preset="contralesional-1hz-hand", coil=coil, rmt=50.0, mep="absent", fma_ue=30.0,
        grid=Grid(radius=15, spacing=7.5, angle_step=45), tolerance=1e-4, draws=20,
    )  # fmt: skip
