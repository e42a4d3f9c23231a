"""What plan.json holds, entry by entry: the records of version 3, by which it is written, read and checked.

No sentence stands in them: every text is one of a few words, a name without spaces, a date or digest, or a citation that
bears its trust mark.  Lengths are mm in the head frame (world RAS of the T1); head_from_coil has +z into the head and
+y away from the handle; fields are V/m at 1 A/us.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

SCHEMA = "neuro_field/plan"
VERSION = 3


def _text(pattern: str) -> Meta:
    """Texts of a pattern, whole; without the line end that ``$`` would let pass."""
    return Meta(pattern=f"^{pattern}$(?!\\n)")


#: As `findings` has them: a word, a code, a file's or a person-made name; never a sentence.
Name = Annotated[str, _text(r"[A-Za-z0-9_][A-Za-z0-9_.:/+-]{0,79}")]
Code = Annotated[str, _text(r"[a-z0-9]+(-[a-z0-9]+)+")]

#: What is quoted from the literature, with its trust mark.
Citation = Annotated[str, _text(r"[^\n]{0,600}\[(src|lit|calc)[^\n]{0,600}")]

Digest = Annotated[str, _text(r"[0-9a-f]{64}")]
Moment = Annotated[str, _text(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ")]
Version = Annotated[str, _text(r"\d[0-9A-Za-z.+!_-]{0,39}")]
Tag = Annotated[str, _text(r"\d{1,5}")]

Side = Literal["left", "right"]
Role = Literal["contralesional", "ipsilesional", "bilateral", "target"]
Level = Literal["stop", "warn", "note"]
Kind = Literal["rMT", "aMT"]

Number = Annotated[float, Meta()]
Share = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Vector = tuple[float, float, float]
Row = tuple[float, float, float, float]
Pose = tuple[Row, Row, Row, Row]
Numbers = tuple[float, ...]
Counts = tuple[Count, ...]

#: What a finding may carry.
Scalar = bool | int | float | Name | None
Value = bool | int | float | Name | None | tuple[Scalar, ...]


class Record(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Entries of an object, all of them needed and no others."""


class FindingRecord(Record):
    """`findings.Finding`."""

    code: Code
    level: Level
    values: dict[Name, Value]


Findings = tuple[FindingRecord, ...]


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
    source: Citation | Name
    parts: Counts | None
    part_centers: tuple[Vector, ...] | None
    part_names: tuple[Name, ...]
    recipe: "RecipeRecord"


class RecipeRecord(Record):
    """How to aim at the same again in another mesh of the head: a site of a side, or a place, within a radius, mm."""

    kind: Literal["site", "mni", "head", "elements"]
    site: Name | None
    side: Side | None
    place: Vector | None
    radius: Share


class MetricsRecord(Record):
    """`search.metrics.Metrics`."""

    peak: float
    off_target: float | None
    half_volume: float
    homologous: float | None
    rim: float | None
    lesion: float | None
    cortex_distance: float
    avoided: dict[Name, float]


class SensitivityRecord(Record):
    """`search.sensitivity.Sensitivity`."""

    shift: float
    turn: float
    tilt: float
    worst: float
    mean: float


class CandidateRecord(Record):
    """`search.plan.Candidate`; the last three tell its placement once more, in other words."""

    head_from_coil: Pose
    strength: float
    verified: float
    magnitude: float
    angle: float
    lift: Share
    metrics: MetricsRecord
    sensitivity: SensitivityRecord
    filled: float | None
    center_mni: Vector | None
    handle_direction: Vector
    initial_e_direction: Vector | None


class RuleRecord(Record):
    """`search.rules.RuleOfThumb`."""

    rule: FindingRecord
    head_from_coil: Pose
    strength: float


class StabilityRecord(Record):
    """`search.stability.Stability`."""

    draws: Count
    lesion_values: Numbers
    compared: Count
    first: Numbers
    first_by_lesion: tuple[Numbers, ...]
    low: Numbers
    high: Numbers
    by_lesion: Numbers
    regret_mean: float
    regret_p95: float
    magnitude: Numbers
    reduced_error: float


class ReportRecord(Record):
    """`search.plan.PlanReport`."""

    placements: Count
    positions: Count
    refined: Count
    excluded: Count
    modes: Count
    truncation: float
    largest_difference: float
    seconds: dict[Name, float]
    peak_memory: Count


class ErrorRecord(Record):
    """`field.error.NumericalError`."""

    where: Name
    points: Count
    relative_l2: float
    p999: float
    near_l2: float
    near_mean: float
    near: Vector
    radius: float
    near_points: Count
    unknowns: Count
    target: float | None


class SolveRecord(Record):
    """`field.field.SolveReport`."""

    nodes: Count
    iterations: Count
    residual: float
    tolerance: float
    seconds: dict[Name, float]
    peak_memory: Count


class FieldRecord(Record):
    """`report.facts.PlanFacts`: of the best placement's field, V/m at 1 A/us."""

    threshold: float
    hot_spot: Vector
    solve: SolveRecord


class PlanRecord(Record):
    """`search.plan.Plan`."""

    target: TargetRecord
    ranking: Annotated[tuple[CandidateRecord, ...], Meta(min_length=1)]
    strengths: Numbers
    centers: tuple[Vector, ...]
    report: ReportRecord
    rules: tuple[RuleRecord, ...]
    stability: StabilityRecord | None
    numerical_error: ErrorRecord | None
    field: FieldRecord | None


