"""What each command of ``neuro-field`` does: a function a command, its options as its signature."""
