"""The figures a report quotes about a plan beyond the plan itself: what came from the head and the field.

They are taken while head and field are there, and kept with the plan: a report is made from them alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.aim.scalp import anatomical_axes
from neuro_field.arrays import FloatArray, IntArray, read_only
from neuro_field.clinic.study import Study
from neuro_field.errors import InputError
from neuro_field.field.field import Field, SolveReport
from neuro_field.field.stored import StoredField
from neuro_field.findings import as_name
from neuro_field.geometry.mesh import Surface
from neuro_field.head.landmarks import landmarks_1010
from neuro_field.head.model import HeadModel
from neuro_field.head.sign_off import SignOff, without_sign_off
from neuro_field.head.tissues import BY_TAG
from neuro_field.nouns import noun
from neuro_field.search.metrics import percentile_by_volume
from neuro_field.search.plan import Plan

#: In provenance: what is said of a head; its findings say it.
_TOLD = "findings"


@noun
class GreyField:
    """The field in the grey matter.

    ``elements`` (g,) of the head; ``strength`` (g,) their |E|, V/m; ``threshold`` the 99.9th percentile of |E| by
    grey-matter volume, V/m; ``hot_spot`` (3,) the centroid of the grey matter above it, mm, head frame.
    """

    elements: IntArray
    strength: FloatArray
    threshold: float
    hot_spot: FloatArray

    @classmethod
    def of(cls, field: Field | StoredField) -> "GreyField":
        """Of one computed field; raises InputError for a head without grey matter."""
        mesh = field.head.mesh
        elements = np.flatnonzero(field.head.region("grey_matter")).astype(np.int32)
        if not len(elements):
            raise InputError(f"The head {field.head.name!r} has no grey_matter to show a field in.")
        strength = np.linalg.norm(field.in_elements(elements), axis=1)
        volumes = mesh.volumes[elements]
        threshold = percentile_by_volume(strength, volumes)
        hot = strength >= threshold
        centre = np.average(mesh.centroids[elements[hot]], axis=0, weights=volumes[hot])
        return cls(elements, read_only(strength), threshold, read_only(centre))


@dataclass(frozen=True)
class TissueFigures:
    """One tissue of a head.

    ``name`` as in `head.tissues`, or tag-N; ``cm3`` its volume; ``sigma`` its mean conductivity, S/m, of a tensor a
    third of its trace (``tensor``); ``standard`` whether that is the tissue's own number and source.
    """

    tag: int
    name: str
    cm3: float
    sigma: float
    tensor: bool
    standard: bool


@dataclass(frozen=True)
class HeadFigures:
    """A head in figures: names are `findings.as_name`, ``mapping`` tells how it was mapped to MNI152."""

    name: str
    nodes: int
    tetrahedra: int
    mapping: str | None
    tissues: tuple[TissueFigures, ...]
    provenance: Mapping[str, str | float | bool | None]
    signed_off: SignOff | None = None

    @classmethod
    def of(cls, head: HeadModel) -> "HeadFigures":
        """Of a head."""
        return cls(
            as_name(head.name), len(head.mesh.nodes), len(head.mesh.tets),
            as_name(head.mapping.source) if head.mapping is not None else None, tissue_figures(head),
            flat_provenance(without_sign_off(head.provenance)), head.sign_off,
        )  # fmt: skip


def tissue_figures(head: HeadModel) -> tuple[TissueFigures, ...]:
    """Every tissue of a head, by tag."""
    tensor = head.conductivity.ndim == 3
    sigma = np.trace(head.conductivity, axis1=1, axis2=2) / 3 if tensor else head.conductivity
    out = []
    for tag in np.unique(head.mesh.tags).tolist():
        chosen, tissue = head.mesh.tags == tag, BY_TAG.get(tag)
        mean = float(sigma[chosen].mean())
        standard = tissue is not None and abs(mean - tissue.conductivity) <= 1e-6
        name = tissue.name if tissue is not None else f"tag-{tag}"
        out.append(TissueFigures(tag, name, float(head.mesh.volumes[chosen].sum() / 1e3), mean, tensor, standard))
    return tuple(out)


def flat_provenance(record: Mapping[str, Any], prefix: str = "") -> dict[str, str | float | bool | None]:
    """Provenance as names and numbers, nested keys joined by dots; without folders, for they may name a patient."""
    out: dict[str, str | float | bool | None] = {}
    for key, value in record.items():
        name = prefix + as_name(key)
        if key == _TOLD:
            continue
        if isinstance(value, Mapping):
            out |= flat_provenance(value, f"{name}.")
        elif isinstance(value, list | tuple | np.ndarray):
            out |= flat_provenance({str(i): entry for i, entry in enumerate(value)}, f"{name}.")
        elif isinstance(value, np.generic):
            out |= flat_provenance({key: value.item()}, prefix)
        elif value is None or isinstance(value, bool | int) or (isinstance(value, float) and np.isfinite(value)):
            out[name[:80]] = value
        else:
            text = str(value)
            out[name[:80]] = as_name(Path(text).name if Path(text).is_absolute() else text)
    return out


@noun
class HeadFacts:
    """What words about placements need of a head.

    ``axes`` (3, 3) its right, anterior and superior; ``landmarks`` the 10-10 positions, none where they cannot be
    laid out, with the reason in ``why``; ``scalp`` its surface and ``to_mni`` its map, (m, 3) to (m, 3), where there
    are such; ``figures`` what it is made of.  All but the axes are missing of a plan whose folder does not hold them.
    """

    axes: FloatArray
    landmarks: Mapping[str, FloatArray] = field(default_factory=dict)
    why: str = ""
    scalp: Surface | None = None
    to_mni: Callable[[FloatArray], FloatArray] | None = None
    figures: HeadFigures | None = None

    @classmethod
    def of(cls, head: HeadModel | None, *, landmarks: bool = True) -> "HeadFacts":
        """Of a head, with or without its 10-10 positions; of none, the axes of the head frame (world RAS)."""
        if head is None:
            return cls(np.eye(3), {}, "the plan holds nothing of the head")
        found: Mapping[str, FloatArray] = {}
        why = "" if landmarks else "they were not asked for"
        if landmarks:
            try:
                found = landmarks_1010(head)
            except InputError as error:
                why = str(error)
        to_mni = head.to_mni if head.mapping is not None else None
        return cls(anatomical_axes(head), found, why, head.scalp, to_mni, HeadFigures.of(head))

    def mni(self, point: FloatArray) -> FloatArray | None:
        """(3,) MNI152 mm of a point, or None for a head without a mapping."""
        return None if self.to_mni is None else self.to_mni(point[None])[0]

    def near(self, center: FloatArray, count: int = 2) -> list[tuple[str, float, FloatArray]]:
        """The nearest 10-10 positions to the scalp under a coil's centre: name, mm, and the offset from it (3,)."""
        if self.scalp is None or not self.landmarks:
            return []
        foot = self.scalp.points[self.scalp.tree.query(center)[1]]
        found = [(name, float(np.linalg.norm(foot - place)), foot - place) for name, place in self.landmarks.items()]
        return sorted(found, key=lambda entry: entry[1])[:count]


