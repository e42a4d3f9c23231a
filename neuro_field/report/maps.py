"""A motor map in plain words, one statement a line."""

from functools import partial

import numpy as np

from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.report.words import listed, named, phrase, said

#: So many of the pulses left out are told each.
_LISTED = 20


def map_lines(found: MotorMap, language: str = "en", *, findings: bool = True) -> list[str]:
    """What has to be read first, the site, how sure it is, its threshold, and what was left out."""
    say = partial(phrase, language=language)
    lines = [say("level.warn", text=said(finding, language)) for finding in found.findings] if findings else []
    pulses = found.pulses
    answered = int(np.count_nonzero(pulses.amplitudes > 0))
    lines.append(say("map.pulses", muscle=found.muscle, pulses=len(pulses), answered=answered))
    if pulses.left_out:
        told = listed(
            (f"{each.pulse + 1} ({named(each.reason, language)})" for each in pulses.left_out[:_LISTED]), language
        )
        more = len(pulses.left_out) - _LISTED
        told = say("map.left-out-more", told=told, more=more) if more > 0 else told
        lines.append(say("map.left-out", count=len(pulses.left_out), told=told))
    if found.best is None:
        return [*lines, say("map.no-site")]
    x, y, z = found.best
    side = say("map.side", side=found.side) if found.side else ""
    reach = float(np.linalg.norm(found.area95 - found.best, axis=1).max())
    among, alike = len(found.area95), int(np.count_nonzero(found.alike))
    lines += [
        say("map.site", side=side, x=x, y=y, z=z, r2=float(found.r2.max())),
        say("map.sure", among=among, points=len(found.points), reach=reach, alike=alike),
    ]
    if found.threshold is not None:
        lines.append(say("map.threshold", threshold=found.threshold, midpoint=found.midpoint))
    steps = listed((f"{count}: {distance:.0f} mm" for count, distance in found.convergence), language)
    lines.append(say("map.convergence", steps=steps))
    pose = found.strongest_pulse
    assert pose is not None
    x, y, z = pulses.poses[pose, :3, 3]
    return [*lines, say("map.best-pose", pose=pose + 1, x=x, y=y, z=z)]
