"""What the mesh costs in one case: a field held against one on elements half as long, or of second order."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from neuro_field.arrays import BoolArray, FloatArray, as_points
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.head.model import HeadModel
from neuro_field.head.refinement import Refinement

#: Points drawn in grey matter that has no middle.
_POINTS = 200_000

#: With fewer points in the middle near a place, points of all depths stand for it.
_FEWEST = 50

MIDDLE, ALL = "middle-of-grey-matter", "grey-matter"


#: Of a neighbourhood that second-order elements are compared in, mm; elsewhere it is the refinement's.
_RADIUS = 10.0


@dataclass(frozen=True)
class NumericalError:
    """Differences of a recovered field from one that errs less; dimensionless, above zero where the first is stronger.

    Parameters
    ----------
    how : {"refined", "second-order"}
        What it was held against: elements half as long near the place, or second-order ones on the same mesh.
    where : str
        What the points fill evenly: the middle of the grey matter, or all of it where it has no middle.
    points : int
    relative_l2, p999 : float, optional
        Norm of the differences of E over the norm of E, and of the 99.9th percentile of |E|, over all points; None
        where the mesh is finer near the place only.
    near_l2, near_mean : float
        Relative L2 and the difference of the mean |E| over the points within ``radius`` mm of ``near``; over all
        depths of the grey matter there where hardly any lie in its middle.  Of a refined mesh carried on to elements of
        no length (`carried_on`).
    near : tuple of three float
        mm, head frame; the middle of several places.
    radius : float
        mm.
    near_points : int
    unknowns : int
        Of the field it was held against.
    target : float, optional
        Of the mean |E| over a plan's target, as the plan quotes it.
    """

    how: str
    where: str
    points: int
    relative_l2: float | None
    p999: float | None
    near_l2: float
    near_mean: float
    near: tuple[float, float, float]
    radius: float
    near_points: int
    unknowns: int
    target: float | None = None


def numerical_error(
    field: Field, reference: Field, *, near: FloatArray | None = None, radius: float | None = None
) -> NumericalError:
    """How far a field is from one for the same case that errs less.

    An estimate of the discretisation error; it does not see what both share: conductivities, coil, and the shape of the
    tissues.  Elements half as long around a place (`HeadModel.refined`) err too, by a quarter: a recovered field errs
    as the square of their length.  So their difference is carried on to elements of no length (Richardson), 4/3 of it
    for edges halved once: on Colin27 after a stroke with 4 mm edges, at five targets, 0.77 to 1.37 of the relative L2
    that elements halved once more, in second order, find in the middle of the grey matter within 20 mm (3.6 to 12.9 %);
    with 1.9 mm edges 6.0 % of 4.6 % at the hand area, by second order on the refined mesh.  Second-order elements on
    the same mesh judge the whole cortex as they are, and say more: 1.08 to 1.92 of it at the same five.

    Parameters
    ----------
    field : Field
        Its recovered values are judged (`Field.at`).
    reference : Field
        The same coil, placement and slope: in this head refined, by elements of the same order, or in the same head by
        second-order elements (``Solver(head, order=2)`` or ``solver.raised()``).
    near : (3,) or (k, 3) array, optional
        mm, head frame: one place or several, judged together; where the sampled field is strongest when omitted, and
        for a refined head the places it was refined at.
    radius : float, optional
        Of that neighbourhood, mm; 10, and for a refined head that of its refinement.

    Returns
    -------
    NumericalError

    Raises
    ------
    InputError
        If the reference is neither, the cases differ, there is no grey matter (near the place), or the neighbourhood
        leaves what was refined.

    Examples
    --------
    >>> import neuro_field as nf
    >>> solver = nf.Solver(nf.sphere_head((70, 80, 90), edge=9.0))
    >>> placement = nf.Placement.on(solver.head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> coil = nf.load_coil("figure8-70mm")
    >>> finer = nf.Solver(solver.head.refined(near=(0, 0, 62), radius=15))
    >>> found = nf.numerical_error(solver.solve(coil, placement), finer.solve(coil, placement))
    >>> found.near_l2 < 0.05
    True
    """
    recipe = _checked(field, reference)
    points, where = grey_points(field.head)
    given = None if near is None else as_points([near] if np.ndim(near) == 1 else near, "near of numerical_error")
    reach = float(radius) if radius is not None else _RADIUS if recipe is None else recipe.radius
    if recipe is not None:
        given = _within(recipe, recipe.near if given is None else given, reach)
        points = points[_beside(points, given, reach)]
    found, exact = field.at(points), reference.at(points)
    strengths, exact_strengths = np.linalg.norm(found, axis=1), np.linalg.norm(exact, axis=1)
    places = points[np.argmax(strengths)][None] if given is None else given
    close = _beside(points, places, reach)
    near_found, near_exact = found[close], exact[close]
    if close.sum() < _FEWEST:
        grey = field.head.region("grey_matter") & _beside(field.head.mesh.centroids, places, reach)
        drawn = _drawn(field.head, grey, _POINTS // 100)
        near_found, near_exact = field.at(drawn), reference.at(drawn)
    place, factor = places.mean(axis=0), carried_on(recipe)
    whole = recipe is None
    return NumericalError(
        how="second-order" if whole else "refined",
        where=where,
        points=len(points),
        relative_l2=_relative(found, exact) if whole else None,
        p999=float(np.percentile(strengths, 99.9) / np.percentile(exact_strengths, 99.9) - 1) if whole else None,
        near_l2=factor * _relative(near_found, near_exact),
        near_mean=factor * float(_mean_size(near_found) / _mean_size(near_exact) - 1),
        near=(float(place[0]), float(place[1]), float(place[2])),
        radius=reach,
        near_points=len(near_found),
        unknowns=len(reference.potential),
    )


def carried_on(recipe: Refinement | None) -> float:
    """What a difference from the field in a head refined so is multiplied by for the error itself; 1 for None.

    A recovered field errs as h^2, h the length of edges, and so do second-order elements' own gradients: against edges
    halved k times (1 - 4^-k) of the error is seen.
    """
    return 1.0 if recipe is None else 1 / (1 - 4.0**-recipe.levels)


def _mean_size(field: FloatArray) -> float:
    return float(np.linalg.norm(field, axis=1).mean())


def _beside(points: FloatArray, places: FloatArray, radius: float) -> BoolArray:
    """(m,) which points lie within a radius of one of some places (k, 3), mm."""
    return np.asarray(cKDTree(places).query(points)[0] <= radius)


def _within(recipe: Refinement, places: FloatArray, radius: float) -> FloatArray:
    """The places, refused where their neighbourhood leaves what was refined: there both fields err alike."""
    apart = cKDTree(recipe.near).query(places)[0]
    if (apart + radius > recipe.radius + 1e-6).any():
        raise InputError(
            f"Inputs near and radius of numerical_error must stay within what was refined, {recipe.radius:g} mm around "
            f"{len(recipe.near)} places; instead they ask for {radius:g} mm around one {apart.max():.1f} mm off."
        )
    return places


def _checked(field: Field, reference: Field) -> Refinement | None:
    """How the reference's head was refined from the field's; None of second-order elements in the same head."""
    for value, name in ((field, "field"), (reference, "reference")):
        if not isinstance(value, Field):
            raise InputError(f"Input {name} of numerical_error must be a Field; instead received {value!r:.80}.")
    for what in ("coil", "placement", "didt"):
        own, other = getattr(field, what), getattr(reference, what)
        if own is not other and (what != "didt" or own != other):
            raise InputError(f"Both fields of numerical_error must be of one case; instead their {what} differs.")
    recipe = reference.head.refinement
    if field.head is reference.head and (field.system.order, reference.system.order) == (1, 2):
        return None
    refined = recipe is not None and recipe.mesh == field.head.mesh.digest
    if not refined or field.system.order != reference.system.order:
        raise InputError(
            "Input reference of numerical_error must be a Field in the same head refined (HeadModel.refined), by "
            "elements of the same order, or one by second-order elements in the field's own head (solver.raised())."
        )
    return recipe


def grey_points(head: HeadModel) -> tuple[FloatArray, str]:
    """Points (m, 3), mm, in the middle of the grey matter (`HeadModel.mid_grey`), and what they fill: `MIDDLE`.

    In a head without white matter, as a sphere may be, they are drawn evenly in the grey matter, and fill `ALL` of it.
    """
    if head.region("white_matter").any() and len(head.mid_grey) >= _FEWEST:
        return head.mid_grey, MIDDLE
    return _drawn(head, head.region("grey_matter"), _POINTS), ALL


def _drawn(head: HeadModel, chosen: BoolArray, count: int) -> FloatArray:
    """Points drawn evenly by volume in the elements of a mask, always the same."""
    elements = np.flatnonzero(chosen)
    if not len(elements):
        raise InputError(f"The head {head.name!r} has no grey matter there to sample a field in.")
    rng = np.random.default_rng(0)
    shares = np.cumsum(head.mesh.volumes[elements])
    drawn = elements[np.searchsorted(shares / shares[-1], rng.random(count))]
    return np.einsum("ma,mac->mc", rng.dirichlet(np.ones(4), count), head.mesh.nodes[head.mesh.tets[drawn]])


def _relative(found: FloatArray, exact: FloatArray) -> float:
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
