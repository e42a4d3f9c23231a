"""How is a head made from a label image?  A head of ellipsoids stands in for yours: labels in, mesh out.

    python examples/4_head_from_labels.py [EDGE_MM]

Prints the volume of the lesion in the mesh, cm3 (the ball that was drawn has 14.1 cm3).
"""

import sys

import numpy as np

import neuro_field as nf

edge = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
affine = np.diag([2.0, 2.0, 2.0, 1.0])
affine[:3, 3] = -110
points = np.moveaxis(np.indices((111, 111, 111)), 0, -1) * 2.0 - 110
labels = np.zeros(points.shape[:3], dtype=np.int16)
for tag, axes in ((5, (88, 104, 92)), (4, (80, 96, 84)), (3, (73, 89, 77)), (2, (69, 85, 73)), (1, (60, 75, 64))):
    labels[((points / axes) ** 2).sum(axis=-1) < 1] = tag  # scalp, bone, CSF, grey matter, white matter
lesion = np.linalg.norm(points - [-40, 0, 20], axis=-1) < 15

head = nf.build_head(labels, affine, lesion=lesion, edge=edge)
print(f"{head.tissue_volumes['lesion_cavity']:.1f} cm3")
