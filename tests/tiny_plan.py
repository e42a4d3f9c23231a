"""The folder of the small study, written once and shared by the tests of what is kept of a plan."""

import io
import tempfile
from functools import lru_cache
from pathlib import Path

import pytest
from PIL import Image
from tiny_study import tiny_study

from neuro_field.report.facts import Facts
from neuro_field.report.page import Kept, study_page
from neuro_field.store import plans

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
        patch.setattr(plans, "study_pictures", lambda study: pictures)
        plans.write_study(tiny_study(), Path(holder.name) / "PLAN", subject="07")
    return holder


def tiny_plan():
    """Its path; with pictures of one pixel."""
    return Path(_folder().name) / "PLAN"


def page_of(study, **more):
    """The page of a study in memory, without pictures and view."""
    return study_page(Kept(study, Facts.of(study), written="2030-01-02 03:04 UTC", **more))
