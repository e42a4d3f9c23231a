"""Both hemispheres of one patient under one preset: targets, plans, dose, and what has to be said with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError, UnknownNameError
from neuro_field.field.solver import Solver
from neuro_field.head.lesion import LesionSummary, lesion_summary
from neuro_field.head.model import HeadModel
from neuro_field.planning.atlas import SIDES, other_side, site
from neuro_field.planning.candidates import Grid, anatomical_axes
from neuro_field.planning.dose import Dose, dose
from neuro_field.planning.plan import Candidate, Plan, plan, with_numerical_error
from neuro_field.planning.presets import Preset
from neuro_field.planning.presets import preset as preset_of
from neuro_field.planning.target import Target

#: Answers that forbid stimulation: with one of these nothing is planned.
CONTRAINDICATIONS = ("pacemaker", "icd", "cochlear-implant", "intracranial-clip")

#: Below this share of the field along the wanted axis the best placement is told to be doubtful (45 degrees off).
LEAST_ALONG = 0.71


#: Below this share of viable grey matter a target counts as lost, mostly.
LEAST_VIABLE = 0.5

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Answers:
    """What only people know.

    ``lesion_side`` left or right, if no mask says it; ``fluency`` fluent or non-fluent and ``dominant_side`` (of
    language, on fMRI) for aphasia; ``side`` where the preset leaves it to the user; ``rmt`` the resting motor
    threshold of the unaffected hand, % of maximum stimulator output; ``contraindications`` any of
    `CONTRAINDICATIONS`; ``mep_ipsilesional`` present, absent or untested; ``fma_ue`` 0 to 66.
    """

    lesion_side: str | None = None
    fluency: str | None = None
    dominant_side: str | None = None
    side: str | None = None
    rmt: float | None = None
    contraindications: tuple[str, ...] = ()
    mep_ipsilesional: str = "untested"
    fma_ue: float | None = None

    def __post_init__(self) -> None:
        choices: tuple[tuple[str, tuple[str | None, ...]], ...] = (
            ("lesion_side", (None, *SIDES)), ("fluency", (None, "fluent", "non-fluent")),
            ("dominant_side", (None, *SIDES)), ("side", (None, *SIDES)),
            ("mep_ipsilesional", ("present", "absent", "untested")),
        )  # fmt: skip
        for name, allowed in choices:
            if getattr(self, name) not in allowed:
                known = ", ".join(str(value) for value in allowed if value)
                raise InputError(f"Input {name} must be one of {known}; instead received {getattr(self, name)!r}.")
        if self.rmt is not None and not 1 <= self.rmt <= 100:
            raise InputError(f"Input rmt must be 1 to 100 % of maximum output; instead received {self.rmt!r}.")
        if self.fma_ue is not None and not 0 <= self.fma_ue <= 66:
            raise InputError(f"Input fma_ue must be 0 to 66; instead received {self.fma_ue!r}.")
        unknown = [answer for answer in self.contraindications if answer not in CONTRAINDICATIONS]
        if unknown:
            raise InputError(f"Contraindications must be among {', '.join(CONTRAINDICATIONS)}; not {unknown[0]!r}.")


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
    why : mapping of str to str
        For "contralesional" or "ipsilesional", why there is no plan.
    doses : mapping of str to Dose
        For the sides that could be given one.
    warnings : tuple of str
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

    @property
    def own_side(self) -> str:
        """ "contralesional" or "ipsilesional": the side that the preset stimulates (first)."""
        return _own_side(self.preset, self.answers)

    @property
    def best(self) -> Candidate:
        """The best placement on the preset's own side."""
        own = self.contralesional if self.own_side == "contralesional" else self.ipsilesional
        if own is None:
            raise InputError(f"There is no plan on the {self.own_side} side: {self.why[self.own_side]}")
        return own.best

    def side_of(self, role: str) -> str:
        """left or right of "contralesional" or "ipsilesional"."""
        lesion_side = self.answers.lesion_side
        assert lesion_side is not None  # `study` never leaves it open
        return lesion_side if role == "ipsilesional" else other_side(lesion_side)


