"""Bring another image of the same person, such as a FLAIR, to the T1: by rotation and shift alone.

Found by normalised mutual information (Studholme et al., Pattern Recognition 1999;32:71), which asks neither for the
same contrast nor for the same slices; from coarse to fine, from several starting poses.
"""

import numpy as np
from scipy import ndimage, optimize
from scipy.spatial.transform import Rotation

from neuro_field.arrays import AnyArray, FloatArray, IntArray, read_only, transformed
from neuro_field.errors import InputError
from neuro_field.geometry.voxels import as_affine, voxel_sizes
from neuro_field.mri.volume import Volume
from neuro_field.nouns import noun

#: Grey values of either image that the joint histogram tells apart.
BINS = 32

#: Stages, coarse to fine: spacing of the points that are compared, mm, and how near (mm) the optimum must be come to.
STAGES = ((8.0, 0.5), (4.0, 0.2), (2.0, 0.05))

#: Points of a stage at most; a regular part of them is taken beyond.
MOST_POINTS = 30_000

#: Angles of the starting poses, degrees, about each axis; and how many of them are followed.
_TURNS, _FOLLOWED = (0.0, -18.0, 18.0), 4

#: A millimetre of rotation is one at this distance from the centre, mm.
_ARM = 60.0

#: Share of the points that must fall into the T1.
_LEAST_WITHIN = 0.5

#: What two images of one head share at the least: gain of normalised mutual information over that of the two
#: `_ASIDE` mm apart.  Colin27 and FLAIR-like images made of its labels, with 5 mm slices: 0.08 to 0.10, 0.06 with much
#: noise; 0.024 where all inside the head is noise, 0.002 upside down [calc].
LEAST_GAIN = 0.03
_ASIDE = 12.0

#: A mirror image that fits better than the image as given, by this of that gain, says that it is mirrored.
MIRROR_MARGIN = 0.05


@noun
class RigidFit:
    """Where an image of the same person lies in the world of the T1.

    ``t1_from_image`` (4, 4) rotation and shift, mm, from the image's world to the T1's; ``angle`` degrees; ``shift`` mm
    of the image's centre; ``shared`` normalised mutual information (1 nothing, 2 all) and ``as_given`` the same without
    moving; ``gain`` of the former over the two put askew.
    """

    t1_from_image: FloatArray
    angle: float
    shift: float
    shared: float
    as_given: float
    gain: float


class _Stage:
    """Both images at one fineness; answers how much they share at a pose."""

    def __init__(self, t1: Volume, image: Volume, spacing: float, centre: FloatArray) -> None:
        sizes = voxel_sizes(t1.affine)
        steps = np.maximum(1, np.round(spacing / sizes)).astype(int)
        blurred = _blurred(t1, spacing)[:: steps[0], :: steps[1], :: steps[2]]
        low, high = _range(blurred)
        self.fixed = ((blurred - low) * ((BINS - 1) / (high - low))).astype(np.float32)
        self.voxel_from_t1 = np.asarray(np.linalg.inv(t1.affine @ np.diag([*steps, 1.0])), dtype=np.float64)
        self.points, self.bins = _sampled(image, spacing)
        self.centre = centre

    def shared(self, pose: FloatArray) -> float:
        """Normalised mutual information at a pose of six numbers, mm; 0 where too little overlaps."""
        matrix = self.voxel_from_t1 @ matrix_of(pose, self.centre)
        voxels = transformed(self.points, matrix).T
        last = np.array(self.fixed.shape)[:, None] - 1
        within = ((voxels >= 0) & (voxels <= last)).all(axis=0)
        if within.mean() < _LEAST_WITHIN:
            return 0.0
        values = ndimage.map_coordinates(self.fixed, voxels[:, within], order=1, mode="nearest")
        return _normalised_information(self.bins[within], np.clip(values, 0, BINS - 1.001))


def _blurred(volume: Volume, spacing: float) -> AnyArray:
    """Values averaged over about ``spacing`` mm; along axes that are coarser already they stay."""
    sizes = voxel_sizes(volume.affine)
    widths = np.sqrt(np.maximum(0.0, (0.4 * spacing) ** 2 - (0.4 * sizes) ** 2)) / sizes
    return np.asarray(ndimage.gaussian_filter(volume.values.astype(np.float32), widths))


def _range(values: AnyArray) -> tuple[float, float]:
    """Darkest and brightest values that are told apart, without the last hundredths."""
    low, high = np.percentile(values, 1), np.percentile(values[values > np.percentile(values, 1)], 99.5)
    return float(low), float(high)


def _sampled(image: Volume, spacing: float) -> tuple[FloatArray, IntArray]:
    """Points (m, 3), mm, of an image's head and a little around it, and the bin of the value at each."""
    steps = np.maximum(1, np.round(spacing / voxel_sizes(image.affine))).astype(int)
    values = _blurred(image, spacing)[:: steps[0], :: steps[1], :: steps[2]]
    low, high = _range(values)
    bright = ndimage.binary_dilation(values > low + 0.15 * (high - low), iterations=1)
    index = np.argwhere(bright)
    index = index[:: max(1, round(len(index) / MOST_POINTS))]
    bins = np.clip((values[tuple(index.T)] - low) * ((BINS - 1) / (high - low)) + 0.5, 0, BINS - 1).astype(np.int32)
    return transformed((index * steps).astype(np.float64), image.affine), bins


