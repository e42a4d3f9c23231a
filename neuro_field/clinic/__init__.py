"""One patient: presets, answers, dose, cautions, and both hemispheres studied; findings, never prose."""
