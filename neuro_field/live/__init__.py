"""Any pose of a coil to the field of the whole cortex."""
