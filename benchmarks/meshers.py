"""Our mesher beside packaged ones on the same labels: a block of the built-in head.

    python benchmarks/meshers.py [--side 48] [--edge 2.0] [--limit 1800] [PATTERN]

PATTERN chooses meshers whose name holds it.  fTetWild (pytetwild, extra ``bench``) and TetGen (tetgen, AGPL: not among
our extras, measured where it is installed) get the interfaces of the labels as VTK's surface nets draw them, and the
label of the voxel at its centre as an element's tissue.  Each mesher works in a process of its own, on two threads;
ours compiles its kernels before the clock starts.  Agreement (Dice) is that of the mesh's tissue at the centre of every
voxel with the voxel's label.
"""

import argparse
import contextlib
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuro_field.field.solver import peak_memory
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import TetMesh
from neuro_field.geometry.quality import smallest_dihedral_angles
from neuro_field.head.mesher import mesh_labels
from neuro_field.head.tissues import BY_TAG
from neuro_field.kernels.lattice_stars import orient
from neuro_field.shelf.examples import example_images

THREADS = 2

#: Middle of the block, mm: the left hand area, from white matter through the scalp.
CENTRE = (-45.0, -20.0, 50.0)

#: How far fTetWild may leave the interfaces, mm.
ENVELOPE = 0.3


@dataclass(frozen=True)
class Row:
    """One mesher's figures; None for what it did not reach, with the reason in its note."""

    name: str
    nodes: int | None = None
    tetrahedra: int | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_mb: float | None = None
    smallest_angle: float | None = None
    flat_share: float | None = None
    dice: dict[str, float] | None = None
    note: str = ""


def block(side: int) -> tuple[np.ndarray, np.ndarray]:
    """A cube of the built-in head's labels, ``side`` mm wide, with air around it, and its affine."""
    image = example_images("colin27")["labels"]
    voxel = np.linalg.inv(image.affine) @ [*CENTRE, 1.0]
    first = np.round(voxel[:3]).astype(int) - side // 2
    labels = image.values[tuple(slice(start, start + side) for start in first)]
    affine = image.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ (first - 2)
    return np.pad(labels, 2), affine


