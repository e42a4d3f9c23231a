"""Gmsh .msh meshes: read 2.2 and 4.1, ascii and binary; write 2.2 binary, which the peers read.

Tetrahedra, their tags (numbers of physical groups), the names of volumes and data per element are kept; points, lines
and triangles are not.  Of tetrahedra of higher order the corners are kept, and it is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.io.atomic import new_file
from neuro_field.io.msh_sections import RawMesh, read_sections
from neuro_field.io.tissue_names import tissue_called

#: Gmsh's number for the four-node tetrahedron.
TETRAHEDRON = 4

#: A coordinate beyond this is damage, whatever its unit.
LARGEST = 1e9


@dataclass(frozen=True, eq=False)
class MshFile:
    """What a .msh file says of volumes.

    ``mesh`` in the file's own unit (mm for head meshes); ``names`` of volume tags; ``element_data`` (t,) or
    (t, k) by name, NaN where the file gives none; ``findings`` what was left out of it.
    """

    mesh: TetMesh
    names: dict[int, str]
    element_data: dict[str, AnyArray]
    findings: tuple[Finding, ...] = ()


def read_msh(path: str | Path) -> MshFile:
    """A tetrahedral mesh from a Gmsh .msh file.

    Elements wound the other way round are turned; nodes that no tetrahedron uses are dropped.

    Raises
    ------
    InputError
        If the file does not exist.
    FileFormatError
        If it is no .msh 2.2 or 4.1, is damaged, holds no tetrahedra, other volume elements beside them, or some that
        are in no physical group (Gmsh's own numbers of volumes do not say what they are); the message names the file
        and the place.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The mesh {path} does not exist or is no file.")
    raw = read_sections(path)
    tags = raw.tags
    if raw.others:
        found = " and ".join(f"{count} {kind}" for kind, count in sorted(raw.others.items()))
        raise FileFormatError(f"The mesh {path} must hold tetrahedra alone; instead it holds {found} as well.")
    if not len(tags):
        raise FileFormatError(f"The mesh {path} must hold tetrahedra; instead it holds none (a surface mesh?).")
    astray = int(np.count_nonzero(tags == 0))
    if astray:
        raise FileFormatError(
            f"The mesh {path}: {astray} of its {len(tags)} tetrahedra are in no physical group, so nothing says which "
            "tissue they are; give every volume a physical group, named as its tissue or numbered as SimNIBS does."
        )
    _drop_doubles(raw, path)
    tags = raw.tags
    nodes, tets = _renumbered(raw, path)
    tets, flat = _turned(nodes, tets)
    if flat:
        raise FileFormatError(f"The mesh {path} holds {flat} tetrahedra without volume; mesh the head again.")
    data = {name: _per_element(raw, *rows) for name, rows in raw.element_data.items()}
    curved = sorted(raw.orders - {1})
    findings = tuple(Finding("head-mesh-curved", "note", {"order": int(order)}) for order in curved)
    return MshFile(TetMesh(nodes, tets, tags), raw.names, data, findings)


def _drop_doubles(raw: RawMesh, path: Path) -> None:
    """Keep one of the tetrahedra that version 2.2 writes once for each of their physical groups: the tissue's."""
    mixed = raw.tetrahedra.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # spreads numbers over 64 bits
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    _, place, count = np.unique(mixed.sum(axis=1), return_inverse=True, return_counts=True)
    if count.max() == 1:
        return
    doubled = count[place] > 1
    tissues = [tag for tag, name in raw.names.items() if tissue_called(name) is not None]
    kept = ~doubled | np.isin(raw.tags, tissues)
    if (np.bincount(place, kept) != 1).any():
        groups = np.unique(raw.tags[doubled]).tolist()
        raise FileFormatError(
            f"The mesh {path} holds {int(np.count_nonzero(count > 1))} tetrahedra several times, in its physical "
            f"groups {groups}, and their names do not say which tissue they are; leave every volume in one group."
        )
    raw.tetrahedra, raw.tags, raw.element_numbers = raw.tetrahedra[kept], raw.tags[kept], raw.element_numbers[kept]


def _renumbered(raw: RawMesh, path: Path) -> tuple[AnyArray, AnyArray]:
    """Nodes that tetrahedra use, and tetrahedra that index them from zero, whatever numbers the file gives."""
    numbers = raw.node_numbers
    index = _places(numbers, raw.tetrahedra)
    missing = int(np.count_nonzero(index < 0))
    if missing:
        raise FileFormatError(f"The elements of {path} use {missing} node numbers that its $Nodes do not define.")
    if len(np.unique(numbers)) < len(numbers):
        raise FileFormatError(f"The section $Nodes of {path} gives the same node number twice.")
    used = np.zeros(len(numbers), dtype=bool)
    used[index.ravel()] = True
    new = np.cumsum(used) - 1
    nodes = raw.nodes[used]
    if not (np.abs(nodes) <= LARGEST).all():  # false for NaN too
        raise FileFormatError(f"The section $Nodes of {path} holds coordinates that are not finite or beyond 1e9.")
    return nodes, new[index]


def _places(numbers: AnyArray, wanted: AnyArray) -> AnyArray:
    """Where each wanted number stands in a list of numbers; -1 where it does not."""
    if len(numbers) and numbers[0] + len(numbers) - 1 == numbers[-1] and (np.diff(numbers) == 1).all():
        inside = (wanted >= numbers[0]) & (wanted <= numbers[-1])
        return np.where(inside, wanted - numbers[0], -1)
    if not len(numbers):
        return np.full(wanted.shape, -1)
    order = np.argsort(numbers, kind="stable")
    place = np.minimum(np.searchsorted(numbers[order], wanted), len(numbers) - 1)
    return np.where(numbers[order][place] == wanted, order[place], -1)


def _turned(nodes: AnyArray, tets: AnyArray) -> tuple[AnyArray, int]:
    """Tetrahedra with positive volume, and how many have none."""
    a, b, c, d = (nodes[tets[:, i]] for i in range(4))
    volume = np.einsum("ti,ti->t", np.cross(b - a, c - a), d - a)
    tets = tets.copy()
    wrong = volume < 0
    tets[wrong] = tets[wrong][:, [0, 2, 1, 3]]
    return tets, int(np.count_nonzero(volume == 0))


def _per_element(raw: RawMesh, numbers: AnyArray, values: AnyArray) -> AnyArray:
    """Data rows in the order of the tetrahedra, NaN where there are none."""
    out = np.full((len(raw.tetrahedra), values.shape[1]), np.nan)
    place = _places(numbers, raw.element_numbers)
    out[place >= 0] = values[place[place >= 0]]
    return out[:, 0] if values.shape[1] == 1 else out


def write_msh(
    path: str | Path,
    mesh: TetMesh,
    *,
    names: Mapping[int, str] | None = None,
    element_data: Mapping[str, AnyArray] | None = None,
) -> None:
    """Write a mesh as Gmsh 2.2 binary, whole or not at all.

    Parameters
    ----------
    path : path
        Ends in ``.msh``.
    mesh : TetMesh
    names : mapping of tag to name, optional
        Written as ``$PhysicalNames``.
    element_data : mapping of name to (t,), (t, 3) or (t, 9) array, optional
        Gmsh knows scalars, vectors and tensors (row by row).
    """
    path = Path(path)
    if path.suffix.lower() != ".msh":
        raise InputError(f"The mesh {path} must be named .msh.")
    columns = {}
    for name, values in (element_data or {}).items():
        rows = np.asarray(values, dtype=np.float64).reshape(len(mesh.tets), -1)
        if rows.shape[1] not in (1, 3, 9):
            raise InputError(f"Input element_data {name!r} must have 1, 3 or 9 columns; not {rows.shape[1]}.")
        columns[name.replace('"', "'")] = rows
    n, t = len(mesh.nodes), len(mesh.tets)
    with new_file(path) as beside, beside.open("wb") as out:
        out.write(b"$MeshFormat\n2.2 1 8\n" + np.int32(1).astype("<i4").tobytes() + b"\n$EndMeshFormat\n")
        if names:
            lines = [f'3 {int(tag)} "{name}"' for tag, name in sorted(names.items())]
            out.write("\n".join(["$PhysicalNames", str(len(lines)), *lines, "$EndPhysicalNames\n"]).encode())
        out.write(f"$Nodes\n{n}\n".encode() + _numbered(mesh.nodes) + b"\n$EndNodes\n")
        elements = np.empty((t, 7), dtype="<i4")
        elements[:, 0], elements[:, 1:3], elements[:, 3:] = np.arange(1, t + 1), mesh.tags[:, None], mesh.tets + 1
        head = np.array([TETRAHEDRON, t, 2], dtype="<i4").tobytes()
        out.write(f"$Elements\n{t}\n".encode() + head + elements.tobytes() + b"\n$EndElements\n")
        for name, values in columns.items():
            out.write(f'$ElementData\n1\n"{name}"\n1\n0\n3\n0\n{values.shape[1]}\n{t}\n'.encode())
            out.write(_numbered(values) + b"\n$EndElementData\n")


def _numbered(values: AnyArray) -> bytes:
    """Rows (m, k) of reals, each behind its number from one on, as .msh 2.2 wants them."""
    rows = np.zeros(len(values), dtype=[("number", "<i4"), ("value", "<f8", (values.shape[1],))])
    rows["number"], rows["value"] = np.arange(1, len(values) + 1), values
    return rows.tobytes()
