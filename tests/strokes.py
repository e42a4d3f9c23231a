"""Strokes for tests: lesions of known territory, side and volume, made by turning elements of the built-in head."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

import neuro_field as nf
from neuro_field.aim.atlas import site
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.lesion import infratentorial

#: Where a stroke of a territory grows from, in the left hemisphere, and how far along x, y and z alike; MNI152 mm.
TERRITORIES = {
    "mca": ((-42.0, -12.0, 28.0), (1.0, 1.4, 1.3)),
    "hand": ((-37.0, -21.0, 58.0), (1.0, 1.0, 1.0)),
    "aca": ((-5.0, -15.0, 58.0), (0.45, 1.6, 1.0)),
    "pca": ((-16.0, -78.0, 4.0), (1.0, 1.3, 1.0)),
    "cerebellum": ((-28.0, -66.0, -36.0), (1.0, 1.0, 1.0)),
    "pons": ((-4.0, -27.0, -34.0), (1.0, 1.0, 1.3)),
}

#: Radius of the cortex left alone within an "island" stroke, mm.
ISLAND = 9.0


@dataclass(frozen=True)
class Stroke:
    """``kind`` of `TERRITORIES`, "island" (of the MCA, hand area spared) or "two-sided"; ``side``; ``cm3`` wanted."""

    kind: str
    side: str
    cm3: float

    def __str__(self):
        return f"{self.side}-{self.kind}-{self.cm3:g}"


#: The forty: every kind on both sides, 2 to 250 cm3.
STROKES = tuple(
    Stroke(kind, side, cm3)
    for kind, volumes in {
        "mca": (12, 60, 140, 250),
        "hand": (4, 20, 60),
        "aca": (8, 30, 70),
        "pca": (10, 45),
        "cerebellum": (5, 25),
        "pons": (2,),
        "island": (70, 180),
        "two-sided": (15, 50, 90),
    }.items()
    for side in ("left", "right")
    for cm3 in volumes
)


@lru_cache(maxsize=2)
def healthy(edge=8.0):
    """The head that strokes are made in."""
    return nf.example_head("colin27", edge=edge)


@lru_cache(maxsize=4)
def stroke_head(stroke, edge=8.0, known=True):
    """The built-in head with a stroke; the same every time.

    ``known``: with the fissure that the healthy head's labels tell, as a head built from labels has it; else as a head
    read from a mesh, where only the mesh tells.
    """
    head = healthy(edge)
    tags = np.where(lesion_of(stroke, edge), 21, head.mesh.tags)
    return nf.HeadModel.from_mesh(
        TetMesh(head.mesh.nodes, head.mesh.tets, tags), name=str(stroke), mapping=head.mapping,
        known_fissure=head.fissure if known else None,
    )  # fmt: skip


def lesion_of(stroke, edge=8.0):
    """(t,) the elements of a stroke."""
    if stroke.kind == "two-sided":
        other = "right" if stroke.side == "left" else "left"
        return lesion_of(Stroke("mca", stroke.side, 0.7 * stroke.cm3), edge) | lesion_of(
            Stroke("pca", other, 0.3 * stroke.cm3), edge
        )
    head = healthy(edge)
    centroids, volumes = head.mesh.centroids, head.mesh.volumes
    center, shape = TERRITORIES["mca" if stroke.kind == "island" else stroke.kind]
    sign = 1.0 if stroke.side == "left" else -1.0
    ragged = np.random.default_rng([len(stroke.kind), int(stroke.cm3)]).normal(0, 0.05, len(centroids))
    far = np.linalg.norm((centroids - np.array(center) * [sign, 1, 1]) / shape, axis=1) * (1 + ragged)
    below = infratentorial(centroids)  # the built-in head lies in MNI152
    right = head.fissure.right_of(centroids)
    own = (right * -sign > 0) & (below == (stroke.kind == "cerebellum"))
    allowed = below if stroke.kind == "pons" else own
    allowed &= head.region("brain") | (head.region("csf") & (far < 0.8 * np.cbrt(stroke.cm3 * 1e3 / 4)))
    if stroke.kind == "island":
        allowed &= np.linalg.norm(centroids - site("m1-hand").seed(stroke.side), axis=1) > ISLAND
    order = np.argsort(np.where(allowed, far, np.inf), kind="stable")
    order = order[: np.count_nonzero(allowed)]
    taken = order[np.cumsum(volumes[order]) <= stroke.cm3 * 1e3]
    out = np.zeros(len(centroids), dtype=bool)
    out[taken] = True
    return out
