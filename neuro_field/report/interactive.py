"""What the report's own view shows in a browser: surfaces, placements, fields and images, packed into text.

Everything is told in the head frame, mm; drawing is for ``scripts/*.js``.
"""

import base64
import gzip
import io
import json
import math
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, FloatArray, transformed
from neuro_field.errors import FileFormatError
from neuro_field.field.field import Field
from neuro_field.geometry.locate import locate
from neuro_field.geometry.mesh import Surface
from neuro_field.head.face import Face
from neuro_field.head.mapping import AffineMapping, MniMapping
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import BY_TAG, tags_of
from neuro_field.mri.faceless import faceless
from neuro_field.mri.volume import Volume
from neuro_field.report.facts import GreyField, HeadFacts
from neuro_field.report.scene import COLOURS, FIELD_MAP, node_values, target_balls
from neuro_field.report.words import named, phrases
from neuro_field.search.plan import Plan
from neuro_field.units import AMPERE_PER_MICROSECOND

#: Of the grids that carry tissues and fields, and of the one that carries the image, mm.
STEP, IMAGE_STEP = 1.5, 1.0

#: Of the grid that carries what a warp to MNI152 adds to its affine part, and the unit it is told in, mm.
WARP_STEP, WARP_UNIT = 5.0, 0.01

#: Numbers that unpack to more are not read, bytes.
LARGEST = 256_000_000

#: Of packed numbers.
_TYPES: dict[str, np.dtype[Any]] = {
    "Uint8Array": np.dtype("<u1"),
    "Uint16Array": np.dtype("<u2"),
    "Int16Array": np.dtype("<i2"),
    "Int32Array": np.dtype("<i4"),
}

#: Around the head on the slices, mm.
MARGIN = 3.0

#: Where the slices show a field.
FIELD_TISSUES = (*tags_of("brain"), *tags_of("lesion"))

#: Brightness of tissues on slices that are not cut through an image; others 90.
GREYS = {"white_matter": 225, "grey_matter": 165, "csf": 45, "bone": 20, "compact_bone": 20, "scalp": 115}

#: Where the scripts lie.
SCRIPTS = Path(__file__).parent / "scripts"

#: What keys of the words that the scripts show begin with.
_SAID = "script."

#: The order in which the scripts are read: the library, then ours.
_SCRIPTS = ("three.min.js", "unpack.js", "space.js", "planes.js", "start.js")


def view_of(head: HeadModel, plans: Mapping[str, Plan], t1: Volume | None = None) -> dict[str, Any]:
    """What the view shows, as plain values: packed numbers and names, neither colours nor words.

    Parameters
    ----------
    head : HeadModel
    plans : mapping of str to Plan
        By the name of its part of the page; each with its field.
    t1 : Volume, optional
        What the slices cut through; without one, the tissues of the mesh.
    """
    facts = HeadFacts.of(head, landmarks=False)
    surface, nodes = cortex_surface(head)
    low, high = head.scalp.points.min(axis=0) - MARGIN, head.scalp.points.max(axis=0) + MARGIN
    points, shape = _grid(low, high, STEP)
    elements = locate(head.mesh, points)[0]
    tags = np.where(elements >= 0, head.mesh.tags[elements], 0).astype(np.uint8)
    shown_in = np.where(np.isin(tags, FIELD_TISSUES), elements, -1)
    lesion = head.region("lesion")
    return {
        "axes": facts.axes.tolist(),
        "centre": surface.points.mean(axis=0).tolist(),
        "mni": _mni(head.mapping, low, high) if head.mapping is not None else None,
        "scalp": packed_surface(head.scalp),
        "cortex": packed_surface(surface),
        "lesion": packed_surface(head.mesh.boundary(lesion)) if lesion.any() else None,
        "image": _image(t1, tags.reshape(shape), low, high),
        "tissues": {"origin": low.tolist(), "step": STEP, "values": packed(tags.reshape(shape))},
        "names": {str(tag): BY_TAG[tag].name for tag in np.unique(tags[tags > 0]).tolist() if tag in BY_TAG},
        "plans": [_plan(name, plan, nodes, shown_in.reshape(shape)) for name, plan in plans.items()],
    }  # fmt: skip


def without_face(view: Mapping[str, Any], face: Face) -> dict[str, Any]:
    """A view without a face: of its scalp, its image and its tissues."""
    record = view["tissues"]
    tissues = Volume(unpacked(record["values"]), _grid_affine(np.array(record["origin"]), record["step"]))
    kept = faceless(tissues, face, tissues)
    image = view["image"]
    grey = Volume(unpacked(image["values"]), _grid_affine(np.array(image["origin"]), image["step"]))
    return {
        **view,
        "scalp": packed_surface(face.trimmed(unpacked_surface(view["scalp"]))),
        "tissues": {**record, "values": packed(kept.values)},
        "image": {**image, "values": packed(faceless(grey, face, tissues).values)},
    }


