"""Both hemispheres of one patient under one preset, or one target made by hand: plans, doses, and what is said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from neuro_field.aim.atlas import other_side
from neuro_field.aim.tape import HeadTape, TapePlace
from neuro_field.aim.target import Target
from neuro_field.clinic.aiming import Aims, aims
from neuro_field.clinic.answers import Answers, of_open_skull
from neuro_field.clinic.case import Case, intake
from neuro_field.clinic.cautions import of_study
from neuro_field.clinic.dose import Dose
from neuro_field.clinic.presets import Preset, by_hand
from neuro_field.clinic.sides import own_role, side_of
from neuro_field.clinic.study_doses import anchor_areas, case_doses, check_poses, thresholds_of
from neuro_field.clinic.tape_spot import located, tape_of, with_tape
from neuro_field.clinic.threshold import Threshold
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.field.solver import Solver
from neuro_field.findings import Finding, Refusal, worst_first
from neuro_field.head.doubts import check_usable, open_area
from neuro_field.head.lesion import LesionSummary, lesion_summary
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.search.candidates import Grid
from neuro_field.search.clock import Progress
from neuro_field.search.plan import Candidate, Plan
from neuro_field.search.search import Avoidance, finer_around
from neuro_field.search.stability import DRAWS
from neuro_field.search.survey import Keeper, survey

#: What a hemisphere is to the lesion, both of them at once, and a target made by hand.
ROLES = ("contralesional", "ipsilesional", "bilateral", "target")


@noun
class Study:
    """A preset planned on both hemispheres of one head.

    Parameters
    ----------
    preset : Preset
    coil : Coil
    head : HeadModel, optional
        None for a study read from files.
    lesion : LesionSummary, optional
    answers : Answers
        As given.
    contralesional, ipsilesional : Plan, optional
        None where `why` says so.
    bilateral : Plan, optional
        Of a preset that stimulates both sides at once by one coil: for both targets together.
    why : mapping of str to Finding
        For every role without a plan the finding, of level "stop", that says why.
    doses : mapping of str to Dose
        For the sides that could be given one.
    findings : tuple of Finding
        All that has to be said with these plans, worst first: of the patient, the preset, and of each role's target,
        plan and dose with ``role`` and ``side`` among its values.
    target : Plan, optional
        Of a target made by hand, in place of a preset's two sides.
    affected : {"left", "right"}, optional
        The hemisphere that "ipsilesional" means; None where a target made by hand does without.
    thresholds : tuple of Threshold
        As given.

    Examples
    --------
    Both hemispheres are always there, as plans or as reasons why there is none:

    >>> import neuro_field as nf
    >>> from neuro_field.search.candidates import Grid
    >>> head = nf.example_head("colin27-stroke", edge=8.0)  # far too coarse for use, and quick
    >>> made = nf.study(
    ...     head, preset="contralesional-1hz-hand", coil=nf.load_coil("figure8-70mm"), rmt=50,
    ...     grid=Grid(radius=20, spacing=10, angle_step=30), draws=0,
    ... )
    >>> made.own_side, made.side_of("contralesional"), made.side_of("ipsilesional")
    ('contralesional', 'right', 'left')
    >>> made.best is made.contralesional.best
    True
    >>> round(made.doses["contralesional"].matched, 1)  # % of maximum output: 0.9 x rMT over its own hand area
    45.0
    """

    preset: Preset
    coil: Coil | None
    head: HeadModel | None
    lesion: LesionSummary | None
    answers: Answers
    contralesional: Plan | None
    ipsilesional: Plan | None
    why: Mapping[str, Finding] = field(default_factory=dict)
    doses: Mapping[str, Dose] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    bilateral: Plan | None = None
    target: Plan | None = None
    affected: str | None = None
    thresholds: tuple[Threshold, ...] = ()

    @property
    def own_side(self) -> str:
        """The role whose side the preset stimulates (first)."""
        return own_role(self.preset, self.answers, self.affected)

    @property
    def best(self) -> Candidate:
        """The best placement on the preset's own side."""
        own = self.plans.get(self.own_side)
        if own is None:
            raise Refusal(self.why[self.own_side])
        return own.best

    @property
    def plans(self) -> dict[str, Plan]:
        """The plans there are, by role."""
        found = ((role, getattr(self, role)) for role in ROLES)
        return {role: made for role, made in found if made is not None}

    def side_of(self, role: str) -> str:
        """left or right of a role, "both" for "bilateral" and for a target that lies on neither side."""
        if role == "target":
            return (self.target.target.side if self.target is not None else None) or "both"
        if self.affected is None:
            raise InputError("This study has one target, made by hand; it has no role but 'target'.")
        return side_of(role, self.affected)


