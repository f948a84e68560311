"""Make vendor/caniemail.json anew: `python tests/tools/trim_caniemail.py data/caniemail.json 2.0.2 > vendor/caniemail.json`.

Takes the data file of npm's package `caniemail` and its version. Keeps, of each HTML, CSS and picture feature, its title
and what the newest tested version of each client says: y (supported), a (with a bug or in part), n (not), u (unknown),
- (never tested); a letter for each client, in the order of `clients`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def trimmed(data: dict, version: str) -> str:
    kept = [each for each in data["data"] if each["category"] in ("html", "css", "image")]
    clients = sorted({f"{family} {place}" for each in kept for family, places in each["stats"].items() for place in places})
    rows = []
    for each in sorted(kept, key=lambda one: one["slug"]):
        newest = {
            f"{family} {place}": list(versions.values())[-1][0]
            for family, places in each["stats"].items()
            for place, versions in places.items()
            if versions
        }
        letters = "".join(newest.get(client, "-") for client in clients)
        rows.append(f'    {json.dumps(each["slug"])}: [{json.dumps(each["title"], ensure_ascii=False)}, "{letters}"]')
    head = {"version": version, "date": data["last_update_date"][:10], "clients": clients}
    return json.dumps(head, indent=1)[:-2] + ',\n "features": {\n' + ",\n".join(rows) + "\n }\n}"


if __name__ == "__main__":
    print(trimmed(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2]))
