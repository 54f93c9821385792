"""The connections of a client: checked addresses, and answers read as leniently as browsers do.

aiohttp's own protocol, with `ResponseRewriter` between the socket and the parser.
"""

from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from bot.fetch.response_rewriter import MalformedResponseError, ResponseRewriter


class LenientHandler(ResponseHandler):
    """Reads the answers that come over one connection, one after the other."""

    _rewriter: ResponseRewriter | None = None  # none before the first request

    def set_response_params(self, **parameters: Any) -> None:
        """Expect the answer to a request."""
        self._rewriter = ResponseRewriter()
        super().set_response_params(**parameters)

    def data_received(self, data: bytes) -> None:
        """Hand on what arrives, rewritten."""
        rewriter = self._rewriter
        if rewriter is None or self._parser is None or not data:
            super().data_received(data)  # kept until there is a parser
            return
        was_done = rewriter.is_done
        strict = rewriter.feed(data)
        if rewriter.must_close:
            self.force_close()  # before the parser may give the connection back
        if strict:
            super().data_received(strict)
        else:
            self._reschedule_timeout()
        if rewriter.error and not rewriter.has_head:
            self.set_exception(rewriter.error)
        if (rewriter.error or was_done) and self.transport is not None:
            self.transport.close()  # an unfinished body counts as cut off

    def connection_lost(self, exc: BaseException | None) -> None:
        """Say of an answer that ended within its headers that it did."""
        rewriter = self._rewriter
        if rewriter and rewriter.has_begun and not rewriter.has_head and not rewriter.error:
            self.set_exception(
                MalformedResponseError("The site ended the connection within its answer's headers.")
            )
        super().connection_lost(exc)


class LenientConnector(aiohttp.TCPConnector):
    """Connects with `LenientHandler` as the protocol."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # aiohttp has no public place for another protocol; a test holds that this is used.
        factory = partial(LenientHandler, loop=self._loop)
        self._factory = factory  # type: ignore[assignment]  # a partial of a ResponseHandler
