"""From a label image to a head: tables, cleaning, lesion, mesh and mapping, with a record of each."""

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from importlib.metadata import version
from typing import Any, Literal

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, transformed
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.geometry.voxels import as_affine, voxel_sizes
from neuro_field.head.anisotropy import Tensors, checked_rule
from neuro_field.head.fissure import Fissure, fissure_of_sides, fissure_of_tissues, voxel_sampler
from neuro_field.head.lesion_elements import with_small_lesions
from neuro_field.head.mapping import AffineMapping, MniMapping, WarpedMapping
from neuro_field.head.mesher import checked_edge, mesh_labels
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import BY_TAG, tags_of
from neuro_field.mri.cleaning import CleaningReport, clean_labels, tissue_volumes
from neuro_field.mri.craniectomy import answered_skull, checked_answer
from neuro_field.mri.defaced import of_face
from neuro_field.mri.drawn_lesion import DrawnLesion
from neuro_field.mri.kept import told_of_pieces, told_of_tissues
from neuro_field.mri.labelled import lesion_labelled_as
from neuro_field.mri.labels import Labels, Recognised, TableChoice, recognised, to_sides
from neuro_field.mri.layers import fill_dura
from neuro_field.mri.lesion import LARGEST_SHARE, PlacedLesion, as_drawn, checked_largest, place_lesion
from neuro_field.mri.mapping import register_to_mni
from neuro_field.mri.overlap import NOT_PADDED, Padding, mapping_overlap
from neuro_field.mri.volume import Volume
from neuro_field.mri.warping import check_installed, warp_to_mni
from neuro_field.nouns import noun

#: Called with the stage at hand and the share of it that is done, 0 to 1.
Progress = Callable[[str, float], Any]


@noun
class PreparedLabels:
    """Tissue labels ready to be meshed: cleaned, with the lesion in, and the record of how they came to be.

    ``fissure`` is the surface between what the segmenter called left and right, where it told them apart; ``padding``
    how many voxels, at the low and high end of each axis, were added around the view of the image.
    """

    labels: Labels
    affine: FloatArray
    fissure: Fissure | None = None
    record: dict[str, Any] = field(default_factory=dict)
    padding: Padding = NOT_PADDED


def rounded(volumes: dict[str, float]) -> dict[str, float]:
    """Volumes by tissue, to a mm3."""
    return {name: round(value, 3) for name, value in volumes.items()}


def _cleaning_record(report: CleaningReport) -> dict[str, Any]:
    return {
        "before_cm3": rounded(report.before_cm3),
        "after_cm3": rounded(report.after_cm3),
        "moved_cm3": rounded(report.moved_cm3),
        "invented_cm3": rounded(report.invented_cm3),
        "padding_voxels": [list(pair) for pair in report.padding],
    }


def lesion_record(placed: PlacedLesion) -> dict[str, Any]:
    return {
        "drawn_cm3": round(placed.drawn_cm3, 3),
        "placed_cm3": round(placed.volume_cm3, 3),
        "share_of_brain": round(placed.share_of_brain, 4),
    }


#: Tissues without any of which no head can be built.
_NEEDED = {"grey matter": "grey_matter", "skull": "skull", "scalp": "scalp"}


def _recognised(labels: AnyArray, affine: FloatArray, table: TableChoice | None) -> Recognised:
    """Labels as tissues; refuses at once those that no head can be built of."""
    found = recognised(labels, affine, table)
    present = np.unique(found.tissues).tolist()
    missing = [words for words, name in _NEEDED.items() if not set(tags_of(name)) & set(present)]
    if missing:
        held = ", ".join(BY_TAG[tag].name.replace("_", " ") for tag in present if tag)
        raise InputError(
            f"Input labels hold no {' and no '.join(missing)}, only {held} (FreeSurfer's aseg and SynthSeg draw the "
            "brain alone); a head needs both: leave the labels out to segment the T1 with SAMSEG, or take those of "
            "SimNIBS charm."
        )
    return found