def _normalised_information(bins: IntArray, values: FloatArray) -> float:
    """(H(a) + H(b)) / H(a, b) of bins and of values that are shared between the two bins next to them."""
    lower = values.astype(np.int32)
    upper_share = (values - lower).astype(np.float64)
    at = bins * BINS + lower
    joint = np.bincount(at, 1 - upper_share, BINS * BINS) + np.bincount(at + 1, upper_share, BINS * BINS + 1)[:-1]
    joint = joint.reshape(BINS, BINS) / joint.sum()
    both = _entropy(joint.ravel())
    return float((_entropy(joint.sum(axis=0)) + _entropy(joint.sum(axis=1))) / both) if both > 0 else 0.0


def _entropy(shares: FloatArray) -> float:
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum())


def matrix_of(pose: FloatArray, centre: FloatArray) -> FloatArray:
    """(4, 4) rotation about ``centre`` by ``pose[:3]`` (mm at 60 mm) and shift by ``pose[3:]`` mm."""
    out = np.eye(4)
    out[:3, :3] = Rotation.from_rotvec(pose[:3] / _ARM).as_matrix()
    out[:3, 3] = centre + pose[3:] - out[:3, :3] @ centre
    return out


def _starts(t1: Volume, image: Volume, centre: FloatArray) -> list[FloatArray]:
    """Poses to begin from: as given and with the heads' centres on one another, straight and turned."""
    apart = _middle(t1) - centre
    turns = [np.zeros(3)]
    for axis in range(3):
        for degrees in _TURNS[1:]:
            turns.append(np.radians(degrees) * _ARM * np.eye(3)[axis])
    return [np.concatenate([turn, shift]) for shift in (np.zeros(3), apart) for turn in turns]


def _middle(volume: Volume) -> FloatArray:
    """(3,) centre of the head in an image, mm."""
    values = _blurred(volume, 8.0)
    low, high = _range(values)
    return transformed(np.argwhere(values > low + 0.2 * (high - low)).astype(np.float64), volume.affine).mean(axis=0)


def _climbed(stage: _Stage, pose: FloatArray, near: float) -> FloatArray:
    """The pose nearby at which most is shared, by Powell's method."""
    spread = max(4.0 * near, 0.5)
    found = optimize.minimize(
        lambda p: -stage.shared(p), pose, method="Powell",
        options={"xtol": near, "ftol": 1e-5, "maxiter": 6, "direc": spread * np.eye(6)},
    )  # fmt: skip
    return np.asarray(found.x, dtype=np.float64)


def register_rigid(
    image: Volume, t1: Volume, *, called: str = "image on which the lesion was drawn",
    otherwise: str = "draw the lesion on the T1",
) -> RigidFit:  # fmt: skip
    """Where an image of a person lies in the world of the person's T1.

    Parameters
    ----------
    image : Volume
        Any contrast, at least the upper half of the head; slices may be thick.
    t1 : Volume
    called, otherwise : str
        What the image is, and what can be done instead, for the messages.

    Returns
    -------
    RigidFit

    Raises
    ------
    InputError
        If both share too little at the best pose to show one head, or the mirror image fits better.
    """
    for volume, what in ((image, "image of register_rigid"), (t1, "t1 of register_rigid")):
        as_affine(volume.affine, f"affine of {what}")
        if not np.ptp(volume.values) > 0:
            raise InputError(f"Input {what} must show something; instead all its voxels are alike.")
    centre = _middle(image)
    coarse = _Stage(t1, image, STAGES[0][0], centre)
    starts = sorted(_starts(t1, image, centre), key=coarse.shared, reverse=True)[:_FOLLOWED]
    pose = max((_climbed(coarse, start, STAGES[0][1]) for start in starts), key=coarse.shared)
    for spacing, near in STAGES[1:]:
        stage = _Stage(t1, image, spacing, centre)
        pose = _climbed(stage, pose, near)
    fit = _fit(stage, pose)
    if fit.gain < LEAST_GAIN:
        raise InputError(
            f"The {called} must show the head of the T1; instead they share too little (mutual information gains "
            f"{fit.gain:.3f} at the best pose, {LEAST_GAIN:g} is needed): check that both are of one person, or "
            f"{otherwise}."
        )
    better = _mirrored(image, t1, pose, centre)
    if better > MIRROR_MARGIN * fit.gain:
        raise InputError(
            f"The {called} fits the T1 better mirrored (by {better:.4f} of mutual information): left and right in its "
            "header are exchanged; convert it again from DICOM with dcm2niix."
        )
    return fit


def _fit(stage: _Stage, pose: FloatArray) -> RigidFit:
    """A pose with its figures."""
    shared = stage.shared(pose)
    aside = [stage.shared(pose + sign * _ASIDE * np.eye(6)[axis]) for axis in range(6) for sign in (-1, 1)]
    gain = shared - float(np.mean(aside))
    angle = float(np.degrees(np.linalg.norm(pose[:3]) / _ARM))
    matrix = read_only(matrix_of(pose, stage.centre))
    return RigidFit(matrix, angle, float(np.linalg.norm(pose[3:])), shared, stage.shared(np.zeros(6)), gain)


def _mirrored(image: Volume, t1: Volume, pose: FloatArray, centre: FloatArray) -> float:
    """How much more the mirror image of an image shares with the T1 than the image at its pose."""
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    middle = transformed(centre[None], matrix_of(pose, centre))[0]
    mirror[0, 3] = 2 * middle[0]
    turned = Volume(image.values, mirror @ matrix_of(pose, centre) @ image.affine)
    stage, given = (_Stage(t1, each, STAGES[1][0], middle) for each in (turned, image))
    found = _climbed(stage, _climbed(_Stage(t1, turned, STAGES[0][0], middle), np.zeros(6), 0.5), 0.2)
    given.centre = centre
    return stage.shared(found) - given.shared(pose)
