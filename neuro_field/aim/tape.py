"""Places on a scalp as a tape finds them: from the vertex or an electrode towards an ear, then forwards or back."""

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property

import numpy as np

from neuro_field.arrays import FloatArray, read_only
from neuro_field.errors import InputError
from neuro_field.findings import Finding, Refusal
from neuro_field.geometry.mesh import Surface
from neuro_field.head.fiducials import NAMES, Fiducials
from neuro_field.head.landmarks import landmarks_1010, vertex_of
from neuro_field.head.model import HeadModel
from neuro_field.head.tape import at_lengths, laid, length_of, share_of, taut
from neuro_field.nouns import noun

#: Measured arcs may differ from the model's by this much, mm; beyond it the landmarks are not this patient's.
MOST_OFF = 10.0

#: A corner of a card is laid against so much of a tape on either side, mm.
_CARD = 12.0

#: Rounds of finding the steps to a place, and the miss, mm, that ends them.
_ROUNDS, _FOUND = 40, 0.05

#: A place in a hollow that the tape spans is missed by no more than this, mm.
_HOLLOW = 2.0

#: What every tape begins at, and from which the steps are counted along the line between the ears.
VERTEX = "Cz"


@noun
class TapePlace:
    """A place by tape: from an ``origin`` ("Cz" or another 10-10 position) so far to the right, then forwards, mm.

    Negative numbers are to the left and back, as the patient has them.

    Examples
    --------
    >>> import neuro_field as nf
    >>> nf.TapePlace("Cz", right=58.0, front=4.0).origin
    'Cz'
    """

    origin: str
    right: float
    front: float


