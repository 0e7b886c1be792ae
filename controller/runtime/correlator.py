"""What becomes of an event when many alike come: client-go's correlator, told the time.

Three stages, in this order: events alike but for their message are combined once ten different messages have come
within ten minutes of each other; an event that was written before is counted up instead of written again; and an
object that talks too much is not heard (25 at once, then one in 300 s, for each source).
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from controller.ports import Document
from controller.runtime.bucket import TokenBucket

V = TypeVar("V")

_REMEMBERED_MAX = 4096
_ALIKE_MAX = 10
_WRITTEN_MAX = 32  # more different messages than that come of one topic only over hours
_ALIKE_WINDOW_S = 600.0
_SPAM_BURST = 25
_SPAM_QPS = 1.0 / 300.0
_COMBINED = "(combined from similar events): "
MESSAGE_MAX = 1024  # characters, the API server's own limit


class _Recent(Generic[V]):
    """The values used last, at most ``_REMEMBERED_MAX`` of them."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, V] = OrderedDict()

    def get(self, key: Hashable) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Hashable, value: V) -> V:
        self._values[key] = value
        if len(self._values) > _REMEMBERED_MAX:
            self._values.popitem(last=False)
        return value


@dataclass(slots=True)
class Written:
    """The event object that stands for every occurrence of one event. ``name`` is empty until it was written."""

    message: str
    name: str = ""
    first_seen: str = ""
    count: int = 0


@dataclass(slots=True)
class _Topic:
    """What one source says of one object for one reason."""

    last_s: float
    recent: dict[str, None]  # the different messages within the window, as far as they were not combined
    written: dict[str, Written]  # by message; the combined ones under the empty one


class Correlator:
    def __init__(self) -> None:
        self._topics: _Recent[_Topic] = _Recent()
        self._talk: _Recent[TokenBucket] = _Recent()

    def correlate(self, involved: Document, type_: str, reason: str, message: str, now_s: float) -> Written | None:
        """Count one more occurrence; answers the object to create (count 1) or to patch, or None to say nothing."""
        # A uid says it all, and hashes faster than what it stands for.
        who = involved.get("uid") or (involved.get("kind"), involved.get("namespace"), involved.get("name"))
        what = (who, type_, reason)
        topic = self._topics.get(what)
        if topic is None:
            topic = self._topics.put(what, _Topic(now_s, {}, {}))
        elif now_s - topic.last_s > _ALIKE_WINDOW_S:
            topic.recent.clear()
        topic.last_s = now_s
        topic.recent[message] = None
        key = message
        if len(topic.recent) >= _ALIKE_MAX:
            del topic.recent[next(iter(topic.recent))]
            key, message = "", (_COMBINED + message)[:MESSAGE_MAX]
        written = topic.written.get(key)
        if written is None:
            if len(topic.written) >= _WRITTEN_MAX:
                del topic.written[next(iter(topic.written))]
            written = topic.written[key] = Written(message)
        written.count += 1
        written.message = message
        talk = self._talk.get(who)
        if talk is None:
            talk = self._talk.put(who, TokenBucket(_SPAM_QPS, _SPAM_BURST))
        return written if talk.take(now_s) else None
