"""A lesion as it was drawn: what the numbers of a mask mean; not where it goes in a head.

21 is a cavity, 22 a rim, 23 an acute lesion, or the names that came beside the mask tell.  Any other whole numbers only
number pieces, and all of them are cavity.  Fractions make it a map of probabilities.
"""

import re
from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from neuro_field.arrays import AnyArray, BoolArray, FloatArray, read_only
from neuro_field.errors import InputError
from neuro_field.findings import Finding, as_name
from neuro_field.geometry.voxels import as_affine
from neuro_field.head.tissues import tags_of
from neuro_field.mri.labels import LARGEST_LABEL, Labels, as_image
from neuro_field.nouns import noun

CAVITY, RIM, ACUTE = tags_of("lesion_cavity")[0], tags_of("lesion_rim")[0], tags_of("lesion_acute")[0]

#: Numbers that mean a plain mask, of which nothing has to be said: 255 is a mask as painting programs write it.
PLAIN = (1, 255)

#: A voxel of a probability map belongs to the lesion from here on; the others show how much hangs on that.
THRESHOLD, LOWER, HIGHER = 0.5, 0.25, 0.75

#: Volumes at the lower and the higher threshold that differ from that at `THRESHOLD` by more than this share are told
#: first.
SENSITIVE = 0.25

#: More different whole numbers than this number no pieces: they are grades.
MOST_NUMBERS = 64

#: Largest values of graded maps: shares, percent, bytes.
_SCALES = ((0.0, 1.001, 1.0), (50.0, 100.1, 100.0), (250.0, 255.1, 255.0))

#: Numbers that differ from whole ones by less are whole: scaled integers, single precision.
_WHOLE = 1e-3

#: Voxels without a number are told above this share of the image.
_MANY = 0.01

#: Numbers listed one by one.
_MOST_LISTED = 8

#: Words of names that tell a kind, in the order in which they count.
_WORDS = {
    RIM: {"rim", "gliosis", "gliotic"},
    ACUTE: {"acute", "subacute"},
    CAVITY: {"cavity", "cavities", "cavum", "lesion", "lesions", "stroke", "infarct", "infarction"},
    0: {"background", "ignore", "none"},
}


