"""What an interrupted plan had finished, as a folder beside its output: the same command goes on from there.

Not a format for anyone else: plan.json is, and this folder goes when that is written.
"""

import json
import logging
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import msgspec
import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.errors import FileFormatError, InputError
from neuro_field.field.field import Field, SolveReport
from neuro_field.field.treecode import Treecode
from neuro_field.io.array_files import array_of, read_arrays, write_arrays
from neuro_field.io.digest import fingerprint
from neuro_field.io.entries import Entries
from neuro_field.reciprocity.charges import Charges
from neuro_field.reciprocity.response import Response, probe_of
from neuro_field.report.facts import HeadFacts
from neuro_field.search.plan import Plan
from neuro_field.search.survey import Task
from neuro_field.store.plan_records import COMPUTED_BY, plan_from, plan_record
from neuro_field.store.plan_structs import PlanRecord
from neuro_field.store.unfinished_folder import UnfinishedFolder

LOG = logging.getLogger(__name__)

SCHEMA = "neuro_field/unfinished-plan"
VERSION = 4

#: Larger files are not read, bytes: arrays, and records of plans.
LARGEST, LARGEST_RECORD = 4_000_000_000, 64_000_000

_ABOUT = (
    "What `neuro-field plan` had finished before it was interrupted: the same command goes on from here. It may be "
    "deleted."
)


class UnfinishedPlan:
    """Keeps the plans of a survey in a folder, each as far as it has come (`search.survey.Keeper`).

    A plan is taken up again only for the same head, coil, target, search, draws and versions; everything else is
    planned anew, and kept beside it: one run may plan the same place with several coils.

    Parameters
    ----------
    folder : str or Path
        Made when there is something to keep.

    Raises
    ------
    InputError
        If the folder holds something else; nothing there is touched.

    Examples
    --------
    >>> import neuro_field as nf
    >>> from neuro_field.store.unfinished import UnfinishedPlan
    >>> from neuro_field.search.candidates import Grid
    >>> head, coil = nf.example_head("colin27-stroke", edge=8.0), nf.load_coil("figure8-70mm")
    >>> grid, unfinished = Grid(radius=20, spacing=10, angle_step=30), UnfinishedPlan("PLAN.unfinished")
    >>> made = nf.study(
    ...     head, preset="contralesional-1hz-hand", coil=coil, grid=grid, draws=0, keeper=unfinished
    ... )  # killed and started again, this goes on where it was
    >>> nf.write(made, "PLAN")
    >>> unfinished.discard()
    """

    def __init__(self, folder: str | Path) -> None:
        self._place = UnfinishedFolder(folder, SCHEMA, VERSION, _ABOUT)
        self.folder = self._place.folder

    def roles(self) -> list[str]:
        """Of the plans that are kept, for whatever task."""
        return sorted({path.stem.rpartition("-")[0] for path in self.folder.glob("*-*.json")})

    def kept(self, role: str, task: Task) -> Plan | None:
        """The plan of a role, if one was kept for this very task.

        Raises
        ------
        FileFormatError
            If it is damaged.
        """
        key = _key(task)
        path = self._path(role, key, ".json")
        if not path.is_file():
            if role in self.roles():
                LOG.warning(
                    "%s is planned anew: what %s holds of it is for another head, coil, search or version.",
                    role, self.folder,
                )  # fmt: skip
            return None
        try:
            if path.stat().st_size > LARGEST_RECORD:
                raise FileFormatError(f"{path} is larger than {LARGEST_RECORD / 1e6:.0f} MB")
            try:
                record = json.loads(path.read_text(encoding="utf-8"))
            except (ValueError, RecursionError) as error:
                raise FileFormatError(f"{path}: {str(error)[:120]}") from None
            entries = Entries.of(record, str(path))
            if (entries.value("schema"), entries.value("version"), entries.text("key")) != (SCHEMA, VERSION, key):
                raise FileFormatError(f"{path} is not what was written there")
            return _plan(entries, task, read_arrays(self._path(role, key, ".npz"), LARGEST))
        except InputError as error:
            message = str(error).rstrip(".")
            raise FileFormatError(f"{message}. Remove {self.folder} and plan again.") from None

    def keep(self, role: str, task: Task, made: Plan) -> None:
        """Keep a plan that was made for a task, with its field and response; a full disk stops nothing but this."""
        try:
            self._keep(role, task, made)
        except OSError as error:
            LOG.warning("%s is not kept for an interrupted run in %s: %s", role, self.folder, error)

    def _keep(self, role: str, task: Task, made: Plan) -> None:
        field, response, arrays = _whole(made)
        self._place.make()
        key = _key(task)
        path = self._path(role, key, ".npz")
        if not path.is_file():  # what is added later is in the record alone
            write_arrays(path, arrays)
        self._place.write(
            self._path(role, key, ".json").name,
            {
                "schema": SCHEMA, "version": VERSION, "key": key, "plan": plan_record(made, HeadFacts.of(None), None),
                "field": asdict(field.report), "didt": field.didt, "truncation": response.truncation,
            },
        )  # fmt: skip

    def discard(self) -> None:
        """Remove the folder: the plan it was for is written."""
        self._place.discard()

    def _path(self, role: str, key: str, ending: str) -> Path:
        return self.folder / f"{role}-{key[:16]}{ending}"


