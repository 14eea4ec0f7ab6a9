"""An attacker: it repeats a case's attack until standard input closes.

    python -m scripts.abuse.attacker CASE URL KEY

It is a process of the lowest priority: elsewhere it would have processors of its own. It prints a line when
it starts, because making an input takes a while.
"""

import asyncio
import os
import sys
import threading

from scripts.abuse.cases import Target, cases


async def main(name: str, url: str, key: str) -> None:
    os.nice(19)
    (attack,) = (case.bad for case in cases() if case.name == name)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    print("starting", flush=True)
    while not ended.is_set():
        await attack(Target(url, key))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
