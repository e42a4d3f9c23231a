"""Where should the coil go?  The built-in stroke head, 1 Hz over the unaffected hand area, both hemispheres planned.

    python examples/3_best_placement_after_stroke.py [EDGE_MM [FOLDER]]

Prints the field along the wanted axis in the target at the best placement, V/m at 1 A/us; writes the report to FOLDER.
"""

import sys

import neuro_field as nf

edge = float(sys.argv[1]) if len(sys.argv) > 1 else 1.9
head = nf.example_head("colin27-stroke", edge=edge)
study = nf.study(head, preset="contralesional-1hz-hand", coil=nf.load_coil("figure8-70mm"))
if len(sys.argv) > 2:
    nf.write(study, sys.argv[2])
print(f"{study.best.verified:.3f} V/m")
