"""The page of a motor map, and its files for other programs."""

import re

import nibabel as nib
import numpy as np
import pytest
from tests_support import accepted, refusal

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.findings import Finding
from neuro_field.hotspot.curves import Curve
from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.hotspot.pulses import LeftOut
from neuro_field.report.map_pictures import planes
from neuro_field.store.maps import read_map, write_map


@pytest.fixture(scope="module")
def ball():
    return nf.sphere_head((70, 80, 90), edge=9.0)


def made(ball, *, site=True, muscle="FDI"):
    """A map with a site at its 7th point, or with none."""
    rng, count = np.random.default_rng(2), 40
    points = np.array([[x, y, 66.0] for x in range(-8, 9, 2) for y in range(-8, 9, 2)], dtype=float)
    poses = np.tile(np.diag([1.0, -1.0, -1.0, 1.0]), (count, 1, 1))
    poses[:, 2, 3] = 94.0
    amplitudes = 900 * rng.random(count)
    pulses = nf.Pulses(
        muscle,
        poses,
        np.full(count, 60.0),
        amplitudes,
        left_out=(LeftOut(3, "outlier", 61_000.0), LeftOut(5, "no-pose")),
    )
    area = np.zeros(len(points), bool)
    area[5:9] = site
    r2 = rng.random(len(points)) * 0.5
    r2[7] = 0.75
    finding = Finding("map-few-pulses", "warn", {"pulses": count, "least": 180})
    stop = Finding("map-no-relation", "stop", {"chance": 0.4, "limit": 0.01, "share": 0.2})
    return MotorMap(
        muscle, "left" if site else None, points, r2, points[7] if site else None, area, area,
        Curve(0.9, 2.6, 55.0, 0.2) if site else None, 44.0 if site else None, 0.005 if site else 0.4,
        rng.random((len(points), 4)), 30 + 50 * rng.random(count) if site else np.empty(0),
        ((20, 9.5), (40, 0.0)) if site else (), pulses, "figure8-70mm", ball.mesh.digest,
        (finding,) if site else (stop,),
    )  # fmt: skip


def test_a_map_s_page_tells_site_threshold_and_warnings_in_both_languages(ball):
    page = nf.render(made(ball))
    for words in ("Motor map of FDI", "180 at random poses", "44 V/m", "is no threshold", "61000", "outlier"):
        assert words in page
    assert len(re.findall(r"data:image/png;base64,", page)) == 3
    japanese = nf.render(made(ball), language="ja")
    assert 'lang="ja"' in japanese
    assert "運動マップ: FDI" in japanese
    assert "そこでの閾値: 44 V/m" in japanese
    assert "refused" not in refusal(nf.render, made(ball), kind="card")
    assert "<b>" not in nf.render(made(ball, muscle="<b>"))


def test_a_map_without_a_site_shows_none(ball):
    page = nf.render(made(ball, site=False))
    assert "No site is told" in page
    assert "the brightest point is none" in page
    assert len(re.findall(r"data:image/png;base64,", page)) == 1


def test_the_page_comes_from_the_folder_alone(ball, tmp_path, capsys):
    write_map(made(ball), tmp_path / "MAP")
    assert sorted(path.name for path in (tmp_path / "MAP").iterdir()) == [
        "area95.nii.gz", "map.html", "map.json", "map.tsv", "r2.nii.gz",
    ]  # fmt: skip
    again = ["report", str(tmp_path / "MAP"), "-o"]
    assert main([*again, str(tmp_path / "page.html"), "--language", "ja"]) == 0
    assert "運動マップ" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert main([*again, str(tmp_path / "c.html"), "--kind", "card"]) == 2
    assert "has a page and no card" in capsys.readouterr().err
    assert not (tmp_path / "c.html").exists()


def test_images_of_a_map_lie_where_its_points_do(ball, tmp_path):
    found = made(ball)
    write_map(found, tmp_path / "MAP", head=ball)
    image, area = (nib.load(tmp_path / "MAP" / f"{name}.nii.gz") for name in ("r2", "area95"))
    for point, value, inside in zip(found.points, found.r2, found.area, strict=True):
        voxel = tuple(np.round(np.linalg.solve(image.affine, [*point, 1.0])[:3]).astype(int))
        assert ((np.array(voxel) >= 0) & (np.array(voxel) < image.shape)).all()
        assert image.get_fdata()[voxel] == pytest.approx(value)
        assert bool(area.get_fdata()[voxel]) == bool(inside)
    assert np.isnan(image.get_fdata()[0, 0, 0])
    surface, values = nib.load(tmp_path / "MAP" / "cortex.surf.gii"), nib.load(tmp_path / "MAP" / "map.shape.gii")
    places, triangles = (array.data for array in surface.darrays)
    assert triangles.max() < len(places) == len(values.darrays[0].data)
    nearest = np.argmin(np.linalg.norm(places[:, None] - found.points[None], axis=2), axis=1)
    assert np.allclose(values.darrays[0].data, found.r2[nearest])
    assert np.array_equal(values.darrays[1].data > 0, found.area[nearest])
    other = nf.sphere_head((70, 80, 91), edge=9.0)
    assert "another mesh" in refusal(write_map, found, tmp_path / "MAP2", head=other)


def test_a_picture_s_axes_are_those_of_who_holds_the_coil(ball):
    across, up, into = planes(made(ball))
    assert np.allclose([across, up, into], [[1, 0, 0], [0, 1, 0], [0, 0, -1]])


def test_a_component_that_is_none_is_refused(ball, tmp_path):
    write_map(made(ball), tmp_path / "MAP")
    path = tmp_path / "MAP" / "map.json"
    assert accepted(read_map, path).component == "magnitude"
    path.write_text(path.read_text().replace('"component": "magnitude"', '"component": "sideways"'))
    assert "its component is 'sideways'" in refusal(read_map, path)
