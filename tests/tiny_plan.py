"""The folder of the small study, written once and shared by the tests of what is kept of a plan."""

import io
import json
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image
from tiny_study import tiny_head, tiny_study

from neuro_field.head.mapping import AffineMapping, WarpedMapping
from neuro_field.report.facts import Facts
from neuro_field.report.kept import Kept
from neuro_field.report.page import study_page
from neuro_field.store import plans
from neuro_field.store.plan_records import file_of

ROLES = ("contralesional", "ipsilesional")
NAMES = ("side", "above", "cortex", "positions")


def pixel():
    """A PNG of one white pixel."""
    out = io.BytesIO()
    Image.new("RGB", (1, 1), "white").save(out, format="PNG")
    return out.getvalue()


@lru_cache(maxsize=1)
def _folder():
    holder = tempfile.TemporaryDirectory()  # removed when Python ends
    pictures = {f"{role}_{name}": pixel() for role in ROLES for name in NAMES}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "study_pictures", lambda study, face=None: pictures)
        plans.write_study(tiny_study(), Path(holder.name) / "PLAN", subject="07")
    return holder


def tiny_plan():
    """Its path; with pictures of one pixel."""
    return Path(_folder().name) / "PLAN"


def timeless(study):
    """What plan.json would hold, but for dates, times and memory."""
    made = msgspec.to_builtins(file_of(study, Facts.of(study), None, subject="01", remarks=()))
    for plan in made["plans"].values():
        if plan is not None:
            for report in (plan["report"], plan["field"]["solve"]):
                report["seconds"] = report["peak_memory"] = None
    return json.dumps(made | {"written": ""}, sort_keys=True)


def page_of(study, language="en", **more):
    """The page of a study in memory, without pictures and view."""
    return study_page(Kept(study, Facts.of(study), written="2030-01-02 03:04 UTC", **more), language)


def warped_head(push):
    """The small head, its map a warp that pushes by up to so many mm."""
    axis = np.arange(-110.0, 111.0, 10.0)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    waves = [np.sin(x / 30) * np.cos(y / 25), np.sin(y / 28 + 1) * np.cos(z / 31), np.sin(z / 26) * np.cos(x / 33)]
    grid = np.diag([10.0, 10.0, 10.0, 1.0])
    grid[:3, 3] = -110.0
    mapping = WarpedMapping(AffineMapping(np.eye(4)), push * np.stack(waves, axis=-1), grid)
    return replace(tiny_head(), mapping=mapping)
