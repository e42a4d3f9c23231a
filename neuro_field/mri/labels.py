"""Which number of which segmentation software means which tissue; not for cleaning what they drew."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_field.arrays import AnyArray
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.head.tissues import BY_TAG

Labels = NDArray[np.uint8]

#: Numbers above this in a label image are a sign of an image that holds no labels.
LARGEST_LABEL = 65535


@dataclass(frozen=True)
class LabelTable:
    """The numbers of one family of label images.

    ``tags`` maps each number to a tissue tag of `neuro_field.head.tissues`, 0 being air; ``software`` names
    the programs that write them; ``left`` and ``right`` are the numbers of brain tissue of either side, where it has
    them.
    """

    name: str
    software: str
    tags: Mapping[int, int]
    left: tuple[int, ...] = ()
    right: tuple[int, ...] = ()


def _freesurfer() -> dict[int, int]:
    """FreeSurfer's aseg, aparc and wmparc numbers, with those SAMSEG adds for the whole head."""
    white, grey, csf, bone, scalp, eyes = 1, 2, 3, 4, 5, 6
    by_tissue = {
        white: [2, 41, 7, 46, 16, 77, 78, 79, 85, *range(251, 256), 5001, 5002],
        grey: [3, 42, 8, 47, *range(10, 14), 17, 18, 26, 28, *range(49, 55), 58, 60, 80, 81, 82],
        csf: [4, 43, 5, 44, 14, 15, 72, 24, 31, 63, 30, 62, 257],
        bone: [165],
        scalp: [258],
        eyes: [259],
    }
    by_tissue[grey] += [*range(1000, 1036), *range(2000, 2036)]
    by_tissue[white] += [*range(3000, 3036), *range(4000, 4036)]
    return {0: 0} | {number: tag for tag, numbers in by_tissue.items() for number in numbers}


#: Perivascular "vessels" (30, 62) and the choroid plexus (31, 63) of FreeSurfer lie in fluid and count as
#: CSF.
TABLES = {
    "simnibs": LabelTable(
        "simnibs",
        "SimNIBS charm and headreco tissues, and neuro_field's own",
        {0: 0} | {t: t for t in BY_TAG},
    ),
    "freesurfer": LabelTable(
        "freesurfer",
        "FreeSurfer, SAMSEG and SynthSeg",
        _freesurfer(),
        left=(2, 3, 7, 8, *range(10, 14), 17, 18, 26, 28, 78, 81, 5001, *range(1000, 1036), *range(3000, 3036)),
        right=(41, 42, 46, 47, *range(49, 55), 58, 60, 79, 82, 5002, *range(2000, 2036), *range(4000, 4036)),
    ),
}


def as_labels(labels: AnyArray, what: str) -> AnyArray:
    """A three-dimensional array of whole numbers from 0 to 65535, or one clear line.

    A trailing axis of length one is dropped; floating-point arrays that hold whole numbers are accepted.
    """
    array = np.asarray(labels)
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim != 3 or min(array.shape) < 2:
        raise InputError(f"Input {what} must be a three-dimensional image; instead received shape {array.shape}.")
    if array.dtype.kind not in "biuf":
        raise InputError(f"Input {what} must hold whole numbers; instead received type {array.dtype}.")
    if array.dtype.kind == "f":
        fractions = int(np.count_nonzero(~np.isfinite(array) | (array != np.round(array))))
        if fractions:
            raise InputError(
                f"Input {what} must hold whole numbers; instead {fractions} of {array.size} voxels do not "
                "(resample label images with nearest neighbour, threshold probabilities at 0.5)."
            )
    low, high = array.min(), array.max()
    if low < 0 or high > LARGEST_LABEL:
        raise InputError(f"Input {what} must hold labels of 0 to {LARGEST_LABEL}; instead {low:g} to {high:g}.")
    return array.astype(np.uint16)


