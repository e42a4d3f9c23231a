"""What becomes of openings of the skull when a head is built: kept, closed, or closed until somebody answers."""

from collections.abc import Callable
from dataclasses import field
from typing import Any

import numpy as np

from neuro_field.arrays import BoolArray, FloatArray
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.geometry.voxels import voxel_sizes
from neuro_field.mri.labels import Labels
from neuro_field.mri.layers import within
from neuro_field.mri.regions import BONE, SCALP, SKULL, inside_dura, mask_of
from neuro_field.mri.skull_holes import Hole, over, shows_bone, skull_holes
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun

#: Sign of how far right a place (m, 3) mm lies: `neuro_field.head.fissure.Fissure.right_of` or the like.
Sides = Callable[[FloatArray], FloatArray]

#: Answers to "does the opening stay open?", as findings name them.
ANSWERS = {None: "unanswered", True: "open", False: "closed"}

#: An opening that does not stay is closed with so much bone, mm.
CLOSED_WITH = 5.0

#: Points kept of an opening for its drawing, at most.
MOST_POINTS = 400


@noun
class AnsweredSkull:
    """Labels in which what is answered has been done.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Without the bone that a segmenter drew over an opening that stays.
    opening : (i, j, k) bool array, optional
        Where no bone may be made; None where none stays open.
    findings : tuple of Finding
    record : dict
        For the head's provenance: the answer and the openings, with points to draw them by.
    """

    labels: Labels
    opening: BoolArray | None
    findings: tuple[Finding, ...]
    record: dict[str, Any] = field(default_factory=dict)


def checked_answer(open_skull: object) -> None:
    """Refuse what is neither None, True nor False."""
    if open_skull is not None and not isinstance(open_skull, bool):
        raise InputError(f"Input open_skull must be True, False or None (not answered); instead {open_skull!r:.40}.")


def answered_skull(
    labels: Labels, affine: FloatArray, t1: Volume | None, open_skull: bool | None, right_of: Sides
) -> AnsweredSkull:
    """Find the openings of a skull, and keep them open only where that is answered.

    Parameters
    ----------
    labels : (i, j, k) uint8 array
        Tissue tags with the lesion in, before any layer is closed.
    affine : (4, 4) array
    t1 : Volume, optional
    open_skull : bool, optional
        True: the openings stay; False: they are closed with bone; None: not answered, closed for inspection only.
    right_of : callable
        Tells the side of places.
    """
    holes = skull_holes(labels, affine, t1)
    rows = [_row(hole, right_of) for hole in holes]
    findings = list(_told(rows, ANSWERS[open_skull]))
    if open_skull and not holes:
        findings.append(Finding("build-no-opening", "warn", {"seen": "t1" if t1 is not None else "labels"}))
    if t1 is not None and not shows_bone(labels, affine, t1):
        findings.append(Finding("build-bone-not-seen", "note", {}))
    record = {"open_skull": open_skull, "openings": rows}
    if not holes:
        return AnsweredSkull(labels, None, tuple(findings), record)
    opening = over(holes, labels, affine)
    if open_skull:
        labels = np.where(opening & mask_of(labels, SKULL), np.uint8(SCALP), labels)
        return AnsweredSkull(labels, opening, tuple(findings), record)
    near = within(inside_dura(labels), CLOSED_WITH, voxel_sizes(affine))
    labels = np.where(opening & near & ~mask_of(labels, SKULL), np.uint8(BONE), labels)
    return AnsweredSkull(labels, None, tuple(findings), record)


def _row(hole: Hole, right_of: Sides) -> dict[str, Any]:
    side = "right" if float(right_of(hole.opening.center[None])[0]) > 0 else "left"
    points = hole.points[:: 1 + len(hole.points) // MOST_POINTS]
    return {
        "area_cm2": round(hole.opening.area, 2), "side": side, "seen": hole.source,
        "center_mm": np.round(hole.opening.center, 1).tolist(), "points_mm": np.round(points, 1).tolist(),
    }  # fmt: skip


def _told(rows: list[dict[str, Any]], answer: str) -> list[Finding]:
    """Every opening and what was done with it; a stop while it is unanswered."""
    found = []
    for row in rows:
        x, y, z = row["center_mm"]
        values = {
            "area_cm2": row["area_cm2"], "opening_side": row["side"], "x": x, "y": y, "z": z, "seen": row["seen"],
            "answer": answer,
        }  # fmt: skip
        found.append(Finding("build-skull-open", "note" if answer == "open" else "warn", values))
    if rows and answer == "unanswered":
        total = sum(row["area_cm2"] for row in rows)
        found.append(Finding("head-open-skull-unanswered", "stop", {"area_cm2": total, "openings": len(rows)}))
    return found
