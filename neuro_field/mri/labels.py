"""Label images as tissues: which table of numbers they speak, held against how tissues nest; not for cleaning them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.findings import Finding
from neuro_field.head.tissues import BY_NAME, tags_of
from neuro_field.mri.nesting import SHELLS, Nesting, are_eyes, nesting_of_labels, unusual_volumes
from neuro_field.mri.tables import EYES, OWN, TABLES, LabelTable
from neuro_field.names import resolved
from neuro_field.nouns import noun

Labels = NDArray[np.uint8]

#: What says how numbers are meant: a name of `TABLES`, or the name of a tissue (or "air") for every number.
TableChoice = str | Mapping[int, str]

#: Numbers above this in a label image are a sign of an image that holds no labels.
LARGEST_LABEL = 65535

#: Labels that were stored scaled come back this close to whole numbers, and zeros this close to zero.
WHOLE, SMALL = 1e-3, 1e-5

#: Of a program's own "lesion" this much, cm3, has to be read of first.
LESION_TOLD = 1.0

_UNKNOWN = 255


@noun
class Recognised:
    """A label image as tissues: ``tissues`` (i, j, k) tags, the ``table`` its numbers speak, what is to be said."""

    tissues: Labels
    table: LabelTable
    findings: tuple[Finding, ...] = ()


@noun
class _Reading:
    """What an image is by one table."""

    table: LabelTable
    tissues: Labels
    nesting: Nesting

    @property
    def contradicted(self) -> bool:
        return bool(self.nesting.reversals)


def as_image(values: AnyArray, what: str, holding: str = "real numbers") -> AnyArray:
    """A three-dimensional array of numbers, or one clear line; a trailing axis of length one is dropped."""
    array = np.asarray(values)
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim != 3 or min(array.shape) < 2:
        raise InputError(f"Input {what} must be a three-dimensional image; instead received shape {array.shape}.")
    if array.dtype.kind not in "biuf":
        raise InputError(f"Input {what} must hold {holding}; instead received type {array.dtype}.")
    return array


def as_labels(labels: AnyArray, what: str, within: float = WHOLE) -> NDArray[np.uint16]:
    """A three-dimensional array of whole numbers from 0 to 65535, or one clear line.

    A trailing axis of length one is dropped; floating-point arrays are accepted that hold whole numbers, to a
    thousandth or ``within``.
    """
    array = as_image(labels, what, "whole numbers")
    if array.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            least = SMALL if within <= WHOLE else within
            whole = (np.abs(array - np.round(array)) <= within) & ((np.round(array) != 0) | (np.abs(array) <= least))
            fractions = int(np.count_nonzero(~whole))
        if fractions:
            raise InputError(
                f"Input {what} must hold whole numbers; instead {fractions} of {array.size} voxels do not "
                "(resample label images with nearest neighbour, threshold probabilities at 0.5)."
            )
        array = np.round(array)
    low, high = array.min(), array.max()
    if low < 0 or high > LARGEST_LABEL:
        raise InputError(f"Input {what} must hold labels of 0 to {LARGEST_LABEL}; instead {low:g} to {high:g}.")
    return array.astype(np.uint16)


def as_table(table: TableChoice) -> LabelTable:
    """The table of a name, or one made of the tissues named for numbers.

    Raises
    ------
    UnknownNameError
        If there is no table, or no tissue, of that name.

    Examples
    --------
    >>> as_table("spm").tags[1], as_table({1: "scalp", 7: "air"}).tags[7]
    (2, 0)
    """
    if isinstance(table, Mapping):
        unknown = [name for name in table.values() if name != "air" and name not in BY_NAME]
        if unknown:
            raise UnknownNameError("tissue of a label table", unknown[0], [*BY_NAME, "air"])
        tags = {int(number): BY_NAME[name].tag if name != "air" else 0 for number, name in table.items()}
        return LabelTable("given", "the table that was given", {0: 0} | tags)
    return TABLES[resolved("table", table, TABLES)]


def recognised(labels: AnyArray, affine: FloatArray | None = None, table: TableChoice | None = None) -> Recognised:
    """A label image as tissues, by the table that is named, or by the one whose numbers and nesting fit.

    Most tables count tissues from one on, each in its own order: of those that know every number of an image the one
    is taken by which tissues nest as in a head, scalp outside and white matter inside, and that is told.

    Parameters
    ----------
    labels : (i, j, k) array of whole numbers
    affine : (4, 4) array, optional
        Voxel index to mm; without it voxels count as cubes of 1 mm.
    table : str or mapping of int to str, optional
        A name in `TABLES`, or a tissue's name (or "air") for every number.

    Raises
    ------
    InputError
        If no table explains every number (they are listed with their voxel counts); if tissues do not nest by the
        table; if several tables fit and nesting does not tell them apart; if the image is empty.
    """
    numbers = as_labels(labels, "labels")
    matrix = np.eye(4) if affine is None else affine
    counts = np.bincount(numbers.ravel())
    present = [int(number) for number in np.flatnonzero(counts)]
    if present == [0]:
        raise InputError("Input labels must hold tissue; instead every voxel is 0.")
    fitting = _fitting(present)
    if table is not None:
        reading = _read(numbers, as_table(table), matrix)
        others = [_read(numbers, other, matrix) for other in fitting] if reading.contradicted else []
    elif not fitting:
        raise InputError(_unexplained(counts, present))
    else:
        readings = [_read(numbers, each, matrix) for each in fitting]
        reading = readings[0] if len(readings) == 1 else _by_nesting(readings, present, matrix)
        others = readings
    if reading.contradicted:
        raise InputError(_contradiction(reading, present, others))
    findings = _doubts(reading, counts, matrix)
    if table is None and len(fitting) > 1 and reading.table.name != OWN:
        findings = (_chosen(reading, fitting), *findings)
    return Recognised(reading.tissues, reading.table, findings)


def _fitting(present: list[int]) -> list[LabelTable]:
    """Tables that know every number, each reading of them once."""
    by_reading: dict[tuple[int, ...], LabelTable] = {}
    for table in TABLES.values():
        if all(number in table.tags for number in present):
            by_reading.setdefault(tuple(table.tags[number] for number in present), table)
    return list(by_reading.values())


def _read(numbers: NDArray[np.uint16], table: LabelTable, affine: FloatArray) -> _Reading:
    tissues = _translated(numbers, table)
    return _Reading(table, tissues, nesting_of_labels(tissues, affine))


def _translated(numbers: NDArray[np.uint16], table: LabelTable) -> Labels:
    lookup = np.full(LARGEST_LABEL + 1, _UNKNOWN, dtype=np.uint8)
    lookup[list(table.tags)] = list(table.tags.values())
    tissues: Labels = lookup[numbers]
    unknown = tissues == _UNKNOWN
    if unknown.any():
        found, counts = np.unique(numbers[unknown], return_counts=True)
        shown = ", ".join(f"{n} ({c} voxels)" for n, c in zip(found[:8].tolist(), counts[:8].tolist(), strict=True))
        raise InputError(f"Input labels must be among the numbers of {table.software}; instead found {shown}.")
    return tissues


def _by_nesting(readings: list[_Reading], present: list[int], affine: FloatArray) -> _Reading:
    """The one reading by which tissues nest; where none is in order the first, to be refused."""
    right = [
        each
        for each in readings
        if not each.contradicted and each.nesting.tells_grey_from_white and are_eyes(each.tissues == EYES, affine)
    ]
    with_eyes = [each for each in right if (each.tissues == EYES).any()]  # where others have air, as ROAST's 6
    if len(with_eyes) == 1:
        return with_eyes[0]
    if len(right) == 1:
        return right[0]
    if all(each.contradicted for each in readings):
        return readings[0]
    raise InputError(_undecided(right or readings, present))


def _undecided(readings: list[_Reading], present: list[int]) -> str:
    """Of labels that may be read in several ways, and what is missing from a head by each."""
    names = [each.table.name for each in readings]
    missing = [
        f"by {each.table.name} no {' and no '.join(lacking)}"
        for each in readings
        if (lacking := [name.replace("_", " ") for name in SHELLS if name not in each.nesting.volumes])
    ]
    lacks = f" (there is {', '.join(missing)})" if missing else ""
    return (
        f"Input labels hold only the numbers {', '.join(map(str, present[:12]))}, which {', '.join(names[:-1])} and "
        f"{names[-1]} use with different meanings, and how their tissues nest does not tell which"
        f"{lacks}; say it: table={names[0]!r} (--table {names[0]})."
    )


def _unexplained(counts: AnyArray, present: list[int]) -> str:
    unknown = {name: [n for n in present if n not in table.tags] for name, table in TABLES.items()}
    closest = min(unknown, key=lambda name: counts[unknown[name]].sum())
    shown = ", ".join(f"{number} ({counts[number]} voxels)" for number in unknown[closest][:8])
    more = f" and {len(unknown[closest]) - 8} more" if len(unknown[closest]) > 8 else ""
    return (
        f"Input labels hold numbers that no table explains; closest is {TABLES[closest].software}, which does not know "
        f"{shown}{more}; say what each number is (--table 1=scalp,2=bone,...), or relabel them as tissue tags 1 to 12."
    )


def _contradiction(reading: _Reading, present: list[int], others: list[_Reading]) -> str:
    """What labels look like that do not nest by the table they were read by."""
    table, worst = reading.table, reading.nesting.reversals[0]
    what = (
        f"{_numbered(worst.outer, table, present)} begins {worst.outer_begins:.0f} mm below the air outside, deeper "
        f"than {_numbered(worst.inner, table, present)} at {worst.inner_begins:.0f} mm: they look exchanged"
    )
    right = [each.table for each in others if not each.contradicted and each.nesting.tells_grey_from_white]
    remedy = (
        f", as of {right[0].software}: give table={right[0].name!r} (--table {right[0].name})"
        if right
        else "; look at the labels, and say what each number is (--table 1=scalp,2=bone,...)"
    )
    return f"Input labels, read by the table {table.name}, do not nest as tissues of a head: {what}{remedy}."


def _numbered(name: str, table: LabelTable, present: list[int]) -> str:
    """A tissue and the numbers that mean it: "white matter (1)"."""
    numbers = [str(number) for number in present if table.tags[number] in tags_of(name)]
    more = ", ..." if len(numbers) > 4 else ""
    return f"{name.replace('_', ' ')} ({', '.join(numbers[:4])}{more})"


def _chosen(reading: _Reading, fitting: list[LabelTable]) -> Finding:
    begins = reading.nesting.begins
    return Finding(
        "build-label-table",
        "note",
        {
            "table": reading.table.name,
            "others": tuple(table.name for table in fitting if table is not reading.table),
            "white": begins["white_matter"],
            "grey": begins["grey_matter"],
        },
    )


def _doubts(reading: _Reading, counts: AnyArray, affine: FloatArray) -> tuple[Finding, ...]:
    """Of labels that nest: volumes that no head has, and what the program called a lesion."""
    out = volume_findings(reading.nesting)
    called = [number for number in reading.table.lesions if number < len(counts) and counts[number]]
    if called:
        cm3 = float(counts[called].sum()) * abs(float(np.linalg.det(affine[:3, :3]))) / 1e3
        level = "warn" if cm3 >= LESION_TOLD else "note"
        out.append(Finding("build-labels-lesion", level, {"cm3": cm3, "numbers": tuple(called)}))
    return tuple(out)


def volume_findings(nesting: Nesting) -> list[Finding]:
    """Of tissues with a volume that no head has."""
    return [
        Finding("build-volume-unusual", "warn", {"tissue": name, "cm3": cm3, "least": least, "most": most})
        for name, (cm3, least, most) in unusual_volumes(nesting).items()
    ]


def to_tissues(labels: AnyArray, table: TableChoice | None = None, affine: FloatArray | None = None) -> Labels:
    """Tissue tags of a label image: `recognised`, without the rest.

    Parameters
    ----------
    labels : (i, j, k) array of whole numbers
        As SimNIBS, SAMSEG, FreeSurfer, SPM12, ROAST or FieldTrip wrote them.
    table : str or mapping of int to str, optional
        A name in `TABLES`, or a tissue's name (or "air") for every number; found by numbers and nesting when omitted.
    affine : (4, 4) array, optional
        Voxel index to mm; without it voxels count as cubes of 1 mm.

    Returns
    -------
    (i, j, k) uint8 array
        Tags of `neuro_field.head.tissues`; 0 is air.

    Raises
    ------
    InputError
        As `recognised`.

    Examples
    --------
    >>> import numpy as np
    >>> from neuro_field.mri.labels import to_tissues
    >>> to_tissues(np.array([[[0, 2], [3, 165]], [[41, 42], [24, 258]]])).ravel().tolist()
    [0, 1, 2, 4, 1, 2, 3, 5]
    """
    return recognised(labels, affine, table).tissues


def to_sides(labels: AnyArray, table: LabelTable) -> NDArray[np.int8]:
    """(i, j, k) -1 where a label image says left, 1 where right, 0 where neither: not every table tells.

    Examples
    --------
    >>> image = np.array([[[0, 2], [3, 165]], [[41, 42], [24, 258]]])
    >>> to_sides(image, TABLES["freesurfer"]).ravel().tolist()
    [0, -1, -1, 0, 1, 1, 0, 0]
    """
    lookup = np.zeros(LARGEST_LABEL + 1, dtype=np.int8)
    lookup[list(table.left)], lookup[list(table.right)] = -1, 1
    return lookup[as_labels(labels, "labels")]
