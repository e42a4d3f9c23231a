"""Gmsh meshes: one mesh in every dialect reads the same, and no damage passes for a mesh."""

import numpy as np
import pytest
from msh_dialects import DIALECTS, MESH, NODES, TAGS, TETS, second_order_22, singles_22, text_22, text_41
from tests_support import accepted

from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.io.msh import read_msh, write_msh
from neuro_field.io.msh_sections import read_sections


def assert_same_mesh(mesh):
    """The same tetrahedra at the same places, whatever their node numbers."""
    places = mesh.nodes[mesh.tets]
    np.testing.assert_array_equal(np.sort(places, axis=1), np.sort(NODES[TETS], axis=1))
    np.testing.assert_array_equal(mesh.tags, TAGS)
    assert (mesh.volumes > 0).all()
    np.testing.assert_allclose(mesh.volumes, np.abs(MESH.volumes), rtol=1e-12)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_mesh_in_every_dialect_reads_the_same(tmp_path, dialect):
    (tmp_path / "a.msh").write_bytes(DIALECTS[dialect])
    assert_same_mesh(accepted(read_msh, tmp_path / "a.msh").mesh)


def test_a_volume_in_no_physical_group_is_refused(tmp_path):
    """Its own number would make it the tissue of that number."""
    for data in (
        text_41().replace(b"32 0 0 0 1 1 1 1 21 0", b"5 0 0 0 1 1 1 0 0").replace(b"3 32 4 1", b"3 5 4 1"),
        text_22().replace(b" 4 2 21 21 ", b" 4 2 0 21 "),
        text_22().replace(b" 4 2 21 21 ", b" 4 0 "),
    ):
        (tmp_path / "a.msh").write_bytes(data)
        with pytest.raises(FileFormatError, match="1 of its 2 tetrahedra are in no physical group"):
            read_msh(tmp_path / "a.msh")


def test_what_is_left_of_a_mesh_of_second_order_is_said(tmp_path):
    (tmp_path / "a.msh").write_bytes(second_order_22())
    file = accepted(read_msh, tmp_path / "a.msh")
    assert file.findings == (Finding("head-mesh-curved", "note", {"order": 2}),)
    assert len(file.mesh.nodes) == len(NODES)
    (tmp_path / "a.msh").write_bytes(text_22())
    assert read_msh(tmp_path / "a.msh").findings == ()


def test_names_and_data_come_with_the_mesh(tmp_path):
    (tmp_path / "a.msh").write_bytes(text_22())
    file = read_msh(tmp_path / "a.msh")
    assert file.names == {21: "lesion_cavity"}
    np.testing.assert_array_equal(file.element_data["sigma"], [np.nan, 0.25])


def test_what_is_written_reads_back_bit_for_bit(tmp_path):
    rng = np.random.default_rng(5)
    data = {"one": rng.random(2), "three": rng.random((2, 3)), "nine": rng.random((2, 3, 3))}
    write_msh(tmp_path / "a.msh", MESH, names={2: "grey_matter", 21: "lesion cavity"}, element_data=data)
    file = read_msh(tmp_path / "a.msh")
    np.testing.assert_array_equal(file.mesh.nodes, MESH.nodes)
    np.testing.assert_array_equal(np.sort(file.mesh.tets, axis=1), np.sort(MESH.tets, axis=1))
    np.testing.assert_array_equal(file.mesh.tags, MESH.tags)
    assert file.names == {2: "grey_matter", 21: "lesion cavity"}
    for name, values in data.items():
        np.testing.assert_array_equal(file.element_data[name].ravel(), values.ravel())


def test_many_single_headers_are_read_in_runs(tmp_path):
    count = 5000
    out = singles_22().split(b"$Elements")[0] + f"$Elements\n{count}\n".encode()
    rows = np.tile(np.array([4, 1, 2, 0, 2, 2, 1, 2, 3, 4], "<i4"), (count, 1))
    rows[:, 3] = np.arange(1, count + 1)
    rows[2500:, 4] = 3
    (tmp_path / "a.msh").write_bytes(out + rows.tobytes() + b"\n$EndElements\n")
    raw = read_sections(tmp_path / "a.msh")
    assert len(raw.tetrahedra) == count
    assert np.count_nonzero(raw.tags == 3) == count - 2500
    with pytest.raises(FileFormatError, match=r"1 tetrahedra several times, in its physical groups \[2, 3\]"):
        read_msh(tmp_path / "a.msh")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b"", r"\$MeshFormat was expected"),
        (lambda b: b"solid stl\n" * 30, r"\$MeshFormat was expected"),
        (lambda b: b.replace(b"2.2 0 8", b"4.0 0 8"), "save it again"),
        (lambda b: b.replace(b"$Nodes\n5", b"$Nodes\n500000000"), r"claimed.*\$Nodes"),
        (lambda b: b.replace(b"$Nodes\n5", b"$Nodes\n4"), r"\$Nodes"),
        (lambda b: b.replace(b"$Elements\n4", b"$Elements\n5"), r"\$Elements"),
        (lambda b: b.replace(b" 21 21 ", b" 21 21 9"), "use 1 node numbers"),
        (lambda b: b.replace(b"16 0.3333333333333333 ", b"16 nan "), r"\$Nodes.*not finite"),
        (lambda b: b.split(b"$Elements")[0], "missing"),
        (lambda b: b[: b.index(b"$EndNodes") - 30], r"\$Nodes"),
        (lambda b: b.replace(b" 4 2 ", b" 2 2 "), "surface mesh"),
    ],
)
def test_damage_is_named_with_its_place(tmp_path, change, message):
    (tmp_path / "bad.msh").write_bytes(change(text_22()))
    with pytest.raises(FileFormatError, match=message) as caught:
        read_msh(tmp_path / "bad.msh")
    assert "bad.msh" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_flat_tetrahedron_and_a_missing_file_are_refused(tmp_path):
    flat = TetMesh(np.where(np.arange(5)[:, None] == 3, NODES[0], NODES), TETS, TAGS)
    write_msh(tmp_path / "flat.msh", flat)
    with pytest.raises(FileFormatError, match="without volume"):
        read_msh(tmp_path / "flat.msh")
    far = TetMesh(np.where(np.arange(5)[:, None] == 3, 1e200, NODES), TETS, TAGS)
    write_msh(tmp_path / "far.msh", far)
    with pytest.raises(FileFormatError, match="beyond"):
        read_msh(tmp_path / "far.msh")
    with pytest.raises(InputError, match="does not exist"):
        read_msh(tmp_path / "none.msh")
    with pytest.raises(InputError, match=r"named \.msh"):
        write_msh(tmp_path / "a.vtk", MESH)
