"""All that is computed for the targets of one head and coil: plans, the lesion filled, stability, numerical error."""

from collections.abc import Mapping
from functools import partial

from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.head.model import HeadModel
from neuro_field.planning.candidates import Grid
from neuro_field.planning.clock import Progress
from neuro_field.planning.plan import Plan
from neuro_field.planning.search import Avoidance, plan, with_filled_lesion, with_numerical_error, with_stability
from neuro_field.planning.stability import DRAWS, MOST_DRAWS
from neuro_field.planning.target import Target


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
    progress: Progress | None = None,
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
    progress : callable, optional
        Called with a stage's name and the share of it done.

    Returns
    -------
    dict of str to Plan
        In the order of the targets.
    """
    if not isinstance(draws, int) or isinstance(draws, bool) or not 0 <= draws <= MOST_DRAWS:
        raise InputError(f"Input draws must be 0 to {MOST_DRAWS}; instead received {draws!r}.")
    say = progress or (lambda stage, share: None)
    say("solver set-up", 0.0)
    solver = Solver(head, tolerance=tolerance)
    say("solver set-up", 1.0)
    plans = {}
    for role, target in targets.items():
        other = targets.get((opposite or {}).get(role, ""))
        told = partial(_of_role, say, role)
        plans[role] = plan(solver, coil, target, grid=grid, avoid=avoid, homologous=other, progress=told)
    if head.region("lesion").any():
        say("lesion filled", 0.0)
        plans = dict(zip(plans, with_filled_lesion(list(plans.values()), solver), strict=True))
        say("lesion filled", 1.0)
    if draws:
        plans = with_stability(plans, solver, draws=draws, progress=partial(say, "stability"))
    if numerical_error:
        say("numerical error", 0.0)
        fine = solver.raised()
        for done, role in enumerate(targets, start=1):
            plans[role] = with_numerical_error(plans[role], fine)
            say("numerical error", done / len(targets))
    return plans


def _of_role(say: Progress, role: str, stage: str, share: float) -> None:
    say(f"{role}: {stage}", share)
