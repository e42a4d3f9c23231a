"""Of a live field: what it was made of, and how well it follows full solves."""

PHRASES = {
    "live.made": "{snapshots} full solves became {modes} modes of the field at {points} points of the cortex; a frame "
    "of all of them reads {megabytes:.0f} MB.",
    "live.errors": "At {held_out} placements held out it differs from full solves by {mean:.2%} in the mean and "
    "{most:.2%} at worst (relative L2 over the cortex), within 20 mm of the strongest point by {near:.2%} at worst.",
    "live.trust": "A placement is trusted while at most {unspanned:.1%} of the coil's magnetic field around the brain "
    "is unlike all it was made of: gaps of 2 to 15 mm and tilts to 15 degrees over the whole scalp are.",
}
