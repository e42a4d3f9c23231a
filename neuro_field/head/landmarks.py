"""The 10-10 electrode positions on a head's scalp, laid out with a tape as on a person."""

from collections.abc import Mapping, Sequence

import numpy as np

from neuro_field.arrays import FloatArray, as_vector
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import Surface
from neuro_field.head.model import HeadModel
from neuro_field.head.tape import at_share, in_halves, taut

#: Where the fiducials lie on the Colin27 head, MNI mm [lit]: nasion, inion, and the points before the ears
#: (positions distributed as standard_1005; Oostenveld and Praamstra, Clin Neurophysiol 2001;112:713-719).
FIDUCIALS_MNI = {
    "Nz": (0.0, 86.8, -40.0),
    "Iz": (0.0, -118.6, -23.1),
    "LPA": (-86.1, -20.0, -48.0),
    "RPA": (85.8, -20.0, -48.0),
}

#: A fiducial further than this from the scalp, mm, means that the mesh ends above it or the mapping is wrong.
FARTHEST_FIDUCIAL = 25.0

#: Rounds of finding the vertex by midline and coronal arc in turn, and the movement, mm, that ends them.
VERTEX_ROUNDS = 20
VERTEX_SETTLED = 0.05

#: So far above the middle of the four fiducials the vertex is looked for at first, mm.
_UP = 130.0

MIDLINE = ("Fpz", "AFz", "Fz", "FCz", "Cz", "CPz", "Pz", "POz", "Oz")
CORONAL = ("T7", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "T8")
RING_LEFT = ("Fp1", "AF7", "F7", "FT7", "T7", "TP7", "P7", "PO7", "O1")
RING_RIGHT = ("Fp2", "AF8", "F8", "FT8", "T8", "TP8", "P8", "PO8", "O2")

#: Rows between the ring and the midline: left end, left names outwards in, middle, right names in outwards,
#: right.
ROWS = (
    ("AF7", ("AF3",), "AFz", ("AF4",), "AF8"),
    ("F7", ("F5", "F3", "F1"), "Fz", ("F2", "F4", "F6"), "F8"),
    ("FT7", ("FC5", "FC3", "FC1"), "FCz", ("FC2", "FC4", "FC6"), "FT8"),
    ("TP7", ("CP5", "CP3", "CP1"), "CPz", ("CP2", "CP4", "CP6"), "TP8"),
    ("P7", ("P5", "P3", "P1"), "Pz", ("P2", "P4", "P6"), "P8"),
    ("PO7", ("PO3",), "POz", ("PO4",), "PO8"),
)


def _fiducials(head: HeadModel, scalp: Surface, names: Sequence[str] = tuple(FIDUCIALS_MNI)) -> dict[str, FloatArray]:
    """The four fiducials, or some, set on the scalp: the head's own, else carried from MNI space."""
    own = head.fiducials.points if head.fiducials is not None else {}
    doubt = "they were read in another frame" if own else "its mapping to MNI is off"
    out = {}
    for name in names:
        expected = own[name] if own else head.from_mni(np.array([FIDUCIALS_MNI[name]]))[0]
        out[name] = scalp.nearest(expected)
        gap = float(np.linalg.norm(out[name] - expected))
        if gap > FARTHEST_FIDUCIAL:
            raise InputError(
                f"The 10-10 positions cannot be laid out on {head.name!r}: the scalp is {gap:.0f} mm from where {name} "
                f"is expected ({FARTHEST_FIDUCIAL:.0f} mm at most); the mesh ends too high or {doubt}."
            )
    return out


def vertex_of(scalp: Surface, points: Mapping[str, FloatArray]) -> FloatArray:
    """Cz: halfway along the midline arc and halfway along the coronal arc at once."""
    middle = sum(points[name] for name in FIDUCIALS_MNI) / 4
    up = np.cross(points["RPA"] - points["LPA"], points["Nz"] - points["Iz"])
    vertex = scalp.nearest(middle + _UP * up / np.linalg.norm(up))
    for _ in range(VERTEX_ROUNDS):
        midline = at_share(taut(scalp, points["Nz"], vertex, points["Iz"]), 0.5)
        moved = at_share(taut(scalp, points["LPA"], midline, points["RPA"]), 0.5)
        step = float(np.linalg.norm(moved - vertex))
        vertex = moved
        if step < VERTEX_SETTLED:
            return vertex
    raise InputError("The 10-10 positions cannot be laid out: midline and coronal arc do not settle on a vertex.")


def fiducials(head: HeadModel, names: Sequence[str]) -> dict[str, FloatArray]:
    """Some of the root of the nose Nz, the inion Iz, and the points before the ears LPA and RPA: (3,) mm, on the scalp.

    Raises
    ------
    InputError
        As `landmarks_1010`.
    """
    return _fiducials(head, head.scalp, names)


def landmarks_1010(head: HeadModel) -> dict[str, FloatArray]:
    """The 10-10 positions on a head's scalp.

    The fiducials are the head's own, else they come from MNI space; the rest is measured as on a person (Jurcak et
    al., NeuroImage 2007;34:1600):
    Cz where the halves of the midline and the coronal arc meet, the midline and the coronal row in tenths,
    the ring through Fpz, T7, Oz and T8, and the rows between ring and midline in quarters. An arc is a taut
    tape, so ears, brows and pits do not bend it.

    Parameters
    ----------
    head : HeadModel
        With fiducials of its own or a mapping to MNI, and a scalp down to the ears.

    Returns
    -------
    dict of str to (3,) array
        The four fiducials and 61 positions, mm, head frame, each on the scalp.

    Raises
    ------
    InputError
        If the head has no mapping, or its scalp ends above the fiducials.
    """
    scalp = head.scalp
    points = _fiducials(head, scalp)
    points["Cz"] = vertex_of(scalp, points)
    midline = taut(scalp, points["Nz"], points["Cz"], points["Iz"])
    for name, tenth in zip(MIDLINE, range(1, 10), strict=True):
        points[name] = scalp.nearest(at_share(midline, tenth / 10))
    coronal = taut(scalp, points["LPA"], points["Cz"], points["RPA"])
    for name, tenth in zip(CORONAL, range(1, 10), strict=True):
        points[name] = scalp.nearest(at_share(coronal, tenth / 10))
    for ring, side in ((RING_LEFT, "T7"), (RING_RIGHT, "T8")):
        path = taut(scalp, points["Fpz"], points[side], points["Oz"])
        halves = in_halves(path, points[side], 5)
        for name, place in zip([name for name in ring if name != side], halves, strict=True):
            points[name] = scalp.nearest(place)
    for left, inwards, middle, outwards, right in ROWS:
        path = taut(scalp, points[left], points[middle], points[right])
        halves = in_halves(path, points[middle], len(inwards) + 1)
        for name, place in zip((*inwards, *outwards), halves, strict=True):
            points[name] = scalp.nearest(place)
    return points


def nearest_landmark(
    head: HeadModel, point: FloatArray, landmarks: dict[str, FloatArray] | None = None
) -> tuple[str, float]:
    """The 10-10 position nearest to a point, and how far it is, mm.

    Parameters
    ----------
    head : HeadModel
    point : (3,) array
        mm, head frame.
    landmarks : dict, optional
        What `landmarks_1010` gave for this head, to ask for many points without laying it out again.
    """
    point = as_vector(point, "point of nearest_landmark")
    known = landmarks_1010(head) if landmarks is None else landmarks
    distances = {name: float(np.linalg.norm(place - point)) for name, place in known.items()}
    name = min(distances, key=lambda key: distances[key])
    return name, distances[name]
