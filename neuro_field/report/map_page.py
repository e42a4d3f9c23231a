"""The page of a motor map: what to read first, the site and how sure it is, R2 on the cortex, curve, convergence."""

from functools import partial

import numpy as np

from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.report.map_pictures import map_pictures
from neuro_field.report.maps import map_lines
from neuro_field.report.markup import png_source, rendered
from neuro_field.report.words import check_language, named, phrase, said

#: Levels of findings that are read before anything else.
_FIRST = ("stop", "warn")


def map_page(found: MotorMap, language: str = "en", *, made: str | None = None) -> str:
    """A motor map as HTML, from the map alone: no head is read, nothing is computed.

    Parameters
    ----------
    found : MotorMap
    language : {"en", "ja"}
    made : str, optional
        Date and time; now, when omitted.

    Returns
    -------
    str
        Self-contained.

    Raises
    ------
    InputError
        If the language is not known.
    """
    check_language(language)
    pictures = {name: png_source(data) for name, data in map_pictures(found).items()}
    return rendered(
        "map_page.html.j2",
        language=language,
        made=made,
        muscle=found.muscle,
        warnings=[said(each, language) for each in found.findings if each.level in _FIRST],
        lines=map_lines(found, language, findings=False),
        site=found.best is not None,
        pictures={"convergence": "", **pictures},
        facts=_facts(found, language),
        left_out=[
            (each.pulse + 1, named(each.reason, language), "" if np.isnan(each.value) else f"{each.value:.0f}")
            for each in found.pulses.left_out
        ],
    )


def _facts(found: MotorMap, language: str) -> dict[str, str]:
    """What the map was made from, by label."""
    say, pulses = partial(phrase, language=language), found.pulses
    low, high = float(pulses.intensities.min()), float(pulses.intensities.max())
    return {
        say("mapped.coil"): found.coil,
        say("mapped.intensities"): f"{low:.0f}" + (f" - {high:.0f}" if high > low else "") + f" {pulses.unit}",
        say("mapped.regressed"): say(f"mapped.{found.component}"),
        say("mapped.chance"): f"{found.chance:.3f}",
        say("mapped.mesh"): found.mesh,
    }
