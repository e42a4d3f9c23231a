"""Meshes that other programs wrote: Gmsh's dialects by Gmsh itself, names before numbers, SimNIBS's layouts."""

import shutil

import numpy as np
import pytest
from msh_dialects import MESH, NODES, TETS
from tests_support import accepted

from neuro_field.cli import main
from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.head.model import HeadModel
from neuro_field.head.tissues import BY_NAME, TISSUES
from neuro_field.io.images import Image, write_image
from neuro_field.io.m2m import m2m_of, mesh_of
from neuro_field.io.msh import read_msh, write_msh
from neuro_field.io.tissue_names import by_names, tissue_called
from neuro_field.store.heads import head_images, is_head, read_head, write_head

#: Voxels of 2 mm that lie somewhere.
PLACED = np.diag([2.0, 2, 2, 1]) + np.outer([-4.0, -3, -2, 0], [0, 0, 0, 1])

# --- written by Gmsh ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gmsh():
    """Gmsh from PyPI, where it is installed and its libraries are found."""
    try:
        import gmsh
    except (ImportError, OSError) as error:
        pytest.skip(f"gmsh cannot be imported ({error}): pip install gmsh")
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    yield gmsh
    gmsh.finalize()


#: Numbers and names of the groups of the lower half and of the upper.
HALVES = ((11, "white_matter"), (7, "scalp"))


@pytest.fixture
def boxes(gmsh, tmp_path):
    """Two boxes of 30 mm, the second beyond x = 30, as Gmsh writes them."""

    def write(version=4.1, binary=0, groups=HALVES, *, order=1, parts=0, both=()):
        gmsh.clear()
        one, two = (gmsh.model.occ.addBox(x, 0, 0, 30, 30, 30) for x in (0, 30))
        gmsh.model.occ.fragment([(3, one)], [(3, two)])
        gmsh.model.occ.synchronize()
        volumes = [tag for _, tag in gmsh.model.getEntities(3)]
        for volume, (tag, name) in zip(volumes, groups, strict=False):
            gmsh.model.addPhysicalGroup(3, [volume], tag, name)
        for tag, name in both:
            gmsh.model.addPhysicalGroup(3, volumes, tag, name)
        settings = {"MeshSizeMin": 20, "MeshSizeMax": 20, "MshFileVersion": version, "Binary": binary}
        for key, value in (settings | {"SaveAll": int(not both and len(groups) < 2)}).items():
            gmsh.option.setNumber(f"Mesh.{key}", value)
        gmsh.model.mesh.generate(3)
        gmsh.model.mesh.setOrder(order)
        if parts:
            gmsh.model.mesh.partition(parts)
        gmsh.write(str(tmp_path / "boxes.msh"))
        return tmp_path / "boxes.msh"

    return write


def assert_two_boxes(mesh, first, second):
    """Both boxes whole, each of its tag."""
    assert mesh.volumes.sum() == pytest.approx(54_000)
    for tag, low in ((first, 0), (second, 30)):
        inside = mesh.nodes[mesh.tets[mesh.tags == tag]]
        assert inside[..., 0].min() == pytest.approx(low)
        assert inside[..., 0].max() == pytest.approx(low + 30)


@pytest.mark.parametrize("version", [2.2, 4.1])
@pytest.mark.parametrize("binary", [0, 1])
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("parts", [0, 3])
def test_every_dialect_of_gmsh_is_one_mesh(gmsh, boxes, version, binary, order, parts):
    """Physical groups say what a volume is: never Gmsh's own number of it, nor that of a part of it."""
    file = accepted(read_msh, boxes(version, binary, order=order, parts=parts))
    assert_two_boxes(file.mesh, 11, 7)
    assert file.names == dict(HALVES)
    width = (order + 1) * (order + 2) * (order + 3) // 6
    used = np.concatenate(gmsh.model.mesh.getElements(3)[2]).reshape(-1, width)
    assert len(file.mesh.nodes) == len(np.unique(used[:, :4]))  # corners alone
    said = () if order == 1 else (Finding("head-mesh-curved", "note", {"order": order}),)
    assert file.findings == said


@pytest.mark.parametrize("version", [2.2, 4.1])
@pytest.mark.parametrize("binary", [0, 1])
@pytest.mark.parametrize("groups", [(), HALVES[:1]])
def test_volumes_in_no_physical_group_are_refused(boxes, version, binary, groups):
    with pytest.raises(FileFormatError, match=r"[0-9]+ of its [0-9]+ tetrahedra are in no physical group"):
        read_msh(boxes(version, binary, groups))


