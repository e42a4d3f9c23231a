"""A plan: the placements of a coil ranked for one target, and what is known of each."""

from dataclasses import dataclass

from neuro_field.aim.target import Target
from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.coil.symmetry import SYMMETRIES
from neuro_field.errors import InputError
from neuro_field.field.error import NumericalError
from neuro_field.field.field import Field
from neuro_field.findings import Finding
from neuro_field.nouns import noun
from neuro_field.reciprocity.response import Response
from neuro_field.search.candidates import Grid
from neuro_field.search.metrics import Metrics
from neuro_field.search.rules import RuleOfThumb
from neuro_field.search.sensitivity import Sensitivity
from neuro_field.search.stability import Stability
from neuro_field.search.zone import Zone

#: What placements can be ranked by.
OBJECTIVES = ("strength", "ratio", "focality")

#: The statistic of all fields in a target: volume means over elements of the field recovered at their centroids.  Plans
#: of earlier versions hold "element-means", of the raw field of each element.
STATISTIC = "recovered"


@dataclass(frozen=True)
class SearchSettings:
    """What was searched and by what it was ranked; enough to search again.

    Parameters
    ----------
    grid : Grid
    objective : {"strength", "ratio", "focality"}
        strength: what the target measures; ratio: the same over the strongest mean |E| of the regions ``over``;
        focality: the reciprocal of the cm3 of cortex with at least half of the target's mean |E|.
    over : tuple of str
        Names of those regions.
    avoided : tuple of str
        Names of regions that no placement may reach, and
    avoid_share : float
        the share of the target's own that the mean |E| in one may have.
    symmetry : {"continuous", "two-fold", "none"}
        Of the coil: whether handles were searched all the way round.
    statistic : str
        How fields are summed up in target and regions: "recovered", or "element-means" in plans of earlier versions.
    """

    grid: Grid
    objective: str = "strength"
    over: tuple[str, ...] = ()
    avoided: tuple[str, ...] = ()
    avoid_share: float = 1.0
    symmetry: str = "none"
    statistic: str = STATISTIC

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise InputError(
                f"Input objective of SearchSettings must be one of {', '.join(OBJECTIVES)}; instead received "
                f"{self.objective!r:.60}."
            )
        if self.symmetry not in SYMMETRIES:
            raise InputError(
                f"Input symmetry of SearchSettings must be one of {', '.join(SYMMETRIES)}; instead received "
                f"{self.symmetry!r:.60}."
            )


@noun
class Candidate:
    """One ranked placement.

    Parameters
    ----------
    placement : Placement
    strength : float
        V/m in the target at 1 A/us, as ranked (by reciprocity).
    verified : float
        The same by a full forward solve.
    magnitude : float
        Mean |E| over the target by that solve, V/m, whatever the target's direction.
    angle : float
        Of the handle, degrees from straight back, clockwise seen from outside (to the left over the vertex).
    lift : float
        mm by which it stands farther off than the gap, so that the casing clears the scalp.
    metrics : Metrics
        What the solved field does elsewhere.
    sensitivity : Sensitivity
        To misplacement.
    filled : float, optional
        As `verified`, in the same head with the lesion filled by the tissue around it; None for a head without a
        lesion, or where it was not asked for.
    ratio : float, optional
        The target's over the strongest of the regions that a ratio was asked for; None for a plan by strength.
    """

    placement: Placement
    strength: float
    verified: float
    magnitude: float
    angle: float
    lift: float
    metrics: Metrics
    sensitivity: Sensitivity
    filled: float | None = None
    ratio: float | None = None


@dataclass(frozen=True)
class PlanReport:
    """How a plan was computed.

    ``placements`` were ranked, at ``positions`` scalp positions, and ``refined`` more around the best of them; the
    field in the target was reduced to ``modes`` vectors, the first left out being ``truncation`` of the largest;
    ranked and solved values of the best placements differ by at most ``largest_difference`` (relative); ``excluded``
    placements were not ranked: they reached a region to avoid, or the target too weakly for a ratio or a focality, or
    lie beyond what a live field knows; seconds by stage; peak memory in bytes.
    """

    placements: int
    positions: int
    refined: int
    excluded: int
    modes: int
    truncation: float
    largest_difference: float
    seconds: dict[str, float]
    peak_memory: int


@noun
class Plan:
    """The tops of what a coil can do to one target, ranked, and how far around the best one may stray.

    Parameters
    ----------
    target : Target
    coil : Coil
    ranking : tuple of Candidate
        Those that no small step of place or handle betters, best first, more than 10 mm or 30 degrees apart; often one.
    strengths : (p,) array
        V/m at 1 A/us of every placement ranked, and
    centers : (p, 3) array
        where each stood, mm, head frame.
    field : Field, optional
        Of the best placement at 1 A/us; None for a plan read from files.
    report : PlanReport
    rules : tuple of RuleOfThumb
        What the same target measures where the rules of thumb would put the coil.
    response : Response, optional
        The map from poses of the (simplified) coil to the field in the target; None for a plan read from files.
    followed : (m, 4, 4) array, optional
        The ranked placements and the next best of all, as `search.stability` follows them; None likewise.
    stability : Stability, optional
        When it was asked for.
    numerical_error : NumericalError, optional
        Of the best placement's field, when it was asked for (`with_numerical_error`).
    zone : Zone, optional
        Where the best placement keeps at least 95 % of what it is ranked by.
    findings : tuple of Finding
        What has to be said of the search, worst first.
    search : SearchSettings, optional
        None for a plan of a version that did not record it.
    tape : tuple of Finding
        How the best placement is found on the head with a tape, step by step, and how sure that is; of a study's plans.

    Examples
    --------
    >>> import neuro_field as nf
    >>> from neuro_field.search.candidates import Grid
    >>> head = nf.sphere_head((70, 80, 90), edge=9.0)
    >>> target = nf.Target.ball(head, center=(40, 0, 50), radius=8.0)
    >>> coarse = Grid(radius=10, spacing=10, angle_step=90)
    >>> made = nf.plan(nf.Solver(head), nf.load_coil("figure8-70mm"), target, grid=coarse)
    >>> made.best is made.ranking[0]
    True
    >>> strengths = [candidate.strength for candidate in made.ranking]  # V/m in the target at 1 A/us
    >>> strengths == sorted(strengths, reverse=True)
    True
    """

    target: Target
    coil: Coil | None
    ranking: tuple[Candidate, ...]
    strengths: FloatArray
    centers: FloatArray
    field: Field | None
    report: PlanReport
    rules: tuple[RuleOfThumb, ...] = ()
    response: Response | None = None
    followed: FloatArray | None = None
    stability: Stability | None = None
    numerical_error: NumericalError | None = None
    zone: Zone | None = None
    findings: tuple[Finding, ...] = ()
    search: SearchSettings | None = None
    tape: tuple[Finding, ...] = ()

    @property
    def best(self) -> Candidate:
        """The first of the ranking."""
        return self.ranking[0]

    @property
    def handle_free(self) -> bool:
        """Whether every handle is the same: the coil was of continuous symmetry, so its turn is no result."""
        return self.search is not None and self.search.symmetry == "continuous"