class PresetRecord(Record):
    """`clinic.presets.Preset`: its name, numbers and what it cites; its words are the programme's."""

    name: Name
    sites: tuple[Name, ...]
    side: Literal["contralesional", "ipsilesional", "both", "not-dominant", "asked"]
    coil: Name
    intensity: float | None
    threshold: Kind
    trains: tuple[tuple[float, float | None], ...]
    at_once: bool
    frequency: Citation | None
    pulses: Citation | None
    course: Citation | None
    source: Citation | None
    note: Citation | None


class AnswersRecord(Record):
    """`clinic.answers.Answers`."""

    lesion_side: Side | None
    fluency: Literal["fluent", "non-fluent"] | None
    dominant_side: Side | None
    side: Side | None
    rmt: float | None
    contraindications: tuple[Name, ...]
    mep_ipsilesional: Literal["present", "absent", "untested"]
    fma_ue: float | None
    mt_method: Literal["emg", "twitch"]


class LesionRecord(Record):
    """`head.lesion.LesionSummary`."""

    volume_cm3: Share
    centroid: Vector
    centroid_mni: Vector | None
    side: Literal["left", "right", "both", "midline", "infratentorial"] | None
    tissues_cm3: dict[Name, float]


class DoseRecord(Record):
    """`clinic.dose.Dose`."""

    published: float | None
    matched: float | None
    needed: float | None
    low: float | None
    high: float | None
    begin: float | None
    of_threshold: float | None
    target_field: float | None
    ratio_magnitude: float | None
    ratio_along: float | None
    statistic: Literal["magnitude", "along"]
    stokes_low: float | None
    stokes_high: float | None
    anchor: Literal["pose", "hot-spot", "best-placement"] | None
    at_target: bool
    stimulator: Name | None
    findings: Findings


class CoilRecord(Record):
    """A coil: its card on the shelf by digest, or the file coil.tcd beside plan.json by its own."""

    name: Name
    shelf: Name | None
    card: Digest | None
    file: Digest | None
    source: Name | None
    citation: Citation | None
    didt_max: float | None
    initial_e_direction: Vector


class TissueRecord(Record):
    """`report.facts.TissueFigures`."""

    tag: Count
    name: Name
    cm3: float
    sigma: float
    tensor: bool
    standard: bool


class DigestRecord(Record):
    """SHA-256 of a head: its mesh, the tags and conductivity of its elements, and its map to MNI152."""

    mesh: Digest
    tags: Digest
    conductivity: Digest
    mapping: Digest | None


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
    provenance: dict[Name, bool | float | Name | None]


class PlanFile(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, tag_field="kind", tag="plan"):
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


class StudyFile(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, tag_field="kind", tag="study"):
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
    lesion: LesionRecord | None
    plans: dict[Role, PlanRecord | None]
    why: dict[Role, FindingRecord]
    doses: dict[Role, DoseRecord]
    findings: Findings


class PackedRecord(Record):
    """Whole numbers: little-endian bytes in C order, gzip, base64."""

    type: Literal["Uint8Array", "Uint16Array", "Int16Array", "Int32Array"]
    shape: Annotated[tuple[Annotated[int, Meta(ge=0, le=100_000_000)], ...], Meta(min_length=1, max_length=4)]
    data: Annotated[str, _text(r"[A-Za-z0-9+/]*={0,2}")]


class SurfaceRecord(Record):
    """Points are origin + step x numbers; triangles are told as differences along their list."""

    origin: Vector
    step: float
    points: PackedRecord
    triangles: PackedRecord


class GridRecord(Record):
    """Voxels along the axes of the head frame."""

    origin: Vector
    step: float
    values: PackedRecord


class ImageRecord(GridRecord):
    """What the slices cut through, 8 bits."""

    what: Literal["t1", "tissues"]


class WarpRecord(GridRecord):
    """What a warp adds to its affine part, in units of mm, on a grid of the head frame."""

    unit: float


class MniRecord(Record):
    """The map to MNI152."""

    affine: Pose
    warp: WarpRecord | None


class PackedField(Record):
    """|E|: 0 for none, else value k stands for (k - 1) step V/m at 1 A/us."""

    step: float
    values: PackedRecord


class BallRecord(Record):
    """A part of a target."""

    centre: Vector
    radius: float


class PlacementRecord(Record):
    """A ranked placement."""

    head_from_coil: Pose
    strength: float


class ShownRecord(Record):
    """One plan in the view."""

    name: Literal["plan", "contralesional", "ipsilesional", "bilateral", "target"]
    target: Vector
    balls: tuple[BallRecord, ...]
    strongest: float
    full_output: float | None
    coil: SurfaceRecord | None
    current: Vector
    cortex: PackedField
    slices: PackedField
    placements: tuple[PlacementRecord, ...]


class View(Record):
    """view.json.gz: `report.interactive.view_of`."""

    axes: tuple[Vector, Vector, Vector]
    centre: Vector
    mni: MniRecord | None
    scalp: SurfaceRecord
    cortex: SurfaceRecord
    lesion: SurfaceRecord | None
    image: ImageRecord
    tissues: GridRecord
    names: dict[Tag, Name]
    plans: tuple[ShownRecord, ...]
