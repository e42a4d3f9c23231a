"""What a placement's field does beside its target: how strong, how wide, and where else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.aim.target import Target
from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.findings import as_name
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Grey matter farther than this from the target's centre is off target, mm.
AWAY = 20.0

#: Brain within this distance of a lesion is its rim, mm.
RIM = 5.0

#: "Reached" is grey matter with at least this share of the target's own mean |E|.
HALF = 0.5

#: Strongest means this percentile of |E| by volume: the bare maximum depends on the mesh.
PERCENTILE = 99.9

#: Share of the elements, the weakest, that are not sorted where a high percentile is sought.
_WEAK = 0.98


@dataclass(frozen=True)
class Metrics:
    """The field of one placement in figures; fields in V/m at 1 A/us, on viable grey matter unless said otherwise.

    Parameters
    ----------
    peak : float
        99.9th percentile of |E| by volume over all grey matter.
    off_target : float, optional
        The same over grey matter farther than 20 mm from the target's centre, from every one of its areas' centres.
    off_target_distance : float, optional
        How far the element that has this value lies from the nearest of those centres, mm.
    half_volume : float
        cm3 of grey matter in which |E| is at least half of the target's mean |E|.
    homologous : float, optional
        Mean |E| over the homologous target in the other hemisphere.
    rim : float, optional
        99.9th percentile of |E| over the brain within 5 mm of the lesion, rim tissue included.
    lesion : float, optional
        Mean |E| in the lesion's cavity.
    avoided : mapping of str to float
        Mean |E| over every region to avoid, by its name as `findings.as_name` has it.
    cortex_distance : float
        From the middle of the casing's face to the nearest grey matter, mm.
    """

    peak: float
    off_target: float | None
    half_volume: float
    homologous: float | None
    rim: float | None
    lesion: float | None
    cortex_distance: float
    off_target_distance: float | None = None
    avoided: Mapping[str, float] = field(default_factory=dict)


@noun
class Surroundings:
    """Where the fields of a target's placements are looked at, found once for all of them.

    Parameters
    ----------
    head : HeadModel
    target : Target
    grey, away : (g,) int arrays
        Elements of the grey matter, and of that off target.
    rim, cavity : (r,) int arrays
        Elements of the brain beside the lesion, and of the lesion's cavity.
    homologous : Target, optional
    avoid : tuple of Target
    """

    head: HeadModel
    target: Target
    grey: AnyArray
    away: AnyArray
    rim: AnyArray
    cavity: AnyArray
    homologous: Target | None
    avoid: tuple[Target, ...]
    _nodes: cKDTree

    @classmethod
    def of(
        cls, head: HeadModel, target: Target, *, homologous: Target | None = None, avoid: Sequence[Target] = ()
    ) -> "Surroundings":
        """Of one target; raises InputError for a head without grey matter."""
        mesh = head.mesh
        grey = np.flatnonzero(head.region("grey_matter"))
        if not len(grey):
            raise InputError(f"The head {head.name!r} has no grey_matter to measure a field in.")
        distance = target.distances(mesh.centroids[grey])
        nodes = cKDTree(mesh.nodes[np.unique(mesh.tets[grey])])
        cavity = np.flatnonzero(head.region("lesion_cavity"))
        return cls(
            head, target, grey, grey[distance > AWAY], _rim(head), cavity, homologous, tuple(avoid), nodes,
        )  # fmt: skip

    def measured(self, field: Field) -> Metrics:
        """What one field amounts to, at 1 A/us whatever its own slope of the current."""
        unit = AMPERE_PER_MICROSECOND / field.didt
        strength, volumes = field.magnE * unit, self.head.mesh.volumes
        reached = self.grey[strength[self.grey] >= HALF * self.target.magnitude(field) * unit]

        def strongest(elements: AnyArray) -> float | None:
            return percentile_by_volume(strength[elements], volumes[elements]) if len(elements) else None

        off_target = strongest(self.away)

        return Metrics(
            peak=percentile_by_volume(strength[self.grey], volumes[self.grey]),
            off_target=off_target,
            off_target_distance=self._distance_of(strength, off_target) if off_target is not None else None,
            half_volume=float(volumes[reached].sum() / 1e3),
            homologous=self.homologous.magnitude(field) * unit if self.homologous else None,
            rim=strongest(self.rim),
            lesion=float(np.average(strength[self.cavity], weights=volumes[self.cavity])) if len(self.cavity) else None,
            cortex_distance=float(self._nodes.query(field.placement.center)[0]),
            avoided={as_name(region.name): region.magnitude(field) * unit for region in self.avoid},
        )

    def _distance_of(self, strength: FloatArray, value: float) -> float:
        """From the nearest centre of the target's areas to the element off target with a value, mm."""
        element = self.away[np.abs(strength[self.away] - value).argmin()]
        return float(self.target.distances(self.head.mesh.centroids[element][None])[0])


def percentile_by_volume(values: FloatArray, volumes: FloatArray, percentile: float = PERCENTILE) -> float:
    """The value that a percentage of the volume stays below; values and volumes (m,)."""
    below, start = percentile / 100 * volumes.sum(), int(_WEAK * len(values))
    strong = values >= np.partition(values, start)[start]
    rest = volumes[~strong].sum()
    if rest >= below:
        strong, rest = np.ones(len(values), dtype=bool), 0.0
    values, volumes = values[strong], volumes[strong]
    order = np.argsort(values, kind="stable")
    reached = rest + np.cumsum(volumes[order])
    return float(values[order[min(int(np.searchsorted(reached, below)), len(order) - 1)]])


def _rim(head: HeadModel) -> AnyArray:
    """Elements of brain within `RIM` of a lesion, and those of the rim tissue."""
    lesion = head.region("lesion")
    if not lesion.any():
        return np.empty(0, dtype=np.int64)
    mesh, brain = head.mesh, np.flatnonzero(head.region("brain"))
    border = cKDTree(mesh.nodes[np.unique(mesh.tets[lesion])])
    near = border.query(mesh.centroids[brain], distance_upper_bound=RIM)[0] <= RIM
    return np.union1d(brain[near], np.flatnonzero(head.region("lesion_rim")))
