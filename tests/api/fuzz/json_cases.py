"""JSON that must be taken, must be refused, or may be either, made by families.

Names begin with `y_`, `n_` or `i_`, the way the well-known test suite of parsers does.
"""

from collections.abc import Iterator, Mapping

_INVALID_NUMBERS = (
    "NaN", "-NaN", "nan", "Infinity", "-Infinity", "+Infinity", "Inf", "+1", "++1", "-",
    "--1", "-a", "01", "-01", "012", "00", "0x1", "0x1F", "0b1", "0o7", "1.", "-1.", ".1",
    "-.1", "1.e5", ".e5", "1e", "1e+", "1e-", "1E", "1eE2", "1e1.5", "1e+-5", "0e", "0e+",
    "0E", "0.3e", "0.3e+", "1.0e", "1.0e-", "2.e3", "2.e-3", "2.e+3", "9.e+", "1_000",
    "1 000", "1,5", "1a", "1.2a", "1.2a-3", "1.8011670033376514H-308", "-foo", "- 1",
    "-2.", "0.1.2", "0e1x", "\uff11", "\u0661", "1\u0660", "0x42", "-1x", "1e5f", "1L",
    "1f", "1n", "$1", "1%", "(1)", "1;", "1//", "0.e1", "-e5", "e5", "E",
)  # fmt: skip
_VALID_NUMBERS = (
    "0", "-0", "1", "-1", "123", "-123", "0.0", "-0.0", "1.5", "-1.5", "0e1", "0e+1",
    "0e-1", "0E0", "1e5", "1E5", "1e+5", "1e-5", "1E-2", "1E+2", "123e45", "123e65",
    "1.5e300", "0.000000000000000000000000001", "9007199254740993", "1e-400",
    "9223372036854775807", "-9223372036854775808", "1.7976931348623157e308", "5e-324",
)  # fmt: skip
_EITHER_NUMBERS = (
    "1e400", "-1e400", "1e9999999999", "0.4e669999999999999999999999", "1e-99999999999",
    "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890",
    "-123123123123123123123123123123", "9" * 400, "0." + "1" * 4_000, "1e-" + "9" * 20,
)  # fmt: skip
_INVALID_ESCAPES = (
    r"\x00", r"\a", r"\v", r"\'", r"\0", r"\e", r"\u", r"\u1", r"\u12", r"\u123",
    r"\uXYZW", r"\u{1F600}", r"\U0001F600", r"\u00A", r"\ud800\u", r"\ud800\u1",
    r"\ud800\u1x", "\\", "\\\\\\", "\\\N{PILE OF POO}", r"\N", r"\z", "\\\n", r"\ ",
    r"\u 041", r"\u-041", r"\u+041", r"\u00g0", r"\ud83d\uD", r"\uD834\uDd",
)  # fmt: skip
_VALID_ESCAPES = (
    r"\"", r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t", r"\u0000", r"\u0041",
    r"\u00e9", r"\u2028", r"\u2029", r"\uFEFF", r"\uffff", r"\uFFFE", r"\ud83d\ude00",
    r"\uD834\uDD1E", r"\\u0041", r"\\\"", r"\u0022", r"\u005C", r"\u0012", r"\u0060",
    r"\u0821", r"\uDBFF\uDFFF", r"\u200B", r"\u2064", r"\u202e", r"a\u0000b",
)  # fmt: skip
_LONE_SURROGATES = (
    r"\ud800", r"\udc00", r"\uDFFF", r"\uDADA", r"\ud800\ud800", r"\udc00\ud800",
    r"\ud800abc", r"\uD888\u1234", r"\ud800\n", r"\uDd1ea", r"\uD800\uD800\n", r"x\udfffy",
)  # fmt: skip
_INVALID_VALUES = (
    "", " ", "[", "]", "{", "}", "[]]", "{}}", "[[]", "[}", "{]", "[1", "[1,", "[1,]",
    "[,1]", "[,]", "[,,]", "[1,,2]", "[1 2]", "[1:2]", "[1 true]", "['a']", "[a]",
    "[1,\n1\n,1", "[\"a", '["a\'', '["": 1]', '["a",\n4,\n,', "[*]", "[<null>]",
    "[\"a\"\"b\"]", "[x", "[x, 1]", "[-]", "[true, fals, null]", "[tru]", "[nul]",
    "[TRUE]", "[True]", "[None]", "[undefined]", "[1]x", "[1]]", "[][]", "[]#", "[]//",
    "[]/* */", "/* */[]", "// x\n[]", "# x\n[]", "<.>", "<null>", "*", "TRUE", "True",
    "tru", "fals", "nul", "nulll", "truefalse", "true false", "1 2", "1,2", "\"a", "a\"",
    "'a'", "`a`", "\"a\" \"b\"", "\"a\"x", "abc", "{a:1}", "{'a':1}", "{1:1}",
    '{"a" 1}', '{"a":}', '{"a":1,}', '{"a"', '{"a":', '{"a":1', '{"a":1 "b":2}',
    '{,"a":1}', '{"a":1,,"b":2}', '{"a"::1}', '{"a":1:2}', '{"a":1]', "{[:1]}",
    '{"a",1}', '{"a"}', '{"a":"b",,}', '{null:null}', '{true:1}', '{"a":a}', "{9999E9:1}",
    '{"a":"a" 1}', '{"a":1}#', '{"a":1}//', '{"a":1}/**/', '{"a":/**/1}', "{🇨🇭}",
    '{"a":\'b\'}', '{key: "v"}', '{"a":1}}', "\u2060[]", "\u00a0[]", "[]\u00a0",
    "\ufeff", "\u3000[]", "[\u00a01]", "\x0b[]", "[\x0c]", "\x00[]", "[]\x00", "[\x00]",
    "[1\x00]", '{"a\x00":1}', "(1)", "&#91;]", "@", "\\u005b]", "[\\n]", "[\"a\x1fb\"]",
    '["\x00"]', '["\n"]', '["\t"]', '["\r"]', '{"a\nb":1}', '["\x1b[31m"]', '["\x01"]',
)  # fmt: skip
_VALID_VALUES = (
    "null", "true", "false", '""', '"a"', "[]", "{}", "[[]]", "[{}]", '{"a":{}}', "[null]",
    "[1,2]", '["a",1,null,true,{}]', ' [1] ', "[ 1 , 2 ]", "\t[]\n", "\r\n[]\r\n",
    '{"a":1}', '{"":0}', '{"a":[]}', '{"a":1,"b":2}', '{ "a" : 1 }', '{"a":"b","a":"b"}',
    '{"a":1,"a":2}', '{"\\u0041":1}', '{"a\\u0000b":1}', '["\x7f"]', '["é"]', '["😀"]',
    '["\u2028"]', '["\uffff"]', '["\U0010ffff"]', '["\u200b"]', '["a/*b*/c"]', '[" "]',
    '["\u202e"]', '{"x":[{"id":"x"}],"id":"y"}', '{"min":-1e28,"max":1e28}', '["\ufeff"]',
    '["' + "a" * 60_000 + '"]', "[" + ",".join(["1"] * 10_000) + "]",
    '{"' + "k" * 5_000 + '":1}', "[" * 100 + "]" * 100, '{"a":' * 100 + "1" + "}" * 100,
)  # fmt: skip
_INVALID_BYTES = (
    b'["\xff"]', b'["\xfe\xfe\xff\xff"]', b'["\xc0\xaf"]', b'["\xc1\xbf"]',
    b'["\xe0\x80\x80"]', b'["\xe0\xff"]', b'["\xf0\x80\x80\x80"]', b'["\xf4\x90\x80\x80"]',
    b'["\xf8\x88\x80\x80\x80"]', b'["\xfc\x83\xbf\xbf\xbf\xbf"]', b'["\xed\xa0\x80"]',
    b'["\xed\xbf\xbf"]', b'["\x80"]', b'["\xbf"]', b'["\xe9"]', b'["\xc3"]', b'["\xe2\x82"]',
    b'["\xf0\x9f\x98"]', b'["a\xe5"]', b'{"\xb9":"0"}', b"[\xff]", b"\xff", b"\xe5",
    b"[1\xe5]", b"[1e1\xe5]", b"[0\xe5]", b"[\xe2\x80\xa8]", b"\xe2\x80\xa8[]", b'["\\\xe5"]',
    b'["\\u\xe5"]', b"{\xe2\x80\x9ca\xe2\x80\x9d:1}", b"\xc2\x85[]",
)  # fmt: skip
_DEEP = 10_000


