"""Whether principal directions join up into fibres as they are given, or better with their axes flipped or exchanged.

A b-vector table, or a tensor, of wrong axes leaves anisotropy as it is and turns the fibres: white matter then no
longer goes on in their direction.  How well it does in each of the 24 ways of flipping and exchanging axes tells the
right one (after Schilling et al., Magn Reson Imaging 2019;58:82).  Here pairs of neighbours with directions a and b,
apart in the direction u, count (a.u)^2 (b.u)^2 times both anisotropies.
"""

from itertools import permutations, product

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, IntArray
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.mri.tensor_axes import AXES, matrices
from neuro_field.nouns import noun

#: Fractional anisotropy from which on a voxel has a direction.
LEAST_ANISOTROPY = 0.2

#: Fewer such voxels of white matter tell nothing.
LEAST_VOXELS = 300

#: Differences are told from chance by cubes of this edge, mm, as so many standard errors.
CUBE, SURE = 15.0, 3.0

#: Other axes must make so many times as much coherence to be believed.
BETTER = 1.02

#: Axes turned by less than this, degrees, hardly change the coherence: they need not be worse to a sure degree.
NEAR = 45.0

#: Half of a voxel's 26 neighbours.
_NEIGHBOURS = [step for step in product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]


@noun
class Coherence:
    """How well directions follow one another with their axes read in several ways.

    ``ways`` name these, the first as given: "x+y-z+" in the order of axes, "-" after those reversed, or one of
    `neuro_field.mri.tensor_axes.AXES`; ``turns`` (w, 3, 3) from given to so read, in the world; ``scores`` (w, c) by
    cube.
    """

    ways: tuple[str, ...]
    turns: FloatArray
    scores: FloatArray

    @property
    def relative(self) -> FloatArray:
        """(w,) coherence as a multiple of that as given."""
        whole = self.scores.sum(axis=1)
        return np.asarray(whole / max(whole[0], 1e-300))

    @property
    def surely(self) -> FloatArray:
        """(w,) by how many standard errors each way is better than as given; below 0 where it is worse."""
        apart = self.scores - self.scores[0]
        cubes = apart.shape[1]
        error = np.sqrt(cubes) * apart.std(axis=1, ddof=1 if cubes > 1 else 0)
        return np.asarray(apart.sum(axis=1) / np.maximum(error, 1e-300))


def coherence_doubts(
    index: IntArray, values: FloatArray, affine: FloatArray, readings: FloatArray, axes: str
) -> tuple[Finding, ...]:
    """Refuse tensors of white matter that make clearly better fibres in other axes; tell where it is not sure.

    Parameters
    ----------
    index : (m, 3) int array
        Voxels.
    values : (m, 6) array
        Their tensors along the axes of the world.
    affine : (4, 4) array
        Voxel index to world mm.
    readings : (4, 3, 3) array
        To the world from each of `neuro_field.mri.tensor_axes.AXES`.
    axes : str
        The one along which they were stored.

    Raises
    ------
    InputError
        With the better axes.
    """
    found = coherence(index, values, affine, readings, axes)
    if found is None:
        return (Finding("tensor-axes-unchecked", "warn", {"least": LEAST_VOXELS}),)
    relative, surely = found.relative, found.surely
    best = 1 + int(np.argmax(relative[1:]))
    if relative[best] > BETTER and surely[best] > SURE:
        raise InputError(
            f"The diffusion tensors must run along fibres; instead they follow one another {relative[best]:.2f} times "
            f"as well {_in_words(found.ways[best])}: the axes of the tensors or b-vectors are not the ones said. Say "
            f"which they are ({', '.join(AXES)}), mend the b-vectors, or fit the tensors again."
        )
    proper = found.turns * np.linalg.det(found.turns)[:, None, None]  # a direction and its opposite are one
    cosines = (np.trace(proper, axis1=1, axis2=2) - 1) / 2
    apart = np.degrees(np.arccos(np.clip(cosines, -1, 1))) > NEAR
    rivals = np.flatnonzero(apart & (surely > -SURE))
    if not len(rivals):
        others = np.flatnonzero(apart)
        nearest = others[np.argmax(relative[others])]
        return (Finding("tensor-axes-checked", "note", {"next": float(relative[nearest])}),)
    worst = rivals[np.argmax(relative[rivals])]
    return (Finding("tensor-axes-doubtful", "warn", {"way": found.ways[worst], "next": float(relative[worst])}),)


