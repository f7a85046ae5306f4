"""Give Elasticsearch the accounts that Wirewatch and Kibana log in with. It may run any number of times.

    python accounts.py https://elasticsearch:9200 /run/secrets

The second word names the folder of ``ca.crt`` and the passwords. Only the standard library, so that it runs anywhere.
"""

from __future__ import annotations

import base64
import json
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROLE = {
    "cluster": ["monitor", "manage_index_templates"],
    "indices": [{"names": ["wirewatch-*"], "privileges": ["all"]}],
}
"""All that setup, the steps and doctor ask for, and nothing of anybody else's indices."""


def requests_to_send(secrets: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Return method, path and body of each request, in the order that they depend on each other."""
    return [
        ("PUT", "/_security/role/wirewatch", ROLE),
        ("PUT", "/_security/user/wirewatch", {"password": read(secrets, "index_password"), "roles": ["wirewatch"]}),
        ("POST", "/_security/user/kibana_system/_password", {"password": read(secrets, "kibana_password")}),
    ]


def read(secrets: Path, name: str) -> str:
    """Return one secret."""
    return (secrets / name).read_text("utf-8").strip()


def send(address: str, secrets: Path) -> None:
    """Send them all as the user elastic. Raises ``SystemExit`` with a sentence when one is not accepted."""
    login = base64.b64encode(f"elastic:{read(secrets, 'elastic_password')}".encode()).decode()
    trusted = ssl.create_default_context(cafile=str(secrets / "ca.crt"))
    for method, path, body in requests_to_send(secrets):
        request = urllib.request.Request(  # noqa: S310 - the address is https, from the command line
            address + path,
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            urllib.request.urlopen(request, timeout=30, context=trusted).close()  # noqa: S310
        except urllib.error.HTTPError as error:  # its body may say more, and never the password
            sys.exit(f"{path}: Elasticsearch answered {error.code}: {error.read().decode('utf-8', 'replace')[:500]}")
        except OSError as error:
            sys.exit(f"{address} cannot be reached: {error}. Is it healthy?")


if __name__ == "__main__":
    send(sys.argv[1].rstrip("/"), Path(sys.argv[2]))
