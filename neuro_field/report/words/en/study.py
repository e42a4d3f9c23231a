"""Of the plans of one patient."""

from collections.abc import Mapping

from neuro_field.findings import Value

_VOLUMES = "{left_cm3:.1f} cm³ on the left, {right_cm3:.1f} cm³ on the right"


def _hot_spot(values: Mapping[str, Value]) -> str:
    parts = (("right", "right", "left"), ("anterior", "anterior", "posterior"), ("superior", "superior", "inferior"))
    where = [
        f"{abs(float(str(values[name]))):.0f} mm {more if float(str(values[name])) > 0 else less}"
        for name, more, less in parts
        if abs(float(str(values[name]))) >= 0.5
    ]
    far = " That is farther than published: check that it was measured in this head's frame."
    return (
        "The {side}-hemisphere hand area is aimed at where it was measured, {distance:.0f} mm from its expected place ("
        + (", ".join(where) or "at it")
        + ")."
        + (far if float(str(values["distance"])) > 20 else "")
    )


SENTENCES = {
    "study-lesion-on-both-sides": f"The lesion lies on both sides ({_VOLUMES}): neither hemisphere is intact. By the "
    "paretic {hand} hand the {affected} hemisphere is taken for the affected one.",
    "study-side-by-hand": "The lesion's place does not say which hemisphere is affected: by the paretic {hand} hand "
    "the {affected} one is taken.",
    "study-lesion-little-across": f"A small part of the lesion lies in the other hemisphere ({_VOLUMES}).",
    "study-hot-spot": _hot_spot,
    "study-hot-spot-alone": "The {side}-hemisphere hand area is aimed at where it was measured; its expected place is "
    "not known.",
    "study-no-such-role": "There is no plan for the {role} side: this preset makes none.",
    "study-one-target-missing": "Both sides cannot be planned at once: the target of one of them is missing.",
}
