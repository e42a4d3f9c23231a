"""Of what people give: answers, thresholds, options."""

from collections.abc import Mapping

from neuro_field.findings import Value

_VOLUMES = "{left_cm3:.1f} cm³ on the left, {right_cm3:.1f} cm³ on the right"


def _among(values: Mapping[str, Value]) -> str:
    """With names as they have to be typed, not in words."""
    known = values["known"]
    listed = ", ".join(map(str, known)) if isinstance(known, tuple) else str(known)
    meant = f"; did you mean {values['nearest']}?" if values["nearest"] else "."
    return f"{{field}} must be one of {listed}; instead received {values['given']}{meant}"


def _forbidden(values: Mapping[str, Value]) -> str:
    if values["answer"] == "intracranial-metal":
        return (
            "Nothing is planned with metal in the head whose kind is not named. If it is an aneurysm coil, a stent or "
            "a plate, name it: these the physician can confirm."
        )
    return "Nothing is planned: {answer} forbids stimulation."


def _unconfirmed(values: Mapping[str, Value]) -> str:
    return (
        "Nothing is planned with {answer} in the head until the responsible physician has confirmed it by its name: "
        f"confirmed {values['answer']}."
    )


def _missing(values: Mapping[str, Value]) -> str:
    why = {
        "fluency": "fluent or non-fluent: it decides the target.",
        "dominant_side": "left or right, of language on fMRI: it decides the side.",
        "side": "left or right: the preset leaves it to the user.",
        "frequency": "in Hz: the length of a train says nothing without it.",
    }
    return "{preset} needs the {field}, " + why.get(str(values["field"]), "which was not given.")


def _which_hand(values: Mapping[str, Value]) -> str:
    where = {
        "both": f"The lesion lies on both sides ({_VOLUMES})",
        "midline": f"The lesion lies in the midline ({_VOLUMES})",
        "infratentorial": "The lesion lies in cerebellum or pons ({infratentorial_cm3:.1f} cm³), whose side does not "
        "say which hemisphere is affected",
    }
    return where[str(values["where"])] + ": which hand is paretic? Give the paretic hand, left or right."


SENTENCES = {
    "intake-out-of-range": "{field} must be {low:g} to {high:g}; instead received {given}.",
    "intake-not-a-number": "{field} must be a number; instead received {given}.",
    "intake-not-among": _among,
    "intake-wrong-kind": "{field} must be a {wanted}; instead received {given}.",
    "intake-unknown": "There is no answer called {field}.",
    "intake-missing": _missing,
    "intake-preset-or-target": "Give either a preset, a name from neuro-field presets, or a target.",
    "intake-target-needs-coil": "With a target give the coil, a name from neuro-field coils or a file.",
    "intake-needs": "{field} is of no use without {needs}: give both, or neither.",
    "intake-one-of": "Give either {field} or {other}, not both.",
    "intake-not-applicable": "{field} is of no use for {preset}: leave it out.",
    "intake-forbidden": _forbidden,
    "intake-unconfirmed": _unconfirmed,
    "intake-confirmed": "{answer} in the head, confirmed by the responsible physician: that clears nobody. Heating, "
    "forces and a changed field near it are not computed here.",
    "intake-open-skull": "The skull of this head is or was open over {area_cm2:.0f} cm²: which plates and clips are "
    "in it? Name them as contraindications (plate, intracranial-clip), confirm a plate by the responsible physician "
    "(confirmed plate), or confirm that there are none (confirmed no-plates-or-clips).",
    "intake-no-metal": "The skull was opened, and the responsible physician has confirmed that it holds neither plates "
    "nor clips.",
    "intake-metal-contradicts": "{answer} was named, and confirmed that there are neither plates nor clips: one of the "
    "two is wrong.",
    "intake-excluded": "{answer} was named, which is on a partner hospital's list of exclusions [src]: whether to go "
    "on is the responsible physician's decision.",
    "intake-clears-nobody": "What was not named clears nobody. Ask for: {asked}.",
    "intake-left-open": "{preset} leaves to the user and nobody typed: {fields}.",
    "intake-no-side": "The lesion side must be given, left or right, or the paretic hand: this head holds no lesion "
    "that would say it.",
    "intake-side-not-told": "The lesion side must be given, left or right, or the paretic hand: the head holds a "
    "lesion of {cm3:.1f} cm³, but no map to MNI and no fissure to tell left from right by.",
    "intake-no-map": "{preset} cannot be aimed: this head has no map to MNI by which places are named. Build it with "
    "one, or give a target in the head frame.",
    "intake-which-hand": _which_hand,
    "intake-contradicts-lesion": f"The {{field}} makes the {{typed}} hemisphere the affected one, but the lesion lies "
    f"on the {{found}} ({_VOLUMES}): check the answer and the mask's orientation.",
    "intake-hand-contradicts-side": "Paretic hand and lesion side are both {hand}, but a hemisphere moves the hand of "
    "the other side. After a lesion of cerebellum or pons give the paretic hand alone.",
    "intake-hot-spot": "The hot spot must be a pose of the coil, or three numbers x,y,z in mm of the head frame.",
    "intake-hot-spot-off-head": "The hot spot's pose does not look at the brain: no grey matter lies under it within "
    "80 mm along the coil's axis. Check that it was read in the frame of this head.",
    "intake-hot-spot-far": "The hot spot lies {distance:.0f} mm from the nearest grey matter, more than {limit:g} mm: "
    "check that it is in mm of this head's frame.",
}
