"""Poses from elsewhere: each known mistake gets its own line with its number; sound poses get none."""

import numpy as np
import pytest
from test_placement import BACK_LEFT, CONE, FLAT, LEFT_M1, SCALP, coil

from neuro_field.coil.clearing import cleared
from neuro_field.coil.coil import Coil
from neuro_field.coil.fit import lifts_to_clear
from neuro_field.coil.frames import checked_placement, pose_faults
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError

SOUND = Placement.on(SCALP, above=LEFT_M1, handle_towards=BACK_LEFT).head_from_coil
SHEARED = np.eye(4)
SHEARED[:2, 1] = np.sin(np.deg2rad(5.0)), np.cos(np.deg2rad(5.0))


def at(centre, matrix=SOUND):
    moved = np.array(matrix)
    moved[:3, 3] = centre
    return moved


def test_sound_pose_has_no_fault():
    for gap in (0.0, 4.0, 20.0):
        p = Placement.on(SCALP, above=LEFT_M1, handle_towards=BACK_LEFT, gap=gap)
        assert pose_faults(p.head_from_coil, SCALP, coil(FLAT)) == ()
        np.testing.assert_allclose(checked_placement(p.head_from_coil, SCALP).head_from_coil, p.head_from_coil)


@pytest.mark.parametrize(
    ("matrix", "line"),
    [
        (SOUND @ np.diag([1.1, 1.1, 1.1, 1]), r"lengths 1\.1, 1\.1, 1\.1: scaled"),
        (SOUND @ SHEARED, r"right angles by up to 5 degrees: sheared"),
        (SOUND @ np.diag([-1.0, 1, 1, 1]), r"left-handed \(determinant -1\): mirrored"),
        (SOUND @ np.diag([-1.0, 1, -1, 1]), r"points out of the head, 1[78]\d degrees.*diag\(-1, 1, -1, 1\)"),
        (SOUND[:, [1, 2, 0, 3]], r"z axis lies (89|9\d) degrees.*Localite"),
        (at(SOUND[:3, 3] * 0.7), r"lies 2[45]\.\d mm inside the head"),
        (at(SOUND[:3, 3] * 3.0), r"lies 1[89]\d mm from the scalp, farther than 40 mm; another frame"),
        (at(SOUND[:3, 3] / 1000 + [0, 0, 0]), r"inside the head"),
        (np.eye(4), "identity: a marker that was never tracked"),
    ],
)
def test_each_mistake_gets_a_line_with_its_number(matrix, line):
    faults = pose_faults(matrix, SCALP)
    assert len(faults) == 1
    with pytest.raises(InputError, match=line) as caught:
        checked_placement(matrix, SCALP)
    assert "\n" not in str(caught.value)


def test_pose_in_lps_is_recognised_by_its_distance():
    """A head that is not symmetric about its origin: the front and the left far from where their mirror images lie."""
    aside = np.array([100.0, 60.0, 0.0])
    scalp = type(SCALP)(SCALP.points + aside, SCALP.triangles)
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ at(SOUND[:3, 3] + aside)
    (fault,) = pose_faults(lps, scalp)
    assert "as if it were in LPS instead of RAS" in fault
    (fault,) = pose_faults(
        at((SOUND[:3, 3] + 3 * aside) / 1000), type(SCALP)(SCALP.points + 3 * aside, SCALP.triangles)
    )
    assert "as if it were in metres" in fault


def test_several_mistakes_are_all_told():
    faults = pose_faults(SOUND @ np.diag([-1.2, 1.2, 1.2, 1]), SCALP)
    assert len(faults) == 2
    with pytest.raises(InputError, match=r"\(1 more\)"):
        checked_placement(SOUND @ np.diag([-1.2, 1.2, 1.2, 1]), SCALP)


def test_casing_in_the_scalp_is_told_in_mm():
    assert pose_faults(Placement(SOUND).moved(along_z=3.9).head_from_coil, SCALP, coil(FLAT)) == ()  # 4 mm of gap
    shallow = Placement(SOUND).moved(along_z=5.6)
    (fault,) = pose_faults(shallow.head_from_coil, SCALP, coil(FLAT))
    assert "cuts 1." in fault


@pytest.mark.parametrize("matrix", [np.eye(3), np.full((4, 4), np.nan), "pose", np.ones((4, 4))])
def test_what_is_no_matrix_is_refused(matrix):
    with pytest.raises(InputError, match="4x4"):
        pose_faults(matrix, SCALP)


def test_cut_casing_is_lifted():
    cone = coil(CONE)
    p = Placement.on(SCALP, above=LEFT_M1, handle_towards=BACK_LEFT)
    found = cleared(p, cone, SCALP, gap=2.0)
    assert found.lift > 10
    assert found.tilt == 0
    assert lifts_to_clear(SCALP.points, cone.casing, found.placement.head_from_coil[None], 2.0)[0] < 1e-9
    np.testing.assert_allclose(found.placement.center, p.center - found.lift * p.axis, atol=1e-12)
    assert f"lifted {found.lift:.1f} mm" in found.words


def test_coil_askew_is_tilted_back_onto_the_sphere():
    """20 degrees askew, a plane must be lifted by R (1 / cos 20 - 1); it tilts back until a degree spares 0.1 mm."""
    flat = coil(FLAT)
    askew = Placement.on(SCALP, above=LEFT_M1, handle_towards=BACK_LEFT, gap=0.0).moved(tilted_y=20.0)
    assert cleared(askew, flat, SCALP).lift == pytest.approx(90 * (1 / np.cos(np.deg2rad(20)) - 1), abs=0.3)
    found = cleared(askew, flat, SCALP, most_tilt=25.0)
    assert found.lift < 0.4
    assert found.tilt == pytest.approx(16.4, abs=2.5)
    assert found.tilted_y < 0
    assert f"tilted {found.tilt:.0f} degrees" in found.words
    untouched = cleared(Placement(SOUND), flat, SCALP, gap=2.0, most_tilt=10.0)
    assert (untouched.lift, untouched.tilt) == (0.0, 0.0)
    assert "clears" in untouched.words
    np.testing.assert_allclose(untouched.placement.head_from_coil, SOUND, atol=1e-12)


def test_clearing_needs_a_casing_and_a_small_tilt():
    with pytest.raises(InputError, match="no casing"):
        cleared(Placement(SOUND), Coil("bare", (FLAT.dipoles(),)), SCALP)
    with pytest.raises(InputError, match="0 to 30 degrees"):
        cleared(Placement(SOUND), coil(FLAT), SCALP, most_tilt=60.0)
