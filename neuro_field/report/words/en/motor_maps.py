"""Of a motor map, one statement a line."""

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
}