def _key(task: Task) -> str:
    """What a task is known by: everything that decides its numbers."""
    solver, head = task.solver, task.solver.head
    return fingerprint(
        [(name, version(name)) for name in COMPUTED_BY], head.mesh, head.conductivity, head.mapping, solver.tolerance,
        task.coil, task.target, task.grid, task.avoid, task.homologous, task.draws, task.numerical_error,
    )  # fmt: skip


def _whole(plan: Plan) -> tuple[Field, Response, dict[str, AnyArray]]:
    """What a plan has beside its record, and the arrays of that."""
    field, response, followed = plan.field, plan.response, plan.followed
    if field is None or response is None or followed is None:
        raise InputError("A plan read from files has neither field nor response, and is not kept as an unfinished one.")
    arrays = {
        "potential": field.potential, "followed": followed,
        "positions": response.positions, "moments": response.moments, "basis": response.basis,
        "sought": response.sought, "densities": response.tree.densities,
        "charge_places": response.charges.places, "charge_strengths": response.charges.strengths,
    }  # fmt: skip
    return field, response, arrays


def _plan(entries: Entries, task: Task, arrays: dict[str, AnyArray]) -> Plan:
    """The plan, with the nouns of the task in place of their records."""
    try:
        made = plan_from(msgspec.convert(entries.value("plan"), PlanRecord), task.coil)
    except msgspec.ValidationError as error:
        raise FileFormatError(f"{entries.where}: {error}") from None
    system, target = task.solver.system, task.target
    sources, rows = probe_of(task.solver, target).sources, 3 * len(target.elements)

    def array(name: str, *shape: int | None, dtype: type = np.float64) -> AnyArray:
        return array_of(arrays, name, entries.where, dtype, *shape)

    placement = made.best.placement
    field = Field(
        system=system, coil=task.coil, placement=placement, didt=entries.number("didt"),
        potential=array("potential", len(system.points)),
        report=entries.required("field").noun(SolveReport),
    )  # fmt: skip
    positions, sought = array("positions", None, 3), array("sought", rows, None)
    wanted, places = sought.shape[1], array("charge_places", None, 3)
    response = Response(
        target, positions, array("moments", len(positions), 3), array("basis", rows, None), sought,
        Treecode.of(sources, array("densities", len(sources), wanted, 3, dtype=np.float32)),
        Charges(places, array("charge_strengths", len(places), wanted)), entries.number("truncation"),
    )  # fmt: skip
    return replace(made, target=target, field=field, response=response, followed=array("followed", None, 4, 4))
