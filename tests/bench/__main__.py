"""`make bench`: every benchmark, medians and ratios side by side with the peer in the same run."""

from __future__ import annotations

import importlib

MODULES = (
    "bench_pam",
    "bench_store",
    "bench_embedded",
    "bench_cli",
    "bench_radius_codec",
    "bench_radius",
)


def main() -> None:
    for name in MODULES:
        print(f"== {name.removeprefix('bench_')}", flush=True)
        for key, value in importlib.import_module(f"tests.bench.{name}").run().items():
            print(f"{key:34} {value:12.3f}", flush=True)


if __name__ == "__main__":
    main()
