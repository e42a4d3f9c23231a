"""Lesions and a missing flap through the real segmenter, with and without the lesion filled before; needs SAMSEG.

    python benchmarks/segmenter.py FOLDER [--unpainted LABELS] [--plan] [--only flap|cavity]

Paints two states into Colin27's T1 (tests/painting.py): 50 cm2 of bone missing and 40 cm3 of cavity around an island of
viable cortex, and a cavity of 150 cm3 open to the ventricle.  Each goes through `neuro-field head`'s own way: filling,
SAMSEG, labels, lesion, head (edge 4) and, with --plan, a plan of the spared hand.  Told are the agreement (Dice) of the
labels with those of the unpainted T1 beyond 5 mm from all that was painted, how far the spared hand's target lies from
the unpainted head's, and what was found.  About ten minutes a run of SAMSEG on two idle processors, five runs; FOLDER
keeps them, and labels that are there (labels_<name>.mgz) are taken.
"""

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
class Row:
    """One run's figures."""

    name: str
    dice: dict[str, float]
    apart: float
    findings: tuple[Finding, ...]
    strength: float | None


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


def segmented(name: str, t1: Path, folder: Path, lesion: Path | None) -> tuple[Path, tuple[Finding, ...]]:
    """Labels of a T1, made or found in the folder."""
    kept = folder / f"labels_{name}.mgz"
    if kept.is_file():
        return kept, ()
    drawn = None if lesion is None else read_mask(lesion).drawn()
    made = segment([t1], folder / f"{name}.segmentation", lesion=drawn, progress=lambda stage, share: None)
    shutil.copyfile(made.labels, kept)
    return kept, made.findings


def headed(t1: Path, labels: Path, lesion: Path | None, said: tuple[Finding, ...]) -> nf.HeadModel:
    """A coarse head, as `neuro-field head` builds it."""
    return head_from_images(t1, labels, lesion=lesion, edge=4.0, findings=said)[0]


def strength(head: nf.HeadModel, target: nf.Target) -> float:
    """What the best placement of a plan reaches, V/m at 1 A/us."""
    return nf.plan(nf.Solver(head), nf.load_coil("figure8-70mm"), target).best.strength


def rows(state: str, folder: Path, unpainted: Image, sound: nf.HeadModel, planned: bool) -> list[Row]:
    """The state's figures, with the lesion filled and not."""
    images = example_images("colin27")
    t1, affine = images["t1"].values, images["t1"].affine
    paint, spared = STATES[state]
    tissues = Volume(images["labels"].values, images["labels"].affine)
    voxels = np.moveaxis(np.indices(t1.shape), 0, -1).reshape(-1, 3) @ affine[:3, :3].T + affine[:3, 3]
    painted = paint(t1, tissues.at(voxels, 0).reshape(t1.shape), affine)
    path, mask = folder / f"T1_{state}.nii.gz", folder / f"mask_{state}.nii.gz"
    write_image(path, painted.values, affine)
    write_image(mask, painted.lesion.astype(np.uint8), affine)
    wanted = nf.Target.named(sound, "m1-hand", side=spared)
    out = []
    for name, filled in ((f"{state}_unfilled", None), (f"{state}_filled", mask)):
        labels, said = segmented(name, path, folder, filled)
        head = headed(path, labels, mask, said)
        found = nf.Target.named(head, "m1-hand", side=spared)
        apart = float(np.linalg.norm(np.asarray(found.center) - wanted.center))
        out.append(
            Row(
                name,
                agreement(read_labels(labels), unpainted, painted.changed, affine),
                apart,
                head.findings,
                strength(head, found) if planned else None,
            )
        )
    return out


def main(words: list[str] | None = None) -> list[Row]:
    """Measure what is asked for, print it, and return the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--unpainted", type=Path, help="labels of the unpainted T1, where they were made before")
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--only", choices=list(STATES))
    given: Any = parser.parse_args(words)
    given.folder.mkdir(exist_ok=True)
    t1 = given.folder / "T1_unpainted.nii.gz"
    image = example_images("colin27")["t1"]
    write_image(t1, image.values, image.affine)
    labels = given.unpainted or segmented("unpainted", t1, given.folder, None)[0]
    sound, unpainted = headed(t1, labels, None, ()), read_labels(labels)
    out = []
    print(f"{'run':18s}" + "".join(f"{name.replace('_matter', ''):>8s}" for name in TISSUES) + "  hand mm  held  found")
    for state in [given.only] if given.only else STATES:
        for row in rows(state, given.folder, unpainted, sound, given.plan):
            held = min(row.dice.values()) >= LEAST_DICE and row.apart <= MOST_APART
            codes = ", ".join(f"{finding.code} ({finding.level})" for finding in row.findings)
            reached = "" if row.strength is None else f"; {row.strength:.1f} V/m at 1 A/us"
            figures = "".join(f"{value:8.3f}" for value in row.dice.values())
            print(
                f"{row.name:18s}{figures}{row.apart:9.1f}  {'yes' if held else 'no':4s}  {codes}{reached}", flush=True
            )
            out.append(row)
    return out


if __name__ == "__main__":
    main()
