"""What view.json.gz holds: surfaces, image and fields that a plan's page lets people turn, as packed numbers."""

from typing import Annotated, Literal

from msgspec import Meta

from neuro_field.store.record_words import Name, Pose, Record, Vector, matching

Tag = Annotated[str, matching(r"\d{1,5}")]


class PackedRecord(Record):
    """Whole numbers: little-endian bytes in C order, gzip, base64."""

    type: Literal["Uint8Array", "Uint16Array", "Int16Array", "Int32Array"]
    shape: Annotated[tuple[Annotated[int, Meta(ge=0, le=100_000_000)], ...], Meta(min_length=1, max_length=4)]
    data: Annotated[str, matching(r"[A-Za-z0-9+/]*={0,2}")]


class SurfaceRecord(Record):
    """Points are origin + step x numbers; triangles are told as differences along their list."""

    origin: Vector
    step: float
    points: PackedRecord
    triangles: PackedRecord


class VoxelsRecord(Record):
    """Voxels along the axes of the head frame."""

    origin: Vector
    step: float
    values: PackedRecord


class ImageRecord(VoxelsRecord):
    """What the slices cut through, 8 bits."""

    what: Literal["t1", "tissues"]


class WarpRecord(VoxelsRecord):
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
    current: Vector | None
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
    tissues: VoxelsRecord
    names: dict[Tag, Name]
    plans: tuple[ShownRecord, ...]
