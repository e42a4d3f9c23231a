"""Pages that run: one server, and on it a page on which the coil is led by hand or followed."""