def bodies() -> Mapping[str, bytes]:
    """All cases by name, each a whole body."""
    return {**dict(_texts()), **dict(_bytes())}


def _texts() -> Iterator[tuple[str, bytes]]:
    families = {
        "n_value": _INVALID_VALUES,
        "y_value": _VALID_VALUES,
        "n_number": _INVALID_NUMBERS,
        "y_number": _VALID_NUMBERS,
        "i_number": _EITHER_NUMBERS,
        "n_escape": [f'"{each}"' for each in _INVALID_ESCAPES],
        "y_escape": [f'"{each}"' for each in _VALID_ESCAPES],
        "i_surrogate": [f'"{each}"' for each in _LONE_SURROGATES],
    }
    for family, texts in families.items():
        for number, text in enumerate(texts):
            yield f"{family}_{number}", text.encode()


def _bytes() -> Iterator[tuple[str, bytes]]:
    for number, each in enumerate(_INVALID_BYTES):
        yield f"n_bytes_{number}", each
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"):
        kind = "y" if name == "utf-7" else "i"
        yield f"{kind}_{name}", '["a"]'.encode(name)
    yield "i_byte_order_mark", b"\xef\xbb\xbf{}"
    yield "n_byte_order_mark_alone", b"\xef\xbb\xbf"
    yield "i_deep_array", b"[" * _DEEP + b"]" * _DEEP
    yield "i_deep_object", b'{"a":' * _DEEP + b"1" + b"}" * _DEEP
    yield "n_open_arrays", b"[" * 100_000
    yield "n_open_objects", b'{"a":' * 100_000
    yield "n_open_both", b'[{"a":' * 50_000
    whole = b'{"command":"task.create","args":{"title":"Fix login"}}'
    for size in range(1, len(whole), 3):
        yield f"n_truncated_{size}", whole[:size]
