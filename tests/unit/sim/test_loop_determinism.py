"""One seed, one trace: whatever the hash seed, the memory layout and the process."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, random, sys
from controller.runtime.controller import Controller, Result
from sim.loop import Loop
from sim.streams import Streams

ballast = [bytearray(i % 4093) for i in range(int(sys.argv[2]))]
streams = Streams(int(sys.argv[1]))
loop, trace = Loop(ties=streams("ties")), []
dice = streams("work")

async def reconcile(key):
    trace.append((loop.now_us, key))
    try:
        async with asyncio.timeout(2), asyncio.TaskGroup() as group:
            for part in range(5):
                group.create_task(step(key, part))
    except* KeyError:
        raise ConnectionError from None
    return Result(requeue_after_s=7) if dice.random() < 0.5 else None

async def step(key, part):
    try:
        await asyncio.sleep(dice.choice([0.5, 1, 1, 3]))
    except asyncio.CancelledError:
        trace.append((loop.now_us, "cancelled", key, part))
        raise
    if dice.random() < 0.1:
        raise KeyError(key)

def crash(process):
    process.kill()
    start()

def start():
    controller = Controller("c", reconcile, workers=4)
    process = loop.process("controller")
    for _ in range(4):
        process.start(controller.work())
    for key in "abcdefgh":
        loop.after(dice.randrange(3), controller.queue.add, key)
    loop.after(20_000_000, crash, process)

start()
loop.run_until(70_000_000)
loop.close()
print(trace)
"""


def trace(seed: int, hash_seed: str, ballast: int) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(seed), str(ballast)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-2_000:]
    return answer.stdout


@pytest.fixture(scope="module")
def reference() -> str:
    return trace(1, "0", 0)


@pytest.mark.parametrize(("hash_seed", "ballast"), [("1", 0), ("4711", 1_013), ("0", 77)])
def test_a_seed_gives_one_trace_in_every_process(reference: str, hash_seed: str, ballast: int) -> None:
    assert "cancelled" in reference
    assert trace(1, hash_seed, ballast) == reference


def test_another_seed_gives_another_trace(reference: str) -> None:
    assert trace(2, "0", 0) != reference
