"""Print how long the source files and functions are, and fail when one is too long to be read at one sitting.

It is not a style checker: ruff does that. Usage: python scripts/sizes.py
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
FILE_LIMIT = 500
FUNCTION_LIMIT = 70
# Declarations, one after the other: length is no difficulty there.
EXEMPT_FOLDERS = {"tables", "fixtures"}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Place and length in lines, docstring included, of every function in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def summary(name: str, lengths: Sequence[int]) -> str:
    p95 = statistics.quantiles(lengths, n=20, method="inclusive")[-1] if len(lengths) > 1 else lengths[0]
    median = statistics.median(lengths)
    return f"{name:<10} {len(lengths):>5}   median {median:>4.0f}   p95 {p95:>4.0f}   max {max(lengths):>4}"


def main() -> int:
    paths = sorted(SOURCE.rglob("*.py"))
    file_lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    lengths = [(place, length) for path in paths for place, length in functions(path)]
    print(summary("files", [length for length in file_lengths.values() if length > 1]))
    print(summary("functions", [length for _, length in lengths]))
    long_files = [
        f"{path.relative_to(SOURCE)}: {length} lines, more than {FILE_LIMIT}"
        for path, length in file_lengths.items()
        if length > FILE_LIMIT and not EXEMPT_FOLDERS & set(path.parts)
    ]
    long_functions = [
        f"{place}: {length} lines, more than {FUNCTION_LIMIT}" for place, length in lengths if length > FUNCTION_LIMIT
    ]
    print(*long_files, *long_functions, sep="\n", end="\n" if long_files or long_functions else "")
    return 1 if long_files or long_functions else 0


if __name__ == "__main__":
    sys.exit(main())
