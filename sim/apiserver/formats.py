"""String formats of OpenAPI v3 that the API server checks; any other format is accepted as it is."""

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache

_DATE_TIME = re.compile(r"\d{4}-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_DURATION = re.compile(r"[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_HOST_LABEL = "[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"{_HOST_LABEL}(\.{_HOST_LABEL})*\.?")
_URI = re.compile(r"[A-Za-z][-+.A-Za-z0-9]*:[^\s]*")
_UUID = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_BYTE = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_MAC = re.compile(r"([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")


@lru_cache(maxsize=256)  # a status says the same second several times
def is_date_time(text: str) -> bool:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return False
    month, day, hour, minute, second = match.group(1, 2, 3, 4, 5)
    return "01" <= month <= "12" and "01" <= day <= "31" and hour < "24" and minute < "60" and second < "60"


def _full(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    matches = pattern.fullmatch
    return lambda text: matches(text) is not None


def _parsed_by(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": is_date_time,
    "date": _full(_DATE),
    "duration": _full(_DURATION),
    "email": _full(_EMAIL),
    "hostname": _full(_HOSTNAME),
    "uri": _full(_URI),
    "uuid": _full(_UUID),
    "byte": _full(_BYTE),
    "mac": _full(_MAC),
    "ipv4": _parsed_by(ipaddress.IPv4Address),
    "ipv6": _parsed_by(ipaddress.IPv6Address),
    "cidr": _parsed_by(lambda text: ipaddress.ip_network(text, strict=False)),
}
