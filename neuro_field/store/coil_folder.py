"""The coils of the shelf as rows, facts, pictures and a page in a folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from neuro_field.coil.coil import Coil
from neuro_field.coil.winding import Winding
from neuro_field.io.atomic import new_folder
from neuro_field.names import file_name
from neuro_field.report.coil_pages import DEPTHS, coil_facts, coil_picture, coils_page, primary_field
from neuro_field.shelf.coils import coil_card, coil_names, coil_of_card, is_coil_file, read_coil, winding_of_card
from neuro_field.units import AMPERE_PER_MICROSECOND


@dataclass(frozen=True, eq=False)
class ShownCoil:
    """A coil of the shelf or of a file, the winding it is made from where known, and its facts."""

    coil: Coil
    winding: Winding | None
    facts: dict[str, str]


def shown_coil(source: str) -> ShownCoil:
    """A coil by its name on the shelf or its file."""
    if is_coil_file(source):
        coil = read_coil(source)
        return ShownCoil(coil, None, coil_facts(coil))
    card = coil_card(source)
    coil, winding = coil_of_card(card, f"{source}.toml"), winding_of_card(card, f"{source}.toml")
    return ShownCoil(coil, winding, coil_facts(coil, winding, card))


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
    sources: Sequence[str], folder: str | Path, progress: Callable[[str, float], object] | None = None
) -> None:
    """A picture of each coil and a page of all, in a new folder.

    Raises
    ------
    PictureError
        If this machine cannot draw.
    InputError
        If a name is not known, or the folder holds something.
    """
    with new_folder(folder) as beside:
        pages: list[tuple[dict[str, str], bytes]] = []
        names: list[str] = []
        for number, source in enumerate(sources):
            shown = shown_coil(source)
            png = coil_picture(shown.coil, shown.winding)
            names.append(file_name(shown.coil.name, names))
            (beside / f"{names[-1]}.png").write_bytes(png)
            pages.append((shown.facts, png))
            if progress is not None:
                progress("pictures of coils", (number + 1) / len(sources))
        (beside / "coils.html").write_text(coils_page(pages), encoding="utf-8", newline="\n")
