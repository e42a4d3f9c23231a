"""The solves that an interrupted live field had made, as a folder beside its output: the same command goes on there."""

import logging
from importlib.metadata import version
from pathlib import Path

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.coil.coil import Coil
from neuro_field.errors import FileFormatError
from neuro_field.field.solver import Solver
from neuro_field.io.array_files import array_of, read_arrays, write_arrays
from neuro_field.io.digest import fingerprint
from neuro_field.live.building import how
from neuro_field.store.plan_records import COMPUTED_BY
from neuro_field.store.unfinished_folder import UnfinishedFolder

LOG = logging.getLogger(__name__)

SCHEMA = "neuro_field/unfinished-live"
VERSION = 1

#: Larger files are not read, bytes.
LARGEST = 2_000_000_000

_ABOUT = (
    "What `neuro-field live` had solved before it was interrupted: the same command goes on from here. It may be "
    "deleted."
)


class UnfinishedLive:
    """Keeps the solves of a live field in a folder (`live.building.Keeper`), for one head, coil and number of them.

    Parameters
    ----------
    folder : str or Path
        Made when there is something to keep.
    solver : Solver
    coil : Coil
    snapshots : int

    Raises
    ------
    InputError
        If the folder holds something else; nothing there is touched.
    """

    def __init__(self, folder: str | Path, solver: Solver, coil: Coil, snapshots: int) -> None:
        self._place = UnfinishedFolder(folder, SCHEMA, VERSION, _ABOUT)
        self.folder = self._place.folder
        self._unknowns = len(solver.system.points)
        head = solver.head
        self._key = fingerprint(
            [(name, version(name)) for name in COMPUTED_BY], head.mesh, head.conductivity, solver.order,
            solver.tolerance, coil, snapshots, how(),
        )  # fmt: skip

    def kept(self, first: int) -> AnyArray | None:
        """Potentials of the block that begins with a number; None where there is none, or it is damaged."""
        path = self._path(first)
        if not path.is_file():
            return None
        try:
            return array_of(read_arrays(path, LARGEST), "potentials", str(path), np.float32, self._unknowns, None)
        except FileFormatError as error:
            LOG.warning("%s: it is solved anew.", error)
            return None

    def keep(self, first: int, potentials: AnyArray) -> None:
        """Keep a block; a full disk stops nothing but this."""
        try:
            self._place.make()
            write_arrays(self._path(first), {"potentials": potentials})
        except OSError as error:
            LOG.warning("Solves are not kept for an interrupted run in %s: %s", self.folder, error)

    def count(self) -> int:
        """Blocks that are kept for this very task."""
        return len(list(self.folder.glob(f"solves-{self._key[:16]}-*.npz")))

    def discard(self) -> None:
        """Remove the folder: the live field is written."""
        self._place.discard()

    def _path(self, first: int) -> Path:
        return self.folder / f"solves-{self._key[:16]}-{first}.npz"
