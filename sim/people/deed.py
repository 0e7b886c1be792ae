"""What somebody does to the cluster, who takes a refusal as the answer."""

import logging
from collections.abc import Callable
from typing import Any

from controller.ports import ApiError

_log = logging.getLogger(__name__)


def do(who: str, act: Callable[..., Any], *args: Any, **options: Any) -> None:
    """Call ``act``. What is gone needs nothing any more; what a quota, a policy or a webhook refuses stays undone."""
    try:
        act(*args, **options)
    except ApiError as error:
        if error.code != 404:
            _log.warning("%s was refused: %.300r", who, str(error))
