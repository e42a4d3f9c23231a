"""What did a session deliver?  Poses that a navigator recorded, read from its file and held against the plan.

    python examples/6_delivered_field_of_a_session.py [EDGE_MM [FILE]]

FILE is what your navigator wrote in the head's frame.  Without one, 60 pulses of a hand that strays by 3 mm and 5
degrees stand in, written as Localite writes them.  Prints the mean share of the planned field that reached the target.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import neuro_field as nf
from neuro_field.navigation.localite import localite_text

edge = float(sys.argv[1]) if len(sys.argv) > 1 else 1.9
head = nf.example_head("colin27-stroke", edge=edge)
coil, solver = nf.load_coil("figure8-70mm"), nf.Solver(head)
target = nf.Target.named(head, "m1-hand", "right")
behind = target.center + np.array([50, -50, 30])  # where the handle points: back, lateral
planned = nf.Placement.on(head.scalp, above=target.center, handle_towards=behind, gap=4.0, coil=coil)

with tempfile.TemporaryDirectory() as folder:
    recorded = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(folder) / "session1.xml"
    if len(sys.argv) <= 2:
        rng = np.random.default_rng(1)
        strays = zip(rng.normal(0, 3, (60, 2)), rng.normal(0, 5, 60), strict=True)
        poses = [planned.moved(along_x=x, along_y=y, turned=turn) for (x, y), turn in strays]
        pulses = [nf.Marker(f"pulse {i}", pose, recorded=True, output=50.0) for i, pose in enumerate(poses, start=1)]
        recorded.write_text(localite_text(pulses))
    session = nf.read_navigator(recorded)

ledger = nf.delivered(solver, coil, target, planned, session.markers)
print(f"{100 * np.nanmean(ledger.shares):.1f} %")
