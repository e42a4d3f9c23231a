"""A field as a folder: field.msh for mesh viewers and simulation.json for what was simulated."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

from neuro_field.field.field import Field
from neuro_field.head.tissues import BY_TAG
from neuro_field.io.atomic import new_folder
from neuro_field.io.msh import write_msh


def write_field(field: Field, folder: str | Path) -> None:
    """Write a field to a new folder.

    field.msh (Gmsh 2.2 binary with element data E and magnE, V/m) and simulation.json (coil, pose, didt, the field's
    99.9th percentile by tissue, how the solver did).

    Parameters
    ----------
    field : Field
    folder : str or Path
        Must not exist, or be empty; it appears whole or not at all.

    Raises
    ------
    InputError
        If the folder holds something.
    """
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
        "nodes": report.nodes,
        "iterations": report.iterations,
        "residual": report.residual,
        "tolerance": report.tolerance,
    }
    with new_folder(folder) as beside:
        names = {tag: BY_TAG[tag].name for tag in tags}
        write_msh(beside / "field.msh", mesh, names=names, element_data={"E": field.E, "magnE": field.magnE})
        (beside / "simulation.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8", newline="\n")
