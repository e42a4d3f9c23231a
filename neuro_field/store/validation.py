"""What a validation found, as a folder: validation.tsv and validation.png."""

from collections.abc import Sequence
from pathlib import Path

from neuro_field.field.validation import ValidationRow
from neuro_field.io.atomic import new_folder
from neuro_field.report.validation import validation_plot, validation_table


def write_validation(rows: Sequence[ValidationRow], folder: str | Path) -> None:
    """Write the table and the plot of a validation to a new folder; it appears whole or not at all.

    Raises
    ------
    InputError
        If the folder holds something, or there are no rows.
    """
    picture = validation_plot(rows)
    with new_folder(folder) as beside:
        (beside / "validation.tsv").write_text(validation_table(rows), encoding="utf-8", newline="\n")
        (beside / "validation.png").write_bytes(picture)
