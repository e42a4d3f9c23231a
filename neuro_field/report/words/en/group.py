"""The page of a group, and what a terminal says of a cohort."""

PHRASES = {
    "group.title": "A group's coil placements and fields",
    "group.people": "{people} participants and sessions, {failed} failed, {missing} not run",
    "group.failed": "Who failed, and why",
    "group.who": "Participant",
    "group.why": "Why",
    "group.not-run": "was not run yet",
    "group.column": "Of everybody",
    "group.field_V_per_m": "Mean |E| in the target, V/m at 1 A/µs",
    "group.matched_percent": "Field-matched output, %",
    "group.first_share": "Share of draws in which the placement stays first",
    "group.from_rule_mm": "From the better rule of thumb, mm",
    "group.rule_share": "That rule's field as a share of the best",
    "group.target_from_hot_spot_mm": "Target to strongest field, mm",
    "group.coil_cortex_mm": "Coil to cortex, mm",
    "group.target_moved_mm": "Target moved from its seed, mm",
    "group.lost_share": "Share of the target lost to the lesion",
    "group.lesion_cm3": "Lesion, cm³",
    "group.offset": "Targets lie off their seeds in MNI152, as they lie (n = {n}): right {x:+.1f} ± {sx:.1f}, front "
    "{y:+.1f} ± {sy:.1f}, up {z:+.1f} ± {sz:.1f} mm.",
    "group.offset-turned": "The same with affected hemispheres turned to the left (n = {n}): right {x:+.1f} ± "
    "{sx:.1f}, front {y:+.1f} ± {sy:.1f}, up {z:+.1f} ± {sz:.1f} mm.",
    "group.maps": "Maps of the group",
    "group.approximate": "On fsaverage5 vertices come by the map to MNI152 where no surfaces of FreeSurfer are there, "
    "and so wherever heads are turned over: approximately. Each map's sidecar tells how far they come to lie from the "
    "middle of the person's cortex.",
    "group.map": "Map",
    "group.kind-mean": "mean of |E|",
    "group.kind-variance": "variance of |E|",
    "group.kind-overlap": "share of lesions that covers a place",
    "group.turned": "Affected turned to the left",
    "group.file": "File",
    "group.yes": "yes",
    "group.no": "no",
    "group.montage": "Every plan",
    "cohort.begun": "{people} participants and sessions; {left} to do.",
    "cohort.dask": "Dask: {workers} workers, memory limit {gigabytes:.1f} GB each. Dashboard: {dashboard!s}",
    "cohort.failed": "{who!s} failed: {reason!s}",
    "cohort.ended": "{done} done ({kept} of them before), {failed} failed; logs: {path!s}",
    "cohort.submit": "{path!s} is written and not submitted. Submit it with: sbatch {path!s}",
    "cohort.then-group": "Next: {command!s}",
}
