"""Make colin27_labels.nii.gz from the label image that SAMSEG drew of Colin27's T1.

    python make.py COLIN27_T1.nii.gz SAMSEG_LABELS.nii.gz

The T1 is copied as it is; the labels become tissue tags, are cleaned, and keep the T1's world coordinates.
"""

import shutil
import sys
from pathlib import Path

import nibabel as nib
import numpy as np

from neuro_field.mri.cleaning import clean_labels
from neuro_field.mri.labels import to_tissues

HERE = Path(__file__).parent


def main(t1: str, samseg: str) -> None:
    """Write the labels and the T1 beside this script."""
    drawn = nib.load(samseg)
    if not np.allclose(drawn.affine, nib.load(t1).affine):
        raise SystemExit("The T1 and the labels must lie on one grid.")
    cleaned = clean_labels(to_tissues(np.asarray(drawn.dataobj)), drawn.affine)
    image = nib.Nifti1Image(np.asarray(cleaned.labels), cleaned.affine)
    image.set_qform(cleaned.affine, code="mni")
    image.set_sform(cleaned.affine, code="mni")
    image.header.set_xyzt_units("mm")
    nib.save(image, HERE / "colin27_labels.nii.gz")
    shutil.copyfile(t1, HERE / "colin27_T1.nii.gz")
    for name, change in cleaned.report.change_cm3.items():
        print(f"{name:14s} {cleaned.report.after_cm3[name]:8.1f} cm3, {change:+.2f} by cleaning")


if __name__ == "__main__":
    main(*sys.argv[1:])
