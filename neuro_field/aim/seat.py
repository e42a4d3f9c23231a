"""Where a target comes to lie: viable grey matter near a seed, looked for along the cortex of its own hemisphere.

What the lesion took, what the map to MNI missed, and how far the target went from its seed are told apart.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, IntArray
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.head.mapping import WarpedMapping
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun

#: A target is looked for within this distance of its seed, mm ([src] a fixed coordinate was up to 19.5 mm off).
SEARCH_RADIUS = 20.0

#: A target that lies farther from its seed than this, mm, straight or along the cortex, is no longer that site.
FAR = 8.0

#: A way along the cortex this many times the straight one leads round a sulcus.
_ROUND = 1.5

#: Share of the ball that must be target tissue for a centre to count as lying in it.
_FILLING = 0.3

#: A target that lost more than this share of its grey matter to the lesion is to be read of first.
_MUCH_LOST = 0.5

#: Less than this is not told of.
_LEAST_LOST = 0.01


class NoTargetError(InputError):
    """There is nothing to aim at near a seed.

    Attributes
    ----------
    finding : Finding
        Why, of level "stop": "target-lost" or "target-no-grey".
    """

    def __init__(self, message: str, finding: Finding) -> None:
        self.finding = finding
        super().__init__(message, finding)

    def __str__(self) -> str:
        return str(self.args[0])


@noun
class Seat:
    """A place for a target.

    ``center`` (3,) mm, head frame; ``moved`` from the seed straight, ``along`` the cortex from the grey matter nearest
    to the seed, mm; ``viable_share`` of the grey matter around the seed, lesion filled, that the lesion left; ``far``:
    it is no longer the place that the seed means; ``findings`` say so.
    """

    center: FloatArray
    moved: float
    along: float
    viable_share: float
    far: bool
    findings: tuple[Finding, ...]


def seat_of(head: HeadModel, seed: FloatArray, radius: float, *, side: str | None, site: str) -> Seat:
    """The viable grey matter nearest to a seed along the cortex of one side.

    The way begins at the grey matter nearest to the seed, with the lesion filled, and leads through grey matter and
    what was grey matter; its first place where viable grey matter of that side fills a fair share of the ball is it.

    Parameters
    ----------
    head : HeadModel
    seed : (3,) array
        mm, head frame.
    radius : float
        Of the ball, mm.
    side : {"left", "right"}, optional
        Of the patient's fissure; both when omitted.
    site : str
        What is looked for, as findings name it.

    Raises
    ------
    NoTargetError
        If there is none within 20 mm: lost to the lesion, or no grey matter there at all.
    """
    around = _Surroundings.of(head, seed, radius, side)
    told: dict[str, str | None] = {"site": site, "side": side}
    place, along = _first_filled(head, around, radius)
    if place is None:
        raise _none_there(around, told)
    center = head.mesh.centroids[place]
    moved = float(np.linalg.norm(center - seed))
    findings = [*_of_tissue(around, told, radius), *_of_place(moved, along, told)]
    far = any(finding.code in ("target-moved-far", "target-other-gyrus") for finding in findings)
    if head.fissure is None and side is not None:
        findings.append(Finding("head-no-fissure", "warn", {"mapped": head.mapping is not None}))
    return Seat(center, moved, along, around.viable_share, far, tuple(findings))


def on_side(head: HeadModel, elements: AnyArray, side: str | None) -> AnyArray:
    """Those of some elements whose centroids lie on one side of the midline; all of them when no side is named."""
    if side is None or not len(elements):
        return elements
    right = head.right_of_midline(head.mesh.centroids[elements])
    return elements[right > 0 if side == "right" else right < 0]


def map_findings(head: HeadModel, seed_mni: FloatArray, site: str, side: str | None) -> tuple[Finding, ...]:
    """Whether the affine part of a warped map puts a seed elsewhere than the warp does."""
    mapping = head.mapping
    if not isinstance(mapping, WarpedMapping):
        return ()
    apart = float(np.linalg.norm(mapping.from_mni(seed_mni[None]) - mapping.affine.from_mni(seed_mni[None])))
    if apart <= FAR:
        return ()
    return (Finding("target-map-disagrees", "warn", {"site": site, "side": side, "mm": apart, "least": FAR}),)


@noun
class _Surroundings:
    """Elements of one side around a seed that are grey matter or were, and what of them is left.

    ``elements`` (e,) and whether each is ``viable`` (e,); ``nearest`` (mm) of them to the seed; of twice the radius
    around the seed: ``viable_share``, and ``lost_cm3`` of grey matter (of anything, where nothing says which it was).
    """

    seed: FloatArray
    elements: IntArray
    viable: BoolArray
    nearest: float
    viable_share: float
    lost_cm3: float

    @classmethod
    def of(cls, head: HeadModel, seed: FloatArray, radius: float, side: str | None) -> "_Surroundings":
        distance = np.linalg.norm(head.mesh.centroids - seed, axis=1)
        near = on_side(head, np.flatnonzero(distance <= SEARCH_RADIUS + radius), side)
        lesion, grey = head.region("lesion"), head.region("grey_matter")
        was_grey = (head.without_lesion() if lesion[near].any() else head).region("grey_matter")[near]
        elements = near[was_grey]
        close = near[distance[near] <= 2 * radius]
        volumes = head.mesh.volumes
        whole = close[was_grey[distance[near] <= 2 * radius]]
        if not len(whole):
            whole = close[lesion[close]]  # nothing of its rim tells what a cavity was
        lost, total = float(volumes[whole[lesion[whole]]].sum()), float(volumes[whole].sum())
        share = 1.0 - lost / total if total > 0 else 1.0
        nearest = float(distance[elements].min()) if len(elements) else np.inf
        return cls(seed, elements, grey[elements], nearest, share, lost / 1e3)


def _first_filled(head: HeadModel, around: _Surroundings, radius: float) -> tuple[int | None, float]:
    """The element nearest along the cortex around which enough is viable, and how far it is, mm."""
    if not around.viable.any():
        return None, np.inf
    elements, centroids = around.elements, head.mesh.centroids[around.elements]
    straight = np.linalg.norm(centroids - around.seed, axis=1)
    along = _along_cortex(head, elements, int(np.argmin(straight)))
    viable = np.flatnonzero(around.viable)
    tree, volumes = cKDTree(centroids[viable]), head.mesh.volumes[elements[viable]]
    enough = _FILLING * 4 / 3 * np.pi * radius**3
    possible = viable[(along[viable] <= SEARCH_RADIUS) & (straight[viable] <= SEARCH_RADIUS)]
    for i in possible[np.lexsort([straight[possible], along[possible]])]:
        if volumes[tree.query_ball_point(centroids[i], radius)].sum() >= enough:
            return int(elements[i]), float(along[i])
    return None, np.inf


def _along_cortex(head: HeadModel, elements: IntArray, start: int) -> FloatArray:
    """(e,) mm from one of some elements to each of them along the edges between them, infinite where none leads."""
    nodes, corners = np.unique(head.mesh.tets[elements], return_inverse=True)
    corners = corners.reshape(-1, 4)
    points, centroids = head.mesh.nodes[nodes], head.mesh.centroids[elements]
    to_corner = np.linalg.norm(points[corners] - centroids[:, None], axis=2)
    pairs = np.concatenate([corners[:, [i, j]] for i in range(4) for j in range(i + 1, 4)])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    lengths = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    source = len(nodes)
    rows, columns = np.append(pairs[:, 0], [source] * 4), np.append(pairs[:, 1], corners[start])
    graph = coo_array((np.append(lengths, to_corner[start]), (rows, columns)), shape=(source + 1,) * 2).tocsr()
    reached = dijkstra(graph, directed=False, indices=source)
    along: FloatArray = (reached[corners] + to_corner).min(axis=1)
    along[start] = 0.0
    return along


def _of_tissue(around: _Surroundings, told: dict[str, str | None], radius: float) -> list[Finding]:
    """What the lesion took; or, in an intact place, that no grey matter is where the map says."""
    share = 1.0 - around.viable_share
    if share >= _LEAST_LOST:
        level = "warn" if share > _MUCH_LOST else "note"
        return [Finding("target-lost", level, {**told, "share": share, "cm3": around.lost_cm3, "reach": None})]
    if share == 0 and around.nearest > radius:
        return [Finding("target-no-grey-at-seed", "warn", {**told, "mm": around.nearest})]
    return []


def _of_place(moved: float, along: float, told: dict[str, str | None]) -> list[Finding]:
    """Whether the target lies too far from its seed, or round a sulcus, to be what the seed means."""
    values = {**told, "moved": moved, "along": along, "least": FAR}
    if along > FAR and moved <= FAR and along > _ROUND * moved:
        return [Finding("target-other-gyrus", "warn", values)]
    if moved > FAR or along > FAR:
        return [Finding("target-moved-far", "warn", values)]
    return []


def _none_there(around: _Surroundings, told: dict[str, str | None]) -> NoTargetError:
    what = f"{told['side']} {told['site']}" if told["side"] else str(told["site"])
    where = f"within {SEARCH_RADIUS:g} mm of its seed {np.round(around.seed, 1).tolist()}"
    if around.lost_cm3 > 0 or not around.viable.all():
        share = 1.0 - around.viable_share
        values = {**told, "share": share, "cm3": around.lost_cm3, "reach": SEARCH_RADIUS}
        return NoTargetError(
            f"The target {what} has no viable grey matter {where}, along the cortex of its side: it is lost to the "
            f"lesion, which took {share:.0%} of the grey matter there ({around.lost_cm3:.1f} cm3).",
            Finding("target-lost", "stop", values),
        )
    nearest = around.nearest if np.isfinite(around.nearest) else None
    return NoTargetError(
        f"The target {what} has no viable grey matter {where}, and no lesion took it: the head's mapping to MNI is "
        "wrong there; check it, or give the target in the head's own coordinates.",
        Finding("target-no-grey", "stop", {**told, "mm": nearest, "reach": SEARCH_RADIUS}),
    )
