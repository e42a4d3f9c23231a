"""Good files of every reader, small, made by our own writers and from phantoms; and what must hold of what is read."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import diffusion
import msgspec
import nibabel as nib
import numpy as np
from dicoms import FLAIR, MPRAGE, write_enhanced, write_series
from msh_dialects import DIALECTS
from phantoms import phantom_labels
from scipy.spatial.transform import Rotation

from neuro_field.arrays import as_rigid
from neuro_field.clinic.study import Study
from neuro_field.clinic.typed_threshold import threshold_of
from neuro_field.coil.coil import Coil
from neuro_field.coil.marker import Marker
from neuro_field.coil.placement import Placement
from neuro_field.coil.sources import Dipoles, Grid
from neuro_field.coil.stimulator import Stimulator, Waveform
from neuro_field.commands.targets import target_form
from neuro_field.errors import InputError
from neuro_field.field.solver import Solver
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import Surface
from neuro_field.head.mapping import AffineMapping, WarpedMapping
from neuro_field.head.model import HeadModel
from neuro_field.head.sphere import sphere_head
from neuro_field.hotspot.curves import Curve
from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.hotspot.pulses import Pulses
from neuro_field.io.diffusion_series import fit_tensors
from neuro_field.io.images import Image, read_image, read_labels, read_vectors, write_image
from neuro_field.io.masks import read_mask
from neuro_field.io.msh import read_msh, write_msh
from neuro_field.io.stl import read_stl, stl_bytes
from neuro_field.io.tensor_images import read_tensors
from neuro_field.live.building import live_field
from neuro_field.live.live_field import LiveField
from neuro_field.mri.drawn_lesion import DrawnLesion
from neuro_field.mri.tensor_image import TensorImage
from neuro_field.navigation.brainsight import brainsight_text
from neuro_field.navigation.fiducials import read_fiducials
from neuro_field.navigation.files import WRITERS, Export, read_navigator
from neuro_field.navigation.frames import ImageFrames
from neuro_field.navigation.localite import localite_text
from neuro_field.navigation.pulse_files import read_pulses
from neuro_field.report.interactive import view_of
from neuro_field.report.page import study_page
from neuro_field.report.words import said
from neuro_field.segment.dicom import find_series
from neuro_field.segment.series_choice import chosen_series
from neuro_field.shelf.coils import load_coil, read_coil, write_coil
from neuro_field.store.fields import read_field, write_field
from neuro_field.store.heads import read_head, write_head
from neuro_field.store.lives import read_live, write_live
from neuro_field.store.maps import read_map, write_map
from neuro_field.store.plans import VIEW, read_kept, read_plan, write_study

AFFINE = np.array([[-1.9, 0.2, 0, 20], [0.2, 1.9, 0, -9.25], [0, 0, 2.1, 4], [0, 0, 0, 1]])


@dataclass(frozen=True)
class Kind:
    """One kind of file: ``make`` writes good ones into a folder, ``harms`` (globs) are damaged one at a time.

    ``read`` reads the folder, named ``folder`` whatever lies above it; ``hold`` asserts what must hold of what was
    read, and that it comes back the same when it is written into another folder and read again.
    """

    name: str
    make: Callable[[Path], object]
    read: Callable[[Path], Any]
    hold: Callable[[Any, Path], object]
    harms: tuple[str, ...] = ("*",)
    folder: str = "folder"

    def harmed(self, folder: Path) -> list[Path]:
        """The files that may be damaged."""
        return [path for glob in self.harms for path in folder.glob(glob) if path.is_file()]


def one(folder: Path) -> Path:
    """The only file of a folder."""
    (path,) = folder.iterdir()
    return path


# ---- images


def _values(kind: str) -> Any:
    rng = np.random.default_rng(7)
    return (rng.random((6, 5, 4)) * 900).astype(kind) if kind[0] in "iuf" else None


def _nifti(name: str, values: Any, affine: Any = AFFINE) -> Callable[[Path], object]:
    return lambda folder: write_image(folder / name, values, affine)


def _mgz(folder: Path) -> None:
    nib.save(nib.MGHImage(_values("float32"), AFFINE), folder / "a.mgz")


def _tensors(order: str) -> Callable[[Path], object]:
    return lambda folder: diffusion.write_tensors(
        folder / "t.nii.gz", diffusion.random_tensors((4, 4, 4))[0], AFFINE, order
    )


def _series(folder: Path) -> None:
    diffusion.write_series(folder, diffusion.random_tensors((4, 4, 4))[0], AFFINE)


def _read_series(folder: Path) -> Any:
    return fit_tensors(folder / "dwi.nii.gz", folder / "dwi.bval", folder / "dwi.bvec")


def hold_tensors(tensors: TensorImage, again: Path) -> None:
    """Six numbers, or none at all, at a place that can be gone back from; nothing here writes tensors."""
    assert tensors.values.ndim == 4
    assert tensors.values.shape[3] == 6
    assert np.isfinite(np.linalg.inv(tensors.affine)).all()
    known = np.isfinite(tensors.values).all(axis=3)
    assert np.isnan(tensors.values[~known]).all()


def hold_image(image: Image, again: Path) -> None:
    """Finite numbers at a place that can be gone back from; the same when written."""
    assert image.values.ndim in (3, 4)
    assert image.values.dtype.kind in "biuf"
    assert np.isfinite(image.values).all()
    assert np.isfinite(np.linalg.inv(image.affine)).all()
    write_image(again / "a.nii", image.values, image.affine)
    read = read_image if image.values.ndim == 3 else read_vectors
    other = read(again / "a.nii")
    assert np.array_equal(other.values, image.values), "other values"
    close = np.allclose(other.affine, image.affine, rtol=1e-6, atol=1e-4 * np.abs(image.affine).max())
    assert close, f"another affine: {other.affine.tolist()} of {image.affine.tolist()}"


def hold_labels(image: Image, again: Path) -> None:
    """Whole numbers, and an image."""
    assert image.values.dtype == np.uint16
    hold_image(image, again)


def hold_frames(frames: ImageFrames, again: Path) -> None:
    """A head frame with axes that are some."""
    assert np.isfinite(np.linalg.inv(frames.head)).all()
    assert len(frames.shape) == 3
    assert frames.head_world.startswith("NIfTI:")


# ---- lesion masks, with what lies beside them


def _drawn() -> Any:
    """A cavity of 21 in a rim of 22."""
    values = np.zeros((6, 5, 4), np.uint8)
    values[1:5, 1:4, 1:3], values[2:4, 2, 1] = 22, 21
    return values


def _voi(folder: Path) -> None:
    write_image(folder / "lesion.nii.gz", _drawn(), AFFINE)
    (folder / "lesion.nii.gz").rename(folder / "lesion.voi")


def _nrrd(name: str, **more: Any) -> Callable[[Path], object]:
    """As 3D Slicer writes them: LPS, the voxels packed; text or voxels apart where the name says so."""
    import nrrd

    lps = np.diag([-1.0, -1, 1, 1]) @ AFFINE
    header = {"space": "left-posterior-superior", "space directions": lps[:3, :3].T, "space origin": lps[:3, 3]} | more

    def make(folder: Path) -> None:
        values = np.where(_drawn() > 0, _drawn() - 20, 0) if "Segment0_ID" in more else _drawn()
        nrrd.write(str(folder / name), values, header)

    return make


SEGMENTS = {
    f"Segment{number}_{key}": text
    for number, name in enumerate(("cavity", "rim"))
    for key, text in (("ID", name), ("Name", name), ("LabelValue", str(number + 1)), ("Layer", "0"))
}


def _json_beside(folder: Path) -> None:
    write_image(folder / "lesion.nii", np.where(_drawn() > 0, _drawn() - 20, 0).astype(np.uint8), AFFINE)
    (folder / "lesion.json").write_text(json.dumps({"Space": "T1w", "lesion": {"1": "cavity", "2": "rim"}}))


def _table_beside(folder: Path) -> None:
    write_image(folder / "lesion.nii", np.where(_drawn() > 0, _drawn() - 20, 0).astype(np.uint8), AFFINE)
    (folder / "lesion.tsv").write_text("index\tname\n1\tcavity\n2\trim\n")


def _read_drawn(folder: Path) -> Any:
    (path,) = (path for path in folder.iterdir() if path.name.endswith(MASKS))
    return read_mask(path).drawn()


MASKS = (".nii", ".nii.gz", ".voi", ".nrrd", ".nhdr")


def hold_drawn(drawn: DrawnLesion, again: Path) -> None:
    """Something drawn, in kinds that are some, at a place; what is said of it is one line; the same when written."""
    assert set(np.unique(drawn.tags).tolist()) - {0} <= {21, 22, 23}
    assert 0 < drawn.cm3 < np.inf
    for finding in drawn.findings:
        assert said(finding).isprintable(), f"not one plain line: {said(finding)!r:.200}"
    hold_image(Image(drawn.tags, drawn.affine, again), again)
    assert np.array_equal(read_mask(again / "a.nii").drawn().tags, drawn.tags), "another lesion"


# ---- DICOM


def _dicom(folder: Path) -> None:
    """Two series of a scanner: files of a slice each, and one that holds all its frames."""
    values = _values("int16")
    write_series(folder / "S1", values, AFFINE, "t1_mprage", 1, **MPRAGE)
    write_series(folder / "S2", values, AFFINE, "t2_spc_dark-fluid", 2, **FLAIR)
    (folder / "S3").mkdir()
    write_enhanced(folder / "S3" / "IM1", values, AFFINE)


def hold_series(found: Any, again: Path) -> None:
    """Series that can be listed, of which one may be chosen; what is said of them is plain."""
    for series in found.series:
        row = series.row
        assert row.slices >= 0
        assert np.isfinite([*series.spacing, row.lean, *np.ravel(series.corners)]).all(), "no place"
        for text in (series.name, series.description, series.damage() or "", series.obstacle() or ""):
            assert text.isprintable(), f"not one plain line: {text!r:.200}"
    for asked in (None, "1", "t2"):
        with suppress(InputError):  # its message is one line by itself
            chosen_series(found.series, asked)


# ---- coils


WAVE = Waveform("pulse", np.arange(3.0), np.arange(3.0), np.arange(3.0))
SMALL = Coil(
    "small", (Dipoles([[0, 0, -5.0], [1, 2, -3]], np.ones((2, 3))),), 1e8, Surface(90 * np.eye(3), [[0, 1, 2]]),
    (Stimulator("a", "b", 1e8, (WAVE,)),),
)  # fmt: skip
SAMPLED = Coil("sampled", (Grid(np.random.default_rng(0).normal(size=(3, 3, 3, 3)), np.diag([20.0, 20, 20, 1])),))

#: Every kind of element, deformation and model that a .tcd may hold.
TCD = {
    "coilElementList": [
        {"type": 1, "points": [[0, 0, -9.0]], "values": [[0, 0, 1.0]], "stimulator": 0, "deformations": [0]},
        {"type": 2, "points": [[0, 0, 0.0]], "values": [[1, 0, 0.0]], "elementCasing": 0},
        {"type": 3, "data": np.ones((2, 2, 2, 3)).tolist(), "affine": np.diag([50.0, 50, 50, 1]).tolist()},
    ],
    "deformRangeList": [{"initial": 1.0, "range": [0, 9]}],
    "deformList": [{"deformRange": 0, "type": "rot2p", "point1": [0, 0, 0], "point2": [1, 0, 0]}],
    "stimulatorList": [{"name": "a", "maxdIdt": 1e8, "waveformList": [{"time": [0, 1], "signal": [0, 1]}]}],
    "coilModels": [{"points": (50 * np.eye(3)).tolist(), "faces": [[0, 1, 2]]}],
    "coilCasing": 0,
    "limits": [[0, 1], [0, 1], [0, 1]],
    "resolution": [1, 1, 1],
}


def _coil(coil: Coil, name: str) -> Callable[[Path], object]:
    return lambda folder: write_coil(coil, folder / name)


def _tcd(folder: Path) -> None:
    (folder / "a.tcd").write_text(json.dumps(TCD))


def _read_coil(name: str) -> Callable[[Path], Coil]:
    return lambda folder: read_coil(folder / name)


def hold_coil(coil: Coil, again: Path) -> None:
    """A finite field, and the same one when written: all of a coil can be said in a .tcd."""
    field = _field_of(coil)
    assert coil.didt_max is None or 0 < coil.didt_max < np.inf
    told = [coil.name, *map(str, coil.provenance.values())]
    told += [text for device in coil.stimulators for text in (device.name, device.brand)]
    assert all(text.isprintable() for text in told), f"not one plain line: {told!r:.200}"
    write_coil(coil, again / "a.tcd")
    other = read_coil(again / "a.tcd")
    assert all(
        a == b if isinstance(a, str) else np.allclose(a, b, rtol=1e-9, atol=1e-300)
        for a, b in zip(field, _field_of(other), strict=True)
    ), "another field"
    assert (other.didt_max, other.name) == (coil.didt_max, coil.name)
    assert (other.casing is None) == (coil.casing is None)


def _field_of(coil: Coil) -> list[Any]:
    """At some points (3,), V/m; or what is said where a sampled coil has none."""
    out: list[Any] = []
    for point in ([0.5, 0.5, 0.5], [-20.0, 31.0, 44.0]):
        try:
            out.append(coil.dadt([point]))
        except InputError as error:
            out.append(str(error))
    assert all("outside" in one if isinstance(one, str) else np.isfinite(one).all() for one in out)
    return out


def _stl(folder: Path) -> None:
    (folder / "a.stl").write_bytes(stl_bytes(load_coil("figure8-70mm").casing or SMALL.casing))  # type: ignore[arg-type]


def _text_stl(folder: Path) -> None:
    corners = 40 * np.eye(3)
    lines = [f"vertex {x} {y} {z}" for x, y, z in corners]
    (folder / "a.stl").write_text("\n".join(["solid a", "facet normal 0 0 1", "outer loop", *lines, "endloop"]))


def hold_surface(surface: Surface, again: Path) -> None:
    """Triangles of points that are there, and the same area when written."""
    assert surface.triangles.min() >= 0
    assert surface.triangles.max() < len(surface.points)
    assert np.isfinite(surface.points).all()
    (again / "a.stl").write_bytes(stl_bytes(surface))
    other = read_stl(again / "a.stl")
    corners = surface.points[surface.triangles]
    assert np.allclose(other.points[other.triangles], corners, rtol=1e-6, atol=1e-30), "other triangles"


# ---- meshes and heads


def _dialects(folder: Path) -> None:
    for number, data in enumerate(DIALECTS.values()):
        (folder / f"{number:02d}.msh").write_bytes(data)


def _one_msh(folder: Path) -> Any:
    """All of them, of which one is damaged: the others must still be read."""
    files, refused = [], None
    for path in sorted(folder.glob("*.msh")):
        try:
            files.append(read_msh(path))
        except ValueError as error:
            refused = error
    if refused is not None:
        raise refused
    return files


def hold_meshes(files: Any, again: Path) -> None:
    """Every mesh is one."""
    for file in files:
        hold_msh(file, again)


def hold_msh(file: Any, again: Path) -> None:
    """Tetrahedra of positive volume, tags and data for each; the same when written."""
    mesh = file.mesh
    assert (mesh.volumes > 0).all()
    assert (mesh.tags > 0).all()
    assert np.array_equal(np.unique(mesh.tets), np.arange(len(mesh.nodes)))
    assert all(len(values) == len(mesh.tets) for values in file.element_data.values())
    write_msh(again / "a.msh", mesh, names=file.names)
    other = read_msh(again / "a.msh")
    for name in ("nodes", "tets", "tags"):
        assert np.array_equal(getattr(other.mesh, name), getattr(mesh, name)), f"other {name}"
    assert other.names == file.names, f"other names: {other.names} of {file.names}"


@cache
def ball() -> HeadModel:
    """Two shells with a map to MNI, a few thousand elements."""
    mapping = AffineMapping(np.diag([1.5, 1.5, 1.5, 1]), "made")
    made = sphere_head((30, 36), edge=9.0)
    return HeadModel.from_mesh(
        made.mesh, name="ball", mapping=mapping, provenance={"edge": 9.0, "inputs": {"a": {"sha256": "0" * 64}}}
    )


def _head(folder: Path) -> None:
    write_head(ball(), folder / "HEAD", qc=False)


def _warped_head(folder: Path) -> None:
    axis = np.linspace(-1, 1, 9)
    waves = np.stack(np.meshgrid(*[np.sin(2 * axis)] * 3, indexing="ij"), axis=-1)
    grid = np.diag([18.0, 18, 18, 1])
    grid[:3, 3] = -72.0
    small = sphere_head((30,), edge=12.0)
    head = HeadModel.from_mesh(
        small.mesh, name="warped",
        mapping=WarpedMapping(AffineMapping(np.diag([1.5, 1.5, 1.5, 1])), waves, grid, "made"),
    )  # fmt: skip
    own = head.retuned(head.conductivity * np.linspace(1, 2, len(head.conductivity)))
    write_head(own, folder / "HEAD", qc=False)


def _plain_msh(folder: Path) -> None:
    write_msh(folder / "ernie.msh", ball().mesh, names={2: "grey_matter", 5: "scalp"})


def _m2m(folder: Path) -> None:
    place = folder / "m2m_ernie"
    (place / "toMNI").mkdir(parents=True)
    write_msh(place / "ernie.msh", ball().mesh)
    labels, affine = phantom_labels(10.0)
    write_image(place / "T1.nii.gz", labels.astype(np.float32) * 50, affine)
    write_image(place / "final_tissues.nii.gz", labels, affine)
    head_from_mni = np.diag([0.7, 0.7, 0.7, 1.0])
    head_from_mni[:3, 3] = [0, 14, -7]
    np.savetxt(place / "toMNI" / "MNI2conform_12DOF.txt", head_from_mni)
    grid = np.diag([10.0, 10, 10, 1])
    grid[:3, 3] = -95.0, -130.0, -80.0
    points = np.moveaxis(np.indices((20, 24, 20)), 0, -1) @ grid[:3, :3] + grid[:3, 3]
    coordinates = points @ head_from_mni[:3, :3].T + head_from_mni[:3, 3]
    write_image(place / "toMNI" / "MNI2Conform_nonl.nii.gz", coordinates.astype(np.float32), grid)


def hold_head(head: HeadModel, again: Path) -> None:
    """A head: tissues that conduct, a map that can be gone back; the same when written."""
    assert (head.mesh.volumes > 0).all()
    assert len(head.conductivity) == len(head.mesh.tets)
    assert np.isfinite(head.conductivity).all()
    if head.mapping is not None:
        points = head.mesh.nodes[:5]
        there = head.to_mni(points)
        assert np.isfinite(there).all()
        if isinstance(head.mapping, AffineMapping):
            assert np.allclose(head.from_mni(there), points, atol=1e-3 + 1e-9 * np.abs(there).max())
    write_head(head, again / "HEAD", qc=False)
    other = read_head(again / "HEAD")
    assert np.array_equal(other.mesh.nodes, head.mesh.nodes)
    assert np.array_equal(other.mesh.tets, head.mesh.tets)
    assert np.array_equal(other.mesh.tags, head.mesh.tags)
    assert np.array_equal(other.conductivity, head.conductivity), "other conductivities"
    assert (other.mapping is None) == (head.mapping is None)
    if head.mapping is not None and other.mapping is not None:
        assert np.array_equal(other.mapping.mni_from_head, head.mapping.mni_from_head)
    assert other.name == head.name


# ---- navigators


@cache
def markers() -> tuple[Marker, ...]:
    """Three recorded poses."""
    rng, out = np.random.default_rng(3), []
    for number in range(3):
        pose = np.eye(4)
        pose[:3, :3] = Rotation.random(random_state=number).as_matrix()
        pose[:3, 3] = rng.uniform(-90, 90, 3)
        told = {"didt": 62.5e6, "output": 45.5, "session": "session 1"}
        out.append(Marker(f"mark <&{number}", Placement(pose), recorded=True, aim=np.array([1.0, 2, 3]), **told))
    return tuple(out)


#: What a file says of a pose beyond its place comes back too, where its system can say it.
_KEPT = {"localite": ("recorded", "name"), "invesalius": ("recorded",), "nibs-bids": ("recorded", "name")}


def _frames(folder: Path) -> ImageFrames:
    path = folder.parent / "T1.nii"
    image = nib.Nifti1Image(np.zeros((40, 50, 60), np.uint8), None)
    affine = np.eye(4)
    affine[:3, 3] = -20, -25, -30
    image.set_qform(affine, 1)
    image.set_sform(affine, 1)
    nib.save(image, path)
    return ImageFrames.read(path)


def _navigator(system: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        for ending, text in WRITERS[system](markers(), Export()).items():
            (folder / f"sub-01_task-x{ending}").write_text(text, encoding="utf-8")

    return make


def _read_navigator(folder: Path) -> Any:
    named = sorted(folder.glob("*_markers.tsv")) or sorted(folder.iterdir())
    return read_navigator(named[0], _frames(folder))


def hold_navigator(read: Any, again: Path) -> None:
    """Rigid poses, notes of one line; the same poses when written."""
    for note in (*read.notes, *read.left_out, *(marker.name for marker in read.markers)):
        assert note.isprintable(), f"not one plain line: {note!r:.200}"
    for marker in read.markers:
        as_rigid(marker.placement.head_from_coil, "what was read", tolerance=1e-9)
    if not read.markers or len({marker.recorded for marker in read.markers}) > 1:
        return
    _navigator_again(read, again)


def _navigator_again(read: Any, again: Path) -> None:
    for ending, text in WRITERS[read.system](read.markers, Export()).items():
        (again / f"sub-01_task-x{ending}").write_text(text, encoding="utf-8")
    other = _read_navigator(again)
    assert len(other.markers) == len(read.markers), f"{len(other.markers)} poses of {len(read.markers)}"
    for a, b in zip(read.markers, other.markers, strict=True):
        apart = np.abs(a.placement.head_from_coil - b.placement.head_from_coil).max()
        assert apart <= 1e-6, f"{a.name}: {apart:.2g}"  # mm, for centres up to 1e6
        for key in _KEPT.get(read.system.removesuffix("-lps"), ()):
            assert getattr(a, key) == getattr(b, key), f"{key}: {getattr(b, key)!r} of {getattr(a, key)!r}"


# ---- our folders of plans and fields


def _version2(folder: Path) -> None:
    (folder / "plan.json").write_bytes((Path(__file__).parent / "version2_plan.json").read_bytes())


def _plan(folder: Path) -> None:
    """A study of this version, with a view that can be turned and a picture."""
    import gzip
    import io

    from PIL import Image as Picture

    from neuro_field.store.view_structs import View

    _version2(folder)
    study = read_plan(folder)
    write_study(study, folder / "PLAN")
    (folder / "plan.json").unlink()
    (folder / "PLAN" / "report.html").unlink()
    place = Placement.on(ball().scalp, above=(0, 0, 40), handle_towards=(0, -40, 40))
    field = Solver(ball(), tolerance=1e-3).solve(load_coil("figure8-70mm"), place)
    ranked = [SimpleNamespace(placement=place, verified=1.0)]
    made: Any = SimpleNamespace(field=field, coil=field.coil, target=_target(field.head), ranking=ranked)
    roles = [role for role in ("contralesional", "ipsilesional") if isinstance(study, Study) and role in study.plans]
    view = view_of(ball(), {role: made for role in roles[:1]})
    data = msgspec.json.encode(msgspec.convert(view, View))
    (folder / "PLAN" / VIEW).write_bytes(gzip.compress(data, 6, mtime=0))
    out = io.BytesIO()
    Picture.new("RGB", (3, 2), "white").save(out, format="PNG")
    (folder / "PLAN" / "pictures").mkdir(exist_ok=True)
    (folder / "PLAN" / "pictures" / f"{roles[0]}_side.png").write_bytes(out.getvalue())


def _target(head: HeadModel) -> Any:
    from neuro_field.aim.target import Target

    return Target.ball(head, center=(0, 0, 25), radius=12.0)


def _read_kept(folder: Path) -> Any:
    """What is kept, which a page can be made of."""
    kept = read_kept(folder / "PLAN" if (folder / "PLAN").is_dir() else folder)
    assert "</html>" in study_page(kept)
    return kept


def hold_plan(kept: Any, again: Path) -> None:
    """Written and read again it is the same record."""
    write_study(kept.study, again / "PLAN")
    first = (again / "PLAN" / "plan.json").read_bytes()
    write_study(read_plan(again / "PLAN"), again / "PLAN2")
    second = (again / "PLAN2" / "plan.json").read_bytes()
    for data in (first, second):
        assert b'"schema"' in data
    one, two = (msgspec.json.decode(data) for data in (first, second))
    assert _undated(one) == _undated(two), "another record"


def _undated(record: dict[str, Any]) -> Any:
    """Without its date, and numbers to twelve digits: directions are made unit again."""
    record.pop("written", None)

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [plain(entry) for entry in value]
        return float(f"{value:.11g}") + 0.0 if isinstance(value, float) and abs(value) > 1e-9 else value or 0

    return plain(record)


def _field(folder: Path) -> None:
    head = sphere_head((30,), edge=12.0)
    place = Placement.on(head.scalp, above=(0, 0, 40), handle_towards=(0, -40, 40))
    write_field(Solver(head, tolerance=1e-3).solve(load_coil("figure8-70mm"), place), folder / "FIELD")


def hold_field(field: Any, again: Path) -> None:
    """A finite vector in every element, at a rigid pose."""
    assert field.E.shape == (len(field.head.mesh.tets), 3)
    assert np.isfinite(field.magnE).all()
    assert np.isfinite(field.didt)
    as_rigid(field.placement.head_from_coil, "what was read", tolerance=1e-9)


# ---- words of options that come from scripts


WORDS = (
    "percent=55 kind=rMT hand=right muscle=FDI coil=figure8-70mm stimulator=MagPro", "percent=60,kind=aMT,foot=left",
    "left:m1-hand", "head:40,-20,65", "mni:-38,-24,58", "mask:lesion.nii.gz", "label:atlas.nii.gz:7",
)  # fmt: skip


def _words(folder: Path) -> None:
    for number, text in enumerate(WORDS):
        (folder / f"{number}.txt").write_text(text)


def _read_words(folder: Path) -> Any:
    """What both parsers make of each: the last refusal, or what was read."""
    out, refused = [], None
    for path in sorted(folder.iterdir()):
        text = path.read_text(encoding="utf-8", errors="replace")[:4000]
        for parser in (threshold_of, target_form):
            try:
                out.append(parser(text))
            except ValueError as error:
                if not str(error).isprintable() or len(str(error)) > 1000:
                    raise
                refused = error
    if not out and refused is not None:
        raise refused
    return out


# ---- landmarks, pulses, maps and live fields

POINTS = {
    "Nz": (1.5, 84.0, -41.0),
    "Iz": (2.0, -118.5, -23.0),
    "LPA": (-86.0, -20.0, -48.0),
    "RPA": (85.0, -19.0, -48.5),
}


def _landmark_table(folder: Path) -> None:
    rows = [f"{name},{x},{y},{z}" for name, (x, y, z) in POINTS.items()]
    (folder / "a.csv").write_text("# CoordinateSystem = RAS\nname,x,y,z\n" + "\n".join(rows) + "\n")


def _landmark_markups(folder: Path) -> None:
    points = [{"label": name, "position": [-x, -y, z]} for name, (x, y, z) in POINTS.items()]
    record = {"markups": [{"type": "Fiducial", "coordinateSystem": "LPS", "controlPoints": points}]}
    (folder / "a.mrk.json").write_text(json.dumps(record))


def _landmark_fcsv(folder: Path) -> None:
    rows = [f"id_{k},{x},{y},{z},0,0,0,1,1,1,0,{name},,vtk" for k, (name, (x, y, z)) in enumerate(POINTS.items())]
    head = "# Markups fiducial file version = 4.11\n# CoordinateSystem = RAS\n"
    head += "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"
    (folder / "a.fcsv").write_text(head + "\n".join(rows) + "\n")


def hold_fiducials(read: Any, again: Path) -> None:
    """Four finite places, left on the left; the same from a table of our own."""
    assert set(read.points) == set(POINTS)
    assert all(np.isfinite(place).all() for place in read.points.values())
    assert read.points["LPA"][0] < read.points["RPA"][0]
    rows = [",".join([name, *map(repr, place.tolist())]) for name, place in read.points.items()]
    (again / "b.csv").write_text("name,x,y,z\n" + "\n".join(rows) + "\n")
    second = read_fiducials(again / "b.csv")
    assert all(np.array_equal(second.points[name], place) for name, place in read.points.items())


def _pulsed(count: int) -> list[Marker]:
    down = Placement(np.array([[1.0, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 90], [0, 0, 0, 1]]))
    return [Marker(f"s{k}", down.moved(along_x=k), recorded=True, didt=6e7) for k in range(count)]


def _pulses(folder: Path) -> None:
    (folder / "poses.xml").write_text(localite_text(_pulsed(4)))
    (folder / "mep.tsv").write_text("pulse\tmuscle\tamplitude_uV\n1\tFDI\t310\n2\tFDI\t0\n3\tFDI\tn/a\n4\tFDI\t55.5\n")


def _read_pulses(folder: Path) -> Any:
    return read_pulses(folder / "poses.xml", muscle="FDI", amplitudes=folder / "mep.tsv")


def _pulse_table(folder: Path) -> None:
    names = [f"{letter}{row}" for row in range(3) for letter in ("x", "y", "z", "centre")]
    rows = ["\t".join(["frame", "pulse", "muscle", "amplitude_uV", "output_percent", "time_s", *names])]
    for k, marker in enumerate(_pulsed(4)):
        pose = map(repr, marker.placement.head_from_coil[:3].ravel().tolist())
        rows.append("\t".join(["LPS", str(k + 1), "FDI", str(90.5 * k), "61", str(5.0 * k), *pose]))
    (folder / "session.tsv").write_text("\n".join(rows) + "\n")


def _brainsight_pulses(folder: Path) -> None:
    lines = brainsight_text([Marker(each.name, each.placement, recorded=True, output=52.0) for each in _pulsed(4)])
    rows = lines.split("\n")
    start = next(i for i, row in enumerate(rows) if row.startswith("# Sample Name"))
    for row, cell in enumerate(("EMG Peak-to-peak 1", "310", "0", "(null)", "55.5"), start=start):
        rows[row] += f"\t{cell}"
    (folder / "session.txt").write_text("\n".join(rows))


def hold_pulses(pulses: Pulses, again: Path) -> None:
    """As many answers as rigid poses, none below zero, and each that is left out with its reason."""
    assert len(pulses.poses) == len(pulses.intensities) == len(pulses.amplitudes) == len(pulses)
    assert (pulses.amplitudes >= 0).all()
    assert np.isfinite(pulses.intensities).all()
    for pose in pulses.poses:
        as_rigid(pose, "what was read", tolerance=1e-9)
    assert all(each.reason for each in pulses.left_out)


def _map(folder: Path) -> None:
    rng, count = np.random.default_rng(2), 6
    poses = np.stack([marker.placement.head_from_coil for marker in _pulsed(count)])
    write_map(
        MotorMap(
            "FDI", "left", rng.normal(size=(5, 3)), rng.random(5), np.array([-40.0, -20.0, 55.0]),
            np.array([1, 0, 1, 0, 0], bool), np.array([0, 0, 1, 0, 0], bool), Curve(0.9, 2.6, 55.0, 0.2), 44.0, 0.005,
            rng.random((5, 4)), rng.random(count), ((4, 9.5), (6, 0.0)),
            Pulses("FDI", poses, np.full(count, 60.0), rng.random(count) * 900), "figure8-70mm", "0123",
            (Finding("map-few-pulses", "warn", {"pulses": count, "least": 180}),),
        ),
        folder / "MAP",
    )  # fmt: skip


def hold_map(found: MotorMap, again: Path) -> None:
    """Finite values at every point, pulses as of a session, and the same when it is written again."""
    hold_pulses(found.pulses, again)
    assert np.isfinite(found.points).all()
    assert len(found.points) == len(found.r2) == len(found.area)
    assert found.threshold is None or np.isfinite(found.threshold)
    write_map(found, again / "MAP")
    second = read_map(again / "MAP")
    assert np.array_equal(second.points, found.points)
    assert np.array_equal(second.pulses.poses, found.pulses.poses)
    assert [each.plain() for each in second.findings] == [each.plain() for each in found.findings]


@cache
def _live_head() -> HeadModel:
    return sphere_head((40, 46, 52), edge=10.0)


def _live(folder: Path) -> None:
    live = live_field(Solver(_live_head(), tolerance=1e-3), load_coil("figure8-70mm"), snapshots=20)
    write_live(live.thinned(300), folder / "LIVE")


def hold_live(live: LiveField, again: Path) -> None:
    """A finite field at every point."""
    place = Placement.on(_live_head().scalp, above=(0, 0, 54), handle_towards=(0, -90, 54))
    assert live.field(place).shape == live.points.shape
    assert np.isfinite(live.magnE(place)).all()


IMAGES = (("image.nii", "int16"), ("image.nii.gz", "float32"))
KINDS: tuple[Kind, ...] = (
    *(
        Kind(name, _nifti(name, _values(kind)), lambda folder: read_image(one(folder)), hold_image)
        for name, kind in IMAGES
    ),
    Kind("image.mgz", _mgz, lambda folder: read_image(one(folder)), hold_image),
    Kind(
        "labels.nii", _nifti("a.nii", _values("uint8") % 6), lambda folder: read_labels(one(folder)), hold_labels
    ),
    Kind(
        "vectors.nii.gz", _nifti("a.nii.gz", np.ones((4, 4, 4, 3), np.float32)),
        lambda folder: read_vectors(one(folder)), hold_image,
    ),
    Kind(
        "frames.nii", _nifti("a.nii", _values("int16")), lambda folder: ImageFrames.read(one(folder)), hold_frames
    ),
    *(
        Kind(f"tensors {order}", _tensors(order), lambda folder: read_tensors(one(folder)), hold_tensors)
        for order in ("upper", "diagonal")
    ),
    Kind("dwi", _series, _read_series, hold_tensors),
    Kind("lesion.voi", _voi, _read_drawn, hold_drawn),
    Kind("lesion.nrrd", _nrrd("lesion.nrrd"), _read_drawn, hold_drawn),
    Kind("lesion.seg.nrrd", _nrrd("lesion.seg.nrrd", **SEGMENTS), _read_drawn, hold_drawn),
    Kind("lesion.nhdr", _nrrd("lesion.nhdr"), _read_drawn, hold_drawn),
    Kind("lesion.json", _json_beside, _read_drawn, hold_drawn, ("*.json",)),
    Kind("lesion.tsv", _table_beside, _read_drawn, hold_drawn, ("*.tsv",)),
    Kind("DICOM", _dicom, find_series, hold_series, ("*/*",)),
    Kind("coil.ccd", _coil(SMALL, "a.ccd"), _read_coil("a.ccd"), hold_coil),
    Kind("coil.tcd", _coil(SMALL, "a.tcd"), _read_coil("a.tcd"), hold_coil),
    Kind("coil.tcd of all", _tcd, _read_coil("a.tcd"), hold_coil),
    Kind("coil.nii", _coil(SAMPLED, "a.nii"), _read_coil("a.nii"), hold_coil),
    Kind("coil.nii.gz", _coil(SAMPLED, "a.nii.gz"), _read_coil("a.nii.gz"), hold_coil),
    Kind("surface.stl", _stl, lambda folder: read_stl(one(folder)), hold_surface),
    Kind("surface.stl text", _text_stl, lambda folder: read_stl(one(folder)), hold_surface),
    Kind("mesh.msh", _dialects, _one_msh, hold_meshes),
    Kind("head.msh", _plain_msh, lambda folder: read_head(one(folder)), hold_head),
    Kind("HEAD", _head, lambda folder: read_head(folder / "HEAD"), hold_head, ("HEAD/*",)),
    Kind("HEAD card", _head, lambda folder: read_head(folder / "HEAD"), hold_head, ("HEAD/head.json",)),
    Kind("HEAD warped", _warped_head, lambda folder: read_head(folder / "HEAD"), hold_head, ("HEAD/*",)),
    Kind("m2m", _m2m, lambda folder: read_head(folder / "m2m_ernie"), hold_head, ("m2m_ernie/*", "m2m_ernie/*/*")),
    *(
        Kind(system, _navigator(system), _read_navigator, hold_navigator)
        for system in WRITERS
    ),
    Kind("PLAN version 2", _version2, _read_kept, hold_plan),
    Kind("PLAN", _plan, _read_kept, hold_plan, ("PLAN/plan.json", "PLAN/view.json.gz", "PLAN/*.tcd", "PLAN/*/*.png")),
    Kind("PLAN card", _plan, _read_kept, hold_plan, ("PLAN/plan.json",)),
    Kind("FIELD", _field, lambda folder: read_field(folder / "FIELD"), hold_field, ("FIELD/*",)),
    Kind("words", _words, _read_words, lambda read, again: None),
    Kind("landmarks.csv", _landmark_table, lambda folder: read_fiducials(one(folder)), hold_fiducials),
    Kind("landmarks.json", _landmark_markups, lambda folder: read_fiducials(one(folder)), hold_fiducials),
    Kind("landmarks.fcsv", _landmark_fcsv, lambda folder: read_fiducials(one(folder)), hold_fiducials),
    Kind("pulses", _pulses, _read_pulses, hold_pulses),
    Kind("pulses.tsv", _pulse_table, lambda folder: read_pulses(one(folder), muscle="FDI"), hold_pulses),
    Kind("pulses.txt", _brainsight_pulses, lambda folder: read_pulses(one(folder), muscle="FDI"), hold_pulses),
    Kind("MAP", _map, lambda folder: read_map(folder / "MAP"), hold_map, ("MAP/map.json",)),
    Kind("LIVE", _live, lambda folder: read_live(folder / "LIVE", _live_head()), hold_live, ("LIVE/*",)),
)  # fmt: skip
