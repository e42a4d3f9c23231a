"""What can be said of a group once its participants are done: one table, maps, and a page to look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuro_field.cohort.derivatives import LOGS, PAGES, TABLE, beside_table, keep_text, own_folder
from neuro_field.cohort.entities import Who
from neuro_field.cohort.group_maps import write_group_maps
from neuro_field.cohort.keeping_log import read_status
from neuro_field.cohort.table import COLUMNS, Row, rows_of_text, table_text
from neuro_field.errors import InputError
from neuro_field.nouns import noun
from neuro_field.report.group_page import Shown, group_page
from neuro_field.store.plans import LARGEST_PICTURE

#: A longer table of one participant, bytes, is none.
_LONGEST = 5_000_000


@noun
class Group:
    """A group as it was written.

    ``rows`` of the table; ``maps`` as `write_group_maps` tells them; ``failed`` labels and reasons; ``missing`` labels
    of those that were never run.
    """

    rows: tuple[Row, ...]
    maps: tuple[dict[str, Any], ...]
    failed: dict[str, str]
    missing: tuple[str, ...]


def write_group(out: Path, people: Sequence[Who], language: str = "en") -> Group:
    """Write table, maps and page of everybody.

    Parameters
    ----------
    out : Path
        That participants were written to.
    people : sequence of Who
        Who belongs to the group.
    language : {"en", "ja"}
        Of the page.

    Raises
    ------
    InputError
        If nobody has been run yet.
    """
    statuses = {who: read_status(out / LOGS / f"{who.label}.json") for who in people}
    if not any(statuses.values()):
        raise InputError(f"Nobody of this data set has been run into {out}: run the level participant first.")
    rows: list[Row] = []
    for who, status in statuses.items():
        rows += rows_of_person(out, who, status)
    keep_text(out / f"{TABLE}.tsv", table_text(rows))
    keep_text(out / f"{TABLE}.json", beside_table(COLUMNS))
    maps = write_group_maps(out, [(who.folder, who.label) for who in people])
    failed = {who.label: str(told.get("reason")) for who, told in statuses.items() if told.get("status")}
    missing = tuple(who.label for who, told in statuses.items() if not told)
    shown = [_shown(out, who, rows) for who in people]
    page = group_page([each for each in shown if each.pictures], rows, maps, failed, missing, language)
    keep_text(out / PAGES / "group.html", page)
    return Group(tuple(rows), tuple(maps), failed, missing)


def rows_of_person(out: Path, who: Who, status: dict[str, Any]) -> list[Row]:
    """The rows of one participant's plans; one with the reason where something could not be done."""
    rows: list[Row] = []
    for path in sorted((out / who.folder / "beh").glob("*_desc-placements_beh.tsv")):
        if path.stat().st_size <= _LONGEST:
            rows += rows_of_text(path.read_text(encoding="utf-8"))
    if not status or status.get("status"):
        reason = str(status.get("reason")) if status else "not-run"
        whose = {"participant": who.participant, "session": who.session}
        rows.append(whose | {"status": "failed" if status else "missing", "reason": reason})
    return rows


def _shown(out: Path, who: Who, rows: Sequence[Row]) -> Shown:
    """What is shown of one participant: pictures, and pages relative to the group's."""
    own = own_folder(out, who)
    plans = sorted(path for path in (own / "plans").glob("*") if (path / "report.html").is_file())
    pictures = [picture for plan in plans for picture in sorted((plan / "pictures").glob("*_side.png"))]
    pages = [path for path in (own / "head" / "qc.html", *(plan / "report.html" for plan in plans)) if path.is_file()]
    mine = [row for row in rows if (row["participant"], row.get("session")) == (who.participant, who.session)]
    said = sorted({code for row in mine for code in str(row.get("warnings") or "").split(",") if code})
    return Shown(
        who.label, tuple(path.read_bytes() for path in pictures if path.stat().st_size <= LARGEST_PICTURE),
        tuple(f"../{path.relative_to(out).as_posix()}" for path in pages), tuple(said),
    )  # fmt: skip
