"""Put a lesion into a head: the physician's mask, or a synthetic one in an arterial territory."""

from dataclasses import replace
from typing import overload

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray, transformed
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.geometry.voxels import as_affine
from neuro_field.head.mapping import MniMapping
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import BY_NAME, tags_of
from neuro_field.mri.drawn_lesion import DrawnLesion, drawn_lesion
from neuro_field.mri.labels import Labels, as_labels
from neuro_field.nouns import noun

#: What a lesion may take the place of: brain, CSF, and a lesion already drawn.
REPLACEABLE = (*tags_of("brain"), *tags_of("csf"), *tags_of("lesion"))

#: A mask larger than this share of the brain is more likely a mistake than a stroke.
LARGEST_SHARE = 0.4

#: Nor can anyone ask for more: half a brain with the fluid around it is less.
LARGEST_ASKED = 0.75

#: A wider rim than this, mm, is no rim.
LARGEST_RIM = 20.0

#: Share of a mask outside brain and CSF above which a person should look at it.
NOTEWORTHY_LOSS = 0.2

#: What lies outside brain and CSF is told above this volume too, cm3.
NOTEWORTHY_CM3 = 5.0

#: A piece of a mask that is lost is told first from this volume on, cm3.
NOTEWORTHY_PIECE = 0.005

#: The trunk of the synthetic left middle cerebral artery stroke, MNI152 mm, and how late (mm) growth reaches each
#: place: from the Rolandic operculum up the precentral gyrus into the hand knob, into the insula, the frontal and
#: parietal convexity, the corona radiata below them and the top of the temporal lobe. A drawing after the usual
#: description of the superior division's territory, made for tests and teaching; no atlas stands behind it.
MCA_TRUNK = (
    ((-50.0, -6.0, 18.0), (-46.0, -10.0, 40.0), 0.0, 0.0),
    ((-46.0, -10.0, 40.0), (-41.0, -17.0, 50.0), 0.0, 5.0),
    ((-50.0, -6.0, 18.0), (-38.0, 0.0, 4.0), 0.0, 3.0),
    ((-46.0, -10.0, 40.0), (-28.0, -14.0, 30.0), 1.0, 4.0),
    ((-50.0, -6.0, 18.0), (-48.0, 14.0, 16.0), 3.0, 7.0),
    ((-50.0, -6.0, 18.0), (-54.0, -32.0, 30.0), 4.0, 8.0),
    ((-38.0, 0.0, 4.0), (-54.0, -18.0, 2.0), 6.0, 10.0),
)

#: The synthetic stroke stays this far from the midline, mm, and reaches this far (mm) at most.
MIDLINE_MARGIN = 8.0
LARGEST_REACH = 40.0


@noun
class PlacedLesion:
    """Labels that hold a lesion, and what was clipped to get there.

    ``volume_cm3`` is what the labels now hold, ``drawn_cm3`` what the mask held, ``share_of_brain`` the
    former over brain and lesion together.
    """

    labels: Labels
    volume_cm3: float
    drawn_cm3: float
    share_of_brain: float
    findings: tuple[Finding, ...]


def _on_grid(lesion: AnyArray, lesion_affine: FloatArray, shape: tuple[int, ...], affine: FloatArray) -> AnyArray:
    """Whole numbers on another grid, by nearest neighbour."""
    if lesion.shape == shape and np.allclose(lesion_affine, affine, atol=1e-4):
        return lesion
    voxel_from_voxel = np.linalg.inv(lesion_affine) @ affine
    return ndimage.affine_transform(
        lesion, voxel_from_voxel[:3, :3], voxel_from_voxel[:3, 3], output_shape=shape, order=0, cval=0
    )


