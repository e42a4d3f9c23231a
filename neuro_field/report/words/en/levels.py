"""Of the level of what is said, in front of it on a terminal, and of what a person typed."""

PHRASES = {
    "level.stop": "Read first: {text!s}",
    "level.warn": "Read first: {text!s}",
    "level.note": "Note: {text!s}",
    "level.old": "English, kept by version 2: {text!s}",
    "typed": "{text!s}, as typed",
}
