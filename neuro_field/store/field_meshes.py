"""A field on the head's mesh for viewers: Gmsh .msh, which SimNIBS's tools read too, and VTU for ParaView."""

from pathlib import Path

import numpy as np

from neuro_field.field.field import Field
from neuro_field.head.tissues import BY_TAG
from neuro_field.io.atomic import new_file
from neuro_field.io.msh import write_msh
from neuro_field.store.conductivities import data_of


def write_field_msh(field: Field, path: str | Path) -> None:
    """Write the mesh with E and magnE per element, V/m, as Gmsh 2.2 binary; tissues are named.

    Conductivities, S/m, stand with them where they are not those of the tissues.
    """
    tags = [int(tag) for tag in np.unique(field.head.mesh.tags)]
    names = {tag: BY_TAG[tag].name for tag in tags if tag in BY_TAG}
    data = {"E": field.E, "magnE": field.magnE} | data_of(field.head)
    write_msh(path, field.head.mesh, names=names, element_data=data)


def write_field_vtu(field: Field, path: str | Path) -> None:
    """Write the mesh with E and magnE, V/m, and the tissue's tag per element, as VTK's unstructured grid."""
    import pyvista as pv

    mesh = field.head.mesh
    grid = pv.UnstructuredGrid({pv.CellType.TETRA: mesh.tets}, mesh.nodes)
    grid.cell_data["E"] = field.E.astype(np.float32)
    grid.cell_data["magnE"] = field.magnE.astype(np.float32)
    grid.cell_data["tissue"] = mesh.tags
    with new_file(path) as beside:
        grid.save(beside)
