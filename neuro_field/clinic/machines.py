"""Whose output is meant: the coils and stimulators of a threshold and of the treatment, brought to one scale."""

from dataclasses import dataclass

from neuro_field.coil.coil import Coil
from neuro_field.coil.outputs import output_scale, same_stimulator, usual_stimulator
from neuro_field.findings import Finding, Value, as_name


@dataclass(frozen=True)
class Machines:
    """Two coils, each on its stimulator.

    Parameters
    ----------
    ratio : float, optional
        Slope of the threshold's coil at 100 % output over that of the coil that treats; None where it is not known.
    slope : float, optional
        A/s of the coil that treats at 100 % output.
    stimulator : str, optional
        That treats; None where nobody named it.
    same_coil : bool
        Whether the threshold was read with the coil that treats.
    findings : tuple of Finding
    """

    ratio: float | None
    slope: float | None
    stimulator: str | None
    same_coil: bool
    findings: tuple[Finding, ...] = ()


def machines(read: Coil, read_on: str | None, treating: Coil, treating_on: str | None) -> Machines:
    """What a threshold's output is worth on the machine that treats.

    Parameters
    ----------
    read, treating : Coil
        The coil the threshold was read with, and the one that treats.
    read_on, treating_on : str, optional
        Their stimulators.  Where one of them is named it is meant for both; where neither is and the coils differ,
        only coils that are known on one and the same stimulator are compared.
    """
    same = read is treating or read.name == treating.name
    named = treating_on or read_on
    before, after = read_on or named, named
    found: list[Finding] = []
    if named is None:
        usual = [usual_stimulator(coil) for coil in (read, treating)]
        shared = usual[0] if usual[0] and usual[1] and same_stimulator(usual[0], usual[1]) else None
        if shared:
            assumed = {"coil": as_name(treating.name), "stimulator": as_name(shared)}
            found.append(Finding("dose-stimulator-assumed", "note", assumed))
        before = after = shared
    slope = output_scale(treating, after)
    ratio: float | None = None
    if same and (before is after or (before and after and same_stimulator(before, after))):
        ratio = 1.0
    elif before and after:
        former = output_scale(read, before)
        ratio = former / slope if former and slope else None
    if ratio is None:
        unknown: dict[str, Value] = {
            "coil": as_name(treating.name), "stimulator": after and as_name(after),
            "read_coil": as_name(read.name), "read_stimulator": before and as_name(before),
        }  # fmt: skip
        found.append(Finding("dose-stimulator-unknown", "warn", unknown))
    elif ratio != 1.0 and same:
        other: dict[str, Value] = {"stimulator": as_name(after), "read_stimulator": as_name(before), "ratio": ratio}
        found.append(Finding("dose-other-stimulator", "note", other))
    return Machines(ratio, slope, named, same, tuple(found))
