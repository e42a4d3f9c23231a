"""The skull on the page of a head: its openings in a table, and marked on slices through the largest of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.head.model import HeadModel
from neuro_field.mri.volume import Volume
from neuro_field.report.directions import point_words
from neuro_field.report.slices import slice_pictures

#: What was done with an opening when the head was built, by the answer kept of it.
_DONE = {None: "closed for inspection: not answered", True: "kept open, as answered", False: "closed, as answered"}

#: Where it is seen.
_SEEN = {"labels": "labels", "t1": "T1, where the labels have bone", "mesh": "mesh"}


@dataclass(frozen=True, eq=False)
class OpeningsOfHead:
    """Openings of a head's skull, largest first: ``rows`` for a table, ``points`` (m, 3) of them all, mm, head frame,
    and the ``center`` (3,) of the largest, None without any."""

    rows: tuple[Mapping[str, str], ...]
    points: FloatArray
    center: FloatArray | None

    @classmethod
    def of(cls, head: HeadModel) -> "OpeningsOfHead":
        """As found when the head was built; in its mesh, where nothing is kept of that."""
        kept = head.provenance.get("skull") or {}
        listed: list[dict[str, Any]] = [dict(row) for row in kept.get("openings", ())]
        answer = kept.get("open_skull")
        done = _DONE[answer] if listed else "open in the mesh"
        if not listed:
            listed = [_of_mesh(found.values) for found in head.findings if found.code == "head-open-skull"]
        rows = tuple(
            {
                "Area": f"{row['area_cm2']:.0f} cm²",
                "Side": row["side"] or "not known",
                "Middle, mm of the head frame": point_words(np.array(row["center_mm"])),
                "Seen in": _SEEN[row["seen"]],
                "In this head": done,
            }
            for row in listed
        )
        points = [np.reshape(row["points_mm"] or row["center_mm"], (-1, 3)) for row in listed]
        middle = np.array(listed[0]["center_mm"], dtype=np.float64) if listed else None
        return cls(rows, np.concatenate(points) if points else np.zeros((0, 3)), middle)

    def slices(self, labels: Volume, t1: Volume | None, head: HeadModel) -> dict[str, bytes]:
        """Slices through the largest opening, PNG by plane; none without any."""
        if self.center is None:
            return {}
        return slice_pictures(labels, t1, self.center, head.mapping, self.points)


def _of_mesh(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "area_cm2": values["area_cm2"], "side": values["opening_side"], "seen": "mesh", "points_mm": None,
        "center_mm": [values[axis] for axis in "xyz"],
    }  # fmt: skip
