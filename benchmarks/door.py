"""What the package makes of what hospitals hand over: taken, told or refused, and the true error at the hand knobs.

``python benchmarks/door.py [PATTERN] [--stride 2] [--into docs/worked/door.md]`` prints a table in Markdown, of the
cases of ``tests/doors.py``: each is written to files and goes the way of `neuro_field.head_from_images`, not meshed.
The exit status is 1 if a row has a fault, or more than two of twenty right cases are told to have a doubtful map.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import doors

from neuro_field.arrays import transformed
from neuro_field.errors import InputError
from neuro_field.findings import Finding, worst_first
from neuro_field.head.doubts import doubts_of_map
from neuro_field.head.mapping import AffineMapping
from neuro_field.mri.build import PreparedLabels, fissure_of, mapped, silent
from neuro_field.mri.mapping import register_to_mni
from neuro_field.store.building import prepared_images

#: An error at a hand knob beyond this, mm, of which nothing is said, is a fault.
SILENT = 5.0

#: An opening's area, and the volume of an island kept, may be off by this share.
OFF = 0.25

#: Of right cases, at most this share may be told to have a doubtful map.
MOST_DOUBTED = 0.1

#: Codes that say that the map, and with it every place, may be wrong; the others are about something else.
OF_THE_MAP = {
    "head-map-doubtful", "head-midline-off", "image-labels-unlike-t1", "image-atlas-only", "build-image-cuts-brain",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What became of a case.

    ``done`` "taken", "told" (a warning or a stop) or "refused"; ``said`` the codes, notes in brackets, or why it was
    refused; ``kept`` opening or island, as measured; ``error`` in mm, None without a map; ``faults`` what is wrong.
    """

    case: doors.Case
    done: str
    said: str
    kept: str
    error: float | None
    seconds: float
    codes: frozenset[str] = frozenset()
    faults: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """In Markdown."""
        fault = f" **{'; '.join(self.faults)}**" if self.faults else ""
        error = "" if self.error is None else f"{self.error:.1f}"
        said = self.said.replace("|", "/")
        return f"| {self.case.name} | {self.case.expected} | {self.done}{fault} | {said} | {self.kept} | {error} |"


def measured(case: doors.Case, truth: AffineMapping, stride: int, plain: frozenset[str] = frozenset()) -> Row:
    """The case through the files, checks, cleaning and registration of a build, not meshed.

    ``plain`` are the codes said of the untouched head in such voxels: they tell nothing about the case.
    """
    scene, start = case.made(stride), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        try:
            images = prepared_images(**doors.written(scene, Path(folder)), table=scene.table)
            ready, record = images.ready, images.ready.record
            mapping = mapped(ready, None, False, record, silent)
        except InputError as refusal:
            said = str(refusal).replace(f"{folder}/", "")
            faults = ("a right case is refused",) if case.expected == "right" else ()
            return Row(case, "refused", said, "", None, time.perf_counter() - start, faults=faults)
    doubts = doubts_of_map(mapping, record["mapping_overlap"], fissure_of(ready, mapping))
    told = [*map(Finding.of_plain, record["findings"]), *images.lesion_findings(mapping), *doubts]
    found = [each for each in told if each.code not in plain]
    warned = {each.code for each in found if each.level != "note"}
    shown = dict.fromkeys(each.code if each.code in warned else f"({each.code})" for each in worst_first(found))
    places = transformed(truth.from_mni(doors.HAND_KNOBS), scene.world)
    error = float(np.linalg.norm(mapping.from_mni(doors.HAND_KNOBS) - places, axis=1).max())
    kept, wrong = kept_of(case, scene, ready)
    codes = frozenset(each.code for each in found)
    return Row(
        case, "told" if warned else "taken", ", ".join(shown), kept, error, time.perf_counter() - start, codes,
        (*wrong, *faults_of(case, warned, codes, error)),
    )  # fmt: skip


def faults_of(case: doors.Case, warned: set[str], codes: frozenset[str], error: float) -> tuple[str, ...]:
    """What is wrong about a case that was not refused: silence counts, whatever else was said."""
    if case.expected == "unseen":
        return ()
    out = []
    if error > SILENT and not warned & OF_THE_MAP:
        out.append(f"silently {error:.0f} mm off")
    if case.expected == "wrong" and not warned:
        out.append("a wrong case is taken")
    if case.says and case.says not in codes:
        out.append(f"{case.says} is not said")
    return tuple(out)


def kept_of(case: doors.Case, scene: doors.Scene, ready: PreparedLabels) -> tuple[str, tuple[str, ...]]:
    """The opening that was found, or what was kept of an island, and what is wrong about it."""
    if case.area:
        return opening_of(case, ready.record["skull"]["openings"])
    if scene.island is None:
        return "", ()
    low = [ends[0] for ends in ready.padding]
    own = tuple(slice(start, start + size) for start, size in zip(low, scene.island.shape, strict=True))
    cm3 = abs(np.linalg.det(scene.affine[:3, :3])) / 1e3
    kept = cm3 * np.count_nonzero(np.isin(ready.labels[own], (1, 2)) & scene.island)
    there = cm3 * np.count_nonzero(scene.island)
    return f"{kept:.1f} of {there:.1f} cm³", ("the island is lost",) if kept < (1 - OFF) * there else ()


def opening_of(case: doors.Case, rows: list[Mapping[str, object]]) -> tuple[str, tuple[str, ...]]:
    """Areas, sides and where openings are seen; one is there."""
    shown = ", ".join(f"{row['area_cm2']:.1f} cm², {row['side']}, by the {row['seen']}" for row in rows)
    area = sum(float(str(row["area_cm2"])) for row in rows)
    faults = ["its area is wrong"] if abs(area - case.area) > OFF * case.area else []
    faults += [f"an opening on the {row['side']}" for row in rows if f", {row['side']}," not in case.name]
    return shown or "no opening", tuple(faults)


def main(arguments: list[str] | None = None) -> bool:
    """Measure the cases whose names hold a pattern and print the table; whether something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pattern", nargs="?", default="", help="part of the names of the cases to run")
    parser.add_argument("--stride", type=int, default=2, help="every how many-th voxel of the head is used (1 mm each)")
    parser.add_argument("--into", type=Path, help="keep the table in a file, as docs/worked/door.md")
    given = parser.parse_args(arguments)
    whole = doors.colin27(given.stride)
    truth = register_to_mni(whole.labels, whole.affine)
    untouched = measured(doors.Case("untouched", "right", doors.colin27), truth, given.stride)
    lines, rows = [], []

    def put(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    put("| handed over | it is | it was | what was said | kept | error, mm |\n|---|---|---|---|---|---|")
    for case in doors.cases():
        if given.pattern in case.name:
            rows.append(measured(case, truth, given.stride, untouched.codes))
            put(rows[-1].line)
    right = [row for row in rows if row.case.expected == "right"]
    doubted = sum("head-map-doubtful" in row.codes for row in right)
    put(f"\nOf {len(right)} right cases {sum(row.done == 'refused' for row in right)} were refused, {doubted} told to "
        "have a doubtful map.")  # fmt: skip
    if untouched.codes:
        put(f"\nLeft out is what is said of the untouched head in voxels of {given.stride} mm: {untouched.said}.")
    if given.into is not None:
        given.into.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return any(row.faults for row in rows) or doubted > MOST_DOUBTED * max(len(right), 10)


if __name__ == "__main__":
    sys.exit(main())
