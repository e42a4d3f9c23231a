"""What the leading page is given once: its files, for anybody, and the patient's scene, for who has the token."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.coil.coil import Coil
from neuro_field.desk.following import Follower
from neuro_field.desk.server import FILES
from neuro_field.desk.shown import Shown
from neuro_field.desk.telling import Teller
from neuro_field.findings import Finding, as_name
from neuro_field.report.interactive import SCRIPTS, field_colours, packed_surface, script_words
from neuro_field.report.scene import COLOURS, target_balls
from neuro_field.report.sentences import magnitude_statistic, statistic, target_title
from neuro_field.report.words import phrase, phrases, said
from neuro_field.search.plan import Plan

#: Of the page's own.
_FILES = ("lead.css", "key.js", "led_space.js", "bullseye.js", "lead.js", "icon.svg")

#: Of the report's view: the library, and the space that is turned.
_SHARED = ("three.min.js", "unpack.js", "space.js")


def lead_files(language: str) -> dict[str, Path | bytes]:
    """What the page is made of, with its words; nothing of a patient."""
    words = {key.removeprefix("lead."): text for key, text in phrases(language).items() if key.startswith("lead.")}
    told = {"language": language, "words": words}
    files: dict[str, Path | bytes] = {name: FILES / name for name in _FILES}
    files |= {name: SCRIPTS / name for name in _SHARED}
    return files | {
        "index.html": FILES / "lead.html",
        "words.json": json.dumps(told, ensure_ascii=False).encode("utf-8"),
    }


def scene_json(shown: Shown, plan: Plan, teller: Teller, follower: Follower | None) -> bytes:
    """The head, the target and the planned placements."""
    steering, target = shown.steering, plan.target
    head = steering.head
    lesion = head.region("lesion")
    balls = target_balls(head, target)
    scene = {
        "axes": teller.facts.axes.tolist(),
        "centre": shown.surface.points.mean(axis=0).tolist(),
        "colours": field_colours(),
        "inks": COLOURS,
        "words": script_words(teller.language),
        "scalp": packed_surface(shown.scalp),
        "cortex": packed_surface(shown.surface),
        "lesion": packed_surface(head.mesh.boundary(lesion)) if lesion.any() else None,
        "coil": None if steering.coil.casing is None else packed_surface(steering.coil.casing),
        "current": _current(steering.coil),
        "target": target.center.tolist(),
        "balls": [{"centre": centre.tolist(), "radius": radius} for centre, radius in balls],
        "pin": _pin(teller, target.center).tolist(),
        "strongest": shown.strongest,
        "atOnce": shown.kind,
        "title": target_title(target, teller.language),
        "statistic": statistic(target, teller.language),
        "size": magnitude_statistic(target, teller.language),
        "coilName": steering.coil.name,
        "placements": [placement.head_from_coil.tolist() for placement in steering.ranked],
        "planned": steering.planned,
        "follow": None if follower is None else _followed(follower, teller.language),
        "notes": [said(Finding("page-serves-face", "note"), teller.language), phrase("disclaimer", teller.language)],
    }
    return json.dumps(scene, allow_nan=False, separators=(",", ":")).encode("utf-8")


def _current(coil: Coil) -> list[float] | None:
    """Along which the field under the coil begins; None of a round one, which has no such direction."""
    return None if coil.symmetry == "continuous" else coil.initial_e_direction.tolist()


def _pin(teller: Teller, centre: FloatArray) -> np.ndarray:
    """(2, 3) mm: from a target's centre to over the scalp."""
    scalp = teller.steering.head.scalp
    foot = scalp.points[scalp.tree.query(centre)[1]]
    out = foot - centre
    return np.stack([centre, foot + 14.0 * out / max(float(np.linalg.norm(out)), 1e-9)])


def _followed(follower: Follower, language: str) -> dict[str, Any]:
    """What is followed, and what its poses are taken to be."""
    address, frames = follower.address, follower.frames
    values: Mapping[str, Any] = {"axes": address.axes, "space": address.space, "kind": address.kind}
    if frames.image_from_reference is not None:
        taken = Finding("track-frames-registered", "note", {**values, "error": frames.registration_error})
    else:
        taken = Finding("track-frames-image", "note", values)
    notes = [taken]
    if address.sender.untried:
        notes.append(Finding("track-untried", "warn", {"kind": address.kind}))
    if address.kind == "invesalius" and address.axes in ("invesalius", "invesalius-x"):
        notes.append(Finding("track-invesalius-axes", "warn", {"axes": address.axes}))
    where = address.path if address.kind == "replay" else f"{address.host}:{address.port}/{address.path}"
    return {
        "kind": address.kind,
        "where": as_name(where),
        "notes": [{"level": note.level, "text": said(note, language)} for note in notes],
    }
