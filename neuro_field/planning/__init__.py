"""Targets, candidates and rankings: where to put the coil."""
