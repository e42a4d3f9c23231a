"""A coil on paper: its key figures in words, and a picture of winding, housing, handle and current."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.inductance import inductance
from neuro_field.coil.winding import Winding
from neuro_field.errors import InputError
from neuro_field.field.focality import focality
from neuro_field.nouns import noun
from neuro_field.report.drawing import View, arrow, picture
from neuro_field.report.markup import png_source, rendered
from neuro_field.report.opengl import check_opengl
from neuro_field.report.scene import COLOURS, polydata
from neuro_field.report.words import phrase
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Depths below the face at which the field is told, mm.
DEPTHS = (15.0, 20.0)


@noun
class CoilFigures:
    """What coils are compared by.

    ``slope`` the largest dI/dt, A/us; ``fields`` the primary field at each of `DEPTHS` at 1 A/us, V/m; ``half_depth``,
    cm, and ``spread``, cm2, in the sphere of Deng 2013, as computed and as ``published``; ``polarity`` which way the
    induced current first runs: "away" from the handle, "towards" it, or in a "ring". None where it is not known.
    """

    slope: float | None
    fields: tuple[float, ...]
    half_depth: float | None
    spread: float | None
    published_half_depth: float | None
    published_spread: float | None
    polarity: str

    @classmethod
    def of(cls, coil: Coil, card: Mapping[str, Any] | None = None) -> "CoilFigures":
        """Of a coil, and of its card on the shelf for published values."""
        printed = (card or {}).get("focality", {})
        try:
            found = focality(coil)
        except InputError:  # a sampled potential has no dipoles
            found = None
        away = "away" if coil.initial_e_direction[1] > 0 else "towards"
        return cls(
            None if coil.didt_max is None else coil.didt_max / AMPERE_PER_MICROSECOND,
            tuple(primary_field(coil, depth) for depth in DEPTHS),
            None if found is None else found.half_depth / 10, None if found is None else found.spread / 100,
            printed.get("published_half_depth_cm"), printed.get("published_spread_cm2"),
            "ring" if coil.reference_point(DEPTHS[0])[0] > 0 else away,
        )  # fmt: skip


@noun
class CoilOnPaper:
    """What the page shows of a coil: its ``name``, its facts as label and words, its figures, and a PNG of it."""

    name: str
    facts: Mapping[str, str]
    figures: CoilFigures
    picture: bytes


def primary_field(coil: Coil, depth: float) -> float:
    """|dA/dt| ``depth`` mm below the face at 1 A/us, V/m: on the axis, of a circular coil where it is strongest."""
    return float(np.linalg.norm(coil.dadt(coil.reference_point(depth)[None])[0]))


def coil_facts(
    coil: Coil,
    winding: Winding | None = None,
    card: Mapping[str, Any] | None = None,
    figures: CoilFigures | None = None,
) -> dict[str, str]:
    """Everything to know about a coil, as label and words.

    Parameters
    ----------
    coil : Coil
    winding : Winding, optional
        What it is made from.
    card : mapping, optional
        Its card on the shelf, for published values.
    figures : CoilFigures, optional
        Its own; computed when omitted.
    """
    card = card or {}
    figures = figures or CoilFigures.of(coil, card)
    facts = {"coil": str(card.get("title", coil.name))}
    facts |= {key: str(coil.provenance[key]) for key in ("maker", "citation") if coil.provenance.get(key)}
    if winding is not None:
        facts["geometry"] = geometry_words(winding)
        facts["inductance"] = f"{inductance(winding) * 1e6:.1f} uH, the winding without leads"
    facts["sources"] = f"{len(coil.source_points)} points" if len(coil.source_points) else "a sampled potential"
    facts["first current"] = polarity_words(coil)
    facts["which phase counts"] = (
        "monophasic pulses: the first, as above; biphasic pulses: the second, so the other way round"
    )
    for depth in DEPTHS:
        facts[f"primary |E| at {depth:g} mm"] = _field_words(coil, depth)
    facts |= _focality_facts(figures)
    if not coil.stimulators or coil.didt_max is None:
        facts["largest dI/dt"] = "not known: no source gives it, so doses in % output need it from you"
    for stimulator in coil.stimulators:
        if stimulator.didt_max is not None:
            said = f"{stimulator.didt_max / AMPERE_PER_MICROSECOND:.2f} A/us at 100 % output"
            facts[f"largest dI/dt, {stimulator.name or 'stimulator'}"] = said + (
                f" ({stimulator.source})" if stimulator.source else ""
            )
    if "comparison" in card:
        facts["against a measured model"] = _comparison_words(card["comparison"])
    facts |= {key: str(coil.provenance[key]) for key in ("notes", "licence") if coil.provenance.get(key)}
    return facts


def _field_words(coil: Coil, depth: float) -> str:
    per_slope = primary_field(coil, depth)
    x = coil.reference_point(depth)[0]
    words = f"{per_slope:.3f} V/m at 1 A/us" + (f", {x:g} mm beside the axis" if x else "")
    if coil.didt_max is None:
        return words
    return f"{words}, {per_slope * coil.didt_at(100.0) / AMPERE_PER_MICROSECOND:.0f} V/m at 100 % output"


def _focality_facts(figures: CoilFigures) -> dict[str, str]:
    if figures.half_depth is None or figures.spread is None:
        return {"depth and spread": "not computed: a sampled potential has no dipoles"}
    out = {}
    for label, value, unit, printed in (
        ("half-value depth d1/2", figures.half_depth, "cm", figures.published_half_depth),
        ("spread S1/2", figures.spread, "cm2", figures.published_spread),
    ):
        words = f"{value:.3g} {unit} in the spherical head of Deng 2013"
        if printed is not None:
            words += f"; published {printed:g} {unit} ({100 * (value / printed - 1):+.1f} %)"
        out[label] = words
    return out


def geometry_words(winding: Winding) -> str:
    """A winding in a sentence."""
    turns, layers, wings = len(winding.radii), len(winding.depths), len(winding.wings)
    shared = "in series" if winding.layers_in_series else "sharing the current"
    words = (
        f"{wings} wing{'s' * (wings > 1)} of {turns} turns, radius {min(winding.radii):g} to {max(winding.radii):g} mm"
    )
    words += f", {layers} layers {shared}" if layers > 1 else ""
    words += f", {np.mean(winding.depths):.4g} mm behind the face on average"
    if wings > 1:
        words += ", centres at " + " and ".join(f"{u:g}" for u, _ in winding.wings) + " mm"
    if winding.bend_angle:
        words += f", each side bent {winding.bend_angle:g} degrees to the head"
    if winding.offset_y:
        words += f", {abs(winding.offset_y):g} mm {'towards' if winding.offset_y < 0 else 'away from'} the handle"
    return words


def polarity_words(coil: Coil) -> str:
    """Which way the induced current under the coil runs while the coil current rises."""
    along = coil.initial_e_direction
    if coil.reference_point(DEPTHS[0])[0] > 0:
        return f"{'away from' if along[1] > 0 else 'towards'} the handle under the side at +x; none on the axis"
    return (
        f"{'away from' if along[1] > 0 else 'towards'} the handle ({'+y' if along[1] > 0 else '-y'}) at dI/dt above 0"
    )


def _comparison_words(comparison: Mapping[str, Any]) -> str:
    low, high = comparison["magnitude_error"]
    words = f"{comparison['model']}: |E| {100 * low:+.1f} to {100 * high:+.1f} %, direction within "
    words += f"{comparison['largest_direction_error']} degrees"
    return words + f" ({comparison['largest_direction_error_symmetric']} of the model made symmetric)"


def coil_picture(coil: Coil, winding: Winding | None = None) -> bytes:
    """A PNG of a coil seen from behind and above, the head on its far side and the handle towards the viewer.

    Raises
    ------
    PictureError
        If this machine has no OpenGL library.
    """
    check_opengl()
    shape = coil.casing.points if coil.casing is not None else coil.source_points
    if not len(shape):
        raise InputError(f"The coil {coil.name!r} is a sampled potential: there is nothing of it to draw.")
    low, high = shape.min(axis=0), shape.max(axis=0)
    into, up = np.array([0.12, 0.55, 0.8]), np.array([0.0, 1.0, 0.0])
    focus = (low + high) / 2 - np.array([0.0, 25.0, 0.0])
    across = 0.65 * float(high[0] - low[0]) + 95.0
    view = View(into, up, focus, across, f"{coil.name}: from behind, head below, handle towards you")
    return picture(view, None, lambda plotter: _draw(plotter, coil, winding, view, low))


def _draw(plotter: Any, coil: Coil, winding: Winding | None, view: View, low: FloatArray) -> None:
    import pyvista

    if coil.casing is not None:
        plotter.enable_depth_peeling(4)
        plotter.add_mesh(polydata(coil.casing), color=COLOURS["casing"], opacity=0.25)
        plotter.add_silhouette(polydata(coil.casing), color=COLOURS["casing"], line_width=3.0)
    if winding is not None:
        wires = winding.wires()
        s = len(wires.starts)
        ends = np.stack([wires.starts, wires.ends], axis=1).reshape(-1, 3)
        lines = np.column_stack([np.full(s, 2), 2 * np.arange(s), 2 * np.arange(s) + 1])
        plotter.add_mesh(pyvista.PolyData(ends, lines=lines.ravel()), color="#B5651D", line_width=3.0)
        _sense_of_current(plotter, winding)
    else:
        plotter.add_mesh(pyvista.PolyData(np.array(coil.source_points)), color="#B5651D", point_size=5.0)
    arrow(plotter, "handle", np.array([0.0, low[1], -10.0]), np.array([0.0, -1.0, 0.0]), 55.0, view=view)
    start = coil.reference_point(DEPTHS[0]) * [1, 1, 0]
    direction = np.asarray(coil.initial_e_direction)
    arrow(plotter, "current", start - 20 * direction, direction, 40.0, view=view)


def _sense_of_current(plotter: Any, winding: Winding) -> None:
    """Cones along the outermost turn of each wing that point as the rising coil current runs."""
    import pyvista

    rim = replace(winding, radii=(max(winding.radii),), depths=(max(winding.depths),)).wires(72)
    forward = np.sign(rim.currents)[:, None]
    for index in range(0, len(rim.starts), 12):
        middle = (rim.starts[index] + rim.ends[index]) / 2 - np.array([0, 0, 3.0])
        along = (rim.ends[index] - rim.starts[index]) * forward[index]
        plotter.add_mesh(pyvista.Cone(center=middle, direction=along, height=9.0, radius=3.0), color="#B5651D")


def coils_page(coils: Sequence[CoilOnPaper], language: str = "en") -> str:
    """A self-contained HTML page of coils: compared in a table, then each in its own facts and a picture.

    What a coil's own facts say is English in every language, as its card on the shelf is.
    """
    return rendered(
        "coils.html.j2",
        language=language,
        coils=[
            {"name": each.name, "facts": each.facts, "picture": png_source(each.picture), "row": _row(each, language)}
            for each in coils
        ],
        columns=_COLUMNS,
    )


#: Of the table that compares coils.
_COLUMNS = ("coil", "slope", *(f"field-{depth:g}" for depth in DEPTHS), "half-depth", "spread", "first")


def _row(shown: CoilOnPaper, language: str) -> dict[str, str]:
    """A coil as a line of the table."""
    found = shown.figures
    none, slope = phrase("page.not-known", language), found.slope
    fields = {
        f"field-{depth:g}": f"{field:.2f}" + (f" ({field * slope:.0f})" if slope is not None else "")
        for depth, field in zip(DEPTHS, found.fields, strict=True)
    }
    return {
        "coil": shown.name,
        "slope": none if slope is None else f"{slope:.2f}",
        **fields,
        "half-depth": _beside_published(found.half_depth, found.published_half_depth, 2) or none,
        "spread": _beside_published(found.spread, found.published_spread, 1) or none,
        "first": phrase(f"coils.{found.polarity}", language),
    }


def _beside_published(value: float | None, published: float | None, digits: int) -> str:
    if value is None:
        return ""
    return f"{value:.{digits}f}" + (f" ({published:g})" if published is not None else "")
