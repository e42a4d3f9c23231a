"""What a coil is aimed at: a weighted set of elements of a head, and how to choose it from anatomy."""

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neuro_field.aim.atlas import Site, site
from neuro_field.aim.seat import map_findings, on_side, seat_of
from neuro_field.arrays import AnyArray, FloatArray, IntArray, as_vector, read_only, unit
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.geometry.locate import locate
from neuro_field.head.model import HeadModel
from neuro_field.names import LONGEST_SOURCE, one_line
from neuro_field.nouns import noun

if TYPE_CHECKING:
    from neuro_field.field.field import Field

#: Radius of a named target, mm.
RADIUS = 5.0

#: Before the name of a site, of a target that lies too far from it to be it.
NEAR = "near:"


@noun
class Target:
    """Where the field is wanted.

    Parameters
    ----------
    name : str
        Of a site that the target lies too far from to be it: "near:m1-hand".
    center : (3,) array
        mm, head frame.
    radius : float
        mm.
    elements : (r,) int array
        Elements of the head that count.
    weights : (r,) array
        Their shares of the target's volume, summing to one.
    direction : (3,) array, optional
        Unit vector, head frame: then the mean component along it counts instead of the mean magnitude.
    either_way : bool
        With a direction: the component counts by its size, whichever way it points.
    side : {"left", "right"}, optional
    seed : (3,) array, optional
        Where the search began, mm, head frame.
    seed_mni : (3,) array, optional
        The same in MNI152.
    moved : float
        Distance from seed to center, mm.
    viable_share : float
        Share of the grey matter around the seed (lesion filled) that the lesion left, 0 to 1.
    source : str
        Where the seed comes from, with its trust mark.
    parts : (r,) int array, optional
        Which area each element belongs to, counted from 0, for a target of several areas under one coil (`joint`):
        then what it measures is that of its **weaker** area, ``center`` lies between the areas, and ``radius`` is that
        of each of them, the largest.
    part_centers : (k, 3) array, optional
        Centre of each area, mm, head frame.
    part_names : tuple of str
        What each area is called: "left" and "right" for the same site on both sides.
    findings : tuple of Finding
        What has to be said of it.
    mesh : str
        `TetMesh.digest` of the mesh that its elements belong to; empty where it is not known.
    axis_source : {"sulcus", "site", "given"}, optional
        Where the direction comes from: the patient's own sulcus, the custom of the site, or whoever asked for it.
    axis_offset : float, optional
        Degrees between the axis across the patient's sulcus and the customary one, where both are known.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> target = nf.Target.ball(head, center=(0, 0, 60), radius=8.0, tissue="grey_matter")
    >>> float(target.weights.sum().round(9))
    1.0
    >>> placement = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> field = nf.Solver(head).solve(nf.load_coil("figure8-70mm"), placement)
    >>> round(target.mean(field), 1)  # V/m at 1 A/us
    0.6
    """

    name: str
    center: FloatArray
    radius: float
    elements: IntArray
    weights: FloatArray
    direction: FloatArray | None = None
    either_way: bool = False
    side: str | None = None
    seed: FloatArray | None = None
    seed_mni: FloatArray | None = None
    moved: float = 0.0
    viable_share: float = 1.0
    source: str = "given coordinate"
    parts: AnyArray | None = None
    part_centers: FloatArray | None = None
    part_names: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    mesh: str = ""
    axis_source: str | None = None
    axis_offset: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", one_line(self.name))
        object.__setattr__(self, "source", one_line(self.source, LONGEST_SOURCE))
        object.__setattr__(self, "part_names", tuple(one_line(name) for name in self.part_names))
        for name, dtype in (("center", np.float64), ("elements", np.int64), ("weights", np.float64)):
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))
        if self.direction is not None:
            object.__setattr__(self, "direction", read_only(unit(self.direction, "direction of Target")))
        self._check_parts()

    def _check_parts(self) -> None:
        """Every element belongs to one area, and every area has elements, a centre and a name."""
        given = (self.parts is not None, self.part_centers is not None, bool(self.part_names))
        if not any(given):
            return
        count, owner = len(self.part_names), np.asarray(self.parts if given[0] else ())
        centers = np.asarray(self.part_centers if given[1] else (), dtype=np.float64)
        whole = all(given) and centers.shape == (count, 3) and owner.shape == self.elements.shape
        if not whole or not np.array_equal(np.unique(owner), np.arange(count)):
            raise InputError(
                f"Input parts of Target must give each of {len(self.elements)} elements one of the areas that "
                f"part_centers and part_names describe, none empty; instead received {owner.size} for {count} names."
            )
        object.__setattr__(self, "parts", read_only(owner, np.int64))
        object.__setattr__(self, "part_centers", read_only(centers))

    @classmethod
    def ball(
        cls,
        head: HeadModel,
        center: Any,
        radius: float = RADIUS,
        *,
        tissue: str = "grey_matter",
        direction: Any = None,
        name: str = "target",
        **description: Any,
    ) -> "Target":
        """The elements of a tissue whose centroids lie within ``radius`` mm of ``center``.

        With a ``side``, only those of that side of the midline (`HeadModel.right_of_midline`); further fields of a
        target may be given as well.

        Raises
        ------
        InputError
            If there are none, with the distance to the nearest; if the radius is not from 0.5 to 50 mm; with a side, if
            nothing tells left from right in the head.
        """
        center = as_vector(center, "center of Target.ball")
        if not 0.5 <= radius <= 50:
            raise InputError(f"Input radius of Target.ball must be 0.5 to 50 mm; instead received {radius!r}.")
        of_tissue = np.flatnonzero(head.region(tissue))
        if not len(of_tissue):
            raise InputError(f"The head {head.name!r} has no {tissue}.")
        distance = np.linalg.norm(head.mesh.centroids[of_tissue] - center, axis=1)
        side = description.get("side")
        elements = on_side(head, of_tissue[distance <= radius], side)
        if not len(elements):
            where = f" {side}" if side else ""
            raise InputError(
                f"The ball of {radius:g} mm around {np.round(center, 1).tolist()} holds no{where} {tissue}; the "
                f"nearest is {distance.min():.1f} mm from its centre. Move the target or enlarge the radius."
            )
        volumes = head.mesh.volumes[elements]
        weights = volumes / volumes.sum()
        return cls(name, center, float(radius), elements, weights, direction, mesh=head.mesh.digest, **description)

    @classmethod
    def named(
        cls, head: HeadModel, name: str, side: str, *, radius: float = RADIUS, direction: Any = None,
        either_way: bool = False,
    ) -> "Target":  # fmt: skip
        """A cortical target by name: its MNI seed, carried to the head and moved to the nearest viable grey matter.

        It is looked for along the cortex of its own hemisphere (`seat_of`) and holds no element beyond the patient's
        fissure.  More than 8 mm from its seed, straight or along the cortex, it is not that site any more: its name
        becomes "near:" and the site's, no rule or current axis of the site holds for it, and a finding says so.

        Parameters
        ----------
        head : HeadModel
            With a mapping to MNI.
        name : str
            As listed by ``neuro-field targets``: "m1-hand", "ifg-triangularis", ...
        side : {"left", "right"}

        Raises
        ------
        NoTargetError
            If no viable grey matter of its side lies within 20 mm of the seed; its ``finding`` says why.
        InputError
            If the head has no mapping to MNI.
        UnknownNameError
            If the name is not known.
        """
        where: Site = site(name)
        seed_mni = where.seed(side)
        seed = head.from_mni(seed_mni[None])[0]
        seat = seat_of(head, seed, radius, side=side, site=name)
        return cls.ball(
            head, seat.center, radius, direction=direction, either_way=either_way, name=NEAR * seat.far + name,
            side=side, seed=seed, seed_mni=seed_mni, moved=seat.moved, viable_share=seat.viable_share,
            source=where.source, findings=seat.findings + map_findings(head, seed_mni, name, side),
            axis_source="given" if direction is not None else None,
        )  # fmt: skip

    @classmethod
    def at_map(cls, head: HeadModel, found: Any, *, radius: float = RADIUS) -> "Target":
        """A ball about the site that a motor map (`MotorMap`) found.

        Raises
        ------
        InputError
            If the map has no site, or is of another head.
        """
        if found.best is None:
            raise InputError("The map has no site: its findings say why, and no target stands in for it.")
        if found.mesh != head.mesh.digest:
            raise InputError(
                f"The map was measured on another mesh ({found.mesh[:8]}) than that of the head {head.name!r} "
                f"({head.mesh.digest[:8]}); give the head that it was made on."
            )
        return cls.ball(head, found.best, radius, name="map-site", side=found.side, source="measured map")

    def carried(self, head: HeadModel, finer: HeadModel) -> "Target":
        """The same region of a head in one that is refined (`HeadModel.refined`).

        Raises
        ------
        InputError
            If the target was made on another mesh than the head's.
        """
        check_same_mesh(head, self)
        mesh = finer.mesh
        low, high = (end(head.mesh.nodes[head.mesh.tets[self.elements]], axis=(0, 1)) for end in (np.min, np.max))
        beside: IntArray = np.flatnonzero(((mesh.centroids >= low) & (mesh.centroids <= high)).all(axis=1)).astype(
            np.int32
        )
        mine = np.full(len(head.mesh.tets) + 1, -1)  # the last stands for what lies outside the head
        mine[self.elements] = np.arange(len(self.elements))
        own = mine[locate(head.mesh, mesh.centroids[beside])[0]]
        elements, own = beside[own >= 0], own[own >= 0]
        weights = (self.weights / head.mesh.volumes[self.elements])[own] * mesh.volumes[elements]
        parts = None if self.parts is None else self.parts[own]
        return replace(self, elements=elements, weights=weights / weights.sum(), parts=parts, mesh=mesh.digest)

    @property
    def site(self) -> str:
        """The name without "near:": of the site that was looked for."""
        return self.name.removeprefix(NEAR)

    def values(self, field: "Field") -> FloatArray:
        """(r, 3) E at the centroids of the target's elements, V/m, recovered (`Field.recovered`)."""
        return field.recovered(self.elements)

    def mean(self, field: "Field") -> float:
        """Volume mean of |E| over the target, or of E along `direction` when it has one, V/m; of its weaker area."""
        return float(self.seen(self.roots[:, None] * self.values(field)))

    def magnitude(self, field: "Field") -> float:
        """Volume mean of |E| over the target, V/m, whether it has a direction or not; of its weaker area."""
        return float(self.part_means(field).min())

    def part_means(self, field: "Field") -> FloatArray:
        """(k,) volume mean of |E| over each area, V/m; one for a target of one area."""
        return self._means(np.linalg.norm(self.roots[:, None] * self.values(field), axis=1))

    @property
    def signed(self) -> bool:
        """Whether turning the current round changes what the target sees."""
        return self.direction is not None and not self.either_way

    @cached_property
    def roots(self) -> FloatArray:
        """(r,) square roots of the weights."""
        return read_only(np.sqrt(self.weights))

    @cached_property
    def areas(self) -> FloatArray:
        """(r, k) what each element, given times the root of its weight, adds to the mean of each area."""
        if self.parts is None:
            return read_only(self.roots[:, None])
        mine = self.parts[:, None] == np.arange(len(self.part_names))
        return read_only(self.roots[:, None] * mine / (self.weights @ mine))

    @property
    def centers(self) -> FloatArray:
        """(k, 3) centre of each area, mm, head frame."""
        return self.center[None] if self.part_centers is None else self.part_centers

    def distances(self, points: FloatArray) -> FloatArray:
        """(m,) distance of points (m, 3) from the centre of the nearest area, mm."""
        return np.min([np.linalg.norm(points - center, axis=1) for center in self.centers], axis=0)

    def seen(self, scaled: FloatArray) -> FloatArray:
        """What `mean` is made of: fields (..., r, 3) of the elements, each times the root of its weight, give (...)."""
        if self.direction is None:
            return self.seen_magnitude(scaled)
        along = self._means(scaled @ self.direction)
        return (np.abs(along) if self.either_way else along).min(axis=-1)

    def seen_magnitude(self, scaled: FloatArray) -> FloatArray:
        """What `magnitude` is made of, from the same fields (..., r, 3); gives (...)."""
        return self._means(np.linalg.norm(scaled, axis=-1)).min(axis=-1)

    def _means(self, scaled: FloatArray) -> FloatArray:
        """(..., k) mean over each area of values (..., r), each times the root of its element's weight."""
        return scaled @ self.areas


def check_same_mesh(head: HeadModel, target: Target) -> None:
    """Refuse a target whose elements are those of another mesh; one of the same mesh with other tissues is fine.

    Raises
    ------
    InputError
        Naming both.
    """
    if target.mesh:
        if target.mesh == head.mesh.digest:
            return
        whose = f" ({target.mesh[:8]})"
    else:  # a target made by hand, or of an older record, does not say
        elements, whose = target.elements, ""
        if elements.max() < len(head.mesh.tets):
            volumes = head.mesh.volumes[elements]
            if np.allclose(volumes / volumes.sum(), target.weights, rtol=1e-6, atol=0):
                return
    raise InputError(
        f"The target {target.name!r} was made on another mesh{whose} than that of the head {head.name!r} "
        f"({head.mesh.digest[:8]}); give the head that it was made on, or make the target anew on this one."
    )
