"""Pulses of a mapping session: where the coil stood, how strongly it was driven, and what the muscle answered."""

import numpy as np

from neuro_field.arrays import AnyArray, FloatArray, as_rigid, read_only
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.findings import Finding
from neuro_field.names import one_line
from neuro_field.nouns import noun
from neuro_field.units import AMPERE_PER_MICROSECOND

#: What intensities are counted in: slopes of the current, or output of the stimulator.
UNITS = ("A/us", "%MSO")

#: Why a pulse of a file is not among those that are mapped.
REASONS = ("no-pose", "no-amplitude", "no-intensity", "outlier", "pre-activation")

#: No muscle answers with more, uV: a whole nerve's volley gives 25 mV.
LARGEST_AMPLITUDE = 50_000.0


@noun
class LeftOut:
    """A pulse that is not mapped: its number in the file, from 0, the reason (`REASONS`), and the number that decided.

    ``value`` is uV for an outlier and pre-activation, and NaN for what is missing.
    """

    pulse: int
    reason: str
    value: float = np.nan

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise InputError(
                f"Input reason of LeftOut must be one of {', '.join(REASONS)}; instead {self.reason!r:.40}."
            )


@noun
class Pulses:
    """p pulses and the answers of one muscle.

    Parameters
    ----------
    muscle : str
    poses : (p, 4, 4) array
        head_from_coil, mm, as recorded.
    intensities : (p,) array
        In ``unit``.
    amplitudes : (p,) array
        Peak to peak, uV; 0 where the muscle did not answer.
    unit : {"A/us", "%MSO"}
    times : (p,) array, optional
        s since midnight, or since the first pulse; NaN where a pulse has none.
    left_out : tuple of LeftOut
        Pulses of the session that are not among these, and why.
    findings : tuple of Finding

    Raises
    ------
    InputError
        If there are none, the numbers do not fit one another, or one of them cannot be.

    Examples
    --------
    >>> import numpy as np, neuro_field as nf
    >>> pulses = nf.Pulses("FDI", np.eye(4)[None], [52.0], [310.0], unit="%MSO")
    >>> len(pulses), pulses.amplitudes.tolist()
    (1, [310.0])
    """

    muscle: str
    poses: FloatArray
    intensities: FloatArray
    amplitudes: FloatArray
    unit: str = "A/us"
    times: FloatArray | None = None
    left_out: tuple[LeftOut, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "muscle", one_line(self.muscle))
        if self.unit not in UNITS:
            raise InputError(f"Input unit of Pulses must be {' or '.join(UNITS)}; instead received {self.unit!r:.40}.")
        poses = np.asarray(self.poses, dtype=np.float64)
        if poses.ndim != 3 or not len(poses):
            raise InputError(f"Input poses of Pulses must be (p, 4, 4), p at least 1; instead {poses.shape}.")
        poses = np.stack([as_rigid(pose, f"pose {index} of Pulses") for index, pose in enumerate(poses)])
        object.__setattr__(self, "poses", read_only(poses))
        largest = {"A/us": 1e4, "%MSO": 100.0}[self.unit]
        for name, most in (("intensities", largest), ("amplitudes", LARGEST_AMPLITUDE)):
            values = read_only(getattr(self, name), np.float64)
            if values.shape != (len(poses),) or not ((values >= 0) & (values <= most)).all():
                raise InputError(
                    f"Input {name} of Pulses must be {len(poses)} numbers from 0 to {most:g}, one for each pose; "
                    f"instead received {values.shape} from {np.nanmin(values, initial=np.inf):g} to "
                    f"{np.nanmax(values, initial=-np.inf):g}."
                )
            object.__setattr__(self, name, values)
        if self.times is not None:
            times = read_only(self.times, np.float64)
            if times.shape != (len(poses),):
                raise InputError(f"Input times of Pulses must be ({len(poses)},); instead {times.shape}.")
            object.__setattr__(self, "times", times)

    def __len__(self) -> int:
        return len(self.poses)

    @property
    def placements(self) -> list[Placement]:
        """The poses as placements."""
        return [Placement(pose) for pose in self.poses]

    def slopes(self, coil: Coil) -> FloatArray:
        """(p,) A/s of each pulse.

        Raises
        ------
        InputError
            If intensities are % of an output whose slope the coil does not know.
        """
        if self.unit == "A/us":
            return self.intensities * AMPERE_PER_MICROSECOND
        if not coil.didt_max:
            raise InputError(
                f"The intensities are %MSO, and the largest slope of the coil {coil.name!r} is not known: give a coil "
                "whose file or card has dIdtmax, or intensities in A/us."
            )
        return self.intensities / 100 * coil.didt_max

    def chosen(self, which: AnyArray) -> "Pulses":
        """Some of them, by index or mask; what was left out stays told."""
        times = None if self.times is None else self.times[which]
        return Pulses(
            self.muscle, self.poses[which], self.intensities[which], self.amplitudes[which],
            unit=self.unit, times=times, left_out=self.left_out, findings=self.findings,
        )  # fmt: skip
