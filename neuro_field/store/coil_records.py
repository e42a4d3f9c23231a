"""A coil as plain values for JSON: enough to find it again on the shelf, and to know whether it is the same."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from neuro_field.coil.coil import Coil
from neuro_field.io.entries import Entries
from neuro_field.shelf.coils import coil_names, load_coil

#: A coil read again whose initial field turns away from the recorded one by more than this is another coil.
SAME_DIRECTION = 0.999


def coil_record(coil: Coil) -> dict[str, Any]:
    """Name, place on the shelf, source, largest dI/dt (A/s) and the initial field's direction."""
    source = str(coil.provenance.get("source", ""))
    shelf = Path(source).stem if source.endswith(".toml") and Path(source).stem in coil_names() else None
    return {
        "name": coil.name,
        "shelf": shelf,
        "source": Path(source).name,
        "citation": str(coil.provenance.get("citation", "")),
        "didt_max": coil.didt_max,
        "initial_e_direction": coil.initial_e_direction.tolist(),
    }


def coil_of(entries: Entries | None) -> Coil | None:
    """The coil from the shelf, if it is there and still induces in the recorded direction; else None."""
    if entries is None:
        return None
    shelf, didt_max = entries.text_or_none("shelf"), entries.number_or_none("didt_max")
    direction = entries.array("initial_e_direction", (3,))
    if shelf is None or shelf not in coil_names():
        return None
    coil = load_coil(shelf)
    return replace(coil, didt_max=didt_max) if coil.initial_e_direction @ direction > SAME_DIRECTION else None
