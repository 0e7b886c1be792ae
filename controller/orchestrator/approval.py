"""What people answer when they are asked for approval: an annotation on the request."""

from controller.orchestrator.desk import Desk
from controller.orchestrator.labels import APPROVAL
from controller.orchestrator.memory import Memory
from controller.ports import Document

_NONE: Document = {}


def answer_of(request: Document) -> str:
    """In lower case, without spaces around it; empty where nobody has answered."""
    answer = (request["metadata"].get("annotations") or _NONE).get(APPROVAL) or ""
    return str(answer).strip().lower()


async def forget_answer(desk: Desk, request: Document, memory: Memory) -> Document:
    """Who agreed to one workflow has not agreed to the next: before another is asked for, the answer goes."""
    if not answer_of(request):
        return request
    return await desk.patch_metadata(request, memory, annotations={APPROVAL: None})
