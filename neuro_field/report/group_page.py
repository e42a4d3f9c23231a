"""The page of a group: who failed and why, how what was found is distributed, and every plan to be looked at."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np

from neuro_field.errors import FileFormatError
from neuro_field.nouns import noun
from neuro_field.report.markup import rendered
from neuro_field.report.page import embedded
from neuro_field.report.words import named, phrase

#: What is drawn of each side of everybody: a column of the table.
DRAWN = (
    "field_V_per_m", "matched_percent", "first_share", "from_rule_mm", "rule_share", "target_from_hot_spot_mm",
    "coil_cortex_mm", "target_moved_mm", "lost_share", "lesion_cm3",
)  # fmt: skip

#: Offsets of targets from their seeds in MNI152.
_OFFSETS = ("target_off_x_mm", "target_off_y_mm", "target_off_z_mm")

#: A strip of dots: width and height of its drawing area, and the margin, points.
_WIDTH, _HEIGHT, _MARGIN = 420, 26, 12

#: The longer side of a picture, points.
_THUMBNAIL = 320

#: The hemisphere that the others are turned to.
_TURNED_TO = "left"


@noun
class Shown:
    """One participant among the pictures.

    ``label``; ``pictures`` as PNG; ``pages`` by their places relative to this one; codes of what is ``said`` of them.
    """

    label: str
    pictures: tuple[bytes, ...]
    pages: tuple[str, ...]
    said: tuple[str, ...]


def group_page(
    shown: Sequence[Shown], rows: Sequence[Mapping[str, Any]], maps: Sequence[Mapping[str, Any]],
    failed: Mapping[str, str], missing: Sequence[str], language: str = "en",
) -> str:  # fmt: skip
    """The page as HTML, self-contained and without scripts.

    Parameters
    ----------
    shown : sequence of Shown
    rows : sequence of mapping
        Of the group's table (`neuro_field.cohort.table.COLUMNS`).
    maps : sequence of mapping
        Of every map ``file``, ``role``, ``preset``, ``coil``, ``space``, ``kind``, ``turned``, ``n``.
    failed : mapping of str to str
        Why, by label.
    missing : sequence of str
        Labels of those that were not run.
    language : {"en", "ja"}
    """
    planned = [row for row in rows if row.get("field_V_per_m") is not None]
    kinds = sorted({_kind(row) for row in planned})
    return rendered(
        "group.html.j2",
        language=language,
        failed=failed,
        missing=missing,
        people=len({(row["participant"], row.get("session")) for row in rows}),
        parts=[_part(kind, [row for row in planned if _kind(row) == kind], language) for kind in kinds],
        maps=[{**each, "place": quote(f"../{each['file']}"), "role": named(each["role"], language)} for each in maps],
        shown=[
            {
                "label": each.label, "said": each.said, "pictures": _thumbnails(each.pictures),
                "pages": [{"place": quote(path), "name": "/".join(path.split("/")[-2:])} for path in each.pages],
            }
            for each in shown
        ],
    )  # fmt: skip


def _thumbnails(pictures: Sequence[bytes]) -> list[str]:
    """Pictures made small; a damaged one is left out."""
    out = []
    for picture in pictures:
        with suppress(FileFormatError):
            out.append(embedded(picture, _THUMBNAIL))
    return out


def _kind(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return tuple(str(row.get(name) or "") for name in ("preset", "coil", "role"))  # type: ignore[return-value]


def _part(kind: tuple[str, str, str], rows: Sequence[Mapping[str, Any]], language: str) -> dict[str, Any]:
    """One preset, coil and role: a strip for each column, and how targets lie off their seeds."""
    preset, coil, role = kind
    strips = []
    for name in DRAWN:
        values = [(str(row["participant"]), float(row[name])) for row in rows if row.get(name) is not None]
        if values:
            strips.append(
                {
                    "name": name,
                    "svg": _strip(values, phrase(f"group.{name}", language)),
                    **_figures([value for _, value in values]),
                }
            )
    return {
        "preset": preset, "coil": coil, "role": named(role, language), "n": len(rows), "strips": strips,
        "offsets": [each for each in (_offsets(rows, turned) for turned in (False, True)) if each is not None],
    }  # fmt: skip


def _offsets(rows: Sequence[Mapping[str, Any]], turned: bool) -> dict[str, Any] | None:
    """Mean and standard deviation of where targets lie off their seeds, mm; as they lie, or turned to one side."""
    known = [row for row in rows if all(row.get(name) is not None for name in _OFFSETS)]
    if turned:
        known = [row for row in known if row.get("affected")]
    if not known:
        return None
    off = np.array([[float(row[name]) for name in _OFFSETS] for row in known])
    if turned:
        off[[row["affected"] != _TURNED_TO for row in known], 0] *= -1
    spread = off.std(axis=0, ddof=1) if len(off) > 1 else np.full(3, np.nan)
    return {"turned": turned, "n": len(off), "mean": off.mean(axis=0).tolist(), "spread": spread.tolist()}


def _figures(values: Sequence[float]) -> dict[str, Any]:
    low, median, high = np.percentile(values, (5, 50, 95)).tolist()
    return {"n": len(values), "low": low, "median": median, "high": high}


def _strip(values: Sequence[tuple[str, float]], title: str) -> str:
    """A dot for everybody along a line, their labels as titles; the median as a bar; and what it is."""
    numbers = np.array([value for _, value in values])
    low, high = float(numbers.min()), float(numbers.max())
    scale = _WIDTH / (high - low) if high > low else 0.0
    middle = _MARGIN + (float(np.median(numbers)) - low) * scale
    dots = "".join(
        f'<circle cx="{_MARGIN + (value - low) * scale:.1f}" cy="{_HEIGHT / 2 + 5 * ((i % 3) - 1):.0f}" r="3.5">'
        f"<title>{_plain(label)}: {value:.3g}</title></circle>"
        for i, (label, value) in enumerate(values)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH + 2 * _MARGIN} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f'<line x1="{_MARGIN}" x2="{_WIDTH + _MARGIN}" '
        f'y1="{_HEIGHT / 2}" y2="{_HEIGHT / 2}"/><rect x="{middle - 1:.1f}" y="3" width="2" height="{_HEIGHT - 6}"/>'
        f"{dots}</svg>"
    )


def _plain(label: str) -> str:
    return "".join(letter for letter in label if letter.isascii() and letter.isalnum())
