"""How steep the current of a coil is at 100 % output of a stimulator: measured pairs of the two, as data.

Slopes are those in the headers of the published coil models of Drakaki et al., Brain Stimul 2022;15:1184-1205 [src].
"""

import re
from dataclasses import dataclass

from neuro_field.coil.coil import Coil
from neuro_field.units import AMPERE_PER_MICROSECOND

_HEADER = "Drakaki et al., Brain Stimul 2022;15:1184-1205, header of the published coil model [src]"
_HEADER_MODEL = _HEADER + "; the model of the stimulator [lit]"


@dataclass(frozen=True)
class Output:
    """One coil on one stimulator.

    ``coil`` the maker's name and ``shelf`` the names here of coils that stand for it; ``kind`` figure-8, angled (two
    wings bent more than a head asks for) or circular; ``brand`` and ``stimulator``; ``slope`` A/us at 100 % output;
    ``source`` with its trust mark.
    """

    coil: str
    shelf: tuple[str, ...]
    kind: str
    brand: str
    stimulator: str
    slope: float
    source: str

    def is_of(self, coil: str) -> bool:
        """Whether a coil of this name is meant, in the maker's words or the shelf's."""
        return _bare(coil) in {_bare(name) for name in (self.coil, self.brand + self.coil, *self.shelf)}


_D70 = ("figure8-70mm", "figure8-ideal")

OUTPUTS = (
    Output("D70", _D70, "figure-8", "Magstim", "Magstim Rapid", 114.73, _HEADER),
    Output("DCC", ("double-cone",), "angled", "Magstim", "Magstim Rapid", 84.37, _HEADER),
    Output("MC-B70", ("mc-b70",), "figure-8", "MagVenture", "MagPro X100", 155.33, _HEADER),
    Output("C-B60", ("c-b60",), "figure-8", "MagVenture", "MagPro X100", 155.40, _HEADER),
    Output("C-B70", (), "figure-8", "MagVenture", "MagPro X100", 146.52, _HEADER),
    Output("Cool-B65", ("cool-b65",), "figure-8", "MagVenture", "MagPro X100", 149.77, _HEADER),
    Output("Cool-B70", (), "figure-8", "MagVenture", "MagPro X100", 143.77, _HEADER),
    Output("Cool-D-B80", (), "angled", "MagVenture", "MagPro X100", 146.44, _HEADER),
    Output("C-100", (), "circular", "MagVenture", "MagPro X100", 168.28, _HEADER),
    Output("MC-125", (), "circular", "MagVenture", "MagPro X100", 151.67, _HEADER),
    Output("70BF", (), "figure-8", "Deymed", "DuoMAG", 101.06, _HEADER_MODEL),
    Output("50BF", (), "figure-8", "Deymed", "DuoMAG", 97.59, _HEADER_MODEL),
    Output("120BFV", (), "angled", "Deymed", "DuoMAG", 102.93, _HEADER_MODEL),
    Output("PMD70", (), "figure-8", "MAG & More", "PowerMAG", 241.28, _HEADER_MODEL),
    Output("PMD45", (), "figure-8", "MAG & More", "PowerMAG", 249.55, _HEADER_MODEL),
)

#: Names of stimulators with a known slope, sorted.
STIMULATORS = tuple(sorted({entry.stimulator for entry in OUTPUTS}))

#: Coils of the shelf without a measured slope, whose kind is known all the same.
_KINDS = {"figure8-25mm": "figure-8", "circular-90mm": "circular"}


def output_scale(coil: Coil, stimulator: str | None = None) -> float | None:
    """A/s of a coil's current at 100 % output of a stimulator; None where it is not known.

    Parameters
    ----------
    coil : Coil
    stimulator : str, optional
        A name, whatever its case and hyphens, with or without its maker; None: the coil's own, `Coil.didt_max`.

    Examples
    --------
    >>> from neuro_field.shelf.coils import load_coil
    >>> output_scale(load_coil("double-cone"), "magstim rapid")
    84370000.0
    >>> output_scale(load_coil("double-cone"), "MagPro X100") is None
    True
    """
    if stimulator is None:
        return coil.didt_max
    for own in coil.stimulators:
        if same_stimulator(own.name, stimulator) and own.didt_max is not None:
            return own.didt_max
    for entry in OUTPUTS:
        if entry.is_of(coil.name) and same_stimulator(entry.stimulator, stimulator):
            return entry.slope * AMPERE_PER_MICROSECOND
    return None


def usual_stimulator(coil: Coil) -> str | None:
    """Name of the stimulator that a coil's slope, `Coil.didt_max`, is of; None where nothing says it."""
    named = [own.name for own in coil.stimulators if own.didt_max is not None and own.didt_max == coil.didt_max]
    return named[0] if named else None


def coil_kind(coil: Coil) -> str | None:
    """figure-8, angled or circular; None for a coil that is in no table."""
    return next((entry.kind for entry in OUTPUTS if entry.is_of(coil.name)), _KINDS.get(coil.name))


def brand_of(coil: Coil, stimulator: str | None = None) -> str | None:
    """Maker of a stimulator, or of the coil's usual one; None where it is not known."""
    name = stimulator or usual_stimulator(coil)
    known = [(own.name, own.brand) for own in coil.stimulators] + [(e.stimulator, e.brand) for e in OUTPUTS]
    return next((brand for own, brand in known if name and brand and same_stimulator(own, name)), None)


def same_stimulator(one: str, other: str) -> bool:
    """Whether two names mean one stimulator: case, hyphens, the maker's name and its line's (MagPro) do not count."""
    return _bare(one, maker=True) == _bare(other, maker=True)


def _bare(name: str, maker: bool = False) -> str:
    bare = re.sub(r"[^a-z0-9]", "", name.lower())
    return re.sub(r"^(magstim|magventure|deymed|magmore)?(magpro)?(?=.)", "", bare) if maker else bare
