"""A field as NIfTI images on the T1's grid, named as BIDS derivatives."""

import json
from collections.abc import Callable
from pathlib import Path

from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.field.sampling import on_grid
from neuro_field.io.atomic import new_file
from neuro_field.io.images import Image, write_image


def derivative_name(description: str, suffix: str, ending: str, subject: str = "01") -> str:
    """``sub-01_space-T1w_desc-magnE_efield.nii.gz`` and the like; the subject is a label, never a patient's name."""
    for what, label in (("subject", subject), ("description", description)):
        if not (label.isalnum() and label.isascii()):
            raise InputError(f"Input {what} of a BIDS name must be letters and digits; instead {label!r:.40}.")
    return f"sub-{subject}_space-T1w_desc-{description}_{suffix}{ending}"


def write_field_images(
    field: Field,
    folder: str | Path,
    grid: Image,
    *,
    role: str = "",
    subject: str = "01",
    progress: Callable[[float], None] | None = None,
) -> list[Path]:
    """Write |E| and E on a T1's grid, float32 V/m, 0 outside the head, each with a sidecar that says how it was made.

    Parameters
    ----------
    field : Field
    folder : str or Path
        Exists.
    grid : Image
        The T1 whose world is the head frame.
    role : str
        Put before magnE and E in the names, as in ``desc-contralesionalMagnE``.
    subject : str
        Label in the names.
    progress : callable, optional
        Called with the share that is done.

    Returns
    -------
    list of Path
        Of the images.
    """
    vectors = on_grid(field, grid.affine, grid.values.shape, progress=progress)
    magnitude = (vectors.astype("f4") ** 2).sum(axis=-1) ** 0.5
    about = {
        "Units": "V/m",
        "DIDT_A_per_s": field.didt,
        "Coil": field.coil.name,
        "HeadFromCoil_mm": field.placement.head_from_coil.tolist(),
        "SpatialReference": "World of the T1-weighted image whose grid this is.",
    }
    described = {
        "magnE": (magnitude, "Magnitude of the induced electric field; 0 outside the head."),
        "E": (vectors, "Induced electric field, x y z of the head frame (world RAS, not voxel axes); 0 outside."),
    }
    paths = []
    for name, (values, words) in described.items():
        description = role + name[0].upper() + name[1:] if role else name
        path = Path(folder) / derivative_name(description, "efield", ".nii.gz", subject)
        write_image(path, values, grid.affine)
        with new_file(path.with_name(path.name.removesuffix(".nii.gz") + ".json")) as beside:
            beside.write_text(
                json.dumps({"Description": words} | about, indent=2) + "\n", encoding="utf-8", newline="\n"
            )
        paths.append(path)
    return paths
