"""A client of the REST face: one line a request, with the answer's body at hand."""

import json
from typing import Any

from sim.apiserver.identity import ADMIN, User
from sim.apiserver.rest.rest import Request, Response, Rest
from sim.apiserver.server import ApiServer

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
NOBODY = User("nobody", ("system:authenticated",), "nobody-uid")
TOKENS = {"admin": ADMIN, "nobody": NOBODY}


class Client:
    """Asks as ``who``, one of TOKENS or nobody at all."""

    def __init__(self, server: ApiServer, who: str = "admin", rest: Rest | None = None) -> None:
        self.rest = rest or Rest(server, TOKENS)
        self._who = who

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        accept: str = "",
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Response:
        sent = dict(headers or {})
        if self._who:
            sent.setdefault("authorization", f"Bearer {self._who}")
        if accept:
            sent["accept"] = accept
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.rest.handle(Request(method, path, query, sent, raw))

    def get(self, path: str, **options: Any) -> Any:
        """The body of a GET that must succeed; JSON is read."""
        answer = self.ask("GET", path, **options)
        assert answer.status == 200, answer.body
        return json.loads(answer.body) if isinstance(answer.body, bytes) else answer.body

    def post(self, path: str, body: Any, **options: Any) -> Any:
        answer = self.ask("POST", path, body, **options)
        assert answer.status == 201, answer.body
        return answer.body

    def as_(self, who: str) -> "Client":
        return Client(None, who, self.rest)  # type: ignore[arg-type]  # the face is there already
