#!/usr/bin/env python3
"""What a call of boundflow.bounds takes in Python more than in C++: below 50 us at batch 1, below 5 % at batch 64.

Usage: PYTHONPATH=BUILD/python python_overhead.py BUILD/bench/bounds_calls NETWORK...

Both sides take turns, so that a busy machine disturbs both; the least and the middle call of each are compared.
"""

import argparse
import statistics
import subprocess
import time

import numpy as np

import boundflow

ROUNDS = 9


def python_calls(network: boundflow.Network, batch: int, calls: int, threads: int) -> list[float]:
    # The very numbers of bounds_calls, since the work depends on them.
    center = np.random.RandomState(0).randint(0, 2**32, (batch, network.input.size), dtype=np.uint32) / 2.0**32
    times = []
    for _ in range(calls):
        begin = time.perf_counter()
        boundflow.bounds(network, center=center, eps=0.01, threads=threads)
        times.append(1e6 * (time.perf_counter() - begin))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bounds_calls")
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--threads", type=int, default=0, help="default: one per core")
    arguments = parser.parse_args()
    print(f"{'network':40} batch   least C++ (us)  Python  more   middle C++ (us)  Python  more")
    for path in arguments.networks:
        network = boundflow.load(path)
        for batch in (1, 64):
            calls = 200 if batch == 1 else 20
            of_cpp, of_python = [], []
            for _ in range(ROUNDS):
                command = [arguments.bounds_calls, path, str(batch), str(calls), str(arguments.threads)]
                printed = subprocess.run(command, check=True, text=True, capture_output=True).stdout
                of_cpp += [float(line) for line in printed.split()][calls // 4 :]  # warm ones
                of_python += python_calls(network, batch, calls, arguments.threads)[calls // 4 :]
            line = f"{path[-40:]:40} {batch:5}"
            for summary in (min, statistics.median):
                cpp, python = summary(of_cpp), summary(of_python)
                more = f"{python - cpp:.1f} us" if batch == 1 else f"{100 * (python / cpp - 1):.2f} %"
                line += f"  {cpp:15.1f} {python:7.1f} {more:>8}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
