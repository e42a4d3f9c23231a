"""How tissues nest decides what numbers mean: every table both ways, on a phantom and on a real head, also damaged."""

import nibabel
import numpy as np
import pytest
import typer
from phantoms import phantom_labels
from scipy import ndimage
from strokes import STROKES, healthy, stroke_head
from tests_support import accepted

from neuro_field.cli import main
from neuro_field.commands.arguments import label_table
from neuro_field.errors import InputError
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.mesher import mesh_labels
from neuro_field.io.images import write_image
from neuro_field.io.msh import write_msh
from neuro_field.mri import build
from neuro_field.mri.build import build_head, prepare_labels
from neuro_field.mri.labels import TABLES, recognised
from neuro_field.mri.nesting import are_eyes, nesting_of_labels, nesting_of_mesh, unusual_volumes
from neuro_field.shelf.library import shelf
from neuro_field.store.building import head_from_images
from neuro_field.store.heads import read_head

WHITE, GREY, CSF, BONE, SCALP, EYES = 1, 2, 3, 4, 5, 6

#: Tables that count from one on, in the order in which numbers they share are taken.
COUNTING = ("simnibs", "roast", "spm", "fieldtrip", "fieldtrip-alphabetical", "outside-in")


def numbered(tissues, table):
    """Tissue tags in the numbers of a table, eyes as scalp where it has none."""
    number_of = {}
    for number, tag in TABLES[table].tags.items():
        number_of.setdefault(tag, number)
    return np.array([number_of.get(tag, number_of[SCALP]) for tag in range(7)], dtype=np.uint16)[tissues]


def without_eyes(tissues, table):
    return np.where(tissues == EYES, SCALP, tissues) if EYES not in TABLES[table].tags.values() else tissues


@pytest.fixture(scope="module")
def colin():
    """The built-in head's tissues at 3 mm, and their affine."""
    image = nibabel.load(shelf("meshes") / "colin27" / "colin27_labels.nii.gz")
    return np.asarray(image.dataobj)[::3, ::3, ::3], image.affine @ np.diag([3.0, 3, 3, 1])


@pytest.fixture(scope="module")
def phantom():
    return phantom_labels(4.0, eyes=True)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("whose", ["colin", "phantom"])
def test_labels_in_every_tables_numbers_are_the_tissues_they_were(table, whose, request):
    tissues, affine = request.getfixturevalue(whose)
    wanted = without_eyes(tissues, table)
    given = numbered(tissues, table)
    np.testing.assert_array_equal(recognised(given, affine, table).tissues, wanted)
    found = accepted(recognised, given, affine)
    np.testing.assert_array_equal(found.tissues, wanted)
    alike = {"fieldtrip": "spm", "charm": "freesurfer", "roast": "simnibs"}  # their numbers here mean the same
    assert found.table.name == alike.get(table, table)
    codes = [finding.code for finding in found.findings]
    assert codes == (["build-label-table"] if found.table.name not in ("simnibs", "freesurfer") else [])
    if codes:
        told = found.findings[0].values
        assert told["table"] == found.table.name
        assert "simnibs" in told["others"]
        assert told["white"] > told["grey"] + 2


@pytest.mark.parametrize("table", COUNTING)
@pytest.mark.parametrize("numbers", COUNTING)
def test_labels_that_contradict_the_table_named_are_refused_with_the_right_one(colin, table, numbers):
    tissues, affine = colin
    given = numbered(np.where(tissues == EYES, SCALP, tissues), numbers)
    alike = [{"simnibs", "roast"}, {"spm", "fieldtrip"}]
    if table == numbers or {table, numbers} in alike:
        assert accepted(recognised, given, affine, table).table.name == table
        return
    with pytest.raises(InputError, match="do not nest as tissues of a head") as caught:
        recognised(given, affine, table)
    said = str(caught.value)
    assert "\n" not in said
    assert f"(--table {numbers})" in said.replace("roast", "simnibs").replace("fieldtrip)", "spm)") or any(
        numbers in pair and f"(--table {next(iter(pair - {numbers}))})" in said for pair in alike
    )


