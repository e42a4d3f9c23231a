"""What plan.json holds, entry by entry: the records of version 3, by which it is written, read and checked.

Lengths are mm in the head frame (world RAS of the T1); head_from_coil has +z into the head
and +y away from the handle; fields are V/m at 1 A/us.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from neuro_field.store.record_words import (
    Citation,
    Count,
    Counts,
    Digest,
    FindingRecord,
    Findings,
    Kind,
    MeshDigest,
    Method,
    Moment,
    Name,
    Number,
    Numbers,
    Person,
    Pose,
    Record,
    Share,
    Side,
    Source,
    Symmetry,
    Vector,
    Version,
)

SCHEMA = "neuro_field/plan"
VERSION = 3


class RecipeRecord(Record):
    """How to aim at the same again in another mesh of the head: at a site of a side, or a place, within a radius, mm.

    "elements": at these elements of this mesh only, such as those of a mask, or of several areas.
    """

    kind: Literal["site", "mni", "head", "elements"]
    site: Name | None
    side: Side | None
    place: Vector | None
    radius: Share


class TargetRecord(Record):
    """`aim.target.Target`."""

    name: Name
    center: Vector
    radius: Share
    elements: Annotated[Counts, Meta(min_length=1)]
    weights: Annotated[Numbers, Meta(min_length=1)]
    direction: Vector | None
    either_way: bool
    side: Side | None
    seed: Vector | None
    seed_mni: Vector | None
    moved: Share
    viable_share: Share
    source: Source
    parts: Counts | None
    part_centers: tuple[Vector, ...] | None
    part_names: tuple[Name, ...]
    findings: Findings
    mesh: MeshDigest
    axis_source: Literal["sulcus", "site", "given"] | None
    axis_offset: Number | None
    recipe: RecipeRecord


class MetricsRecord(Record):
    """`search.metrics.Metrics`."""

    peak: Number
    off_target: Number | None
    half_volume: Number
    homologous: Number | None
    rim: Number | None
    lesion: Number | None
    cortex_distance: Number
    off_target_distance: Number | None
    avoided: dict[Name, Number]


class SensitivityRecord(Record):
    """`search.sensitivity.Sensitivity`."""

    shift: Number
    turn: Number
    tilt: Number
    worst: Number
    mean: Number


class CandidateRecord(Record):
    """`search.plan.Candidate`; the last three tell its placement once more, in other words."""

    head_from_coil: Pose
    strength: Number
    verified: Number
    magnitude: Number
    angle: Number
    lift: Share
    metrics: MetricsRecord
    sensitivity: SensitivityRecord
    filled: Number | None
    ratio: Number | None
    center_mni: Vector | None
    handle_direction: Vector
    initial_e_direction: Vector | None


class RuleRecord(Record):
    """`search.rules.RuleOfThumb`."""

    rule: FindingRecord
    head_from_coil: Pose
    strength: Number


class StabilityRecord(Record):
    """`search.stability.Stability`."""

    draws: Count
    lesion_values: Numbers
    compared: Count
    first: tuple[Numbers, ...]
    median: tuple[Numbers, ...]
    low: tuple[Numbers, ...]
    high: tuple[Numbers, ...]
    loss_mean: Numbers
    loss_p95: Numbers
    magnitude: Numbers
    reduced_error: Number


class ReportRecord(Record):
    """`search.plan.PlanReport`."""

    placements: Count
    positions: Count
    refined: Count
    excluded: Count
    modes: Count
    truncation: Number
    largest_difference: Number
    seconds: dict[Name, Number]
    peak_memory: Count


class ErrorRecord(Record):
    """`field.error.NumericalError`."""

    where: Name
    points: Count
    relative_l2: Number | None
    p999: Number | None
    near_l2: Number
    near_mean: Number
    near: Vector
    radius: Number
    near_points: Count
    unknowns: Count
    target: Number | None
    how: Literal["refined", "second-order"] = "second-order"


class SolveRecord(Record):
    """`field.field.SolveReport`."""

    nodes: Count
    iterations: Count
    residual: Number
    tolerance: Number
    seconds: dict[Name, Number]
    peak_memory: Count


class FieldRecord(Record):
    """`report.facts.PlanFacts`: of the best placement's field, V/m at 1 A/us."""

    threshold: Number
    hot_spot: Vector
    solve: SolveRecord


