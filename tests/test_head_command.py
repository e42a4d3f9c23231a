"""`neuro-field head` with what a hospital gives beside T1 and labels: what it says, writes, and keeps of it."""

import json
import re

import numpy as np
import pytest
from phantoms import phantom_labels
from skulls import craniectomy, t1_of, world

from neuro_field.cli import main
from neuro_field.findings import Finding
from neuro_field.head.lesion import lesion_summary
from neuro_field.io.images import write_image
from neuro_field.mri import lesion_image, rigid
from neuro_field.report.opengl import PictureError
from neuro_field.store import heads
from neuro_field.store.heads import read_head

LABELS, AFFINE = phantom_labels(4.0)
PLACES = world(LABELS.shape, AFFINE)

#: Where a mask's slices of 5 mm lie that were drawn before the head was moved, and where it went.
SLICES = np.array([[3.0, 0, 0, -90], [0, 3, 0, -110], [0, 0, 5, -60], [0, 0, 0, 1]])
MOVED = np.array([[1.0, 0, 0, 14], [0, 1, 0, 0], [0, 0, 1, 6], [0, 0, 0, 1]])


@pytest.fixture(scope="module", autouse=True)
def undrawn():
    """No picture in three dimensions: it takes longer than all that is looked at here."""

    def no_picture(head, face):
        raise PictureError("not asked for")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "head_picture", no_picture)
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """T1 and labels of a whole head, labels without a flap on either side, a mask, one of thick slices, and a map."""
    folder = tmp_path_factory.mktemp("images")
    write_image(folder / "T1.nii.gz", t1_of(LABELS).astype(np.float32), AFFINE)
    write_image(folder / "labels.nii.gz", LABELS, AFFINE)
    for side in ("left", "right"):
        opened, _ = craniectomy(LABELS, AFFINE, 50, side)
        write_image(folder / f"{side}.nii.gz", opened, AFFINE)
        write_image(folder / f"T1_{side}.nii.gz", t1_of(opened).astype(np.float32), AFFINE)
    ball = np.linalg.norm(PLACES - [35, -18, 40], axis=-1) < 18
    write_image(folder / "mask.nii.gz", ball.astype(np.uint8), AFFINE)
    thick = np.linalg.norm(world((60, 60, 32), SLICES) - [-49, -18, 34], axis=-1) < 18
    write_image(folder / "thick.nii.gz", thick.astype(np.uint8), SLICES)
    write_image(folder / "flair.nii.gz", np.ones((60, 60, 32), dtype=np.float32), SLICES)
    np.savetxt(folder / "map.txt", np.eye(4))
    return folder


def run(files, *arguments):
    return main([str(files / a) if str(a).endswith((".gz", ".txt")) else str(a) for a in arguments])


@pytest.fixture(scope="module")
def mapped(files, tmp_path_factory):
    """A head with a map from a file."""
    out = tmp_path_factory.mktemp("mapped") / "HEAD"
    assert (
        run(files, "head", "T1.nii.gz", "--labels", "labels.nii.gz", "--mapping", "map.txt", "--edge", 9, "-o", out)
        == 0
    )
    return out


def told(folder):
    rows = json.loads((folder / "head.json").read_text())["provenance"]["findings"]
    return {row["code"]: Finding.of_plain(row) for row in rows}


