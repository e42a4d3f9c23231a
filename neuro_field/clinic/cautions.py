"""What has to be said with a study's plans, one sentence each."""

from collections.abc import Mapping

from neuro_field.clinic.answers import Answers, own_role
from neuro_field.clinic.dose import LEAST_VIABLE
from neuro_field.clinic.envelope import envelope_notes
from neuro_field.clinic.presets import Preset
from neuro_field.search.plan import Plan


def cautions(preset: Preset, answers: Answers, plans: Mapping[str, Plan]) -> list[str]:
    """Of what may be wrong with the plans of a study, by role."""
    out = []
    for role, made in plans.items():
        if made.target.viable_share < LEAST_VIABLE:
            out.append(
                f"Only {made.target.viable_share:.0%} of the grey matter at the {role} target is viable: the "
                f"coordinate was moved {made.target.moved:.0f} mm to what is left, and no dose is matched there."
            )
    own = own_role(preset, answers)
    if preset.side == "both" and not preset.at_once:
        out.append("This preset stimulates both sides in turn; both placements below belong to it.")
    if own == "contralesional" and answers.mep_ipsilesional == "absent":
        out.append(
            "Ipsilesional motor evoked potentials are absent: inhibiting the contralesional hemisphere may take away "
            "what carries the remaining function (bimodal balance-recovery model, Di Pino 2014 [src])."
        )
    return out


def notes(preset: Preset, answers: Answers) -> list[str]:
    """What a physician should know beside the plans: which model of recovery supports which side, limits of trains."""
    out = [
        "Interhemispheric competition supports inhibiting the contralesional or exciting the ipsilesional hemisphere; "
        "vicariation speaks against inhibiting the contralesional one where little of the other is left. Each is "
        "oversimplified: structural reserve decides (bimodal balance-recovery model, Di Pino 2014 [src]). Both sides "
        "are planned; the choice is the physician's."
    ]
    known = {
        "present": "Ipsilesional motor evoked potentials are present, a sign of structural reserve: the competition "
        "model then weighs more.",
        "absent": "Ipsilesional motor evoked potentials are absent, a sign of little reserve: the vicariation model "
        "then weighs more, and the unaffected side's threshold anchors the dose of both.",
        "untested": "Ipsilesional motor evoked potentials are not tested: the structural reserve is not known.",
    }
    out.append(known[answers.mep_ipsilesional])
    if answers.fma_ue is not None:
        out.append(f"Fugl-Meyer upper extremity: {answers.fma_ue:g} of 66; no threshold of it decides the side here.")
    return out + envelope_notes(preset)
