"""The pictures of the operator's card, as SVG: the head from above and from a side, and the clock of the handle.

They are drawn from what a plan's folder holds; of the scalp only what lies above brows and ears, so that no face is
shown, with a nose and ears that are nobody's.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from neuro_field.aim.tape import VERTEX
from neuro_field.arrays import FloatArray
from neuro_field.clinic.tape_spot import tape_as_told
from neuro_field.geometry.mesh import Surface
from neuro_field.head.face import Face
from neuro_field.head.fiducials import NAMES
from neuro_field.head.tape import at_lengths, length_of, share_of
from neuro_field.nouns import noun
from neuro_field.report.facts import HeadFacts
from neuro_field.search.plan import Plan

#: The 10-20 positions that are drawn.
SHOWN = (
    "Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz", "C4", "T8", "P7", "P3", "Pz", "P4", "P8", "O1", "O2",
)  # fmt: skip

#: Of a head without landmarks so much below its top is drawn; of others so much below the ears, mm.
_BELOW_TOP, _BELOW_EARS = 110.0, 30.0

#: Length of a drawn handle, mm on the head; scalp around a spot so far from its plane is what a zone lies on.
_HANDLE = 62.0

#: Positions on the far side of the head, more than this beyond its middle, are not drawn, mm.
_FAR = 12.0

#: A word's middle lies so far above its base line.
_BASE = np.array([0.0, 3.5])

#: On the clock words nearer to one another than this, degrees, would lie on one another.
_BESIDE = 30.0

#: Room around the head in a picture for ears and words, mm.
_MARGIN = 16.0


@noun
class Eye:
    """From where a head is drawn: ``across`` and ``up`` (3,) are the picture's right and upper edge, head frame."""

    name: str
    across: FloatArray
    up: FloatArray

    @classmethod
    def of(cls, name: str, axes: FloatArray) -> "Eye":
        """ "above", "left" or "right" of a head with its right, front and top (3, 3)."""
        right, front, top = np.asarray(axes)
        across = {"above": right, "left": -front, "right": front}[name]
        return cls(name, across, front if name == "above" else top)

    @property
    def towards(self) -> FloatArray:
        """(3,) to who looks."""
        return np.cross(self.across, self.up)

    def flat(self, points: FloatArray) -> FloatArray:
        """(m, 2) on paper, mm, downwards positive."""
        points = np.atleast_2d(points)
        return np.stack([points @ self.across, -(points @ self.up)], axis=1)


def spot_of(plan: Plan, scalp: Surface | None) -> FloatArray:
    """(3,) the point of the scalp under the best placement's centre; the centre itself where there is no scalp."""
    center = plan.best.placement.center
    return center if scalp is None else scalp.nearest(center)


def view_names(spots: Iterable[FloatArray], axes: FloatArray, middle: FloatArray) -> list[str]:
    """From above, and from each side on which there is a spot; one in the middle is shown from the left."""
    sides = {"right" if (spot - middle) @ axes[0] > 1.0 else "left" for spot in spots}
    return ["above", *sorted(sides)]


@noun
class Drawn:
    """What of a head is drawn, once for all its pictures: ``outline`` (m, 3) and the ``landmarks`` by name."""

    facts: HeadFacts
    outline: FloatArray

    @classmethod
    def of(cls, facts: HeadFacts) -> "Drawn | None":
        """None of a head of which neither scalp nor landmarks are known."""
        marks, scalp, top = facts.landmarks, facts.scalp, np.asarray(facts.axes)[2]
        if scalp is None:
            return cls(facts, np.array(list(marks.values()))) if marks else None
        if not all(name in marks for name in NAMES):
            heights = scalp.points @ top
            return cls(facts, scalp.points[heights > heights.max() - _BELOW_TOP])
        faceless = Face.between(marks).trimmed(scalp)
        kept = faceless.points[np.unique(faceless.triangles)]
        heights = (kept - (marks["LPA"] + marks["RPA"]) / 2) @ top
        return cls(facts, np.concatenate([kept[heights > -_BELOW_EARS], [marks[name] for name in NAMES]]))

    @property
    def middle(self) -> FloatArray:
        """(3,) between the ends of the outline."""
        return (self.outline.min(axis=0) + self.outline.max(axis=0)) / 2


