"""Of the page on which the coil is led over the scalp."""

PHRASES = {
    "serve.title": "lead the coil",
    "serve.heading": "Field in the target: {target!s}",
    "serve.statistic": "{statistic!s}, at 1 A/µs",
    "serve.resting": "estimated; solving when the coil rests",
    "serve.solving": "estimated; solving now",
    "serve.solved": "solved in {seconds:.1f} s",
    "serve.ranked": "{share:.0%} of the best placement planned; it would rank {rank:,} of the {tried:,} placements "
    "tried.",
    "serve.scale": "≥ {field:.2f} V/m on the brain",
    "serve.keys": "Click on the head, or use the arrow keys (with shift, five at a time), to lead the coil over the "
    "scalp; , and . turn it. Drag turns the view. The letters around the head: R, L, A and P are the patient's right, "
    "left, front and back.",
    "serve.place": "Scalp under the centre",
    "serve.no-landmarks": "no 10-10 positions on this head",
    "serve.handle": "Handle",
    "serve.centre": "Centre",
    "serve.lift": "Lift off the scalp beyond the gap",
    "serve.pose": "head_from_coil, mm, head frame:",
    "serve.estimate": "The estimate: the target by reciprocity, the colours by a sphere that fits the skull. Mean "
    "sizes are {size!s}.",
    "serve.front": "front",
    "serve.back": "back",
    "serve.left": "left",
    "serve.right": "right",
    "serve.turn-left": "turn ↺",
    "serve.turn-right": "turn ↻",
    "serve.planned": "Planned: ",
}
