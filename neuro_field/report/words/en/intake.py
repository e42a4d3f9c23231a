"""Of what people give: answers, thresholds, options."""

SENTENCES = {
    "intake-out-of-range": "{field} must be {low:g} to {high:g}; instead received {given:g}.",
}
