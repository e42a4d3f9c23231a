"""Of a motor map: one statement a line, and its page."""

PHRASES = {
    "map.pulses": "{muscle!s}: {pulses} pulses, {answered} answered.",
    "map.left-out": "Left out {count} pulses: {told!s}.",
    "map.left-out-more": "{told!s} and {more} more",
    "map.no-site": "No site is told, and none of the other hemisphere or of an atlas stands in for it.",
    "map.site": "Site on the cortex: {side!s}head {x:.1f}, {y:.1f}, {z:.1f} mm; R2 {r2:.2f}.",
    "map.side": "{side} hemisphere, ",
    "map.sure": "In 95 % of resampled sessions it lies among {among} of {points} points, within {reach:.0f} mm of it; "
    "{alike} points have fields this session cannot tell from it.",
    "map.threshold": "Threshold there: {threshold:.0f} V/m (median amplitude 50 uV). The middle of the curve, "
    "{midpoint:.0f} V/m, is no threshold.",
    "map.convergence": "From the site, by pulses used: {steps!s}.",
    "map.best-pose": "Of the recorded poses number {pose} of those mapped reaches it best: coil centre {x:.1f}, "
    "{y:.1f}, {z:.1f} mm.",
    "mapped.title": "Motor map of {muscle!s}",
    "mapped.first": "Read these first",
    "mapped.found": "What was found",
    "mapped.from": "What it was made from",
    "mapped.left-out": "Pulses that were not mapped",
    "mapped.pulse": "Pulse",
    "mapped.reason": "Why",
    "mapped.cortex": "R2 at points of the cortex, seen along the coil's mean axis (left picture: front of the head up, "
    "or its top where the coil was in front or behind) and from beside it (right picture: towards the coil up).",
    "mapped.cortex-site": "Cross: the site. Black rings: the area that holds it in 95 % of resampled sessions.",
    "mapped.cortex-none": "No site is told: the brightest point is none.",
    "mapped.curve": "Amplitudes and the field at the site. Dots: pulses (20 uV where the answer was smaller). Line: "
    "their fitted median. Upright line: the threshold, where it crosses 50 uV. Dashed: the middle of the curve, which "
    "is no threshold.",
    "mapped.convergence": "How far from the site the first n pulses would have put it.",
    "mapped.coil": "Coil",
    "mapped.intensities": "Intensities",
    "mapped.regressed": "Answers are regressed on",
    "mapped.magnitude": "|E|, V/m",
    "mapped.normal": "the size of E along the cortex's normal, V/m",
    "mapped.chance": "Share of shuffled sessions that explain as much",
    "mapped.mesh": "Mesh of the head (digest)",
}
