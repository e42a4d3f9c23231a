"""Of protocols: what they do to which hemisphere, and what is known for and against it."""

from collections.abc import Mapping

from neuro_field.findings import Value

_MODELS = (
    "Each is oversimplified: structural reserve decides (bimodal balance-recovery model, Di Pino 2014 [src]). Both "
    "sides are planned; the choice is the physician's."
)


def _models(values: Mapping[str, Value]) -> str:
    supports = {
        ("contralesional", "inhibits"): "Interhemispheric competition supports inhibiting the contralesional "
        "hemisphere; vicariation speaks against it where little of the other is left.",
        ("ipsilesional", "excites"): "Interhemispheric competition supports exciting the ipsilesional hemisphere; it "
        "needs enough of it left to be excited.",
        ("contralesional", "excites"): "Vicariation supports exciting the contralesional hemisphere where little of "
        "the other is left; interhemispheric competition speaks against it.",
        ("ipsilesional", "inhibits"): "Neither interhemispheric competition nor vicariation supports inhibiting the "
        "ipsilesional hemisphere.",
    }
    found = supports.get((str(values["role"]), str(values["effect"])))
    return f"{found or 'What this protocol does to the hemisphere is not known.'} {_MODELS}"


def _mep(values: Mapping[str, Value]) -> str:
    return {
        "present": "Ipsilesional motor evoked potentials are present, a sign of structural reserve: the competition "
        "model then weighs more.",
        "absent": "Ipsilesional motor evoked potentials are absent, a sign of little reserve: the vicariation model "
        "then weighs more.",
        "untested": "Ipsilesional motor evoked potentials are not tested: the structural reserve is not known.",
    }[str(values["mep"])]


SENTENCES = {
    "preset-both-in-turn": "{preset} stimulates both sides in turn: both placements belong to it.",
    "preset-inhibits-without-mep": "Ipsilesional motor evoked potentials are absent: inhibiting the contralesional "
    "hemisphere may take away what carries the remaining function (bimodal balance-recovery model, Di Pino 2014 "
    "[src]).",
    "preset-recovery-models": _models,
    "preset-mep": _mep,
    "preset-fma-ue": "Fugl-Meyer upper extremity: {fma_ue:g} of 66; no threshold of it decides the side here.",
}