@noun
class HeadTape:
    """A head as a tape measures it.

    The vertex is the middle of the arcs from nasion to inion and from ear to ear at once. From it one goes along the
    ear-to-ear arc, then forwards or back at a right angle to that tape: in the plane that its direction there is normal
    to. From an electrode one goes parallel to the ear-to-ear arc instead. Every tape is taut: it spans hollows.

    Parameters
    ----------
    scalp : Surface
    points : mapping of str to (3,) array
        Nz, Iz, LPA and RPA on the scalp, mm.
    own : bool
        Whether they are the patient's own, and not of a map to MNI152.
    scale_right, scale_front : float
        Millimetres of the patient's head for one of the model's, along the two arcs.
    positions : mapping of str to (3,) array
        10-10 positions that a tape may begin at, mm; the vertex is always one.

    Examples
    --------
    On a ball of 92 mm whose ears lie at the height of its middle the arc between them is half its girth:

    >>> from dataclasses import replace
    >>> import neuro_field as nf
    >>> ball = nf.sphere_head((80, 86, 92), edge=9.0)
    >>> marks = {"Nz": (0, 92, 0), "Iz": (0, -92, 0), "LPA": (-92, 0, 0), "RPA": (92, 0, 0)}
    >>> tape = nf.HeadTape.of(replace(ball, fiducials=nf.Fiducials(marks)))
    >>> round(tape.ear_ear / 92, 1)
    3.1
    >>> place = tape.at(nf.TapePlace("Cz", right=60, front=20))
    >>> [round(step) for step in tape.steps(place)]
    [60, 20]
    """

    scalp: Surface
    points: Mapping[str, FloatArray]
    own: bool = False
    scale_right: float = 1.0
    scale_front: float = 1.0
    positions: Mapping[str, FloatArray] = field(default_factory=dict)

    @classmethod
    def of(cls, head: HeadModel) -> "HeadTape":
        """Of a head by its own fiducials, or by those of its map to MNI152; scaled to measured arcs.

        Raises
        ------
        InputError
            If it has neither, or its scalp does not reach them.
        Refusal
            If a measured arc is farther from the model's than a tape and a finger can be.
        """
        given = head.fiducials or Fiducials()
        points = landmarks_1010(head)
        plain = cls(
            head.scalp, {name: points[name] for name in NAMES}, bool(given.points),
            positions={name: place for name, place in points.items() if name not in NAMES},
        )  # fmt: skip
        measured = {"nasion_inion": given.nasion_inion, "ear_ear": given.ear_ear}
        off = {name: value - getattr(plain, name) for name, value in measured.items() if value is not None}
        wrong = {name: gap for name, gap in off.items() if abs(gap) > MOST_OFF}
        if wrong:
            raise Refusal(*(
                Finding("tape-arc-off", "stop", {
                    "field": name, "measured": measured[name], "modelled": getattr(plain, name), "limit": MOST_OFF,
                })
                for name in wrong
            ))  # fmt: skip
        scale = {name: 1.0 + off.get(name, 0.0) / getattr(plain, name) for name in measured}
        return cls(plain.scalp, plain.points, plain.own, scale["ear_ear"], scale["nasion_inion"], plain.positions)

    @cached_property
    def vertex(self) -> FloatArray:
        """(3,) the middle of both arcs, mm."""
        return read_only(vertex_of(self.scalp, self.points))

    @cached_property
    def midline(self) -> FloatArray:
        """(m, 3) from nasion to inion, mm."""
        return read_only(taut(self.scalp, self.points["Nz"], self.vertex, self.points["Iz"]))

    @cached_property
    def coronal(self) -> FloatArray:
        """(m, 3) from before the left ear to before the right ear, mm."""
        return read_only(taut(self.scalp, self.points["LPA"], self.vertex, self.points["RPA"]))

    @property
    def nasion_inion(self) -> float:
        """Length of the arc, mm, as on the patient."""
        return length_of(self.midline) * self.scale_front

    @property
    def ear_ear(self) -> float:
        """Length of the arc, mm, as on the patient."""
        return length_of(self.coronal) * self.scale_right

    @cached_property
    def _forwards(self) -> FloatArray:
        """(3,) across the plane of the ear-to-ear arc, to the front."""
        across = np.cross(self.vertex - self.points["LPA"], self.points["RPA"] - self.points["LPA"])
        across *= np.sign(across @ (self.points["Nz"] - self.points["Iz"]))
        return np.asarray(across / np.linalg.norm(across))

    def at(self, place: TapePlace) -> FloatArray:
        """(3,) the point of the scalp, mm, where a tape's steps lead.

        Raises
        ------
        InputError
            If there is no such position, or the steps run off the scalp.
        """
        return self._walked(self._start(place.origin), place.right / self.scale_right, place.front / self.scale_front)[
            0
        ]

    def steps(self, point: FloatArray, origin: str | FloatArray = VERTEX) -> tuple[float, float]:
        """How far to the right and then to the front of an origin a point of the scalp lies, mm, as on the patient.

        Parameters
        ----------
        point : (3,) array
            mm, head frame.
        origin : str or (3,) array
            A 10-10 position, or a point of the scalp.

        Raises
        ------
        InputError
            If a tape along the ear-to-ear line does not come beside it.
        """
        start = self._start(origin) if isinstance(origin, str) else np.asarray(origin)
        first = point - start
        steps = np.array([first @ self._across(start), first @ self._forwards])
        least, found = np.inf, steps
        for i in range(_ROUNDS):
            reached, along, forwards = self._walked(start, *steps)
            miss = point - reached
            move = np.array([miss @ along, miss @ forwards])
            if (gap := float(np.linalg.norm(move))) < least:
                least, found = gap, steps
            if gap < _FOUND:
                break
            steps = steps + (move if i < _ROUNDS // 2 else 0.3 * move)  # over a hollow it would go to and fro
        if least <= _HOLLOW:
            return float(found[0] * self.scale_right), float(found[1] * self.scale_front)
        raise InputError(
            f"No tape from the ear-to-ear line leads to the point {np.round(point, 1).tolist()} of the scalp."
        )

    def _start(self, name: str) -> FloatArray:
        if name == VERTEX:
            return self.vertex
        if name not in self.positions:
            raise InputError(f"Input origin of a tape must be a 10-10 position such as Cz or C3; instead {name!r:.40}.")
        return self.positions[name]

    def _across(self, point: FloatArray) -> FloatArray:
        """(3,) to the right, parallel to the ear-to-ear line, at a point of the scalp."""
        normal = self._normal(point)
        along = np.cross(self._forwards, normal)
        return np.asarray(along / np.linalg.norm(along))

    def _normal(self, point: FloatArray) -> FloatArray:
        return self.scalp.smoothed_normal(self.scalp.points[self.scalp.tree.query(point)[1]])

    def _walked(self, start: FloatArray, right: float, front: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Where the steps lead, (3,) on the scalp, and what is rightwards and forwards there."""
        corner, along = self._aside(start, right)
        upwards = self._normal(corner)
        upwards = upwards - (upwards @ along) * along
        upwards /= np.linalg.norm(upwards)
        forwards = np.cross(upwards, along)
        way = 1.0 if front >= 0 else -1.0
        end = corner
        if abs(front) > 1e-9:
            end = laid(self.scalp, corner, way * forwards, upwards, abs(front))[-1]
        end = self.scalp.nearest(end)
        normal = self._normal(end)
        forwards = np.cross(normal, along)
        forwards /= np.linalg.norm(forwards)
        return end, np.cross(forwards, normal), forwards

    def _aside(self, start: FloatArray, right: float) -> tuple[FloatArray, FloatArray]:
        """The end of the first step, and the direction to the right in which a card lies against the tape there."""
        if np.linalg.norm(start - self.vertex) < 1e-6:
            whole = length_of(self.coronal)
            middle = share_of(self.coronal, self.vertex) * whole
            if not _CARD <= middle + right <= whole - _CARD:
                raise InputError(f"A tape of {abs(right):.0f} mm from the vertex leads beyond the ear.")
            low, corner, high = at_lengths(self.coronal, middle + right + np.array([-_CARD, 0.0, _CARD]))
        else:
            along = self._across(start)
            normal, way = self._normal(start), 1.0 if right >= 0 else -1.0
            path = laid(self.scalp, start, way * along, normal, abs(right) + _CARD)
            low, corner, high = at_lengths(path, abs(right) + np.array([-_CARD, 0.0, _CARD]))
            if abs(right) < _CARD:
                low = laid(self.scalp, start, -way * along, normal, _CARD)[-1]
            if way < 0:
                low, high = high, low
        along = high - low
        return self.scalp.nearest(corner), along / np.linalg.norm(along)


def moved_tape(tape: HeadTape, shifts: Mapping[str, FloatArray]) -> HeadTape:
    """The tape of somebody who takes the landmarks for other points of the scalp, shifted by (3,) mm each."""
    points = {name: tape.scalp.nearest(place + shifts.get(name, 0.0)) for name, place in tape.points.items()}
    return HeadTape(tape.scalp, points, tape.own, tape.scale_right, tape.scale_front, {})
