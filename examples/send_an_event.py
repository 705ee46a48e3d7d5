"""Hold a report before it comes, then let it go: two events of a laboratory's system. Standard library only.

python examples/send_an_event.py [URL] [API_KEY]
"""

import json
import sys
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from typing import Any


def post(url: str, key: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return the hub's answer. Sending the same event again gets the same answer: repeat it until there is one."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": event["id"]}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(f"{url}/api/v1/events", json.dumps(event).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:  # a problem document (RFC 9457) says why
        found = json.load(error)
    return found


def main() -> int:
    """Return 0 when both events are taken."""
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    key = sys.argv[2] if len(sys.argv) > 2 else ""
    order = f"EX-{uuid.uuid4().hex[:12]}"
    answers = []
    for kind in ("report.hold", "report.release"):
        event = {
            "id": str(uuid.uuid4()),
            "type": kind,
            "occurred_at": datetime.now(UTC).isoformat(),
            "source": {"application": "SGL-REMPARTS", "facility": "REMPARTS"},
            "subject": {"kind": "order", "value": order},
        }
        answers.append(post(url, key, event))
        print(kind, json.dumps(answers[-1]))
    return 0 if all("state" in answer for answer in answers) else 1


if __name__ == "__main__":
    raise SystemExit(main())
