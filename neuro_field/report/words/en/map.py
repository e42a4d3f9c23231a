"""Of a motor map: its pulses, its curve, and why it has no site."""

from collections.abc import Mapping

from neuro_field.findings import Value


def _outside(values: Mapping[str, Value]) -> str:
    if values.get("threshold") is None:
        return (
            "the muscle's fitted median amplitude is never {microvolts:g} uV: no threshold is told. Record weaker "
            "and stronger pulses."
        )
    return (
        "the threshold at the site, {threshold:.0f} V/m, lies below every pulse's field there ({lowest:.0f} V/m at "
        "least): it is extrapolated. Record weaker pulses."
    )


SENTENCES = {
    "map-few-pulses": "the map is of {pulses} pulses; {least} at random poses are the least for a stable site "
    "(Numssen 2021 [lit]). Read its area, and record more.",
    "map-off-head": "{off} of {pulses} recorded poses are not held to the head, and were not mapped.",
    "map-one-direction": "all handles lie within {degrees:.0f} degrees of one direction (less than {least:.0f}): walls "
    "of a gyrus cannot be told apart. Record other directions too.",
    "map-no-responses": "the muscle answered {answered} of {pulses} pulses with {microvolts:g} uV or more, and {least} "
    "are needed: there is no map of this side.",
    "map-no-relation": "the muscle's answers have no relation to the field: of shuffled sessions {chance:.1%} explain "
    "as much ({share:.0%}), more than {limit:.0%}. No site is told.",
    "map-saturated": "{share:.0%} of the pulses lie on the curve's plateau (more than {limit:.0%}): they were too "
    "strong to tell places apart. Record weaker ones.",
    "map-threshold-outside": _outside,
    "map-site-at-rim": "the site lies {distance:.0f} mm from the middle of what was mapped (to {reach:.0f} mm): it may "
    "lie beyond. Record pulses over it.",
}
