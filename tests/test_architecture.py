"""The rooms of the house may only look down: the plan is in neuro_field/__init__.py."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "neuro_field"

#: Bottom to top.  Rooms on one floor do not import one another.
FLOORS = [
    {"errors"},
    {"findings", "names", "nouns", "threads", "caches"},
    {"arrays"},
    {"units", "kernels"},
    {"geometry"},
    {"head", "coil"},
    {"field", "mri"},
    {"aim", "io"},
    {"reciprocity", "live", "shelf"},
    {"search", "segment", "hotspot"},
    {"clinic"},
    {"navigation"},
    {"report"},
    {"store"},
    {"desk", "cohort"},
    {"console"},
    {"commands"},
    {"cli"},
    {"__init__"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(path):
    """Rooms of neuro_field that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "neuro_field":
                yield node.lineno, rest.partition(".")[0] or "__init__"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_point_down(path):
    room = room_of(path)
    for line, other in imported_rooms(path):
        floor = FLOOR_OF.get(other, FLOOR_OF["__init__"])  # a name of the root
        assert other == room or floor < FLOOR_OF[room], f"{path.name}:{line}: {room!r} may not import {other!r}"


def test_every_room_has_a_floor():
    assert {room_of(path) for path in FILES} == set(FLOOR_OF)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_stay_readable(path):
    assert len(path.read_text().splitlines()) <= 500
