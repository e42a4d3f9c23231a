"""Tables of the pages as Markdown, from the package's own data, and the figures that `worked.py` measured."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuro_field.aim.atlas import SITES
from neuro_field.clinic.answers import BLOCKED, CONFIRMABLE, EXCLUSIONS
from neuro_field.clinic.envelope import INTENSITIES, LONGEST
from neuro_field.clinic.presets import PRESETS
from neuro_field.coil.outputs import OUTPUTS
from neuro_field.head.tissues import TISSUES
from neuro_field.mri.tables import TABLES
from neuro_field.navigation.files import WRITERS, Export, convention
from neuro_field.search.uncertainty import LESION_VALUES, VARIATION
from neuro_field.shelf.coils import coil_card
from neuro_field.store.coil_folder import shelf_rows


def everything() -> dict[str, str]:
    """Every table by the name the pages call it."""
    return {
        "presets": presets(),
        "targets": targets(),
        "currents": currents(),
        "tissues": tissues(),
        "variation": ", ".join(f"{plain(name)} {value:g}" for name, value in VARIATION.items()),
        "lesion_values": ", ".join(f"{value:g}" for value in LESION_VALUES),
        "blocked": ", ".join(BLOCKED),
        "confirmable": ", ".join(CONFIRMABLE),
        "exclusions": ", ".join(EXCLUSIONS),
        "envelope": envelope(),
        "coils": coils(),
        "slopes": slopes(),
        "navigators": navigators(),
        "label_tables": label_tables(),
    }


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return "\n".join([*lines, *("| " + " | ".join(cell(value) for value in row) + " |" for row in rows)]) + "\n"


def cell(value: Any) -> str:
    """Text that stays within a cell of a table."""
    return str(value).replace("|", r"\|").replace("\n", " ")


def place(point: Sequence[float]) -> str:
    """Coordinates that stay on one line."""
    return ",\u00a0".join(f"{value:g}" for value in point)


def plain(name: str) -> str:
    """A name in words."""
    return name.replace("_", " ")


def presets() -> str:
    """The protocols, each with its source."""
    rows = []
    for p in PRESETS:
        intensity = (
            f"{p.intensity:.0%} {p.threshold}" if p.intensity is not None else "intensity: the user must type it"
        )
        what = f"`{p.name}`<br>{p.title}" + (f"<br>*{p.note}*" if p.note else "")
        where = f"{' or '.join(p.sites)}<br>side: {p.side}<br>{p.coil}"
        how = f"{p.frequency}<br>{intensity}<br>pulses: {p.pulses}"
        rows.append((what, where, how, f"{p.course}<br>*{p.source}*"))
    return table(("preset", "target, side, coil", "frequency, intensity, pulses", "course, *source*"), rows)


def targets() -> str:
    """The named targets: seeds on both sides, and where they come from."""
    rows = [
        (f"`{s.name}`", s.title, *(place(s.seed(side)) for side in ("left", "right")), s.source, s.note) for s in SITES
    ]
    return table(("name", "what it is", "left, MNI152 mm", "right, MNI152 mm", "basis", "to know"), rows)


def currents() -> str:
    """The wanted current axes."""
    rows = [(f"`{s.name}`", f"{s.current:g}", s.current_source) for s in SITES if s.current is not None]
    return table(("target", "degrees from forwards to the midline", "why"), rows)


def tissues() -> str:
    """Tags and conductivities."""
    rows = [(t.tag, plain(t.name), f"{t.conductivity:g}", t.source) for t in TISSUES]
    return table(("tag", "tissue", "S/m", "source"), rows)


def envelope() -> str:
    """Longest trains tested, seconds."""
    rows = [(f"{hertz:g} Hz", *(f"{seconds:g}" for seconds in LONGEST[hertz])) for hertz in LONGEST]
    return table(("", *(f"{share:.0%} rMT" for share in INTENSITIES)), rows)


def coils() -> str:
    """The shelf's key figures."""
    headings, rows = shelf_rows()
    named = [(f"`{row[0]}`", *row[1:], coil_card(row[0])["title"]) for row in rows]
    return table((*headings, "coil"), named)


