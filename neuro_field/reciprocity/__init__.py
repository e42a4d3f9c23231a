"""Any pose of a coil to the field in one target."""
