"""Damaged files of every kind, a few of each; and that the harness sees what is wrong (`make fuzz` runs thousands)."""

import numpy as np
import pytest
from fuzz import LONGEST, MOST_MEMORY, Seeds, attempt, judged, quiet
from fuzz_damage import damage
from fuzz_kinds import KINDS, Kind
from tests_support import leaks

from neuro_field.errors import InputError

#: Damaged files of each kind, and of those whose reading takes longest.
FEW, FEWER = 8, 2
SLOW = ("m2m", "PLAN", "PLAN card", "PLAN version 2")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    quiet()
    yield Seeds(tmp_path_factory.mktemp("seeds"))
    import nibabel

    nibabel.imageglobals.logger.disabled = False


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_good_file_is_read_and_comes_back_and_damaged_ones_do_or_are_refused(seeds, tmp_path, kind):
    assert judged(kind, seeds.folder(kind), tmp_path) == ("held", "")
    place = KINDS.index(kind)
    for turn in range(FEWER if kind.name in SLOW else FEW):
        folder = tmp_path / str(turn)
        folder.mkdir()
        outcome = attempt(seeds, 0, place + turn * len(KINDS), folder)
        assert outcome.verdict in ("held", "refused"), outcome
        assert outcome.memory < MOST_MEMORY


def refuse(error):
    def read(folder):
        raise error

    return read


def broken(folder):
    return {}["a table"]


def unequal(read, again):
    assert read == "another"


@pytest.mark.parametrize(
    ("read", "hold", "verdict"),
    [
        (lambda folder: "read", lambda read, again: None, "held"),
        (refuse(InputError("one\nline")), unequal, "refused"),
        (refuse(FileNotFoundError("two\nlines")), unequal, "not one plain line"),
        (refuse(FileNotFoundError("a" * (LONGEST + 1))), unequal, "too long a message"),
        (refuse(MemoryError()), unequal, "traceback"),
        (broken, unequal, "traceback"),
        (lambda folder: np.float32([3e38]) * np.float32(10), lambda read, again: None, "traceback"),  # it warns
        (lambda folder: "read", unequal, "does not hold"),
    ],
)
def test_the_harness_tells_what_is_wrong(tmp_path, read, hold, verdict):
    kind = Kind("a", lambda folder: None, read, hold)
    assert judged(kind, tmp_path, tmp_path / "again")[0] == verdict


def test_a_slow_file_is_told(tmp_path, monkeypatch):
    def make(folder):
        (folder / "a.txt").write_text("1 2 3")

    kind = Kind("a", make, lambda folder: sum(range(100_000)), lambda read, again: None)
    folder, seeds = tmp_path / "work", Seeds(tmp_path / "seeds", (kind,))
    folder.mkdir()
    (tmp_path / "seeds").mkdir()
    monkeypatch.setattr("fuzz.MOST_SECONDS", -1.0)
    assert attempt(seeds, 0, 0, folder).verdict == "slow"


def test_a_number_gives_the_same_damage_again_and_another_another(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, 2, {"b": "text"}], "c": 2.5e3}')
    made = [damage(path, np.random.default_rng([0, number])) for number in range(60)]
    assert made == [damage(path, np.random.default_rng([0, number])) for number in range(60)]
    assert len(set(made)) > 40
    assert sum(text != path.read_bytes() for text in made) > 50


def test_a_patch_that_is_never_undone_is_noticed():
    patch = pytest.MonkeyPatch()
    patch.setattr("neuro_field.errors.LONGEST", 10)
    assert leaks([patch]) == ["neuro_field.errors.LONGEST"]
    patch.undo()
    assert leaks([patch]) == []
