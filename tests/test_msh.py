"""Gmsh meshes: one mesh in every dialect reads the same, and no damage passes for a mesh."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests_support import accepted

from neuro_field.errors import FileFormatError, InputError
from neuro_field.findings import Finding
from neuro_field.geometry.mesh import TetMesh
from neuro_field.io.msh import read_msh, write_msh
from neuro_field.io.msh_sections import read_sections

NODES = np.array([[0, 0, 0], [1.5, 0, 0], [0, 2, 0], [0, 0, 2.5], [1, 1, 1]]) * 10.0 + 1 / 3
TETS = np.array([[0, 1, 2, 3], [1, 2, 3, 4]])
TAGS = np.array([2, 21])
MESH = TetMesh(NODES, TETS, TAGS)


def text_22(turned=False, first=7):
    """ASCII 2.2 with node numbers from ``first`` in falling order, a triangle and a point among the elements."""
    numbers = first + 3 * np.arange(5)
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$Comments", "any $text", "$EndComments"]
    lines += ["$PhysicalNames", "2", '2 1005 "skin"', '3 21 "lesion_cavity"', "$EndPhysicalNames", "$Nodes", "5"]
    lines += [f"{numbers[i]} " + " ".join(repr(float(x)) for x in NODES[i]) for i in (4, 3, 2, 1, 0)]
    lines += ["$EndNodes", "$Elements", "4", f"1 15 2 0 0 {numbers[0]}"]
    lines += [f"2 2 2 1005 1005 {numbers[0]} {numbers[1]} {numbers[2]}"]
    for k, (tet, tag) in enumerate(zip(TETS, TAGS, strict=True)):
        order = tet[[0, 2, 1, 3]] if turned else tet
        lines.append(f"{k + 5} 4 2 {tag} {tag} " + " ".join(str(numbers[i]) for i in order))
    lines += ["$EndElements", "$ElementData", "1", '"sigma"', "1", "0.0", "4", "0", "1", "1", "0", "6 0.25"]
    return "\n".join([*lines, "$EndElementData", ""]).encode()


def singles_22(order="<"):
    """Binary 2.2 as Gmsh writes it: a header before every single element."""
    i4, f8 = np.dtype(f"{order}i4"), np.dtype(f"{order}f8")
    out = b"$MeshFormat\n2.2 1 8\n" + np.array(1, i4).tobytes() + b"\n$EndMeshFormat\n$Nodes\n5\n"
    for k, node in enumerate(NODES):
        out += np.array(k + 1, i4).tobytes() + node.astype(f8).tobytes()
    out += b"\n$EndNodes\n$Elements\n3\n" + np.array([2, 1, 2, 1, 1005, 1005, 1, 2, 3], i4).tobytes()
    for k, (tet, tag) in enumerate(zip(TETS, TAGS, strict=True)):
        out += np.array([4, 1, 2, k + 2, tag, tag, *(tet + 1)], i4).tobytes()
    return out + b"\n$EndElements\n"


def text_41():
    """ASCII 4.1: the physical tag stands with the volume entity."""
    lines = ["$MeshFormat", "4.1 0 8", "$EndMeshFormat", "$Entities", "1 0 1 2", "1 0 0 0 0"]
    lines += ["9 0 0 0 1 1 1 1 1005 0", "31 0 0 0 1 1 1 1 2 1 9", "32 0 0 0 1 1 1 1 21 0", "$EndEntities"]
    lines += ["$Nodes", "2 5 1 5", "2 9 0 3", "1", "2", "3"]
    lines += [" ".join(repr(float(x)) for x in node) for node in NODES[:3]]
    lines += ["3 31 0 2", "4", "5", *(" ".join(repr(float(x)) for x in node) for node in NODES[3:])]
    lines += ["$EndNodes", "$Elements", "3 3 1 3", "2 9 2 1", "1 1 2 3"]
    lines += ["3 31 4 1", "2 1 2 3 4", "3 32 4 1", "3 2 3 4 5", "$EndElements", ""]
    return "\n".join(lines).encode()


def binary_41():
    """Binary 4.1 of the same."""

    def ints(*values):
        return np.array(values, "<i4").tobytes()

    def sizes(*values):
        return np.array(values, "<u8").tobytes()

    box = np.zeros(6).tobytes()
    out = b"$MeshFormat\n4.1 1 8\n" + ints(1) + b"\n$EndMeshFormat\n$Entities\n" + sizes(1, 0, 1, 2)
    out += ints(1) + np.zeros(3).tobytes() + sizes(0)
    out += ints(9) + box + sizes(1) + ints(1005) + sizes(0)
    out += ints(31) + box + sizes(1) + ints(2) + sizes(1) + ints(9)
    out += ints(32) + box + sizes(1) + ints(21) + sizes(0) + b"\n$EndEntities\n$Nodes\n" + sizes(2, 5, 1, 5)
    out += ints(2, 9, 0) + sizes(3) + sizes(1, 2, 3) + NODES[:3].tobytes()
    out += ints(3, 31, 0) + sizes(2) + sizes(4, 5) + NODES[3:].tobytes()
    out += b"\n$EndNodes\n$Elements\n" + sizes(3, 3, 1, 3) + ints(2, 9, 2) + sizes(1) + sizes(1, 1, 2, 3)
    out += ints(3, 31, 4) + sizes(1) + sizes(2, 1, 2, 3, 4) + ints(3, 32, 4) + sizes(1) + sizes(3, 2, 3, 4, 5)
    return out + b"\n$EndElements\n"


def parts_41(own_groups=True):
    """ASCII 4.1 of a mesh cut for two processors: elements belong to parts 77 and 78 of the volumes 31 and 32."""
    groups = ("1 2", "1 21") if own_groups else ("0", "0")
    parts = ["$PartitionedEntities", "2", "0", "1 0 1 2", "5 0 1 1 1 0 0 0 0", "9 2 9 2 1 2 0 0 0 1 1 1 0 0"]
    parts += [f"77 3 31 1 1 0 0 0 1 1 1 {groups[0]} 1 9", f"78 3 32 1 2 0 0 0 1 1 1 {groups[1]} 0"]
    text = text_41().decode().replace("$EndEntities", "\n".join(["$EndEntities", *parts, "$EndPartitionedEntities"]))
    return text.replace("3 31 4 1", "3 77 4 1").replace("3 32 4 1", "3 78 4 1").encode()


def parts_binary(own_groups=True):
    """Binary 4.1 of the same."""

    def ints(*values):
        return np.array(values, "<i4").tobytes()

    def sizes(*values):
        return np.array(values, "<u8").tobytes()

    box = np.zeros(6).tobytes()
    parts = b"$PartitionedEntities\n" + sizes(2, 0, 1, 0, 1, 2)
    parts += ints(5, 0, 1) + sizes(1) + ints(1) + np.zeros(3).tobytes() + sizes(0)
    parts += ints(9, 2, 9) + sizes(2) + ints(1, 2) + box + sizes(0, 0)
    for part, parent, processor, group in ((77, 31, 1, 2), (78, 32, 2, 21)):
        parts += ints(part, 3, parent) + sizes(1) + ints(processor) + box
        parts += (sizes(1) + ints(group) if own_groups else sizes(0)) + sizes(0)
    parts += b"\n$EndPartitionedEntities\n"
    data = binary_41().replace(b"$Nodes\n", parts + b"$Nodes\n")
    return data.replace(ints(3, 31, 4), ints(3, 77, 4)).replace(ints(3, 32, 4), ints(3, 78, 4))


def second_order_22():
    """ASCII 2.2 with ten nodes an element: the last six lie on edges, and off them."""
    numbers = 1 + np.arange(5)
    places = [f"{k + 1} " + " ".join(map(repr, node.tolist())) for k, node in enumerate(NODES)]
    places += [f"{n} {n}.5 0.0 {n}.25" for n in range(6, 18)]
    elements = []
    for k, (tet, tag) in enumerate(zip(TETS, TAGS, strict=True)):
        edges = range(6 + 6 * k, 12 + 6 * k)
        elements.append(f"{k + 1} 11 2 {tag} {tag} " + " ".join(map(str, [*numbers[tet], *edges])))
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$Nodes", "17", *places, "$EndNodes"]
    return "\n".join([*lines, "$Elements", "2", *elements, "$EndElements", ""]).encode()


DIALECTS = {
    "2.2 ascii": text_22(),
    "2.2 ascii, tetrahedra turned": text_22(turned=True),
    "2.2 binary, one header each": singles_22(),
    "2.2 binary, big-endian": singles_22(">"),
    "4.1 ascii": text_41(),
    "4.1 binary": binary_41(),
    "4.1 ascii, in parts": parts_41(),
    "4.1 ascii, in parts whose parents say what they are": parts_41(own_groups=False),
    "4.1 binary, in parts": parts_binary(),
    "4.1 binary, in parts whose parents say what they are": parts_binary(own_groups=False),
    "2.2 ascii, second order": second_order_22(),
}


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


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dialect=st.sampled_from(sorted(DIALECTS)), data=st.data())
def test_random_damage_gives_a_mesh_or_one_line_never_a_traceback(tmp_path, dialect, data):
    raw = bytearray(DIALECTS[dialect])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    (tmp_path / "a.msh").write_bytes(bytes(raw))
    message, file = "", None
    try:
        file = read_msh(tmp_path / "a.msh")
    except InputError as trouble:
        message = str(trouble)
    assert "\n" not in message
    assert len(message) < 600
    assert (file is None) == bool(message)
    if file is None:
        return
    mesh = file.mesh
    assert (mesh.volumes > 0).all()
    assert (mesh.tags > 0).all()
    assert np.array_equal(np.unique(mesh.tets), np.arange(len(mesh.nodes)))
    assert all(len(values) == len(mesh.tets) for values in file.element_data.values())
    if not any('"' in name or name != name.strip() for name in file.names.values()):
        write_msh(tmp_path / "again.msh", mesh, names=file.names)
        again = read_msh(tmp_path / "again.msh")
        np.testing.assert_array_equal(again.mesh.nodes, mesh.nodes)
        np.testing.assert_array_equal(again.mesh.tets, mesh.tets)
        np.testing.assert_array_equal(again.mesh.tags, mesh.tags)
        assert again.names == file.names
