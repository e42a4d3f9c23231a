"""Words for directions hold all over the scalp, on both sides, and on heads turned or mirrored: what they say is so."""

import re

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from neuro_field.coil.placement import Placement
from neuro_field.report.directions import direction_words, turn_words

#: Unit vectors by the words for them, in the patient's axes: right, front, top.
SAID = {
    "right": (1, 0, 0), "left": (-1, 0, 0), "forwards": (0, 1, 0), "back": (0, -1, 0), "up": (0, 0, 1),
    "down": (0, 0, -1), "upwards": (0, 0, 1), "downwards": (0, 0, -1),
}  # fmt: skip
RNG = np.random.default_rng(4)


def normals(count=60):
    """Outward normals all over a head, those of its six poles among them, and others within a degree of a pole."""
    spread = RNG.normal(size=(count, 3))
    poles = np.concatenate([np.eye(3), -np.eye(3)])
    near = poles + RNG.normal(scale=0.01, size=(6, 3))
    every = np.concatenate([spread, poles, near])
    return every / np.linalg.norm(every, axis=1, keepdims=True)


def held(normal, turn):
    """A coil that lies on a place with this outward normal, its handle turned by any angle."""
    start = np.cross(normal, [0.3, -0.5, 0.8])
    y = Rotation.from_rotvec(np.radians(turn) * normal).apply(start / np.linalg.norm(start))
    pose = np.eye(4)
    pose[:3, :3] = np.stack([np.cross(y, -normal), y, -normal], axis=1)
    return Placement(pose)


def understood(words, normal):
    """The handle (3,) that someone who reads the words would hold the coil by, lying flat on the place."""
    straight = {"straight back": "back", "straight up": "up", "straight down": "down", "straight forwards": "forwards"}
    if words in straight:
        return flat(SAID[straight[words]], normal)
    number, reference, side = re.fullmatch(
        r"([0-9.]+)° from straight (back|up), (?:towards the patient's )?(left|right|upwards|downwards)", words
    ).groups()
    ahead = flat(SAID[reference], normal)
    aside = flat(SAID[side], normal)
    aside -= (aside @ ahead) * ahead
    angle = np.radians(float(number))
    return np.cos(angle) * ahead + np.sin(angle) * aside / np.linalg.norm(aside)


def flat(direction, normal):
    along = np.array(direction, float) - (np.array(direction, float) @ normal) * normal
    return along / np.linalg.norm(along)


@pytest.mark.parametrize("axes", [np.eye(3), Rotation.from_euler("xyz", (20, -35, 70), degrees=True).as_matrix()])
def test_who_reads_the_words_holds_the_handle_so_wherever_on_the_head(axes):
    for normal in normals():
        for turn in (0.0, 17.0, 45.0, 90.0, 140.0, 179.0, 200.0, 290.0, 341.0):
            placement = held(axes.T @ normal, turn)
            read = axes.T @ understood(turn_words(placement, axes), normal)
            assert np.degrees(np.arccos(min(read @ placement.handle_direction, 1.0))) < 0.6, (normal, turn)


@pytest.mark.parametrize(
    ("normal", "handle", "words"),
    [
        ((0, 0, 1), (-1, -1, 0), "45° from straight back, towards the patient's left"),
        ((0, 0, 1), (1, -1, 0), "45° from straight back, towards the patient's right"),
        ((-1, 0, 0), (0, -1, 1), "45° from straight back, upwards"),
        ((1, 0, 0), (0, -1, 1), "45° from straight back, upwards"),
        ((-1, 0, 0), (0, -1, -1), "45° from straight back, downwards"),
        ((1, 0, 0), (0, 0, 1), "90° from straight back, upwards"),
        ((-1, 0, 1), (-1, 0, -1), "90° from straight back, towards the patient's left"),
        ((0, 1, 0), (0, 0, 1), "straight up"),
        ((0, 1, 0), (-1, 0, 1), "45° from straight up, towards the patient's left"),
        ((0, -1, 0), (1, 0, 1), "45° from straight up, towards the patient's right"),
        ((0, -1, 0), (0, 0, -1), "straight down"),
        ((1, 0, 0), (0, 1, 0), "straight forwards"),
    ],
)
def test_temples_forehead_and_occiput_have_words_of_their_own(normal, handle, words):
    normal, y = np.array(normal, float), -np.array(handle, float)
    normal, y = normal / np.linalg.norm(normal), y / np.linalg.norm(y)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([np.cross(y, -normal), y, -normal], axis=1)
    assert turn_words(Placement(pose), np.eye(3)) == words


def test_words_of_a_mirrored_head_are_mirrored():
    swap = {"left": "right", "right": "left"}
    mirror = np.array([-1.0, 1, 1])
    for normal in normals():
        for turn in (10.0, 80.0, 170.0, 260.0):
            placement = held(normal, turn)
            y, z = placement.head_from_coil[:3, 1] * mirror, placement.head_from_coil[:3, 2] * mirror
            pose = np.eye(4)
            pose[:3, :3] = np.stack([np.cross(y, z), y, z], axis=1)
            there = re.sub("left|right", lambda found: swap[found[0]], turn_words(placement, np.eye(3)))
            assert turn_words(Placement(pose), np.eye(3)) == there


def test_angles_grow_as_the_handle_is_turned():
    """From straight back (or up) all the way to straight forwards (or down), by half degrees, on every place."""
    for normal in normals(12):
        first = held(normal, 0.0).handle_direction
        start = flat(SAID["up" if abs(normal[1]) > np.sqrt(0.5) else "back"], normal)
        offset = np.degrees(np.arctan2(np.cross(first, start) @ normal, first @ start))
        told = [turn_words(held(normal, offset + turn), np.eye(3)) for turn in range(1, 180)]
        numbers = [float(words.split("°")[0]) for words in told]
        assert (np.diff(numbers) > 0.4).all()
        assert len({words.split(", ")[1] for words in told}) == 1


@pytest.mark.parametrize("side", [None, "left", "right"])
def test_directions_are_said_by_the_parts_they_have(side):
    for direction in RNG.normal(size=(200, 3)):
        parts = direction / np.linalg.norm(direction)
        words = re.sub(r" \((lateral|medial)\)", "", direction_words(direction, np.eye(3), side))
        said = [SAID[word] for word in re.findall("left|right|forwards|back|up|down", words)]
        sizes = [parts @ np.array(each) for each in said]
        assert all(size > np.sin(np.radians(15)) - 1e-9 for size in sizes)
        assert sizes == sorted(sizes, reverse=True) or max(np.diff(sizes)) < 1e-3
        assert len(said) == np.count_nonzero(np.abs(parts) > np.sin(np.radians(15)))


@pytest.mark.parametrize(("side", "outwards"), [("left", -1.0), ("right", 1.0)])
def test_lateral_is_away_from_the_midline_on_either_side(side, outwards):
    assert direction_words(np.array([outwards, 0, 0]), np.eye(3), side) == f"to the {side} (lateral)"
    assert direction_words(np.array([-outwards, 0, 0]), np.eye(3), side).endswith("(medial)")