@pytest.mark.parametrize("version", [2.2, 4.1])
@pytest.mark.parametrize("binary", [0, 1])
def test_of_several_groups_the_one_named_as_a_tissue_is_meant(boxes, version, binary):
    """Version 2.2 writes an element once for each of its groups: the volume would count twice."""
    assert_two_boxes(accepted(read_msh, boxes(version, binary, both=[(40, "inside the skull")])).mesh, 11, 7)
    for groups in (((11, "one"), (7, "two")), ((11, "gray"), (7, "white"))):
        both = [(40, "three" if groups[0][1] == "one" else "csf")]
        with pytest.raises(FileFormatError, match="in one"):
            read_msh(boxes(version, binary, groups, both=both))


@pytest.mark.parametrize("version", [2.2, 4.1])
@pytest.mark.parametrize("binary", [0, 1])
def test_hexahedra_are_refused_and_counted(gmsh, tmp_path, version, binary):
    gmsh.clear()
    base = gmsh.model.occ.addRectangle(0, 0, 0, 30, 30)
    gmsh.model.occ.extrude([(2, base)], 0, 0, 30, numElements=[2], recombine=True)
    gmsh.model.occ.synchronize()
    gmsh.model.addPhysicalGroup(3, [1], 1, "white_matter")
    for key, value in (("MshFileVersion", version), ("Binary", binary), ("SaveAll", 0), ("MeshSizeMin", 20)):
        gmsh.option.setNumber(f"Mesh.{key}", value)
    gmsh.model.mesh.generate(3)
    gmsh.write(str(tmp_path / "a.msh"))
    with pytest.raises(FileFormatError, match=r"tetrahedra alone; instead it holds [0-9]+ (prisms|hexahedra)"):
        read_msh(tmp_path / "a.msh")


# --- names before numbers -------------------------------------------------------------------------------------------


def five(numbers):
    """Five tetrahedra in a row with the given numbers, 30 mm each."""
    corners = 30.0 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    nodes = np.concatenate([corners + np.array([40.0 * i, 0, 0]) for i in range(len(numbers))])
    return TetMesh(nodes, np.arange(len(nodes)).reshape(-1, 4), np.array(numbers))


def head_named(tmp_path, names):
    write_msh(tmp_path / "a.msh", five(list(names)), names={tag: name for tag, name in names.items() if name})
    return read_head(tmp_path / "a.msh")


@pytest.mark.parametrize(
    "names",
    [
        {1: "gray", 2: "white", 3: "csf", 4: "skull", 5: "scalp"},  # FieldTrip's order
        {1: "CSF", 2: "Gray-Matter", 3: "Skin", 4: "Skull", 5: "White_Matter"},
        {31: "WM", 7: "GM", 3: "csf", 2: "Bone", 1: "scalp"},
    ],
)
def test_names_of_volumes_override_their_numbers(tmp_path, names):
    head = accepted(head_named, tmp_path, names)
    called = {"gray": 2, "white": 1, "csf": 3, "skull": 4, "scalp": 5, "Gray-Matter": 2, "Skin": 5, "White_Matter": 1}
    called |= {"WM": 1, "GM": 2, "Bone": 4, "CSF": 3, "Skull": 4}
    assert head.mesh.tags.tolist() == [called[name] for name in names.values()]
    conductivity = {tissue.tag: tissue.conductivity for tissue in TISSUES}
    assert head.conductivity.tolist() == [conductivity[called[name]] for name in names.values()]
    changed = [tag for tag, name in names.items() if called[name] != tag]
    told = [found.values for found in head.findings if found.code == "head-volume-by-name"]
    assert {values["volume"] for values in told} == set(changed)
    assert all(tissue_called(names[values["volume"]]) == BY_NAME[values["tissue"]].tag for values in told)


@pytest.mark.parametrize("names", [{}, {1: "", 2: ""}, {1: "1", 2: "2"}, {1: "Volume 1", 2: "region_2"}])
def test_numbers_count_where_names_say_nothing(tmp_path, names):
    head = accepted(head_named, tmp_path, {1: "", 2: "", 5: ""} | names)
    assert head.mesh.tags.tolist() == [1, 2, 5]
    assert "head-volume-by-name" not in {found.code for found in head.findings}


def test_a_name_that_is_no_tissue_is_refused_and_so_is_a_volume_without_one_beside_foreign_numbers(tmp_path):
    with pytest.raises(
        FileFormatError, match=r"its volume 6 is called 'air', which is no tissue that is known; name it"
    ):
        head_named(tmp_path, {1: "white", 6: "air"})
    with pytest.raises(FileFormatError, match=r"in its own way .*volume 1 is called gray.*volumes \[5\] without"):
        head_named(tmp_path, {1: "gray", 2: "white", 5: ""})


def test_what_we_write_are_names_of_their_own_tissues():
    for tissue in TISSUES:
        assert tissue_called(tissue.name) == tissue.tag
    tags = np.array([tissue.tag for tissue in TISSUES])
    found, notes = by_names(tags, {tissue.tag: tissue.name for tissue in TISSUES}, "a.msh")
    assert found.tolist() == tags.tolist()
    assert notes == ()


