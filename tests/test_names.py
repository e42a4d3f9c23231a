"""Names as people type them: forgiven where they can be, and the nearest one told where not."""

import pickle

import pytest

import neuro_field as nf
from neuro_field.aim.atlas import SITES, site
from neuro_field.clinic.answers import CONTRAINDICATIONS
from neuro_field.clinic.presets import PRESETS, preset
from neuro_field.errors import UnknownNameError
from neuro_field.names import resolved
from neuro_field.navigation.files import WRITERS, named_systems
from neuro_field.shelf.coils import coil_names


def meant(typed, known):
    """The name, or None for one that is refused."""
    try:
        return resolved("name", typed, known)
    except UnknownNameError:
        return None


def coil_meant(typed):
    try:
        return nf.load_coil(typed).name
    except UnknownNameError:
        return None


def ways(name):
    """The same name as other people write it."""
    return {name.upper(), name.title(), name.replace("-", " "), name.replace("-", "_"), f" {name} "}


@pytest.mark.parametrize(
    "known",
    [
        coil_names(),
        [entry.name for entry in SITES],
        [entry.name for entry in PRESETS],
        list(WRITERS),
        CONTRAINDICATIONS,
    ],
)
def test_capitals_blanks_and_hyphens_are_forgiven_and_no_two_names_meet(known):
    for name in known:
        assert {meant(way, known) for way in ways(name)} == {name}


@pytest.mark.parametrize(
    ("typed", "name"),
    [("D70", "figure8-70mm"), ("Magstim D70", "figure8-70mm"), ("Double Cone", "double-cone"), ("dcc", "double-cone"),
     ("MagVenture C-B60", "c-b60"), ("MCB70", "mc-b70"), ("Cool B65", "cool-b65"), ("FIGURE-8 70 mm", "figure8-70mm")],
)  # fmt: skip
def test_coils_are_known_by_their_makers_names(typed, name):
    assert coil_meant(typed) == name


@pytest.mark.parametrize(
    ("look", "typed", "nearest"),
    [(nf.load_coil, "figure8-7Omm", "figure8-70mm"), (site, "m1-hnad", "m1-hand"),
     (named_systems, "localit", "localite"), (preset, "contralesional-1hz-hands", "contralesional-1hz-hand")],
)  # fmt: skip
def test_the_nearest_name_is_told(look, typed, nearest):
    with pytest.raises(UnknownNameError, match=f"did you mean {nearest}") as refused:
        look(typed)
    again = pickle.loads(pickle.dumps(refused.value))
    assert (again.nearest, str(again)) == (nearest, str(refused.value))


def test_a_name_like_no_other_is_told_without_a_guess():
    with pytest.raises(UnknownNameError) as refused:
        site("xylophone")
    assert "did you mean" not in str(refused.value)


def test_all_navigators_at_once():
    assert named_systems("All") == list(WRITERS)
    assert named_systems("Localite, NIBS BIDS,localite") == ["localite", "nibs-bids"]
