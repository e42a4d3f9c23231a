"""Motor thresholds: whose they are, how they are typed, and the machines they were read with."""

import numpy as np
import pytest

import neuro_field as nf
from neuro_field.clinic.typed_threshold import EXAMPLE, threshold_of
from neuro_field.coil.outputs import OUTPUTS, STIMULATORS, brand_of, coil_kind, output_scale, usual_stimulator
from neuro_field.errors import InputError
from neuro_field.shelf.coils import coil_names

#: A/us at 100 % output, from the headers of the published coil models.
PRINTED = (
    "D70 114.73, DCC 84.37, MC-B70 155.33, C-B60 155.40, C-B70 146.52, Cool-B65 149.77, Cool-B70 143.77, Cool-D-B80 "
    "146.44, C-100 168.28, MC-125 151.67, 70BF 101.06, 50BF 97.59, 120BFV 102.93, PMD70 241.28, PMD45 249.55"
)


@pytest.mark.parametrize(("limb", "site"), [("hand", "m1-hand"), ("foot", "m1-leg")])
@pytest.mark.parametrize(("side", "hemisphere"), [("left", "right"), ("right", "left")])
def test_a_threshold_belongs_to_the_other_side_s_hemisphere(limb, site, side, hemisphere):
    read = nf.Threshold(55, **{limb: side})
    assert (read.hemisphere, read.body_side, read.limb, read.site) == (hemisphere, side, limb, site)
    typed = threshold_of(f"percent=55 {limb}={side}")
    assert (typed.hemisphere, typed.limb, typed.kind, typed.method) == (hemisphere, limb, "rMT", "emg")


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"percent": 0.5, "hand": "left"}, "percent"),
        ({"percent": 101, "hand": "left"}, "percent"),
        ({"percent": float("nan"), "hand": "left"}, "percent"),
        ({"percent": "55", "hand": "left"}, "percent"),
        ({"percent": True, "hand": "left"}, "percent"),
        ({"percent": 50}, "hand or foot"),
        ({"percent": 50, "hand": "left", "foot": "left"}, "hand or foot"),
        ({"percent": 50, "hand": "both"}, "hand or foot"),
        ({"percent": 50, "kind": "MT", "hand": "left"}, "kind"),
        ({"percent": 50, "hand": "left", "method": "eye"}, "method"),
        ({"percent": 50, "hand": "left", "muscle": "<b>"}, "muscle"),
        ({"percent": 50, "hand": "left", "muscle": "ta"}, "TA is one of the foot: give foot="),
        ({"percent": 50, "foot": "right", "muscle": "FDI"}, "FDI is one of the hand: give hand="),
        ({"percent": 50, "hand": "left", "coil": 3}, "coil"),
        ({"percent": 50, "hand": "left", "pose": np.eye(3)}, "head_from_coil"),
        ({"percent": 50, "hand": "left", "pose": np.diag([2.0, 1, 1, 1])}, "head_from_coil"),
    ],
)
def test_what_is_no_threshold_is_refused_at_once(given, what):
    with pytest.raises(InputError, match=what) as caught:
        nf.Threshold(**given)
    assert "\n" not in str(caught.value)


def test_a_pose_is_kept_read_only():
    read = nf.Threshold(50, hand="left", pose=np.eye(4).tolist())
    assert read.pose.shape == (4, 4)
    with pytest.raises(ValueError, match="read-only"):
        read.pose[0, 0] = 2


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        "Percent=55% KIND=r-mt Hand=Right muscle=fdi METHOD=EMG coil=figure8-70mm stimulator='Magstim Rapid'",
        'hand=R, percent=55, kind=RMT, muscle=FDI, coil=figure8-70mm, stim="Magstim Rapid"',
    ],
)
def test_case_hyphens_and_order_are_forgiven(text):
    read = threshold_of(text)
    assert (read.percent, read.kind, read.hand, read.muscle, read.method) == (55.0, "rMT", "right", "FDI", "emg")
    assert (read.coil, read.stimulator, read.hemisphere) == ("figure8-70mm", "Magstim Rapid", "left")
    assert threshold_of("percent=40 kind=amt foot=left method=visible-twitch muscle=ta").method == "twitch"
    assert threshold_of("percent=40 kind=a-MT foot=left").kind == "aMT"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("percent=55 right", "hand=right or foot=right"),
        ("percent=55 LEFT", "hand=left or foot=left"),
        ("percent=55 side=left", "'side' is not known"),
        ("percent=55", "hand=left, hand=right"),
        ("percent=55 hand=left foot=left", "one of them"),
        ("hand=left", "percent is missing"),
        ("percent=high hand=left", "must be a number"),
        ("percent=55 percent=60 hand=left", "twice"),
        ("percent=55 hand=", "no value"),
        ("percent=55 hand='left", "quote"),
        ("percent=55 hand=both", "left or right"),
        ("percent=155 hand=left", "1 to 100"),
        ("percent=55 hand=left muscle=TA", "give foot="),
        ("", "percent is missing"),
    ],
)
def test_a_text_that_does_not_say_whose_threshold_is_refused_in_one_line(text, why):
    with pytest.raises(InputError, match=why) as caught:
        threshold_of(text)
    assert "\n" not in str(caught.value)
    assert "--threshold" in str(caught.value)


def test_slopes_are_those_of_the_published_headers():
    known = {entry.coil: entry.slope for entry in OUTPUTS}
    assert known == {name: float(value) for name, value in (pair.rsplit(" ", 1) for pair in PRINTED.split(", "))}
    assert all("[src]" in entry.source for entry in OUTPUTS)
    assert {"Magstim Rapid", "MagPro X100"} <= set(STIMULATORS)


@pytest.mark.parametrize("name", coil_names())
def test_cards_of_the_shelf_and_the_table_agree(name):
    coil = nf.load_coil(name)
    assert coil_kind(coil) in ("figure-8", "angled", "circular")
    usual = usual_stimulator(coil)
    assert (usual is None) == (coil.didt_max is None)
    if usual is None:
        return
    assert output_scale(coil, usual) == output_scale(coil) == coil.didt_max
    (entry,) = [entry for entry in OUTPUTS if entry.is_of(name)]
    assert entry.slope * 1e6 == pytest.approx(coil.didt_max)
    assert entry.stimulator == usual
    assert entry.brand == brand_of(coil)
    for typed in (usual.upper(), usual.replace(" ", "-"), usual.removeprefix("MagPro ").removeprefix("Magstim ")):
        assert output_scale(coil, typed) == coil.didt_max
    unlike = next(other for other in STIMULATORS if other != usual)
    assert output_scale(coil, unlike) is None
