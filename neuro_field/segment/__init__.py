"""Other people's programs, found and run: segmenters, and the converter of DICOM."""
