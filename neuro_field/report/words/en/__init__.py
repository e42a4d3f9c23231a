"""English: names of sides, sites, tissues and fields of the intake as findings carry them, in words."""

#: Names without an entry are said as they are.
NAMES = {
    "grey_matter": "grey matter",
    "white_matter": "white matter",
    "csf": "CSF",
    "lesion_cavity": "lesion cavity",
    "lesion_rim": "lesion rim",
    "bilateral": "bilateral",
    "rmt": "resting motor threshold",
}
