"""A coil as plain values for JSON: enough to find it again on the shelf, and to know whether it is the same."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from neuro_field.coil.coil import Coil
from neuro_field.io.digest import digest, fingerprint
from neuro_field.io.entries import Entries
from neuro_field.shelf.coils import coil_names, load_coil
from neuro_field.shelf.library import shelf

#: A coil read again whose initial field turns away from the recorded one by more than this is another coil.
SAME_DIRECTION = 0.999


def coil_record(coil: Coil) -> dict[str, Any]:
    """Name, place on the shelf and digest of its card, source, largest dI/dt (A/s), direction of the initial field."""
    source = str(coil.provenance.get("source", ""))
    name = on_shelf(coil)
    return {
        "name": coil.name,
        "shelf": name,
        "card": card_digest(name) if name is not None else None,
        "source": Path(source).name,
        "citation": str(coil.provenance.get("citation", "")),
        "didt_max": coil.didt_max,
        "initial_e_direction": coil.initial_e_direction.tolist(),
    }


def coil_of(entries: Entries | None) -> Coil | None:
    """The coil from the shelf, if it is there and its card is the one that was recorded; else None.

    Records without one, as they were written before, are held by the direction in which the coil induces at first.
    """
    if entries is None:
        return None
    name, didt_max = entries.text_or_none("shelf"), entries.number_or_none("didt_max")
    direction = entries.array("initial_e_direction", (3,))
    if name is None or name not in coil_names():
        return None
    coil = load_coil(name)
    if "card" in entries.record:
        same = entries.text_or_none("card") == card_digest(name)
    else:
        same = bool(coil.initial_e_direction @ direction > SAME_DIRECTION)
    return replace(coil, didt_max=didt_max) if same else None


def on_shelf(coil: Coil) -> str | None:
    """The name of the shelf's coil that this one is, but for its largest dI/dt; None when it is another."""
    name = Path(str(coil.provenance.get("source", ""))).stem
    if name not in coil_names():
        return None
    there = replace(load_coil(name), didt_max=coil.didt_max)
    return name if fingerprint(there) == fingerprint(coil) else None


def card_digest(name: str) -> str:
    """SHA-256 of the card of a coil on the shelf."""
    return digest(shelf("coils") / f"{name}.toml")