def prepare_labels(
    labels: AnyArray,
    affine: FloatArray,
    lesion: AnyArray | DrawnLesion | None = None,
    *,
    lesion_affine: FloatArray | None = None,
    rim: float = 0.0,
    largest_lesion: float = LARGEST_SHARE,
    table: TableChoice | None = None,
    clean: bool = True,
    open_skull: bool | None = None,
    t1: Volume | None = None,
) -> PreparedLabels:
    """Tissue labels as `build_head` meshes them: the first three steps of it, for looking at and for storing.

    Parameters and errors are those of `build_head`; ``t1`` is the image that was labelled, where it is at hand.
    """
    affine = as_affine(affine, "affine of build_head")
    checked_largest(largest_lesion)
    checked_answer(open_skull)
    if open_skull is not None and not clean:
        raise InputError(
            "Input open_skull is for labels that are cleaned; with clean=False they are taken as they are."
        )
    found = _recognised(labels, affine, table)
    tissues = found.tissues
    record: dict[str, Any] = {"label_table": found.table.name, "findings": [], "seconds": {}}
    record["findings"] += [finding.plain() for finding in found.findings]
    if clean:
        tissues = np.array(tissues)
        fill_dura(tissues, voxel_sizes(affine))  # a cavity is often called bone or air: the lesion may lie in it
    if lesion is not None:
        start = time.perf_counter()
        drawn = as_drawn(lesion, lesion_affine, np.asarray(labels).shape[:3], affine)
        record["findings"].append(lesion_labelled_as(found.tissues, affine, drawn.tags, drawn.affine).plain())
        placed = place_lesion(tissues, affine, drawn, rim=rim, largest=largest_lesion)
        tissues = placed.labels
        record["lesion"] = lesion_record(placed)
        record["findings"] += [finding.plain() for finding in placed.findings]
        record["seconds"]["lesion"] = round(time.perf_counter() - start, 2)
    fissure = fissure_between(to_sides(labels, found.table), affine, tissues, affine)
    grid, padding = affine, NOT_PADDED
    if clean:
        tissues, grid, padding = _cleaned(tissues, affine, t1, open_skull, fissure, record)
    record["label_volumes_cm3"] = rounded(tissue_volumes(tissues, grid))
    return PreparedLabels(tissues, grid, fissure, record, padding)


def _cleaned(
    tissues: Labels, affine: FloatArray, t1: Volume | None, open_skull: bool | None, fissure: Fissure | None,
    record: dict[str, Any],
) -> tuple[Labels, FloatArray, Padding]:  # fmt: skip
    """Labels in closed layers, with the skull's openings as answered, their affine, and what was padded; recorded."""
    start = time.perf_counter()
    skull = answered_skull(tissues, affine, t1, open_skull, _sides(tissues, affine, fissure))
    record["skull"] = skull.record
    record["seconds"]["skull"] = round(time.perf_counter() - start, 2)
    cleaned = clean_labels(skull.labels, affine, opening=skull.opening)
    record["cleaning"] = _cleaning_record(cleaned.report)
    record["findings"] += [
        finding.plain() for finding in (*skull.findings, *cleaned.report.findings, *of_face(tissues, affine, t1))
    ]
    record["seconds"]["cleaning"] = round(cleaned.report.seconds, 2)
    return cleaned.labels, cleaned.affine, cleaned.report.padding


def _sides(tissues: Labels, affine: FloatArray, fissure: Fissure | None) -> Callable[[FloatArray], FloatArray]:
    """What tells right from left: the fissure, else the middle of the brain."""
    if fissure is not None:
        return fissure.right_of
    brain = np.argwhere(np.isin(tissues, tags_of("brain") + tags_of("lesion")))
    middle = float(transformed(brain.mean(axis=0)[None], affine)[0, 0])
    return lambda points: points[:, 0] - middle


