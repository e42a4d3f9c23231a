"""Give a finished head another lesion: in its mesh where that is fine enough, else in one made again of its tissues."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray, transformed
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.lesion_elements import LESION, element_boxes, filled_shares, lost_pieces, touching
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import BY_TAG, tags_of
from neuro_field.mri.build import Progress, lesion_record, meshed, rounded, silent
from neuro_field.mri.cleaning import tissue_volumes
from neuro_field.mri.drawn_lesion import DrawnLesion, drawn_lesion
from neuro_field.mri.lesion import (
    LARGEST_SHARE,
    REPLACEABLE,
    PlacedLesion,
    checked_largest,
    place_lesion,
    told_of_clipping,
    told_of_size,
)
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun

#: An element is lesion from this share of it on.
MOSTLY = 0.5

#: The mesh is fine enough where its lesion has the mask's volume within this share and overlaps it (Dice) by at least
#: that.
VOLUME_OFF, LEAST_OVERLAP = 0.10, 0.85

#: Of the lesion that a head has, this much (cm3) may lie outside another that takes its place: borders of elements.
_LEFT_OVER = 0.2, 0.02


@noun
class Relesioned:
    """A head with another lesion and, where its tissues were at hand, these with the lesion in."""

    head: HeadModel
    labels: Volume | None


@noun
class _Fitted:
    """What a lesion is in a mesh: tags of all elements, and how well these hold it."""

    tags: IntArray
    chosen: BoolArray
    wanted_cm3: float
    meshed_cm3: float
    overlap: float

    @property
    def fine(self) -> bool:
        return abs(self.meshed_cm3 - self.wanted_cm3) <= VOLUME_OFF * self.wanted_cm3 and self.overlap >= LEAST_OVERLAP


def head_with_lesion(
    head: HeadModel,
    lesion: AnyArray | DrawnLesion,
    affine: FloatArray | None = None,
    *,
    labels: Volume | None = None,
    rim: float = 0.0,
    largest_lesion: float = LARGEST_SHARE,
) -> HeadModel:
    """A finished head with another lesion.

    Elements that the lesion fills by half become lesion. Where the mesh is too coarse for it, or the lesion small or
    thin, the head is meshed again from its tissue labels. ``findings`` say which.

    Parameters
    ----------
    head : HeadModel
        Without a lesion, or with one that lies within the new one: what was beneath a lesion is not known.
    lesion : (i, j, k) array or DrawnLesion
        A mask, as for `neuro_field.build_head`.
    affine : (4, 4) array, optional
        Its voxel index to world mm.
    labels : Volume, optional
        The tissue tags that the head was meshed from; needed for a rim and for meshing again.
    rim : float
        Width of the rim to draw around a cavity, mm; 0 for none.
    largest_lesion : float
        Share of the brain that it may take.

    Returns
    -------
    HeadModel
        With the map to MNI and the fissure of the old one.

    Raises
    ------
    InputError
        If the lesion is empty, outside the brain or too large, the head has a lesion elsewhere, or the mesh is too
        coarse and there is nothing to make another from.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.sphere_head((70, 80, 90), edge=4.0)
    >>> ball = np.linalg.norm(np.moveaxis(np.indices((40, 40, 40)), 0, -1) - 19.5, axis=-1) < 15
    >>> affine = np.eye(4)
    >>> affine[:3, 3] = -60, -20, -20
    >>> hurt = nf.head_with_lesion(head, ball, affine)
    >>> round(hurt.tissue_volumes["lesion_cavity"])
    14
    """
    drawn = lesion if isinstance(lesion, DrawnLesion) else drawn_lesion(lesion, _given(affine))
    return relesioned(head, drawn, labels, rim=rim, largest_lesion=largest_lesion).head


def _given(affine: FloatArray | None) -> FloatArray:
    if affine is None:
        raise InputError("Input affine of head_with_lesion must be given with a mask: it says where the mask lies.")
    return affine


def relesioned(
    head: HeadModel,
    drawn: DrawnLesion,
    labels: Volume | None,
    *,
    rim: float = 0.0,
    largest_lesion: float = LARGEST_SHARE,
    progress: Progress | None = None,
) -> Relesioned:
    """`head_with_lesion`, with the labels that go with the head."""
    if rim and labels is None:
        raise InputError("A rim needs the tissues that the head was meshed from, and there are none beside this head.")
    largest = checked_largest(largest_lesion)
    if labels is None:
        target = _within_brain(head.mesh, drawn)
        fitted = _fitted(head.mesh, target)
        _check_left_over(float(head.mesh.volumes[head.region("lesion") & ~fitted.chosen].sum() / 1e3), head)
        placed = _placed_in_mesh(head.mesh, drawn, fitted, largest)
    else:
        placed = _placed_in_labels(head, labels, drawn, rim, largest)
        target = Volume(np.where(np.isin(placed.labels, LESION), placed.labels, np.uint8(0)), labels.affine)
        fitted = _fitted(head.mesh, target)
    record = _record(head.provenance, placed)
    images = None if labels is None else Volume(placed.labels, labels.affine)
    if images is not None:
        record["label_volumes_cm3"] = rounded(tissue_volumes(images.values, images.affine))
    lost = lost_pieces(_with_tags(head.mesh, fitted.tags), target.values, target.affine)
    if fitted.fine and not lost:
        return Relesioned(_retagged(head, fitted, record), images)
    if images is None or "edge_mm" not in head.provenance:
        raise InputError(
            f"The mesh of the head {head.name!r} is too coarse for this lesion of {fitted.wanted_cm3:.2f} cm3 (it "
            f"would hold {fitted.meshed_cm3:.2f} cm3), and it was not made of tissues that are at hand: build the head "
            "again from its T1 and labels, with the lesion."
        )
    return Relesioned(_meshed_again(head, images, fitted, lost, record, progress or silent), images)


def _within_brain(mesh: TetMesh, drawn: DrawnLesion) -> Volume:
    """What of a lesion lies in brain and CSF of a mesh, voxel by voxel."""
    index = np.argwhere(drawn.tags)
    elements = locate(mesh, transformed(index.astype(np.float64), drawn.affine))[0]
    kept = index[(elements >= 0) & np.isin(mesh.tags[elements], REPLACEABLE)]
    values = np.zeros_like(drawn.tags)
    values[tuple(kept.T)] = drawn.tags[tuple(kept.T)]
    if not len(kept):
        raise InputError(
            "Input lesion lies outside brain and CSF of this head; check that both show the same patient in the same "
            "world coordinates."
        )
    return Volume(values, drawn.affine)


def _placed_in_labels(head: HeadModel, labels: Volume, drawn: DrawnLesion, rim: float, largest: float) -> PlacedLesion:
    """Tissues with the new lesion in place of the old one, which must lie within it."""
    old = np.isin(labels.values, LESION)
    grey = np.uint8(tags_of("grey_matter")[0])  # whatever was there: the new lesion covers it, or it is refused
    placed = place_lesion(np.where(old, grey, labels.values), labels.affine, drawn, rim=rim, largest=largest)
    over = old & ~np.isin(placed.labels, LESION)
    _check_left_over(float(np.count_nonzero(over) * abs(np.linalg.det(labels.affine[:3, :3])) / 1e3), head)
    return replace(placed, labels=np.where(over, labels.values, placed.labels).astype(np.uint8))


def _check_left_over(cm3: float, head: HeadModel) -> None:
    """Refuse a lesion that leaves part of the old one bare: nobody knows which tissue was there."""
    old = float(head.mesh.volumes[head.region("lesion")].sum() / 1e3)
    if cm3 > max(_LEFT_OVER[0], _LEFT_OVER[1] * old):
        raise InputError(
            f"The head {head.name!r} has a lesion of {old:.1f} cm3 already, of which {cm3:.1f} cm3 lie outside the new "
            "one; what was beneath it is not known: build the head again from its T1 and labels, with the new lesion."
        )


def _fitted(mesh: TetMesh, target: Volume) -> _Fitted:
    """Tags of a mesh with a lesion (tags on a grid) in it: elements that are mostly lesion."""
    near = touching(element_boxes(mesh.nodes, mesh.tets), target.values, target.affine)
    at = near[np.isin(mesh.tags[near], REPLACEABLE)]
    shares, kinds = filled_shares(mesh.nodes, mesh.tets[at], target.values, target.affine)
    mostly = shares >= MOSTLY
    tags, chosen, volumes = np.array(mesh.tags), np.zeros(len(mesh.tets), dtype=bool), mesh.volumes[at] / 1e3
    tags[at[mostly]], chosen[at[mostly]] = kinds[mostly], True
    wanted, meshed_cm3 = float(shares @ volumes), float(volumes[mostly].sum())
    overlap = 2 * float(shares[mostly] @ volumes[mostly]) / max(wanted + meshed_cm3, 1e-12)
    return _Fitted(tags, chosen, wanted, meshed_cm3, overlap)


def _placed_in_mesh(mesh: TetMesh, drawn: DrawnLesion, fitted: _Fitted, largest: float) -> PlacedLesion:
    """What `place_lesion` tells, of a mesh without labels."""
    brain = float(mesh.volumes[np.isin(mesh.tags, (*tags_of("brain"), *LESION)) | fitted.chosen].sum() / 1e3)
    share = fitted.wanted_cm3 / brain
    told = (*told_of_size(share, fitted.wanted_cm3, largest), *told_of_clipping(drawn.cm3, fitted.wanted_cm3))
    return PlacedLesion(drawn.tags, fitted.wanted_cm3, drawn.cm3, share, (*drawn.findings, *told))


def _record(provenance: Mapping[str, Any], placed: PlacedLesion) -> dict[str, Any]:
    """The provenance of the old head, with what is said of lesions said of the new one."""
    kept = [row for row in provenance.get("findings", ()) if not row["code"].startswith("lesion-")]
    findings = [*kept, *(found.plain() for found in placed.findings)]
    return dict(provenance) | {"lesion": lesion_record(placed), "findings": findings}


def _with_tags(mesh: TetMesh, tags: IntArray) -> TetMesh:
    return TetMesh(mesh.nodes, mesh.tets, tags)


def _told(code: str, fitted: _Fitted, meshed_cm3: float, lost: int = 0) -> dict[str, Any]:
    values = {"cm3": fitted.wanted_cm3, "mesh_cm3": meshed_cm3, "overlap": fitted.overlap, "lost": lost}
    return Finding(code, "note", values).plain()


def _retagged(head: HeadModel, fitted: _Fitted, record: dict[str, Any]) -> HeadModel:
    """The same mesh with the lesion's elements tagged, and conducting as lesions do."""
    sigma = np.array(head.conductivity)
    for tag in np.unique(fitted.tags[fitted.chosen]).tolist():
        value = BY_TAG[tag].conductivity
        sigma[fitted.chosen & (fitted.tags == tag)] = value if sigma.ndim == 1 else value * np.eye(3)
    record["findings"] = [*record["findings"], _told("lesion-in-old-mesh", fitted, fitted.meshed_cm3)]
    out = replace(head, mesh=_with_tags(head.mesh, fitted.tags), conductivity=sigma, provenance=record)
    return replace(out, known_fissure=head.fissure)


