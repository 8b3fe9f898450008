"""How long does `import bertviz` take, next to NumPy? `python benchmarks/import_time.py`."""

import statistics
import subprocess
import sys


def seconds(module: str) -> float:
    """The median import time in ten fresh interpreters, without their own start."""
    code = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    command = [sys.executable, "-c", code.format(module)]
    runs = [subprocess.run(command, capture_output=True, check=True).stdout for _ in range(10)]
    return statistics.median(map(float, runs))


if __name__ == "__main__":
    ours, numpy = seconds("bertviz"), seconds("numpy")
    print(f"import bertviz {ours:.3f} s, import numpy {numpy:.3f} s, ratio {ours / numpy:.2f}")
