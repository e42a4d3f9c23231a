"""Files of neuronavigators: what they say of coil poses, one file per format."""
