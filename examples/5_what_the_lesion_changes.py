"""What does a lesion do to the field?  One coil over the built-in stroke, with the cavity and with the lesion filled.

    python examples/5_what_the_lesion_changes.py [EDGE_MM]

Prints how far the field vectors differ in what the lesion left of the hand area, per cent (relative L2).  The mean
strength there changes by only one per cent: the cavity turns the field more than it strengthens or weakens it.
"""

import sys

import numpy as np

import neuro_field as nf

edge = float(sys.argv[1]) if len(sys.argv) > 1 else 1.9
head = nf.example_head("colin27-stroke", edge=edge)
coil = nf.load_coil("figure8-70mm")
target = nf.Target.named(head, "m1-hand", "left")  # on the lesion's side, moved to grey matter that is left
behind = target.center - np.array([50, 50, -30])  # where the handle points: back, lateral
placement = nf.Placement.on(head.scalp, above=target.center, handle_towards=behind, gap=4.0, coil=coil)

# The filled head is the same mesh, its cavity turned into the tissue around it: only the conductivity differs.
stroke, filled = (target.values(nf.Solver(h).solve(coil, placement)) for h in (head, head.without_lesion()))
difference = np.sqrt(target.weights @ ((stroke - filled) ** 2).sum(axis=1))
print(f"{100 * difference / np.sqrt(target.weights @ (filled**2).sum(axis=1)):.1f} %")
