"""Of a plan's best placement and its target, one statement a line; what stands before ": " is the line's label."""

from collections.abc import Mapping
from typing import Any


def _target(values: Mapping[str, Any]) -> str:
    return "{side} {name!s}" if values["side"] else "{name!s}"


PHRASES = {
    "target.title": _target,
    "target.statistic": "mean of E along the wanted current axis, {where!s}",
    "target.statistic-either-way": "size of the mean of E along the wanted current axis, {where!s}",
    "target.magnitude": "mean |E| {where!s}",
    "target.where": "over the grey matter within {radius:g} mm of the target's centre",
    "target.where-parts": "over the grey matter within {radius:g} mm of the centre of each area ({first} and "
    "{second}), the weaker area's",
    "target.line": "Target: {target!s}, centre {centre!s} mm in the head frame",
    "target.line-parts": "Target: {name!s} of both sides at once, {first} centre {first_centre!s} and {second} centre "
    "{second_centre!s} mm in the head frame",
    "target.searched": "; searched around MNI152 {seed!s} ({source!s}) and moved {moved:.1f} mm to the nearest viable "
    "grey matter; {viable:.0%} of the grey matter there is viable",
    "target.axis": " Wanted current axis: {axis!s}.",
    "axis.either-way": "{way!s}, or against that",
    "axis.sulcus": "{way!s}: across the patient's own sulcus, {degrees:.0f} degrees from the customary axis "
    "({custom!s})",
    "axis.sulcus-alone": "{way!s}: across the patient's own sulcus, {degrees:.0f} degrees from the customary axis",
    "axis.custom": "{way!s}: {custom!s}",
    "axis.not-followed": "{way!s}: {custom!s}; the sulcus found there lies {degrees:.0f} degrees from the customary "
    "axis and was not followed",
    "position.line": "Position: centre of the casing face at {centre!s} mm in the head frame",
    "position.mni": ", MNI152 {mni!s} mm",
    "landmark.line": "Scalp under the centre: {places!s} of the 10-10 system.",
    "landmark.between": "; ",
    "landmark.unknown": "Nearest 10-10 position: not known ({why!s}).",
    "handle.line": "Handle: points {way!s} ({turn!s})",
    "handle.plain": "Handle: points {way!s}.",
    "handle.two-fold": "; turned round by 180° this coil gives the same |E|, the current reversed",
    "handle.free": "Handle: any direction is the same, for turning this coil about its axis changes nothing.",
    "current.line": "Current: with rising coil current (dI/dt above 0) the induced current under the coil first runs "
    "{rising!s}; with the coil current reversed, {reversed!s}.",
    "current.plain": "Current: at this dI/dt of {slope:g} A/µs the induced current under the coil first runs {way!s}.",
    "current.ring": "Current: under this coil the induced current runs in a ring below the winding, against a rising "
    "coil current; it has no one direction.",
    "current.unknown": "Current: the coil is not on the shelf, so its initial current direction is not known here.",
    "field.line": "Field in the target: {field:.3f} V/m at 1 A/µs",
    "field.full": ", {full:.0f} V/m at 100 % output ({slope:.2f} A/µs)",
    "field.full-unknown": ", at 100 % output not known, for the coil's largest dI/dt is not",
    "field.statistic": " ({statistic!s})",
    "field.along": "; {along:.3f} V/m at 1 A/µs along the wanted current axis, by which placements are ranked",
    "distance.line": "Coil-cortex distance: {distance:.1f} mm from the centre of the casing face to the nearest grey "
    "matter",
    "distance.lift": "; it stands {lift:.1f} mm farther off than asked, so that the casing clears the scalp",
    "strongest.line": "Strongest field: the 0.1 % of grey matter above {threshold:.2f} V/m at 1 A/µs has its centre "
    "{where!s}.",
    "strongest.of-target": "the target's centre",
    "strongest.of-part": "the {part} area's centre, the nearer",
    "strongest.plain": "Strongest field: 0.1 % of the grey matter lies above {threshold:.2f} V/m at {slope:g} A/µs; "
    "its centre is at {centre!s} mm in the head frame.",
    "error.middle": "the middle of the grey matter",
    "error.all": "the grey matter",
    "error.line": "Numerical error of this case: {how!s}.",
    "error.halved": "by elements half as long within {radius:g} mm of the target ({unknowns} unknowns), carried on to "
    "ever shorter ones, E errs there by about {near:.1%} (relative L2) over {where!s}, give or take half of that; its "
    "mean size by {mean:+.1%}",
    "error.second-order": "against second-order elements on the same mesh ({unknowns} unknowns) E differs by {all:.1%} "
    "(relative L2) over {where!s}, its 99.9th percentile by {p999:+.1%}; within {radius:g} mm of the target E differs "
    "by {near:.1%}, its mean size by {mean:+.1%}",
    "error.target": "; the mean |E| quoted for the target by {target:+.1%}",
    "head.size": "{name!s}: {nodes:,} nodes, {elements:,} elements.",
    "head.volumes": "Volumes: {volumes!s}.",
    "head.volume": "{tissue!s} {cm3:.0f} cm3",
    "head.lesion": "Lesion: {cm3:.1f} cm3, {side}.",
    "head.lesion-side-unknown": "Lesion: {cm3:.1f} cm3, side unknown.",
    "head.overlap": "Overlap with the MNI152 template ({kind} map): {fit!s}.",
    "study.title": "{preset!s}: {title!s}",
    "full-stop": ".",
}
