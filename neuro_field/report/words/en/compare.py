"""The page that compares plans, and what is said of comparing them."""

SENTENCES = {
    "compare-other-heads": "these plans are of {heads} different heads, shown apart: neither fields nor places of "
    "different heads can be compared, and they may be of different patients.",
    "compare-other-tissues": "plans of head {head} were made with different tissues, such as with and without a "
    "lesion: their fields differ by that too.",
    "compare-other-conductivities": "plans of head {head} were made with different conductivities: their fields differ "
    "by that too.",
    "compare-other-statistics": "plans of head {head} sum up their fields by different statistics: plan the older ones "
    "again before comparing fields.",
}

SHORT = {
    "compare-other-heads": "Plans of {heads} different heads: do not compare fields or places.",
    "compare-other-tissues": "Plans of head {head} have different tissues.",
    "compare-other-conductivities": "Plans of head {head} have different conductivities.",
    "compare-other-statistics": "Plans of head {head} sum up fields differently.",
}

PHRASES = {
    "compare.title": "Plans compared",
    "compare.head": "Head {letter!s}: {name!s}",
    "compare.one-head": "Head: {name!s}",
    "compare.number": "No.",
    "compare.plan": "Plan",
    "compare.written": "Written",
    "compare.preset": "Preset",
    "compare.coil": "Coil",
    "compare.side": "Side",
    "compare.site": "Target",
    "compare.field_mean": "Mean |E|, V/m at 1 A/µs",
    "compare.from_cz": "From Cz: right, front, mm",
    "compare.clock": "Handle, o'clock",
    "compare.zone_cm2": "Zone, cm²",
    "compare.coil_cortex_mm": "Coil to cortex, mm",
    "compare.matched": "Field-matched",
    "compare.begin": "Begin at",
    "compare.warnings": "Stops + warnings",
    "compare.from_first_mm": "From the first, mm",
    "compare.handle_from_first_deg": "Handle from the first, °",
    "compare.say": "Rows with * are the sides that the protocols stimulate; the others were planned for comparison. "
    "Negative: left, back. The first is the first plan of the same head, side and target. Mean |E| compares placements "
    "of one target and one slope of the current; outputs of different stimulators are not comparable.",
}
