"""Names for the processes that hold leases, so that the lease of a killed one need not be waited for."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path


def holder_name(member: str = "") -> str:
    """Return a new name for this process, ``host:pid:nonce[:member]``; no two calls give the same.

    The host carries the boot and the process-id space, because containers may share a host name and a folder but not
    their ids; the pid carries its start time, because ids are used again (a restarted container's first is always 1).
    """
    pid = os.getpid()
    parts = [_host(), f"{pid}.{_started(pid)}", secrets.token_hex(4)]
    return ":".join([*parts, member] if member else parts)


def is_gone(holder: str) -> bool:
    """Whether the process that took this name is known to run no more.

    False whenever that cannot be known: another host, another boot, another container, or no name of ``holder_name``.
    """
    host, _, rest = holder.partition(":")
    pid_text, _, started = rest.partition(":")[0].partition(".")
    if host != _host() or not (pid_text.isascii() and pid_text.isdigit()) or not 0 < int(pid_text[:10]) < 2**31:
        return False
    if sys.platform == "win32":  # there, os.kill(pid, 0) is not a question: it ends the process
        return False
    pid = int(pid_text[:10])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it exists and belongs to somebody else; its start time still tells whether it is the same
    now_started = _started(pid)
    return bool(now_started) and now_started != started


def _host() -> str:
    boot = _read("/proc/sys/kernel/random/boot_id").strip()[:8]
    try:
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        space = 0
    return f"{socket.gethostname()}/{boot}/{space}".replace(":", "_")


def _started(pid: int) -> str:
    """Start of the process in clock ticks since boot, "zombie" when it only awaits its parent, "" when unknown.

    Fields 3 and 22 of ``/proc/PID/stat``, counted after the last ")" since the name before may hold anything (proc(5)).
    """
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return ""
    return "zombie" if fields[0] in ("Z", "X", "x") else fields[19]


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
