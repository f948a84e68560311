"""Who a worker is, so that another one can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from hashlib import blake2b
from itertools import count
from pathlib import Path

_ZOMBIE = "Z"
_GONE, _HIDDEN = "gone", "0"


_runs = count(1)


def this_worker() -> str:
    """`host:pid:start#run`: a name that no other run has, of this process or another one. Ask again for each run."""
    pid = os.getpid()
    return f"{_host()}:{pid}:{_start(pid)}#{next(_runs)}"


def is_dead(owner: str) -> bool:
    """Whether `owner` certainly no longer runs: a process of this host that is gone, or whose number another one has.

    False for every other host: there only the lease can tell.
    """
    host, _, rest = owner.partition("#")[0].rpartition(":")
    host, _, pid = host.rpartition(":")
    if host != _host() or not pid.isdigit():
        return False
    found = _start(int(pid))
    # Of a process whose start nobody may see only its end is certain; its number may have passed on to another one.
    return found == _GONE or (_HIDDEN not in (found, rest) and found != rest)


def _host() -> str:
    """The host's name with a mark of this boot and this process namespace: two containers may share a name."""
    mark = blake2b(digest_size=4)
    mark.update(_read("/proc/sys/kernel/random/boot_id").encode())
    try:
        mark.update(str(Path("/proc/self/ns/pid").readlink()).encode())
    except OSError:
        mark.update(b"-")
    return f"{socket.gethostname()[:60].replace(':', '-')}-{mark.hexdigest()}"


def _start(pid: int) -> str:
    """When the process began, in clock ticks since boot; "gone" when it has ended; "0" where nobody can say: outside
    Linux, and where /proc hides other users' processes (hidepid).
    """
    stat = _read(f"/proc/{pid}/stat")
    if stat:
        # The second field is the command in brackets and may hold anything; count from the last bracket (proc(5)).
        fields = stat.rpartition(")")[2].split()
        return _GONE if fields[0] == _ZOMBIE else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return _GONE
    except OSError:
        pass  # it is there, and not ours to signal
    return _HIDDEN


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
