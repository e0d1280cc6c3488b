"""Checks the shape of JSON values: a type, a compiled pattern for strings, a predicate, a list of one shape, or a
dict of exactly these members (a name that ends in "?" may be absent)."""

import re

CODE = re.compile(r"[a-z]+-[a-z]+-\d{1,2}")
EPOCH = re.compile(r"[A-Za-z0-9_-]{4,64}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of 256 bits without padding
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

OPENED = {
    "session": {"code": CODE, "epoch": EPOCH, "token": TOKEN, "ttl_ms": int},
    "resumed": bool,
    "sent": int,
    "received": int,
    "limits": {
        "message_bytes": int,
        "batch_items": int,
        "topics": int,
        "rate_per_s": (int, float),
        "rate_burst": (int, float),
        "ping_ms": int,
        "replay": {"messages": int, "bytes": int, "ms": int},
    },
    "server": {"name": "hubbub", "version": re.compile(r"\d+\.\d+\.\d+.*"), "time": TIME},
}


def check(value, shape, at="value"):
    if isinstance(shape, dict):
        assert isinstance(value, dict), f"{at} is {value!r}, not an object"
        required = {name for name in shape if not name.endswith("?")}
        known = {name.rstrip("?") for name in shape}
        assert required <= set(value), f"{at} lacks {required - set(value)}"
        assert set(value) <= known, f"{at} has unknown members {set(value) - known}"
        for name, inner in shape.items():
            if name.rstrip("?") in value:
                check(value[name.rstrip("?")], inner, f"{at}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{at} is {value!r}, not an array"
        for i, item in enumerate(value):
            check(item, shape[0], f"{at}[{i}]")
    elif isinstance(shape, re.Pattern):
        assert isinstance(value, str) and shape.fullmatch(value), f"{at} is {value!r}, not {shape.pattern}"
    elif isinstance(shape, (type, tuple)):
        assert isinstance(value, shape) and isinstance(value, bool) == (shape is bool), f"{at} is {value!r}"
    else:
        assert value == shape, f"{at} is {value!r}, not {shape!r}"
