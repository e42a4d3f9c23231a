"""The coils of the shelf as rows, facts, pictures and a page in a folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

from neuro_field.coil.coil import Coil
from neuro_field.coil.winding import Winding
from neuro_field.io.atomic import new_folder
from neuro_field.names import file_name
from neuro_field.nouns import noun
from neuro_field.report.coil_pages import (
    DEPTHS,
    CoilFigures,
    CoilOnPaper,
    coil_facts,
    coil_picture,
    coils_page,
    primary_field,
)
from neuro_field.shelf.coils import coil_card, coil_names, coil_of_card, is_coil_file, read_coil, winding_of_card
from neuro_field.units import AMPERE_PER_MICROSECOND


@noun
class ShownCoil:
    """A coil of the shelf or of a file, the winding it is made from where known, its facts and its figures."""

    coil: Coil
    winding: Winding | None
    facts: dict[str, str]
    figures: CoilFigures


def shown_coil(source: str) -> ShownCoil:
    """A coil by its name on the shelf or its file."""
    if is_coil_file(source):
        coil = read_coil(source)
        figures = CoilFigures.of(coil)
        return ShownCoil(coil, None, coil_facts(coil, figures=figures), figures)
    card = coil_card(source)
    coil, winding = coil_of_card(card, f"{source}.toml"), winding_of_card(card, f"{source}.toml")
    figures = CoilFigures.of(coil, card)
    return ShownCoil(coil, winding, coil_facts(coil, winding, card, figures), figures)


def shelf_rows() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings, and a row of key figures for each coil of the shelf."""
    rows = []
    for name in coil_names():
        card = coil_card(name)
        coil, found = coil_of_card(card, f"{name}.toml"), card["focality"]
        slope = f"{coil.didt_max / AMPERE_PER_MICROSECOND:.1f}" if coil.didt_max else "-"
        fields = (f"{primary_field(coil, depth):.2f}" for depth in DEPTHS)
        depth, spread = (
            f"{found[key]:g}" + (f" ({found[f'published_{key}']:g})" if f"published_{key}" in found else "")
            for key in ("half_depth_cm", "spread_cm2")
        )
        polarity = {"+y": "away from", "-y": "towards", "none": "-"}[card["polarity"]]
        rows.append((name, slope, *fields, depth, spread, polarity))
    return ("name", "A/us", "15 mm", "20 mm", "d1/2 cm", "S1/2 cm2", "handle"), rows


def write_coil_pages(
    sources: Sequence[str], folder: str | Path, progress: Callable[[str, float], object] | None = None,
    language: str = "en",
) -> None:  # fmt: skip
    """A picture of each coil and a page of all, in a new folder.

    Raises
    ------
    PictureError
        If this machine cannot draw.
    InputError
        If a name is not known, or the folder holds something.
    """
    with new_folder(folder) as beside:
        pages: list[CoilOnPaper] = []
        names: list[str] = []
        for number, source in enumerate(sources):
            shown = shown_coil(source)
            png = coil_picture(shown.coil, shown.winding)
            names.append(file_name(shown.coil.name, names))
            (beside / f"{names[-1]}.png").write_bytes(png)
            pages.append(CoilOnPaper(shown.coil.name, shown.facts, shown.figures, png))
            if progress is not None:
                progress("pictures of coils", (number + 1) / len(sources))
        (beside / "coils.html").write_text(coils_page(pages, language), encoding="utf-8", newline="\n")
