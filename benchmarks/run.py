"""How long the engine takes and how well it does, beside pyamg's own solver and scikit-fem in the same run.

    python benchmarks/run.py [--small] [PATTERN]

PATTERN chooses rows whose name holds it.  Results are added to benchmarks/results/<machine>.json.  Seconds are the
least of a few repetitions; peak MB is the largest size of the process while the row ran, where the system can be asked
(Linux), and so far elsewhere; bandwidth is what a solve moves at least, as a share of what plain sums of three arrays
reach in the same run; the error is that of the field in the brain of a sphere (relative L2) where a field is computed,
and what the row's note says elsewhere.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np

import neuro_field as nf
from neuro_field.coil.sources import Segments
from neuro_field.field.engine import COMPILED
from neuro_field.field.linear import LinearSystem
from neuro_field.field.solver import peak_memory

RESULTS = Path(__file__).parent / "results"
RADII = (78, 81, 87, 92)
TOLERANCE = 1e-5

COMPILE = """
import neuro_field as nf
head = nf.sphere_head((30, 34), edge=8.0)
coil = nf.load_coil("figure8-70mm")
place = nf.Placement.on(head.scalp, above=(0, 0, 34), handle_towards=(0, -90, 34), coil=coil)
solver = nf.Solver(head)
solver.solve(coil, place).at([[0, 0, 20.0]])
solver.solve_many(coil, [place] * 8)
solver.solve_many(coil, [place] * 3)
"""


@dataclass(frozen=True)
class Row:
    """One measurement; None where a row was skipped, with the reason in its note."""

    name: str
    nodes: int
    seconds: float | None
    peak_mb: float
    iterations: int | None = None
    error: float | None = None
    bandwidth: float | None = None
    note: str = ""


class Case:
    """A sphere of shells under a figure-8 at 4 mm: made when first needed, shared by the rows."""

    def __init__(self, edge: float) -> None:
        self.edge = edge

    @cached_property
    def head(self) -> nf.HeadModel:
        """The sphere."""
        return nf.sphere_head(RADII, edge=self.edge)

    @cached_property
    def solver(self) -> nf.Solver:
        """Compiled and ready."""
        return nf.Solver(self.head, tolerance=TOLERANCE)

    @cached_property
    def coil(self) -> nf.Coil:
        """The coil of most dipoles on the shelf, about as many as the usual models have."""
        return nf.load_coil("double-cone")

    @cached_property
    def placement(self) -> nf.Placement:
        """At the vertex."""
        return nf.Placement.on(self.head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92), coil=self.coil)

    @cached_property
    def matrix(self):
        """The stiffness as the solver grounds it, for other solvers."""
        matrix = self.solver.system.stiffness.copy()
        matrix.data[matrix.indptr[0]] *= 2
        return matrix

    @cached_property
    def load(self) -> np.ndarray:
        """The right-hand side of the placement."""
        field = self.solver.solve(self.coil, self.placement, didt=1.0)
        return self.solver.system.load(field.nodal_dadt[:, None])[:, 0]

    def error(self, field: nf.Field) -> float:
        """Relative L2 of a recovered field at 2000 elements' centroids in the brain."""
        brain = np.flatnonzero(self.head.region("grey_matter"))
        points = self.head.mesh.centroids[brain[:: max(1, len(brain) // 2000)]]
        exact = nf.analytic.sphere_field(points, self.coil, field.placement)
        return float(np.linalg.norm(field.at(points) - exact) / np.linalg.norm(exact))

    def row(self, name: str, seconds: float | None, **more: object) -> Row:
        """A row of this case's size."""
        return Row(name, len(self.head.mesh.nodes), seconds, 0.0, **more)

    @cached_property
    def bandwidth(self) -> float:
        """Bytes a second that sums of three arrays move on all threads."""
        n = 16_000_000
        z, p, out = np.ones((n, 1), np.float32), np.ones((n, 1), np.float32), np.empty((n, 1), np.float32)
        seconds, _ = least(lambda: COMPILED.turn(np.ones(1), z, p, out), 5)
        return 3 * z.nbytes / seconds

    def share(self, seconds: float, iterations: int, columns: int) -> float:
        """What a block of right-hand sides moves in some seconds, as a share of the bandwidth."""
        return iterations * moved(self.solver, columns) / seconds / self.bandwidth


def moved(solver: nf.Solver, columns: int) -> float:
    """Bytes that one iteration on a block moves at least: each array once whenever an operation runs over it.

    On the finest level 10 blocks for conjugate gradients (product 2, residual 3, answer 2, direction 3) and 10 for the
    cycle (sweeps 2 and 3, residual 2, transfers 1 and 2), and its matrix three times; 10 blocks and the matrix twice on
    each other.
    """
    total = 0.0
    for depth, level in enumerate(solver._multigrid.levels):
        block = 4 * columns * len(level.matrix)
        transfers = sum(part.nbytes for part in (*level.prolongation, *level.restriction))
        total += (20 if depth == 0 else 10) * block + (3 if depth == 0 else 2) * level.matrix.nbytes + transfers
    return total


def reset_peak() -> bool:
    """Begin to count the largest size of this process anew; whether the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_since_reset() -> int:
    """The largest size since then, bytes; of the whole process where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return peak_memory()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def least(work: Callable[[], object], repetitions: int = 3) -> tuple[float, object]:
    """The shortest of some runs, seconds, and what the last one gave."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def assembly(case: Case) -> Row:
    """Checks of the mesh and the stiffness matrix; error: largest |K 1| over the largest entry."""
    nf.Solver(nf.sphere_head((20, 24), edge=8.0))
    seconds, system = least(lambda: _fresh_system(case))
    matrix = system.stiffness
    left = np.abs(matrix @ np.ones(matrix.shape[0])).max() / np.abs(matrix.data).max()
    return case.row("assembly", seconds, error=float(left), note="error: constants are not quite in the null space")


def _fresh_system(case: Case) -> LinearSystem:
    mesh = type(case.head.mesh)(case.head.mesh.nodes, case.head.mesh.tets, case.head.mesh.tags)
    system = LinearSystem(nf.HeadModel(mesh, case.head.conductivity))
    system.stiffness  # noqa: B018
    return system


def scikit_fem_assembly(case: Case) -> Row:
    """The same matrix by scikit-fem; error: its largest relative difference from ours."""
    try:
        import skfem
    except ImportError:
        return case.row("scikit-fem assembly", None, note="skipped: scikit-fem is not installed (extra `bench`)")
    from skfem.helpers import dot, grad

    mesh = case.head.mesh

    def run():
        basis = skfem.Basis(skfem.MeshTet(mesh.nodes.T * 1e-3, mesh.tets.T.astype(np.int64)), skfem.ElementTetP1())
        sigma = basis.with_element(skfem.ElementTetP0()).zeros() + case.head.conductivity
        form = skfem.BilinearForm(lambda u, v, w: w.sigma * dot(grad(u), grad(v)))
        return form.assemble(basis, sigma=basis.with_element(skfem.ElementTetP0()).interpolate(sigma))

    seconds, found = least(run, 2)
    ours = case.solver.system.stiffness
    return case.row("scikit-fem assembly", seconds, error=float(abs(found - ours).max() / abs(ours).max()))


def set_up(case: Case) -> Row:
    """Mesh in memory to solver ready."""

    def run() -> nf.Solver:
        mesh = type(case.head.mesh)(case.head.mesh.nodes, case.head.mesh.tets, case.head.mesh.tags)
        return nf.Solver(nf.HeadModel(mesh, case.head.conductivity), tolerance=TOLERANCE)

    return case.row("set-up", least(run)[0])


def placement(case: Case) -> Row:
    """One placement with everything: dA/dt, right-hand side, solve, E."""

    def run():
        field = case.solver.solve(case.coil, case.placement)
        return field, field.E

    seconds, (field, _) = least(run)
    note = f"{len(case.coil.dipoles[0])} dipoles"
    return case.row("one placement", seconds, iterations=field.report.iterations, error=case.error(field), note=note)


def block(case: Case) -> Row:
    """Eight placements together, seconds for each."""
    placements = [case.placement.moved(turned=20.0 * k, along_z=-2.0 * k) for k in range(8)]

    def run():
        fields = case.solver.solve_many(case.coil, placements)
        return [(field, field.E) for field in fields]

    seconds, fields = least(run)
    worst = max(field.report.iterations for field, _ in fields)
    return case.row("placement in a block of 8", seconds / 8, iterations=worst, error=case.error(fields[0][0]))


def solve(case: Case) -> Row:
    """Our solve of one right-hand side alone; error: its relative residual."""
    load = case.load[:, None]
    seconds, (_, convergence) = least(lambda: case.solver.potentials(load))
    count = convergence.iterations[0]
    share = case.share(seconds, count, 1)
    return case.row("solve", seconds, iterations=count, error=convergence.residuals[0], bandwidth=share)


def solve_block(case: Case) -> Row:
    """Our solve of eight right-hand sides, seconds for each; error: relative residual."""
    loads = np.repeat(case.load[:, None], 8, axis=1)
    seconds, (_, convergence) = least(lambda: case.solver.potentials(loads))
    count = convergence.iterations[0]
    share = case.share(seconds, count, 8)
    return case.row(
        "solve in a block of 8", seconds / 8, iterations=count, error=convergence.residuals[0], bandwidth=share
    )


def pyamg_solve(case: Case) -> Row:
    """pyamg's smoothed_aggregation_solver(...).solve with CG at our tolerance; error: relative residual."""
    import pyamg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        hierarchy = pyamg.smoothed_aggregation_solver(case.matrix)
        ready = time.perf_counter() - start
        residuals: list[float] = []
        seconds, x = least(
            lambda: hierarchy.solve(case.load, tol=TOLERANCE, accel="cg", residuals=residuals.clear() or residuals), 2
        )
    error = np.linalg.norm(case.load - case.matrix @ x) / np.linalg.norm(case.load)
    note = f"set-up {ready:.2f} s; one thread, double precision"
    return case.row("pyamg solve", seconds, iterations=len(residuals) - 1, error=float(error), note=note)


def field_at(case: Case) -> Row:
    """The recovered field at 20,000 places of the brain, whose geometry is new."""
    field = case.solver.solve(case.coil, case.placement)
    brain = np.flatnonzero(case.head.region("grey_matter"))
    points = case.head.mesh.centroids[np.random.default_rng(0).choice(brain, min(20_000, len(brain)), replace=False)]
    exact = nf.analytic.sphere_field(points, case.coil, case.placement)
    seconds, found = least(lambda: field.at(points))
    error = float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
    return case.row(f"Field.at {len(points)} points", seconds, error=error)


def wires(case: Case) -> Row:
    """One placement of a figure-8 of 3,888 wire segments; error: its E against that of each turn as dipoles."""
    coil = wound()
    dipoles = nf.Coil("as dipoles", tuple(element.as_dipoles() for element in coil.elements))
    place = case.placement.moved(along_z=-6.0)
    seconds, field = least(lambda: case.solver.solve(coil, place))
    other = case.solver.solve(dipoles, place)
    error = float(np.linalg.norm(field.E - other.E) / np.linalg.norm(other.E))
    note = f"error: against {len(dipoles.dipoles[0])} dipoles"
    return case.row("one placement of wires", seconds, iterations=field.report.iterations, error=error, note=note)


def wound() -> nf.Coil:
    """Two wings of nine turns, 216 straight pieces each, wound apart."""
    angle = np.linspace(0, 2 * np.pi, 217)
    starts, ends, currents = [], [], []
    for sign in (1.0, -1.0):
        for radius in np.linspace(26.0, 44.0, 9):
            ring = np.stack([sign * 45 + radius * np.cos(angle), radius * np.sin(sign * angle), 0 * angle], axis=1)
            ring[-1] = ring[0]
            starts.append(ring[:-1])
            ends.append(ring[1:])
            currents.append(np.ones(216))
    return nf.Coil("wound", (Segments(np.concatenate(starts), np.concatenate(ends), np.concatenate(currents)),))


#: Around the place under the coil on a folded head, mm, where elements are refined and the error is told.
NEAR = 20.0


def folded(case: Case) -> Row:
    """One placement on a folded head; error: of E in the middle of the grey matter near the coil."""
    return _folded(case, "on a folded head", refined=False)


def folded_refined(case: Case) -> Row:
    """The same with elements half as long near the coil."""
    return _folded(case, "on a folded head, refined", refined=True)


def _folded(case: Case, name: str, *, refined: bool) -> Row:
    head = nf.example_head("colin27-stroke", edge=8.0 if case.edge > 5 else 4.0)
    coil = nf.load_coil("figure8-70mm")
    target = nf.Target.from_mni(head, (37, -25, 62))
    back = np.add(target.center, [30, -50, 0])
    placement = nf.Placement.on(head.scalp, above=target.center, handle_towards=back, coil=coil)
    finer = head.refined(near=target.center, radius=NEAR)
    ours = finer if refined else head
    begun = time.perf_counter()
    solver = nf.Solver(ours, tolerance=TOLERANCE)
    ready = time.perf_counter() - begun
    seconds, field = least(lambda: solver.solve(coil, placement))
    best = nf.Solver(head.refined(near=target.center, radius=NEAR, levels=2), tolerance=TOLERANCE, order=2)
    exact, points = best.solve(coil, placement), head.mid_grey
    points = points[np.linalg.norm(points - target.center, axis=1) <= NEAR]
    wanted = exact.at(points)
    error = float(np.linalg.norm(field.at(points) - wanted) / np.linalg.norm(wanted))
    note = f"error: in {len(points)} places within {NEAR:g} mm; set-up {ready:.1f} s"
    return Row(name, len(ours.mesh.nodes), seconds, 0.0, field.report.iterations, error, note=note)


def second_order_set_up(case: Case) -> Row:
    """From the first-order solver to the second-order one on the same mesh."""
    seconds, raised = least(case.solver.raised, 1)
    return case.row("second-order set-up", seconds, note=f"{len(raised.system.points)} unknowns")


def second_order(case: Case) -> Row:
    """One placement by second-order elements, with E; the solver is there already."""
    raised = case.solver.raised()

    def run():
        field = raised.solve(case.coil, case.placement)
        return field, field.E

    seconds, (field, _) = least(run, 1)
    return case.row("second-order placement", seconds, iterations=field.report.iterations, error=case.error(field))


def compilation(case: Case) -> Row:
    """First use in a fresh environment: a small head from mesh to field, every kernel compiled; apart from the rest."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", COMPILE], check=True, env=environment)
            seconds.append(time.perf_counter() - start)
    return Row("compilation", 0, seconds[0] - seconds[1], 0.0, note=f"cached run {seconds[1]:.1f} s")


ROWS: dict[str, Callable[[Case], Row]] = {
    "assembly": assembly,
    "set-up": set_up,
    "one placement": placement,
    "placement in a block of 8": block,
    "solve": solve,
    "solve in a block of 8": solve_block,
    "pyamg solve": pyamg_solve,
    "Field.at": field_at,
    "one placement of wires": wires,
    "on a folded head": folded,
    "on a folded head, refined": folded_refined,
    "second-order set-up": second_order_set_up,
    "second-order placement": second_order,
    "scikit-fem assembly": scikit_fem_assembly,  # late, for it takes 10 GB
    "compilation": compilation,
}

#: Ratios of seconds, when both rows were run: how many times the first outlasts the second.
RATIOS = (
    ("scikit-fem assembly", "assembly"),
    ("pyamg solve", "solve"),
    ("pyamg solve", "solve in a block of 8"),
    ("second-order placement", "one placement"),
    ("one placement of wires", "one placement"),
)


def machine() -> dict[str, object]:
    """What the seconds depend on."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    return {
        "system": platform.system(),
        "processor": name,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def machine_key() -> str:
    """A short name for this machine's results file."""
    return hashlib.sha256(json.dumps(machine(), sort_keys=True).encode()).hexdigest()[:12]


def shown(row: Row) -> str:
    """One line of the table."""
    seconds = "-" if row.seconds is None else f"{row.seconds:.3f}"
    iterations = "-" if row.iterations is None else str(row.iterations)
    error = "-" if row.error is None else f"{row.error:.2e}"
    share = "-" if row.bandwidth is None else f"{row.bandwidth:.0%}"
    numbers = f"{seconds:>9} {row.peak_mb:9.0f} {iterations:>10} {error:>9} {share:>9}"
    return f"{row.name:28} {row.nodes:8d} {numbers}  {row.note}"


def main(arguments: list[str] | None = None) -> list[Row]:
    """Run the rows asked for, print them and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pattern", nargs="?", default="", help="rows whose name holds this")
    parser.add_argument(
        "--small", action="store_true", help="a sphere of 9 mm cells instead of 2 mm (about 800k nodes)"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the results")
    options = parser.parse_args(arguments)
    chosen = {name: run for name, run in ROWS.items() if options.pattern in name}
    if not chosen:
        parser.error(f"no row holds {options.pattern!r}; there are {', '.join(ROWS)}")
    case, rows = Case(9.0 if options.small else 2.0), []
    print(f"{'row':28} {'nodes':>8} {'seconds':>9} {'peak MB':>9} {'iterations':>10} {'error':>9} {'bandwidth':>9}")
    for run in chosen.values():
        own = reset_peak()
        row = run(case)
        rows.append(replace(row, peak_mb=(peak_since_reset() if own else peak_memory()) / 1e6))
        print(shown(rows[-1]), flush=True)
    seconds = {row.name: row.seconds for row in rows if row.seconds}
    ratios = {f"{a} / {b}": seconds[a] / seconds[b] for a, b in RATIOS if a in seconds and b in seconds}
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.1f}")
    keep(options.results, rows, ratios)
    return rows


def keep(folder: Path, rows: list[Row], ratios: dict[str, float]) -> None:
    """Add a run to this machine's file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{machine_key()}.json"
    record = json.loads(path.read_text()) if path.exists() else {"machine": machine(), "runs": []}
    record["runs"].append(
        {
            "when": time.strftime("%Y-%m-%dT%H:%M:%S"),
            "neuro_field": version("neuro_field"),
            "rows": [asdict(row) for row in rows],
            "ratios": ratios,
        }
    )
    path.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
