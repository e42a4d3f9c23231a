"""Of outputs of the stimulator."""

SENTENCES = {
    "dose-other-kind": "The protocol is dosed by {wanted}, and only {given} was given.",
    "dose-target-lost": "Only {viable:.0%} of the target is viable: no dose is matched.",
    "dose-capped": "{needed:.0f} % of the stimulator's output would be needed: capped at 100 %.",
}
