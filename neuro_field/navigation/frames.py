"""The worlds that one NIfTI header can define: a navigator may use another of them than the head frame.

A header holds up to two affines, qform and sform, each with a code that says which world it leads to.  The head frame
is the world `neuro_field.io.images.read_image` uses: the sform's where it has a code, else the qform's.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuro_field.arrays import FARTHEST, FloatArray, as_rigid
from neuro_field.errors import FileFormatError, InputError
from neuro_field.io.images import UNREADABLE
from neuro_field.io.nifti_forms import open_nifti, qform_of, sform_of

#: How far, mm, an image's own axes may carry a corner of it from where the patient's axes do.
_SAME_AXES = 0.5

#: RAS from the axes of DICOM, and back: leftwards, backwards, upwards.
_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

#: What the codes of a qform or sform mean (nifti1.h), as Brainsight spells them.
WORLDS = {1: "Scanner", 2: "Aligned", 3: "Talairach", 4: "MNI-152", 5: "Other-Template"}


@dataclass(frozen=True, eq=False)
class ImageFrames:
    """Affines of a NIfTI header: (4, 4) voxel index to mm or None, their codes, and the image's three sizes."""

    name: str
    qform: FloatArray | None
    sform: FloatArray | None
    qcode: int
    scode: int
    shape: tuple[int, int, int]

    @classmethod
    def read(cls, path: str | Path) -> "ImageFrames":
        """Of a NIfTI file; its voxels are not read."""
        path = Path(path)
        if not path.is_file() or not path.name.lower().endswith((".nii", ".nii.gz")):
            raise InputError(f"The image {path} must be a .nii or .nii.gz file that exists.")
        try:
            header, _ = open_nifti(path)
            (qform, qcode), (sform, scode) = qform_of(header, path.name), sform_of(header)
            shape = tuple(int(n) for n in header.get_data_shape()[:3])
        except FileFormatError as error:
            raise InputError(str(error)) from None
        except UNREADABLE as error:
            raise InputError(f"The image {path} cannot be read: {str(error)[:100]}") from None
        for form, affine in (("qform", qform), ("sform", sform)):
            if affine is not None and not (np.abs(affine).max() <= FARTHEST and abs(np.linalg.det(affine)) > 0):
                raise InputError(f"The {form} in the header of {path} must be finite and invertible; it is damaged.")
        if not qcode and not scode:
            raise InputError(f"The image {path} does not say where it lies (qform_code and sform_code are 0).")
        if len(shape) != 3:
            raise InputError(f"The image {path} must be three-dimensional; instead it has shape {shape}.")
        return cls(path.name, qform, sform, qcode, scode, shape)

    @property
    def head(self) -> FloatArray:
        """(4, 4) voxel index to mm of the head frame."""
        affine = self.sform if self.sform is not None else self.qform
        assert affine is not None
        return affine

    @property
    def head_world(self) -> str:
        """The head frame as a Brainsight coordinate system, for instance ``NIfTI:S:Scanner``."""
        form, code = ("S", self.scode) if self.sform is not None else ("Q", self.qcode)
        return f"NIfTI:{form}:{WORLDS.get(code, 'Other-Template')}"

    def head_from_qform(self) -> FloatArray:
        """(4, 4) rigid, mm: from the qform's world to the head frame.

        Raises
        ------
        InputError
            If the header has no qform, or both forms differ by more than a rigid motion.
        """
        return self._head_from(self.qform, "qform")

    def head_from_world(self, form: str, world: str) -> FloatArray:
        """(4, 4) rigid, mm: from a world by name to the head frame.

        ``form`` is "Q", "S" or "", which leaves it open; ``world`` one of `WORLDS`.
        """
        for letter, affine, code in (("S", self.sform, self.scode), ("Q", self.qform, self.qcode)):
            if affine is not None and form in ("", letter) and WORLDS.get(code) == world:
                return self._head_from(affine, {"S": "sform", "Q": "qform"}[letter])
        has = [f"{n} {WORLDS.get(c, c)}" for n, c in (("qform", self.qcode), ("sform", self.scode)) if c]
        raise InputError(
            f"The image {self.name} defines no world {':'.join(filter(None, (form, world)))}; it has {', '.join(has)}. "
            "Give the image that the navigator has loaded."
        )

    def head_from_dicom(self) -> FloatArray:
        """(4, 4) rigid, mm: from the scanner's frame as DICOM counts it (leftwards, backwards, upwards) to the head's.

        Raises
        ------
        InputError
            If no form of the header leads to the scanner's frame.
        """
        return self.head_from_world("", WORLDS[1]) @ _LPS

    def head_from_corner(self) -> FloatArray:
        """(4, 4) rigid, mm: from leftwards, backwards, upwards of the image's right anterior lower corner to the head.

        The corner is the centre of its voxel.

        Raises
        ------
        InputError
            If the image is tilted, so that its own axes and the patient's are not the same.
        """
        steps = self.head[:3, :3] * (np.array(self.shape) - 1)
        main = np.where(np.abs(steps) == np.abs(steps).max(axis=0), steps, 0.0)
        gap = float(np.abs(steps - main).sum(axis=1).max())
        if gap > _SAME_AXES:
            raise InputError(
                f"The image {self.name} is tilted: its axes and the patient's part by {gap:.1f} mm within it "
                f"({_SAME_AXES} mm at most), so coordinates from its corner can be read in two ways. Export the poses "
                "again in one of the coordinate systems NIfTI:..."
            )
        low, high = (self.head[:3, 3] + extreme(steps, 0).sum(axis=1) for extreme in (np.minimum, np.maximum))
        out = _LPS.copy()
        out[:3, 3] = high[0], high[1], low[2]
        return out

    def _head_from(self, affine: FloatArray | None, what: str) -> FloatArray:
        if affine is None:
            raise InputError(
                f"The image {self.name} has no {what} (its code is 0), which the navigator goes by; give the image "
                "that it has loaded, or copy the other form over it (fslorient -copysform2qform)."
            )
        if np.array_equal(affine, self.head):
            return np.eye(4)
        step = as_rigid(self.head @ np.linalg.inv(affine), f"the step from {what} to head frame in {self.name}")
        u, _, vt = np.linalg.svd(step[:3, :3])
        step[:3, :3] = u @ vt  # headers keep float32
        return step
