"""What has to be said of a head before anything is computed in it: its map, its midline, its lesion."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from neuro_field.errors import InputError
from neuro_field.findings import Finding, Refusal, worst_first
from neuro_field.head.fissure import Fissure
from neuro_field.head.lesion import BOTH_CM3, lesion_summary
from neuro_field.head.mapping import MniMapping
from neuro_field.head.openings import LEAST, skull_openings

if TYPE_CHECKING:
    from neuro_field.head.model import HeadModel

#: White matter of a head that overlaps the template's less than this (Dice) says that the map is bad.
LEAST_OVERLAP = 0.60

#: MNI's midline and the patient's fissure farther apart than this, mm, are told.
MOST_APART = 5.0

#: Part of MNI space, mm, in which they are compared: y and z.
_COMPARED = (-80.0, 50.0), (0.0, 65.0)


def doubts_of(head: "HeadModel") -> tuple[Finding, ...]:
    """Findings of a head, worst first: those of its building, which its provenance keeps, and its own."""
    building = (Finding.of_plain(row) for row in head.provenance.get("findings", ()))
    of_its_map = doubts_of_map(head.mapping, head.provenance.get("mapping_overlap") or {}, head.fissure)
    return worst_first([*building, *of_its_map, *_of_skull(head), *_of_lesion(head)])


def doubts_of_map(
    mapping: MniMapping | None, overlaps: Mapping[str, Mapping[str, float]], fissure: Fissure | None
) -> tuple[Finding, ...]:
    """What a map to MNI152 leaves in doubt, by its overlaps, as a head's record keeps them, and by the fissure."""
    return (*_of_map(mapping, overlaps), *_of_midline(fissure, mapping))


def check_usable(head: "HeadModel") -> None:
    """Refuse a head of which something has to be answered before anything is computed for a patient.

    Raises
    ------
    Refusal
        With the head's findings of level "stop".
    """
    stops = [found for found in head.findings if found.level == "stop"]
    if stops:
        raise Refusal(*stops)


def open_area(head: "HeadModel") -> float:
    """Area, cm2, of the openings of a head's skull: as found when it was built, closed since or not, or in its mesh."""
    told = [found for found in head.findings if found.code in ("build-skull-open", "head-open-skull")]
    return max((float(str(found.values["area_cm2"])) for found in told), default=0.0)


def _of_map(mapping: MniMapping | None, overlaps: Mapping[str, Mapping[str, float]]) -> Iterator[Finding]:
    if mapping is None:
        yield Finding("head-no-map", "note", {})
    used = overlaps.get("nonlinear") or overlaps.get("affine")
    if used and used.get("white_matter", 1.0) < LEAST_OVERLAP:
        yield Finding(
            "head-map-doubtful",
            "warn",
            {
                "white": float(used["white_matter"]),
                "grey": float(used["grey_matter"]) if "grey_matter" in used else None,
                "least": LEAST_OVERLAP,
                "warped": "nonlinear" in overlaps,
            },
        )


def _of_midline(fissure: Fissure | None, mapping: MniMapping | None) -> Iterator[Finding]:
    if fissure is None:
        yield Finding("head-no-fissure", "warn", {"mapped": mapping is not None})
        return
    if mapping is None:
        return
    places = mapping.to_mni(fissure_points(fissure))
    (back, front), (low, high) = _COMPARED
    _, y, z = places.T
    places = places[(y > back) & (y < front) & (z > low) & (z < high)]
    if not len(places):
        yield Finding("head-midline-off", "warn", {"most": None, "median": None, "y": None, "z": None})
        return
    farthest = places[np.argmax(np.abs(places[:, 0]))]
    if abs(farthest[0]) > MOST_APART:
        yield Finding(
            "head-midline-off",
            "warn",
            {
                "most": abs(float(farthest[0])),
                "median": float(np.median(np.abs(places[:, 0]))),
                "y": float(farthest[1]),
                "z": float(farthest[2]),
            },
        )


def fissure_points(fissure: Fissure) -> np.ndarray:
    """(m, 3) points of a fissure, one a cell, mm, head frame."""
    j, k = np.indices(fissure.offsets.shape)
    y, z = (start + fissure.step * cells for start, cells in zip(fissure.start, (j, k), strict=True))
    local = np.stack([fissure.offsets, y, z], axis=-1).reshape(-1, 3)
    return local @ fissure.head_from_grid[:3, :3].T + fissure.head_from_grid[:3, 3]


def _of_skull(head: "HeadModel") -> Iterator[Finding]:
    """Openings of the mesh; where the labels it was made of have bone all over, the mesh is too coarse for it."""
    built = head.provenance.get("skull")
    closed = isinstance(built, Mapping) and built.get("open_skull") is not True
    sided = head.fissure is not None or head.mapping is not None
    for opening in skull_openings(head):
        right = float(head.right_of_midline(opening.center[None])[0]) if sided else None
        side = None if right is None else "right" if right > 0 else "left"
        x, y, z = opening.center.tolist()
        values = {"area_cm2": opening.area, "opening_side": side, "x": x, "y": y, "z": z, "least": LEAST}
        yield Finding("head-bone-lost-in-mesh" if closed else "head-open-skull", "warn", values)


def _of_lesion(head: "HeadModel") -> Iterator[Finding]:
    try:
        lesion = lesion_summary(head)
    except InputError:  # a warp that cannot be inverted there is told where the map is used
        return
    if lesion is None:
        return
    sides = {"left_cm3": lesion.left_cm3, "right_cm3": lesion.right_cm3, "below_cm3": lesion.infratentorial_cm3}
    if lesion.side is None:
        yield Finding("lesion-side-unknown", "warn", {"cm3": lesion.volume_cm3})
    elif lesion.side == "both":
        yield Finding("lesion-both-sides", "warn", sides)
    elif lesion.side == "infratentorial":
        yield Finding("lesion-infratentorial", "warn", sides)
    elif lesion.side == "midline":
        yield Finding("lesion-midline", "warn", sides)
    elif lesion.smaller_cm3 is not None and lesion.smaller_cm3 > 0:
        yield Finding(
            "lesion-small-other-side",
            "note",
            {"other": lesion.smaller_side, "cm3": lesion.smaller_cm3, "least": BOTH_CM3},
        )
