"""A folder beside an output that holds what an interrupted run had finished, marked as ours."""

import json
import shutil
from pathlib import Path
from typing import Any

from neuro_field.io.atomic import ExistsError, new_file

#: In the folder: whose it is.
MARK = "about.json"


class UnfinishedFolder:
    """The folder: taken only where it is ours or empty, made when there is something to keep.

    Parameters
    ----------
    folder : str or Path
    schema : str
        Of what is kept in it.
    version : int
    about : str
        For who finds it.

    Raises
    ------
    InputError
        If the folder holds something else; nothing there is touched.
    """

    def __init__(self, folder: str | Path, schema: str, version: int, about: str) -> None:
        self.folder = Path(folder)
        self._mark = {"schema": schema, "version": version, "about": about}
        if self.folder.exists() and not self._is_ours():
            raise ExistsError(
                f"{self.folder} is where what an interrupted run had finished is kept, and holds something else; move "
                "that away, or give another output."
            )

    def make(self) -> None:
        """Make and mark it."""
        self.folder.mkdir(exist_ok=True)
        if not (self.folder / MARK).exists():
            self.write(MARK, self._mark)

    def write(self, name: str, record: dict[str, Any]) -> None:
        """Write a record to a file in it."""
        with new_file(self.folder / name) as beside:
            beside.write_text(json.dumps(record, allow_nan=False) + "\n", encoding="utf-8", newline="\n")

    def discard(self) -> None:
        """Remove it: the output that it was for is written."""
        if self._is_ours():
            shutil.rmtree(self.folder)

    def _is_ours(self) -> bool:
        """Whether the folder can be taken: it has our mark, or is empty."""
        if not self.folder.is_dir():
            return False
        try:
            about = json.loads((self.folder / MARK).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return not any(self.folder.iterdir())
        return isinstance(about, dict) and about.get("schema") == self._mark["schema"]