def fissure_between(sides: AnyArray, affine: FloatArray, tissues: Labels, grid: FloatArray) -> Fissure | None:
    """The fissure between a segmenter's left and right; what it made of a lesion does not count.

    Parameters
    ----------
    sides : (i, j, k) array
        -1 left, 1 right, 0 neither; ``affine`` (4, 4) their voxel index to mm.
    tissues : (i, j, k) uint8 array
        Tags; ``grid`` (4, 4) their voxel index to mm.

    Returns
    -------
    Fissure or None
        None where one side is missing.

    Raises
    ------
    InputError
        If left lies to the right of right.
    """
    if not ((sides < 0).any() and (sides > 0).any()):
        return None
    left, right = (transformed(np.argwhere(sides == side).astype(np.float64), affine).mean(axis=0) for side in (-1, 1))
    if right[0] <= left[0]:
        raise InputError(
            f"Input labels call left what lies {left[0] - right[0]:.0f} mm to the right of what they call right: the "
            "orientation in the image's header is wrong; mend it before anything is planned."
        )
    side_at, tissue_at = voxel_sampler(sides, affine), voxel_sampler(tissues, grid)
    return fissure_of_sides(lambda p: np.where(np.isin(tissue_at(p), tags_of("lesion")), 0, side_at(p)), left, right)


