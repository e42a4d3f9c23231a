"""neuro_field: the electric field of a TMS coil in a patient's head, and a ranking of coil placements.

The house, from the roof down; a room may import rooms on lower floors only::

    roof      cli.py
    floor 6   io/                         files in, files out
    floor 5   report/                     pictures and pages
    floor 4   plan/      mri/             where to put the coil | from labels to a head and to MNI
    floor 3   field/                      what the coil does to the head
    floor 2   head/      coil/            what conducts | what induces
    floor 1   geometry/                   shapes
    ground    kernels/   arrays.py   units.py   errors.py

Lengths are mm in the head frame (world RAS of the T1), everything else is SI.
"""
