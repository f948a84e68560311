"""What rspamd and SpamAssassin say of every design, offline: Debian's packages, our own zone, no network.

Each message is composed and signed as in a send, and looks as if it came from the domain's own host. Both programs ask
a name server on loopback that knows nothing but the sending domain.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import Request, urlopen

from newsletter.core.context import IssueContent
from tests.letters import odd
from tests.looks.generated import ADDRESS, DOMAIN, reader, signed, zone
from tests.looks.letters import DESIGNS, REFERENCES
from tests.nameserver import nameserver

RSPAMD, SPAMASSASSIN = 2.0, 1.0
"""The most that each may say; both call 5 and more spam, rspamd begins to act at 4."""

PATIENCE = 90
ISSUES: dict[str, Callable[[], IssueContent]] = {
    **REFERENCES,
    "one-review": odd.one_review,
    "every-scale": odd.every_scale,
}


def scored() -> int:
    """Print both programs' scores of each design and issue; gives the number that are too high."""
    missing = [name for name in ("rspamd", "spamassassin") if not shutil.which(name)]
    if missing:
        print(f"not installed: {', '.join(missing)} (apt-get install --no-install-recommends rspamd spamassassin)")
        return len(missing)
    too_high, now = 0, datetime.now(UTC).replace(microsecond=0)
    for name, line in (("rspamd", ["rspamd", "--version"]), ("SpamAssassin", ["spamassassin", "--version"])):
        print(f"{name}: {subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()[0]}")
    rows: dict[str, set[str]] = {"rspamd": set(), "SpamAssassin": set()}
    print(f"\n{'design':10} {'issue':20} {'rspamd':>8} {'SpamAssassin':>13}   (at most {RSPAMD} and {SPAMASSASSIN})")
    with nameserver(zone()) as server, TemporaryDirectory() as folder, _rspamd(Path(folder), server) as port:
        rules = _spamassassin_rules(Path(folder), server)
        for design in DESIGNS:
            for issue, content in ISSUES.items():
                message = signed(design, content(), reader(1, "en"), now)
                one, seen = _by_rspamd(port, message)
                other, found = _by_spamassassin(rules, message, now)
                rows["rspamd"] |= set(seen)
                rows["SpamAssassin"] |= set(found)
                too_high += (one > RSPAMD) + (other > SPAMASSASSIN)
                print(f"{design:10} {issue:20} {one:8.2f} {other:13.1f}", flush=True)
        print("\nA message as it should not be (no signature, no way out, shouting):")
        worst = _spoiled(message)
        one, _ = _by_rspamd(port, worst)
        other, found = _by_spamassassin(rules, worst, now)
        print(f"{'spoiled':10} {'':20} {one:8.2f} {other:13.1f}   {', '.join(found)}")
        too_high += one <= RSPAMD  # else the judges are asleep
    for program, symbols in rows.items():
        print(f"\n{program} named: {', '.join(sorted(symbols))}")
    return too_high


def _spoiled(message: bytes) -> bytes:
    head, _, body = message.partition(b"\r\n\r\n")
    kept = re.sub(rb"(?ims)^(dkim-signature|list-[a-z-]+|message-id|date):.*?\r\n(?![ \t])", b"", head + b"\r\n")
    kept = re.sub(rb"(?m)^Subject:.*\r\n", b"Subject: FREE MONEY!!! CLICK NOW $$$\r\n", kept)
    return kept + b"\r\n" + body


# --- rspamd ----------------------------------------------------------------------------------------------------------


@contextmanager
def _rspamd(folder: Path, server: str) -> Iterator[int]:
    """A private rspamd on a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    local = folder / "rspamd" / "local.d"
    local.mkdir(parents=True)
    host, number = server.split(":")
    (local / "options.inc").write_text(f'dns {{ nameserver = ["{host}:{number}:1"]; }}\nlocal_addrs = [];\n')
    (local / "worker-normal.inc").write_text(f'bind_socket = "127.0.0.1:{port}";\ncount = 1;\n')
    for other in ("controller", "proxy", "fuzzy"):
        (local / f"worker-{other}.inc").write_text("enabled = false;\ncount = 0;\n")
    (local / "logging.inc").write_text('type = "file";\nlevel = "error";\n')
    for name in ("db", "run", "log"):
        (folder / name).mkdir()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o644)
    command = ["rspamd", "-f", "-i", "-c", "/etc/rspamd/rspamd.conf"]
    places = {"LOCAL_CONFDIR": "rspamd", "DBDIR": "db", "RUNDIR": "run", "LOGDIR": "log"}
    command += [f"--var={name}={folder / place}" for name, place in places.items()]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(PATIENCE * 2):
        try:
            with urlopen(f"http://127.0.0.1:{port}/ping", timeout=2):
                return
        except (URLError, OSError):
            if process.poll() is not None:
                raise RuntimeError(f"rspamd ended with {process.returncode}") from None
            time.sleep(0.5)
    raise RuntimeError("rspamd does not answer")


def _by_rspamd(port: int, message: bytes) -> tuple[float, list[str]]:
    host = f"out.{DOMAIN}"
    envelope = {"IP": ADDRESS, "Helo": host, "Hostname": host, "From": f"b+1@{DOMAIN}", "Rcpt": "reader1@example.org"}
    with urlopen(Request(f"http://127.0.0.1:{port}/checkv2", message, envelope), timeout=60) as answer:
        said = json.load(answer)
    return said["score"], [f"{name} {row['score']:g}" for name, row in said["symbols"].items() if row["score"]] + [
        name for name in ("R_SPF_ALLOW", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW") if name in said["symbols"]
    ]


# --- SpamAssassin ----------------------------------------------------------------------------------------------------


def _spamassassin_rules(folder: Path, server: str) -> Path:
    path = folder / "local.cf"
    path.write_text(
        f"dns_server {server}\ndns_available yes\nskip_rbl_checks 1\nuse_bayes 0\nuse_razor2 0\nuse_pyzor 0\n"
        "clear_headers\nadd_header all Status _SCORE_ _TESTSSCORES(,)_\nreport_safe 0\n"
    )
    return path


def _by_spamassassin(rules: Path, message: bytes, now: datetime) -> tuple[float, list[str]]:
    stamp = format_datetime(now)
    arrived = (
        f"Return-Path: <b+1@{DOMAIN}>\r\nReceived: from out.{DOMAIN} (out.{DOMAIN} [{ADDRESS}])\r\n"
        f"\tby mx.example.org (Postfix) with ESMTPS id 4Abc123\r\n\tfor <reader1@example.org>; {stamp}\r\n"
    )
    done = subprocess.run(
        ["spamassassin", "-x", "-p", str(rules)],
        input=arrived.encode() + message,
        capture_output=True,
        check=True,
        env={**os.environ, "HOME": str(rules.parent), "LC_ALL": "C"},
    )
    status = re.search(rb"(?m)^X-Spam-Status: (-?[\d.]+) ([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", done.stdout)
    assert status, done.stdout[:500]
    tests = re.sub(r"\s+", "", status[2].decode())
    return float(status[1]), [each.replace("=", " ") for each in tests.split(",") if not each.endswith("=0")]