@noun
class DrawnLesion:
    """A lesion on its own grid.

    ``tags`` (i, j, k) uint8, 0 or a lesion's tag (21 to 23); ``affine`` (4, 4) voxel index to world mm; ``findings``
    say how its numbers were read.
    """

    tags: Labels
    affine: FloatArray
    findings: tuple[Finding, ...] = ()

    @property
    def voxel_cm3(self) -> float:
        """Volume of a voxel."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1e3

    @property
    def cm3(self) -> float:
        """What was drawn."""
        return float(np.count_nonzero(self.tags) * self.voxel_cm3)


def drawn_lesion(values: AnyArray, affine: FloatArray, names: Mapping[int, str] | None = None) -> DrawnLesion:
    """What the numbers of a lesion mask mean.

    Parameters
    ----------
    values : (i, j, k) array
        Whole numbers: 21, 22 and 23 are cavity, rim and acute lesion, all others number pieces of a cavity.  Fractions:
        probabilities (largest value at most 1, 100 or 255), a lesion from half of that on.  NaN is outside.
    affine : (4, 4) array
        Voxel index to world mm.
    names : mapping of int to str, optional
        What numbers mean, by names that hold a word such as "cavity", "rim" or "acute"; then every number needs one.

    Raises
    ------
    InputError
        If the image is empty, not three-dimensional, holds negative or infinite numbers, NaN within the lesion, grades
        of an unknown scale, or names that say what no lesion is.

    Examples
    --------
    >>> mask = np.zeros((9, 9, 9))
    >>> mask[2:5, 2:5, 2:5], mask[6:8, 6:8, 6:8] = 1, 2
    >>> drawn = drawn_lesion(mask, np.eye(4))
    >>> np.unique(drawn.tags).tolist(), [found.code for found in drawn.findings]
    ([0, 21], ['lesion-numbers'])
    """
    affine = as_affine(affine, "affine of a lesion")
    voxel = abs(float(np.linalg.det(affine[:3, :3]))) / 1e3
    array, findings = _finite(_image(values), voxel)
    low = float(array.min())
    if low < 0:
        below = int(np.count_nonzero(array < 0))
        raise InputError(
            f"Input lesion must hold no negative numbers; instead {below} voxels do, down to {low:g}: threshold it and "
            "mark the lesion with 1."
        )
    if not array.any():
        raise InputError("Input lesion must mark at least one voxel; instead every voxel is 0 (or no number).")
    if names is None and _is_graded(array):
        mask, told = _above_threshold(array, voxel)
        return DrawnLesion(read_only(np.where(mask, np.uint8(CAVITY), np.uint8(0))), affine, (*findings, told))
    numbers = _whole(array)
    tags, told_more = _named(numbers, names, voxel) if names is not None else _numbered(numbers, voxel)
    if not tags.any():
        raise InputError("Input lesion must mark at least one voxel; instead its names call all of it background.")
    return DrawnLesion(read_only(tags), affine, (*findings, *told_more))


def _image(values: AnyArray) -> AnyArray:
    """A three-dimensional array of numbers."""
    array = as_image(values, "lesion")
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


def _finite(array: AnyArray, voxel: float) -> tuple[AnyArray, list[Finding]]:
    """The image with 0 where it holds no number, which must be outside the lesion."""
    if array.dtype.kind != "f":
        return array, []
    if np.isinf(array).any():
        raise InputError(f"Input lesion must hold finite numbers; instead {np.isinf(array).sum()} voxels are infinite.")
    blank = np.isnan(array)
    if not blank.any():
        return array, []
    marked = array > 0
    if marked.any():
        box = ndimage.find_objects(marked.astype(np.uint8))[0]
        within = int(np.count_nonzero(ndimage.binary_fill_holes(marked[box]) & blank[box]))
        if within:
            raise InputError(
                f"Input lesion must hold numbers throughout the lesion; instead {within} voxels "
                f"({within * voxel:.2f} cm3) surrounded by it hold none (NaN): say with 1 or 0 whether they belong to "
                "it."
            )
    share = float(blank.mean())
    told = [Finding("lesion-blank", "note", {"share": share})] if share > _MANY else []
    return np.where(blank, array.dtype.type(0), array), told


def _whole(array: AnyArray) -> AnyArray:
    """Whole numbers as uint16."""
    if array.dtype.kind == "f":
        fractions = int(np.count_nonzero(np.abs(array - np.round(array)) > _WHOLE))
        if fractions:
            raise InputError(f"Input lesion must hold whole numbers where names tell them; {fractions} voxels do not.")
        array = np.round(array)
    high = float(array.max())
    if high > LARGEST_LABEL:
        raise InputError(f"Input lesion must hold numbers of 0 to {LARGEST_LABEL}; instead up to {high:g}.")
    return array.astype(np.uint16)


def _is_graded(array: AnyArray) -> bool:
    """Whether an image holds grades of belonging rather than numbers of pieces."""
    if array.dtype.kind == "f" and bool((np.abs(array - np.round(array)) > _WHOLE).any()):
        return True
    high = float(array.max())
    if high > 255:
        return False
    different = np.count_nonzero(np.bincount(np.round(array).astype(np.int64).ravel())[1:])
    return bool(different > MOST_NUMBERS and _scale(high) is not None)


def _scale(high: float) -> float | None:
    return next((scale for low, most, scale in _SCALES if low < high <= most), None)


def _above_threshold(array: AnyArray, voxel: float) -> tuple[BoolArray, Finding]:
    """Where a graded map reaches its threshold, and how much hangs on that."""
    high = float(array.max())
    scale = _scale(high)
    if scale is None:
        raise InputError(
            f"Input lesion must hold whole numbers, or probabilities of 0 to 1 (or to 100 or 255); instead fractions "
            f"up to {high:g}: resample masks with nearest neighbour, or threshold it and mark the lesion with 1."
        )
    cm3, at_low, at_high = (
        float(np.count_nonzero(array >= share * scale)) * voxel for share in (THRESHOLD, LOWER, HIGHER)
    )
    if cm3 == 0:
        raise InputError(
            f"Input lesion must reach a probability of {THRESHOLD:g} somewhere; instead it reaches "
            f"{high / scale:.2f}: threshold it yourself and mark the lesion with 1."
        )
    level = "warn" if max(at_low - cm3, cm3 - at_high) > SENSITIVE * cm3 else "note"
    values = {"threshold": THRESHOLD * scale, "highest": high, "cm3": cm3}
    sensitivity = {"lower": LOWER * scale, "lower_cm3": at_low, "higher": HIGHER * scale, "higher_cm3": at_high}
    return array >= THRESHOLD * scale, Finding("lesion-threshold", level, values | sensitivity)


def _numbered(numbers: AnyArray, voxel: float) -> tuple[Labels, list[Finding]]:
    """Tags of a mask by its numbers alone; numbers that are no kind are pieces of a cavity, and told."""
    counts = np.bincount(numbers.ravel())
    present = [int(number) for number in np.flatnonzero(counts) if number]
    counted_through = present == list(range(1, len(present) + 1))  # 1 to n: pieces, even beyond 20
    kinds = () if counted_through else (CAVITY, RIM, ACUTE)
    table = np.full(len(counts), CAVITY, dtype=np.uint8)
    table[0] = 0
    for kind in kinds:
        if kind < len(table):
            table[kind] = kind
    others = [number for number in present if number not in kinds]
    if not others or (len(others) == 1 and others[0] in PLAIN and len(present) == 1):
        return table[numbers], []
    listed = others[:_MOST_LISTED]
    found = Finding(
        "lesion-numbers",
        "note" if len(present) == 1 else "warn",
        {
            "numbers": tuple(listed),
            "cm3": tuple(float(counts[number]) * voxel for number in listed),
            "pieces": tuple(_pieces(numbers == number) for number in listed),
            "more": len(others) - len(listed),
        },
    )
    return table[numbers], [found]


def _pieces(mask: BoolArray) -> int:
    """How many pieces a mask has, by faces, edges and corners."""
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    return int(ndimage.label(mask[box], np.ones((3, 3, 3)))[1])


def kind_of_name(name: str) -> int | None:
    """The tag that a name tells, 0 for what is no lesion; None where it tells nothing.

    Examples
    --------
    >>> [kind_of_name(name) for name in ("Cavity", "gliotic rim", "AcuteInfarct", "background", "Segment_1")]
    [21, 22, 23, 0, None]
    """
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))
    return next((kind for kind, known in _WORDS.items() if words & known), None)


def _named(numbers: AnyArray, names: Mapping[int, str], voxel: float) -> tuple[Labels, list[Finding]]:
    """Tags of a mask by the names of its numbers.

    Names that tell nothing (Segment_1) stand for cavities where no name of the file tells more; beside names that do,
    they may be anything.
    """
    counts = np.bincount(numbers.ravel())
    present = [int(number) for number in np.flatnonzero(counts) if number]
    unnamed = [number for number in present if number not in names]
    if unnamed:
        shown = ", ".join(map(str, unnamed[:_MOST_LISTED]))
        raise InputError(f"Input lesion must have a name for every number beside it; instead none for {shown}.")
    kinds = {number: kind_of_name(names[number]) for number in present}
    silent = [names[number] for number in present if kinds[number] is None]
    if silent and len(silent) < len(present):
        shown = ", ".join(repr(name[:40]) for name in silent[:_MOST_LISTED])
        raise InputError(
            f"Input lesion must have names that say cavity, rim, acute, lesion or background; instead also {shown}: "
            "rename or remove what is no lesion."
        )
    table = np.zeros(len(counts), dtype=np.uint8)
    for number, kind in kinds.items():
        table[number] = CAVITY if kind is None else kind
    listed = present[:_MOST_LISTED]
    found = Finding(
        "lesion-named",
        "note",
        {
            "names": tuple(as_name(names[number]) for number in listed),
            "kinds": tuple(_KIND_NAMES[int(table[number])] for number in listed),
            "cm3": tuple(float(counts[number]) * voxel for number in listed),
            "more": len(present) - len(listed),
        },
    )
    return table[numbers], [found]


_KIND_NAMES = {0: "none", CAVITY: "cavity", RIM: "rim", ACUTE: "acute"}