def build_head(
    labels: AnyArray,
    affine: FloatArray,
    lesion: AnyArray | None = None,
    edge: float = 1.9,
    *,
    lesion_affine: FloatArray | None = None,
    rim: float = 0.0,
    largest_lesion: float = LARGEST_SHARE,
    tissue_edges: Mapping[str, float] | None = None,
    table: TableChoice | None = None,
    mapping: MniMapping | Literal[False] | None = None,
    nonlinear: bool = False,
    clean: bool = True,
    open_skull: bool | None = None,
    tensors: Tensors | None = None,
    tensor_rule: str = "vn",
    name: str = "head",
    progress: Progress | None = None,
) -> HeadModel:
    """A head from the label image of a segmentation.

    The labels become tissue tags, receive the lesion, are cleaned into closed layers, are mapped to MNI152
    and meshed. The record of each step stands in the head's ``provenance``.

    Parameters
    ----------
    labels : (i, j, k) array of whole numbers
        As SimNIBS charm, SAMSEG, SPM12, ROAST or FieldTrip number tissues; must hold grey matter, bone and scalp.
    affine : (4, 4) array
        Voxel index to world mm (RAS) of the labels: the head frame.
    lesion : (i, j, k) array, optional
        A mask. 21, 22 and 23 are cavity, rim and acute lesion; any other numbers number pieces, all cavity, and
        ``findings`` say so; fractions are probabilities, a lesion from 0.5 on. On the labels' grid unless
        ``lesion_affine`` is given.
    edge : float
        Edge length of the finest tetrahedra, mm.
    lesion_affine : (4, 4) array, optional
        Voxel index to world mm of the lesion, if it lies on another grid.
    rim : float
        Width of the rim to draw around a cavity, mm; 0 for none.
    largest_lesion : float
        Share of the brain that the lesion may take: after a hemispherectomy, say, it is more than the usual limit.
    tissue_edges : mapping of str to float, optional
        Longest edges wanted in tissues by name, mm; see `neuro_field.head.mesher.mesh_labels`.
    table : str or mapping of int to str, optional
        What the numbers mean: a name in `neuro_field.mri.tables.TABLES`, such as "spm", or a tissue's name (or "air")
        for every number. When omitted it is found from the numbers and from how tissues nest, scalp outside and white
        matter inside.
    mapping : AffineMapping, WarpedMapping or False, optional
        To MNI152; found from the labels when omitted; False for a head without one.
    nonlinear : bool
        Find a non-linear map to MNI152 on top of the affine one; needs dipy (the extra ``nonlinear``), half a minute.
    clean : bool
        Leave out cleaning only for labels that were cleaned before.
    open_skull : bool, optional
        True: openings of the vault, as a craniectomy leaves them, stay open; False: they are closed with bone. While an
        opening of 5 cm2 and more is there and nothing is answered, the head is built closed, for inspection only: its
        ``findings`` hold a stop, and nothing is planned on it.
    tensors : TensorImage, optional
        Diffusion tensors in the head frame, as `neuro_field.read_tensors` and `neuro_field.fit_tensors` give them.
    tensor_rule : {"vn", "dir", "mc"}
        How they become conductivities, as in `HeadModel.with_tensors`.
    name : str
        For reports.
    progress : callable, optional
        Called with the stage at hand and the share of it that is done.

    Returns
    -------
    HeadModel

    Raises
    ------
    InputError
        On labels without grey matter, bone or scalp, unknown or ambiguous numbers, tissues that do not nest as in a
        head by what their numbers mean, an affine that cannot be,
        a lesion that is empty, outside the brain or more than ``largest_lesion`` of it, or a brain that cannot
        be mapped to MNI; if a non-linear map is wanted and dipy is not installed; if the tensors are not this head's.

    Examples
    --------
    Ellipsoids stand in for a patient's labels, which ``nibabel.load`` reads from a file:

    >>> import neuro_field as nf
    >>> affine = np.diag([4.0, 4.0, 4.0, 1.0])
    >>> affine[:3, 3] = -108
    >>> points = np.moveaxis(np.indices((55, 55, 55)), 0, -1) * 4.0 - 108
    >>> labels = np.zeros((55, 55, 55), dtype=np.int16)
    >>> scalp, bone, csf, grey, white = (88, 104, 92), (80, 96, 84), (73, 89, 77), (69, 85, 73), (60, 75, 64)
    >>> for tag, axes in ((5, scalp), (4, bone), (3, csf), (2, grey), (1, white)):
    ...     labels[((points / axes) ** 2).sum(axis=-1) < 1] = tag
    >>> head = nf.build_head(labels, affine, edge=10.0)
    >>> sorted(head.tissue_volumes)
    ['bone', 'csf', 'grey_matter', 'scalp', 'white_matter']
    """
    edge = checked_edge(edge)
    checked_mapping(mapping, nonlinear)
    checked_rule(tensor_rule)
    tell = progress if progress is not None else silent
    tell("cleaning", 0.0)
    ready = prepare_labels(
        labels, affine, lesion, lesion_affine=lesion_affine, rim=rim, largest_lesion=largest_lesion, table=table,
        clean=clean, open_skull=open_skull,
    )  # fmt: skip
    tell("cleaning", 1.0)
    head = build_prepared(
        ready, edge, tissue_edges=tissue_edges, mapping=mapping, nonlinear=nonlinear, name=name, progress=progress
    )
    return head if tensors is None else head.with_tensors(tensors, rule=tensor_rule)


def checked_mapping(mapping: MniMapping | Literal[False] | None, nonlinear: bool) -> None:
    """Refuse at once a map that is none, or one that cannot be found here."""
    if not (mapping is None or mapping is False or isinstance(mapping, AffineMapping | WarpedMapping)):
        raise InputError(
            "Input mapping of build_head must be an AffineMapping, a WarpedMapping, or False for none; not "
            f"{type(mapping).__name__}."
        )
    if nonlinear and mapping is False:
        raise InputError("Input mapping of build_head is False, no map: give it without nonlinear=True.")
    if nonlinear and isinstance(mapping, WarpedMapping):
        raise InputError("Input mapping of build_head is non-linear already; give it without nonlinear=True.")
    if nonlinear:
        check_installed()


def silent(stage: str, share: float) -> None:
    """Progress that nobody watches."""


