"""Which way the induced current should run at a site: across the patient's own sulcus, or as is customary there."""

from dataclasses import replace

import numpy as np

from neuro_field.aim.atlas import SITES
from neuro_field.aim.scalp import anatomical_axes
from neuro_field.aim.sulcus import sulcal_axis
from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.head.model import HeadModel

#: An axis across the sulcus that differs from the customary one by more than this, degrees, is to be read of first.
DIFFERENT = 30.0

#: By more than this it is not across the sulcus that is meant: one that runs the other way lies nearer.
IMPLAUSIBLE = 45.0


def directed(head: HeadModel, target: Target) -> Target:
    """The target with the current axis its site is known to want; else as it is.

    Where the site wants the current across a sulcus (`Site.across_sulcus`) and the patient's own is found within 10 mm
    of the target, its axis is taken, if it is within 45 degrees of the customary one; else the customary one.  Either
    lies in the plane of the scalp above, and the target's findings say which, and how far apart they are.

    Examples
    --------
    >>> import neuro_field as nf
    >>> from neuro_field.aim.axis import directed
    >>> head = nf.example_head("colin27-stroke", edge=8.0)  # far too coarse for use, and quick
    >>> aimed = directed(head, nf.Target.named(head, "m1-hand", "right"))
    >>> aimed.axis_source in ("sulcus", "site"), aimed.either_way
    (True, True)
    """
    where = next((entry for entry in SITES if entry.name == target.name), None)
    if where is None or where.current is None:
        return target
    custom = _customary(head, target, where.current)
    told = {"site": target.name, "side": target.side}
    if not where.across_sulcus:
        return _with_axis(target, custom, "site", None, ())
    found = _own(head, target)
    if found is None:
        finding = Finding("target-axis-customary", "note", {**told, "customary": where.current})
        return _with_axis(target, custom, "site", None, (finding,))
    along = float(found @ custom)
    offset = float(np.degrees(np.arccos(min(abs(along), 1.0))))
    values = {**told, "degrees": offset, "customary": where.current}
    if offset > IMPLAUSIBLE:
        finding = Finding("target-axis-implausible", "warn", {**values, "most": IMPLAUSIBLE})
        return _with_axis(target, custom, "site", offset, (finding,))
    finding = Finding("target-axis-sulcal", "warn" if offset > DIFFERENT else "note", values)
    return _with_axis(target, found if along > 0 else -found, "sulcus", offset, (finding,))


def _with_axis(
    target: Target, axis: FloatArray, source: str, offset: float | None, findings: tuple[Finding, ...]
) -> Target:
    return replace(
        target, direction=axis, either_way=True, axis_source=source, axis_offset=offset,
        findings=target.findings + findings,
    )  # fmt: skip


def _customary(head: HeadModel, target: Target, degrees: float) -> FloatArray:
    """(3,) the axis so many degrees from forwards to the midline, in the plane of the scalp above the target."""
    right, anterior, _ = anatomical_axes(head)
    normal = head.scalp.smoothed_normal(target.center)
    midwards = right if target.side == "left" else -right
    forwards, midwards = (axis - (axis @ normal) * normal for axis in (anterior, midwards))
    angle = np.radians(degrees)
    axis: FloatArray = np.cos(angle) * forwards / np.linalg.norm(forwards)
    axis = axis + np.sin(angle) * midwards / np.linalg.norm(midwards)
    return axis / np.linalg.norm(axis)


def _own(head: HeadModel, target: Target) -> FloatArray | None:
    """(3,) the axis across the patient's sulcus by the target; None where none is found."""
    try:
        return sulcal_axis(head, target.center).axis
    except InputError:
        return None
