"""Whether the webhook answers at all: outages, and calls that go astray."""

from random import Random

from controller.ports import Document
from sim.apiserver.admission.chain import AdmissionRequest, Chain
from sim.loop import Loop
from sim.tekton.options import TektonOptions
from sim.tekton.webhook import RESOURCES, Webhook, unanswered

REFUSED = "dial tcp 10.96.0.11:443: connect: connection refused"
_LATE = "context deadline exceeded"


class WebhookService:
    """The Service in front of the webhook, as the API server meets it."""

    def __init__(self, loop: Loop, webhook: Webhook, options: TektonOptions, stream: Random) -> None:
        self._loop = loop
        self._webhook = webhook
        self._failures = options.webhook_failures
        self._stream = stream
        self._outages = 0

    def register(self, chain: Chain) -> None:
        """Stand before the webhook, where calls go astray; without such nothing is registered."""
        if self._failures:
            asked = (*RESOURCES, *(f"{resource}/status" for resource in RESOURCES))
            chain.mutate(self._maybe_lose, resources=asked, operations=("CREATE", "UPDATE"))

    def outage(self, duration_us: int, text: str = REFUSED) -> None:
        """No webhook for a time: every call ends with ``text``. Outages may overlap."""
        self._outages += 1
        self._webhook.outage = text
        self._loop.after(duration_us, self._end)

    def _end(self) -> None:
        self._outages -= 1
        if not self._outages:
            self._webhook.outage = ""

    def _maybe_lose(self, request: AdmissionRequest) -> Document:
        if self._stream.random() < self._failures:
            raise unanswered(_LATE)
        document = request.new
        assert document is not None, "admission of a create or an update without a body"
        return document
