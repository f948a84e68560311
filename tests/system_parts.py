"""Install what the tests want beyond Python: a browser, fonts in which every letter can be drawn, and a mail server.

On Debian as root this installs them; elsewhere it only says what is missing. `tests/run.py` then decides: in CI a
missing part fails the run, on a laptop the closing line names what was left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PACKAGES = (
    "chromium",
    "fonts-liberation",
    "fonts-noto-core",
    "fonts-noto-cjk",
    "fonts-noto-color-emoji",
    "opendkim",
    "postfix",
)


def missing() -> list[str]:
    """Which Debian packages are not installed; without dpkg, whether a browser is on the path."""
    if shutil.which("dpkg-query") is None:
        return [] if shutil.which("chromium") else ["chromium"]
    absent = []
    for name in PACKAGES:
        done = subprocess.run(["dpkg-query", "-W", "-f=${Status}", name], capture_output=True, text=True, check=False)
        if "install ok installed" not in done.stdout:
            absent.append(name)
    return absent


def main() -> int:
    absent = missing()
    if not absent:
        return 0
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("installing", *absent, file=sys.stderr)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-qq", "--no-install-recommends", *absent],
        ):
            done = subprocess.run(
                [*command[:1], "-y", *command[1:]], env=environment, stdout=subprocess.DEVNULL, check=False
            )
            if done.returncode:
                print(f"{' '.join(command)} failed", file=sys.stderr)
                return done.returncode
        return 0
    print("not installed (needs root on Debian):", *absent, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
