"""The HTTP answers: a result, a refusal, and the pages a broken front serves.

Decides none of them.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from .errors import ApiError, ArticleSpec
from .faults import ServerError

_NOT_JSON: Final = "<html><body>Sign in to the network</body></html>"


def success(result: object) -> web.Response:
    """Return a 200 with a method's result, and its description where it has one."""
    if isinstance(result, ArticleSpec):
        return web.json_response(
            {"ok": True, "result": result.result, "description": result.description}
        )
    return web.json_response({"ok": True, "result": result})


def not_json() -> web.Response:
    """Return a 200 that a portal in between might serve."""
    return web.Response(text=_NOT_JSON, content_type="text/html")


def denial_reason(error: ApiError) -> web.Response:
    """Return the answer that an error stands for."""
    return web.json_response(error.body(), status=error.code)


def server_error(fault: ServerError) -> web.Response:
    """Return a 5xx, as the front's page or as the API's JSON."""
    phrase = HTTPStatus(fault.status).phrase
    if fault.html:
        page = f"<html><head><title>{fault.status} {phrase}</title></head></html>"
        return web.Response(status=fault.status, text=page, content_type="text/html")
    reply = "Internal Server Error: restart" if fault.status == 500 else phrase
    body: dict[str, Any] = {"ok": False, "error_code": fault.status, "description": reply}
    return web.json_response(body, status=fault.status)