def plan_of(study: Study | Plan, role: str | None = None) -> tuple[Plan, Dose | None]:
    """The plan of one role, the preset's own when omitted, and its dose if it has one; a Plan is its own."""
    if isinstance(study, Plan):
        if role is not None:
            raise InputError(f"This plan has one side only; leave out role {role!r}.")
        return study, None
    role = role or study.own_side
    if role not in ROLES:
        raise UnknownNameError("role", role, list(ROLES))
    made: Plan | None = getattr(study, role)
    if made is None:
        raise Refusal(study.why.get(role, Finding("study-no-such-role", "stop", {"role": role})))
    return made, study.doses.get(role)


def study(
    head: HeadModel,
    *,
    preset: str | Preset | None = None,
    target: Target | None = None,
    coil: Coil | None = None,
    rmt: float | None = None,
    lesion_side: str | None = None,
    paretic_hand: str | None = None,
    side: str | None = None,
    fluency: str | None = None,
    dominant_side: str | None = None,
    mep: str = "untested",
    fma_ue: float | None = None,
    mt_method: str = "emg",
    contraindications: Sequence[str] = (),
    confirmed: Sequence[str] = (),
    frequency: float | None = None,
    pulses: float | None = None,
    intensity: float | None = None,
    train_seconds: float | None = None,
    thresholds: Sequence[Threshold] = (),
    hot_spot: Any = None,
    stimulator: str | None = None,
    grid: Grid | None = None,
    avoid: Avoidance | None = None,
    draws: int = DRAWS,
    tolerance: float = 1e-5,
    refine: bool = False,
    numerical_error: bool = False,
    keeper: Keeper | None = None,
    progress: Progress | None = None,
) -> Study:
    """Plan one preset on both hemispheres, neither ever chosen silently; or one target made by hand.

    All answers are checked before anything is computed, and every mistake is told at once.

    Parameters
    ----------
    head : HeadModel
        With a mapping to MNI, for a preset.
    preset : str or Preset, optional
        Name of a preset (``neuro-field presets``); capitals and hyphens are forgiven.
    target : Target, optional
        In place of a preset: a preset is made for it on the spot, with the same answers, doses and refusals.
    coil : Coil, optional
        The preset's own when omitted; a target made by hand needs one.
    rmt : float, optional
        Resting motor threshold of the hand that is not paretic, % of maximum output of this coil's stimulator: gives a
        dose.
    lesion_side : {"left", "right"}, optional
        Needed where the head has no lesion in it; refused where it contradicts the lesion.
    paretic_hand, side, fluency, dominant_side, mep, fma_ue, mt_method, contraindications, confirmed
        As of `neuro_field.clinic.answers.Answers`.
    frequency, pulses, intensity, train_seconds : float, optional
        Of the protocol, where the preset leaves them open, or in place of its own.
    thresholds : sequence of Threshold
        Motor thresholds with all that they belong to, in place of ``rmt``; not both.
    hot_spot : Placement, TapePlace or (3,) array, optional
        Where the largest response of the hand was measured: the coil's pose there, a place by tape, or a point of
        scalp or cortex, mm, head frame.  The hand area of that hemisphere is then the grey matter under it.
    stimulator : str, optional
        That treats.
    grid : Grid, optional
        Extent and steps of the search.
    avoid : Avoidance, optional
        Regions that no placement may reach, on either side.
    draws : int
        Of uncertain conductivities, for every conductivity a lesion's cavity may have: how stable the ranking is, and
        the interval of the dose.  0 leaves both out.
    tolerance : float
        Of the solver.
    refine : bool
        Halve the edges of the elements within 20 mm of every target first (`HeadModel.refined`): for the field point
        by point.  The study's head is the refined one.
    numerical_error : bool
        Solve the best placements again on elements half as long around the targets and record the differences.
    keeper : Keeper, optional
        Takes an interrupted run up again: `neuro_field.store.unfinished.UnfinishedPlan`.
    progress : callable, optional
        Called with a stage's name and the share of it done.

    Returns
    -------
    Study

    Raises
    ------
    Refusal
        On answers that are missing, contradict one another or the head, or forbid the plan; an InputError that carries
        a finding for each.
    InputError
        If an argument is of the wrong kind.

    Examples
    --------
    >>> import neuro_field as nf
    >>> head = nf.example_head("colin27-stroke", edge=8.0)  # far too coarse for use, and quick
    >>> made = nf.study(
    ...     head, preset="ipsilesional-10hz-hand", coil=nf.load_coil("figure8-70mm"),
    ...     grid=nf.Grid(radius=20, spacing=10, angle_step=30), draws=0,
    ... )
    >>> made.own_side, made.affected
    ('ipsilesional', 'left')
    """
    if not isinstance(head, HeadModel):
        raise InputError(
            f"Input head of study must be a HeadModel, as read_head and example_head give; instead received "
            f"{head!r:.60}."
        )
    given = {
        "rmt": rmt, "lesion_side": lesion_side, "paretic_hand": paretic_hand, "side": side, "fluency": fluency,
        "dominant_side": dominant_side, "mep": mep, "fma_ue": fma_ue, "mt_method": mt_method,
        "contraindications": contraindications, "confirmed": confirmed, "frequency": frequency, "pulses": pulses,
        "intensity": intensity, "train_seconds": train_seconds,
    }  # fmt: skip
    cases = intake(
        [_preset(preset, target, coil)], [] if coil is None else [coil], given, thresholds=thresholds,
        hot_spot=hot_spot, stimulator=stimulator,
    )  # fmt: skip
    made = studies(
        head, cases, target=target, grid=grid, avoid=avoid, draws=draws, tolerance=tolerance, refine=refine,
        numerical_error=numerical_error, keeper=keeper, progress=progress,
    )  # fmt: skip
    return next(made)


