"""What has to be said with a study's plans, as findings."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from neuro_field.clinic.answers import Answers
from neuro_field.clinic.presets import Preset
from neuro_field.findings import Finding

if TYPE_CHECKING:
    from neuro_field.clinic.study import Study

#: Best current of a figure-8 over the foot area, degrees in front of lateral, and its spread over 8 people
#: (Richter 2013, PLoS One 8:e60358 [src]); nothing is published for a double cone.
FOOT_AXIS, FOOT_SPREAD = 33.0, 18.0


def of_preset(preset: Preset, answers: Answers, own: str, sides: Mapping[str, str]) -> Iterator[Finding]:
    """What a physician should know of a preset for this patient: what it does, and which model of recovery says so.

    ``sides`` of the hemispheres by role.
    """
    if preset.side == "both" and not preset.at_once:
        yield Finding("preset-both-in-turn", "note", {"preset": preset.name})
    if preset.purpose == "leg":
        yield Finding("leg-no-orientation", "note", {"axis": FOOT_AXIS, "spread": FOOT_SPREAD})
    if preset.purpose != "hand" or own == "target":
        return
    roles = ("contralesional", "ipsilesional") if preset.side == "both" else (own,)
    for role in roles:
        effect = preset.effect(role)
        if (role, effect, answers.mep) == ("contralesional", "inhibits", "absent"):
            yield Finding("preset-inhibits-without-mep", "warn", {"role": role, "side": sides.get(role)})
        yield Finding("preset-recovery-models", "note", {"role": role, "side": sides.get(role), "effect": effect})
    yield Finding("preset-mep", "note", {"mep": answers.mep})
    if answers.fma_ue is not None:
        yield Finding("preset-fma-ue", "note", {"fma_ue": answers.fma_ue})


def of_study(study: "Study", sides: Mapping[str, str]) -> list[Finding]:
    """All that has to be said with a study's targets, plans and doses, each with the role and side it is said of."""
    out = list(of_preset(study.preset, study.answers, study.own_side, sides))
    for role, made in study.plans.items():
        dose = study.doses.get(role)
        for finding in (*made.target.findings, *made.findings, *(dose.findings if dose is not None else ())):
            out.append(finding.told_with(role=role, side=finding.values.get("side") or sides[role]))
    return out
