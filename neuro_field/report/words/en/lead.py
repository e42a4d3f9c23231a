"""Of the page on which a coil is led or followed, and of what trackers send."""

from collections.abc import Mapping

from neuro_field.findings import Value

#: Why a tracker has no pose of the coil.
_WHY = {
    "identity": "the tracker sends an empty pose (the identity)",
    "null": "the tracker sends no pose",
    "blocked": "the tracker says that the coil is blocked",
    "reference": "the head's own tool is not seen",
    "damaged": "the pose that came is no 4x4 of numbers",
    "lost": "it was not seen here in the recording",
}

_AXES = {
    "simnibs": "z into the head, handle on -y",
    "brainsight": "z out of the head, handle on -y (Brainsight's)",
    "invesalius": "z out of the head, handle on -y (as InVesalius's marker files are read)",
    "invesalius-x": "z out of the head, handle on -x",
    "navinibs": "z out of the head, handle on -y (NaviNIBS's)",
    "localite": "x into the head, handle on +y (Localite's)",
    "softaxic": "z into the head, handle on -x (SofTaxic's)",
}


def _not_seen(values: Mapping[str, Value]) -> str:
    return f"the coil is not seen: {_WHY.get(str(values['why']), 'the tracker gives no reason')}."


def _in_image(values: Mapping[str, Value]) -> str:
    told = "the file" if values["kind"] == "replay" else "the sender"
    return (
        f"frames: poses are taken as {told} gives them in the image, {{space}} mm of the T1's world; the"
        " coil's axes: "
        f"{_AXES[str(values['axes'])]}. Hold the coil up once: the handle here must point as yours does."
    )


def _registered(values: Mapping[str, Value]) -> str:
    return (
        "frames: poses come in the tracker's frame or beside the head's own tool, and are brought into the image by "
        f"landmarks, which miss one another by {{error:.1f}} mm; the coil's axes: {_AXES[str(values['axes'])]}. Hold "
        "the coil up once: the handle here must point as yours does."
    )


def _tools(values: Mapping[str, Value]) -> str:
    met = values["met"]
    held = "{met}" if met else "none"
    return f"which of the tracker's tools is the coil? It tells of: {held}. Name one at the end of --follow."


SENTENCES = {
    "track-nothing-yet": "the tracker has not told of the coil yet.",
    "track-not-seen": _not_seen,
    "track-silent": "the coil is not seen: the tracker has been silent for {seconds:.1f} s.",
    "track-late": "the coil is not seen: what the tracker sends is {seconds:.1f} s old. If its clock was "
    "changed, start this page again.",
    "track-no-connection": "nobody answers at {host}, port {port}: is the tracker's server running?",
    "track-connection-ended": "the tracker has ended the connection; trying again.",
    "track-damaged": "what comes is not what {kind} sends, or was damaged on its way: check the port and the program.",
    "track-no-tool": "the tracker does not tell of a tool called {tool}.",
    "track-which-tool": _tools,
    "track-port-taken": "port {port} is taken by another program, so InVesalius cannot connect here; close that one.",
    "track-replay-ended": "the recording has ended.",
    "track-mirrored": "refused: the pose is mirrored (its axes are left-handed): the sender counts one of them the "
    "other way.",
    "track-not-rigid": "refused: the pose is not rigid (its axes are off by {off:.3f}): scaled, sheared, or in "
    "another unit.",
    "track-metres": "refused: the coil would stand {far:.3f} mm from the origin; this looks like metres. "
    "Send millimetres.",
    "track-unregistered": "refused: the tracker tells of tools alone. Give --registration, landmarks as they "
    "were touched.",
    "track-system": "refused: the sender's coordinate system {system} cannot be brought into this image.",
    "track-system-needs-image": "refused: the sender's coordinate system {system} depends on the T1 it has loaded: "
    "give --image.",
    "track-looks-away": "refused: the coil looks away from the head. Its axes are turned round, or the "
    "registration is off.",
    "track-off-scalp": "the coil does not look at the scalp from within {reach:.0f} mm.",
    "track-inside": "refused: the coil's face would lie {depth:.1f} mm inside the scalp. Check the registration and "
    "the coil's calibration.",
    "track-frames-image": _in_image,
    "track-frames-registered": _registered,
    "track-untried": "{kind} is untried: this was written from what public programs read and send, and never tried "
    "with {kind} itself. Compare the pose here with the navigator's before you rely on it.",
    "track-invesalius-axes": "public sources differ by a quarter turn on which axis of InVesalius's coil is its "
    "handle: if the handle here stands across yours, follow with axes=invesalius-x (or without).",
    "lead-slow": "the coil is not shown: this computer is too slow just now.",
    "lead-broken": "this page has failed and shows nothing more: start neuro-field serve again.",
    "lead-no-scalp": "there is no scalp there for the coil to go on to.",
    "lead-not-solved": "this placement could not be solved exactly: a part of the coil may lie within the head.",
    "lead-nothing-to-save": "there is no pose to save: the coil is not seen.",
    "lead-not-saved": "the pose could not be saved: the folder cannot be written to.",
}

