"""An HTTP server on loopback that answers as a test says, and a cluster that talks to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from kubernetes.aio.client import Configuration

from controller.live.cluster import LiveCluster
from controller.ports import Resource

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PODS = Resource("", "v1", "pods", "Pod")
RUNS = Resource("tekton.dev", "v1", "pipelineruns", "PipelineRun")
_LIMIT_S = 10.0


@asynccontextmanager
async def answering(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Its address, for as long as it answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    port = runner.addresses[0][1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def against(handler: Handler, body: Callable[[LiveCluster], Awaitable[Any]], *, timeout_s: float = 5.0) -> Any:
    """Run ``body`` with a cluster for which ``handler`` answers."""

    async def run() -> Any:
        async with asyncio.timeout(_LIMIT_S), answering(handler) as url:
            configuration = Configuration(host=url, api_key={"BearerToken": "Bearer t"})
            async with LiveCluster(configuration, "tester", timeout_s=timeout_s) as cluster:
                return await body(cluster)

    return asyncio.run(run())
