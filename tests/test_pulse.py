"""Pulses: what their slopes must integrate to, how many phases they have and which counts."""

import numpy as np
import pytest

from neuro_field.coil.coil import Coil
from neuro_field.coil.pulse import biphasic, counting_phase, monophasic, phases
from neuro_field.coil.sources import Dipoles
from neuro_field.coil.stimulator import Waveform
from neuro_field.errors import InputError


@pytest.mark.parametrize("pulse", [monophasic(60e-6, 300e-6, 20_001), biphasic(300e-6, 0.0, 20_001)])
def test_current_starts_and_ends_at_zero(pulse):
    """The slope integrates to the current: up to its peak, and back to zero (to e^-5 for the exponential)."""
    current = np.concatenate([[0], np.cumsum((pulse.signal[1:] + pulse.signal[:-1]) / 2 * np.diff(pulse.time))])
    assert pulse.signal[0] == pytest.approx(1.0)
    assert current.max() == pytest.approx({"monophasic": 60e-6, "biphasic": 75e-6}[pulse.name] * 2 / np.pi, rel=1e-3)
    assert abs(current[-1]) < 0.01 * current.max()


def test_damped_oscillation_is_the_derivative_of_its_current():
    pulse = biphasic(280e-6, 2000.0, 40_001)
    angular = 2 * np.pi / 280e-6
    current = np.exp(-2000.0 * pulse.time) * np.sin(angular * pulse.time) / angular
    np.testing.assert_allclose(np.gradient(current, pulse.time)[1:-1], pulse.signal[1:-1], atol=1e-5)


def test_monophasic_has_one_phase_and_biphasic_three():
    (only,) = phases(monophasic(60e-6, 600e-6))
    assert (only.start, only.peak) == (0.0, 1.0)
    assert only.end == pytest.approx(60e-6, rel=0.2)
    first, second, third = phases(biphasic(280e-6, 1500.0))
    assert (first.peak, np.sign(second.peak), np.sign(third.peak)) == (1.0, -1, 1)
    assert second.end - second.start == pytest.approx(140e-6, rel=0.03)  # twice the first
    assert abs(second.peak) == pytest.approx(np.exp(-1500 * 140e-6), rel=0.1)


def test_second_phase_of_a_biphasic_pulse_counts():
    assert counting_phase(monophasic(60e-6, 600e-6)) == 1
    assert counting_phase(biphasic(280e-6)) == 2
    recorded = biphasic(280e-6)
    noisy = Waveform("noisy", recorded.time, recorded.signal + np.random.default_rng(0).normal(0, 0.05, 400))
    smooth = Waveform("smooth", recorded.time, noisy.signal, recorded.signal)
    assert len(phases(smooth)) == 3  # the fit is asked, not the noise


def test_slope_at_an_output():
    coil = Coil("c", Dipoles([[0, 0, -5.0]], [[0, 0, 1.0]]), didt_max=1.5e8)
    assert coil.didt_at(40) == pytest.approx(0.6e8)
    with pytest.raises(InputError, match="0 to 100 %"):
        coil.didt_at(120)
    with pytest.raises(InputError, match="not known"):
        Coil("c", coil.elements).didt_at(40)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: monophasic(3e-4, 1e-4), "rise < decay"),
        (lambda: biphasic(0.0), "period above 0"),
        (lambda: biphasic(1e-4, 1e6), "damping"),
        (lambda: phases(Waveform("flat", np.arange(3.0), np.zeros(3))), "no phases"),
    ],
)
def test_impossible_pulses_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
