"""A live field in plain words: what it was made of, and how well it follows full solves."""

from neuro_field.live.live_field import LiveField
from neuro_field.report.words import phrase


def live_lines(live: LiveField, language: str = "en") -> list[str]:
    """What was made, its errors at placements held out, and what a frame costs."""
    report = live.report
    return [
        phrase(
            "live.made", language, snapshots=report.snapshots, modes=report.modes, points=len(live.points),
            megabytes=report.bytes_read / 1e6,
        ),
        phrase(
            "live.errors", language, held_out=len(report.errors), mean=report.error_mean, most=report.error_max,
            near=float(max(report.near_errors)),
        ),
        phrase("live.trust", language, unspanned=live.most_unspanned),
    ]  # fmt: skip
