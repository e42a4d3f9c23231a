"""Motor mapping: pulses to a site, an area, a threshold, and no site where there is none."""

from dataclasses import replace
from functools import lru_cache

import hotspot_sessions as sessions
import numpy as np
import pytest
import reference_kernels as reference
from tests_support import accepted, refusal, small_head

import neuro_field as nf
from neuro_field.clinic.anchor import anchor_at
from neuro_field.field.sampling import cortex
from neuro_field.findings import Finding
from neuro_field.hotspot import motor_map as mapping
from neuro_field.hotspot import sureness
from neuro_field.hotspot.curves import MIDPOINTS, STEEPNESS, Curve, logged, refined, scaled
from neuro_field.hotspot.exposure import sizes_of
from neuro_field.hotspot.fit import Fit
from neuro_field.hotspot.next_pulses import doubts, telling
from neuro_field.hotspot.noise import weighed
from neuro_field.hotspot.pulses import LeftOut
from neuro_field.hotspot.sureness import area_of
from neuro_field.kernels.sigmoid import best_curves
from neuro_field.report.maps import map_lines
from neuro_field.report.words import said
from neuro_field.store.maps import read_map, write_map


@lru_cache(maxsize=1)
def world():
    """A sphere, a coil, points of its cortex near the top with their primary fields, and 400 poses over it."""
    head, coil = nf.sphere_head((70, 80, 90), edge=6.0), nf.load_coil("figure8-70mm")
    points = cortex(head)[1]
    points = points[points[:, 2] > 52]
    rng = np.random.default_rng(3)
    poses = sessions.random_poses(head, coil, np.array([0.0, 0.0, 90.0]), 240, rng)
    return head, coil, Live(coil, points), poses


class Live:
    """A field as a live one has it: of the coil alone, in a head that holds no charge."""

    def __init__(self, coil, points):
        self.coil, self.points = coil.simplified(error=0.02), points

    def field(self, placement, didt):
        return -self.coil.carried(placement.head_from_coil).dadt(self.points, didt=didt)


class Solved:
    """Full solves at the grey elements about a place, in the order of the pulses."""

    def __init__(self, solver, coil, placements, center):
        mesh = solver.head.mesh
        near = np.linalg.norm(mesh.centroids - center, axis=1) < 35.0
        self.points = mesh.centroids[near & solver.head.region("grey_matter")]
        self.fields = solver.solve_many(coil, placements)
        self.at = {
            placement.head_from_coil.tobytes(): field for placement, field in zip(placements, self.fields, strict=True)
        }

    def field(self, placement, didt):
        return self.at[placement.head_from_coil.tobytes()].at(self.points) * (didt / 1e6)


@lru_cache(maxsize=8)
def session(count=200, seed=1, shuffled=False, intensity=70.0):
    """A session whose muscle sits at the 40th point, and the point."""
    _head, _coil, live, poses = world()
    rng = np.random.default_rng(seed)
    chosen = poses[rng.choice(len(poses), count, replace=False)]
    at = int(np.argmin(np.linalg.norm(live.points - [12.0, -8.0, 60.0], axis=1)))
    there = np.array([np.linalg.norm(live.field(nf.Placement(pose), 1e6)[at]) for pose in chosen])
    amplitudes, slopes = sessions.answers(there, rng, intensity=intensity)
    if shuffled:
        amplitudes = rng.permutation(amplitudes)
    return nf.Pulses("FDI", chosen, slopes, np.minimum(amplitudes, 49e3)), live.points[at]


@lru_cache(maxsize=8)
def mapped(count=200, seed=1, shuffled=False):
    head, coil, live, _ = world()
    pulses, _ = session(count, seed, shuffled)
    return nf.motor_map(live, coil, pulses, head=head)


@pytest.mark.parametrize("kernel", [best_curves, best_curves.py_func], ids=["compiled", "python"])
def test_curves_are_those_of_least_squares(kernel):
    rng = np.random.default_rng(0)
    fields = rng.uniform(20, 90, (3, 25))
    fields[2] = -fields[0]  # falls where the answers climb
    answers = logged(4000 / (1 + np.exp(-(fields[0] - 60) / 5)) * 10 ** rng.normal(0, 0.1, 25))
    out, chosen = np.empty(3), np.empty((3, 2), np.int64)
    weights = rng.uniform(0.1, 2.0, 25)
    kernel(fields, answers, weights, MIDPOINTS[::5], STEEPNESS[::2], out, chosen)
    wanted = reference.best_curves(fields, answers, weights, MIDPOINTS[::5], STEEPNESS[::2])
    assert np.allclose(out, wanted, rtol=1e-8)
    assert out[0] < 0.5 * out[1]


