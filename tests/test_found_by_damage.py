"""What damaged files brought to light, one of its kind each: refused in one plain line, without a warning."""

import gzip
import json

import nibabel as nib
import numpy as np
import pytest
from fuzz_kinds import TCD, ball
from msh_dialects import text_22
from tests_support import refusal
from tiny_plan import tiny_plan

from neuro_field.arrays import as_points, as_rigid, as_vector
from neuro_field.coil.coil import Coil
from neuro_field.coil.placement import Placement
from neuro_field.coil.sources import Dipoles
from neuro_field.errors import LONGEST, FileFormatError, InputError, UnknownNameError
from neuro_field.field.stored import StoredField
from neuro_field.geometry.voxels import as_affine
from neuro_field.head.mapping import AffineMapping, WarpedMapping
from neuro_field.io.entries import Entries
from neuro_field.io.images import read_image, write_image
from neuro_field.io.masks import read_mask
from neuro_field.io.msh import read_msh
from neuro_field.io.stl import read_stl, stl_bytes
from neuro_field.navigation.frames import ImageFrames
from neuro_field.report.page import embedded
from neuro_field.shelf.coils import read_coil
from neuro_field.store.plans import VIEW, read_kept, read_plan

HUGE = 1e308


def refused(read, *given, match=None):
    """The one line that is said."""
    with pytest.raises(InputError, match=match) as caught:
        read(*given)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("error", [InputError, FileFormatError, lambda text: UnknownNameError("coil", text, [text])])
def test_a_message_is_one_line_that_a_terminal_only_shows(error):
    said = str(error("a\n\tb \x1b[2J\u202e\x00 c"))
    assert said.isprintable()
    assert "\\x1b" in said
    long = str(error("start " + 5000 * "x" + " end"))
    assert len(long) <= LONGEST + 5


def test_numbers_that_overflow_are_no_places():
    refused(as_rigid, np.diag([HUGE, 1, 1, 1]), "it", match="up to 1e")
    refused(as_vector, [HUGE, 0, 0], "it", match="up to 1e")
    refused(as_points, [[HUGE, 0, 0]], "it", match="up to 1e")
    refused(as_vector, [10**400, 0, 0], "it")
    refused(AffineMapping, HUGE * np.eye(4), match="up to 1e")
    grid = np.diag([10.0, 10, 10, 1])
    refused(WarpedMapping, AffineMapping(np.eye(4)), np.full((3, 3, 3, 3), 3e38), grid, match="up to 100000 mm")


def test_a_field_that_no_coil_makes_is_refused():
    field = np.full((len(ball().mesh.tets), 3), 1e300)
    refused(StoredField, ball(), None, Placement(np.eye(4)), 1e6, field, match="up to 1e")
    refused(StoredField, ball(), None, Placement(np.eye(4)), 1e300, 0 * field, match="didt")


def test_a_form_with_a_number_that_is_none_places_no_pose(tmp_path):
    write_image(tmp_path / "a.nii", np.ones((4, 4, 4), np.uint8), np.diag([2.0, 2, 2, 1]))
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[284:288] = np.float32(np.nan).tobytes()
    (tmp_path / "a.nii").write_bytes(raw)
    refused(ImageFrames.read, tmp_path / "a.nii", match="sform")


def test_an_image_of_a_name_too_long_for_the_disk_does_not_exist():
    refused(read_image, "x" * 5000 + ".nii", match="does not exist")


def test_an_mgz_whose_sizes_overflow_is_refused(tmp_path):
    nib.save(nib.MGHImage(np.ones((4, 4, 4), np.float32), np.diag([2.0, 2, 2, 1])), tmp_path / "a.mgh")
    raw = bytearray((tmp_path / "a.mgh").read_bytes())
    raw[30:42] = np.array([3e38] * 3, ">f4").tobytes()
    (tmp_path / "a.mgh").write_bytes(raw)
    refused(read_image, tmp_path / "a.mgh")


NRRD = """NRRD0004
type: unsigned char
dimension: 3
space: left-posterior-superior
sizes: {sizes}
space directions: ({step},0,0) (0,2,0) (0,0,2)
encoding: raw
space origin: ({origin},0,0)

"""