def interactive_page(view: Mapping[str, Any], titles: Mapping[str, str], language: str = "en") -> str:
    """All that the scripts need, as JSON.

    Parameters
    ----------
    view : mapping
        As `view_of` made it.
    titles : mapping of str to str
        Of its plans, by name, the one shown first in front.
    language : str
        Of the words that the scripts show.

    Returns
    -------
    str
        Safe inside a script element: it holds no "<".
    """
    plans = {plan["name"]: plan for plan in view["plans"]}
    strongest = max((plan["strongest"] for plan in view["plans"]), default=1.0)  # one scale for both sides
    shown = {
        **view,
        "colours": field_colours(),
        "inks": COLOURS,
        "lesion_tags": list(tags_of("lesion")),
        "words": script_words(language),
        "names": {tag: named(name, language) for tag, name in view["names"].items()},
        "plans": [
            plans[name] | {"title": title, "strongest": strongest} for name, title in titles.items() if name in plans
        ],
    }
    return json.dumps(shown, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def script_words(language: str) -> dict[str, Any]:
    """The words that the scripts show, by key."""
    return {key.removeprefix(_SAID): text for key, text in phrases(language).items() if key.startswith(_SAID)}


@cache
def scripts() -> str:
    """The library and our own scripts, in one piece."""
    return "\n".join((SCRIPTS / name).read_text(encoding="utf-8") for name in _SCRIPTS)


def packed(values: AnyArray) -> dict[str, Any]:
    """An array of whole numbers as text: its type, shape and little-endian bytes in C order, gzip in base64."""
    data = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    name = f"{'Uint' if data.dtype.kind == 'u' else 'Int'}{8 * data.dtype.itemsize}Array"
    raw = gzip.compress(data.tobytes(), 6, mtime=0)
    return {"type": name, "shape": list(data.shape), "data": base64.b64encode(raw).decode("ascii")}


def packed_surface(surface: Surface) -> dict[str, Any]:
    """Points in steps of a 65535th of the extent, and triangles as differences along their list."""
    low = surface.points.min(axis=0)
    step = max(float(np.ptp(surface.points, axis=0).max()), 1e-6) / 65535
    places = np.round((surface.points - low) / step).astype(np.uint16)
    triangles = np.diff(surface.triangles.ravel(), prepend=np.int32(0))
    return {"origin": low.tolist(), "step": step, "points": packed(places), "triangles": packed(triangles)}


def _packed_field(values: FloatArray, where: AnyArray) -> dict[str, Any]:
    """V/m in steps of a 65534th of the largest; 0 where there is none."""
    largest = max(float(values[where].max(initial=0.0)), 1e-12)
    steps = np.zeros(values.shape, dtype=np.uint16)
    steps[where] = 1 + np.round(values[where] / largest * 65534).astype(np.uint16)
    return {"step": largest / 65534, "values": packed(steps)}


def unpacked(record: Mapping[str, Any]) -> AnyArray:
    """The array that `packed` packed.

    Raises
    ------
    FileFormatError
        If it is not as long as its shape; no more than that is unpacked.
    """
    kind = _TYPES[record["type"]]
    size = math.prod(record["shape"]) * kind.itemsize
    if size > LARGEST:
        raise FileFormatError(f"packed numbers of {size / 1e6:.0f} MB are not read; at most {LARGEST / 1e6:.0f} MB are")
    try:
        raw = gzip.GzipFile(fileobj=io.BytesIO(base64.b64decode(record["data"], validate=True))).read(size + 1)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"packed numbers are damaged: {str(error)[:80]}") from None
    if len(raw) != size:
        raise FileFormatError(f"packed numbers hold {len(raw)} bytes or more where their shape needs {size}")
    return np.frombuffer(raw, dtype=kind).reshape(record["shape"])


def unpacked_surface(record: Mapping[str, Any]) -> Surface:
    """The surface that was packed, its points to a 65535th of its extent."""
    points = np.array(record["origin"]) + record["step"] * unpacked(record["points"]).reshape(-1, 3).astype(np.float64)
    triangles = np.cumsum(unpacked(record["triangles"]).ravel(), dtype=np.int64).reshape(-1, 3)
    return Surface(points, triangles.astype(np.int32))


def _mni(mapping: MniMapping, low: FloatArray, high: FloatArray) -> dict[str, Any]:
    """The map to MNI152: affine, and of a warp what it adds to that, on a grid of the head frame."""
    affine = mapping.mni_from_head
    if isinstance(mapping, AffineMapping):
        return {"affine": affine.tolist(), "warp": None}
    points, shape = _grid(low, high, WARP_STEP)
    added = np.round((mapping.to_mni(points) - transformed(points, affine)) / WARP_UNIT)
    whole = np.clip(added, -32767, 32767).astype(np.int16).reshape(*shape, 3)
    return {
        "affine": affine.tolist(),
        "warp": {"origin": low.tolist(), "step": WARP_STEP, "unit": WARP_UNIT, "values": packed(whole)},
    }


