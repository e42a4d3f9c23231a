"""The page of a ledger: planned against delivered over a course."""

PHRASES = {
    "ledger-page.title": "Planned against delivered",
    "ledger-page.places": "Where the coil stood",
    "ledger-page.places-say": "Seen from outside, up is towards the nose; rings are {step:.0f} mm apart around the "
    "planned place (cross). Grey: where the plan keeps {kept:.0%}. Each dot is a pulse with its handle; numbers mark "
    "the middle of each session.",
    "ledger-page.places-plain": "Seen from outside, up is towards the nose; rings are {step:.0f} mm apart around the "
    "planned place (cross). Each dot is a pulse with its handle; numbers mark the middle of each session.",
    "ledger-page.some": "Of {all} pulses {shown} are drawn.",
    "ledger-page.course": "What the target got",
    "ledger-page.course-say": "Share of the planned field at the same output: the mean of each session (dot), from its "
    "least to its most (bar).",
    "ledger-page.planned": "planned",
    "ledger-page.nose": "nose",
    "ledger-page.sessions": "Sessions",
    "ledger-page.number": "No.",
    "ledger-page.session": "Session",
    "ledger-page.pulses": "Pulses",
    "ledger-page.off": "Off the head",
    "ledger-page.distance": "From the plan, mm",
    "ledger-page.turn": "Handle turned, °",
    "ledger-page.share": "Share, mean",
    "ledger-page.worst": "Share, worst",
    "ledger-page.field": "V/m, mean",
    "ledger-page.unnamed": "not named",
    "ledger-page.said": "In words",
}
