"""Navigators' files, into placements and back."""