def _meshed_again(
    head: HeadModel, labels: Volume, fitted: _Fitted, lost: int, record: dict[str, Any], progress: Progress
) -> HeadModel:
    """A head of the same tissues with the lesion in, meshed as the old one was."""
    standard = HeadModel.from_mesh(head.mesh).conductivity
    if head.conductivity.shape != standard.shape or (head.conductivity != standard).any():
        raise InputError(
            f"The mesh of the head {head.name!r} is too coarse for this lesion of {fitted.wanted_cm3:.2f} cm3, and "
            "conductivities that were set for its elements cannot go to another mesh: build the head again, with the "
            "lesion."
        )
    progress("meshing", 0.0)
    record["seconds"] = dict(record.get("seconds", {}))
    kept = [row for row in record["findings"] if row["code"] != "build-tissue-lost-in-mesh"]  # of the mesh that goes
    record["findings"] = kept
    edges = record.get("tissue_edges_mm") or {}
    mesh = meshed(labels.values, labels.affine, float(record["edge_mm"]), edges, record, progress)
    lesion_cm3 = float(mesh.volumes[np.isin(mesh.tags, LESION)].sum() / 1e3)
    record["findings"] = [*record["findings"], _told("lesion-meshed-again", fitted, lesion_cm3, lost)]
    return HeadModel.from_mesh(
        mesh, name=head.name, mapping=head.mapping, provenance=record, known_fissure=head.fissure
    )
