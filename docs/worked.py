"""Run what the documentation shows and takes minutes: one patient from image to ledger, the validation, the benchmark,
and what hospitals may hand over.

    python docs/worked.py [--edge MM] [--only patient|map|validation|benchmark|door] [--into FOLDER]

Writes docs/worked/: what each command printed, the figures the pages quote, tables and pictures.  The pages include
them as they are, so that nothing is typed by hand.  Pictures of pages need Chromium, and are left as they were without.
"""

import argparse
import io
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

import neuro_field as nf
from neuro_field.field.validation import EDGES
from neuro_field.navigation.localite import localite_text
from neuro_field.report.map_pictures import map_pictures

WORKED = Path(__file__).parent / "worked"

#: The commands of the worked patient, in the words of the page that shows them.
HEAD = "neuro-field head example:colin27-stroke -o HEAD"
PLAN = "neuro-field plan HEAD --preset contralesional-1hz-hand --rmt 55 --numerical-error -o PLAN"
EXPORT = "neuro-field export PLAN --to localite,brainsight,ant --image HEAD/T1.nii.gz"
DELIVERED = "neuro-field delivered HEAD --plan PLAN --poses session1.xml -o ledger.tsv"
VALIDATE = "neuro-field validate --size small -o VALIDATION"

MAP = "neuro-field map example:colin27-stroke --edge 3 --coil figure8-70mm --pulses session.tsv --muscle FDI -o MAP"

#: Pulses of the simulated mapping session, and the finest edge of the mesh its answers come from, mm.
SESSION, TRUE_EDGE = 200, 2.4

#: The session that stands in for a recorded one: pulses, and how far the coil strays, mm and degrees (one SD).
PULSES, STRAY, TURN = 60, 3.0, 5.0

#: Pictures are drawn no wider than this, pixels, in as many colours.
WIDTH, COLOURS = 1000, 200


def run(command: str, folder: Path, name: str, into: Path, *, more: str = "") -> dict[str, object]:
    """Run a command in a folder, keep what it printed under a name; seconds taken, and the lines."""
    start = time.perf_counter()
    arguments = shlex.split(f"{command} {more}")[1:]
    done = subprocess.run(
        [sys.executable, "-m", "neuro_field.cli", *arguments], cwd=folder, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "COLUMNS": "110", "PYTHONPATH": str(Path(nf.__file__).parents[1])}, check=True,
    )  # fmt: skip
    (into / f"{name}.txt").write_text(f"$ {command}\n{done.stdout}", encoding="utf-8")
    return {"command": command, "seconds": round(time.perf_counter() - start), "lines": done.stdout.splitlines()}


def recorded_session(plan: Path) -> str:
    """A session about the best placement as Localite writes one: a steady hand, and two pulses with the coil away."""
    best = nf.read_plan(plan).best.placement
    rng = np.random.default_rng(7)
    poses = [
        best.moved(along_x=x, along_y=y, turned=turn) for x, y, turn in rng.normal(0, [STRAY, STRAY, TURN], (PULSES, 3))
    ]
    poses[20:22] = [best.moved(along_z=-120.0)] * 2
    return localite_text([nf.Marker(f"pulse {i}", pose, recorded=True, output=50.0) for i, pose in enumerate(poses, 1)])


def smaller(data: bytes, into: Path, height: int | None = None) -> None:
    """Write a picture in few colours, its lower part cut off at a height."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    if height is not None:
        picture = picture.crop((0, 0, picture.width, min(height, picture.height)))
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(into, optimize=True)


def photograph(page: Path, into: Path, size: tuple[int, int]) -> None:
    """The top of a page as a person sees it; nothing without Chromium."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print(f"{into.name} is left as it was: there is no Chromium here.")
        return
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=8000",
             f"--window-size={size[0]},{size[1]}", f"--screenshot={shot}", page.absolute().as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        smaller(shot.read_bytes(), into)