def slopes() -> str:
    """The stimulators whose slopes are known, and where these come from."""
    rows = [
        (o.coil, ", ".join(f"`{name}`" for name in o.shelf), o.stimulator, f"{o.slope:.2f}", o.source) for o in OUTPUTS
    ]
    return table(("coil", "on the shelf", "stimulator", "A/µs at 100 % output", "source"), rows)


def navigators() -> str:
    """What is written for each navigator, in which frame, where the T1 is named."""
    rows = [(f"`{name}`", convention(name, Export(None, None, "", "01")).partition(";")[0]) for name in WRITERS]
    return table(("`--to`", "frame and axes of the file"), rows)


def label_tables() -> str:
    """The families of label images."""
    return table(("family", "written by"), [(f"`{t.name}`", t.software) for t in TABLES.values()])


def measured(folder: Path) -> dict[str, Any]:
    """What `worked.py` measured, as figures, and as tables of the validation and the benchmark."""
    patient, checked, engine, mapped = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("patient", "validation", "benchmark", "map")
    )
    with (folder / "validation.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    counts = {
        "checks": len(rows),
        "passed": sum(row["passed"] == "True" for row in rows),
        "nodes": next(int(row["nodes"]) for row in rows if row["case"].startswith("concentric sphere")),
    }
    return {
        "patient": patient,
        "map": mapped,
        "validation": {**checked, **counts},
        "validation_rows": _validation(rows),
        "sphere_errors": _sphere_errors(rows),
        "engine": engine,
        "engine_rows": _engine(engine["rows"]),
        "search_rows": _search(engine["search"]),
    }


def _validation(rows: Sequence[dict[str, str]]) -> str:
    """Every check: what, on which mesh, its error and limit."""
    shown = [
        (r["case"], f"{int(r['nodes']):,}", r["edge_mm"], r["metric"], number(r["value"]), number(r["limit"]))
        for r in rows
    ]
    return table(("case", "nodes", "edge, mm", "what", "error", "limit"), shown)


def number(text: str) -> str:
    """Two digits that count."""
    return f"{float(text):.2g}"


#: Metrics of a coil over shells, as the comparison calls them.
METRICS = {
    "L2 raw": "element values",
    "L2 recovered": "field at points in the brain",
    "L2 recovered, tissue boundaries": "at nodes on tissue boundaries, either side",
}


def _sphere_errors(rows: Sequence[dict[str, str]]) -> str:
    """Relative L2 errors of the centred coil over shells, %."""
    found = {(r["case"], r["metric"]): f"{100 * float(r['value']):.2f} %" for r in rows}
    cases = [f"concentric sphere, {place}" for place in ("centred", "off centre", "tilted")]
    shown = [(words, *(found[case, metric] for case in cases)) for metric, words in METRICS.items()]
    return table(("relative L2 error", "coil centred", "off centre", "tilted"), shown)


def _engine(rows: dict[str, dict[str, Any]]) -> str:
    """Seconds, peak memory, iterations and error of each row of the benchmark."""
    shown = [
        (
            name,
            f"{row['nodes']:,}" if row["nodes"] else "",
            f"{row['seconds']:.2f}",
            f"{row['peak_mb'] / 1e3:.1f}",
            row["iterations"] or "",
            "" if row["error"] is None else f"{row['error']:.1e}",
        )
        for name, row in rows.items()
        if row["seconds"] is not None
    ]
    return table(("", "nodes", "seconds", "peak GB so far", "iterations", "error"), shown)


def _search(rows: dict[str, dict[str, Any]]) -> str:
    """Placements, seconds, peak memory and error of each ranking."""
    shown = [
        (
            f"{int(row['note'].split()[0]):,}" + (", along one axis" if "axis" in name else ""),
            f"{row['nodes']:,}",
            f"{row['seconds']:.0f}",
            f"{row['peak_mb'] / 1e3:.1f}",
            "" if row["error"] is None else f"{100 * row['error']:.2f} %",
        )
        for name, row in rows.items()
        if "placements," in row["note"]
    ]
    return table(("placements", "nodes", "seconds", "peak GB", "largest difference from full solves"), shown)
