"""`make check`: the size gates, and the proportions that are only printed.

Gates: no file over 500 lines (tests: 700), no function over 60 (docstring not counted), no import cycle. The rest is a
compass: medians and percentiles of file and function length, and how deep imports go.
"""

from __future__ import annotations

import ast
import statistics
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE, MAX_TEST_FILE, MAX_FUNCTION = 500, 700, 60


def function_lengths(tree: ast.Module) -> list[tuple[str, int, int]]:
    """Return name, line and length of every function, without its docstring."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            found.append((node.name, node.lineno, (node.end_lineno or 0) - body[0].lineno + 1))
    return found


def imported_modules(name: str, tree: ast.Module, known: set[str]) -> set[str]:
    """Return the modules of this project that a module imports when it is itself imported."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {other for other in found if other in known and other != name and not name.startswith(other + ".")}


def depth_of(graph: dict[str, set[str]]) -> int:
    """Return the length of the longest chain of imports."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        depth[name] = 1 + max((depth[other] for other in graph.get(name, ())), default=0)
    return max(depth.values(), default=0)


def main() -> int:
    """Print the proportions; return 1 when a gate is broken."""
    broken: list[str] = []
    lengths: dict[str, list[int]] = {"pipeline": [], "tests": []}
    functions: list[int] = []
    trees: dict[str, ast.Module] = {}
    for folder, sizes in lengths.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text("utf-8")
            tree = ast.parse(text)
            sizes.append(text.count("\n"))
            shown = path.relative_to(ROOT)
            if sizes[-1] > (MAX_FILE if folder == "pipeline" else MAX_TEST_FILE):
                broken.append(f"{shown}: {sizes[-1]} lines")
            measured = function_lengths(tree)
            broken += [
                f"{shown}:{line}: {name} has {size} lines" for name, line, size in measured if size > MAX_FUNCTION
            ]
            if folder == "pipeline":
                functions += [size for _, _, size in measured]
                name = ".".join(shown.with_suffix("").parts).removesuffix(".__init__")
                trees[name] = tree
    graph = {name: imported_modules(name, tree, set(trees)) for name, tree in trees.items()}
    try:
        depth = depth_of(graph)
    except CycleError as error:
        depth = 0
        broken.append("import cycle: " + " -> ".join(error.args[1]))
    functions.sort()
    sys.stdout.write(
        f"files: {len(lengths['pipeline'])}, median {statistics.median(lengths['pipeline']):.0f} lines, "
        f"longest {max(lengths['pipeline'])}; functions: {len(functions)}, median {statistics.median(functions):.0f}, "
        f"p90 {functions[int(len(functions) * 0.9)]}, longest {functions[-1]}; import depth {depth}; "
        f"tests per line of code {sum(lengths['tests']) / sum(lengths['pipeline']):.2f}\n"
    )
    for line in broken:
        sys.stdout.write(f"over the limit: {line}\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