def cortex_distance(head: HeadModel, center: FloatArray) -> float | None:
    """From a casing face's centre to the nearest grey-matter node, mm; None for a head without grey matter."""
    grey = head.region("grey_matter")
    if not grey.any():
        return None
    return float(cKDTree(head.mesh.nodes[np.unique(head.mesh.tets[grey])]).query(center)[0])


@noun
class Strongest:
    """Where the field of a best placement is strongest: as `GreyField` has it, without the elements."""

    threshold: float
    hot_spot: FloatArray


@noun
class PlanFacts:
    """What a report tells of a plan's field: where it is ``strongest``, and how its best placement was solved."""

    strongest: Strongest
    solve: SolveReport

    @classmethod
    def of(cls, plan: Plan) -> "PlanFacts | None":
        """Of a plan that still has its field; None of one read from files."""
        if plan.field is None:
            return None
        grey = GreyField.of(plan.field)
        return cls(Strongest(grey.threshold, grey.hot_spot), plan.field.report)


@noun
class Facts:
    """What a report tells beside the study itself: of the head, and of its plans by role ("plan" for a single one)."""

    head: HeadFacts
    plans: Mapping[str, PlanFacts] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study | Plan) -> "Facts":
        """Of what still has its head and fields."""
        found = {role: PlanFacts.of(plan) for role, plan in plans_of(study).items()}
        return cls(HeadFacts.of(head_of(study)), {role: facts for role, facts in found.items() if facts is not None})


def plans_of(study: Study | Plan) -> dict[str, Plan]:
    """The plans there are, by role; a single one is called "plan"."""
    return {"plan": study} if isinstance(study, Plan) else study.plans


def head_of(study: Study | Plan) -> HeadModel | None:
    """The head, while it is there."""
    return plan_head(study) if isinstance(study, Plan) else study.head


def plan_head(plan: Plan) -> HeadModel | None:
    """The head of a plan that still has its field."""
    return plan.field.head if plan.field is not None else None
