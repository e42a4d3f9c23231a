"""Of the plans of one patient."""

SENTENCES = {
    "study-no-target": "The {side} {site} cannot be aimed at: no viable grey matter lies near its place.",
    "study-no-such-role": "There is no plan for the {role} side: this preset makes none.",
    "study-one-target-missing": "Both sides cannot be planned at once: the target of one of them is missing.",
    "study-little-viable": "Only {viable:.0%} of the grey matter at the {role} target is viable: the place was moved "
    "{moved:.0f} mm to what is left, and no dose is matched there.",
    "study-off-axis": "At the best {role} placement only {along:.0%} of the field in the target runs along the wanted "
    "axis: folds or the lesion turn it. Compare it with a placement chosen by field strength alone.",
    "study-ranked-apart": "Ranked and fully solved fields on the {role} side differ by up to {difference:.1%}; trust "
    "the solved values.",
    "study-search-rim": "The best {role} placement lies at the rim of the search; enlarge its radius.",
    "study-rank-open": "The first {role} placement stays first in only {first:.0%} of the draws of conductivities; "
    "keeping it costs {regret:.3f} V/m at 1 A/µs on average. Treat the first placements as equals.",
    "study-varied-apart": "Fields under varied conductivities on the {role} side differ from full solves by up to "
    "{difference:.1%}; read the stability with that in mind.",
}
