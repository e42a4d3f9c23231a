"""Whole studies of many strokes: targets stay on their side, nothing breaks, and every refusal says why."""

import numpy as np
import pytest
from strokes import STROKES, Stroke, stroke_head

import neuro_field as nf
from neuro_field.clinic.presets import PRESETS
from neuro_field.findings import Refusal
from neuro_field.report.words import said

GRID = nf.Grid(radius=20, spacing=10, angle_step=45)

#: What the presets ask for beside the head.
ASKED = {
    "aphasia-1hz": {"fluency": "non-fluent", "dominant_side": "left"},
    "executive-dlpfc": {"side": "left", "frequency": 10.0, "pulses": 1000, "intensity": 0.9, "train_seconds": 4.0},
}
OTHER = {"left": "right", "right": "left"}

#: Few and unlike enough for every run: kind, side, volume, preset.
EIGHT = [
    (Stroke("mca", "left", 140), "ipsilesional-10hz-hand"),
    (Stroke("hand", "right", 20), "bihemispheric-hand"),
    (Stroke("aca", "left", 70), "lower-limb-10hz"),
    (Stroke("pca", "right", 45), "dysphagia-3hz"),
    (Stroke("cerebellum", "left", 25), "contralesional-1hz-hand"),
    (Stroke("pons", "right", 2), "ipsilesional-itbs-hand"),
    (Stroke("two-sided", "left", 90), "aphasia-1hz"),
    (Stroke("island", "right", 180), "executive-dlpfc"),
]
ALL = [(stroke, PRESETS[i % len(PRESETS)].name) for i, stroke in enumerate(STROKES)]
EVERY = [
    *(pytest.param(*pair, id=f"{pair[0]}-{pair[1]}") for pair in EIGHT),
    *(pytest.param(*pair, id=f"{pair[0]}-{pair[1]}", marks=pytest.mark.full) for pair in ALL if pair not in EIGHT),
]


@pytest.mark.parametrize(("stroke", "preset"), EVERY)
def test_a_study_of_any_stroke_stays_on_its_side_or_says_why_not(stroke, preset):
    head = stroke_head(stroke)
    coil = nf.load_coil(next(entry.coil for entry in PRESETS if entry.name == preset))
    answers = {"paretic_hand": OTHER[stroke.side], "rmt": 50.0, "grid": GRID, "draws": 0, "tolerance": 1e-4}
    try:
        made = nf.study(head, preset=preset, coil=coil, **answers, **ASKED.get(preset, {}))
    except Refusal as refusal:
        assert refusal.findings
        for finding in refusal.findings:
            assert finding.level == "stop"
            assert said(finding).endswith((".", "?"))
        return
    assert made.plans
    for role, plan in made.plans.items():
        assert beyond_the_fissure(head, plan.target) == []
        assert np.isfinite([candidate.verified for candidate in plan.ranking]).all()
        if role in ("contralesional", "ipsilesional"):
            assert plan.target.side == made.side_of(role)
    assert set(made.why) | set(made.plans) >= {"contralesional", "ipsilesional"}
    for finding in made.findings:
        assert said(finding)


def beyond_the_fissure(head, target):
    """Elements of a target, or of each of its areas, on the wrong side."""
    right = head.right_of_midline(head.mesh.centroids[target.elements])
    if target.side is not None:
        sides = np.full(len(right), target.side)
    else:
        sides = np.array(target.part_names)[target.parts]
    return np.flatnonzero((right > 0) != (sides == "right")).tolist()
