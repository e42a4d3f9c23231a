"""A field as a folder: simulation.json for what was simulated, and the field in the formats asked for."""

import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from neuro_field.errors import InputError, UnknownNameError
from neuro_field.field.field import Field
from neuro_field.field.quadratic import QuadraticSystem
from neuro_field.head.tissues import BY_TAG
from neuro_field.io.atomic import new_folder
from neuro_field.io.field_images import derivative_name, write_field_images
from neuro_field.io.field_meshes import write_field_msh, write_field_vtu
from neuro_field.io.field_surfaces import write_field_surface
from neuro_field.io.images import Image

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
        "schema": "neuro_field/simulation",
        "version": 1,
        "neuro_field": version("neuro_field"),
        "head": field.head.name,
        "coil": field.coil.name,
        "didt_A_per_s": field.didt,
        "head_from_coil_mm": field.placement.head_from_coil.tolist(),
        "p999_magnE_V_per_m": {
            BY_TAG[tag].name: float(np.percentile(field.magnE[mesh.tags == tag], 99.9)) for tag in tags
        },
        "order": 2 if isinstance(field.system, QuadraticSystem) else 1,
        "nodes": report.nodes,
        "iterations": report.iterations,
        "residual": report.residual,
        "tolerance": report.tolerance,
    }
    with new_folder(folder) as beside:
        (beside / "simulation.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8", newline="\n")
        if "msh" in formats:
            write_field_msh(field, beside / "field.msh")
        if "vtu" in formats:
            write_field_vtu(field, beside / derivative_name("E", "efield", ".vtu", subject))
        if "gifti" in formats:
            write_field_surface(field, beside, subject=subject)
        if "nifti" in formats and grid is not None:
            write_field_images(field, beside, grid, subject=subject, progress=progress)
