"""What a study's targets, plans and doses find is found again in the study, with the role and side it is said of."""

from dataclasses import replace

from tiny_study import tiny_study

from neuro_field.clinic.cautions import of_study
from neuro_field.findings import Finding


def test_each_finding_bears_role_and_side_and_keeps_a_side_of_its_own():
    made = tiny_study()
    sides = {role: made.side_of(role) for role in made.plans}
    for role, plan in made.plans.items():
        of_target = (Finding("target-moved-far", "warn", {"side": sides[role]}), Finding("target-lost", "warn", {}))
        target = replace(plan.target, findings=of_target)
        told = replace(plan, target=target, findings=(Finding("search-lifted", "warn", {"lift": 9.0}),))
        dose = replace(made.doses[role], findings=(Finding("dose-capped", "warn", {"needed": 120.0}),))
        study = replace(made, **{role: told}, doses={**made.doses, role: dose})
        found = [each for each in of_study(study, {**sides, role: "both"}) if each.values.get("role") == role]
        by_code = {each.code: each.values.get("side") for each in found if each.level == "warn"}
        assert by_code["target-moved-far"] == sides[role]
        assert {by_code[code] for code in ("target-lost", "search-lifted", "dose-capped")} == {"both"}
