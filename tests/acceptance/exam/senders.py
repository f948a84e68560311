"""The product's own processes under examination: started, watched, killed by their number."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

GOOD_ENDS = (0, 3, -signal.SIGKILL)
"""Done, a person should look (somebody waits for a retry, or is in doubt), killed by us."""
ROOT = Path(__file__).resolve().parents[3]


class Senders:
    """So many `newsletter deliver` at a time. One that ends by itself (nothing to claim just now) is started again."""

    def __init__(self, issue: str, workers: int, port: int, log: Path) -> None:
        self.issue, self.workers, self.port, self.log = issue, workers, port, log
        self.running: list[subprocess.Popen[bytes]] = []

    def keep(self) -> None:
        """Bring them up to their number. One that failed ends the exam: its words are in the log."""
        for one in self.running:
            if one.poll() not in (None, *GOOD_ENDS):
                raise SystemExit(f"A sender ended with {one.returncode}.\n{self.log.read_text()[-4000:]}")
        self.running = [one for one in self.running if one.returncode is None]
        while len(self.running) < self.workers:
            command = [sys.executable, "-m", "newsletter", "deliver", self.issue, "--resume", "--now"]
            with self.log.open("ab") as log:
                self.running.append(subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log))

    def kill(self, random: Random, *, patience: float = 60.0) -> float:
        """kill -9 one that has a connection to the server, up to 20 ms after it was seen; returns when."""
        until = time.monotonic() + patience
        while True:
            self.keep()
            if at_work := [one for one in self.running if _is_connected(one.pid, self.port)]:
                victim = random.choice(at_work)
                time.sleep(random.uniform(0, 0.02))
                if victim.poll() is None:
                    at = time.time()
                    victim.send_signal(signal.SIGKILL)
                    victim.wait()
                    return at
            if time.monotonic() > until:
                raise SystemExit(f"No sender has been connected for {patience:.0f} s; see {self.log}.")
            time.sleep(0.005)

    def end(self) -> None:
        """Let go of what still runs."""
        for one in self.running:
            one.terminate()
        for one in self.running:
            one.wait()


def _is_connected(pid: int, port: int) -> bool:
    """Whether one of the process' sockets is an established connection to `port` (Linux: proc_pid_net(5))."""
    try:
        links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    inodes = {found[1] for link in links if (found := re.fullmatch(r"socket:\[(\d+)\]", link))}
    wanted = f":{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2].endswith(wanted) and fields[3] == "01" and fields[9] in inodes:
            return True
    return False
