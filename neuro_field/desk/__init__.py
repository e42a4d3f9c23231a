"""Pages that run: the coil led by hand in a browser."""
