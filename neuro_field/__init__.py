"""neuro_field: the electric field of a TMS coil in a patient's head, and a ranking of coil placements.

The house, from the roof down; a room may import rooms on lower floors only::

    roof      cli.py   commands/   console.py        what people type
              desk/   cohort/                        pages that run | many people, engines that exist
    floor 9   store/                                 our own folders
    floor 8   report/                                from records to pages and pictures
    floor 7   navigation/                            navigators' files
    floor 6   clinic/                                one patient: presets, answers, dose, both hemispheres
    floor 5   search/   hotspot/   segment/          placements ranked | pulses to a site | other programs
    floor 4   reciprocity/   live/   shelf/          any pose to a target | to the cortex | built-in heads, coils
    floor 3   aim/           io/                     what to reach | formats: bytes to arrays
    floor 2   field/         mri/                    what the coil does to the head | images to heads
    floor 1   head/          coil/                   what conducts | what induces
    ground    geometry/   kernels/   arrays   units   findings   names   threads   caches   errors

Lengths are mm in the head frame (world RAS of the T1), everything else is SI.

Examples
--------
>>> import neuro_field as nf
>>> head = nf.sphere_head(radii=(70, 80, 90), edge=9.0)
>>> coil = nf.load_coil("figure8-70mm")
>>> placement = nf.Placement.on(head.scalp, above=(0, 0, 90), handle_towards=(0, -90, 90))
>>> field = nf.Solver(head).solve(coil, placement)
>>> bool(field.magnE.max() > 1.0)
True
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neuro_field.aim.tape import HeadTape, TapePlace
    from neuro_field.aim.target import Target
    from neuro_field.clinic.answers import Answers
    from neuro_field.clinic.ledger import delivered
    from neuro_field.clinic.mapped import mapped_threshold
    from neuro_field.clinic.study import Study, study
    from neuro_field.clinic.threshold import Threshold
    from neuro_field.cohort.table import table
    from neuro_field.coil.coil import Coil
    from neuro_field.coil.marker import Marker
    from neuro_field.coil.placement import Placement
    from neuro_field.errors import ConvergenceError, InputError
    from neuro_field.field import analytic
    from neuro_field.field.error import numerical_error
    from neuro_field.field.field import Field
    from neuro_field.field.solver import Solver
    from neuro_field.field.validation import validate
    from neuro_field.findings import Finding, Refusal
    from neuro_field.head.fiducials import Fiducials
    from neuro_field.head.model import HeadModel
    from neuro_field.head.sphere import sphere_head
    from neuro_field.hotspot.motor_map import MotorMap, motor_map
    from neuro_field.hotspot.next_pulses import next_pulses
    from neuro_field.hotspot.pulses import Pulses
    from neuro_field.io.diffusion_series import fit_tensors
    from neuro_field.io.tensor_images import read_tensors
    from neuro_field.live.building import live_field
    from neuro_field.live.live_field import LiveField
    from neuro_field.mri.another_lesion import head_with_lesion
    from neuro_field.mri.build import build_head
    from neuro_field.mri.lesion import synthetic_lesion
    from neuro_field.mri.tensor_image import TensorImage
    from neuro_field.navigation.fiducials import read_fiducials
    from neuro_field.navigation.files import read_navigator
    from neuro_field.navigation.pulse_files import read_pulses
    from neuro_field.report.view import view
    from neuro_field.search.candidates import Grid
    from neuro_field.search.plan import Plan
    from neuro_field.search.search import Avoidance, plan
    from neuro_field.shelf.coils import load_coil, read_coil
    from neuro_field.shelf.examples import example_head
    from neuro_field.store.fields import read_field
    from neuro_field.store.heads import read_head
    from neuro_field.store.lives import read_live
    from neuro_field.store.maps import read_map
    from neuro_field.store.plans import read_plan, render
    from neuro_field.store.write import write

#: Public names and the rooms they live in; a room is entered when one of its names is first asked for.
_ROOMS = {
    "Answers": "clinic.answers",
    "Avoidance": "search.search",
    "Coil": "coil.coil",
    "ConvergenceError": "errors",
    "Fiducials": "head.fiducials",
    "Field": "field.field",
    "Finding": "findings",
    "Grid": "search.candidates",
    "HeadTape": "aim.tape",
    "HeadModel": "head.model",
    "InputError": "errors",
    "LiveField": "live.live_field",
    "Marker": "coil.marker",
    "MotorMap": "hotspot.motor_map",
    "Placement": "coil.placement",
    "Plan": "search.plan",
    "Pulses": "hotspot.pulses",
    "Refusal": "findings",
    "Solver": "field.solver",
    "Study": "clinic.study",
    "TapePlace": "aim.tape",
    "Target": "aim.target",
    "TensorImage": "mri.tensor_image",
    "Threshold": "clinic.threshold",
    "build_head": "mri.build",
    "delivered": "clinic.ledger",
    "example_head": "shelf.examples",
    "fit_tensors": "io.diffusion_series",
    "head_with_lesion": "mri.another_lesion",
    "live_field": "live.building",
    "load_coil": "shelf.coils",
    "mapped_threshold": "clinic.mapped",
    "motor_map": "hotspot.motor_map",
    "next_pulses": "hotspot.next_pulses",
    "numerical_error": "field.error",
    "plan": "search.search",
    "read_coil": "shelf.coils",
    "read_fiducials": "navigation.fiducials",
    "read_field": "store.fields",
    "read_head": "store.heads",
    "read_map": "store.maps",
    "read_live": "store.lives",
    "read_navigator": "navigation.files",
    "read_plan": "store.plans",
    "read_pulses": "navigation.pulse_files",
    "read_tensors": "io.tensor_images",
    "render": "store.plans",
    "sphere_head": "head.sphere",
    "study": "clinic.study",
    "table": "cohort.table",
    "synthetic_lesion": "mri.lesion",
    "validate": "field.validation",
    "view": "report.view",
    "write": "store.write",
}

__all__ = [
    "Answers",
    "Avoidance",
    "Coil",
    "ConvergenceError",
    "Fiducials",
    "Field",
    "Finding",
    "Grid",
    "HeadModel",
    "HeadTape",
    "InputError",
    "LiveField",
    "Marker",
    "MotorMap",
    "Placement",
    "Plan",
    "Pulses",
    "Refusal",
    "Solver",
    "Study",
    "TapePlace",
    "Target",
    "TensorImage",
    "Threshold",
    "analytic",
    "build_head",
    "delivered",
    "example_head",
    "fit_tensors",
    "head_with_lesion",
    "live_field",
    "load_coil",
    "mapped_threshold",
    "motor_map",
    "next_pulses",
    "numerical_error",
    "plan",
    "read_coil",
    "read_fiducials",
    "read_field",
    "read_head",
    "read_live",
    "read_map",
    "read_navigator",
    "read_plan",
    "read_pulses",
    "read_tensors",
    "render",
    "sphere_head",
    "study",
    "synthetic_lesion",
    "table",
    "validate",
    "view",
    "write",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("neuro_field")
    if name == "analytic":
        return import_module("neuro_field.field.analytic")
    if name not in _ROOMS:
        raise AttributeError(f"module 'neuro_field' has no attribute {name!r}")
    return getattr(import_module(f"neuro_field.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
