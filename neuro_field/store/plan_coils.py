"""The coil of a plan: found again on the shelf by its card, or read from the file that was kept beside the plan."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from neuro_field.coil.coil import Coil
from neuro_field.errors import FileFormatError
from neuro_field.findings import as_name
from neuro_field.io.digest import digest
from neuro_field.io.tcd import read_tcd, tcd_text
from neuro_field.shelf.coils import coil_names, load_coil
from neuro_field.store.coil_records import SAME_DIRECTION, card_digest, on_shelf
from neuro_field.store.plan_records import cites
from neuro_field.store.plan_structs import CoilRecord
from neuro_field.store.plan_version2 import is_version2_coil

#: Of a coil that is not on the shelf, in the plan's folder.
FILE = "coil.tcd"


def keep_coil(coil: Coil | None, folder: Path) -> CoilRecord | None:
    """The record of a coil; one that is not on the shelf as it is is written into the folder.

    A coil that no file can hold (made of other sources than dipoles, wires and sampled potentials) is named only.
    """
    if coil is None:
        return None
    source, citation = str(coil.provenance.get("source", "")), str(coil.provenance.get("citation", ""))
    name, kept = on_shelf(coil), None
    if name is None:
        (folder / FILE).write_text(tcd_text(coil), encoding="utf-8", newline="\n")
        kept = digest(folder / FILE)
    return CoilRecord(
        name=as_name(coil.name),
        shelf=name,
        card=card_digest(name) if name is not None else None,
        file=kept,
        source=as_name(Path(source).name) if source else None,
        citation=citation if cites(citation) else None,
        didt_max=coil.didt_max,
        declared_symmetry=coil.declared_symmetry,  # type: ignore[arg-type]
        initial_e_direction=tuple(coil.initial_e_direction.tolist()),
    )


def coil_from(record: CoilRecord | None, folder: Path) -> Coil | None:
    """The coil of a record: from the shelf while its card is unchanged, or from the folder if it is there; else None.

    Raises
    ------
    FileFormatError
        If the folder's file is another one than was written.
    """
    if record is None:
        return None
    if record.file is not None:
        path = folder / FILE
        if not path.is_file():
            return None
        if digest(path) != record.file:
            raise FileFormatError(f"{path} is not the file that was written with the plan.")
        read = read_tcd(path)
        about: Mapping[str, str | None] = {"source": record.source, "citation": record.citation}
        told = {key: value for key, value in about.items() if value is not None}
        return replace(
            read, name=record.name, didt_max=record.didt_max, declared_symmetry=record.declared_symmetry,
            provenance={**read.provenance, **told},
        )  # fmt: skip
    if record.shelf is None or record.shelf not in coil_names():
        return None
    there = load_coil(record.shelf)
    if is_version2_coil(record):
        same = there.initial_e_direction @ np.array(record.initial_e_direction) > SAME_DIRECTION
    else:
        same = card_digest(record.shelf) == record.card
    return replace(there, didt_max=record.didt_max) if same else None
