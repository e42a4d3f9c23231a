"""Statements of several plans as one table: a row for each label, a column for each plan."""

from collections.abc import Iterable, Sequence
from typing import Any


def beside(columns: Sequence[Iterable[str]]) -> list[dict[str, Any]]:
    """Rows of a table from lines as in "Label: what", one column of lines a plan.

    Parameters
    ----------
    columns : sequence of iterable of str
        What has no label stands under an empty one.

    Returns
    -------
    list of dict
        In the order of the labels: ``label``; ``cells``, for each column the texts that it has under the label; and
        ``same``, whether all of several columns have the same, which then is said once.
    """
    rows: dict[str, list[list[str]]] = {}
    for column, lines in enumerate(columns):
        for line in lines:
            label, colon, text = line.partition(": ")
            label, text = (label, text) if colon else ("", line)
            rows.setdefault(label, [[] for _ in columns])[column].append(text)
    return [
        {"label": label, "cells": cells, "same": len(cells) > 1 and all(cell == cells[0] for cell in cells)}
        for label, cells in rows.items()
    ]
