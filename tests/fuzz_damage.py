"""How a good file is damaged: bytes, numbers in headers, words of a text, values of a JSON; packed ones inside too."""

import gzip
import json
import re

import numpy as np

#: Bytes put into any file.
TOKENS = (
    b"nan", b"inf", b"1e308", b"-1e308", b"1e999", b"-", b"-1", b"0", b"#", b";", b"=", b"\n", b"\r\n", b"\t", b"\x00",
    b"\xff", b"1_0", b"9" * 400, b"99999999999", b'"', b"'", b"<", b">", b"&amp;", b"$End", b",", b"\xe2\x88\x92",
    b"\xd9\xa3", b"\xed\xa0\x80", b"\x1b[31m", b"../", b"{" * 3000, b"[" * 100_000,
)  # fmt: skip

#: Words that take the place of a number in a text.
NUMBERS = (
    "nan", "inf", "-inf", "1e308", "-1e308", "1e999", "-0", "-1", "0", "1e-320", "2147483648", "18446744073709551616",
    "1,5", "\u0663", "\u2212" + "3", "1_0", "0x10", "1e", "--1", "", "true", "9" * 400,
)  # fmt: skip

#: Extremes of a number in a binary header.
EXTREMES = {
    "<i2": (-32768, -1, 0, 1, 32767), "<i4": (-(2**31), -1, 0, 1, 2**31 - 1),
    "<i8": (-(2**63), -1, 0, 2**40, 2**63 - 1),
    "<f4": (np.nan, np.inf, -np.inf, 0.0, -1.0, 3e38, 1e-45), "<f8": (np.nan, np.inf, 0.0, -1.0, 1e308, 5e-324),
    ">i2": (-1, 0, 32767), ">i4": (-1, 0, 2**31 - 1), ">f4": (np.nan, np.inf, 0.0, -1.0, 3e38),
}  # fmt: skip

#: Values that take the place of any in a JSON, as text.
VALUES = (
    "null", "true", "false", "-1", "0", "1", "1e308", "-1e308", "NaN", "Infinity", "-Infinity", "1e999", "9" * 400,
    "1099511627776", "0.5", '""', '"x"', '"AAAA"', '"\\ud800"', '"\\u0000"', '"\\u001b[31m"', '"<script>"', '"a\\tb"',
    "[]", "{}", "[[]]", "[0]", "[null]", '{"a": 1}', "[" * 2000 + "]" * 2000, "[[0, 0, 0]]", "[1, 2, 3]", "[1e308]",
)  # fmt: skip

_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")


def damage(path, rng):
    """The bytes of a file, damaged in one place or up to four."""
    data = path.read_bytes()
    packed = data[:2] == b"\x1f\x8b"
    if packed and rng.random() < 0.8:  # else the packing itself is damaged
        return gzip.compress(_damaged(gzip.decompress(data), rng), 1, mtime=0)
    return _damaged(data, rng)


def _damaged(data, rng):
    for _ in range(min(int(rng.geometric(0.6)), 4)):
        ways = [_cut, _token, _byte, _dropped, _twice, _extreme]
        if data.lstrip()[:1] in (b"{", b"["):
            ways += [_json_value] * 12
        elif _is_text(data):
            ways += [_number] * 6 + [_line] * 2
        data = ways[rng.integers(len(ways))](data, rng)
    return data


def _is_text(data):
    return b"\x00" not in data[:4000]


def _place(data, rng):
    """Anywhere; half of the time within the first 400 bytes, where headers are."""
    most = len(data) if rng.random() < 0.5 else min(len(data), 400)
    return int(rng.integers(most + 1))


def _cut(data, rng):
    return data[: _place(data, rng)]


def _token(data, rng):
    place = _place(data, rng)
    return data[:place] + TOKENS[rng.integers(len(TOKENS))] + data[place + rng.integers(9) :]


def _byte(data, rng):
    place = _place(data, rng)
    return data[:place] + rng.bytes(1) + data[place + 1 :]


def _dropped(data, rng):
    place = _place(data, rng)
    return data[:place] + data[place + rng.integers(1, 41) :]


def _twice(data, rng):
    """A piece of it once more, somewhere else."""
    start, place = _place(data, rng), _place(data, rng)
    return data[:place] + data[start : start + rng.integers(1, 400)] + data[place:]


def _extreme(data, rng):
    """An extreme number at a multiple of two bytes."""
    kind = list(EXTREMES)[rng.integers(len(EXTREMES))]
    value = np.array(EXTREMES[kind][rng.integers(len(EXTREMES[kind]))], dtype=kind).tobytes()
    place = 2 * (_place(data, rng) // 2)
    return data[:place] + value + data[place + len(value) :]


def _number(data, rng):
    """One of the numbers of a text becomes another word."""
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    one = found[rng.integers(len(found))]
    return data[: one.start()] + NUMBERS[rng.integers(len(NUMBERS))].encode() + data[one.end() :]


def _line(data, rng):
    """A line of a text left out, or given twice."""
    lines = data.split(b"\n")
    place = rng.integers(len(lines))
    return b"\n".join([*lines[:place], *([lines[place]] * (2 * int(rng.integers(2)))), *lines[place + 1 :]])


def _json_value(data, rng):
    """A value of a JSON replaced, left out, or taken from elsewhere in it."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return data
    ways = list(_ways(content))
    if not ways:
        return data
    *way, last = ways[rng.integers(len(ways))]
    node = content
    for key in way:
        node = node[key]
    choice = rng.random()
    mark = "\x01put here\x01"
    if choice < 0.15:
        del node[last]
        return json.dumps(content).encode()
    if choice < 0.3:
        other = content
        for key in ways[rng.integers(len(ways))]:
            other = other[key]
        value = json.dumps(other)
    else:
        value = VALUES[rng.integers(len(VALUES))]
    node[last] = mark
    return json.dumps(content).replace(json.dumps(mark), value).encode("utf-8", "surrogatepass")


def _ways(node, way=(), deep=0):
    """To everything in a JSON value; of a long list of numbers a few."""
    if way:
        yield way
    if deep > 40:
        return
    if isinstance(node, dict):
        items = list(node.items())
    elif isinstance(node, list):
        items = list(enumerate(node))
        if len(items) > 12:
            items = items[:4] + items[-4:]
    else:
        return
    for key, value in items:
        yield from _ways(value, (*way, key), deep + 1)