def label_table(labels: AnyArray) -> LabelTable:
    """The table that explains every number of a label image.

    Both families use 2, 3, 4 and more with different meanings, so a table is taken only when the other one
    leaves numbers unexplained: 1 (white matter) or 6 (eyes) speak for SimNIBS, 41, 42, 165 or 258 for
    FreeSurfer.

    Parameters
    ----------
    labels : (i, j, k) array of whole numbers

    Raises
    ------
    InputError
        If no table explains every number (they are listed with their voxel counts), if more than one does, or
        if the image is empty.
    """
    counts = np.bincount(as_labels(labels, "labels").ravel())
    present = [int(number) for number in np.flatnonzero(counts)]
    if present == [0]:
        raise InputError("Input labels must hold tissue; instead every voxel is 0.")
    unknown = {name: [n for n in present if n not in table.tags] for name, table in TABLES.items()}
    fitting = [name for name, numbers in unknown.items() if not numbers]
    if len(fitting) == 1:
        return TABLES[fitting[0]]
    if fitting:
        shown = ", ".join(map(str, present[:12]))
        raise InputError(
            f"Input labels hold only the numbers {shown}, which {' and '.join(fitting)} both use with "
            "different "
            f"meanings; say which with table={fitting[0]!r} or table={fitting[1]!r}."
        )
    closest = min(unknown, key=lambda name: counts[unknown[name]].sum())
    shown = ", ".join(f"{number} ({counts[number]} voxels)" for number in unknown[closest][:8])
    more = f" and {len(unknown[closest]) - 8} more" if len(unknown[closest]) > 8 else ""
    raise InputError(
        f"Input labels hold numbers that no table explains; closest is {TABLES[closest].software}, which "
        "does not "
        f"know {shown}{more}; relabel them as tissue tags 1 to 12."
    )


def to_tissues(labels: AnyArray, table: str | None = None) -> Labels:
    """Tissue tags of a label image.

    Parameters
    ----------
    labels : (i, j, k) array of whole numbers
        As SimNIBS, SAMSEG, FreeSurfer or SynthSeg wrote them.
    table : str, optional
        A name in `TABLES`; found by `label_table` when omitted.

    Returns
    -------
    (i, j, k) uint8 array
        Tags of `neuro_field.head.tissues`; 0 is air.

    Raises
    ------
    InputError
        On numbers the table does not know, or an ambiguous image.

    Examples
    --------
    >>> import numpy as np
    >>> from neuro_field.mri.labels import to_tissues
    >>> to_tissues(np.array([[[0, 2], [3, 165]], [[41, 42], [24, 258]]])).ravel().tolist()
    [0, 1, 2, 4, 1, 2, 3, 5]
    """
    numbers = as_labels(labels, "labels")
    if table is not None and table not in TABLES:
        raise UnknownNameError("table", table, list(TABLES))
    chosen = label_table(numbers) if table is None else TABLES[table]
    lookup = np.full(LARGEST_LABEL + 1, 255, dtype=np.uint8)
    lookup[list(chosen.tags)] = list(chosen.tags.values())
    tissues = lookup[numbers]
    if (tissues == 255).any():
        found, counts = np.unique(numbers[tissues == 255], return_counts=True)
        shown = ", ".join(f"{n} ({c} voxels)" for n, c in zip(found[:8].tolist(), counts[:8].tolist(), strict=True))
        raise InputError(f"Input labels must be among the numbers of {chosen.software}; instead found {shown}.")
    return tissues


def to_sides(labels: AnyArray, table: str) -> NDArray[np.int8]:
    """(i, j, k) -1 where a label image says left, 1 where right, 0 where neither: not every table tells.

    Examples
    --------
    >>> to_sides(np.array([[[0, 2], [3, 165]], [[41, 42], [24, 258]]]), "freesurfer").ravel().tolist()
    [0, -1, -1, 0, 1, 1, 0, 0]
    """
    lookup = np.zeros(LARGEST_LABEL + 1, dtype=np.int8)
    lookup[list(TABLES[table].left)], lookup[list(TABLES[table].right)] = -1, 1
    return lookup[as_labels(labels, "labels")]