PHRASES = {
    "lead.page": "Lead the coil",
    "lead.field-in": "Field in the target",
    "lead.volts": "V/m",
    "lead.at-slope": "at 1 A/µs",
    "lead.live": "live: this patient's own field, by modes",
    "lead.guess": "guess: a sphere in place of this head",
    "lead.exact": "exact: solved in full",
    "lead.unknown": "no field shown: the live field does not know a coil here",
    "lead.solving": "solving in full …",
    "lead.wait": "solved in full once the coil rests",
    "lead.difference": "what was shown before differed by",
    "lead.none": "not seen",
    "lead.share": "of the planned best",
    "lead.rank": "rank",
    "lead.of-tried": "of placements tried:",
    "lead.rank-note": "where it would stand among the placements that the plan tried",
    "lead.aim": "To the planned placement",
    "lead.planned": "Planned",
    "lead.along": "along the scalp",
    "lead.handle-off": "handle",
    "lead.tilt": "tilt",
    "lead.gap": "gap to the scalp",
    "lead.gap-planned": "planned",
    "lead.clockwise": "clockwise",
    "lead.counter": "counter-clockwise",
    "lead.right": "right",
    "lead.left": "left",
    "lead.front": "front",
    "lead.back": "back",
    "lead.top": "top",
    "lead.bottom": "bottom",
    "lead.target": "target",
    "lead.scale": "on the brain, at 1 A/µs",
    "lead.turn": "turn",
    "lead.how": "Tap the head or drag the coil; arrow keys move it along the scalp (with shift, five times as far), "
    "comma and full stop turn it. Dragging beside the coil turns the view.",
    "lead.how-follow": "The coil is followed. Dragging turns the view.",
    "lead.view-left": "from the left",
    "lead.view-right": "from the right",
    "lead.view-front": "from the front",
    "lead.view-back": "from the back",
    "lead.view-above": "from above",
    "lead.view-along-coil": "along the coil",
    "lead.save": "Save this pose",
    "lead.saved": "Saved",
    "lead.in-folder": "in",
    "lead.following": "Following",
    "lead.details": "Where it stands",
    "lead.place": "Scalp under the centre",
    "lead.direction": "Handle",
    "lead.centre": "Centre",
    "lead.lift": "Lift off the scalp beyond the gap",
    "lead.matrix": "head_from_coil, mm, head frame",
    "lead.statistic": "Statistic",
    "lead.coil": "Coil",
    "lead.no-1010": "no 10-10 positions on this head",
    "lead.loading": "Loading the head …",
    "lead.no-key": "This address lacks its key, or the key of another start. Open the address that "
    "neuro-field serve printed.",
    "lead.gone": "No word from neuro-field: nothing is shown. Is it still running?",
    "lead.no-webgl": "This browser offers no WebGL, so the head cannot be shown.",
}

SHORT = {
    "lead-broken": "Page failed: start neuro-field serve again.",
    "lead-no-scalp": "No scalp there.",
    "lead-not-saved": "Pose was not saved: folder cannot be written to.",
    "lead-not-solved": "Not solved exactly: the coil may lie in the head.",
    "lead-nothing-to-save": "Nothing to save: coil not seen.",
    "lead-slow": "Not shown: this computer is too slow now.",
    "track-connection-ended": "Not seen: tracker ended the connection.",
    "track-damaged": "Not seen: what comes is not what {kind} sends.",
    "track-inside": "Refused: coil would lie {depth:.1f} mm inside the scalp.",
    "track-invesalius-axes": "InVesalius's handle axis is uncertain: compare it with yours.",
    "track-late": "Not seen: what comes is {seconds:.1f} s old.",
    "track-looks-away": "Refused: the coil looks away from the head.",
    "track-metres": "Refused: the pose looks like metres.",
    "track-mirrored": "Refused: the pose is mirrored.",
    "track-no-connection": "Not seen: nobody answers at port {port}.",
    "track-no-tool": "Not seen: tracker has no tool {tool}.",
    "track-not-rigid": "Refused: the pose is not rigid.",
    "track-not-seen": "Coil not seen by the tracker.",
    "track-off-scalp": "No scalp within {reach:.0f} mm before the coil.",
    "track-port-taken": "Port {port} is taken by another program.",
    "track-silent": "Not seen: tracker silent for {seconds:.1f} s.",
    "track-system": "Refused: coordinate system {system} does not fit the image.",
    "track-system-needs-image": "Refused: coordinate system {system} needs --image.",
    "track-unregistered": "Refused: tools alone need --registration.",
    "track-untried": "{kind} is untried: compare poses with the navigator's.",
    "track-which-tool": "Which of the tracker's tools is the coil?",
}
