"""Synthetic diffusion images and tensors, written along the axes that programs write them, by the definitions alone."""

from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.spatial.transform import Rotation

#: Positions of xx, xy, xz, yy, yz, zz in rows and columns.
ROWS, COLUMNS = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)

#: Of six volumes, which entry of the matrix each is.
ORDERS = {
    "upper": ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)),
    "diagonal": ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)),
    "lower": ((0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)),
}


def oblique(determinant, sizes=(2.0, 2.2, 3.0), origin=(-20.0, 10.0, 5.0)):
    """An affine turned about all axes, that keeps handedness (1) or does not (-1)."""
    turn = Rotation.from_euler("xyz", [12, -20, 33], degrees=True).as_matrix() @ np.diag([determinant, 1.0, 1.0])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * sizes, origin
    return affine


def along_axes(vectors, axes, affine):
    """World vectors (..., 3) as written along axes: by what each name means."""
    if axes == "world":
        return vectors
    if axes == "lps":
        return vectors * [-1.0, -1.0, 1.0]
    out = vectors @ (affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    return out * [-1.0, 1.0, 1.0] if axes == "fsl" and np.linalg.det(affine) > 0 else out


def random_tensors(shape, seed=0, low=0.3e-3, high=2e-3):
    """Tensors (*shape, 3, 3), their eigenvalues, ascending and well apart, and their eigenvectors, in columns."""
    count = int(np.prod(shape))
    rng = np.random.default_rng(seed)
    vectors = Rotation.random(count, random_state=seed).as_matrix()
    values = np.sort(rng.uniform(low, high, (count, 3)), axis=1) * [0.7, 1.0, 1.3]
    tensors = (vectors * values[:, None, :]) @ vectors.transpose(0, 2, 1)
    return tensors.reshape(*shape, 3, 3), values.reshape(*shape, 3), vectors.reshape(*shape, 3, 3)


def directions(count, seed=0):
    """Unit vectors (count, 3)."""
    out = np.random.default_rng(seed).normal(size=(count, 3))
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def write_series(folder, tensors, affine, axes="fsl", *, b=1000.0, count=20, unweighted=2, flipped=(1, 1, 1)):
    """dwi.nii.gz, dwi.bval and dwi.bvec of tensors (i, j, k, 3, 3) mm2/s in the world; noise-free."""
    weights = np.concatenate([np.zeros(unweighted), np.full(count, b)])
    ways = np.concatenate([np.zeros((unweighted, 3)), directions(count)])
    decay = np.einsum("ni,...ij,nj->...n", ways, tensors, ways)
    signal = 1000 * np.exp(-weights * decay)
    folder = Path(folder)
    nib.save(nib.Nifti1Image(signal.astype(np.float32), affine), folder / "dwi.nii.gz")
    np.savetxt(folder / "dwi.bval", weights[None], fmt="%g")
    np.savetxt(folder / "dwi.bvec", (along_axes(ways, axes, affine) * flipped).T, fmt="%.7f")
    return folder / "dwi.nii.gz", folder / "dwi.bval", folder / "dwi.bvec"


def write_tensors(path, tensors, affine, order="upper", axes="fsl"):
    """A NIfTI of tensors (i, j, k, 3, 3) in the world, in an order and along axes; "nine" for all entries."""
    left = along_axes(np.swapaxes(tensors, -1, -2), axes, affine)
    turned = along_axes(np.swapaxes(left, -1, -2), axes, affine)
    entries = [(i, j) for i in range(3) for j in range(3)] if order == "nine" else ORDERS[order]
    values = np.stack([turned[..., i, j] for i, j in entries], axis=-1).astype(np.float32)
    image = nib.Nifti1Image(values[:, :, :, None] if order == "lower" else values, affine)
    if order == "lower":
        image.header.set_intent("symmetric matrix", (3,))
    nib.save(image, path)
    return path


def six(tensors):
    """Components xx, xy, xz, yy, yz, zz (..., 6)."""
    return tensors[..., ROWS, COLUMNS]


def fibres(seed=4, count=14, size=(36, 34, 30), radius=2.5):
    """Straight bundles in all directions through a block: voxels (m, 3) and tensors (m, 3, 3) along voxel axes."""
    rng = np.random.default_rng(seed)
    places = np.moveaxis(np.indices(size), 0, -1).reshape(-1, 3).astype(float)
    tensors = np.tile(0.8e-3 * np.eye(3), (len(places), 1, 1))
    for way in directions(count, seed):
        middle = rng.uniform(0.2, 0.8, 3) * size
        beside = places - middle
        off = np.linalg.norm(beside - (beside @ way)[:, None] * way, axis=1)
        tensors[off < radius] = 0.3e-3 * np.eye(3) + 1.4e-3 * np.outer(way, way)
    return places.astype(np.int32), tensors
