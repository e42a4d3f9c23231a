"""Maps of a group by role: mean and variance of |E|, and how many lesions lie where; as heads lie, and turned over.

Contralesional of one and contralesional of another lie in different hemispheres.  Turned, every affected hemisphere is
the left one: heads with a right-sided lesion are looked at in the mirror, on the symmetric template.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.cohort.dataset import Named
from neuro_field.cohort.derivatives import group_name, overlap_name, write_map
from neuro_field.cohort.entities import BidsName
from neuro_field.cohort.fsaverage import NAME, VERTICES
from neuro_field.cohort.results import AFFECTED
from neuro_field.cohort.standard import TEMPLATE
from neuro_field.errors import InputError
from neuro_field.io.images import UNREADABLE
from neuro_field.io.json_text import record_in
from neuro_field.mri.template import template

#: A longer sidecar, bytes, is none.
_LONGEST = 1_000_000


@dataclass
class Sums:
    """Mean and variance of images that come one after another (Welford, Technometrics 1962;4:419), where known."""

    people: list[str] = field(default_factory=list)
    about: Mapping[str, Any] = field(default_factory=dict)
    count: Any = 0
    mean: Any = 0.0
    squares: Any = 0.0

    def add(self, label: str, values: AnyArray, about: Mapping[str, Any]) -> None:
        """One image more."""
        self.people.append(label)
        self.about = about
        known = np.isfinite(values)
        self.count = self.count + known
        off = np.where(known, values - self.mean, 0.0)
        self.mean = self.mean + off / np.maximum(self.count, 1)
        self.squares = self.squares + off * np.where(known, values - self.mean, 0.0)

    @property
    def variance(self) -> AnyArray:
        """Of those that are known, with one degree of freedom less; NaN of fewer than two."""
        out: AnyArray = np.where(self.count > 1, self.squares / np.maximum(self.count - 1, 1), np.nan)
        return out


def write_group_maps(out: Path, people: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Write the maps of everybody's plans.

    Parameters
    ----------
    out : Path
    people : iterable of (str, str)
        Folder and label of everybody who counts, as "sub-01/ses-a" and "sub-01_ses-a".

    Returns
    -------
    list of dict
        Of every map ``file``, ``role``, ``preset``, ``coil``, ``space``, ``turned`` and ``n``.
    """
    sums: dict[tuple[str, str, str, bool], Sums] = {}
    lesions: dict[bool, Sums] = {}
    for folder, label in people:
        affected = None
        for path in sorted((out / folder / "fmap").glob("*_magnitude.nii.gz")):
            name, about = BidsName.of(path.name), _about(path)
            if name is None or about.get("Role") is None:
                continue
            affected = about.get("Affected") or affected
            values = _values(Named(path, name))
            for turned in (False, True):
                if _counts(about, turned):
                    key = (name.entities["acq"], name.entities["space"], about["Role"], turned)
                    sums.setdefault(key, Sums()).add(label, values, about)
        mask = out / folder / "anat" / f"{label}_space-{TEMPLATE}_label-lesion_mask.nii.gz"
        if mask.is_file():
            values = _values(Named(mask, BidsName({"space": TEMPLATE}, (), "mask", ".nii.gz"))) > 0
            lesions.setdefault(False, Sums()).add(label, values.astype(float), {})
            if affected is not None:
                turned_over = values if affected == AFFECTED else values[::-1]
                lesions.setdefault(True, Sums()).add(label, turned_over.astype(float), {})
    made = [row for key, found in sorted(sums.items()) for row in _written(out, key, found)]
    return made + [_overlap(out, turned, found) for turned, found in sorted(lesions.items())]


def _counts(about: Mapping[str, Any], turned: bool) -> bool:
    """Whether a map is one of those that lie as they are, or of those whose affected hemisphere is on one side."""
    if not turned:
        return not about.get("Flipped")
    affected = about.get("Affected")
    return affected is not None and bool(about.get("Flipped")) == (affected != AFFECTED)


def _written(out: Path, key: tuple[str, str, str, bool], found: Sums) -> list[dict[str, Any]]:
    """Mean and variance of one role, as files."""
    acquisition, space, role, turned = key
    word, lies = ("Flipped", f"affected hemispheres turned to the {AFFECTED}") if turned else ("", "as they lie")
    kinds = {"Mean": (found.mean, "Mean", "V/m"), "Variance": (found.variance, "Variance", "(V/m)^2")}
    rows = []
    for kind, (values, words, units) in kinds.items():
        name = group_name(space, acquisition, f"{role}{word}{kind}")
        shown = np.where(found.count > 0, values, np.nan).astype(np.float32)
        write_map(
            out, name, shown if space == NAME else np.where(_brain(), shown, 0).astype(np.float32),
            f"{words} over {len(found.people)} participants, {lies}, of |E| of the best placement at 1 A/us.",
            Units=units, N=len(found.people), Participants=sorted(found.people), Role=role, Flipped=turned,
            Preset=found.about.get("Preset"), Coil=found.about.get("Coil"),
        )  # fmt: skip
        rows.append({
            "file": name, "role": role, "preset": str(found.about.get("Preset")), "space": space, "turned": turned,
            "coil": str(found.about.get("Coil")), "kind": kind.lower(), "n": len(found.people),
        })  # fmt: skip
    return rows


def _overlap(out: Path, turned: bool, found: Sums) -> dict[str, Any]:
    """The share of lesions that covers each place, as a file."""
    name = overlap_name("overlapFlipped" if turned else "overlap")
    lies = f"affected hemispheres turned to the {AFFECTED}" if turned else "as they lie"
    write_map(
        out, name, found.mean.astype(np.float32), f"Share of {len(found.people)} lesions that covers a place, {lies}.",
        N=len(found.people), Participants=sorted(found.people), Flipped=turned,
    )  # fmt: skip
    return {
        "file": name, "role": "lesion", "preset": "", "coil": "", "space": TEMPLATE, "turned": turned,
        "kind": "overlap", "n": len(found.people),
    }  # fmt: skip


def _brain() -> AnyArray:
    return template().brain


def _about(path: Path) -> dict[str, Any]:
    """The sidecar of a map; nothing where there is none, or a damaged one."""
    return record_in(path.with_name(path.name.removesuffix(".nii.gz") + ".json"), _LONGEST)


def _values(file: Named) -> AnyArray:
    """Values of a map that this program wrote, checked by the shape that its space has."""
    space = file.name.entities["space"]
    shape = (VERTICES, 1, 2) if space == NAME else template().brain.shape
    try:
        image = nib.Nifti1Image.from_filename(file.path)
        if image.shape != shape:
            raise InputError(f"The map {file.path} has shape {image.shape}; in {space} it is {shape}.")
        values: AnyArray = np.asarray(image.dataobj, dtype=np.float64)
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(f"The map {file.path} is damaged ({str(error)[:80]}); run that participant again.") from None
    return values[:, 0, :] if space == NAME else values