def test_a_curve_without_noise_is_found_again_with_its_threshold_below_its_midpoint():
    fields = np.linspace(10, 120, 80)
    truth = Curve(1.35, 2.1, 62.0, 0.15)
    answers = np.log10(truth.at(fields))
    chosen = np.array([np.argmin(np.abs(MIDPOINTS - (62 - 10) / 110)), np.argmin(np.abs(STEEPNESS - 0.15 * 110))])
    found = refined(fields, answers, np.ones(80), chosen)
    assert abs(found.midpoint - 62) < 0.01
    assert abs(found.steepness / 0.15 - 1) < 1e-3
    assert abs(found.reaching(50.0) - truth.reaching(50.0)) < 0.01
    assert found.reaching(50.0) < found.midpoint
    assert truth.reaching(1e5) is None
    assert scaled(fields)[[0, -1]].tolist() == [0, 1]


def test_answers_that_fail_and_that_lie_where_the_curve_is_steep_tell_less():
    rng = np.random.default_rng(5)
    field = rng.uniform(20, 100, 400)
    truth = Curve(1.0, 2.5, 60.0, 0.15)
    answers = np.log10(truth.at(field * (1 + 0.1 * rng.standard_normal(400)))) + 0.2 * rng.standard_normal(400)
    failed = (rng.random(400) < 0.1) & (field > 75)
    answers = np.where(failed, 0.0, answers)
    fields = np.stack([field, rng.uniform(20, 100, 400)])
    weights, noise = weighed(fields, np.maximum(answers, np.log10(20)))
    assert weights[failed].max() < 0.05  # a strong field that found no answer says nothing of the place
    heard = ~failed
    steep, flat = heard & (np.abs(field - 60) < 5), heard & (field > 90)
    assert weights[steep].mean() < 0.5 * weights[flat].mean()
    assert 0.05 <= noise.sway <= 0.15
    assert weights.mean() == pytest.approx(1.0)
    fit = Fit.of(fields, np.maximum(answers, np.log10(20)))
    assert fit.best == 0
    curve = refined(fields[0], fit.answers, fit.weights, fit.chosen[0])
    assert abs(curve.midpoint - 60.0) < 2.0
    assert curve.low + curve.rise == pytest.approx(3.5, abs=0.1)  # failures do not pull the plateau down


def test_errors_of_the_mesh_s_field_widen_the_area(monkeypatch):
    live = world()[2]
    pulses, _ = session()
    found = mapped()
    sizes = np.stack([np.linalg.norm(live.field(pose, 70e6), axis=1) for pose in pulses.placements], axis=1)
    fit = Fit.of(sizes, logged(pulses.amplitudes))
    assert fit.misfit(0.1) == pytest.approx(4 * fit.misfit(0.05))
    areas = []
    for error, edge in ((0.0, 0.5), (0.4, 0.5), (0.0, 9.0)):
        monkeypatch.setattr(sureness, "FIELD_ERROR", error)
        areas.append(area_of(fit, live.points, 50, edge, np.random.default_rng(0)))
    for wider in areas[1:]:  # by the field's error, and by the element's edge
        assert wider[areas[0]].all()
        assert np.count_nonzero(wider) > np.count_nonzero(areas[0]) >= 1
    assert found.misfit > 0
    apart = doubts(np.array([1.0, 1.2]), 100, 0.0), doubts(np.array([1.0, 1.2]), 100, 0.5)
    assert apart[0][1] < apart[1][1] < 0.5


def test_two_hundred_pulses_find_the_site_and_its_area_holds_it():
    found, (_, truth) = mapped(), session()
    assert found.best is not None
    assert np.linalg.norm(found.best - truth) <= 8.0
    assert np.linalg.norm(found.area95 - truth, axis=1).min() <= 1e-6
    assert found.area.mean() < 0.3
    assert found.alike[np.argmax(found.r2)]
    assert found.chance <= 0.01
    assert found.threshold < found.midpoint
    assert [count for count, _ in found.convergence][-1] == 200
    assert found.convergence[-1][1] == 0
    assert not [finding for finding in found.findings if finding.level == "stop"]
    assert any("no threshold" in line for line in map_lines(found))


def test_fewer_pulses_are_warned_of():
    found = mapped(60)
    assert [finding.code for finding in found.findings if finding.code == "map-few-pulses"]
    assert "180" in said(found.findings[0])


def test_shuffled_answers_have_no_site():
    sites = [mapped(120, seed, True).best for seed in range(5)]
    assert sum(site is not None for site in sites) <= 1
    silent = mapped(120, 0, True)
    assert silent.best is None
    assert silent.threshold is None
    assert not silent.area.any()
    assert [finding.code for finding in silent.findings if finding.level == "stop"] == ["map-no-relation"]
    assert any("None of" in line or "No site" in line for line in map_lines(silent))


