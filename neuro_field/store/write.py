"""One verb for every noun: write a thing to where a person says."""

from pathlib import Path
from typing import Any

from neuro_field.clinic.study import Study
from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.head.model import HeadModel
from neuro_field.hotspot.motor_map import MotorMap
from neuro_field.live.live_field import LiveField
from neuro_field.search.plan import Plan


def write(thing: Any, path: str | Path) -> None:
    """Write a coil to a file, or a head, field, live field, plan, study or motor map to a new folder.

    Parameters
    ----------
    thing : Coil, HeadModel, Field, LiveField, Plan, Study or MotorMap
    path : str or Path
        For a coil a file name ending in .ccd, .tcd, .nii or .nii.gz; else a folder that holds nothing yet.

    Raises
    ------
    InputError
        If the thing is of another kind, or the folder holds something.

    Examples
    --------
    >>> import neuro_field as nf
    >>> nf.write(nf.load_coil("figure8-70mm"), "mine.tcd")
    >>> nf.write(nf.sphere_head((70, 80, 90), edge=9.0), "SPHERE")
    >>> sorted(path.name for path in Path("SPHERE").iterdir())
    ['head.json', 'head.msh', 'qc.html']
    """
    if isinstance(thing, Coil):
        from neuro_field.shelf.coils import write_coil

        write_coil(thing, path)
    elif isinstance(thing, HeadModel):
        from neuro_field.store.heads import write_head

        write_head(thing, path)
    elif isinstance(thing, Field):
        from neuro_field.store.fields import write_field

        write_field(thing, path)
    elif isinstance(thing, LiveField):
        from neuro_field.store.lives import write_live

        write_live(thing, path)
    elif isinstance(thing, Plan | Study):
        from neuro_field.store.plans import write_study

        write_study(thing, path)
    elif isinstance(thing, MotorMap):
        from neuro_field.store.maps import write_map

        write_map(thing, path)
    else:
        raise InputError(
            "Input thing of write must be a Coil, HeadModel, Field, LiveField, Plan, Study or MotorMap; instead "
            f"received {thing!r:.80}."
        )
