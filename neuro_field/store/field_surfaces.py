"""A field on the cortex as GIFTI: the grey matter's outer surface, and the field just inside it."""

from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.gifti import GiftiCoordSystem, GiftiDataArray, GiftiImage, GiftiMetaData

from neuro_field.field.field import Field
from neuro_field.field.sampling import cortex
from neuro_field.io.atomic import new_file
from neuro_field.store.field_images import derivative_name

#: NIFTI_XFORM_SCANNER_ANAT: coordinates are those of the T1's world.
_SCANNER = 1


def write_field_surface(field: Field, folder: str | Path, *, subject: str = "01") -> list[Path]:
    """Write the cortex (``.surf.gii``) and magnE, E_x, E_y, E_z at its vertices (``.func.gii``), float32 V/m.

    Values are the recovered field just inside the grey matter (`neuro_field.field.sampling.cortex`).  Both hemispheres
    and the cerebellum are one surface.
    """
    surface, points = cortex(field.head)
    vectors = field.at(points)
    frame = GiftiCoordSystem(_SCANNER, _SCANNER, np.eye(4))
    about = GiftiMetaData({"AnatomicalStructurePrimary": "Cortex", "GeometricType": "Anatomical"})
    geometry = [
        GiftiDataArray(
            surface.points.astype(np.float32), "NIFTI_INTENT_POINTSET", "NIFTI_TYPE_FLOAT32", coordsys=frame, meta=about
        ),
        GiftiDataArray(surface.triangles.astype(np.int32), "NIFTI_INTENT_TRIANGLE", "NIFTI_TYPE_INT32"),
    ]
    columns = {"magnE": np.linalg.norm(vectors, axis=1)}
    columns |= {f"E_{axis}": vectors[:, i] for i, axis in enumerate("xyz")}
    values = [
        GiftiDataArray(
            column.astype(np.float32), "NIFTI_INTENT_NONE", "NIFTI_TYPE_FLOAT32",
            meta=GiftiMetaData({"Name": name, "Units": "V/m"}),
        )
        for name, column in columns.items()
    ]  # fmt: skip
    paths = []
    for arrays, description, suffix, ending in (
        (geometry, "greyOuter", "mesh", ".surf.gii"), (values, "E", "efield", ".func.gii"),
    ):  # fmt: skip
        path = Path(folder) / derivative_name(description, suffix, ending, subject)
        with new_file(path) as beside:
            nib.save(GiftiImage(darrays=arrays), beside)
        paths.append(path)
    return paths