class GridRecord(Record):
    """`search.candidates.Grid`."""

    radius: Number | None
    spacing: Number
    angle_step: Number
    gap: Number
    gaps: Numbers
    tilts: tuple[tuple[Number, Number], ...]


class SearchRecord(Record):
    """`search.plan.SearchSettings`."""

    grid: GridRecord
    objective: Literal["strength", "ratio", "focality"]
    over: tuple[Name, ...]
    avoided: tuple[Name, ...]
    avoid_share: Number
    symmetry: Symmetry
    statistic: Literal["element-means", "recovered"]


class ZoneRecord(Record):
    """`search.zone.Zone`."""

    poses: tuple[Pose, ...]
    strengths: Numbers
    kept: Number
    share: Number
    area_cm2: Number
    handle_low: Number | None
    handle_high: Number | None
    closed: bool
    beyond: tuple[Pose, ...]
    beyond_strengths: Numbers
    cells: tuple[tuple[int, int, int], ...]
    heights: Numbers
    spacing: Number
    angle_step: Number
    period: Number | None


class PlanRecord(Record):
    """`search.plan.Plan`; ``field`` is what is told of the best placement's."""

    target: TargetRecord
    ranking: Annotated[tuple[CandidateRecord, ...], Meta(min_length=1)]
    strengths: Numbers
    centers: tuple[Vector, ...]
    report: ReportRecord
    rules: tuple[RuleRecord, ...]
    stability: StabilityRecord | None
    numerical_error: ErrorRecord | None
    zone: ZoneRecord | None
    findings: Findings
    search: SearchRecord | None
    field: FieldRecord | None
    tape: Findings = ()


class PresetRecord(Record):
    """`clinic.presets.Preset`: its name, numbers and what it cites; its words are the programme's."""

    name: Name
    sites: tuple[Name, ...]
    side: Literal["contralesional", "ipsilesional", "both", "not-dominant", "asked", "given"]
    coil: Name
    intensity: Number | None
    threshold: Kind
    trains: tuple[tuple[Number, Number | None], ...]
    at_once: bool
    pattern: Literal["regular", "intermittent-theta-burst", "continuous-theta-burst"]
    frequency: Citation | None
    pulses: Citation | None
    course: Citation | None
    source: Citation | None
    note: Citation | None


class AnswersRecord(Record):
    """`clinic.answers.Answers`."""

    lesion_side: Side | None
    paretic_hand: Side | None
    side: Side | None
    fluency: Literal["fluent", "non-fluent"] | None
    dominant_side: Side | None
    mep: Literal["present", "absent", "untested"]
    fma_ue: Number | None
    rmt: Number | None
    mt_method: Method
    contraindications: tuple[Name, ...]
    confirmed: tuple[Name, ...]
    frequency: Number | None
    pulses: Number | None
    intensity: Number | None
    train_seconds: Number | None


class ThresholdRecord(Record):
    """`clinic.threshold.Threshold`: hand and foot are sides of the body."""

    percent: Number
    kind: Kind
    hand: Side | None
    foot: Side | None
    muscle: Name | None
    method: Method
    coil: Name | None
    stimulator: Name | None
    pose: Pose | None


class LesionRecord(Record):
    """`head.lesion.LesionSummary`."""

    volume_cm3: Share
    centroid: Vector
    centroid_mni: Vector | None
    side: Literal["left", "right", "both", "midline", "infratentorial"] | None
    tissues_cm3: dict[Name, Number]
    left_cm3: Number | None
    right_cm3: Number | None
    infratentorial_cm3: Number | None


