"""All that is computed for the targets of one head and coil: plans, the lesion filled, stability, numerical error.

A run that was interrupted is taken up again by whoever keeps its plans as they grow (`Keeper`): what a kept plan has
already is not computed again.
"""

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from neuro_field.aim.target import Target, check_same_mesh
from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.head.doubts import check_usable
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.search.candidates import Grid
from neuro_field.search.clock import Progress
from neuro_field.search.plan import Plan
from neuro_field.search.search import (
    Avoidance,
    judge_of,
    plan,
    with_filled_lesion,
    with_numerical_error,
    with_stability,
)
from neuro_field.search.stability import DRAWS, MOST_DRAWS


@noun
class Task:
    """All that decides one plan of a survey; arguments of `plan` and `survey`."""

    solver: Solver
    coil: Coil
    target: Target
    grid: Grid
    avoid: Avoidance
    homologous: Target | None
    draws: int
    numerical_error: bool


class Keeper(Protocol):
    """Keeps the plans of a survey between runs; `neuro_field.store.unfinished` does it in a folder."""

    def kept(self, role: str, task: Task) -> Plan | None:
        """The plan of a role as far as it was kept for the same task, whole with field and response; else None."""

    def keep(self, role: str, task: Task, made: Plan) -> None:
        """Keep a plan as far as it has come, in place of what was kept for its role."""


def survey(
    head: HeadModel,
    coil: Coil,
    targets: Mapping[str, Target],
    *,
    opposite: Mapping[str, str] | None = None,
    grid: Grid | None = None,
    avoid: Avoidance | None = None,
    draws: int = DRAWS,
    tolerance: float = 1e-5,
    numerical_error: bool = False,
    keeper: Keeper | None = None,
    progress: Progress | None = None,
    solver: Solver | None = None,
) -> dict[str, Plan]:
    """A plan for each of several targets of one head, told apart by role.

    Parameters
    ----------
    head : HeadModel
    coil : Coil
    targets : mapping of str to Target
    opposite : mapping of str to str, optional
        The role whose target is the same place in the other hemisphere.
    grid, avoid, numerical_error
        As of `plan`.
    draws : int
        Of uncertain conductivities, 0 to 20000, for every conductivity a lesion's cavity may have; 0 for none.
    tolerance : float
        Of the solver.
    keeper : Keeper, optional
        Asked for what an earlier run has finished, and told whenever a plan has grown.
    progress : callable, optional
        Called with a stage's name and the share of it done.
    solver : Solver, optional
        Of this head, where there is one already; ``tolerance`` is then its own.

    Returns
    -------
    dict of str to Plan
        In the order of the targets.
    """
    if not isinstance(draws, int) or isinstance(draws, bool) or not 0 <= draws <= MOST_DRAWS:
        raise InputError(f"Input draws must be 0 to {MOST_DRAWS}; instead received {draws!r}.")
    check_usable(head)
    for each in (*targets.values(), *(avoid.regions if avoid else ())):
        check_same_mesh(head, each)
    finer = judge_of(head, targets.values()) if numerical_error else head  # refuses before the work
    say = progress or (lambda stage, share: None)
    if solver is None:
        say("solver set-up", 0.0)
        solver = Solver(head, tolerance=tolerance)
        say("solver set-up", 1.0)
    elif solver.head is not head:
        raise InputError("Input solver of survey must be of the same head as the targets.")
    tasks = {
        role: Task(
            solver, coil, target, grid or Grid(), avoid or Avoidance(), targets.get((opposite or {}).get(role, "")),
            draws, numerical_error,
        )
        for role, target in targets.items()
    }  # fmt: skip
    plans = {role: _planned(role, task, keeper, partial(_of_role, say, role)) for role, task in tasks.items()}
    if head.region("lesion").any() and any(made.best.filled is None for made in plans.values()):
        say("lesion filled", 0.0)
        plans = dict(zip(plans, with_filled_lesion(list(plans.values()), solver), strict=True))
        _keep(keeper, tasks, plans)
        say("lesion filled", 1.0)
    if draws and any(made.stability is None for made in plans.values()):
        plans = with_stability(plans, solver, draws=draws, progress=partial(say, "stability"))
        _keep(keeper, tasks, plans)
    if numerical_error and any(made.numerical_error is None for made in plans.values()):
        say("numerical error", 0.0)
        fine = Solver(finer, tolerance=solver.tolerance, order=solver.order)
        for done, role in enumerate(targets, start=1):
            plans[role] = with_numerical_error(plans[role], fine)
            say("numerical error", done / len(targets))
        _keep(keeper, tasks, plans)
    return plans


def _planned(role: str, task: Task, keeper: Keeper | None, told: Progress) -> Plan:
    """The plan of a task, as far as it was kept, or a new one."""
    kept = keeper.kept(role, task) if keeper is not None else None
    if kept is not None:
        told("kept from before", 1.0)
        return kept
    made = plan(
        task.solver, task.coil, task.target, grid=task.grid, avoid=task.avoid, homologous=task.homologous, progress=told
    )
    _keep(keeper, {role: task}, {role: made})
    return made


def _keep(keeper: Keeper | None, tasks: Mapping[str, Task], plans: Mapping[str, Plan]) -> None:
    if keeper is not None:
        for role, made in plans.items():
            keeper.keep(role, tasks[role], made)


def _of_role(say: Progress, role: str, stage: str, share: float) -> None:
    say(f"{role}: {stage}", share)
