"""The files one participant is computed from, found by their names or named in the table."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from neuro_field.cohort.dataset import Dataset, Named, files_of, images_in, the_one, whole_head_makers
from neuro_field.cohort.entities import Who
from neuro_field.errors import InputError
from neuro_field.io.digest import digest
from neuro_field.nouns import noun

#: Columns of the table that name a file, relative to the data set.
FILES = ("t1w", "t2w", "flair", "lesion", "labels")

#: Endings of a lesion mask, and of labels.
_MASKS = (".nii.gz", ".nii", ".mgz", ".mgh", ".voi", ".nrrd", ".seg.nrrd", ".nhdr")
_LABELS = (".nii.gz", ".nii", ".mgz")

#: Names of spaces that are the T1's own.
_OWN = ("", "t1w", "orig", "individual", "native", "t1")

#: On which other image a mask was drawn, by its space.
_DRAWN_ON = {"flair": "flair", "t2w": "t2", "t2": "t2"}

#: How segmenters call the labels of a whole head.
_SEGMENTERS = ("seg", "labeling", "final_tissues", "tissue_labeling_upsampled")


@noun
class Inputs:
    """Paths of what there is; ``t1`` always.

    ``lesion_image`` is the image a mask was drawn on where that is not the T1; ``m2m`` a finished head of SimNIBS in
    place of ``labels``; ``surfaces`` the folder surf of FreeSurfer.
    """

    t1: Path
    t2: Path | None = None
    flair: Path | None = None
    lesion: Path | None = None
    lesion_image: Path | None = None
    labels: Path | None = None
    m2m: Path | None = None
    surfaces: Path | None = None

    @property
    def files(self) -> dict[str, Path]:
        """What their contents are known by: a folder by its mesh, or its registered spheres."""
        out: dict[str, Path] = {}
        for each in fields(self):
            path = getattr(self, each.name)
            if path is None:
                continue
            if path.is_dir():
                out |= {f"{each.name}/{file.name}": file for file in _of_folder(path)}
            else:
                out[each.name] = path
                out |= {f"{each.name}{beside.suffix}": beside for beside in _beside(path)}
        return out

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file, by what it is; names and places do not count."""
        return {what: digest(path) for what, path in self.files.items()}


def _of_folder(path: Path) -> list[Path]:
    meshes = sorted(path.glob("*.msh")) or sorted(path.parent.glob(f"{path.name.removeprefix('m2m_')}.msh"))
    return meshes or sorted(each for each in path.glob("?h.*") if each.suffix in (".white", ".pial", ".reg"))


def _beside(path: Path) -> list[Path]:
    """Sidecars that say what the numbers of a mask or of labels mean."""
    stem = path.name.removesuffix(".gz").rpartition(".")[0]
    return [each for each in (path.with_name(f"{stem}{ending}") for ending in (".json", ".tsv")) if each.is_file()]


def find_inputs(dataset: Dataset, who: Who, row: Mapping[str, str]) -> Inputs:
    """What one participant is computed from.

    Parameters
    ----------
    dataset : Dataset
    who : Who
    row : mapping of str to str
        Of the table: the columns of `FILES` win over what is found.

    Raises
    ------
    InputError
        If there is no T1, or nothing says which of several files is meant.
    """
    given = {column: dataset.within(row[column]) for column in FILES if row.get(column)}
    own = dataset.root / who.folder
    t1 = given.get("t1w") or _path(the_one(images_in(own, "T1w"), "T1", "t1w", dataset.root))
    if t1 is None:
        raise InputError(f"There is no T1 of {who.label}: no file {who.folder}/anat/*_T1w.nii or .nii.gz.")
    others = {"t2": ("t2w", "T2w"), "flair": ("flair", "FLAIR")}
    images = {
        what: given.get(column) or _path(the_one(images_in(own, suffix), what.upper(), column, dataset.root))
        for what, (column, suffix) in others.items()
    }
    lesion, drawn_on = given.get("lesion"), None
    if lesion is None:
        found = _lesion(dataset, who)
        lesion, drawn_on = _path(found), _DRAWN_ON.get(found.space.lower()) if found is not None else None
    if drawn_on is not None and images[drawn_on] is None:
        raise InputError(f"The lesion {lesion} was drawn on the {drawn_on.upper()}, and {who.label} has none.")
    labels = given.get("labels")
    m2m = None if labels is not None else _m2m(dataset, who)
    if labels is None and m2m is None:
        labels = _labels(dataset, who)
    return Inputs(
        t1, images["t2"], images["flair"], lesion, images[drawn_on] if drawn_on else None,
        None if labels is not None and labels.is_dir() else labels,
        labels if labels is not None and labels.is_dir() else m2m, _surfaces(dataset, who),
    )  # fmt: skip


