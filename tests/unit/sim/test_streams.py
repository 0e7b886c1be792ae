import subprocess
import sys

import pytest

from sim.streams import Streams


def test_a_stream_repeats_with_its_seed_and_name() -> None:
    assert [Streams(7)("arrivals").random() for _ in range(2)] == [Streams(7)("arrivals").random()] * 2


def test_other_names_and_other_seeds_draw_differently() -> None:
    draws = {Streams(seed)(name).random() for seed in (1, 2) for name in ("a", "b")}
    assert len(draws) == 4


def test_one_stream_does_not_notice_what_another_drew() -> None:
    disturbed, undisturbed = Streams(7), Streams(7)
    for _ in range(100):
        disturbed("noise").random()
    assert disturbed("signal").random() == undisturbed("signal").random()


def test_a_name_is_the_same_stream_each_time() -> None:
    streams = Streams(7)
    assert streams("a") is streams("a")
    assert streams("a").random() != streams("a").random()


def test_a_seed_and_a_name_do_not_run_together() -> None:
    assert Streams(1)("2/x").random() != Streams(12)("/x").random()


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_draws_do_not_depend_on_the_hash_seed(hash_seed: str) -> None:
    code = "from sim.streams import Streams; print(Streams(7)('arrivals').random())"
    answer = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
    )
    assert float(answer.stdout) == Streams(7)("arrivals").random()