def head_picture(drawn: Drawn, plans: Sequence[tuple[str, Plan]], name: str, words: Mapping[str, str]) -> str:
    """The head from above or from a side, with the spots of plans by their numbers.

    Parameters
    ----------
    drawn : Drawn
    plans : sequence of (str, Plan)
        With what is written at the spot; empty text for one alone.
    name : {"above", "left", "right"}
    words : mapping of str to str
        "left", "right", "nose", and "alt" for who does not see it.
    """
    eye = Eye.of(name, drawn.facts.axes)
    rim = hull_of(eye.flat(drawn.outline))
    shown = [(text, plan) for text, plan in plans if name == "above" or _faces(plan, drawn, eye)]
    inside = [rim, *(eye.flat(part) for _, plan in shown for part in _parts(plan, drawn))]
    low = np.minimum(rim.min(axis=0) - _MARGIN, np.concatenate(inside).min(axis=0) - 8.0)
    high = np.maximum(rim.max(axis=0) + _MARGIN, np.concatenate(inside).max(axis=0) + 8.0)
    parts = [*_head(drawn, eye, rim, words)]
    parts += [_polygon(hull_of(eye.flat(zone_feet(plan))), "zone") for _, plan in shown if plan.zone is not None]
    parts += [line for _, plan in shown for line in _tape_lines(plan, drawn, eye)]
    parts += _positions(drawn, eye, [plan for _, plan in shown])
    parts += [line for text, plan in shown for line in _spot(plan, eye, spot_of(plan, drawn.facts.scalp), text)]
    width, height = high - low
    return (
        f'<svg class="head drawing" role="img" aria-label="{escape(words["alt"])}" viewBox="{low[0]:.1f} {low[1]:.1f} '
        f'{width:.1f} {height:.1f}">{"".join(parts)}</svg>'
    )


def _parts(plan: Plan, drawn: Drawn) -> list[FloatArray]:
    """What of a plan must not be cut off, (m, 3) each: spot, handle and zone."""
    foot = spot_of(plan, drawn.facts.scalp)
    own = [np.stack([foot, _handle_end(plan, foot)])]
    return own if plan.zone is None else [*own, zone_feet(plan)]


def _faces(plan: Plan, drawn: Drawn, eye: Eye) -> bool:
    """Whether a spot lies on the half of the head that is seen."""
    away = (spot_of(plan, drawn.facts.scalp) - drawn.middle) @ eye.towards
    return bool(away > 1.0 or (eye.name == "left" and away > -1.0))


def _head(drawn: Drawn, eye: Eye, rim: FloatArray, words: Mapping[str, str]) -> Iterable[str]:
    """Outline, nose and ears, and where left and right are."""
    marks = drawn.facts.landmarks
    if "Nz" in marks:
        yield from _nose(eye, marks, rim, words["nose"])
        yield from _ears(eye, marks)
    yield _polygon(rim, "rim")
    if eye.name == "above":
        height = rim[:, 1].min() + 22  # beside the forehead, where handles seldom lie
        yield _text((rim[:, 0].min() + 12, height), words["left"], "side", "end")
        yield _text((rim[:, 0].max() - 12, height), words["right"], "side", "start")


def _nose(eye: Eye, marks: Mapping[str, FloatArray], rim: FloatArray, word: str) -> Iterable[str]:
    """Nobody's nose: it shows where the front is."""
    tip = eye.flat(marks["Nz"])[0]
    if eye.name == "above":
        top = rim[:, 1].min()
        yield _polygon(np.array([[tip[0] - 8, top + 3], [tip[0], top - 9], [tip[0] + 8, top + 3]]), "nose")
        yield _text((tip[0] + 10, top - 4), word, "side", "start")
    else:
        way = -1.0 if eye.name == "left" else 1.0
        corners = np.array([[0.0, 0.0], [way * 13, 20.0], [-way * 2, 24.0], [-way * 14, 4.0]])
        yield _polygon(tip + corners, "nose")
        yield _text((tip[0] + way * 2, tip[1] + 33), word, "side", "middle")


