"""Poses that come in live, into the image: what cannot be brought there is refused, and why is said as a finding.

Four frames have a part in it: the tracker's own, the head's reference (its tool, fixed to the patient), the image (the
head frame) and the coil.  A sender that knows the image tells image from coil; one that knows only tools tells tracker
from tool and tracker from reference, and landmarks tell image from reference.
"""

from collections.abc import Mapping

import numpy as np

from neuro_field.arrays import FloatArray, as_rigid
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.findings import Finding, Refusal, as_name
from neuro_field.geometry.mesh import Surface
from neuro_field.navigation import brainsight, invesalius, localite, softaxic
from neuro_field.navigation.frames import ImageFrames
from neuro_field.navigation.sightings import Sighting
from neuro_field.nouns import noun
from neuro_field.search.bullseye import REACH, gap_along

#: Our coil frame from a sender's, by name.  "invesalius-x" is InVesalius with its handle on -x, as one source has it.
AXES: Mapping[str, FloatArray] = {
    "simnibs": np.eye(4),
    "brainsight": brainsight.AXES,
    "invesalius": invesalius.AXES,
    "invesalius-x": np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]]),
    "navinibs": np.diag([-1.0, 1.0, -1.0, 1.0]),
    "localite": localite.AXES,
    "softaxic": softaxic.AXES,
}

#: The head frame from images' frames.
SPACES = localite.SPACES

#: A pose nearer to its frame's origin than this is one in metres: nobody's scalp lies there in mm.
_IN_METRES = 1.0

#: The same for tools beside one another, which a tracker sees from metres away.
_TOOLS_IN_METRES = 5.0

#: Axes may be off by this, as `as_rigid` has it; what is farther off is no rounding.
_RIGID = 1e-3


@noun
class Frames:
    """How what a sender says becomes a coil in the image.

    Parameters
    ----------
    axes : str
        Whose coil axes, a name of `AXES`.
    space : str
        "RAS" or "LPS": of the image, where the sender tells poses in it.
    image_from_reference : (4, 4) array, optional
        Where it tells them beside the head's tool or in a frame of its own: by registration.
    tool_from_coil : (4, 4) array, optional
        Where it tells its own marks on the coil: by calibration.
    image : ImageFrames, optional
        For senders with coordinate systems of an image.
    registration_error : float
        Of the registration, mm.
    """

    axes: str
    space: str = "RAS"
    image_from_reference: FloatArray | None = None
    tool_from_coil: FloatArray | None = None
    image: ImageFrames | None = None
    registration_error: float = 0.0

    def placement(self, sighting: Sighting) -> Placement:
        """The coil in the image.

        Raises
        ------
        Refusal
            Where the tool is not seen, or the pose is mirrored, not rigid, in metres, or in a frame that cannot be
            brought into the image.
        """
        if sighting.pose is None:
            raise Refusal(Finding("track-not-seen", "warn", {"why": sighting.why}))
        pose = _rigid(sighting.pose, sighting.reference is not None)
        if sighting.reference is not None:
            if self.image_from_reference is None:
                raise Refusal(Finding("track-unregistered", "stop"))
            reference = _rigid(sighting.reference, True)
            pose = np.asarray(np.linalg.inv(reference)) @ pose
        pose = self._image_from(sighting.system) @ pose
        if self.tool_from_coil is not None:
            pose = pose @ self.tool_from_coil
        return Placement(pose @ AXES[self.axes])

    def _image_from(self, system: str) -> FloatArray:
        if self.image_from_reference is not None:
            return self.image_from_reference
        if not system:
            return SPACES[self.space]
        if self.image is None:
            raise Refusal(Finding("track-system-needs-image", "stop", {"system": as_name(system)}))
        try:
            return brainsight.head_from_system(system, None, "Brainsight", self.image)[0]
        except InputError:
            raise Refusal(Finding("track-system", "stop", {"system": as_name(system)})) from None


def check_seat(scalp: Surface, placement: Placement) -> float:
    """The gap from the casing's face to the scalp along the axis, mm.

    Raises
    ------
    Refusal
        If the coil does not look at the scalp from 0 to 40 mm.
    """
    gap = gap_along(scalp, placement.center, placement.axis)
    if gap is None:
        behind = gap_along(scalp, placement.center, -placement.axis)
        code = "track-looks-away" if behind is not None else "track-off-scalp"
        raise Refusal(Finding(code, "stop", {"reach": REACH}))
    if gap < 0:
        raise Refusal(Finding("track-inside", "stop", {"depth": -gap}))
    return gap


def _rigid(pose: FloatArray, tools: bool) -> FloatArray:
    """A pose that is one, in mm."""
    rotation = pose[:3, :3]
    lengths = np.linalg.norm(rotation, axis=0)
    shear = float(np.abs(rotation.T @ rotation - np.eye(3)).max())
    if np.linalg.det(rotation) < 0:
        raise Refusal(Finding("track-mirrored", "stop"))
    if max(float(np.abs(lengths - 1).max()), shear) > _RIGID or np.abs(pose[3] - [0, 0, 0, 1]).max() > 1e-6:
        raise Refusal(Finding("track-not-rigid", "stop", {"off": max(float(np.abs(lengths - 1).max()), shear)}))
    far = float(np.linalg.norm(pose[:3, 3]))
    if far < (_TOOLS_IN_METRES if tools else _IN_METRES):
        raise Refusal(Finding("track-metres", "stop", {"far": far}))
    return as_rigid(pose, "pose of a tracker")
