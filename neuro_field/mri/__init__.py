"""From an image to tissue labels, a lesion, a mesh and MNI space; segmentation itself is other people's work."""