def _ears(eye: Eye, marks: Mapping[str, FloatArray]) -> Iterable[str]:
    for name in ("LPA", "RPA"):
        place = eye.flat(marks[name])[0]
        if eye.name == "above":
            out = -1.0 if name == "LPA" else 1.0
            yield f'<ellipse class="ear" cx="{place[0] + 3 * out:.1f}" cy="{place[1] + 12:.1f}" rx="6" ry="14"/>'
        elif eye.name == {"LPA": "left", "RPA": "right"}[name]:
            back = 1.0 if eye.name == "left" else -1.0
            yield f'<ellipse class="ear" cx="{place[0] + 12 * back:.1f}" cy="{place[1]:.1f}" rx="10" ry="17"/>'


def _positions(drawn: Drawn, eye: Eye, plans: Iterable[Plan]) -> list[str]:
    """10-20 positions that are seen, with the one that a tape begins at."""
    near = [str(f.values["electrode"]) for plan in plans for f in plan.tape if f.code == "tape-electrode"]
    out = []
    for name in dict.fromkeys((*SHOWN, *near)):
        place = drawn.facts.landmarks.get(name)
        if place is None or (eye.name != "above" and (place - drawn.middle) @ eye.towards < -_FAR):
            continue
        x, y = eye.flat(place)[0]
        out.append(f'<circle class="position" cx="{x:.1f}" cy="{y:.1f}" r="1.6"/>')
        out.append(_text((x, y - 3.2), name, "name", "middle"))
    return out