def test_white_and_grey_exchanged_are_told_by_their_numbers(phantom):
    tissues, affine = phantom
    with pytest.raises(InputError, match=r"grey matter \(2\) begins 3. mm .*deeper than white matter \(1\) at 2. mm"):
        recognised(numbered(tissues, "spm"), affine, "simnibs")


def test_an_order_that_no_table_has_is_refused(colin):
    tissues, affine = colin
    for order in ([0, 3, 2, 1, 4, 5, 5], [0, 1, 2, 4, 3, 5, 5], [0, 5, 1, 2, 3, 4, 4]):
        with pytest.raises(InputError, match=r"look exchanged; look at the labels, and say .*--table 1=scalp"):
            recognised(np.array(order)[tissues], affine)
    swapped = np.where(np.isin(numbered(tissues, "freesurfer"), (2, 3)), 5 - numbered(tissues, "freesurfer"), 0)
    swapped = np.where(swapped, swapped, numbered(tissues, "freesurfer"))
    with pytest.raises(InputError, match=r"table freesurfer.*grey matter \(3\).*white matter \(2\)"):
        recognised(swapped, affine)


def test_where_nesting_does_not_tell_it_is_asked():
    """Grey and white matter in one mixture begin at the same depth."""
    tissues, affine = phantom_labels(4.0)
    mixed = np.random.default_rng(1).integers(1, 3, tissues.shape)
    with pytest.raises(InputError, match="how their tissues nest does not tell which; say it: table='simnibs'"):
        recognised(np.where(np.isin(tissues, (1, 2)), mixed, tissues), affine)
    with pytest.raises(InputError, match="there is by simnibs no scalp"):  # the one order that is left is no head
        recognised(np.where(tissues == SCALP, 0, tissues), affine)


def test_numbers_can_be_named_one_by_one(phantom):
    tissues, affine = phantom
    order = np.array([9, 4, 1, 7, 2, 3, 3])  # air too has a number
    table = {9: "air", 4: "white_matter", 1: "grey_matter", 7: "csf", 2: "bone", 3: "scalp"}
    found = recognised(order[tissues], affine, table)
    np.testing.assert_array_equal(found.tissues, np.where(tissues == EYES, SCALP, tissues))
    assert label_table("9=air, 4=WM,1=gray,7=CSF,2=skull,3=skin") == table
    assert (label_table(None), label_table("spm")) == (None, "spm")
    for text in ("1=brain", "x=scalp", "1=scalp,2", "1=", "=bone"):
        with pytest.raises(InputError, match="--table must give every number its tissue"):
            label_table(text)


# --- eyes or air ----------------------------------------------------------------------------------------------------


