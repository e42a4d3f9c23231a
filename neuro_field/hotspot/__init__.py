"""From pulses and the muscle's answers to the place of the cortex that drives the muscle."""
