"""How long ago something was, as a person reads it (apimachinery ``duration.HumanDuration``)."""

from datetime import UTC, datetime

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_YEAR_DAYS = 365


def human_duration(seconds: float) -> str:
    """``90s``, ``5m30s``, ``3h``, ``2d4h``, ``1y20d``: the finer part only while it matters."""
    whole = int(seconds)
    if whole < 2 * _MINUTE_S:
        return "<invalid>" if whole < -1 else f"{max(whole, 0)}s"
    minutes, hours = whole // _MINUTE_S, whole // _HOUR_S
    if minutes < 180:
        return _pair(minutes, "m", whole % 60 if minutes < 10 else 0, "s")
    if hours < 48:
        return _pair(hours, "h", minutes % 60 if hours < 8 else 0, "m")
    days = hours // 24
    if days < 2 * _YEAR_DAYS:
        return _pair(days, "d", hours % 24 if days < 8 else 0, "h")
    years = days // _YEAR_DAYS
    return _pair(years, "y", days % _YEAR_DAYS if years < 8 else 0, "d")


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def instant(text: str) -> datetime:
    """The moment that an RFC 3339 timestamp names. Raises ValueError."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def since(timestamp: object, now: datetime) -> str:
    """The age of ``timestamp``; ``<unknown>`` where there is none, ``<invalid>`` where it is no time."""
    if not timestamp:
        return "<unknown>"
    try:
        return human_duration((now - instant(str(timestamp))).total_seconds())
    except ValueError:
        return "<invalid>"
