"""Refusals of the Bot API: their exception and the rules of their wording.

Holds no knowledge of when to refuse; each rule lives beside the thing it guards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ArticleSpec:
    """A result that is answered with a description."""

    result: object
    description: str


class ApiError(Exception):
    """A refusal with the HTTP code, the description and the parameters of the answer."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> Json:
        """Return the JSON body of the answer."""
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def bad_request(reason: str, parameters: Json | None = None) -> ApiError:
    """Return a 400. Symbols such as TOPIC_CLOSED stay raw, sentences start in lower case."""
    symbol = len(reason) > 1 and (reason[1] == "_" or reason[1].isupper())
    reply = reason if symbol else reason[:1].lower() + reason[1:]
    return ApiError(400, f"Bad Request: {reply}", parameters)


def forbidden(reason: str) -> ApiError:
    """Return a 403."""
    return ApiError(403, f"Forbidden: {reason}")


def conflict(reason: str) -> ApiError:
    """Return a 409."""
    return ApiError(409, f"Conflict: {reason}")


def too_many_requests(retry_after: int, *, with_parameters: bool = True) -> ApiError:
    """Return a 429."""
    parameters = {"retry_after": retry_after} if with_parameters else None
    return ApiError(429, f"Too Many Requests: retry after {retry_after}", parameters)
