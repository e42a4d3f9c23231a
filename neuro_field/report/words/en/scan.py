"""Of the scan that a head was made of."""

SENTENCES = {
    "scan-contrast": (
        "the T1 was made after a contrast agent: enhancing dura, vessels and lesion borders can be taken for grey "
        "matter or scalp. Check the outlines on qc.html, and use a T1 without contrast where there is one."
    ),
    "scan-noisy-background": (
        "the T1 is an MP2RAGE UNI image, whose background is noise as bright as tissue: segmenters can lose the "
        "scalp's outline in it. Check it on qc.html, or reconstruct the denoised image (UNI-DEN) and use that."
    ),
    "scan-derived": (
        "the T1 was computed of other images (a reformat, projection or difference): edges and contrast are no longer "
        "the scanner's. Use the original series where it can be had."
    ),
    "scan-unclear": (
        "the header of the series does not say that it is a T1: it was taken because it was asked for. Check on "
        "qc.html that white matter is brighter than grey, and grey brighter than CSF."
    ),
    "scan-two-dimensional": (
        "the T1 was made in 2-D slices, {spacing:.1f} mm apart, with possible gaps and shifts between them. Order a "
        "3-D T1 of 1 mm (docs/mri-order.md)."
    ),
    "scan-coarse": "the T1 has voxels of {spacing:.1f} mm, above {good:.1f} mm: narrow sulci and thin skull close.",
    "scan-lossy": (
        "the T1 was compressed with loss: fine contrast may be gone. Ask for the original images, compressed without "
        "loss or not at all."
    ),
}
