"""Placements spread, ranked, followed under doubt, and steered."""
