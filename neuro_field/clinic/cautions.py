"""What has to be said with a study's plans, one sentence each."""

from collections.abc import Mapping

import numpy as np

from neuro_field.clinic.answers import Answers, own_role
from neuro_field.clinic.dose import LEAST_VIABLE
from neuro_field.clinic.presets import Preset
from neuro_field.search.plan import Plan

#: Below this share of the field along the wanted axis the best placement is told to be doubtful (45 degrees off).
LEAST_ALONG = 0.71

#: Below this probability of staying first a ranking is told to be open.
LEAST_FIRST = 0.5

#: A reduced answer farther from the full one than this, relative, is told.
_REDUCED = 0.005


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
    for role, made in plans.items():
        out += [caution for caution in _of_plan(role, made) if caution]
    return out


def _of_plan(role: str, made: Plan) -> list[str]:
    """What may be wrong with one plan; empty strings where nothing is."""
    best, stability = made.best, made.stability
    along = best.verified / max(best.magnitude, 1e-12)
    edge = np.linalg.norm(best.placement.center - made.centers, axis=1).max()
    spread = np.linalg.norm(made.centers - made.centers.mean(axis=0), axis=1).max()
    return [
        f"At the best {role} placement only {along:.0%} of the field in the target runs along the wanted axis: folds "
        "or the lesion turn it. Compare it with a placement chosen by field strength alone."
        if made.target.direction is not None and along < LEAST_ALONG
        else "",
        f"Ranked and fully solved fields on the {role} side differ by up to {made.report.largest_difference:.1%}; "
        "trust the solved values."
        if made.report.largest_difference > 0.01
        else "",
        f"The best {role} placement lies at the rim of the search; enlarge the grid's radius."
        if edge > 1.8 * spread
        else "",
        f"The first {role} placement stays first in only {stability.first[0]:.0%} of the draws of conductivities; "
        f"keeping it costs {stability.regret_mean:.3f} V/m at 1 A/us on average. Treat the first placements as equals."
        if stability is not None and stability.first[0] < LEAST_FIRST
        else "",
        f"Fields under varied conductivities on the {role} side differ from full solves by up to "
        f"{stability.reduced_error:.1%}; read the stability with that in mind."
        if stability is not None and stability.reduced_error > _REDUCED
        else "",
    ]


def notes(preset: Preset, answers: Answers) -> list[str]:
    """What a physician should know beside the plans: which model of recovery supports which side."""
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
    return out
