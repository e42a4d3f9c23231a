"""Lesions and a missing flap through the real segmenter, with and without the lesion filled before; needs SAMSEG.

    python benchmarks/segmenter.py FOLDER [--finished LABELS_FOLDER] [--unpainted LABELS] [--plan] [--only flap|cavity]

Paints two states into Colin27's T1 (tests/painting.py): 50 cm2 of bone missing and 40 cm3 of cavity around an island of
viable cortex, and a cavity of 150 cm3 open to the ventricle.  Each goes through `neuro-field head`'s own way: filling,
SAMSEG, labels, lesion, head (edge 4, an opening of the skull kept open) and, with --plan, a plan of the spared hand.
Told are the agreement (Dice) of the labels with those of the unpainted T1 beyond 5 mm from all that was painted, how
far the spared hand's target and the best placement lie from the unpainted head's, and what was found.  About ten
minutes a run of SAMSEG on two idle processors, five runs; FOLDER keeps them, and labels that are there
(labels_flap_unfilled.mgz, labels_flap_filled.mgz, labels_cavity_..., labels_unpainted.mgz) are taken.  With --finished
they are taken from that folder, SAMSEG is not started, and a run that is not there is named and left out.
"""

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import painting

import neuro_field as nf
from neuro_field.findings import Finding
from neuro_field.head.tissues import tags_of
from neuro_field.io.images import Image, read_labels, write_image
from neuro_field.io.masks import read_mask
from neuro_field.mri.labels import to_tissues
from neuro_field.mri.volume import Volume
from neuro_field.search.plan import Candidate
from neuro_field.segment.segmentation import segment
from neuro_field.shelf.examples import example_images
from neuro_field.store.building import head_from_images

#: What is compared, and beyond which distance from what was painted, mm.
TISSUES, BEYOND = ("white_matter", "grey_matter", "csf", "bone", "scalp"), 5.0

#: What has to be held with filling: least agreement, and how far the hand may lie, mm.
LEAST_DICE, MOST_APART = 0.95, 3.0

#: States, who paints them, and the side that is spared.
STATES: dict[str, tuple[Callable[..., painting.Painted], str]] = {
    "flap": (painting.flap_and_island, "right"),
    "cavity": (painting.open_cavity, "left"),
}


@dataclass(frozen=True)
class Best:
    """The best placement of a plan: V/m at 1 A/us, the unpainted head's, and how far it is from that one's."""

    strength: float
    wanted: float
    moved: float
    turned: float


@dataclass(frozen=True)
class Row:
    """One run's figures."""

    name: str
    dice: dict[str, float]
    apart: float
    findings: tuple[Finding, ...]
    lesion_cm3: float
    best: Best | None


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Twice what two masks share over what they hold."""
    return float(2 * np.count_nonzero(a & b) / max(1, np.count_nonzero(a) + np.count_nonzero(b)))


def agreement(labels: Image, unpainted: Image, changed: np.ndarray, affine: np.ndarray) -> dict[str, float]:
    """Dice by tissue of two label images beyond `BEYOND` from what was painted, which lies on the T1's grid."""
    far = Volume(ndimage.distance_transform_edt(~changed), affine)
    voxels = np.moveaxis(np.indices(unpainted.values.shape), 0, -1).reshape(-1, 3).astype(np.float64)
    places = voxels @ unpainted.affine[:3, :3].T + unpainted.affine[:3, 3]
    counts = far.at(places, 1) > BEYOND
    here = to_tissues(unpainted.values).ravel()[counts]
    there = Volume(to_tissues(labels.values), labels.affine).at(places[counts], 0)
    return {name: dice(np.isin(here, tags_of(name)), np.isin(there, tags_of(name))) for name in TISSUES}


def segmented(
    name: str, t1: Path, given: argparse.Namespace, lesion: Path | None
) -> tuple[Path, tuple[Finding, ...]] | None:
    """Labels of a T1, made or found; None where only finished ones are wanted and these are not there."""
    kept = Path(given.finished or given.folder) / f"labels_{name}.mgz"
    if kept.is_file() or given.finished:
        return (kept, ()) if kept.is_file() else None
    drawn = None if lesion is None else read_mask(lesion).drawn()
    made = segment([t1], given.folder / f"{name}.segmentation", lesion=drawn, progress=lambda stage, share: None)
    shutil.copyfile(made.labels, kept)
    return kept, made.findings


def headed(t1: Path, labels: Path, lesion: Path | None, said: tuple[Finding, ...], opened: bool) -> nf.HeadModel:
    """A coarse head, as `neuro-field head` builds it."""
    answer = True if opened else None
    return head_from_images(t1, labels, lesion=lesion, edge=4.0, open_skull=answer, findings=said)[0]