def changed(pulses, **of):
    given = {"poses": pulses.poses, "intensities": pulses.intensities, "amplitudes": pulses.amplitudes} | of
    return nf.Pulses(pulses.muscle, given["poses"], given["intensities"], given["amplitudes"])


def codes(pulses):
    head, coil, live, _ = world()
    return {finding.code for finding in nf.motor_map(live, coil, pulses, head=head).findings}


def test_no_answers_one_direction_and_saturation_are_findings():
    pulses, _ = session(120)
    assert "map-no-responses" in codes(changed(pulses, amplitudes=np.full(len(pulses), 30.0)))
    poses = np.array(pulses.poses)
    for pose in poses:
        pose[:3, :3] = poses[0, :3, :3]
    assert "map-one-direction" in codes(changed(pulses, poses=poses))
    assert "map-one-direction" not in codes(pulses)
    plateau = mapping._of_curve(Curve(1.0, 2.0, 10.0, 1.0), 8.0, np.linspace(20, 60, 50), np.zeros((2, 3)), 0)
    assert {finding.code for finding in plateau} == {"map-saturated", "map-threshold-outside"}


def test_poses_off_the_head_are_left_out_and_told_or_refused():
    pulses, _ = session(120)
    poses = np.array(pulses.poses)
    poses[:5, :3, 3] *= 2
    assert "map-off-head" in codes(changed(pulses, poses=poses))
    poses[:, :3, 3] = pulses.poses[:, :3, 3] * 3
    head, coil, live, _ = world()
    assert "0 of 120 poses" in refusal(nf.motor_map, live, coil, changed(pulses, poses=poses), head=head)
    assert "needs 20" in refusal(nf.motor_map, live, coil, pulses.chosen(np.arange(10)), head=head)


def test_pulses_of_both_hemispheres_are_not_mapped_together():
    head = small_head()
    scalp = head.scalp.points
    above = [scalp[np.argmax(scalp @ np.array(way))] for way in ([-0.6, 0, 0.8], [0.6, 0, 0.8])]
    poses = [
        nf.Placement.on(head.scalp, above=place, handle_towards=place - np.array([0.0, 90.0, 0.0])) for place in above
    ]
    both = nf.Pulses("FDI", np.stack([poses[i % 2].head_from_coil for i in range(40)]), np.full(40, 60.0), np.ones(40))
    _, coil, live, _ = world()
    assert "20 left and 20 right" in refusal(nf.motor_map, live, coil, both, head=head)


def test_a_map_is_read_as_it_was_written_and_damage_is_one_line(tmp_path):
    found = mapped()
    tmp_path = tmp_path / "MAP"
    write_map(found, tmp_path)
    again = accepted(read_map, tmp_path)
    assert np.array_equal(again.points, found.points)
    assert np.array_equal(again.area, found.area)
    assert again.threshold == found.threshold
    assert again.curve.midpoint == found.curve.midpoint
    assert [finding.plain() for finding in again.findings] == [finding.plain() for finding in found.findings]
    text = (tmp_path / "map.json").read_text()
    for wrong in (text[:-300], text.replace('"version": 1', '"version": 9'), text.replace('"rise"', '"ris"'), "[]", ""):
        (tmp_path / "map.json").write_text(wrong)
        assert "is no map" in refusal(read_map, tmp_path)


def test_the_site_is_a_target_of_its_own_head_alone():
    head, found = world()[0], mapped()
    target = nf.Target.at_map(head, found, radius=9.0)
    assert np.array_equal(target.center, found.best)
    assert target.source == "measured map"
    assert "another mesh" in refusal(nf.Target.at_map, nf.sphere_head((70, 80, 91), edge=9.0), found)
    assert "no site" in refusal(nf.Target.at_map, head, mapped(120, 0, True))


def test_the_threshold_of_a_map_gives_its_field_at_the_pose_it_names():
    _head, coil, live, _ = world()
    found = replace(mapped(), side="left")
    read = nf.mapped_threshold(found, coil)
    assert read.hand == "right"
    assert read.muscle == "FDI"
    at = np.argmin(np.linalg.norm(live.points - found.best, axis=1))
    size = np.linalg.norm(live.field(nf.Placement(read.pose), read.percent / 100 * coil.didt_max)[at])
    assert abs(size / found.threshold - 1) < 1e-6
    leg = nf.mapped_threshold(replace(found, muscle="ta"), coil)
    assert (leg.foot, leg.hand, leg.muscle, leg.hemisphere) == ("right", None, "TA", "left")
    assert nf.mapped_threshold(replace(found, muscle="quadriceps"), coil, limb="foot").foot == "right"
    for muscle, limb in (("quadriceps", None), ("TA", "hand"), ("FDI", "foot"), ("quadriceps", "arm")):
        assert "limb of mapped_threshold" in refusal(
            lambda muscle=muscle, limb=limb: nf.mapped_threshold(replace(found, muscle=muscle), coil, limb=limb)
        )
    assert "no threshold" in refusal(nf.mapped_threshold, replace(found, threshold=None), coil)


