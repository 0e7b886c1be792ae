"""The house rules that no linter knows, read off the source tree."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("controller", "sim", "scenarios", "features", "reports", "tests")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LINES_MAX = 400
FUNCTION_LINES_MAX = 70

FORBIDDEN = {
    r"\bTODO\b|\bFIXME\b|\bXXX\b": "finish it or leave it out",
    r"\bif\s+simulated\b|\bis_simulated\b": "only ports have twins",
    r"\.\./shared|/work/": "the project stands alone",
}


def test_files_were_found() -> None:
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_or_says_why_it_is_not(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count("\n") > LINES_MAX:
        assert "Longer than 400 lines because" in text[:2000]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_fits_a_screen(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]

    assert not long


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_forbidden_is_written(path: Path) -> None:
    if path == Path(__file__):
        return
    text = path.read_text(encoding="utf-8")
    found = {why for pattern, why in FORBIDDEN.items() if re.search(pattern, text)}

    assert not found


def test_no_module_is_called_after_nothing_in_particular() -> None:
    vague = [str(path) for path in FILES if path.stem in {"utils", "util", "common", "helpers", "misc", "base"}]

    assert not vague


def test_every_package_says_what_belongs_in_it() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path.name == "__init__.py"
        and "tests" not in path.parts
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert not silent
