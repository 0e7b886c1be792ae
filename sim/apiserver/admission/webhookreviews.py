"""AdmissionReviews: what a webhook is asked, and what its answer means.

Source: apiserver's admission/plugin/webhook (request, errors) and client-go's rest client.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from controller.ports import ApiError, Document, Resource
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.admission.match import described
from sim.apiserver.admission.webhookhooks import Hook
from sim.apiserver.admission.webhookreplies import Call, Reply

_OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}
_SHOWN_MAX = 2048
_NO_REASON = "without explanation"


class Verdict(NamedTuple):
    """What a webhook said: ``denial`` is the Status of its refusal, ``patch`` a JSON patch."""

    denial: ApiError | None
    patch: Sequence[Any]
    warnings: Sequence[str]


class CallFailed(Exception):
    """No usable answer came."""


def call_of(hook: Hook, request: AdmissionRequest, resource: Resource, uid: str) -> Call:
    """Raises CallFailed where no version of reviews suits the webhook."""
    spec = hook.spec
    version = next((one for one in spec["admissionReviewVersions"] if one in ("v1", "v1beta1")), "")
    if not version:
        text = "webhook does not accept known AdmissionReview versions (v1, v1beta1)"
        raise CallFailed(f"could not create admission objects: {text}")
    options: dict[str, Any] = {"kind": _OPTIONS[request.operation], "apiVersion": "meta.k8s.io/v1"}
    if request.dry_run:
        options["dryRun"] = ["All"]
    asked = {
        "uid": uid,
        **described(request, resource),
        "object": _as(resource, request.new),
        "oldObject": _as(resource, request.old),
        "options": options,
    }
    review = {"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{version}", "request": asked}
    config, timeout_s = spec["clientConfig"], spec["timeoutSeconds"]
    url, host = _address(config)
    ca = base64.b64decode(config.get("caBundle") or "").decode("ascii", "replace")
    return Call(f"{url}?timeout={timeout_s}s", json.dumps(review).encode(), timeout_s, ca, host)


def _as(resource: Resource, document: Document | None) -> Document | None:
    if document is None:
        return None
    return {**document, "apiVersion": resource.api_version, "kind": resource.kind}


def _address(config: Mapping[str, Any]) -> tuple[str, str]:
    service = config.get("service")
    if service is None:
        return config["url"], ""
    host = f"{service['name']}.{service['namespace']}.svc"
    return f"https://{host}:{service['port']}/{(service.get('path') or '').lstrip('/')}", host


def verdict_of(call: Call, reply: Reply, hook_name: str, uid: str, *, mutating: bool) -> Verdict:
    """Raises CallFailed."""
    if reply.failure:
        raise CallFailed(f'failed to call webhook: Post "{call.url}": {reply.failure}')
    if not 200 <= reply.status < 300:
        raise CallFailed(f"failed to call webhook: {_refusal(reply)}")
    try:
        review = json.loads(reply.body)
    except ValueError as error:
        text = f"couldn't get version/kind; json parse error: {error}"
        raise CallFailed(f"failed to call webhook: {text}") from None
    response = _response(review, uid, json.loads(call.body)["apiVersion"])
    warnings = [text for text in response.get("warnings") or () if type(text) is str]
    if response.get("allowed") is not True:
        return Verdict(_denial(hook_name, response.get("status") or response.get("result")), (), warnings)
    return Verdict(None, _patch(response, mutating=mutating), warnings)


def _invalid(text: str) -> CallFailed:
    return CallFailed(f"received invalid webhook response: {text}")


def _response(review: Any, uid: str, api_version: str) -> Mapping[str, Any]:
    if type(review) is not dict or not review.get("kind") or not review.get("apiVersion"):
        missing = "Kind" if type(review) is not dict or not review.get("kind") else "apiVersion"
        raise CallFailed(
            f"failed to call webhook: Object '{missing}' is missing in '{json.dumps(review)[:_SHOWN_MAX]}'"
        )
    response = review.get("response")
    if type(response) is not dict:
        raise _invalid("webhook response was absent")
    if api_version.endswith("/v1"):
        if response.get("uid") != uid:
            raise _invalid(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')
        wanted, got = (f"{api_version}, Kind=AdmissionReview", f"{review['apiVersion']}, Kind={review['kind']}")
        if wanted != got:
            raise _invalid(f"expected webhook response of {wanted}, got {got}")
    return response


def _patch(response: Mapping[str, Any], *, mutating: bool) -> Sequence[Any]:
    text, kind = response.get("patch"), response.get("patchType")
    if not mutating:
        if text or kind is not None:
            what = "patch" if text else "patchType"
            raise _invalid(f"validating webhook may not return response.{what}")
        return ()
    if bool(text) is not bool(kind):
        given, missing = ("patch", "patchType") if text else ("patchType", "patch")
        raise _invalid(f"webhook returned response.{given} but not response.{missing}")
    if not text:
        return ()
    if kind != "JSONPatch":
        raise CallFailed(f'unsupported patch type "{kind}"')
    try:
        operations = json.loads(base64.b64decode(text, validate=True))
    except (ValueError, TypeError, binascii.Error) as error:
        raise CallFailed(f"received undecodable patch in webhook response: {error}") from None
    if type(operations) is not list:
        raise CallFailed("received undecodable patch in webhook response: it is no list")
    return operations


def _denial(hook_name: str, result: Any) -> ApiError:
    status = result if type(result) is dict else {}
    text, reason = status.get("message") or "", status.get("reason") or ""
    said = f'admission webhook "{hook_name}" denied the request'
    message = f"{said}: {text or reason}" if text or reason else f"{said} {_NO_REASON}"
    code = status.get("code")
    return ApiError(code if type(code) is int and code >= 400 else 400, reason, message, status.get("details"))


_GENERIC = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    413: "the request entity is too large",
    415: "the body of the request was in an unknown format - accepted media types include: application/json",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
}


def _refusal(reply: Reply) -> str:
    known = _GENERIC.get(reply.status)
    if known:
        return known
    text = reply.body[:_SHOWN_MAX].decode("utf-8", "replace").strip() or "unknown"
    if reply.status == 403:
        return f"forbidden: {text}"
    return f"an error on the server ({json.dumps(text)}) has prevented the request from succeeding"
