"""What the package makes of what hospitals hand over: taken, told or refused, and the true error at the hand knobs.

``python benchmarks/door.py [PATTERN] [--stride 2]`` prints a table in Markdown, of the cases of ``tests/doors.py``.
The exit status is 1 if a right case is refused, or one is beyond 5 mm and nothing is said of it.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import doors

from neuro_field.arrays import transformed
from neuro_field.errors import InputError
from neuro_field.head.doubts import LEAST_OVERLAP
from neuro_field.head.mapping import AffineMapping
from neuro_field.mri.agreement import check_labels
from neuro_field.mri.build import prepare_labels
from neuro_field.mri.mapping import register_to_mni
from neuro_field.mri.overlap import overlap_of
from neuro_field.mri.volume import Volume

#: An error at a hand knob beyond this, mm, of which nothing is said, is a fault.
SILENT = 5.0


@dataclass(frozen=True)
class Row:
    """What became of a case: ``done`` "taken", "told" or "refused", ``said``, error in mm (None without a map)."""

    case: doors.Case
    done: str
    said: str
    error: float | None
    seconds: float

    @property
    def fault(self) -> str:
        """What is wrong about it; empty where it is as it must be."""
        if self.case.expected == "right" and self.done == "refused":
            return "a right case is refused"
        if self.done == "taken" and self.error is not None and self.error > SILENT:
            return f"silently {self.error:.0f} mm off"
        if self.case.expected == "wrong" and self.done == "taken":
            return "a wrong case is taken"
        return ""


def measured(case: doors.Case, truth: AffineMapping, stride: int) -> Row:
    """The case through the checks, cleaning and registration of a build, not meshed."""
    scene, start = case.made(stride), time.perf_counter()
    try:
        labels, t1 = Volume(scene.labels, scene.affine), Volume(scene.t1, scene.t1_affine)
        codes = [finding.code for finding in check_labels(labels, t1, "The labels and the T1")]
        ready = prepare_labels(
            scene.labels, scene.affine, scene.lesion, lesion_affine=scene.lesion_affine, table="simnibs", t1=t1
        )
        mapping = register_to_mni(ready.labels, ready.affine, padding=ready.padding)
    except InputError as refusal:
        return Row(case, "refused", str(refusal), None, time.perf_counter() - start)
    overlap = overlap_of(ready.labels, ready.affine, mapping, ready.padding)
    if overlap.white < LEAST_OVERLAP:
        codes.append(f"head-map-doubtful ({overlap.white:.2f})")
    codes += sorted({row["code"] for row in ready.record["findings"]})
    places = transformed(truth.from_mni(doors.HAND_KNOBS), scene.world)
    error = float(np.linalg.norm(mapping.from_mni(doors.HAND_KNOBS) - places, axis=1).max())
    return Row(case, "told" if codes else "taken", ", ".join(codes), error, time.perf_counter() - start)


def main(arguments: list[str] | None = None) -> list[Row]:
    """Measure the cases whose names hold a pattern, print the table, and give its rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pattern", nargs="?", default="", help="part of the names of the cases to run")
    parser.add_argument("--stride", type=int, default=2, help="every how many-th voxel of the head is used (1 mm each)")
    given = parser.parse_args(arguments)
    whole = doors.colin27(given.stride)
    truth = register_to_mni(whole.labels, whole.affine)
    rows = []
    print("| case | must be | done | said | error, mm | s |\n|---|---|---|---|---|---|")
    for case in doors.cases():
        if given.pattern in case.name:
            row = measured(case, truth, given.stride)
            rows.append(row)
            error = "" if row.error is None else f"{row.error:.1f}"
            fault = f" **{row.fault}**" if row.fault else ""
            print(
                f"| {case.name} | {case.expected} | {row.done}{fault} | {row.said} | {error} | {row.seconds:.0f} |",
                flush=True,
            )
    right = [row for row in rows if row.case.expected == "right"]
    doubted = sum("head-map-doubtful" in row.said for row in right)
    print(f"\nOf {len(right)} right cases {doubted} are told to have a doubtful map.")
    return rows


if __name__ == "__main__":
    sys.exit(any(row.fault for row in main()))
