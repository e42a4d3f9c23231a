"""The sections of a Gmsh .msh file as plain arrays: a reader that believes no count before it fits the file."""

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np

from neuro_field.arrays import AnyArray
from neuro_field.errors import FileFormatError
from neuro_field.io.tissue_names import tissue_called

#: Nodes of an element by Gmsh's type number: the kinds that head and coil meshes hold, of every order up to five.
NODES_OF = {
    1: 2, 2: 3, 3: 4, 4: 4, 5: 8, 6: 6, 7: 5, 8: 3, 9: 6, 10: 9, 11: 10, 12: 27, 13: 18, 14: 14, 15: 1,
    16: 8, 17: 20, 18: 15, 19: 13, 20: 9, 21: 10, 22: 12, 23: 15, 24: 15, 25: 21, 26: 4, 27: 5, 28: 6, 29: 20, 30: 35,
    31: 56,
}  # fmt: skip

#: Tetrahedra by type number, and their order; their corners are the first four nodes.
ORDER_OF = {4: 1, 11: 2, 29: 3, 30: 4, 31: 5}

#: Volume elements that are no tetrahedra.
OTHER_VOLUMES = {
    5: "hexahedra", 12: "hexahedra", 17: "hexahedra", 6: "prisms", 13: "prisms", 18: "prisms", 7: "pyramids",
    14: "pyramids", 19: "pyramids",
}  # fmt: skip

#: Largest file, bytes: a head of five million tetrahedra takes 0.2 GB, and each field on it as much again.
MOST_FILE_BYTES = 2_000_000_000

#: Bytes of text that are taken apart at once.
_PIECE = 4_000_000


@dataclass(eq=False)
class RawMesh:
    """Arrays as the file numbers them.

    ``node_numbers`` (n,), ``nodes`` (n, 3), ``element_numbers`` (t,), ``tetrahedra`` (t, 4) node numbers,
    ``tags`` (t,) numbers of physical groups, 0 where an element is in none, ``names`` of these,
    ``element_data`` {name: (element numbers (r,), values (r, k))}, ``orders`` of the tetrahedra, ``others`` kinds of
    volume elements that are none, and how many.  ``groups_of`` a volume entity and ``parent_of`` a part of one belong
    to version 4.1.
    """

    node_numbers: AnyArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    nodes: AnyArray = field(default_factory=lambda: np.zeros((0, 3)))
    element_numbers: AnyArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    tetrahedra: AnyArray = field(default_factory=lambda: np.zeros((0, 4), dtype=np.int64))
    tags: AnyArray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    names: dict[int, str] = field(default_factory=dict)
    element_data: dict[str, tuple[AnyArray, AnyArray]] = field(default_factory=dict)
    orders: set[int] = field(default_factory=set)
    others: Counter[str] = field(default_factory=Counter)
    groups_of: dict[int, list[int]] = field(default_factory=dict)
    parent_of: dict[int, int] = field(default_factory=dict)

    def keep(self, kind: int, numbers: AnyArray, tags: AnyArray, nodes: AnyArray) -> None:
        """Elements of one kind, with all their nodes: of tetrahedra the corners are kept, other volumes are counted."""
        if kind in OTHER_VOLUMES:
            self.others[OTHER_VOLUMES[kind]] += len(numbers)
        if kind not in ORDER_OF or not len(numbers):
            return
        self.orders.add(ORDER_OF[kind])
        self.element_numbers = np.concatenate([self.element_numbers, numbers.astype(np.int64)])
        self.tags = np.concatenate([self.tags, np.abs(tags).astype(np.int32)])
        self.tetrahedra = np.concatenate([self.tetrahedra, nodes[:, :4].astype(np.int64)])

    def group(self, entity: int) -> int:
        """The physical group of a volume entity, or of the one it is a part of; 0 where it is in none.

        Of several groups the one that is named as a tissue is meant; where that does not decide it, ValueError.
        """
        groups = self.groups_of.get(entity) or self.groups_of.get(self.parent_of.get(entity, entity)) or [0]
        named = [group for group in groups if tissue_called(self.names.get(group, "")) is not None]
        chosen = sorted(set(groups if len(groups) == 1 else named))
        if len(chosen) != 1:
            raise ValueError(groups)
        return chosen[0]