@pytest.mark.parametrize(
    ("side", "answer", "done"),
    [("right", None, "closed for inspection: not answered"), ("left", "yes", "kept open, as answered")],
)
def test_an_open_skull_is_shown_with_side_and_area_and_planned_on_only_when_answered(
    files, tmp_path, capsys, side, answer, done
):
    out = tmp_path / "HEAD"
    given = ["--labels", f"{side}.nii.gz", "--no-mapping", "--edge", 9] + (["--open-skull", answer] if answer else [])
    assert run(files, "head", f"T1_{side}.nii.gz", *given, "-o", out) == 0
    said = capsys.readouterr().out
    page = (out / "qc.html").read_text(encoding="utf-8")
    table = re.search(r"Openings of the skull</h2>.*?</table>", page, flags=re.DOTALL)[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(?!<th).*?</tr>", table)]
    ((area, on, place, _, kept),) = rows
    assert float(area.removesuffix(" cm²")) == pytest.approx(50, rel=0.35)
    assert on == side
    x = float(place.strip("()").split(",")[0])
    assert (x > 20) == (side == "right")
    assert kept == done
    waits = "nothing is planned on it before that is answered"
    assert (waits in said) == (answer is None)
    if answer is None:
        plan = [
            "plan",
            out,
            "--target",
            "head:-45,-18,55",
            "--coil",
            "figure8-70mm",
            "--confirmed",
            "no-plates-or-clips",
        ]
        assert run(files, *plan, "-o", tmp_path / "PLAN") == 2
        assert "nobody has answered whether it stays so" in capsys.readouterr().err
    else:
        assert f"plan {out} --target head:x,y,z --coil" in said  # no named target has a place in it


def test_a_map_from_a_file_is_used_and_kept_and_a_head_does_without_one(files, mapped, tmp_path, capsys):
    head = read_head(mapped)
    np.testing.assert_allclose(head.to_mni(PLACES[5, 5]), PLACES[5, 5], atol=1e-6)
    assert "map.txt" in head.mapping.source
    assert set(head.provenance["inputs"]) == {"t1", "labels", "mapping"}
    assert main(["head", str(mapped), "--no-mapping", "-o", str(tmp_path / "BARE")]) == 0
    said = capsys.readouterr().out
    assert "Overlap with the MNI152 template" not in said
    bare = read_head(tmp_path / "BARE")
    assert bare.mapping is None
    assert [found.code for found in bare.findings].count("head-no-map") == 1
    preset = ["--preset", "contralesional-1hz-hand", "--lesion-side", "left"]
    assert main(["plan", str(tmp_path / "BARE"), *preset, "-o", str(tmp_path / "PLAN")]) == 2
    assert "no map to MNI" in capsys.readouterr().err


def test_a_finished_head_takes_a_lesion_on_the_side_where_it_was_drawn(files, mapped, tmp_path, capsys):
    out = tmp_path / "HURT"
    assert run(files, "head", mapped, "--lesion", "mask.nii.gz", "-o", out) == 0
    hurt = lesion_summary(read_head(out))
    assert hurt.side == "right"
    np.testing.assert_allclose(hurt.centroid, [35, -18, 40], atol=3)
    assert "lesion-in-old-mesh" in told(out)
    assert "lesion-other-grid" not in told(out)
    assert set(read_head(out).provenance["inputs"]) == {"t1", "labels", "mapping", "lesion"}
    capsys.readouterr()
    assert run(files, "head", mapped, "--lesion", "mask.nii.gz", "--edge", 4, "-o", tmp_path / "FINE") == 2
    assert "--edge is for a mesh that is to be made" in capsys.readouterr().err


def test_a_mask_drawn_on_another_image_comes_with_it_or_says_that_it_may_lie_elsewhere(
    files, mapped, tmp_path, monkeypatch
):
    fit = rigid.RigidFit(MOVED, 0.0, 15.2, 1.1, 1.02, 0.08)
    monkeypatch.setattr(lesion_image, "register_rigid", lambda image, t1: fit)
    image = ["--lesion-image", "flair.nii.gz"]
    found = {}
    for name, more in (("WITH", image), ("WITHOUT", [])):
        assert run(files, "head", mapped, "--lesion", "thick.nii.gz", *more, "-o", tmp_path / name) == 0
        found[name] = lesion_summary(read_head(tmp_path / name)), told(tmp_path / name)
    np.testing.assert_allclose(found["WITH"][0].centroid, [-35, -18, 40], atol=3)
    np.testing.assert_allclose(found["WITHOUT"][0].centroid, [-49, -18, 34], atol=4)
    assert found["WITH"][1]["lesion-image-moved"].values["moved"] == pytest.approx(np.hypot(14, 6))
    assert "lesion-other-grid" not in found["WITH"][1]
    assert "lesion-other-grid" in found["WITHOUT"][1]
    assert found["WITHOUT"][1]["lesion-other-grid"].values["sizes_mm"] == pytest.approx((3, 3, 5))
    assert "lesion_image" in read_head(tmp_path / "WITH").provenance["inputs"]