@pytest.mark.parametrize(
    ("damaged", "match"),
    [({"sizes": "4 nan 4"}, "shape"), ({"step": "1e200"}, "up to 1e"), ({"origin": "1e200"}, "up to 1e")],
)
def test_a_mask_of_numbers_that_are_none_is_refused(tmp_path, damaged, match):
    told = NRRD.format(**{"sizes": "4 4 4", "step": "2", "origin": "0"} | damaged)
    (tmp_path / "a.nrrd").write_bytes(told.encode() + bytes(21) + b"\x01" * 43)
    refused(read_mask, tmp_path / "a.nrrd", match=match)


def test_an_affine_that_overflows_is_none():
    refused(as_affine, np.diag([HUGE, 2, 2, 1]), "it", match="up to 1e")


@pytest.mark.parametrize("corner", ["1e300 0 0", "nan 0 0"])
def test_a_surface_beyond_single_precision_is_refused(tmp_path, corner):
    (tmp_path / "a.stl").write_text("\n".join(["solid a", f"vertex {corner}", "vertex 1 0 0", "vertex 0 1 0"]))
    refused(read_stl, tmp_path / "a.stl", match="corners up to")


def test_a_surface_with_a_signalling_nan_is_refused_silently(tmp_path):
    raw = bytearray(stl_bytes(ball().scalp))
    raw[96:100] = b"\x01\x00\x80\x7f"
    (tmp_path / "a.stl").write_bytes(raw)
    refused(read_stl, tmp_path / "a.stl", match="corners up to")


def test_limits_of_a_coil_are_numbers_that_can_be_written_again(tmp_path):
    text = json.dumps(TCD | {"resolution": "put"}).replace('"put"', "[1, Infinity, 1]")
    (tmp_path / "a.tcd").write_text(text)
    refused(read_coil, tmp_path / "a.tcd", match="resolution must hold finite numbers")


def test_numbers_of_nodes_beyond_the_machine_are_refused(tmp_path):
    (tmp_path / "a.msh").write_bytes(text_22().replace(b"5 4 2 2 2 7 ", b"5 4 2 2 2 " + b"9" * 30 + b" "))
    refused(read_msh, tmp_path / "a.msh", match=r"\$Elements")


def test_a_coil_is_called_by_one_line():
    made = Coil("a\x1b[2J\n\tb" + 300 * "x", Dipoles([[0, 0, -5.0]], [[0, 0, 1.0]]))
    assert made.name.startswith("a [2J b")
    assert len(made.name) == 200


def test_what_a_ccd_says_of_itself_is_plain(tmp_path):
    head = "# a.ccd; brand=A\x7f\u202eB; stimulator=B\u200b; coilname=C\x7fD; dIdtmax=100"
    (tmp_path / "a.ccd").write_text(f"{head}\n1\n# table\n0 0 -0.005 0 0 1\n", encoding="utf-8")
    made = read_coil(tmp_path / "a.ccd")
    assert (made.name, made.provenance["maker"], made.stimulators[0].name) == ("C D", "A B", "B")


def test_damage_within_a_plan_is_told_by_its_file(tmp_path):
    good = (tiny_plan() / "plan.json").read_text()
    (tmp_path / "plan.json").write_text(good)
    (tmp_path / VIEW).write_bytes(gzip.compress(b'{"axes": "\xf8"}'))
    refused(read_kept, tmp_path, match=VIEW)
    content = json.loads(good)
    content["plans"]["contralesional"]["target"]["center"][0] = HUGE
    (tmp_path / "plan.json").write_text(json.dumps(content))
    refused(read_plan, tmp_path, match="center")
    content = json.loads(good)
    content["plans"]["contralesional"]["target"]["elements"][0] = 2**70
    (tmp_path / "plan.json").write_text(json.dumps(content))
    refused(read_plan, tmp_path, match="elements")
    refused(embedded, b"GIF89a", match="it is no PNG")


def test_an_array_that_a_record_lacks_is_named():
    assert "a.json: the entry 'weights' is missing" in refusal(Entries({}, "a.json").array, "weights", (3,))
