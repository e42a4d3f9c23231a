"""Other people's segmenters, found and run."""
