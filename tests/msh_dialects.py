"""One small mesh of two tetrahedra in every dialect of Gmsh's .msh that is read."""

import numpy as np

from neuro_field.geometry.mesh import TetMesh

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