def _spot(plan: Plan, eye: Eye, foot: FloatArray, text: str) -> list[str]:
    """The coil's handle from the spot, and the spot with its number."""
    x, y = eye.flat(foot)[0]
    end = eye.flat(_handle_end(plan, foot))[0]
    out = [] if plan.handle_free else [_line((x, y), end, name) for name in ("edge", "handle")]
    out.append(f'<circle class="spot" cx="{x:.1f}" cy="{y:.1f}" r="{max(7.0, 3.6 * len(text)) if text else 5:g}"/>')
    if text:
        return [*out, _text((x, y + 3.8), text, "number", "middle")]
    return [*out, f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="1.5"/>']


def _handle_end(plan: Plan, foot: FloatArray) -> FloatArray:
    """(3,) where a drawn handle ends; the spot itself for a coil without a direction."""
    return foot if plan.handle_free else foot + _HANDLE * plan.best.placement.handle_direction


def zone_feet(plan: Plan) -> FloatArray:
    """(p, 3) the places of the scalp that the zone's poses stand over."""
    assert plan.zone is not None
    poses, heights = plan.zone.poses, plan.zone.heights[: len(plan.zone.poses)]
    return np.asarray(poses[:, :3, 3] + heights[:, None] * poses[:, :3, 2])


def _tape_lines(plan: Plan, drawn: Drawn, eye: Eye) -> list[str]:
    """The way of the tape from the vertex, where there is one."""
    steps = next((finding.values for finding in plan.tape if finding.code == "tape-aside"), None)
    if steps is None or drawn.facts.scalp is None:
        return []
    tape = tape_as_told(plan, drawn.facts.scalp, drawn.facts.landmarks)
    if tape is None:
        return []
    whole, right = length_of(tape.coronal), float(str(steps["right"])) / tape.scale_right
    middle = share_of(tape.coronal, tape.vertex) * whole
    way = at_lengths(tape.coronal, middle + np.linspace(0.0, right, 24))
    return [_path(eye.flat(np.concatenate([way, spot_of(plan, drawn.facts.scalp)[None]])), "tape")]


def clock_picture(
    degrees: float, *, vertex: float | None, ends: Sequence[float] | None, words: Mapping[str, str]
) -> str:
    """The clock on the scalp with the handle.

    Parameters
    ----------
    degrees : float
        Of the handle, clockwise from the nose.
    vertex : float, optional
        Where Cz lies, likewise.
    ends : sequence of float, optional
        The sector in which the zone keeps its share, likewise.
    words : mapping of str to str
        "nose", "handle" and "alt".
    """
    parts = ['<circle class="dial" r="40"/>']
    if ends is not None:
        parts.append(_sector(ends[0], ends[1], 40.0))
    for hour in range(1, 13):
        inner = 34.0 if hour % 3 else 31.0
        parts.append(_line(_at(30.0 * hour, inner), _at(30.0 * hour, 40.0), "tick"))
        if hour % 3 == 0:
            parts.append(_text(_at(30.0 * hour, 25.0) + _BASE, str(hour), "hour", "middle"))
    over = vertex is not None and _apart(vertex, 0.0) < _BESIDE
    parts.append(_text((0.0, -45.0), f"{words['nose']}, {VERTEX}" if over else words["nose"], "hour", "middle"))
    if vertex is not None and not over and _apart(vertex, degrees) >= _BESIDE:
        parts.append(_text(_at(vertex, 49.0) + _BASE, VERTEX, "hour", "middle"))
    wings = [_at(degrees + way, 8.0) for way in (-90.0, 90.0)]
    parts += [f'<circle class="wing" cx="{x:.1f}" cy="{y:.1f}" r="7.5"/>' for x, y in wings]
    parts += [_line((0.0, 0.0), _at(degrees, 46.0), name) for name in ("edge", "handle")]
    x, y = _at(degrees, 52.0)
    anchor = "middle" if abs(x) < 15.0 else "start" if x > 0 else "end"
    if _apart(degrees, 0.0) >= _BESIDE:
        parts.append(_text((x, y + 3.5), words["handle"], "hour", anchor))
    parts.append('<circle class="point" r="2"/>')
    return (
        f'<svg class="clock drawing" role="img" aria-label="{escape(words["alt"])}" viewBox="-90 -58 180 116" '
        f">{''.join(parts)}</svg>"
    )


def _apart(one: float, other: float) -> float:
    """Between two directions of the clock, 0 to 180 degrees."""
    return abs((one - other + 180.0) % 360.0 - 180.0)


def _at(degrees: float, radius: float) -> FloatArray:
    """(2,) on paper, of the clock."""
    angle = np.radians(degrees)
    return radius * np.array([np.sin(angle), -np.cos(angle)])


def _sector(low: float, high: float, radius: float) -> str:
    if high - low >= 359.0:
        return f'<circle class="zone" r="{radius:g}"/>'
    (x0, y0), (x1, y1) = _at(low, radius), _at(high, radius)
    large = int(high - low > 180)
    return f'<path class="zone" d="M0 0 L{x0:.1f} {y0:.1f} A{radius:g} {radius:g} 0 {large} 1 {x1:.1f} {y1:.1f} Z"/>'


def hull_of(points: FloatArray) -> FloatArray:
    """The rim (m, 2) of points; of few the points themselves."""
    try:
        return points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        return points


def _polygon(points: FloatArray, name: str) -> str:
    return f'<polygon class="{name}" points="{_listed(points)}"/>'


def _path(points: FloatArray, name: str) -> str:
    return f'<polyline class="{name}" points="{_listed(points)}"/>'


def _listed(points: FloatArray) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _line(start: Sequence[float] | FloatArray, end: Sequence[float] | FloatArray, name: str) -> str:
    return f'<line class="{name}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'


def _text(place: Sequence[float] | FloatArray, text: str, name: str, anchor: str) -> str:
    return f'<text class="{name}" text-anchor="{anchor}" x="{place[0]:.1f}" y="{place[1]:.1f}">{escape(text)}</text>'