def test_a_map_doses_by_its_threshold_and_never_by_the_midpoint():
    head, coil, rng = small_head(), nf.load_coil("figure8-70mm"), np.random.default_rng(4)
    solver, hand = nf.Solver(head), nf.Target.named(head, "m1-hand", side="left")
    poses = sessions.random_poses(head, coil, hand.center, 60, rng, patch=45.0)
    solved = Solved(solver, coil, [nf.Placement(pose) for pose in poses], hand.center)
    there = np.array([hand.magnitude(field) for field in solved.fields])
    climbed = 1 / (1 + np.exp(-9.0 * (there / np.median(there) - 1)))
    pulses = nf.Pulses("FDI", poses, np.full(60, 70.0), 10 ** (0.9 + 2.6 * climbed + rng.normal(0, 0.1, 60)))
    found = nf.motor_map(solved, coil, pulses, head=head, resampled=20)
    assert found.side == "left"
    read, target = nf.mapped_threshold(found, coil), nf.Target.at_map(head, found)
    known = anchor_at(solver, coil, read.pose, target)
    dosed = known.magnitude * read.percent / 100 * coil.didt_max / 1e6
    assert dosed == pytest.approx(found.threshold, rel=0.15)  # the mean of the target, against its middle
    assert read.hand == "right"
    assert found.threshold < found.midpoint


def test_the_part_along_the_normal_counts_either_way_and_is_another_map():
    head, coil, live, _ = world()
    out = live.points / np.linalg.norm(live.points, axis=1, keepdims=True)
    turned = np.cross(out, [0.0, 0.0, 1.0])  # along the sphere, of length sin
    fields = np.stack([30 * out + 40 * turned, -20 * out])
    found = sizes_of(fields, "normal", head, live.points)
    assert np.allclose(found[:, 0], 30, rtol=0.15)  # the mesh's normals are a few degrees off the sphere's
    assert np.allclose(found[:, 1], 20, rtol=0.05)
    assert np.allclose(sizes_of(fields, "magnitude", None, live.points)[:, 1], 20)
    pulses, _ = session(120)
    along = nf.motor_map(live, coil, pulses, head=head, component="normal", resampled=20)
    assert along.component == "normal"
    assert along.r2.max() != mapped(120).r2.max()
    assert "Input component" in refusal(nf.motor_map, live, coil, pulses, head=head, component="tangent")
    assert "head is needed" in refusal(sizes_of, fields, "normal", None, live.points)


def test_the_next_pulse_is_where_the_candidates_differ():
    foretold = np.array([[2.0, 1.0, 3.0, 2.0], [2.0, 3.0, 1.0, 2.0], [2.0, 2.9, 1.1, 2.4]])
    first, second = telling(foretold, np.full(3, 1 / 3), 0.1, 2)
    assert first in (1, 2)
    assert second == 3
    _head, coil, live, poses = world()
    offered = [nf.Placement(pose) for pose in poses[:40]]
    chosen = nf.next_pulses(live, coil, mapped(60), candidates=offered, count=3)
    assert len({id(each) for each in chosen}) == 3
    assert all(each in offered for each in chosen)
    assert "1 to 40" in refusal(nf.next_pulses, live, coil, mapped(60), candidates=offered, count=41)


def test_pulses_and_reasons_that_cannot_be_are_refused():
    eye = np.eye(4)[None]
    assert "A/us or %MSO" in refusal(nf.Pulses, "FDI", eye, [1.0], [1.0], unit="V")
    assert "0 to 100" in refusal(nf.Pulses, "FDI", eye, [130.0], [1.0], unit="%MSO")
    assert "amplitudes" in refusal(nf.Pulses, "FDI", eye, [30.0], [-1.0])
    assert "reason" in refusal(LeftOut, 1, "tired")
    coil = nf.load_coil("figure8-70mm")
    assert nf.Pulses("FDI", eye, [50.0], [1.0], unit="%MSO").slopes(coil)[0] == coil.didt_max / 2
    assert isinstance(Finding("map-few-pulses", "warn", {"pulses": 1, "least": 2}), Finding)