@cache
def planned(head: nf.HeadModel, side: str) -> Candidate:
    """The best placement over the hand area of a side."""
    target = nf.Target.named(head, "m1-hand", side=side)
    return nf.plan(nf.Solver(head), nf.load_coil("figure8-70mm"), target).best


def compared(head: nf.HeadModel, sound: nf.HeadModel, side: str) -> Best:
    """A head's best placement beside the unpainted head's; a figure-8 turned by half a turn is the same."""
    here, there = planned(head, side), planned(sound, side)
    one, other = here.placement.head_from_coil, there.placement.head_from_coil
    moved = float(np.linalg.norm(one[:3, 3] - other[:3, 3]))
    turned = float(np.degrees(np.arccos(min(1.0, abs(float(one[:3, 1] @ other[:3, 1]))))))
    return Best(here.strength, there.strength, moved, turned)


def painted_files(state: str, folder: Path) -> tuple[painting.Painted, Path, Path]:
    """What is painted, and the files of the painted T1 and of the lesion."""
    images = example_images("colin27")
    t1, affine = images["t1"].values, images["t1"].affine
    tissues = Volume(images["labels"].values, images["labels"].affine)
    voxels = np.moveaxis(np.indices(t1.shape), 0, -1).reshape(-1, 3) @ affine[:3, :3].T + affine[:3, 3]
    painted = STATES[state][0](t1, tissues.at(voxels, 0).reshape(t1.shape), affine)
    path, mask = folder / f"T1_{state}.nii.gz", folder / f"mask_{state}.nii.gz"
    write_image(path, painted.values, affine)
    write_image(mask, painted.lesion.astype(np.uint8), affine)
    return painted, path, mask


def rows(state: str, given: argparse.Namespace, unpainted: Image, sound: nf.HeadModel) -> Iterator[Row]:
    """The state's figures, with the lesion not filled and filled."""
    painted, path, mask = painted_files(state, given.folder)
    spared, opened = STATES[state][1], bool(painted.bone.any())
    wanted = nf.Target.named(sound, "m1-hand", side=spared)
    for name, filled in ((f"{state}_unfilled", None), (f"{state}_filled", mask)):
        made = segmented(name, path, given, filled)
        if made is None:
            print(f"{name:18s}left out: labels_{name}.mgz is not in {given.finished}", flush=True)
            continue
        head = headed(path, made[0], mask, made[1], opened)
        found = nf.Target.named(head, "m1-hand", side=spared)
        yield Row(
            name,
            agreement(read_labels(made[0]), unpainted, painted.changed, example_images("colin27")["t1"].affine),
            float(np.linalg.norm(np.asarray(found.center) - wanted.center)),
            head.findings,
            float(head.provenance["lesion"]["placed_cm3"]),
            compared(head, sound, spared) if given.plan else None,
        )


def told(row: Row) -> str:
    """A row of the table, and below it what was found."""
    held = min(row.dice.values()) >= LEAST_DICE and row.apart <= MOST_APART
    figures = "".join(f"{value:8.3f}" for value in row.dice.values())
    out = f"{row.name:18s}{figures}{row.apart:9.1f}{row.lesion_cm3:8.1f}  {'yes' if held else 'no'}"
    if row.best is not None:
        best = row.best
        out += f"\n    plan: {best.strength:.3f} V/m at 1 A/us (unpainted {best.wanted:.3f}), best placement "
        out += f"{best.moved:.1f} mm and {best.turned:.0f} degrees from the unpainted head's"
    for finding in row.findings:
        area = f", {finding.values['area_cm2']:.1f} cm2" if "area_cm2" in finding.values else ""
        out += f"\n    found: {finding.code} ({finding.level}{area})"
    return out


def main(words: list[str] | None = None) -> list[Row]:
    """Measure what is asked for, print it, and return the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--finished", type=Path, help="a folder of labels made before; SAMSEG is not started")
    parser.add_argument("--unpainted", type=Path, help="labels of the unpainted T1, where they were made before")
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--only", choices=list(STATES))
    given = parser.parse_args(words)
    given.folder.mkdir(exist_ok=True)
    t1 = given.folder / "T1_unpainted.nii.gz"
    image = example_images("colin27")["t1"]
    write_image(t1, image.values, image.affine)
    made = (given.unpainted, ()) if given.unpainted else segmented("unpainted", t1, given, None)
    if made is None:
        parser.error(f"labels_unpainted.mgz is not in {given.finished}; give --unpainted.")
    sound, unpainted = headed(t1, made[0], None, (), False), read_labels(made[0])
    out = []
    print(
        f"{'run':18s}" + "".join(f"{name.replace('_matter', ''):>8s}" for name in TISSUES) + "  hand mm  lesion  held"
    )
    for state in [given.only] if given.only else STATES:
        for row in rows(state, given, unpainted, sound):
            print(told(row), flush=True)
            out.append(row)
    return out


if __name__ == "__main__":
    main()