def test_what_was_done_to_a_mesh_is_said_on_the_terminal_and_the_page(boxes, tmp_path, capsys):
    path = boxes(groups=((1, "gray"), (2, "white")), order=2)
    assert main(["head", str(path), "-o", str(tmp_path / "HEAD")]) == 0
    said = capsys.readouterr().out
    page = (tmp_path / "HEAD" / "qc.html").read_text()
    for words in ("of order 2 the corner nodes were used", "olume 1 of the mesh is grey matter by its name gray"):
        assert words in said
        assert words in page


# --- SimNIBS's layouts ----------------------------------------------------------------------------------------------

TURN = np.array([[0.0, -1, 0, 3], [1, 0, 0, 5], [0, 0, 1, -7], [0, 0, 0, 1]])


def put(folder, mesh):
    """What SimNIBS leaves in a folder, and its mesh where asked for."""
    (folder / "toMNI").mkdir(parents=True)
    np.savetxt(folder / "toMNI" / "MNI2conform_12DOF.txt", TURN)
    write_image(folder / "T1.nii.gz", np.full((4, 4, 4), 7.0, np.float32), PLACED)
    write_msh(mesh, TetMesh(NODES, TETS, np.array([4, 5])))
    return folder


LAYOUTS = {
    "SimNIBS 4": ("m2m_ernie", "m2m_ernie/ernie.msh"),
    "SimNIBS 3": ("m2m_ernie", "ernie.msh"),
    "renamed": ("patient 7", "patient 7/ernie.msh"),
    "renamed to another m2m": ("m2m_p7", "m2m_p7/ernie.msh"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("by_mesh", [False, True])
def test_a_folder_of_simnibs_brings_its_map_whichever_way_it_is_given(tmp_path, layout, by_mesh):
    name, mesh = LAYOUTS[layout]
    folder = put(tmp_path / name, tmp_path / mesh)
    given = tmp_path / mesh if by_mesh else folder
    assert is_head(given)
    head = accepted(read_head, given)
    assert head.name == name
    np.testing.assert_allclose(head.mapping.mni_from_head, np.linalg.inv(TURN), atol=1e-12)
    assert head_images(given)["t1"].values.max() == 7
    assert head.provenance["source"] == "ernie.msh"


def test_simnibs_3_keeps_its_t1_beside_the_folder(tmp_path):
    folder = put(tmp_path / "m2m_ernie", tmp_path / "ernie.msh")
    shutil.move(folder / "T1.nii.gz", tmp_path / "ernie_T1fs_conform.nii.gz")
    assert set(head_images(folder)) == {"t1"}
    assert head_images(folder)["t1"].values.max() == 7


def test_a_mesh_that_only_lies_near_a_folder_of_simnibs_gets_no_map(tmp_path):
    put(tmp_path / "m2m_ernie", tmp_path / "m2m_ernie" / "ernie.msh")
    write_msh(tmp_path / "other.msh", MESH)
    write_msh(tmp_path / "ernie.msh", MESH)  # the folder has its own
    for name in ("other.msh", "ernie.msh"):
        assert m2m_of(tmp_path / name) is None
        assert accepted(read_head, tmp_path / name).mapping is None


def test_a_folder_with_several_meshes_or_signs_of_none_is_refused(tmp_path):
    folder = put(tmp_path / "renamed", tmp_path / "renamed" / "ernie.msh")
    write_msh(folder / "field.msh", MESH)
    assert mesh_of(folder) is None
    with pytest.raises(InputError, match=r"is no head: .*its one \.msh"):
        read_head(folder)
    (tmp_path / "plain").mkdir()
    write_msh(tmp_path / "plain" / "a.msh", MESH)
    assert not is_head(tmp_path / "plain")


def test_our_own_head_is_read_by_its_mesh_with_all_it_holds(tmp_path):
    mesh = TetMesh(NODES, TETS, np.array([4, 5]))
    head = HeadModel(mesh, np.array([0.3, 0.4]), name="changed")
    labels = Image(np.full((4, 4, 4), 4, np.uint16), PLACED, tmp_path / "labels.nii.gz")
    write_head(head, tmp_path / "HEAD", t1=labels, labels=labels, qc=False)
    (tmp_path / "HEAD" / "toMNI").mkdir()  # not even then is it one of SimNIBS
    for given in (tmp_path / "HEAD", tmp_path / "HEAD" / "head.msh"):
        read = accepted(read_head, given)
        assert (read.name, read.conductivity.tolist()) == ("changed", [0.3, 0.4])
        assert set(head_images(given)) == {"t1", "labels"}
