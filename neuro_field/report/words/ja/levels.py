"""Of the level of what is said, in front of it on a terminal, and of what a person typed."""

PHRASES = {
    "level.stop": "最初にお読みください: {text!s}",
    "level.warn": "最初にお読みください: {text!s}",
    "level.note": "注意: {text!s}",
    "level.old": "英語 (版 2 が保存したもの): {text!s}",
    "typed": "{text!s} (入力値)",
}