def test_a_sixth_number_is_eyes_or_air_by_how_it_lies(colin):
    tissues, affine = colin
    assert are_eyes(tissues == EYES, affine)
    soft = np.moveaxis(np.indices(tissues.shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    inner = (np.abs(soft[..., 0]) < 30) & (soft[..., 1] > 30) & (soft[..., 2] < -40) & np.isin(tissues, (BONE, SCALP))
    inner &= ndimage.distance_transform_edt(tissues > 0, sampling=3.0) > 12  # cells of the base and the face
    assert inner.sum() * 0.027 > 25
    assert not are_eyes(inner, affine)
    given = np.where(inner, 6, np.where(tissues == EYES, SCALP, tissues))
    found = recognised(given, affine)
    assert found.table.name == "roast"
    assert not found.tissues[inner].any()
    outside = recognised(np.where(tissues == 0, 6, np.where(tissues == EYES, SCALP, tissues)), affine)
    assert outside.table.name == "roast"
    assert not outside.tissues[tissues == 0].any()
    beside = np.where((tissues == BONE) & (soft[..., 1] > 30), 6, tissues)  # where air would open the brain
    with pytest.raises(InputError, match="does not tell which"):
        recognised(beside, affine)


def test_eyes_are_two_small_balls():
    points = np.moveaxis(np.indices((60, 30, 30)), 0, -1) * 2.0
    two = [points - (x, 30, 30) for x in (30, 90)]
    balls = [np.linalg.norm(each, axis=-1) for each in two]
    grid = np.diag([2.0, 2, 2, 1])
    assert are_eyes((balls[0] < 11) | (balls[1] < 11), grid)
    assert are_eyes(balls[0] < 11, grid)  # the view may end between them
    assert not are_eyes((balls[0] < 17) | (balls[1] < 17), grid)  # 40 cm3
    sheets = [np.linalg.norm(each / (1, 1, 0.1), axis=-1) for each in two]
    assert not are_eyes((sheets[0] < 24) | (sheets[1] < 24), grid)
    shells = [(each < 14) & (each > 11) for each in balls]
    assert not are_eyes(shells[0] | shells[1], grid)
    crumbs = (points % 12 == 0).all(axis=-1)
    crumbs |= ndimage.binary_dilation(crumbs)
    assert not are_eyes(crumbs | (balls[0] < 6), grid)


# --- damage that strokes and scanners do ----------------------------------------------------------------------------


def ventricles(tissues, affine):
    """The largest pieces of deep fluid."""
    deep = (tissues == CSF) & (ndimage.distance_transform_edt(tissues > 0, sampling=3.0) > 45)
    pieces, _ = ndimage.label(deep)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.isin(pieces, np.argsort(sizes)[-2:])


def grown(tissues, affine, by):
    out = tissues.copy()
    far = ndimage.distance_transform_edt(~ventricles(tissues, affine), sampling=3.0)
    out[(far <= by) & np.isin(tissues, (1, 2))] = CSF
    return out


def cavity(tissues, affine, radius):
    points = np.moveaxis(np.indices(tissues.shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    inside = np.linalg.norm(points - (-45, -12, 28), axis=-1) < radius
    return np.where(inside & np.isin(tissues, (1, 2)), CSF, tissues)


def without_sulci(tissues, affine):
    """A swollen brain: no fluid around it, only within."""
    fluid = (tissues == CSF) & (ndimage.distance_transform_edt(tissues > 0, sampling=3.0) < 45)
    nearest = ndimage.distance_transform_edt(
        fluid | ~np.isin(tissues, (GREY, BONE)), return_indices=True, return_distances=False
    )
    return np.where(fluid, tissues[tuple(nearest)], tissues)


def with_cisterns(tissues, affine):
    """A swollen brain with fluid around the stem alone, too little to begin above the grey matter."""
    swollen, cisterns = without_sulci(tissues, affine), tissues == CSF
    height = np.quantile(np.argwhere(cisterns)[:, 2], 0.2)
    cisterns[:, :, int(height) :] = False
    return np.where(cisterns, CSF, swollen)


def flapless(tissues, affine):
    out = tissues.copy()
    out[:32][(out[:32] == BONE) & (np.arange(out.shape[2]) > 23)] = SCALP
    return out


def noisy(tissues, affine):
    rng = np.random.default_rng(0)
    return np.where(rng.random(tissues.shape) < 0.05, rng.integers(0, 6, tissues.shape), tissues)


DAMAGE = {
    "as it is": lambda tissues, affine: tissues,
    "ventricles by 6 mm": lambda tissues, affine: grown(tissues, affine, 6),
    "ventricles by 12 mm": lambda tissues, affine: grown(tissues, affine, 12),
    "cavity of 60 cm3": lambda tissues, affine: cavity(tissues, affine, 25),
    "cavity of 300 cm3": lambda tissues, affine: cavity(tissues, affine, 51),
    "half the skull gone": flapless,
    "swollen": without_sulci,
    "swollen, with hydrocephalus": lambda tissues, affine: grown(without_sulci(tissues, affine), affine, 6),
    "swollen, with cisterns": with_cisterns,
    "tilted": lambda tissues, affine: ndimage.rotate(tissues, 30, axes=(1, 2), order=0, reshape=False),
    "rolled": lambda tissues, affine: ndimage.rotate(tissues, 25, axes=(0, 2), order=0),
    "vertex cut": lambda tissues, affine: tissues[:, :, :39],
    "base cut": lambda tissues, affine: tissues[:, :, 17:],
    "one side": lambda tissues, affine: tissues[:33],
    "tight": lambda tissues, affine: tissues[3:-3, 3:-3, 2:50],
    "thick slices": lambda tissues, affine: tissues[:, :, ::2],
    "noise": noisy,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_head_still_nests_and_exchanged_tissues_are_seen_in_it(colin, damage):
    tissues, affine = colin
    damaged = DAMAGE[damage](tissues, affine)
    grid = affine @ np.diag([1.0, 1, 2 if damage == "thick slices" else 1, 1])
    nesting = nesting_of_labels(damaged, grid)
    assert nesting.reversals == ()
    assert nesting.tells_grey_from_white
    assert not unusual_volumes(nesting)
    spm = numbered(damaged, "spm")
    assert accepted(recognised, spm, grid).table.name == "spm"
    with pytest.raises(InputError, match="--table spm"):
        recognised(spm, grid, "simnibs")


def test_fluid_as_large_as_the_white_matter_and_deeper_is_no_ventricle(colin):
    tissues, affine = colin
    rotated = np.array([0, CSF, WHITE, GREY, BONE, SCALP, SCALP])[tissues]
    assert nesting_of_labels(rotated, affine).reversals


def test_volumes_that_no_head_has_are_told(colin):
    tissues, affine = colin
    shrunk = recognised(tissues, np.diag([0.5, 0.5, 0.5, 1]) @ affine, "simnibs").findings
    assert {finding.code for finding in shrunk} == {"build-volume-unusual"}
    assert {"white_matter", "grey_matter"} <= {finding.values["tissue"] for finding in shrunk}
    assert all(finding.values["cm3"] < finding.values["least"] for finding in shrunk)
    grown_large = recognised(tissues, np.diag([1.5, 1.5, 1.5, 1]) @ affine, "simnibs").findings
    assert {f.values["tissue"] for f in grown_large} >= {"white_matter", "grey_matter", "eyes"}


# --- building -------------------------------------------------------------------------------------------------------


def test_labels_in_spms_numbers_are_prepared_as_our_own_and_the_table_is_told():
    tissues, affine = phantom_labels(6.0)
    own = prepare_labels(tissues, affine)
    for table in (None, "spm", {1: "grey_matter", 2: "white_matter", 3: "csf", 4: "bone", 5: "scalp"}):
        ready = prepare_labels(numbered(tissues, "spm"), affine, table=table)
        np.testing.assert_array_equal(ready.labels, own.labels)
        assert ready.record["label_table"] == ("spm" if not isinstance(table, dict) else "given")
        told = [row for row in ready.record["findings"] if row["code"] == "build-label-table"]
        assert len(told) == (table is None)


def test_outside_in_numbers_never_reach_the_registration():
    tissues, affine = phantom_labels(6.0)
    with pytest.raises(InputError, match="do not nest"):
        build_head(numbered(tissues, "outside-in"), affine, edge=12.0, table="simnibs")


@pytest.mark.parametrize("name", ["aseg", "SynthSeg"])
def test_labels_of_the_brain_alone_are_refused_before_any_work(tmp_path, monkeypatch, name):
    tissues, affine = phantom_labels(6.0)
    brain = np.array([0, 41, 42, 24 if name == "SynthSeg" else 4, 0, 0])[tissues]
    monkeypatch.setattr(build, "clean_labels", lambda *given, **how: pytest.fail("labels were cleaned"))
    write_image(tmp_path / "T1.nii.gz", tissues.astype(np.float32), affine)
    write_image(tmp_path / "labels.nii.gz", brain.astype(np.int16), affine)
    with pytest.raises(InputError, match=r"hold no skull and no scalp, only white.*leave the labels out") as caught:
        head_from_images(tmp_path / "T1.nii.gz", tmp_path / "labels.nii.gz")
    assert "\n" not in str(caught.value)


def test_the_command_takes_a_table(tmp_path, capsys):
    tissues, affine = phantom_labels(6.0)
    t1, labels = tmp_path / "T1.nii.gz", tmp_path / "labels.nii.gz"
    write_image(t1, tissues.astype(np.float32), affine)
    write_image(labels, numbered(tissues, "spm"), affine)
    call = ["head", str(t1), "--labels", str(labels), "--edge", "12", "-o", str(tmp_path / "HEAD"), "--table"]
    assert main([*call, "simnibs"]) == 2
    assert "give table='spm' (--table spm)" in capsys.readouterr().err
    assert main([*call, "fsl"]) == 2
    assert "fieldtrip-alphabetical" in capsys.readouterr().err
    assert main(["head", str(t1), "--table", "spm", "-o", str(tmp_path / "HEAD")]) == 2
    assert "without labels there are none" in capsys.readouterr().err
    assert not (tmp_path / "HEAD").exists()


def test_help_names_every_table():
    from neuro_field.commands.heads import head

    option = next(each for each in typer.main.get_command(_app(head)).params if "--table" in each.opts)
    assert all(name in option.help for name in TABLES)


def _app(command):
    app = typer.Typer()
    app.command()(command)
    return app


# --- meshes ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mesh():
    return mesh_labels(*phantom_labels(6.0), edge=10.0)


@pytest.mark.parametrize("table", ["spm", "outside-in", "fieldtrip-alphabetical"])
def test_a_mesh_whose_numbers_are_foreign_is_refused_unless_its_volumes_are_named(tmp_path, mesh, table):
    tags = numbered(np.asarray(mesh.tags), table).astype(np.int32)
    foreign = TetMesh(mesh.nodes, mesh.tets, tags)
    write_msh(tmp_path / "a.msh", foreign)
    with pytest.raises(InputError, match=r"do not nest as tissues of a head.*\$PhysicalNames") as caught:
        read_head(tmp_path / "a.msh")
    assert "\n" not in str(caught.value)
    names = dict(zip(tags.tolist(), mesh.tags.tolist(), strict=True))
    called = {1: "white", 2: "gray", 3: "csf", 4: "skull", 5: "skin"}
    write_msh(tmp_path / "b.msh", foreign, names={number: called[tag] for number, tag in names.items()})
    np.testing.assert_array_equal(accepted(read_head, tmp_path / "b.msh").mesh.tags, mesh.tags)
    wrong = {1: "gray", 2: "white", 3: "csf", 4: "skull", 5: "skin"}
    write_msh(tmp_path / "c.msh", mesh, names=wrong)
    with pytest.raises(InputError, match="look exchanged"):
        read_head(tmp_path / "c.msh")


def test_a_mesh_in_its_own_numbers_is_taken(tmp_path, mesh):
    write_msh(tmp_path / "a.msh", mesh)
    assert accepted(read_head, tmp_path / "a.msh").findings[0].code == "head-no-fissure"


@pytest.mark.parametrize("stroke", [each for each in STROKES if each.cm3 >= 250], ids=str)
def test_meshes_of_large_strokes_nest(stroke):
    head = stroke_head(stroke)
    nesting = nesting_of_mesh(head.mesh, healthy().scalp)
    assert nesting.reversals == ()
    assert nesting.tells_grey_from_white
