"""Of the way to a placement with a tape: "What: how" each, for a line or a row of a table."""

from collections.abc import Mapping

from neuro_field.findings import Value

#: Shorter steps are none, mm.
_NONE = 0.5


def _number(values: Mapping[str, Value], name: str) -> float:
    return float(str(values[name]))


def _side(values: Mapping[str, Value]) -> str:
    return "right" if _number(values, "right") > 0 else "left"


def _arcs(values: Mapping[str, Value]) -> str:
    scaled = " as measured on this patient" if values["scaled"] else ""
    return (
        f"Check the head: over the vertex {{nasion_inion:.0f}} mm from nasion to inion and {{ear_ear:.0f}} mm from ear "
        f"to ear{scaled}; measured taut, between the points just before the ears. Measure both again: if one is more "
        "than 10 mm off, do not go on. The vertex is the middle of both."
    )


def _aside(values: Mapping[str, Value]) -> str:
    if abs(_number(values, "right")) < _NONE:
        return "First: stay at the vertex."
    return (
        f"First: {abs(_number(values, 'right')):.0f} mm from the vertex towards the {_side(values)} ear, along the "
        "ear-to-ear line."
    )


def _front(values: Mapping[str, Value]) -> str:
    front = _number(values, "front")
    if abs(front) < _NONE:
        return "Then: stay on that line; the spot is there."
    return f"Then: {abs(front):.0f} mm {'forwards' if front > 0 else 'back'}, at a right angle to that line."


def _offset(values: Mapping[str, Value]) -> str:
    """As in "1.2 cm to the left, then 0.4 cm forwards"."""
    right, front = _number(values, "right"), _number(values, "front")
    parts = []
    if abs(right) >= _NONE:
        parts.append(f"{abs(right) / 10:.1f} cm to the patient's {_side(values)}")
    if abs(front) >= _NONE:
        parts.append(f"{abs(front) / 10:.1f} cm {'forwards' if front > 0 else 'back'}")
    return ", then ".join(parts) or "the spot is there"


def _electrode(values: Mapping[str, Value]) -> str:
    return f"Nearest electrode: {{electrode}}; from there {_offset(values)}."


def _hot_spot(values: Mapping[str, Value]) -> str:
    return f"Measured hot spot: from there {_offset(values)}."


def _rule(values: Mapping[str, Value]) -> str:
    front = _number(values, "front")
    return (
        "Customary rule: {aside:.0f} mm from the vertex towards the {side} ear and "
        f"{abs(front):.0f} mm {'forwards' if front > 0 else 'back'} [src]; that is {{distance:.0f}} mm from this spot."
    )


def _doubt(values: Mapping[str, Value]) -> str:
    kept = (
        " At the rim of that the target still has {kept:.0%} of the field or more."
        if values["kept"] is not None
        else " What the target keeps there is not known."
    )
    return (
        "How sure: a tape read to ±{tape_error:.0f} mm at each step and landmarks found to ±{landmark_error:.0f} mm "
        "each leave the spot within {place:.0f} mm, 99 times of 100 ({tape:.0f} mm by the tape alone, "
        "{landmarks:.0f} mm by the landmarks)." + kept
    )


def _refused(values: Mapping[str, Value]) -> str:
    name = {"nasion_inion": "nasion-inion", "ear_ear": "ear-ear"}[str(values["field"])]
    return (
        f"The landmarks of this head are refused: --{name} must be within {{limit:.0f}} mm of the model's "
        "{modelled:.0f} mm; instead {measured:.0f} mm was measured. Measure again over the vertex, or give --landmarks "
        "FILE."
    )


def _off_scalp(values: Mapping[str, Value]) -> str:
    right, front = _number(values, "right"), _number(values, "front")
    return (
        f"The {{field}} by tape lies off the scalp: {{origin}} {abs(right):g} {_side(values)}, {abs(front):g} "
        f"{'front' if front > 0 else 'back'}; check the millimetres, as in 'Cz 58 right, 4 front'."
    )


SENTENCES = {
    "tape-arcs": _arcs,
    "tape-aside": _aside,
    "tape-front": _front,
    "tape-far": "From the vertex: the spot lies more than {limit:.0f} mm before or behind the ear-to-ear line, where "
    "steps from the vertex are not sure; go from the electrode.",
    "tape-electrode": _electrode,
    "tape-hot-spot": _hot_spot,
    "tape-rule": _rule,
    "tape-rule-electrode": "Customary rule: {electrode} [lit]; that is {distance:.0f} mm from this spot.",
    "tape-doubt": _doubt,
    "tape-doubt-unknown": "How sure: not known; landmarks that are ±{landmark_error:.0f} mm off, or a tape that is "
    "±{tape_error:.0f} mm off, lead off the scalp.",
    "tape-none": "With a tape: not known; this head has no landmarks, or its scalp does not reach them. Give "
    "--landmarks FILE.",
    "tape-arc-off": _refused,
    "tape-no-landmarks": "A {field} by tape needs a head with landmarks: map it to MNI152, or give --landmarks FILE.",
    "tape-off-scalp": _off_scalp,
}
