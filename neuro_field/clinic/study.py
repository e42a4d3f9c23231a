"""Both hemispheres of one patient under one preset: targets, plans, dose, and what has to be said with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from neuro_field.aim.aims import joint
from neuro_field.aim.atlas import SIDES, other_side
from neuro_field.aim.axis import directed
from neuro_field.aim.target import Target
from neuro_field.clinic.answers import Answers, own_role
from neuro_field.clinic.cautions import cautions, notes
from neuro_field.clinic.dose import Dose, dose
from neuro_field.clinic.presets import Preset
from neuro_field.clinic.presets import preset as preset_of
from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.head.lesion import LesionSummary, lesion_summary
from neuro_field.head.model import HeadModel
from neuro_field.search.candidates import Grid
from neuro_field.search.clock import Progress
from neuro_field.search.plan import Candidate, Plan
from neuro_field.search.search import Avoidance
from neuro_field.search.stability import DRAWS
from neuro_field.search.survey import Keeper, survey

_OPPOSITE = {"contralesional": "ipsilesional", "ipsilesional": "contralesional"}

#: What a hemisphere is to the lesion, and both of them at once.
ROLES = ("contralesional", "ipsilesional", "bilateral")


@dataclass(frozen=True, eq=False)
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
        As given; ``lesion_side`` filled in from the lesion.
    contralesional, ipsilesional : Plan, optional
        None where `why` says so.
    bilateral : Plan, optional
        Of a preset that stimulates both sides at once by one coil: for both targets together.
    why : mapping of str to str
        For "contralesional", "ipsilesional" or "bilateral", why there is no plan.
    doses : mapping of str to Dose
        For the sides that could be given one.
    warnings : tuple of str
        Of what may be wrong with these plans.
    notes : tuple of str
        What a physician should know beside them: models of recovery, tested limits of the trains.

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
    why: Mapping[str, str] = field(default_factory=dict)
    doses: Mapping[str, Dose] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    bilateral: Plan | None = None

    @property
    def own_side(self) -> str:
        """The role whose side the preset stimulates (first)."""
        return own_role(self.preset, self.answers)

    @property
    def best(self) -> Candidate:
        """The best placement on the preset's own side."""
        own = self.plans.get(self.own_side)
        if own is None:
            raise InputError(f"There is no plan on the {self.own_side} side: {self.why[self.own_side]}")
        return own.best

    @property
    def plans(self) -> dict[str, Plan]:
        """The plans there are, by role."""
        found = ((role, getattr(self, role)) for role in ROLES)
        return {role: made for role, made in found if made is not None}

    def side_of(self, role: str) -> str:
        """left or right of "contralesional" or "ipsilesional", both for "bilateral"."""
        lesion_side = self.answers.lesion_side
        assert lesion_side is not None  # `study` never leaves it open
        return {"ipsilesional": lesion_side, "contralesional": other_side(lesion_side)}.get(role, "both")


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
        raise InputError(f"There is no plan on the {role} side: {study.why.get(role, 'none was made')}")
    return made, study.doses.get(role)


