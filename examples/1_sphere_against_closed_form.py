"""How far is the solver from the truth?  A coil over four concentric shells, whose field is known in closed form.

    python examples/1_sphere_against_closed_form.py [EDGE_MM]

Prints the relative error of the recovered field in the brain, per cent.
"""

import sys

import numpy as np

import neuro_field as nf

edge = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
head = nf.sphere_head(radii=(78, 81, 87, 92), edge=edge)
coil = nf.load_coil("figure8-70mm")
placement = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -100, 60), gap=4.0, coil=coil)

field = nf.Solver(head).solve(coil, placement)
brain = head.mesh.centroids[head.region("grey_matter")]
found, expected = field.at(brain), nf.analytic.sphere_field(brain, coil, placement)
print(f"{100 * np.linalg.norm(found - expected) / np.linalg.norm(expected):.3f} %")
