"""``python -m pipeline.poll.parsing_worker SECONDS BYTES``: reads feeds from its input until there are no more.

A process of its own for bytes from strangers, started by ``pipeline.poll.parsing_process``. Its memory is limited by
the system, its time by an alarm that ends it even where its parent no longer can.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from typing import BinaryIO

import msgspec

from pipeline.poll.bounds import NotAFeed
from pipeline.poll.formats import read_feed
from pipeline.poll.parsing import LENGTH_BYTES, Reply, Request


def main(seconds: float, memory_bytes: int) -> None:
    """Say that we are ready, then answer each request, in order, until the input ends or the memory has run out."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # uvloop leaves us whatever of our parent's was not marked otherwise
    # Not RLIMIT_AS: it counts what is mapped but never touched, the libraries and the arenas of threads among them.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    decoder = msgspec.msgpack.Decoder(Request)
    encoder = msgspec.msgpack.Encoder()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _say(b"", sink)
    while (message := _next(source)) is not None:
        # The system's own way of ending a process, since code that hangs in C would never run a handler of ours.
        signal.setitimer(signal.ITIMER_REAL, seconds)
        reply = _reply(decoder.decode(message), memory_bytes)
        answer = encoder.encode(reply)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _say(answer, sink)
        if reply.spent:
            return


def _reply(request: Request, memory_bytes: int) -> Reply:
    try:
        return Reply(
            read_feed(request.body, content_type=request.content_type, url=request.url, known=frozenset(request.known))
        )
    except NotAFeed as error:
        if not isinstance(error.__cause__, MemoryError):
            return Reply(reason=error.reason)
    except MemoryError:
        pass
    except Exception as error:  # a boundary: whatever a feed breaks here must cost that feed alone
        return Reply(reason=f"reading it failed ({type(error).__name__}: {str(error)[:200]})")
    return Reply(reason=f"it took more memory than {memory_bytes // 1024**2} MiB to read", spent=True)


def _next(source: BinaryIO) -> bytes | None:
    """Return the next message; None when there are no more, or the sender died in the midst of one."""
    length = int.from_bytes(source.read(LENGTH_BYTES), "big")
    message = source.read(length)
    return message if length and len(message) == length else None


def _say(message: bytes, sink: BinaryIO) -> None:
    sink.write(len(message).to_bytes(LENGTH_BYTES, "big") + message)
    sink.flush()


if __name__ == "__main__":
    try:
        main(float(sys.argv[1]), int(sys.argv[2]))
    except BrokenPipeError:
        sys.stdout = None  # the parent is gone: there is nobody to tell, not even at the end