class Reader:
    """A cursor over the bytes of a file that names the file and the section when it stumbles."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data, self.at, self.section = path, data, 0, "its start"
        self.binary = False
        self.order: Literal["<", ">"] = "<"

    def wrong(self, what: str) -> FileFormatError:
        return FileFormatError(f"The mesh {self.path} is damaged or no .msh file: {what} in {self.section}.")

    def line(self) -> str:
        """The next line, stripped."""
        end = self.data.find(b"\n", self.at)
        end = len(self.data) if end < 0 else end
        if self.at >= len(self.data):
            raise self.wrong("the file ends")
        raw, self.at = self.data[self.at : end], end + 1
        if len(raw) > 4096:
            raise self.wrong("text was expected, other bytes were found")
        return raw.decode("utf-8", errors="replace").strip()

    def numbers(self, count: int, kind: type = int) -> list:
        """The numbers of the next line."""
        text = self.line()
        try:
            out = [kind(word) for word in text.split()]
        except ValueError:
            raise self.wrong(f"numbers were expected, {text[:40]!r} was found") from None
        if len(out) < count:
            raise self.wrong(f"{count} numbers were expected, {text[:40]!r} was found")
        return out

    def count(self, bytes_each: int) -> int:
        """A count from the next line, that fits what is left of the file."""
        return self.fits(self.numbers(1)[0], bytes_each)

    def fits(self, count: int, bytes_each: int) -> int:
        """The count itself, if so many items can be in what is left of the file."""
        left = len(self.data) - self.at
        if count < 0 or count * bytes_each > left + 2:
            raise self.wrong(f"{count} items are claimed, more than the {left} bytes left can hold")
        return int(count)

    def take(self, dtype: np.dtype, count: int) -> AnyArray:
        """Binary items."""
        dtype = np.dtype(dtype).newbyteorder(self.order)
        self.fits(count, dtype.itemsize)
        if count * dtype.itemsize > len(self.data) - self.at:
            raise self.wrong("the file ends")
        out = np.frombuffer(self.data, dtype, count, self.at)
        self.at += count * dtype.itemsize
        return out

    def table(self, rows: int, least: int) -> AnyArray:
        """(rows, least) float64: the leading columns of lines of numbers, which may differ in length."""
        out = np.empty((rows, least))
        for i in range(rows):
            out[i] = self.numbers(least, float)[:least]
        return out

    def even_table(self, rows: int, columns: int) -> AnyArray:
        """(rows, columns) float64 of as many lines, parsed at once."""
        end = self.data.find(b"$", self.at)
        end = end if end >= 0 else len(self.data)
        flat, found = np.empty(rows * columns), 0
        while self.at < end:  # by pieces that end with a line: words take many times their text
            stop = self.data.find(b"\n", min(self.at + _PIECE, end), end) + 1 or end
            words = self.data[self.at : stop].split()
            try:
                numbers = np.array(words, dtype=np.float64)
            except ValueError:
                raise self.wrong("numbers were expected, other text was found") from None
            flat[found : found + len(words)] = numbers[: max(0, len(flat) - found)]
            found, self.at = found + len(words), stop
        if found != len(flat):
            raise self.wrong(f"{rows} lines of {columns} numbers were expected, {found} numbers were found")
        return flat.reshape(rows, columns)

    def whole(self, values: AnyArray) -> AnyArray:
        """Item numbers that came as text, as int64."""
        if not (np.abs(values) < 2.0**53).all():
            raise self.wrong("whole numbers were expected, others were found")
        return values.astype(np.int64)

    def end(self) -> None:
        """The line that closes the section."""
        name = self.section.removeprefix("$")
        while not (text := self.line()):
            pass
        if text != f"$End{name}":
            raise self.wrong(f"its end was expected, {text[:40]!r} was found")


def read_sections(path: Path) -> RawMesh:
    """The sections of a .msh file.

    Raises
    ------
    FileFormatError
        If it is no .msh 2.2 or 4.1 file or damaged; names the file and the section.
    """
    size = path.stat().st_size
    if size > MOST_FILE_BYTES:
        raise FileFormatError(
            f"The mesh {path} is {size / 1e9:.1f} GB; at most {MOST_FILE_BYTES / 1e9:.0f} GB are read: save it binary, "
            "without fields."
        )
    reader = Reader(path, path.read_bytes())
    if not reader.data.startswith(b"$MeshFormat"):
        raise reader.wrong("$MeshFormat was expected")
    version = _format(reader)
    raw = RawMesh()
    known: dict[str, Callable[[Reader, RawMesh], None]] = {
        "$PhysicalNames": _names,
        "$ElementData": _element_data,
        "$Entities": _entities_41,
        "$PartitionedEntities": _parts_41,
        "$Nodes": _nodes_41 if version == "4.1" else _nodes_22,
        "$Elements": _elements_41 if version == "4.1" else _elements_22,
    }
    seen = set()
    while reader.at < len(reader.data):
        name = reader.line()
        if not name:
            continue
        if not name.startswith("$"):
            raise reader.wrong(f"a section was expected, {name[:40]!r} was found after what is")
        reader.section = name
        if name in known:
            known[name](reader, raw)
            reader.end()
        else:
            _skip(reader)
        seen.add(name)
    reader.section = "the whole file"
    for needed in ("$Nodes", "$Elements"):
        if needed not in seen:
            raise reader.wrong(f"the section {needed} is missing")
    return raw


def _format(reader: Reader) -> str:
    reader.section = "$MeshFormat"
    reader.line()
    words = reader.line().split()
    if len(words) != 3 or words[0] not in ("2", "2.1", "2.2", "4.1") or words[1] not in ("0", "1") or words[2] != "8":
        raise FileFormatError(
            f"The mesh {reader.path} must be .msh 2.2 or 4.1 with 8-byte reals; instead its format line says "
            f"{' '.join(words)[:40]!r} (save it again with gmsh -format msh22)."
        )
    reader.binary = words[1] == "1"
    if reader.binary:
        one = reader.data[reader.at : reader.at + 4]
        if one not in (b"\x01\0\0\0", b"\0\0\0\x01"):
            raise reader.wrong("the number 1 that tells the byte order is missing")
        reader.order = "<" if one == b"\x01\0\0\0" else ">"
        reader.at += 4
    reader.end()
    return "4.1" if words[0] == "4.1" else "2.2"


def _skip(reader: Reader) -> None:
    """Pass a section this reader does not need."""
    close = reader.data.find(b"$End" + reader.section[1:].encode(), reader.at)
    if close < 0:
        raise reader.wrong("its end is missing")
    reader.at = close
    reader.line()


def _names(reader: Reader, raw: RawMesh) -> None:
    for _ in range(reader.count(5)):
        words = reader.line().split(maxsplit=2)
        if len(words) != 3 or not words[0].isdigit() or not words[1].lstrip("-").isdigit():
            raise reader.wrong(f"a dimension, a tag and a name were expected, {' '.join(words)[:40]!r} was found")
        if words[0] == "3":
            raw.names[int(words[1])] = words[2].strip('"')


def _nodes_22(reader: Reader, raw: RawMesh) -> None:
    if reader.binary:
        count = reader.count(28)
        rows = reader.take(np.dtype([("number", "i4"), ("place", "f8", 3)]), count)
        raw.node_numbers, raw.nodes = rows["number"].astype(np.int64), rows["place"].astype(np.float64)
    else:
        rows = reader.even_table(reader.count(8), 4)
        raw.node_numbers, raw.nodes = reader.whole(rows[:, 0]), rows[:, 1:]


def _elements_22(reader: Reader, raw: RawMesh) -> None:
    if not reader.binary:
        _elements_22_ascii(reader, raw)
        return
    count = reader.count(4)
    done = 0
    blocks: dict[int, list[tuple[AnyArray, AnyArray, AnyArray]]] = {}
    while done < count:
        kind, here, tag_count = (int(value) for value in reader.take(np.dtype("i4"), 3))
        if kind not in NODES_OF or here < 1 or not 0 <= tag_count <= 16:
            raise reader.wrong(f"an element type was expected, {kind}, {here}, {tag_count} was found")
        width = 1 + tag_count + NODES_OF[kind]
        rows = reader.take(np.dtype("i4"), reader.fits(here, 4 * width) * width).reshape(here, width)
        if here == 1:
            rows = np.concatenate([rows, _single_elements(reader, kind, tag_count, width, count - done - 1)])
        tags = rows[:, 1] if tag_count else np.zeros(len(rows))
        blocks.setdefault(kind, []).append((rows[:, 0], tags, rows[:, 1 + tag_count :]))
        done += len(rows)
    if done != count:
        raise reader.wrong(f"{count} elements were expected, {done} were found")
    for kind, found in blocks.items():
        raw.keep(kind, *(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _single_elements(reader: Reader, kind: int, tag_count: int, width: int, most: int) -> AnyArray:
    """Rows of the elements that follow with the same header, one header each, as Gmsh itself writes them."""
    header = np.array([kind, 1, tag_count])
    found, window = [np.zeros((0, width), dtype=np.int32)], 1024
    while most > 0:
        left = (len(reader.data) - reader.at) // (4 * (3 + width))
        window = min(window, most, left)
        start = reader.at
        rows = reader.take(np.dtype("i4"), window * (3 + width)).reshape(window, 3 + width)
        other = np.flatnonzero((rows[:, :3] != header).any(axis=1))
        same = int(other[0]) if len(other) else window
        found.append(rows[:same, 3:])
        reader.at = start + same * 4 * (3 + width)
        if same < window or window == 0:
            break
        most, window = most - window, window * 4
    return np.concatenate(found)


def _elements_22_ascii(reader: Reader, raw: RawMesh) -> None:
    count = reader.count(6)
    close = reader.data.find(b"$EndElements", reader.at)
    if close < 0:
        raise reader.wrong("its end is missing")
    found = 0
    rows: dict[int, array[int]] = {}
    try:
        for line in BytesIO(reader.data[reader.at : close]):
            words = line.split()
            if not words:
                continue
            found += 1
            kind = int(words[1])
            if kind in ORDER_OF:
                first = 3 + int(words[2])
                tag = words[3] if first > 3 else b"0"
                words = [words[0], tag, *words[first : first + NODES_OF[kind]]]
                rows.setdefault(kind, array("q")).extend(int(words[place]) for place in range(2 + NODES_OF[kind]))
            elif kind in OTHER_VOLUMES:
                raw.others[OTHER_VOLUMES[kind]] += 1
    except (ValueError, IndexError, OverflowError):
        raise reader.wrong("a line is not number, type, tags and nodes") from None
    if found != count:
        raise reader.wrong(f"{count} elements were expected, {found} lines were found")
    reader.at = close
    for kind, numbers in rows.items():
        table = np.frombuffer(numbers, dtype=np.int64).reshape(-1, 2 + NODES_OF[kind])
        raw.keep(kind, table[:, 0], table[:, 1], table[:, 2:])


def _element_data(reader: Reader, raw: RawMesh) -> None:
    texts = [reader.line() for _ in range(reader.count(1))]
    for _ in range(reader.count(1)):
        reader.numbers(1, float)
    integers = [reader.numbers(1)[0] for _ in range(reader.count(1))]
    if not texts or len(integers) < 3 or not 1 <= integers[1] <= 9:
        raise reader.wrong("a name, a number of components from 1 to 9 and a count were expected")
    columns, count = integers[1], integers[2]
    if reader.binary:
        reader.fits(count, 4 + 8 * columns)
        rows = reader.take(np.dtype([("number", "i4"), ("value", "f8", (columns,))]), count)
        numbers, values = rows["number"].astype(np.int64), rows["value"].astype(np.float64)
    else:
        table = reader.even_table(reader.fits(count, 2 * (columns + 1)), columns + 1)
        numbers, values = reader.whole(table[:, 0]), table[:, 1:]
    raw.element_data[texts[0].strip('"')] = (numbers, values)


def _entities_41(reader: Reader, raw: RawMesh) -> None:
    """Physical groups of the volumes; points, curves and surfaces are passed over."""
    size = np.dtype("u8")
    counts = reader.take(size, 4).astype(int).tolist() if reader.binary else reader.numbers(4)
    _entity_rows(reader, raw, counts, parts=False)


def _parts_41(reader: Reader, raw: RawMesh) -> None:
    """Physical groups and parents of the parts that a mesh was cut into for several processors."""
    size = np.dtype("u8")
    if reader.binary:
        _, ghosts = reader.take(size, 2).astype(int).tolist()
        reader.take(np.dtype("i4"), 2 * reader.fits(ghosts, 8))
        counts = reader.take(size, 4).astype(int).tolist()
    else:
        reader.numbers(1)
        for _ in range(reader.count(4)):
            reader.numbers(2)
        counts = reader.numbers(4)
    _entity_rows(reader, raw, counts, parts=True)


def _entity_rows(reader: Reader, raw: RawMesh, counts: list[int], *, parts: bool) -> None:
    """The rows of points, curves, surfaces and volumes; those of parts name their parent and processors as well."""
    for dimension, count in enumerate(counts[:4]):
        for _ in range(reader.fits(count, 8)):
            read = _entity_binary if reader.binary else _entity_text
            entity, parent, groups = read(reader, dimension, parts)
            if dimension == 3:
                raw.groups_of[entity] = sorted({abs(group) for group in groups} - {0})
                if parts:
                    raw.parent_of[entity] = parent


def _entity_text(reader: Reader, dimension: int, parts: bool) -> tuple[int, int, list[int]]:
    words = reader.line().split()
    try:
        entity, parent, at = int(words[0]), 0, 1
        if parts:
            parent, at = int(words[2]), 4 + int(words[3])
        at += 3 if dimension == 0 else 6
        return entity, parent, [int(word) for word in words[at + 1 : at + 1 + int(words[at])]]
    except (ValueError, IndexError):
        raise reader.wrong(f"an entity was expected, {' '.join(words)[:40]!r} was found") from None


def _entity_binary(reader: Reader, dimension: int, parts: bool) -> tuple[int, int, list[int]]:
    size, whole = np.dtype("u8"), np.dtype("i4")
    entity, parent = int(reader.take(whole, 1)[0]), 0
    if parts:
        parent = int(reader.take(whole, 2)[1])
        reader.take(whole, int(reader.take(size, 1)[0]))
    reader.take(np.dtype("f8"), 3 if dimension == 0 else 6)
    groups = reader.take(whole, int(reader.take(size, 1)[0])).tolist()
    if dimension > 0:
        reader.take(whole, int(reader.take(size, 1)[0]))
    return entity, parent, groups


def _nodes_41(reader: Reader, raw: RawMesh) -> None:
    size = np.dtype("u8")
    blocks, count = (reader.take(size, 4) if reader.binary else reader.numbers(4))[:2]
    numbers, nodes = [np.zeros(0, dtype=np.int64)], [np.zeros((0, 3))]
    for _ in range(reader.fits(int(blocks), 8)):
        if reader.binary:
            dimension, _, parametric = reader.take(np.dtype("i4"), 3).tolist()
            here = reader.fits(int(reader.take(size, 1)[0]), 32)
            numbers.append(reader.take(size, here).astype(np.int64))
            width = 3 + (dimension if parametric else 0)
            nodes.append(reader.take(np.dtype("f8"), here * width).reshape(here, width)[:, :3])
        else:
            here = reader.fits(reader.numbers(4)[3], 8)
            numbers.append(reader.whole(reader.table(here, 1)[:, 0]))
            nodes.append(reader.table(here, 3))
    raw.node_numbers, raw.nodes = np.concatenate(numbers), np.concatenate(nodes).astype(np.float64)
    if len(raw.nodes) != int(count):
        raise reader.wrong(f"{count} nodes were expected, {len(raw.nodes)} were found")


def _elements_41(reader: Reader, raw: RawMesh) -> None:
    size = np.dtype("u8")
    blocks, count = (reader.take(size, 4) if reader.binary else reader.numbers(4))[:2]
    found = 0
    for _ in range(reader.fits(int(blocks), 8)):
        if reader.binary:
            dimension, entity, kind = reader.take(np.dtype("i4"), 3).tolist()
            here = int(reader.take(size, 1)[0])
        else:
            dimension, entity, kind, here = reader.numbers(4)[:4]
        if kind not in NODES_OF:
            raise reader.wrong(f"an element type was expected, {kind} was found")
        width = 1 + NODES_OF[kind]
        if reader.binary:
            rows = reader.take(size, reader.fits(here, 8 * width) * width).reshape(here, width).astype(np.int64)
        else:
            rows = reader.whole(reader.table(reader.fits(here, 2 * width), width))
        if dimension == 3:
            try:
                tag = raw.group(int(entity))
            except ValueError as error:
                raise FileFormatError(
                    f"The mesh {reader.path}: the volume {entity} is in several physical groups, {error}, and their "
                    "names do not say which tissue it is; leave it in one."
                ) from None
            raw.keep(int(kind), rows[:, 0], np.full(here, tag), rows[:, 1:])
        found += here
    if found != int(count):
        raise reader.wrong(f"{count} elements were expected, {found} were found")