def _in_words(way: str) -> str:
    if way in AXES:
        return f"along {way} axes"
    order, reversed_ = way[::2], [letter for letter, sign in zip(way[::2], way[1::2], strict=True) if sign == "-"]
    words = [f"with axes in the order {order}"] if order != "xyz" else []
    return " and ".join([*words, *(f"with {letter} reversed" for letter in reversed_)])


def coherence(
    index: IntArray, values: FloatArray, affine: FloatArray, readings: FloatArray, axes: str
) -> Coherence | None:
    """Coherence of principal directions in all ways; None where too few voxels have one."""
    finite = np.isfinite(values).all(axis=1)
    index, eigen = index[finite], np.linalg.eigh(matrices(values[finite]))
    weights, directions = _anisotropy(eigen[0]), eigen[1][:, :, 2]
    kept = (weights > LEAST_ANISOTROPY) & (eigen[0][:, 2] > 0)
    index, weights, directions = index[kept], weights[kept], directions[kept]
    if len(index) < LEAST_VOXELS:
        return None
    names, turns = _ways(readings, axes)
    pairs = list(_pairs(index))
    cubes, count = _cubes(index, affine)
    scores = np.zeros((len(names), count))
    for way, turn in enumerate(turns):
        turned = directions @ turn.T
        for step, first, second in pairs:
            along = affine[:3, :3] @ step
            along = along / np.linalg.norm(along)
            both = ((turned[first] @ along) * (turned[second] @ along)) ** 2
            scores[way] += np.bincount(cubes[first], weights[first] * weights[second] * both, count)
    return Coherence(names, turns, scores)


def _anisotropy(values: FloatArray) -> FloatArray:
    mean = values.mean(axis=1, keepdims=True)
    whole = np.maximum((values**2).sum(axis=1), 1e-300)
    return np.asarray(np.minimum(1.0, np.sqrt(1.5 * ((values - mean) ** 2).sum(axis=1) / whole)))


def _ways(readings: FloatArray, axes: str) -> tuple[tuple[str, ...], FloatArray]:
    """The ways axes can have been taken wrongly, and the turns they make in the world; the first as given."""
    names, turns = [], []
    world_from_stored = readings[AXES.index(axes)]
    for order in permutations(range(3)):
        for signs in ((1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)):
            change = np.zeros((3, 3))
            change[range(3), order] = signs
            signed = zip(order, signs, strict=True)
            names.append("".join("xyz"[axis] + ("-" if sign < 0 else "+") for axis, sign in signed))
            turns.append(world_from_stored @ change @ world_from_stored.T)
    for name, world_from in zip(AXES, readings, strict=True):
        turn = world_from @ world_from_stored.T
        same = [
            i for i, other in enumerate(turns) if min(np.abs(turn - other).max(), np.abs(turn + other).max()) < 1e-6
        ]
        if not same:
            names.append(name)
            turns.append(turn)
        elif same[0]:
            names[same[0]] = name
    return tuple(names), np.array(turns)


def _pairs(index: IntArray) -> list[tuple[AnyArray, AnyArray, AnyArray]]:
    """For each of half the neighbours: its step (3,), the rows of the voxels that have it, and of these neighbours."""
    low = index.min(axis=0) - 1
    row = np.full(index.max(axis=0) - low + 2, -1, dtype=np.int64)
    own = index - low
    row[tuple(own.T)] = np.arange(len(index))
    out = []
    for step in _NEIGHBOURS:
        other = row[tuple((own + np.array(step)).T)]
        first = np.flatnonzero(other >= 0)
        out.append((np.array(step, dtype=np.float64), first, other[first]))
    return out


def _cubes(index: IntArray, affine: FloatArray) -> tuple[IntArray, int]:
    """The cube (m,) that each voxel lies in, and how many there are."""
    places = np.floor(index @ affine[:3, :3].T / CUBE).astype(np.int64)
    _, cubes = np.unique(places, axis=0, return_inverse=True)
    out = np.asarray(cubes.reshape(-1), dtype=np.int32)
    return out, int(out.max()) + 1
