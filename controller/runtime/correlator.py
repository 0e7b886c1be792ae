"""What becomes of an event when many alike come: client-go's correlator, told the time.

Three stages, in this order: events alike but for their message are combined once ten different messages have come
within ten minutes of each other; an event that was written before is counted up instead of written again; and an
object that talks too much is not heard (25 at once, then one in 300 s, for each source).
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from controller.runtime.bucket import TokenBucket

_REMEMBERED_MAX = 4096
_ALIKE_MAX = 10
_WRITTEN_MAX = 32  # more different messages than that come of one topic only over hours
_ALIKE_WINDOW_S = 600.0
_SPAM_BURST = 25
_SPAM_QPS = 1.0 / 300.0
_COMBINED = "(combined from similar events): "
MESSAGE_MAX = 1024  # characters, the API server's own limit


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
    """Remembers the topics and the objects that came up last, at most ``_REMEMBERED_MAX`` of each."""

    def __init__(self) -> None:
        self._topics: OrderedDict[Hashable, _Topic | tuple[float, Written]] = OrderedDict()
        self._talk: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def correlate(self, who: Hashable, type_: str, reason: str, message: str, now_s: float) -> Written | None:
        """Count one more occurrence for the object ``who``; answers what to create (count 1) or to patch, or None to
        say nothing."""
        topics, talk = self._topics, self._talk
        bucket = talk.get(who)
        if bucket is None:
            bucket = talk[who] = TokenBucket(_SPAM_QPS, _SPAM_BURST)
            if len(talk) > _REMEMBERED_MAX:
                talk.popitem(last=False)
        else:
            talk.move_to_end(who)
        what = (who, type_, reason)
        topic = topics.get(what)
        if topic is None:  # as a rule: few things are said twice, so when and what has to do at first
            written = Written(message, count=1)
            topics[what] = now_s, written
            if len(topics) > _REMEMBERED_MAX:
                topics.popitem(last=False)
        else:
            if isinstance(topic, tuple):
                first_s, first = topic
                topic = topics[what] = _Topic(first_s, {first.message: None}, {first.message: first})
            topics.move_to_end(what)
            written = _said_again(topic, message, now_s)
        return written if bucket.take(now_s) else None


def _said_again(topic: _Topic, message: str, now_s: float) -> Written:
    recent, written = topic.recent, topic.written
    if now_s - topic.last_s > _ALIKE_WINDOW_S:
        recent.clear()
    topic.last_s = now_s
    recent[message] = None
    key = message
    if len(recent) >= _ALIKE_MAX:
        del recent[next(iter(recent))]
        key, message = "", (_COMBINED + message)[:MESSAGE_MAX]
    known = written.get(key)
    if known is None:
        if len(written) >= _WRITTEN_MAX:
            del written[next(iter(written))]
        known = written[key] = Written(message)
    known.count += 1
    known.message = message
    return known