def mni_map(record: Mapping[str, Any]) -> Callable[[FloatArray], FloatArray]:
    """The map to MNI152 of a view, (m, 3) to (m, 3) mm: what the slices of the page show, in Python."""
    affine, warp = np.array(record["affine"], dtype=np.float64), record["warp"]
    added = None if warp is None else np.moveaxis(unpacked(warp["values"]).astype(np.float64), 3, 0)

    def to_mni(points: FloatArray) -> FloatArray:
        out: FloatArray = transformed(points, affine)
        if warp is None or added is None:
            return out
        places = ((points - np.array(warp["origin"])) / warp["step"]).T
        more = [ndimage.map_coordinates(component, places, order=1, mode="nearest") for component in added]
        return out + warp["unit"] * np.stack(more, axis=1)

    return to_mni


def cortex_surface(head: HeadModel) -> tuple[Surface, AnyArray]:
    """The brain's outer surface, open towards the lesion, and the mesh node of each vertex."""
    brain = head.region("brain")
    surface = head.mesh.boundary(brain).largest_piece()
    nodes = np.unique(head.mesh.tets[brain])
    return surface, nodes[cKDTree(head.mesh.nodes[nodes]).query(surface.points)[1]]


def _grid_affine(low: FloatArray, step: float) -> FloatArray:
    """(4, 4) voxel index of a `_grid` to mm of the head frame."""
    out = np.diag([step, step, step, 1.0])
    out[:3, 3] = low
    return out


def _grid(low: FloatArray, high: FloatArray, step: float) -> tuple[FloatArray, tuple[int, int, int]]:
    """Points (m, 3) from ``low`` to beyond ``high`` along the axes of the head frame, and how many along each."""
    axes = [np.arange(a, b + step, step) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return points, (len(axes[0]), len(axes[1]), len(axes[2]))


def _image(t1: Volume | None, tags: AnyArray, low: FloatArray, high: FloatArray) -> dict[str, Any]:
    """What the slices cut through, 8 bits, along the axes of the head frame."""
    if t1 is None:
        table = np.full(256, 90, dtype=np.uint8)
        table[0] = 0
        for tag, tissue in BY_TAG.items():
            table[tag] = GREYS.get(tissue.name, 90)
        return {"what": "tissues", "origin": low.tolist(), "step": STEP, "values": packed(table[tags])}
    low = np.floor(low)  # the voxels of most images of 1 mm
    shape = np.ceil((high - low) / IMAGE_STEP).astype(int) + 1
    voxel_from_head = np.asarray(np.linalg.inv(t1.affine), dtype=np.float64)
    values = ndimage.affine_transform(
        t1.values.astype(np.float32), voxel_from_head[:3, :3] * IMAGE_STEP,
        offset=voxel_from_head[:3, :3] @ low + voxel_from_head[:3, 3], output_shape=tuple(shape), order=1,
    )  # fmt: skip
    brightest = max(float(np.percentile(values[values > 0], 99.5)) if (values > 0).any() else 1.0, 1e-12)
    grey = np.clip(np.round(values / brightest * 255), 0, 255).astype(np.uint8)
    return {"what": "t1", "origin": low.tolist(), "step": IMAGE_STEP, "values": packed(grey)}


def field_colours() -> list[list[int]]:
    """The field's colour map, weak to strong: 256 rows of red, green and blue, 0 to 255."""
    import matplotlib

    shades = matplotlib.colormaps[FIELD_MAP](np.linspace(0, 1, 256))[:, :3]
    return np.round(shades * 255).astype(int).tolist()


def colour_ramp() -> str:
    """The same as stops of a gradient."""
    return ", ".join("#{:02x}{:02x}{:02x}".format(*colour) for colour in field_colours()[::15])


def _plan(name: str, plan: Plan, nodes: AnyArray, elements: AnyArray) -> dict[str, Any]:
    """One hemisphere: its target, ranked placements, coil, and the field of the best placement.

    ``nodes`` (m,) of the cortex; ``elements`` (i, j, k) at the voxels of the slices, -1 where no field is shown.
    """
    field, coil = plan.field, plan.coil
    assert field is not None  # checked by who asks
    grey, balls = GreyField.of(field), target_balls(field.head, plan.target)
    on_nodes = node_values(field.head, grey)[nodes]
    inside = elements >= 0
    in_slices = np.zeros(elements.shape)
    in_slices[inside] = np.linalg.norm(field.in_elements(elements[inside]), axis=1)
    return {
        "name": name,
        "target": plan.target.center.tolist(),
        "balls": [{"centre": centre.tolist(), "radius": radius} for centre, radius in balls],
        "strongest": grey.threshold,
        "full_output": coil.didt_max / AMPERE_PER_MICROSECOND if coil is not None and coil.didt_max else None,
        "coil": _coil(field),
        "current": None if field.coil.symmetry == "continuous" else field.coil.initial_e_direction.tolist(),
        "cortex": _packed_field(on_nodes, on_nodes > 0),
        "slices": _packed_field(in_slices, inside),
        "placements": [
            {"head_from_coil": candidate.placement.head_from_coil.tolist(), "strength": candidate.verified}
            for candidate in plan.ranking
        ],
    }


def _coil(field: Field) -> dict[str, Any] | None:
    """The casing in the coil frame."""
    return None if field.coil.casing is None else packed_surface(field.coil.casing)