def _preset(preset: str | Preset | None, target: Target | None, coil: Coil | None) -> str | Preset:
    if (preset is None) == (target is None):
        raise InputError("Give study either a preset, or a target and a coil.")
    if preset is not None:
        return preset
    if not isinstance(target, Target) or not isinstance(coil, Coil):
        raise InputError("A target made by hand must be a Target, and needs a coil: give study both.")
    return by_hand(target.name, coil.name)


def studies(
    head: HeadModel,
    cases: Sequence[Case],
    *,
    target: Target | None = None,
    grid: Grid | None = None,
    avoid: Avoidance | None = None,
    draws: int = DRAWS,
    tolerance: float = 1e-5,
    refine: bool = False,
    numerical_error: bool = False,
    keeper: Keeper | None = None,
    progress: Progress | None = None,
) -> Iterator[Study]:
    """The studies of several cases of one patient, those of one coil together: one solver, each target planned once.

    Parameters
    ----------
    head : HeadModel
    cases : sequence of Case
        As `neuro_field.clinic.case.intake` gives them.
    target : Target, optional
        For cases made on the spot.
    grid, avoid, draws, tolerance, refine, numerical_error, keeper, progress
        As of `study`.

    Yields
    ------
    Study
        Of each case; coil by coil, as soon as those of a coil are made.

    Raises
    ------
    Refusal
        If the head or the answers leave open where to aim; before anything is solved.
    """
    check_usable(head)
    unasked = {found for case in cases for found in of_open_skull(case.answers, open_area(head))}
    if unasked:
        raise Refusal(*unasked)
    tape = tape_of(head)
    cases = [_on_scalp(head, case, tape) for case in cases]
    aimed = [aims(head, case, target) for case in cases]
    for case, aim in zip(cases, aimed, strict=True):
        own = own_role(case.preset, case.answers, aim.affected)
        if own in aim.why:
            raise Refusal(aim.why[own])
        check_poses(head, case)
    say = progress or (lambda stage, share: None)
    if refine:
        say("refining", 0.0)
        head, aimed, avoid = _refined(head, cases, aimed, avoid)
        say("refining", 1.0)
    say("solver set-up", 0.0)
    solver = Solver(head, tolerance=tolerance)
    say("solver set-up", 1.0)
    for coil in dict.fromkeys(case.coil for case in cases):
        group = [(case, aim) for case, aim in zip(cases, aimed, strict=True) if case.coil is coil]
        wanted = {key: aim for case, aims_ in group for key, aim in _wanted(head, case, aims_).items()}
        plans = survey(
            head, coil, wanted, opposite={key: _across(key) for key in wanted}, grid=grid, avoid=avoid, draws=draws,
            numerical_error=numerical_error, keeper=keeper, progress=progress, solver=solver,
        )  # fmt: skip
        taped: dict[tuple[str, bytes], Plan] = {}
        for case, aim in group:
            yield _study(solver, case, aim, _with_tape(head, case, aim, plans, tape, taped), grid=grid)


