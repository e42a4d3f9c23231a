"""A motor map in plain words, one statement a line."""

import numpy as np

from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.report.words import said


def map_lines(found: MotorMap, language: str = "en") -> list[str]:
    """What has to be read first, the site, how sure it is, its threshold, and what was left out."""
    lines = [f"Read first: {said(finding, language)}" for finding in found.findings]
    pulses = found.pulses
    answered = int(np.count_nonzero(pulses.amplitudes > 0))
    lines.append(f"{found.muscle}: {len(pulses)} pulses, {answered} answered.")
    if pulses.left_out:
        told = ", ".join(f"{each.pulse + 1} ({each.reason})" for each in pulses.left_out[:20])
        more = f" and {len(pulses.left_out) - 20} more" if len(pulses.left_out) > 20 else ""
        lines.append(f"Left out {len(pulses.left_out)} pulses: {told}{more}.")
    if found.best is None:
        lines.append("No site is told, and none of the other hemisphere or of an atlas stands in for it.")
        return lines
    x, y, z = found.best
    reach = float(np.linalg.norm(found.area95 - found.best, axis=1).max())
    side = f"{found.side} hemisphere, " if found.side else ""
    lines += [
        f"Site on the cortex: {side}head {x:.1f}, {y:.1f}, {z:.1f} mm; R2 {found.r2.max():.2f}.",
        f"In 95 % of resampled sessions it lies among {len(found.area95)} of {len(found.points)} points, within "
        f"{reach:.0f} mm of it; {np.count_nonzero(found.alike)} points have fields this session cannot tell from it.",
    ]
    if found.threshold is not None:
        lines.append(
            f"Threshold there: {found.threshold:.0f} V/m (median amplitude 50 uV). The middle of the curve, "
            f"{found.midpoint:.0f} V/m, is no threshold."
        )
    steps = ", ".join(f"{count}: {distance:.0f} mm" for count, distance in found.convergence)
    lines.append(f"From the site, by pulses used: {steps}.")
    pose = found.strongest_pulse
    assert pose is not None
    centre = pulses.poses[pose, :3, 3]
    lines.append(
        f"Of the recorded poses number {pose + 1} of those mapped reaches it best: coil centre "
        f"{centre[0]:.1f}, {centre[1]:.1f}, {centre[2]:.1f} mm."
    )
    return lines
