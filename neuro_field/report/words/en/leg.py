"""Of both legs at once: how evenly one coil reaches them, and how it is held."""

_BOTH = (
    "One coil for both sides of {site} at once: {weaker:.3f} V/m at 1 A/µs on the {weaker_side}, by which placements "
    "are ranked, and {stronger:.3f} on the {stronger_side}"
)

SENTENCES = {
    "leg-even": _BOTH + " (weaker over stronger {share:.0%}).",
    "leg-uneven": _BOTH + ": the {weaker_side} has only {share:.0%} of the other, less than {wanted:.0%}. Consider "
    "each side by itself.",
    "leg-no-orientation": "No direction of the current is published for the leg areas under a double cone: placements "
    "are ranked by |E| whatever its direction, and usual practice holds it over the vertex with the handle straight "
    "back [lit]. For a figure-8 over the foot area the best current ran {axis:.0f} ± {spread:.0f}° in front of lateral "
    "(Richter 2013, PLoS One 8:e60358, 8 people [src]).",
    "leg-areas-overlap": "Both sides of {site} cannot be planned at once: {shared} elements belong to the targets of "
    "both, for one was moved ({moved:.1f} mm) to where the other lies.",
}
