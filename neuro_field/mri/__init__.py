"""From an image to tissue labels, a lesion, a mesh and MNI space; segmenting is other people's work."""
