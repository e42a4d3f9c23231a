"""The skull on the page of a head: its openings in a table, and marked on slices through the largest of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.head.model import HeadModel
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun
from neuro_field.report.directions import point_words
from neuro_field.report.slices import slice_pictures
from neuro_field.report.words import named, phrase

#: What was done with an opening when the head was built, by the answer kept of it.
_DONE = {None: "opening.unanswered", True: "opening.open", False: "opening.closed"}


@noun
class OpeningsOfHead:
    """Openings of a head's skull, largest first: as ``listed`` with what was ``done`` to them, ``points`` (m, 3) of
    them all, mm, head frame, and the ``center`` (3,) of the largest, None without any."""

    listed: tuple[Mapping[str, Any], ...]
    done: str
    points: FloatArray
    center: FloatArray | None

    @classmethod
    def of(cls, head: HeadModel) -> "OpeningsOfHead":
        """As found when the head was built; in its mesh, where nothing is kept of that."""
        kept = head.provenance.get("skull") or {}
        listed: list[dict[str, Any]] = [dict(row) for row in kept.get("openings", ())]
        answer = kept.get("open_skull")
        done = _DONE[answer] if listed else "opening.of-mesh"
        if not listed:
            listed = [_of_mesh(found.values) for found in head.findings if found.code == "head-open-skull"]
        points = [np.reshape(row["points_mm"] or row["center_mm"], (-1, 3)) for row in listed]
        middle = np.array(listed[0]["center_mm"], dtype=np.float64) if listed else None
        return cls(tuple(listed), done, np.concatenate(points) if points else np.zeros((0, 3)), middle)

    def rows(self, language: str = "en") -> list[dict[str, str]]:
        """For a table, label to value."""
        return [
            {
                phrase("opening.area", language): f"{row['area_cm2']:.0f} cm²",
                phrase("opening.side", language): named(row["side"], language)
                if row["side"]
                else phrase("page.not-known", language),
                phrase("opening.middle", language): point_words(np.array(row["center_mm"])),
                phrase("opening.seen", language): phrase(f"opening.seen-{row['seen']}", language),
                phrase("opening.done", language): phrase(self.done, language),
            }
            for row in self.listed
        ]

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
