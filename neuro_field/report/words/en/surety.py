"""Of how sure a plan is: misplacement, conductivities, the lesion, the zone, and the field elsewhere."""

from collections.abc import Mapping
from typing import Any


def _zone(values: Mapping[str, Any]) -> str:
    handles = " and, at the best one, with {handles!s}" if values["handles"] else ""
    return (
        f"Zone: within {{area:.1f}} cm2 of scalp ({{share:.0%}} of the positions searched){handles} the coil keeps at "
        "least {kept:.0%} of the best {ranked!s}{cut!s}."
    )


_FILLED = (
    "Lesion filled: with the lesion made the tissue around it the best placement has {field:.3f} V/m, {change!s} with "
    "the lesion; without the lesion it "
)

PHRASES = {
    "sure.misplaced": "If misplaced: {by_mm:g} mm off it keeps at least {shift:.0%} of the field in the target, turned "
    "by {by_degrees:g}° {turn:.0%}, tilted by {by_degrees:g}° {tilt:.0%}; all three together {mean:.0%} on average and "
    "{worst:.0%} at worst.",
    "sure.range": "{low:.3f}-{high:.3f} V/m",
    "sure.with": "{sigma:g} S/m: {told!s}",
    "sure.keeping": ", keeping the first costs {cost:.1%} on average",
    "sure.keeping-free": ", keeping the first costs nothing",
    "sure.keeping-free-with-any": ", keeping the first costs nothing with any of them",
    "sure.between": "; ",
    "sure.stability": "Stability: field at 1 A/µs over {draws} draws of the tissues' conductivities (5th-95th "
    "percentile): {told!s}.",
    "sure.stability-by-cavity": "Stability: field at 1 A/µs over {draws} draws of the tissues' conductivities "
    "(5th-95th percentile), by what the lesion's cavity conducts: {told!s}.",
    "sure.median": "{sigma:g} S/m {field:.3f} V/m",
    "sure.first-in": ", first in {share:.0%}",
    "sure.lesion": "Lesion's conductivity: {told!s} (medians; no value is established).",
    "sure.filled": _FILLED + "would be first as well.",
    "sure.filled-other-first": _FILLED + "would give way to placement {first}.",
    "zone.line": _zone,
    "zone.handles": "handles from {sector!s},",
    "zone.any-handle": "any handle",
    "zone.ranked-by-strength": "field in the target",
    "zone.ranked-by-ratio": "ratio to the regions compared",
    "zone.ranked-by-focality": "focality",
    "zone.cut": "; the zone is cut off at the rim of the search and may go on beyond it",
    "elsewhere.line": "Elsewhere: {told!s} V/m at 1 A/µs; {volume:.1f} cm³ of grey matter has at least half of the "
    "target's field.",
    "elsewhere.peak": "99.9th percentile in all viable grey matter {field:.3f} V/m",
    "elsewhere.off-target": "farther than {away:g} mm from the target {field:.3f}",
    "elsewhere.rim": "in the brain within {within:g} mm of the lesion {field:.3f}",
    "elsewhere.lesion": "mean in the lesion's cavity {field:.3f}",
    "elsewhere.homologous": "mean in the same target of the other hemisphere {field:.3f}",
    "elsewhere.avoided": "mean in {name!s}, to be avoided, {field:.3f}",
}
