"""A motor threshold: whose, of which muscle, and with which coil, stimulator and pose it was read."""

import re
from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from neuro_field.aim.atlas import SIDES, other_side
from neuro_field.arrays import FloatArray, read_only
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.nouns import noun

#: Resting, and active (under slight contraction).
KINDS = ("rMT", "aMT")

#: Electromyography, and visible twitch.
METHODS = ("emg", "twitch")

#: Muscles known by these short names; any other name is taken as it is.
MUSCLES = {"hand": ("FDI", "APB", "ADM", "OP", "ECR", "FCR"), "foot": ("TA", "AH", "EDB", "SOL")}

#: A muscle's or a device's name: no sentence.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/+ -]{0,79}")


@noun
class Threshold:
    """A motor threshold, and all that it belongs to.

    Parameters
    ----------
    percent : float
        Of the maximum output of the stimulator it was read with, 1 to 100.
    kind : {"rMT", "aMT"}
        Resting or active.
    hand, foot : {"left", "right"}
        The side of the **body** whose muscle answered; one of the two, and the hemisphere is the opposite one.
    muscle : str, optional
        "FDI", "APB", "TA", ...; None when it was not written down.
    method : {"emg", "twitch"}
        Electromyography, or a visible twitch, which reads 11.3 % higher.
    coil : str, optional
        Of the shelf, or a file; None: the coil that is planned with.
    stimulator : str, optional
        None: the stimulator that is treated with.
    pose : (4, 4) array, optional
        head_from_coil where it was read, mm; None when it is not known.

    Raises
    ------
    InputError
        If a value is none of these, there is not one of hand and foot, or the muscle is known to be of the other limb.

    Examples
    --------
    >>> import neuro_field as nf
    >>> read = nf.Threshold(55, hand="right", muscle="FDI", coil="figure8-70mm")
    >>> read.hemisphere, read.limb, read.site
    ('left', 'hand', 'm1-hand')
    """

    percent: float
    kind: str = "rMT"
    _: KW_ONLY
    hand: str | None = None
    foot: str | None = None
    muscle: str | None = None
    method: str = "emg"
    coil: str | None = None
    stimulator: str | None = None
    pose: FloatArray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "percent", _percent(self.percent))
        for name, allowed in (("kind", KINDS), ("method", METHODS)):
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"Input {name} of Threshold must be {' or '.join(allowed)}; instead received "
                    f"{getattr(self, name)!r:.40}."
                )
        if (self.hand is None) == (self.foot is None) or self.body_side not in SIDES:
            raise InputError(
                "Input hand or foot of Threshold, one of them, must be left or right, the side of the body; instead "
                f"received hand={self.hand!r:.40}, foot={self.foot!r:.40}."
            )
        for name in ("muscle", "coil", "stimulator"):
            given = getattr(self, name)
            if given is not None and not (isinstance(given, str) and _NAME.fullmatch(given)):
                raise InputError(f"Input {name} of Threshold must be a name; instead received {given!r:.60}.")
        if self.muscle is not None:
            object.__setattr__(self, "muscle", _muscle(self.muscle, self.limb))
        if self.pose is not None:
            pose = Placement(self.pose).head_from_coil  # refuses shear, scale and mirrors
            object.__setattr__(self, "pose", read_only(pose, np.float64))

    @property
    def limb(self) -> str:
        """hand or foot."""
        return "hand" if self.hand is not None else "foot"

    @property
    def body_side(self) -> str:
        """Side of the body whose muscle answered."""
        return str(self.hand if self.hand is not None else self.foot)

    @property
    def hemisphere(self) -> str:
        """Side of the brain that was stimulated: the opposite of the body's."""
        return other_side(self.body_side)

    @property
    def site(self) -> str:
        """Name of the cortical area it belongs to, as `Target.named` takes it."""
        return "m1-hand" if self.limb == "hand" else "m1-leg"


def _muscle(name: str, limb: str) -> str:
    """The muscle's name, a known one in capitals; one of the other limb would move the threshold to its cortex."""
    for other, muscles in MUSCLES.items():
        if name.upper() in muscles:
            if other != limb:
                raise InputError(
                    f"Input muscle of Threshold must be one of the {limb}; instead {name.upper()} is one of the "
                    f"{other}: give {other}=, the side of the body."
                )
            return name.upper()
    return name


def _percent(given: Any) -> float:
    number = isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)
    if not number or not 1 <= given <= 100:
        raise InputError(
            f"Input percent of Threshold must be 1 to 100 % of maximum output; instead received {given!r:.40}."
        )
    return float(given)
