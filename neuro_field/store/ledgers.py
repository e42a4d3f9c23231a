"""A ledger as a table: one row per pulse, tab or comma separated."""

import csv
import io
from pathlib import Path

import numpy as np

from neuro_field.clinic.ledger import Ledger
from neuro_field.errors import InputError
from neuro_field.io.atomic import ExistsError, new_file
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Shares and V/m are of the target; mm and degrees are from the planned placement.
COLUMNS = (
    "pulse", "session", "name", "on_head", "V_per_m_at_1_A_per_us", "share_of_planned", "didt_A_per_us", "V_per_m",
    "from_planned_mm", "handle_turned_deg", "lifted_mm",
)  # fmt: skip

#: A spreadsheet runs a cell that begins so; a name of a pose comes from a navigator's file, and may.
_FORMULAS = ("=", "+", "-", "@")

_DELIMITERS = {".tsv": "\t", ".csv": ","}


def check_new_table(path: str | Path) -> None:
    """Refuse at once what `write_ledger` would refuse after the work."""
    path = Path(path)
    if path.suffix.lower() not in _DELIMITERS:
        raise InputError(f"The ledger {path} must be named .tsv or .csv.")
    if path.exists():
        raise ExistsError(f"{path} is there already; nothing was overwritten: name another.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"The folder of {path} does not exist; create it, or name another.")


def write_ledger(ledger: Ledger, path: str | Path) -> None:
    """Write a ledger to a new .tsv or .csv file; n/a where a number is not known."""
    check_new_table(path)
    path = Path(path)
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=_DELIMITERS[path.suffix.lower()], lineterminator="\n")
    table.writerow(COLUMNS)
    slopes = ledger.slopes / AMPERE_PER_MICROSECOND
    columns = (
        ledger.strengths, ledger.shares, slopes, ledger.fields, ledger.distances, ledger.turns, ledger.lifts,
    )  # fmt: skip
    for i, marker in enumerate(ledger.markers):
        on_head = "no" if ledger.off_head[i] else "yes"
        cells = [f"{column[i]:.6g}" if np.isfinite(column[i]) else "n/a" for column in columns]
        table.writerow([i + 1, name_cell(marker.session), name_cell(marker.name), on_head, *cells])
    with new_file(path) as beside:
        beside.write_text(text.getvalue(), encoding="utf-8", newline="")


def name_cell(name: str) -> str:
    """A name as a cell; behind an apostrophe where a spreadsheet would take it for a formula and run it."""
    return f"'{name}" if name.startswith(_FORMULAS) else name or "n/a"