def interfaces(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (voxels) and triangles of every border between labels, smoothed."""
    import pyvista

    grid = pyvista.ImageData(dimensions=labels.shape)
    grid.point_data["labels"] = labels.ravel(order="F").astype(np.int32)
    surface = grid.contour_labels(scalars="labels", boundary_style="all", output_mesh_type="triangles")
    return np.asarray(surface.points, dtype=np.float64), surface.faces.reshape(-1, 4)[:, 1:].astype(np.int32)


def tagged(nodes: np.ndarray, tets: np.ndarray, labels: np.ndarray, affine: np.ndarray) -> TetMesh:
    """A mesh in voxels as one in mm, each element with the label at its centre; those in the air are left out."""
    centres = np.clip(np.round(nodes[tets].mean(axis=1)).astype(int), 0, np.array(labels.shape) - 1)
    tags = labels[tuple(centres.T)].astype(np.int32)
    nodes, tets = nodes @ affine[:3, :3].T + affine[:3, 3], np.ascontiguousarray(tets[tags > 0], dtype=np.int32)
    used, tets = np.unique(tets, return_inverse=True)
    nodes, tets = np.ascontiguousarray(nodes[used]), tets.reshape(-1, 4).astype(np.int32)
    orient(nodes, tets)
    return TetMesh(nodes, tets, tags[tags > 0])


def ours(labels: np.ndarray, affine: np.ndarray, edge: float) -> TetMesh:
    """The lattice mesher of this package."""
    return mesh_labels(labels, affine, edge=edge)


def ftetwild(labels: np.ndarray, affine: np.ndarray, edge: float) -> TetMesh:
    """fTetWild (Hu et al., ACM Trans. Graph. 2020;39:117) on the interfaces."""
    import pytetwild

    points, triangles = interfaces(labels)
    envelope = ENVELOPE / np.linalg.norm(np.ptp(points, axis=0))
    nodes, tets = pytetwild.tetrahedralize(  # its own filter takes interfaces between tissues for the outside
        points, triangles, edge_length_abs=edge, epsilon=envelope, num_threads=THREADS, disable_filtering=True
    )
    return tagged(nodes, tets, labels, affine)


def tetgen(labels: np.ndarray, affine: np.ndarray, edge: float) -> TetMesh:
    """TetGen (Si, ACM Trans. Math. Softw. 2015;41:11) on the interfaces."""
    import tetgen as package

    points, triangles = interfaces(labels)
    made = package.TetGen(points, triangles)
    made.tetrahedralize(order=1, quality=True, minratio=1.4, fixedvolume=True, maxvolume=edge**3 / 6)
    return tagged(np.asarray(made.node), np.asarray(made.elem)[:, :4], labels, affine)


MESHERS: dict[str, Callable[..., TetMesh]] = {"neuro_field": ours, "fTetWild": ftetwild, "TetGen": tetgen}


def measured(name: str, labels: np.ndarray, affine: np.ndarray, edge: float) -> Row:
    """One mesher's row; called in a process of its own."""
    if name == "neuro_field":
        import numba

        numba.set_num_threads(min(THREADS, numba.config.NUMBA_NUM_THREADS))
        ours(np.pad(np.full((8, 8, 8), 2, dtype=np.uint8), 2), np.eye(4), 2.0)
    start, cpu = time.perf_counter(), time.process_time()
    mesh = MESHERS[name](labels, affine, edge)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = peak_memory() / 1e6
    angles = smallest_dihedral_angles(mesh)
    within = labels > 0
    centres = np.argwhere(within) @ affine[:3, :3].T + affine[:3, 3]
    elements = locate(mesh, centres)[0]
    found = np.where(elements >= 0, mesh.tags[elements], 0)
    dice = {
        BY_TAG[tag].name: float(2 * (same := found == tag)[labels[within] == tag].sum())
        / float(same.sum() + (labels == tag).sum())
        for tag in np.unique(labels[within]).tolist()
    }
    flat = float((angles < 10).mean())
    return Row(name, len(mesh.nodes), len(mesh.tets), seconds, cpu, peak, float(angles.min()), flat, dice)


def _child(pipe: Any, *arguments: Any) -> None:
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # some leave files where they work
            pipe.send(measured(*arguments))
    except Exception as error:  # a foreign mesher's failure is a result
        pipe.send(Row(arguments[0], note=f"failed: {type(error).__name__}: {' '.join(str(error).split())[:160]}"))


def apart(name: str, labels: np.ndarray, affine: np.ndarray, edge: float, limit: float) -> Row:
    """One mesher's row from a process of its own, ended after so many seconds."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sending, name, labels, affine, edge), daemon=True)
    process.start()
    sending.close()
    try:
        if not receiving.poll(limit):
            return Row(name, note=f"not done after {limit:g} s")
        return receiving.recv()
    except EOFError:
        process.join()
        return Row(name, note=f"failed: the process ended with status {process.exitcode}")
    finally:
        process.kill()
        process.join()


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    tissues = list(dict.fromkeys(tissue for row in rows for tissue in row.dice or {}))
    head = ["mesher", "nodes", "tetrahedra", "s", "CPU s", "peak MB", "least angle", "below 10°"]
    lines = [[*head, *(f"Dice {tissue.replace('_', ' ')}" for tissue in tissues), "note"]]
    lines.append(["---"] * len(lines[0]))
    for row in rows:
        figures = [
            (row.nodes, ",d"), (row.tetrahedra, ",d"), (row.seconds, ".1f"), (row.cpu_seconds, ".1f"),
            (row.peak_mb, ".0f"), (row.smallest_angle, ".1f"), (row.flat_share, ".3%"),
            *(((row.dice or {}).get(tissue), ".3f") for tissue in tissues),
        ]  # fmt: skip
        lines.append([row.name, *("-" if value is None else format(value, how) for value, how in figures), row.note])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main(arguments: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pattern", nargs="?", default="", help="meshers whose name holds this")
    parser.add_argument("--side", type=int, default=48, help="width of the block, mm")
    parser.add_argument("--edge", type=float, default=2.0, help="edge wanted, mm")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds a mesher may take")
    given = parser.parse_args(arguments)
    names = [name for name in MESHERS if given.pattern.lower() in name.lower()]
    if not names:
        parser.error(f"no mesher's name holds {given.pattern!r}; there are {', '.join(MESHERS)}")
    labels, affine = block(given.side)
    rows = []
    for name in names:
        rows.append(apart(name, labels, affine, given.edge, given.limit))
        print(rows[-1], flush=True)
    print(f"\n{given.side} mm, edge {given.edge:g} mm, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}\n")
    print(table(rows))
    return rows


if __name__ == "__main__":
    main()