def _path(found: Named | None) -> Path | None:
    return None if found is None else found.path


def is_lesion_mask(file: Named) -> bool:
    """Whether a file's name says that it is a lesion mask.

    ``label-lesion_mask`` of the standard, ``label-L_desc-T1lesion_mask`` of ATLAS, and other usual names:
    ``desc-lesion_mask``, ``_lesion``, ``_lesion_mask``, ``_lesionmask``, ``_lesion_roi``, ``_label-lesion_roi``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from neuro_field.cohort.dataset import Named
    >>> from neuro_field.cohort.entities import BidsName
    >>> name = "sub-01_T1w_lesion_mask.nii.gz"
    >>> is_lesion_mask(Named(Path(name), BidsName.of(name)))
    True
    """
    name = file.name
    if name.ending not in _MASKS:
        return False
    label, described, suffix = (name.entities.get(key, "").lower() for key in ("label", "desc", "none"))
    suffix = name.suffix.lower()
    if suffix in ("mask", "roi", "dseg", "label", "seg"):
        words = [each.lower() for each in name.others]
        return "lesion" in label or label == "l" or "lesion" in described or "lesion" in words
    return suffix in ("lesion", "lesionmask", "lesionroi", "lesionseg")


def _lesion(dataset: Dataset, who: Who) -> Named | None:
    """The mask in the T1's space, or drawn on another image of the person; never one of an atlas's space."""
    folders = (*dataset.derivatives, dataset.root)
    masks = [each for folder in folders for each in files_of(folder, who) if is_lesion_mask(each)]
    own = [each for each in masks if each.space.lower() in _OWN]
    drawn = [each for each in masks if each.space.lower() in _DRAWN_ON]
    found = the_one(own or drawn, "lesion mask", "lesion", dataset.root)
    if found is None and masks:
        raise InputError(
            f"The only lesion mask of {who.label} lies in space {masks[0].space!r:.40}, not in the T1's; give one "
            "drawn on the T1, FLAIR or T2, or name it in column lesion if the T1 lies there too."
        )
    return found


def _m2m(dataset: Dataset, who: Who) -> Path | None:
    """The folder of SimNIBS of one person, wherever derivatives keep it."""
    names = {f"m2m_sub-{who.participant}", f"m2m_{who.label}", f"m2m_{who.participant}"}
    found = []
    for folder in whole_head_makers(dataset):
        places = (folder, folder / f"sub-{who.participant}", folder / who.folder, folder / who.folder / "anat")
        found += [place / name for place in dict.fromkeys(places) for name in names if (place / name).is_dir()]
    if len(found) > 1:
        raise InputError(f"There are {len(found)} folders m2m of {who.label}; name one in column labels.")
    return found[0] if found else None


def _labels(dataset: Dataset, who: Who) -> Path | None:
    """Labels of a whole head, made by a segmenter."""
    files = [each for folder in whole_head_makers(dataset) for each in files_of(folder, who) if _is_labels(each)]
    return _path(the_one(files, "labels", "labels", dataset.root))


def _is_labels(file: Named) -> bool:
    name = file.name
    stem = file.path.name.removesuffix(name.ending)
    if name.ending not in _LABELS or is_lesion_mask(file) or file.space.lower() not in _OWN:
        return False
    return stem in _SEGMENTERS or name.suffix == "dseg"


def _surfaces(dataset: Dataset, who: Who) -> Path | None:
    """FreeSurfer's surfaces of one person, those that sphere registration needs being there."""
    needed = [f"{side}h.{kind}" for side in "lr" for kind in ("white", "pial", "sphere.reg")]
    for folder in (*dataset.derivatives, *(each / "freesurfer" for each in dataset.derivatives)):
        for name in dict.fromkeys((who.label, f"sub-{who.participant}")):
            surf = folder / name / "surf"
            if all((surf / each).is_file() for each in needed):
                return surf
    return None
