"""A neighbour: it calls get_item until standard input closes, and prints the milliseconds of each call.

    python -m scripts.abuse.neighbour URL KEY ITEM_ID

It is a process of its own, so that the work of the attack does not delay its clock.
"""

import json
import sys
import threading
from time import perf_counter, sleep

import httpx2

# Seconds between two calls, and until a call is given up.
PAUSE, PATIENCE = 0.02, 30


def main(url: str, key: str, item_id: str) -> None:
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    headers = {
        "Authorization": f"Bearer {key}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    }
    params = {"name": "get_item", "arguments": {"item_id": int(item_id)}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    taken: list[float] = []
    with httpx2.Client(headers=headers, timeout=PATIENCE) as http:
        while not ended.is_set():
            begin = perf_counter()
            response = http.post(f"{url}/mcp", json=message)
            taken.append((perf_counter() - begin) * 1000)
            if response.status_code != 200 or '"name":"stove"' not in response.text:
                sys.exit(f"{response.status_code}: {response.text}")
            sleep(PAUSE)
    print(json.dumps(taken))


if __name__ == "__main__":
    main(*sys.argv[1:])