def patient(folder: Path, into: Path, edge: float) -> None:
    """The worked patient: head, plan, export, a session and what it delivered."""
    more = "" if edge == 1.9 else f"--edge {edge:g}"
    steps = {
        "head": run(HEAD, folder, "head", into, more=more),
        "plan": run(PLAN, folder, "plan", into),
        "export": run(EXPORT, folder, "export", into),
    }
    (folder / "session1.xml").write_text(recorded_session(folder / "PLAN"), encoding="utf-8")
    steps["delivered"] = run(DELIVERED, folder, "delivered", into)
    for name in ("side", "cortex", "positions"):
        smaller((folder / f"PLAN/pictures/contralesional_{name}.png").read_bytes(), into / f"{name}.png")
    smaller((folder / "PLAN/pictures/ipsilesional_cortex.png").read_bytes(), into / "ipsilesional-cortex.png")
    photograph(folder / "HEAD/qc.html", into / "qc.png", (1100, 900))
    photograph(folder / "PLAN/report.html", into / "report.png", (1100, 1000))
    ledger = (folder / "ledger.tsv").read_text(encoding="utf-8").splitlines()
    (into / "ledger.txt").write_text("\n".join(ledger[:4]) + "\n", encoding="utf-8")
    plan = json.loads((folder / "PLAN/plan.json").read_text(encoding="utf-8"))
    card = json.loads((folder / "HEAD/head.json").read_text(encoding="utf-8"))
    sides = {role: made["ranking"] for role, made in plan["plans"].items() if made}
    figures = {
        **measured(),
        "edge": edge,
        "nodes": card["mesh"]["nodes"],
        "tetrahedra": card["mesh"]["tetrahedra"],
        "lesion_cm3": round(card["lesion"]["volume_cm3"], 1),
        "seconds": {name: step["seconds"] for name, step in steps.items()},
        "placements": {role: made["report"]["placements"] for role, made in plan["plans"].items() if made},
        "ranking": {
            role: [[round(c["strength"], 3), round(c["verified"], 3), round(c["magnitude"], 3)] for c in ranking]
            for role, ranking in sides.items()
        },
        "report_mb": round((folder / "PLAN/report.html").stat().st_size / 1e6, 1),
        "pulses": PULSES,
        "stray_mm": STRAY,
        "turn_degrees": TURN,
    }
    (into / "patient.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def validation(folder: Path, into: Path) -> None:
    """The validation's table and plot, as the command writes them."""
    step = run(VALIDATE, folder, "validate", into)
    (into / "validate.txt").unlink()  # the table says the same and is included
    shutil.copy(folder / "VALIDATION/validation.tsv", into / "validation.tsv")
    smaller((folder / "VALIDATION/validation.png").read_bytes(), into / "validation.png")
    figures = {**measured(), "seconds": step["seconds"], "edge": EDGES["small"], "command": VALIDATE}
    (into / "validation.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def benchmark(folder: Path, into: Path) -> None:
    """The engine's times on a sphere of 900,000 nodes, the search's on Colin27; wanted on a quiet machine."""
    scripts = Path(__file__).parents[1] / "benchmarks"
    environment = {**os.environ, "PYTHONPATH": str(scripts.parent)}
    for name in ("run.py", "search.py"):
        subprocess.run([sys.executable, scripts / name, "--results", folder / "benchmark"], check=True, env=environment)
    (found,) = (folder / "benchmark").glob("*.json")
    engine, search = (
        {row["name"]: row for row in run["rows"]} for run in json.loads(found.read_text(encoding="utf-8"))["runs"]
    )
    figures = {**measured(), "rows": engine, "search": search}
    (into / "benchmark.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def simulated_session(path: Path) -> np.ndarray:
    """A plain table of a session that is simulated, and (3,) where the muscle is, mm: in another mesh of the head."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import hotspot_sessions as sessions

    coil, rng = nf.load_coil("figure8-70mm"), np.random.default_rng(17)
    head = nf.example_head("colin27-stroke", edge=TRUE_EDGE)
    site = {"muscle": sessions.sites_of(head, "right")["precentral"]}
    poses = sessions.random_poses(head, coil, site["muscle"], SESSION, rng)
    stood = sessions.disturbed(head, coil, poses, rng)
    true = sessions.true_fields(nf.Solver(head, tolerance=1e-4), coil, stood, site)[:, 0]
    amplitudes, slopes = sessions.answers(true, rng)
    names = [f"{letter}{row}" for row in range(3) for letter in ("x", "y", "z", "centre")]
    lines = ["\t".join(["frame", "pulse", "muscle", "amplitude_uV", "didt_A_per_us", *names])]
    for k, (pose, amplitude, slope) in enumerate(zip(poses, amplitudes, slopes, strict=True), start=1):
        numbers = [f"{value:.6f}" for value in pose[:3].ravel()]
        lines.append("\t".join(["RAS", str(k), "FDI", f"{amplitude:.1f}", f"{slope:g}", *numbers]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return site["muscle"]


def mapped(folder: Path, into: Path) -> None:
    """The map of a simulated session, what the command says of it, and its pictures."""
    truth = simulated_session(folder / "session.tsv")
    run(MAP, folder, "map", into)
    found = nf.read_map(folder / "MAP")
    for name, picture in map_pictures(found).items():
        smaller(picture, into / f"map-{name}.png")
    figures = {"distance": None if found.best is None else round(float(np.linalg.norm(found.best - truth)), 1)}
    (into / "map.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def door(into: Path) -> None:
    """What becomes of right and wrong images, a table; a fault in it ends this."""
    scripts = Path(__file__).parents[1] / "benchmarks"
    environment = {**os.environ, "PYTHONPATH": str(scripts.parent)}
    subprocess.run([sys.executable, scripts / "door.py", "--into", into / "door.md"], check=True, env=environment)


def measured() -> dict[str, object]:
    """When and on what the figures were measured."""
    cpuinfo = Path("/proc/cpuinfo")
    models = (
        [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")] if cpuinfo.exists() else []
    )
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "version": nf.__version__,
        "processor": models[0].partition(":")[2].strip() if models else platform.processor(),
        "cores": os.cpu_count(),
    }


def main(arguments: list[str] | None = None) -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edge", type=float, default=1.9, help="finest cell edge of the patient's mesh, mm")
    parser.add_argument(
        "--only", choices=("patient", "map", "validation", "benchmark", "door"), help="leave out the others"
    )
    parser.add_argument("--into", type=Path, default=WORKED, help="folder for what the pages include")
    options = parser.parse_args(arguments)
    options.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if options.only in (None, "patient"):
            patient(Path(folder), options.into, options.edge)
        if options.only in (None, "map"):
            mapped(Path(folder), options.into)
        if options.only in (None, "validation"):
            validation(Path(folder), options.into)
        if options.only in (None, "benchmark"):
            benchmark(Path(folder), options.into)
        if options.only in (None, "door"):
            door(options.into)


if __name__ == "__main__":
    main()
