"""What does one coil position do?  A figure-8 above the right hand area of the built-in head, handle back and lateral.

    python examples/2_field_of_one_placement.py [EDGE_MM]

Prints the field strength that 99.9 % of the grey matter stays below, V/m at 1 A/us.
"""

import sys

import numpy as np

import neuro_field as nf

edge = float(sys.argv[1]) if len(sys.argv) > 1 else 1.9
head = nf.example_head("colin27", edge=edge)
coil = nf.load_coil("figure8-70mm")
placement = nf.Placement.on(head.scalp, above=(57, -11, 80), handle_towards=(120, -80, 45), gap=4.0, coil=coil)

field = nf.Solver(head).solve(coil, placement, didt=1e6)
grey = head.region("grey_matter")
order = np.argsort(field.magnE[grey])
share = np.cumsum(head.mesh.volumes[grey][order]) / head.mesh.volumes[grey].sum()
print(f"{field.magnE[grey][order][np.searchsorted(share, 0.999)]:.3f} V/m")
