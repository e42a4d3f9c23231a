"""Which series of a person's images a head is made of: the one 3-D T1, or the one that was asked for."""

import re
from collections.abc import Sequence

from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.segment.series import ORDER, Series
from neuro_field.segment.series_kinds import LIKE_T1, TITLES

#: Voxels wider than this, mm, are told: sulci close in them.
GOOD_SPACING = 1.3

#: Kinds of images worth naming beside the T1.
_WELCOME = ("t2", "flair", "ct", "mp2rage-inv1", "mp2rage-inv2", "mp2rage-uni", "t1-map", "diffusion")


def chosen_series(series: Sequence[Series], asked: str | None = None) -> Series:
    """The series a head is made of.

    Parameters
    ----------
    series : sequence of Series
        Of one person.
    asked : str, optional
        A number, a UID, or a description or part of one, as typed; without it the only 3-D T1 without a contrast
        agent is taken, else the only one with it or MP2RAGE.

    Raises
    ------
    InputError
        If none or several fit, or the one that is meant cannot make a head; in one line.
    """
    return _asked(series, asked) if asked is not None else _only(series)


def beside(series: Sequence[Series], taken: Series) -> tuple[Series, ...]:
    """Other images of the person worth knowing of: T2, FLAIR, CT, diffusion, T1s and the rest of an MP2RAGE."""
    return tuple(
        each for each in series if each is not taken and (each.kind.code in _WELCOME or each.kind.code in LIKE_T1)
    )


def findings_of(taken: Series) -> tuple[Finding, ...]:
    """What a head that is made of a series has to say of it."""
    kind = taken.kind
    widest = max(taken.spacing)
    told = (
        (kind.agent, Finding("scan-contrast", "warn", {})),
        (kind.code == "mp2rage-uni", Finding("scan-noisy-background", "warn", {})),
        (kind.derived, Finding("scan-derived", "warn", {})),
        (kind.code == "unclear", Finding("scan-unclear", "warn", {})),
        (kind.acquisition == "2D", Finding("scan-two-dimensional", "warn", {"spacing": taken.row.spacing})),
        (widest > GOOD_SPACING, Finding("scan-coarse", "note", {"spacing": widest, "good": GOOD_SPACING})),
        (kind.lossy, Finding("scan-lossy", "warn", {})),
    )
    return tuple(finding for holds, finding in told if holds)


def _only(series: Sequence[Series]) -> Series:
    """The series that fits best, if there is one; in the order of what is looked for."""
    alike = [each for each in series if each.kind.code in LIKE_T1 and not each.kind.derived]
    fit = [each for each in alike if each.obstacle() is None and each.kind.acquisition != "2D"]
    for group in (
        [each for each in fit if each.kind.code == "t1" and not each.kind.agent],
        [each for each in fit if each.kind.code == "mp2rage-denoised" and not each.kind.agent],
        [each for each in fit if each.kind.code != "mp2rage-denoised"],
        fit,
    ):
        if len(group) == 1:
            return group[0]
        if group:
            raise InputError(f"{_listed(group)} are 3-D T1s: say which by --series NUMBER.")
    raise InputError(_no_t1(series, alike))


def _no_t1(series: Sequence[Series], alike: Sequence[Series]) -> str:
    """Why there is nothing to take: by the T1 that comes nearest, or by what is there instead."""
    if alike:
        best = max(alike, key=lambda each: each.row.slices)
        why = best.obstacle()
        if why is None:
            return f"No 3-D T1 is there: {best.name} was made in 2-D slices: {ORDER}, or give it by --series."
        return f"No T1 fits a head: {best.name} is one, but {why}."
    computed = [each for each in series if each.kind.code in LIKE_T1]
    if computed:
        return f"{_listed(computed)} is a T1, but was computed of other images: ask for the original, or give --series."
    kinds = sorted({TITLES[each.kind.code] for each in series})
    return f"No T1 is among these series ({', '.join(kinds)}): {ORDER}, or say by --series which one is a T1."


def _asked(series: Sequence[Series], asked: str) -> Series:
    """The series that was meant, if a head can be made of it."""
    found = _meant(series, asked.strip())
    if not found:
        raise InputError(f"Option --series must name one of these series; none is {asked!r:.60}.")
    if len(found) > 1:
        raise InputError(
            f"Option --series {asked!r:.60} fits {_listed(found)}: give the whole UID of the one you mean."
        )
    (one,) = found
    if one.kind.code not in (*LIKE_T1, "unclear"):
        raise InputError(
            f"{one.name.capitalize()} must be a T1; instead its header says {TITLES[one.kind.code]}: if that is wrong, "
            "convert it with dcm2niix yourself and give the NIfTI."
        )
    why = one.obstacle()
    if why is not None:
        raise InputError(f"{one.name.capitalize()} fits no head: {why}.")
    return one


def _meant(series: Sequence[Series], asked: str) -> list[Series]:
    """Series by UID, else by number, else by description, whole before part of it."""
    plain = asked.casefold()
    tests = (
        lambda each: each.uid == asked,
        lambda each: bool(re.fullmatch(r"\d+", asked)) and each.number == int(asked),
        lambda each: each.description.casefold() == plain,
        lambda each: bool(plain) and plain in each.description.casefold(),
    )
    return next((found for test in tests if (found := [each for each in series if test(each)])), [])


def _listed(series: Sequence[Series]) -> str:
    """Series in a line: by number, and by UID where numbers are not unique."""
    numbers = [each.number for each in series]
    unique = len(set(numbers)) == len(numbers) and None not in numbers
    names = [str(each.number) if unique else each.uid for each in series]
    start = "Series " + (", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0])
    return start


def rows_of(series: Sequence[Series]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows of a table of series; with UIDs where their numbers do not tell them apart."""
    numbers = [each.number for each in series]
    by_uid = len(set(numbers)) < len(numbers) or None in numbers
    headings = ("series", "description", "voxels", "mm", "what it is")
    rows: list[tuple[str, ...]] = [
        (
            "-" if each.number is None else str(each.number),
            each.description or "-",
            " x ".join(map(str, each.shape)) + (f" x {each.row.volumes}" if each.row.volumes > 1 else ""),
            " x ".join(f"{step:.2g}" for step in each.spacing),
            each.kind.title,
        )
        for each in series
    ]
    if by_uid:
        return (*headings, "UID"), [(*row, each.uid) for row, each in zip(rows, series, strict=True)]
    return headings, rows