def build_prepared(
    ready: PreparedLabels,
    edge: float = 1.9,
    *,
    tissue_edges: Mapping[str, float] | None = None,
    mapping: MniMapping | Literal[False] | None = None,
    nonlinear: bool = False,
    name: str = "head",
    progress: Progress | None = None,
) -> HeadModel:
    """The rest of `build_head`, from labels that `prepare_labels` made: map to MNI and mesh.

    Parameters and errors are those of `build_head`.
    """
    edge = checked_edge(edge)
    checked_mapping(mapping, nonlinear)
    tell = progress if progress is not None else silent
    record = dict(ready.record) | {"seconds": dict(ready.record.get("seconds", {}))}
    found = mapped(ready, mapping, nonlinear, record, tell)
    fissure = fissure_of(ready, found)
    record["fissure"] = None if fissure is None else {"source": fissure.source, "seen_cm2": round(fissure.seen_cm2, 1)}
    mesh = meshed(ready.labels, ready.affine, edge, tissue_edges, record, tell)
    return HeadModel.from_mesh(mesh, name=name, mapping=found, provenance=record, known_fissure=fissure)


def meshed(
    labels: Labels, affine: FloatArray, edge: float, tissue_edges: Mapping[str, float] | None, record: dict[str, Any],
    tell: Progress,
) -> TetMesh:  # fmt: skip
    """Tissue labels as a mesh that kept its small lesions; what it took and lost goes into the record."""
    start = time.perf_counter()
    mesh = mesh_labels(
        labels, affine, edge=edge, tissue_edges=tissue_edges, progress=lambda share, step: tell("meshing", share)
    )
    pieces = with_small_lesions(mesh, labels, affine, edge)
    tell("meshing", 1.0)
    record["seconds"]["meshing"] = round(time.perf_counter() - start, 2)
    told = (*told_of_pieces(pieces), *told_of_tissues(pieces.mesh, labels, affine))
    record["findings"] = [*record.get("findings", []), *(found.plain() for found in told)]
    record |= {"edge_mm": edge, "tissue_edges_mm": dict(tissue_edges or {}), "neuro_field": version("neuro_field")}
    record["mesh"] = {"nodes": len(pieces.mesh.nodes), "tetrahedra": len(pieces.mesh.tets)}
    return pieces.mesh


def fissure_of(ready: PreparedLabels, mapping: MniMapping | None) -> Fissure | None:
    """The fissure between a segmenter's left and right, else that along the fluid between the hemispheres."""
    if ready.fissure is not None:
        return ready.fissure
    brain = np.argwhere(np.isin(ready.labels, tags_of("brain") + tags_of("lesion")))
    middle = transformed(brain.mean(axis=0)[None], ready.affine)[0]
    return fissure_of_tissues(voxel_sampler(ready.labels, ready.affine), middle, mapping)


def mapped(
    ready: PreparedLabels,
    mapping: MniMapping | Literal[False] | None,
    nonlinear: bool,
    record: dict[str, Any],
    tell: Progress,
) -> MniMapping | None:
    """The map to MNI152 as given or found, or none; how well it fits, and the time it took, go into the record."""
    if mapping is False:
        record["mapping"] = "none was wanted"
        return None
    if mapping is None:
        start = time.perf_counter()
        tell("mapping to MNI", 0.0)
        mapping = register_to_mni(ready.labels, ready.affine, padding=ready.padding)
        tell("mapping to MNI", 1.0)
        record["seconds"]["mapping"] = round(time.perf_counter() - start, 2)
    if nonlinear and isinstance(mapping, AffineMapping):
        start, stage = time.perf_counter(), "warping to MNI"
        tell(stage, 0.0)
        mapping = warp_to_mni(
            ready.labels, ready.affine, mapping, lambda share: tell(stage, share), padding=ready.padding
        )
        tell(stage, 1.0)
        record["seconds"]["warping"] = round(time.perf_counter() - start, 2)
    record["mapping"] = mapping.source
    record["mapping_overlap"] = mapping_overlap(ready.labels, ready.affine, mapping, ready.padding)
    return mapping