class DoseRecord(Record):
    """`clinic.dose.Dose`."""

    published: Number | None
    matched: Number | None
    needed: Number | None
    low: Number | None
    high: Number | None
    begin: Number | None
    of_threshold: Number | None
    target_field: Number | None
    ratio_magnitude: Number | None
    ratio_along: Number | None
    statistic: Literal["magnitude", "along"]
    stokes_low: Number | None
    stokes_high: Number | None
    anchor: Literal["pose", "hot-spot", "best-placement"] | None
    at_target: bool
    stimulator: Name | None
    findings: Findings


class PlansRecord(Record):
    """The plans of a study, by role."""

    contralesional: PlanRecord | None
    ipsilesional: PlanRecord | None
    bilateral: PlanRecord | None
    target: PlanRecord | None


class WhyRecord(Record):
    """Why a role that should have a plan has none."""

    contralesional: FindingRecord | None
    ipsilesional: FindingRecord | None
    bilateral: FindingRecord | None
    target: FindingRecord | None


class DosesRecord(Record):
    """The doses of a study, by role."""

    contralesional: DoseRecord | None
    ipsilesional: DoseRecord | None
    bilateral: DoseRecord | None
    target: DoseRecord | None


class CoilRecord(Record):
    """A coil: its card on the shelf by digest, or the file coil.tcd beside plan.json by its own."""

    name: Name
    shelf: Name | None
    card: Digest | None
    file: Digest | None
    source: Name | None
    citation: Citation | None
    didt_max: Number | None
    declared_symmetry: Symmetry | None
    initial_e_direction: Vector


class TissueRecord(Record):
    """`report.facts.TissueFigures`."""

    tag: Count
    name: Name
    cm3: Number
    sigma: Number
    tensor: bool
    standard: bool


class DigestRecord(Record):
    """SHA-256 of a head: its mesh, the tags and conductivity of its elements, and its map to MNI152."""

    mesh: Digest
    tags: Digest
    conductivity: Digest
    mapping: Digest | None


class RefinementRecord(Record):
    """`head.refinement.Refinement`."""

    near: Annotated[tuple[Vector, ...], Meta(min_length=1)]
    radius: Annotated[float, Meta(ge=2, le=60)]
    levels: Literal[1, 2, 3]
    mesh: Digest


class SignOffRecord(Record):
    """`head.sign_off.SignOff`."""

    name: Person
    when: Moment
    head: Digest


class HeadRecord(Record):
    """`report.facts.HeadFacts`, but for surfaces and warp, which stand in view.json.gz."""

    name: Name
    nodes: Count
    tetrahedra: Count
    digest: DigestRecord
    axes: tuple[Vector, Vector, Vector]
    landmarks: dict[Name, Vector]
    mapping: Name | None
    mni_from_head: Pose | None
    tissues: tuple[TissueRecord, ...]
    provenance: dict[Name, bool | Number | Name | None]
    refinement: RefinementRecord | None = None
    signed_off: SignOffRecord | None = None


class PlanFile(Struct, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="plan"):
    """plan.json of a plan for one target."""

    schema: Literal["neuro_field/plan"]
    version: Literal[3]
    written: Moment
    computed_by: dict[Name, Version]
    status: Literal["research-software-not-a-medical-device"]
    subject: Name
    coil: CoilRecord | None
    head: HeadRecord | None
    remarks: Findings
    plan: PlanRecord


class StudyFile(Struct, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="study"):
    """plan.json of a study of one patient."""

    schema: Literal["neuro_field/plan"]
    version: Literal[3]
    written: Moment
    computed_by: dict[Name, Version]
    status: Literal["research-software-not-a-medical-device"]
    subject: Name
    coil: CoilRecord | None
    head: HeadRecord | None
    remarks: Findings
    preset: PresetRecord
    answers: AnswersRecord
    affected: Side | None
    thresholds: tuple[ThresholdRecord, ...]
    lesion: LesionRecord | None
    plans: PlansRecord
    why: WhyRecord
    doses: DosesRecord
    findings: Findings