def _refined(
    head: HeadModel, cases: Sequence[Case], aimed: Sequence[Aims], avoid: Avoidance | None
) -> tuple[HeadModel, list[Aims], Avoidance | None]:
    """The head with finer elements around all that is planned for, and the same aims in it."""
    wanted = {
        key: each for case, aim in zip(cases, aimed, strict=True) for key, each in _wanted(head, case, aim).items()
    }
    finer = finer_around(head, wanted.values())
    if avoid is not None:
        avoid = replace(avoid, regions=tuple(region.carried(head, finer) for region in avoid.regions))
    return finer, [aim.carried(head, finer) for aim in aimed], avoid


def _key(role: str, target: Target) -> str:
    """What a plan is known by, whichever preset asks for it."""
    return role if role == "target" else f"{target.side or 'both'}-{target.site}"


def _across(key: str) -> str:
    """The same site in the other hemisphere."""
    side, _, name = key.partition("-")
    return f"{other_side(side)}-{name}" if side in ("left", "right") else ""


def _wanted(head: HeadModel, case: Case, aim: Aims) -> dict[str, Target]:
    """All that has to be planned for a case: its targets, and the areas where its thresholds were read."""
    wanted = {_key(role, target): target for role, target in aim.targets.items()}
    return wanted | anchor_areas(head, case, aim)


def _on_scalp(head: HeadModel, case: Case, tape: HeadTape | None) -> Case:
    """The case with the point of the scalp in place of a hot spot by tape."""
    if not isinstance(case.hot_spot, TapePlace):
        return case
    return replace(case, hot_spot=located(case.hot_spot, tape))


def _with_tape(
    head: HeadModel, case: Case, aim: Aims, plans: Mapping[str, Plan], tape: HeadTape | None,
    taped: dict[tuple[str, bytes], Plan],
) -> dict[str, Plan]:  # fmt: skip
    """All plans, those of the targets with the way there by tape; ``taped`` keeps one for the cases that share it."""
    spot = case.hot_spot.center if isinstance(case.hot_spot, Placement) else case.hot_spot
    on_scalp = None if spot is None or isinstance(spot, TapePlace) else head.scalp.nearest(spot)
    out = dict(plans)
    for role, target in aim.targets.items():
        key = _key(role, target), b"" if on_scalp is None else on_scalp.tobytes()
        if key not in taped:
            taped[key] = with_tape(plans[key[0]], tape, on_scalp)
        out[key[0]] = taped[key]
    return out


def _study(solver: Solver, case: Case, aim: Aims, plans: Mapping[str, Plan], *, grid: Grid | None) -> Study:
    made = {role: plans[_key(role, target)] for role, target in aim.targets.items()}
    doses = case_doses(solver, case, aim, made, plans=plans, grid=grid)
    found = Study(
        case.preset, case.coil, solver.head, lesion_summary(solver.head), case.answers, made.get("contralesional"),
        made.get("ipsilesional"), aim.why, doses, (), made.get("bilateral"), made.get("target"), aim.affected,
        thresholds_of(case, aim),
    )  # fmt: skip
    told = of_study(found, {role: found.side_of(role) for role in made})
    of_head = (each for each in solver.head.findings if not each.code.startswith("lesion-"))  # `aim` has that told
    return replace(found, findings=worst_first([*aim.why.values(), *case.findings, *of_head, *aim.findings, *told]))
