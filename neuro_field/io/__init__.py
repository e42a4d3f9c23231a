"""Files in and out: every format is read with suspicion and written beside, then renamed."""