def study(
    head: HeadModel,
    *,
    preset: str,
    coil: Coil,
    rmt: float | None = None,
    lesion_side: str | None = None,
    grid: Grid | None = None,
    avoid: Avoidance | None = None,
    draws: int = DRAWS,
    tolerance: float = 1e-5,
    numerical_error: bool = False,
    keeper: Keeper | None = None,
    progress: Progress | None = None,
    **answers: Any,
) -> Study:
    """Plan one preset on both hemispheres; neither is ever chosen silently.

    Parameters
    ----------
    head : HeadModel
        With a mapping to MNI.
    preset : str
        Name of a preset (``neuro-field presets``).
    coil : Coil
    rmt : float, optional
        Resting motor threshold of the unaffected hand, % of maximum output of this coil's stimulator: gives a dose.
    lesion_side : {"left", "right"}, optional
        Needed where the head has no lesion in it; refused where it contradicts the lesion.
    grid : Grid, optional
        Extent and steps of the search.
    avoid : Avoidance, optional
        Regions that no placement may reach, on either side.
    draws : int
        Of uncertain conductivities, for every conductivity a lesion's cavity may have: how stable the ranking is, and
        the interval of the dose.  0 leaves both out.
    tolerance : float
        Of the solver.
    numerical_error : bool
        Solve the best placements again in second-order elements and record the differences.
    keeper : Keeper, optional
        Takes an interrupted run up again: `neuro_field.store.unfinished.UnfinishedPlan`.
    progress : callable, optional
        Called with a stage's name and the share of it done.
    **answers
        Further fields of `Answers`.

    Returns
    -------
    Study

    Raises
    ------
    UnknownNameError
        If the preset is not known.
    InputError
        On missing or contradictory clinical answers, a contraindication, or a head without a mapping.

    Examples
    --------
    >>> import neuro_field as nf
    >>> from neuro_field.search.candidates import Grid
    >>> head = nf.example_head("colin27-stroke", edge=8.0)  # far too coarse for use, and quick
    >>> made = nf.study(
    ...     head, preset="ipsilesional-10hz-hand", coil=nf.load_coil("figure8-70mm"),
    ...     grid=Grid(radius=20, spacing=10, angle_step=30), draws=0,
    ... )
    >>> made.own_side, made.answers.lesion_side
    ('ipsilesional', 'left')
    """
    chosen = preset_of(preset)
    given = _answers(head, rmt, lesion_side, answers)
    _refuse(chosen, given)
    targets, why = _targets(head, chosen, given)
    own = own_role(chosen, given)
    if own not in targets:
        raise InputError(f"Preset {preset} cannot be planned on its own ({own}) side: {why[own]}")
    wanted = targets | _anchor(head, chosen, given, targets)
    plans = survey(
        head, coil, wanted, opposite=_OPPOSITE, grid=grid, avoid=avoid, draws=draws, tolerance=tolerance,
        numerical_error=numerical_error, keeper=keeper, progress=progress,
    )  # fmt: skip
    doses = {}
    if given.rmt is not None and chosen.intensity is not None:
        anchor = plans.get("hand", plans.get("contralesional"))
        assert anchor is not None  # `_anchor` saw to it
        doses = {
            role: dose(chosen, coil, given.rmt, anchor, plans[role], mt_method=given.mt_method) for role in targets
        }
    made = {role: plans[role] for role in targets}
    return Study(
        chosen, coil, head, lesion_summary(head), given, made.get("contralesional"), made.get("ipsilesional"),
        why, doses, tuple(cautions(chosen, given, made)), tuple(notes(chosen, given)), made.get("bilateral"),
    )  # fmt: skip


def _answers(head: HeadModel, rmt: float | None, lesion_side: str | None, answers: dict[str, Any]) -> Answers:
    unknown = sorted(set(answers) - set(Answers.__dataclass_fields__))
    if unknown:
        known = ", ".join(Answers.__dataclass_fields__)
        raise InputError(f"Input {unknown[0]} of study is not known; it takes {known}.")
    lesion = lesion_summary(head)
    found = lesion.side if lesion is not None and lesion.side in SIDES else None
    if lesion_side and found and lesion_side != found:
        raise InputError(
            f"Input lesion_side is {lesion_side}, but the lesion of this head lies on the {found}; "
            "check the mask's orientation, or leave lesion_side out."
        )
    side = lesion_side or found
    if side is None:
        raise InputError("The lesion's side is not known: the head has no lesion on one side; give lesion_side.")
    return Answers(lesion_side=side, rmt=rmt, **answers)


def _refuse(preset: Preset, answers: Answers) -> None:
    """Refuse what must not or cannot be planned."""
    if answers.contraindications:
        raise InputError(f"Nothing is planned: {', '.join(answers.contraindications)} forbids stimulation.")
    if preset.side == "not dominant" and (answers.fluency is None or answers.dominant_side is None):
        raise InputError(
            f"Preset {preset.name} needs fluency (fluent or non-fluent) and dominant_side (left or right, of language "
            "on fMRI): they decide target and side."
        )
    if preset.side == "asked" and answers.side is None:
        raise InputError(f"Preset {preset.name} leaves the side to the user: give side, left or right.")


def _targets(head: HeadModel, preset: Preset, answers: Answers) -> tuple[dict[str, Target], dict[str, str]]:
    """The target of every role, or why there is none."""
    name = preset.sites[0] if answers.fluency != "fluent" else preset.sites[-1]
    ipsilesional = str(answers.lesion_side)
    targets, why = {}, {}
    for role, side in (("contralesional", other_side(ipsilesional)), ("ipsilesional", ipsilesional)):
        try:
            targets[role] = directed(head, Target.named(head, name, side))
        except InputError as error:
            if head.mapping is None:
                raise
            why[role] = str(error)
    if preset.at_once and len(targets) == 2:
        first, second = (replace(target, direction=None, either_way=False) for target in targets.values())
        targets["bilateral"] = directed(head, joint(first, second))
    elif preset.at_once:
        why["bilateral"] = "one of the two targets is missing"
    return targets, why


def _anchor(head: HeadModel, preset: Preset, answers: Answers, targets: Mapping[str, Target]) -> dict[str, Target]:
    """The hand area where the motor threshold was measured, the unaffected hemisphere's, if a dose needs it."""
    if answers.rmt is None or preset.intensity is None:
        return {}
    if "contralesional" in targets and targets["contralesional"].name == "m1-hand":
        return {}
    return {"hand": directed(head, Target.named(head, "m1-hand", other_side(str(answers.lesion_side))))}