def place_lesion(
    labels: Labels,
    affine: FloatArray,
    lesion: AnyArray | DrawnLesion,
    lesion_affine: FloatArray | None = None,
    *,
    rim: float = 0.0,
    largest: float = LARGEST_SHARE,
) -> PlacedLesion:
    """Tissue labels with a lesion in them.

    The lesion is resampled to the labels' grid by nearest neighbour and clipped to brain and CSF: bone,
    scalp, eyes and air never change.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Tissue tags.
    affine : (4, 4) array
        Their voxel index to world mm.
    lesion : (a, b, c) array or DrawnLesion
        A mask whose numbers mean what `neuro_field.mri.drawn_lesion.drawn_lesion` says, or what that made of one.
    lesion_affine : (4, 4) array, optional
        Voxel index to world mm of a mask; the labels' own when omitted, then the shapes must agree.
    rim : float
        Brain whose voxels lie within this distance of a cavity's, mm, becomes its rim (tag 22); 0 for none.
    largest : float
        Share of the brain that it may take, 0.4 unless more is asked for, and 0.75 at most.

    Raises
    ------
    InputError
        If the rim is not 0 to 20 mm, or the lesion is empty, lies outside the brain or takes more of it than allowed.
    """
    labels = as_labels(labels, "labels of place_lesion").astype(np.uint8)
    affine = as_affine(affine, "affine of place_lesion")
    largest = checked_largest(largest)
    drawn = as_drawn(lesion, lesion_affine, labels.shape, affine)
    inside = np.where(np.isin(labels, REPLACEABLE), _on_grid(drawn.tags, drawn.affine, labels.shape, affine), 0)
    voxel = abs(float(np.linalg.det(affine[:3, :3]))) / 1e3
    volume = float(np.count_nonzero(inside) * voxel)
    if volume == 0:
        raise InputError(
            f"Input lesion of {drawn.cm3:.1f} cm3 lies outside brain and CSF of this head; check that both "
            "images show the same patient in the same world coordinates."
        )
    placed = _rimmed(np.where(inside > 0, inside, labels), affine, rim)
    brain = np.isin(labels, (*tags_of("brain"), *tags_of("lesion"))) | (inside > 0)
    share = volume / float(np.count_nonzero(brain) * voxel)
    told = (*told_of_size(share, volume, largest), *told_of_clipping(drawn.cm3, volume))
    findings = (*drawn.findings, *told, *_told_of_pieces(drawn, inside > 0, affine))
    placed.flags.writeable = False
    return PlacedLesion(placed, volume, drawn.cm3, share, findings)


def as_drawn(
    lesion: AnyArray | DrawnLesion, lesion_affine: FloatArray | None, shape: tuple[int, ...], affine: FloatArray
) -> DrawnLesion:
    """A lesion as it was drawn: as it is, or a mask with its affine, which is the labels' own when omitted."""
    if isinstance(lesion, DrawnLesion):
        return lesion
    drawn = drawn_lesion(lesion, affine if lesion_affine is None else as_affine(lesion_affine, "lesion_affine"))
    if lesion_affine is None and drawn.tags.shape != shape:
        raise InputError(
            f"Input lesion must have the shape of the labels, {shape}, when it comes without an "
            f"affine; instead received {drawn.tags.shape}."
        )
    return drawn


def checked_largest(largest: float) -> float:
    """A share of the brain that a lesion may be allowed to take."""
    if not (np.isfinite(largest) and 0 < largest <= LARGEST_ASKED):
        raise InputError(
            f"Input largest_lesion must be a share of the brain above 0 and at most {LARGEST_ASKED:g}; instead "
            f"received {largest!r:.20}."
        )
    return float(largest)


def told_of_size(share: float, volume: float, largest: float) -> tuple[Finding, ...]:
    """Refuse a lesion larger than allowed; tell one that only was because more was allowed."""
    if share > largest:
        raise InputError(
            f"Input lesion must take at most {largest:.0%} of the brain; instead it takes {share:.0%} "
            f"({volume:.0f} cm3): is it a brain mask? If it is the lesion, allow it with --large-lesion or "
            "largest_lesion."
        )
    if share <= LARGEST_SHARE:
        return ()
    return (Finding("lesion-large", "warn", {"share": share, "cm3": volume, "usual": LARGEST_SHARE}),)


def told_of_clipping(drawn_cm3: float, placed_cm3: float) -> tuple[Finding, ...]:
    """How much of a mask lay outside brain and CSF, where that is much."""
    lost_cm3 = drawn_cm3 - placed_cm3
    lost = lost_cm3 / drawn_cm3
    if lost <= NOTEWORTHY_LOSS and lost_cm3 <= NOTEWORTHY_CM3:
        return ()
    values = {"lost": lost, "lost_cm3": lost_cm3, "drawn_cm3": drawn_cm3, "placed_cm3": placed_cm3}
    return (Finding("lesion-clipped", "warn" if lost > NOTEWORTHY_LOSS else "note", values),)


def _told_of_pieces(drawn: DrawnLesion, placed: BoolArray, affine: FloatArray) -> tuple[Finding, ...]:
    """Pieces of a mask of which nothing is in the labels: outside the brain, or between the voxels of the labels."""
    numbered, count = ndimage.label(drawn.tags, np.ones((3, 3, 3)))
    if count < 2:
        return ()
    kept = np.zeros(count + 1, dtype=bool)
    kept[_on_grid(numbered, drawn.affine, placed.shape, affine)[placed]] = True
    cm3 = np.bincount(numbered.ravel(), minlength=count + 1)[1:][~kept[1:]] * drawn.voxel_cm3
    if not len(cm3):
        return ()
    values = {"pieces": len(cm3), "cm3": float(cm3.sum()), "largest": float(cm3.max())}
    return (Finding("lesion-pieces-lost", "warn" if cm3.max() >= NOTEWORTHY_PIECE else "note", values),)


