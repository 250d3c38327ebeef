"""How large a file and a function may grow, and how deep. There are no exemptions."""

from __future__ import annotations

import ast

from architecture.sources import PACKAGES, files, functions, shown, tree_of

MODULE_LINES = 300
FUNCTION_LINES = 40
NESTING = 3
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def nesting(node: ast.AST) -> int:
    """How many blocks lie in each other below a node; an `elif` counts as its `if`, an inner function not at all."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        own = 1 if isinstance(child, BLOCKS) and not is_elif else 0
        deepest = max(deepest, own + nesting(child))
    return deepest


def test_modules_are_short() -> None:
    """No module is longer than 300 lines."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files(*PACKAGES, "tests")}
    wrong = [f"{shown(path)}: {lines} lines" for path, lines in lengths.items() if lines > MODULE_LINES]

    assert not wrong, "\n".join(wrong)


def test_functions_are_short() -> None:
    """No function is longer than 40 lines, docstring included."""
    wrong = []
    for path in files(*PACKAGES, "tests"):
        for function in functions(tree_of(path)):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if lines > FUNCTION_LINES:
                wrong.append(f"{shown(path)}:{function.lineno}: {function.name}: {lines} lines")

    assert not wrong, "\n".join(wrong)


def test_functions_are_flat() -> None:
    """No function nests more than three blocks."""
    wrong = [
        f"{shown(path)}:{function.lineno}: {function.name}: {depth} deep"
        for path in files(*PACKAGES)
        for function in functions(tree_of(path))
        if (depth := nesting(function)) > NESTING
    ]

    assert not wrong, "\n".join(wrong)


def test_nesting_is_counted_right() -> None:
    """Blocks in blocks count, an elif does not, nor an inner function."""
    deep = ast.parse("def f():\n if a:\n  for b in c:\n   with d:\n    while e: pass")
    flat = ast.parse("def f():\n if a: pass\n elif b: pass\n elif c: pass\n def g():\n  if d: pass")

    assert nesting(next(functions(deep))) == 4
    assert nesting(next(functions(flat))) == 1