def plan_of(study: Study | Plan, role: str | None = None) -> tuple[Plan, Dose | None]:
    """The plan of one role, the preset's own when omitted, and its dose if it has one; a Plan is its own."""
    if isinstance(study, Plan):
        if role is not None:
            raise InputError(f"This plan has one side only; leave out role {role!r}.")
        return study, None
    role = role or study.own_side
    if role not in ("contralesional", "ipsilesional"):
        raise UnknownNameError("role", role, ["contralesional", "ipsilesional"])
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
    tolerance: float = 1e-5,
    numerical_error: bool = False,
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
    tolerance : float
        Of the solver.
    numerical_error : bool
        Solve both best placements again in second-order elements and record the differences (`planning.plan.plan`).
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
    """
    chosen = preset_of(preset)
    given = _answers(head, rmt, lesion_side, answers)
    _refuse(chosen, given)
    name = chosen.sites[0] if given.fluency != "fluent" else chosen.sites[-1]
    targets, why = _targets(head, name, given)
    own = _own_side(chosen, given)
    if own not in targets:
        raise InputError(f"Preset {preset} cannot be planned on its own ({own}) side: {why[own]}")
    say = progress or (lambda stage, share: None)
    say("solver set-up", 0.0)
    solver = Solver(head, tolerance=tolerance)
    say("solver set-up", 1.0)
    plans = {
        role: plan(solver, coil, target, grid=grid, progress=partial(_say_of, say, role))
        for role, target in targets.items()
    }
    if numerical_error:
        say("numerical error", 0.0)
        fine = solver.raised()
        for done, (role, made) in enumerate(list(plans.items()), start=1):
            plans[role] = with_numerical_error(made, fine)
            say("numerical error", done / len(plans))
        del fine
    doses = {}
    if given.rmt is not None and chosen.intensity is not None:
        anchor = _anchor(solver, coil, plans, targets, grid, given)
        doses = {role: dose(chosen, coil, given.rmt, anchor, plans[role]) for role in plans}
    return Study(
        chosen, coil, head, lesion_summary(head), given, plans.get("contralesional"), plans.get("ipsilesional"),
        why, doses, tuple(_warnings(chosen, given, targets, plans)),
    )  # fmt: skip


def _say_of(say: Progress, role: str, stage: str, share: float) -> None:
    say(f"{role}: {stage}", share)


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
    if preset.name == "lower-limb-10hz":
        raise NotImplementedError(
            "Preset lower-limb-10hz is not there yet: one coil position for both leg areas at once needs a joint "
            "target."
        )


def _own_side(preset: Preset, answers: Answers) -> str:
    if preset.side in ("contralesional", "ipsilesional"):
        return preset.side
    if preset.side == "both":
        return "contralesional"
    wanted = answers.side if preset.side == "asked" else other_side(str(answers.dominant_side))
    return "ipsilesional" if wanted == answers.lesion_side else "contralesional"


def _targets(head: HeadModel, name: str, answers: Answers) -> tuple[dict[str, Target], dict[str, str]]:
    """The target on either side, or why there is none."""
    ipsilesional = str(answers.lesion_side)
    targets, why = {}, {}
    for role, side in (("contralesional", other_side(ipsilesional)), ("ipsilesional", ipsilesional)):
        try:
            targets[role] = directed(head, Target.named(head, name, side))
        except InputError as error:
            if head.mapping is None:
                raise
            why[role] = str(error)
    return targets, why


def directed(head: HeadModel, target: Target) -> Target:
    """The target with the current axis its site is known to want, in the plane of the scalp above it; else as it is."""
    where = site(target.name)
    if where.current is None or target.side is None:
        return target
    right, anterior, _ = anatomical_axes(head)
    normal = head.scalp.smoothed_normal(target.center)
    midwards = right if target.side == "left" else -right
    forwards, midwards = (axis - (axis @ normal) * normal for axis in (anterior, midwards))
    angle = np.radians(where.current)
    along = np.cos(angle) * forwards / np.linalg.norm(forwards) + np.sin(angle) * midwards / np.linalg.norm(midwards)
    return replace(target, direction=along, either_way=True)


def _anchor(
    solver: Solver, coil: Coil, plans: dict[str, Plan], targets: dict[str, Target], grid: Grid | None, answers: Answers
) -> Plan:
    """The plan for the hand area where the motor threshold was measured: the unaffected hemisphere's."""
    if "contralesional" in plans and targets["contralesional"].name == "m1-hand":
        return plans["contralesional"]
    hand = Target.named(solver.head, "m1-hand", other_side(str(answers.lesion_side)))
    return plan(solver, coil, directed(solver.head, hand), grid=grid)


def _warnings(preset: Preset, answers: Answers, targets: dict[str, Target], plans: dict[str, Plan]) -> list[str]:
    out = []
    for role, target in targets.items():
        if target.viable_share < LEAST_VIABLE:
            out.append(
                f"Only {target.viable_share:.0%} of the grey matter at the {role} target is viable: the coordinate was "
                f"moved {target.moved:.0f} mm to what is left, and no dose is matched there."
            )
    own = _own_side(preset, answers)
    if preset.side == "both":
        out.append("This preset stimulates both sides in turn; both placements below belong to it.")
    if own == "contralesional" and answers.mep_ipsilesional == "absent":
        out.append(
            "Ipsilesional motor evoked potentials are absent: inhibiting the contralesional hemisphere may take away "
            "what carries the remaining function (bimodal balance-recovery model, Di Pino 2014 [src])."
        )
    for role, made in plans.items():
        along = made.best.verified / max(made.best.magnitude, 1e-12)
        if made.target.direction is not None and along < LEAST_ALONG:
            out.append(
                f"At the best {role} placement only {along:.0%} of the field in the target runs along the wanted axis: "
                "folds or the lesion turn it. Compare it with a placement chosen by field strength alone."
            )
        if made.report.largest_difference > 0.01:
            out.append(
                f"Ranked and fully solved fields on the {role} side differ by up to "
                f"{made.report.largest_difference:.1%}; trust the solved values."
            )
        edge = np.linalg.norm(made.best.placement.center - made.centers, axis=1).max()
        spread = np.linalg.norm(made.centers - made.centers.mean(axis=0), axis=1).max()
        if edge > 1.8 * spread:
            out.append(f"The best {role} placement lies at the rim of the search; enlarge the grid's radius.")
    return out
