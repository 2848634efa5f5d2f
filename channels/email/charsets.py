"""Bytes to text, whatever a mail says that they are; nothing here can fail."""

import codecs

# Names that mails use for what is in fact a larger set, or that Python does not know.
_REALLY = {
    "ascii": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "iso-8859-9": "cp1254",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "us-ascii": "utf-8",
    "utf-8-sig": "utf-8",
    "utf8": "utf-8",
    "x-gbk": "gb18030",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "": "utf-8",
}

# A mail may name any of Python's codecs, and some are slow, or run on and on.
_KNOWN = frozenset(
    {"utf-8", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "gb18030", "big5"}
    | {"big5hkscs", "euc_jp", "iso2022_jp", "iso2022_jp_2", "iso2022_kr", "johab"}
    | {"cp932", "cp949", "koi8-r", "koi8-u", "tis-620", "mac-roman", "hz"}
    | {f"iso8859-{number}" for number in (*range(1, 12), *range(13, 17))}
    | {f"cp{number}" for number in (437, 850, 852, 866, 874, *range(1250, 1259))}
)


def decode(raw: bytes, charset: str) -> str:
    """Decode bytes; an unknown charset is guessed, and what does not fit is replaced."""
    name = _REALLY.get(charset.strip().lower(), charset.strip())
    if (known := _known(name)) is None:
        return _guessed(raw)
    return raw.decode(known, "replace").replace("\0", "�")


def _known(name: str) -> str | None:
    if len(name) > 40 or not name.isascii() or not name.isprintable():
        return None
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return None
    return found if found in _KNOWN else None


def _guessed(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return text.replace("\0", "�")
