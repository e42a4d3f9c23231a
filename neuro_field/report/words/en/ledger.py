"""Of what was delivered, beside what was planned."""

PHRASES = {
    "ledger.planned": "Planned: {planned:.3f} V/m in {where!s} at 1 A/µs ({counted!s}){dose!s}.",
    "ledger.dose": ", {field:.1f} V/m at the planned output",
    "ledger.along": "mean along the wanted current axis, by which it ranks",
    "ledger.magnitude": "mean |E|",
    "ledger.of-target": "the {target!s}",
    "ledger.target": "the target",
    "ledger.second": "Pulses are told by the second of these.",
    "ledger.first": "Pulses are told by the first of these.",
    "ledger.apart": "Warning: the planned placement gives {planned:.3f} V/m here and {solved:.3f} in the plan, "
    "{apart:.1%} apart: coil or head are not those of the plan.",
    "ledger.lifted": "Note: {poses} poses cut the scalp, by up to {most:.1f} mm; they were moved back along the coil's "
    "axis until it cleared.",
    "ledger.reciprocity": "Computed by reciprocity from {modes} adjoint solves; {checked} poses solved in full differ "
    "by at most {difference:.2%} of the planned value.",
    "ledger.difference-large": "Warning: that difference is large; these poses vary more than the adjoint solves span.",
    "ledger.full": "Every different pose ({checked}) was solved in full.",
    "ledger.session": "{name!s}: {pulses} pulses{field!s}; share of the planned strength: mean {mean:.1%}, worst "
    "{worst:.1%} ({at!s}: {distance:.1f} mm and {turn:.0f} degrees from the plan){off!s}.",
    "ledger.session-field": ", {field:.1f} V/m on average",
    "ledger.session-off": "; {off} with the coil off the head",
    "ledger.session-all-off": "{name!s}: {pulses} pulses, all with the coil off the head.",
    "ledger.unnamed": "Session not named",
    "ledger.pulse": "pulse {pulse}",
}
