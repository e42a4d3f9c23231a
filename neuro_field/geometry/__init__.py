"""Shapes: meshes, surfaces, and where points lie in them."""
