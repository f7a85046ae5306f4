"""Sockets that are closed when they do not connect."""

from __future__ import annotations

from typing import Any, Final

from kafka.net.inet import KafkaNetSocket

SCHEME: Final = "direct"


class DirectSocket(KafkaNetSocket):  # type: ignore[misc]
    """No proxy, and no socket left over after a failed attempt.

    kafka-python 3.0.12 leaves such a socket to the garbage collector, which may not come for a long time: with a broker
    away, a worker had 150 open after a minute, and a process may have 1,024. Found by kafka-python under the scheme.
    """

    SCHEMES = (SCHEME,)

    async def sock_connect(self, net: Any, sock: Any, sockaddr: Any, timeout_at: float | None = None) -> Any:
        try:
            return await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise


PROXY_URL: Final = f"{SCHEME}://"
"""The setting ``proxy_url`` that makes every client of kafka-python use this class."""
