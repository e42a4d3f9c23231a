"""A field as a folder: simulation.json for what was simulated, and the field in the formats asked for."""

import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from neuro_field.coil.placement import Placement
from neuro_field.errors import FileFormatError, InputError, UnknownNameError
from neuro_field.field.field import Field
from neuro_field.field.stored import StoredField
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import BY_TAG
from neuro_field.io.atomic import new_folder
from neuro_field.io.entries import Entries
from neuro_field.io.images import Image
from neuro_field.io.msh import read_msh
from neuro_field.store.coil_records import coil_of, coil_record
from neuro_field.store.field_images import derivative_name, write_field_images
from neuro_field.store.field_meshes import write_field_msh, write_field_vtu
from neuro_field.store.field_surfaces import write_field_surface

SCHEMA = "neuro_field/simulation"

#: The names of the card and of the mesh in a field's folder; a larger card is not read, bytes.
CARD, MESH, LARGEST = "simulation.json", "field.msh", 1_000_000

#: Formats of a field: mesh (Gmsh), T1's grid, cortex, mesh (VTK).
FORMATS = ("msh", "nifti", "gifti", "vtu")


def check_formats(formats: Sequence[str], has_grid: bool) -> None:
    """Refuse at once what `write_field` would refuse after the work."""
    for name in formats or [""]:
        if name not in FORMATS:
            raise UnknownNameError("format of a field", name, list(FORMATS))
    if "nifti" in formats and not has_grid:
        raise InputError("A field as NIfTI needs the grid of the T1, and none came with the head; give it as --image.")


def write_field(
    field: Field,
    folder: str | Path,
    *,
    formats: Sequence[str] = ("msh",),
    grid: Image | None = None,
    subject: str = "01",
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write a field to a new folder.

    simulation.json (coil, pose, didt, the field's 99.9th percentile by tissue, how the solver did), and for the
    formats asked for: ``msh`` field.msh (Gmsh 2.2 binary, E and magnE per element), ``vtu`` the same for ParaView,
    ``nifti`` magnE and E on the T1's grid, ``gifti`` the cortex with its field; all V/m, the last three named as BIDS
    derivatives.

    Parameters
    ----------
    field : Field
    folder : str or Path
        Must not exist, or be empty; it appears whole or not at all.
    formats : sequence of {"msh", "nifti", "gifti", "vtu"}
    grid : Image, optional
        The T1, for ``nifti``.
    subject : str
        Label in the BIDS names, never a patient's name.
    progress : callable, optional
        Called with the share of the images that is done.

    Raises
    ------
    InputError
        If the folder holds something, a format is not known, or the T1 is missing.
    """
    check_formats(formats, grid is not None)
    mesh, report = field.head.mesh, field.report
    tags = [int(tag) for tag in np.unique(mesh.tags)]
    record = {
        "schema": SCHEMA,
        "version": 1,
        "neuro_field": version("neuro_field"),
        "head": field.head.name,
        "coil": field.coil.name,
        "coil_record": coil_record(field.coil),
        "didt_A_per_s": field.didt,
        "head_from_coil_mm": field.placement.head_from_coil.tolist(),
        "p999_magnE_V_per_m": {
            BY_TAG[tag].name: float(np.percentile(field.magnE[mesh.tags == tag], 99.9)) for tag in tags
        },
        "order": field.system.order,
        "nodes": report.nodes,
        "iterations": report.iterations,
        "residual": report.residual,
        "tolerance": report.tolerance,
    }
    with new_folder(folder) as beside:
        (beside / CARD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8", newline="\n")
        if "msh" in formats:
            write_field_msh(field, beside / MESH)
        if "vtu" in formats:
            write_field_vtu(field, beside / derivative_name("E", "efield", ".vtu", subject))
        if "gifti" in formats:
            write_field_surface(field, beside, subject=subject)
        if "nifti" in formats and grid is not None:
            write_field_images(field, beside, grid, subject=subject, progress=progress)


def read_field(folder: str | Path) -> StoredField:
    """The field that `write_field` wrote with the format ``msh``.

    Its coil is known only if it is on the shelf and unchanged.

    Parameters
    ----------
    folder : str or Path

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FileFormatError
        If it holds no field, one in other formats only, or a damaged one; names the file.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head, coil = nf.sphere_head((70, 80, 90), edge=9.0), nf.load_coil("figure8-70mm")
    >>> placement = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))
    >>> nf.write(nf.Solver(head).solve(coil, placement), "FIELD")
    >>> nf.read_field("FIELD").didt  # A/s
    1000000.0
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}; give one that neuro-field simulate wrote.")
    card = folder / CARD
    if not card.is_file():
        raise FileFormatError(f"{folder} holds no field: its {CARD} is missing.")
    if not (folder / MESH).is_file():
        raise FileFormatError(f"{folder} holds no {MESH}; simulate again with msh among the formats.")
    if card.stat().st_size > LARGEST:
        raise FileFormatError(f"{card} is {card.stat().st_size} bytes; a card of a field has at most {LARGEST}.")
    try:
        entries = Entries.of(json.loads(card.read_text(encoding="utf-8")), str(card))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{card} is damaged: {str(error)[:120]}") from None
    if entries.record.get("schema") != SCHEMA:
        raise FileFormatError(f"{card} is no field of neuro_field: its schema is {entries.record.get('schema')!r:.60}.")
    file = read_msh(folder / MESH)
    if "E" not in file.element_data:
        raise FileFormatError(f"{folder / MESH} holds no field E.")
    coil = coil_of(entries.child("coil_record", optional=True)) if "coil_record" in entries.record else None
    try:
        head = HeadModel.from_mesh(file.mesh, name=entries.text("head"))
        placement = Placement(entries.array("head_from_coil_mm", (4, 4)))
        return StoredField(head, coil, placement, entries.number("didt_A_per_s"), file.element_data["E"])
    except FileFormatError:
        raise
    except InputError as error:  # a value of the right kind that its noun refuses
        raise FileFormatError(f"{folder}: {error}") from None