def _rimmed(labels: Labels, affine: FloatArray, rim: float) -> Labels:
    """Labels with the brain near a cavity turned into its rim."""
    if not (np.isfinite(rim) and 0 <= rim <= LARGEST_RIM):
        raise InputError(f"Input rim must be 0 to {LARGEST_RIM:g} mm; instead received {rim!r:.20}.")
    if rim == 0:
        return labels
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    distance = ndimage.distance_transform_edt(labels != BY_NAME["lesion_cavity"].tag, sampling=sizes)
    near = (distance <= rim) & np.isin(labels, tags_of("brain"))
    return np.where(near, np.uint8(BY_NAME["lesion_rim"].tag), labels)


def _arrival(points_mni: FloatArray) -> FloatArray:
    """(m,) how far (mm) growth from the trunk has gone when it reaches points of the left side, MNI mm."""
    arrival = np.full(len(points_mni), np.inf)
    for start, end, late_start, late_end in MCA_TRUNK:
        a, b = np.array(start), np.array(end)
        along = np.clip((points_mni - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        gap = np.linalg.norm(points_mni - a - along[:, None] * (b - a), axis=1)
        arrival = np.minimum(arrival, gap + late_start + along * (late_end - late_start))
    arrival[points_mni[:, 0] > -MIDLINE_MARGIN] = np.inf
    return arrival


def _grown(points_mni: FloatArray, volumes: FloatArray, side: str, volume_cm3: float) -> BoolArray:
    """(m,) which cells of brain and CSF (MNI mm, mm3) the synthetic stroke takes to reach a volume."""
    mirrored = points_mni * [-1.0, 1.0, 1.0] if side == "right" else points_mni
    arrival = _arrival(mirrored)
    reachable = np.flatnonzero(arrival < LARGEST_REACH)
    order = reachable[np.argsort(arrival[reachable], kind="stable")]
    filled = np.cumsum(volumes[order]) / 1e3
    if not len(order) or filled[-1] < volume_cm3:
        most = float(filled[-1]) if len(order) else 0.0
        raise InputError(
            f"Input volume_cm3 must be at most {most:.0f} in the {side} MCA territory of this head; "
            f"instead received {volume_cm3:g}."
        )
    chosen = np.zeros(len(points_mni), dtype=bool)
    chosen[order[: int(np.argmin(np.abs(filled - volume_cm3))) + 1]] = True
    return chosen


def _near_trunk(labels: Labels, affine: FloatArray, mapping: MniMapping, side: str) -> tuple[Labels, IntArray]:
    """The part of an image that a synthetic stroke can reach, and its first voxel."""
    trunk = np.array([place for start, end, _, _ in MCA_TRUNK for place in (start, end)])
    low, high = trunk.min(axis=0) - LARGEST_REACH, trunk.max(axis=0) + LARGEST_REACH
    corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
    if side == "right":
        corners = corners * [-1.0, 1.0, 1.0]
    voxels = transformed(mapping.from_mni(corners), np.asarray(np.linalg.inv(affine), dtype=np.float64))
    shape = np.array(labels.shape)
    first = np.clip(np.floor(voxels.min(axis=0)), 0, shape).astype(np.int32)
    last = np.clip(np.ceil(voxels.max(axis=0)) + 1, 0, shape).astype(np.int32)
    return labels[tuple(slice(a, b) for a, b in zip(first, last, strict=True))], first


def _checked(territory: str, side: str, volume_cm3: float) -> None:
    if territory != "mca":
        raise UnknownNameError("territory", territory, ["mca"])
    if side not in ("left", "right"):
        raise UnknownNameError("side", side, ["left", "right"])
    if not (np.isfinite(volume_cm3) and 0.1 <= volume_cm3 <= 400):
        raise InputError(f"Input volume_cm3 must be 0.1 to 400; instead received {volume_cm3!r}.")


@overload
def synthetic_lesion(
    head_or_labels: HeadModel, *, territory: str = ..., side: str = ..., volume_cm3: float = ...
) -> HeadModel: ...


@overload
def synthetic_lesion(
    head_or_labels: Labels,
    affine: FloatArray,
    *,
    mapping: MniMapping,
    territory: str = ...,
    side: str = ...,
    volume_cm3: float = ...,
) -> BoolArray: ...


def synthetic_lesion(
    head_or_labels: HeadModel | Labels,
    affine: FloatArray | None = None,
    *,
    mapping: MniMapping | None = None,
    territory: str = "mca",
    side: str = "left",
    volume_cm3: float = 40.0,
) -> HeadModel | BoolArray:
    """A synthetic chronic stroke of a wanted volume, for tests and teaching.

    It grows in MNI space from the Rolandic operculum and the precentral gyrus into insula, corona radiata and
    the frontal and parietal convexity (`MCA_TRUNK`), takes brain and the CSF of the sulci between, leaves
    bone and scalp alone and stops 8 mm short of the midline. The same input gives the same lesion.

    Parameters
    ----------
    head_or_labels : HeadModel or (i, j, k) uint8 array
        A head with a mapping to MNI, or tissue labels.
    affine : (4, 4) array
        Voxel index to world mm, with labels only.
    mapping : AffineMapping or WarpedMapping
        Head to MNI152, with labels only.
    territory : {"mca"}
    side : {"left", "right"}
    volume_cm3 : float
        Volume of brain and CSF to take.

    Returns
    -------
    HeadModel or (i, j, k) bool array
        A head gives a head: the same mesh, the lesion's elements tagged 21 with the conductivity of a cavity.
        Labels give the mask of the lesion.

    Raises
    ------
    InputError
        If the volume does not fit the territory or takes more than 40 % of the brain, or a head has no
        mapping.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.example_head("colin27", edge=8.0)  # far too coarse for use, and quick
    >>> stroke = nf.synthetic_lesion(head, side="right", volume_cm3=25)
    >>> round(stroke.tissue_volumes["lesion_cavity"])
    25
    """
    _checked(territory, side, volume_cm3)
    if isinstance(head_or_labels, HeadModel):
        return _lesioned_head(head_or_labels, side, float(volume_cm3))
    if affine is None or mapping is None:
        raise InputError("Inputs affine and mapping of synthetic_lesion must be given with labels.")
    labels = as_labels(head_or_labels, "labels of synthetic_lesion").astype(np.uint8)
    affine = as_affine(affine, "affine of synthetic_lesion")
    near, first = _near_trunk(labels, affine, mapping, side)
    cells = np.argwhere(np.isin(near, REPLACEABLE)) + first
    points = mapping.to_mni(transformed(cells.astype(np.float64), affine)) if len(cells) else np.zeros((0, 3))
    voxel = abs(float(np.linalg.det(affine[:3, :3])))
    chosen = _grown(points, np.full(len(cells), voxel), side, float(volume_cm3))
    mask = np.zeros(labels.shape, dtype=bool)
    mask[tuple(cells[chosen].T)] = True
    place_lesion(labels, affine, mask)
    return mask


def _lesioned_head(head: HeadModel, side: str, volume_cm3: float) -> HeadModel:
    """The head with the elements of a synthetic lesion tagged 21 and conducting like a cavity."""
    cells = np.flatnonzero(np.isin(head.mesh.tags, REPLACEABLE))
    volumes = head.mesh.volumes
    if not len(cells):
        raise InputError(f"The head {head.name!r} has no brain or CSF to hold a lesion.")
    chosen = cells[_grown(head.to_mni(head.mesh.centroids[cells]), volumes[cells], side, volume_cm3)]
    brain = volumes[head.region("brain") | head.region("lesion")].sum()
    if volumes[chosen].sum() > LARGEST_SHARE * brain:
        raise InputError(
            f"Input volume_cm3 must be at most {LARGEST_SHARE:.0%} of the brain ({brain / 1e3:.0f} cm3); "
            f"instead received {volume_cm3:g}."
        )
    cavity = BY_NAME["lesion_cavity"]
    tags, sigma = np.array(head.mesh.tags), np.array(head.conductivity)
    tags[chosen] = cavity.tag
    sigma[chosen] = cavity.conductivity if sigma.ndim == 1 else cavity.conductivity * np.eye(3)
    record = {
        "synthetic": True,
        "territory": "mca",
        "side": side,
        "volume_cm3": float(volumes[chosen].sum() / 1e3),
    }
    return replace(
        head,
        mesh=TetMesh(head.mesh.nodes, head.mesh.tets, tags),
        conductivity=sigma,
        name=f"{head.name}, synthetic {side} MCA lesion",
        provenance=dict(head.provenance) | {"lesion": record},
    )
