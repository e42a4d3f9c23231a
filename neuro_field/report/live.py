"""A live field in plain words: what it was made of, and how well it follows full solves."""

from neuro_field.live.live_field import LiveField


def live_lines(live: LiveField) -> list[str]:
    """What was made, its errors at placements held out, and what a frame costs."""
    report = live.report
    return [
        f"{report.snapshots} full solves became {report.modes} modes of the field at {len(live.points)} points of the "
        f"cortex; a frame of all of them reads {report.bytes_read / 1e6:.0f} MB.",
        f"At {len(report.errors)} placements held out it differs from full solves by {report.error_mean:.2%} in the "
        f"mean and {report.error_max:.2%} at worst (relative L2 over the cortex), within 20 mm of the strongest point "
        f"by {max(report.near_errors):.2%} at worst.",
        "A placement is trusted while at most "
        f"{live.most_unspanned:.1%} of the coil's magnetic field around the brain is unlike all it was made of: gaps "
        "of 2 to 15 mm and tilts to 15 degrees over the whole scalp are.",
    ]
