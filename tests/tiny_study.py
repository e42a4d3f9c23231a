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
    """The hand preset on both sides, with a dose and a warning; the lesion on the left."""
    coil = replace(load_coil("figure8-70mm"), didt_max=1e8)
    return study(
        tiny_head(), preset="contralesional-1hz-hand", coil=coil, rmt=50.0, mep="absent", fma_ue=30.0,
        grid=Grid(radius=15, spacing=7.5, angle_step=45), tolerance=1e-4, draws=20,
    )  # fmt: skip


@lru_cache(maxsize=1)
def ranked_study():
    """The same with a second placement a side, beside the best and weaker: for what is done with lists of them."""
    made = tiny_study()
    return replace(made, **{role: _with_second(plan) for role, plan in made.plans.items()})


def _with_second(plan):
    best, found = plan.best, plan.stability
    second = replace(
        best, placement=best.placement.moved(along_x=12.0, along_z=-2.0), strength=0.9 * best.strength,
        verified=0.9 * best.verified, magnitude=0.9 * best.magnitude,
    )  # fmt: skip
    told = {name: tuple((*row, 0.9 * row[0]) for row in getattr(found, name)) for name in ("median", "low", "high")}
    first = tuple((*row, 0.0) for row in found.first)
    return replace(plan, ranking=(best, second), stability=replace(found, first=first, **told))
