from __future__ import annotations

import time

from plugandtell.client.clocks import Clocks, system_clocks


def test_sleep_is_what_one_clock_counts_and_the_other_does_not() -> None:
    assert Clocks(lambda: 110.0, lambda: 100.0).asleep_s() == 10.0


def test_the_clocks_of_this_machine_run_and_it_does_not_sleep() -> None:
    clocks = system_clocks()
    asleep_s = clocks.asleep_s()
    before = clocks.elapsed_s(), clocks.awake_s()
    time.sleep(0.001)
    assert clocks.elapsed_s() > before[0]
    assert clocks.awake_s() > before[1]
    assert abs(clocks.asleep_s() - asleep_s) < 10
