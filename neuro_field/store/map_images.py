"""A motor map for other programs: R2 and the area as NIfTI, and on the outer surface of the cortex as GIFTI."""

from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.gifti import GiftiCoordSystem, GiftiDataArray, GiftiImage, GiftiMetaData
from scipy.spatial import cKDTree

from neuro_field.arrays import AnyArray, FloatArray
from neuro_field.geometry.mesh import Surface
from neuro_field.head.model import HeadModel
from neuro_field.hotspot.motor_map import MotorMap

#: Voxels, mm, and how far from a point of the map its values reach: half the sheet's thickness or so.
VOXEL, REACH = 1.0, 2.0

#: Vertices of the outer surface farther than this from every point are none of the map's, mm.
_THICKNESS = 5.0

#: NIFTI_XFORM_SCANNER_ANAT: coordinates are those of the T1's world.
_SCANNER = 1


def write_map_volumes(found: MotorMap, folder: Path) -> None:
    """Write r2.nii.gz and area95.nii.gz: at each voxel within 2 mm of a point of the map what the nearest one has.

    Voxels are of 1 mm and upright in the T1's world (RAS); R2 is NaN where nothing was mapped.
    """
    low = np.floor(found.points.min(axis=0) - REACH)
    size = np.ceil((found.points.max(axis=0) + REACH - low) / VOXEL).astype(int) + 1
    affine = np.diag([VOXEL, VOXEL, VOXEL, 1.0])
    affine[:3, 3] = low
    centers = low + VOXEL * np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1).reshape(-1, 3)
    gap, nearest = cKDTree(found.points).query(centers)
    near = gap <= REACH
    r2 = np.where(near, found.r2[nearest], np.nan).astype(np.float32).reshape(size)
    area = (near & found.area[nearest]).astype(np.uint8).reshape(size)
    for name, values in (("r2", r2), ("area95", area)):
        image = nib.Nifti1Image(values, affine)
        image.set_qform(affine, _SCANNER)
        image.set_sform(affine, _SCANNER)
        image.header.set_xyzt_units("mm")
        nib.save(image, folder / f"{name}.nii.gz")


def write_map_surface(found: MotorMap, head: HeadModel, folder: Path) -> None:
    """Write cortex.surf.gii, the outer surface over the map, and map.shape.gii: R2 and the area at its vertices."""
    surface, nearest = _surface(found, head)
    frame = GiftiCoordSystem(_SCANNER, _SCANNER, np.eye(4))
    about = GiftiMetaData({"AnatomicalStructurePrimary": "Cortex", "GeometricType": "Anatomical"})
    points = GiftiDataArray(
        surface.points.astype(np.float32), "NIFTI_INTENT_POINTSET", "NIFTI_TYPE_FLOAT32", coordsys=frame, meta=about
    )
    triangles = GiftiDataArray(surface.triangles.astype(np.int32), "NIFTI_INTENT_TRIANGLE", "NIFTI_TYPE_INT32")
    values = [
        GiftiDataArray(
            np.asarray(column[nearest], np.float32), "NIFTI_INTENT_SHAPE", "NIFTI_TYPE_FLOAT32",
            meta=GiftiMetaData({"Name": name}),
        )
        for name, column in (("R2", found.r2), ("area95", found.area))
    ]  # fmt: skip
    nib.save(GiftiImage(darrays=[points, triangles]), folder / "cortex.surf.gii")
    nib.save(GiftiImage(darrays=values), folder / "map.shape.gii")


def _surface(found: MotorMap, head: HeadModel) -> tuple[Surface, AnyArray]:
    """The part of the cortex's outer surface over the map, and for each vertex the map's nearest point."""
    brain = head.region("grey_matter") | head.region("white_matter") | head.region("lesion")
    whole = head.mesh.boundary(brain)
    gap, nearest = cKDTree(found.points).query(whole.points)
    near: FloatArray = gap <= _THICKNESS
    kept = whole.triangles[near[whole.triangles].all(axis=1)]
    used, numbers = np.unique(kept, return_inverse=True)
    return Surface(whole.points[used], numbers.reshape(kept.shape).astype(np.int32)), nearest[used]
