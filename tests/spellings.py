"""Ways to write down an address inside, so that a guard may take it for one outside.

Each stands where a URL has its host; `{port}` is where somebody must not be reached.
"""

from collections.abc import Sequence

_LOOPBACK = """
    127.0.0.1 127.0.0.2 127.1 127.0.1 127.255.255.254 127.000.000.001 127.0.0.1.
    2130706433 02130706433 017700000001 0x7f000001 0X7F000001 0x7f.0.0.1 0x7f.1
    0177.0.0.1 0177.0.0.01 00177.1 0x7f.0x0.0x0.0x1 127.0x1 127.0.0x1 0127.0.0.1
    4294967297 127.0.0.1.0 127..0.1 1.0.0.127.in-addr.arpa 0 0.0.0.0 00 0x0 0.0 0.0.0
    localhost LOCALHOST LocalHost localhost. LOCALHOST. localhost.localdomain
    localtest.example LOCALTEST.example. 127.0.0.1.nip.example ip6-localhost
    127%2e0%2e0%2e1 %31%32%37.0.0.1 local%68ost 127.0.0.1%00 127.0.0.1%20 127.0.0.1%09
    １２７.０.０.１ 127。0。0。1 127．0．0．1 127｡0｡0｡1 ⑫⑦.0.0.1 ①②⑦.⓪.⓪.① ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ｌｏｃａｌｈｏｓｔ
    outside.example@127.0.0.1 outside.example:x@127.0.0.1 outside.example%40127.0.0.1
    outside.example\\@127.0.0.1 127.0.0.1\\@outside.example 127.0.0.1\\.outside.example
    outside.example#@127.0.0.1 @127.0.0.1 :@127.0.0.1 [127.0.0.1] -127.0.0.1
"""
_IN_IPV6 = """
    [::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::0001] [::]
    [0:0:0:0:0:0:0:0] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7F00:0001]
    [0:0:0:0:0:ffff:127.0.0.1] [::127.0.0.1] [::7f00:1] [::ffff:0:127.0.0.1]
    [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1] [2002:7f00:1::]
    [2002:7f00:1::1] [2001:0:7f00:1::] [2001::80ff:fffe] [::1%25lo] [::1%lo] [fe80::1%25eth0]
    [fe80::1] [fc00::1] [fd00:ec2::254] [fec0::1] [ff02::1] [100::1] [2001:db8::1]
    [3fff::1] [5f00::1] [::1 [::1]] ::1 [::ffff:169.254.169.254] [2001:2::1]
"""
_ELSEWHERE_INSIDE = """
    10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255
    169.254.169.254 169.254.170.2 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518
    100.64.0.1 100.100.100.200 100.127.255.255 168.63.129.16 192.0.0.1 192.0.0.192
    192.0.2.1 198.51.100.1 203.0.113.1 192.88.99.1 198.18.0.1 198.19.255.255
    224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
"""

LOOPBACK: Sequence[str] = _LOOPBACK.replace("\\\\", "\\").split()
IN_IPV6: Sequence[str] = _IN_IPV6.split()
ELSEWHERE_INSIDE: Sequence[str] = _ELSEWHERE_INSIDE.split()
HOSTS: Sequence[str] = (*LOOPBACK, *IN_IPV6, *ELSEWHERE_INSIDE)

# What is wrong with these is not the host.
URLS: Sequence[str] = (
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    "http:127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http://\t127.0.0.1:{port}/",
    "http://127.0.0.1\t:{port}/",
    "ht\ntp://127.0.0.1:{port}/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/\r\nX-Injected: 1",
    "http://127.0.0.1:+{port}/",
    "http://127.0.0.1:0x50/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:0/",
    "http://:{port}/",
    "http://",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "ftp://127.0.0.1:{port}/",
    "unix:///run/secret.sock",
    "http+unix://%2Frun%2Fsecret.sock/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "ws://127.0.0.1:{port}/",
    "",
)
