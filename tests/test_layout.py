"""The architecture, as a test: who may import whom, where third-party packages live, how long things may be.

The tables below are the architecture; README.md, section Architecture, says it in prose. A new room, package or exception is a
line in a table, with its reason.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "geoop"

# Modules that every room may import, and that import nothing but each other.
LEAVES = {"errors", "axes", "references", "version"}

# Room -> rooms that it may import. Data flows down this table: a room stands below everything that it imports.
ROOMS: dict[str, set[str]] = {
    "mesh": set(),
    "io": {"mesh"},
    "interfaces": {"mesh", "io"},
    "graph": {"mesh"},
    "fem": {"mesh", "graph"},
    "truth": {"mesh", "io", "interfaces", "graph", "fem"},
    "layers": {"graph"},
    "encoders": {"layers", "graph", "mesh"},
    "operators": {"layers", "graph", "mesh"},
    "decoders": {"layers", "graph", "mesh"},
    "models": {"encoders", "operators", "decoders", "layers", "graph", "mesh", "interfaces"},
    "scaling": {"mesh", "graph", "interfaces"},
    "baselines": {"mesh", "graph", "scaling", "interfaces"},
    "solve": {"mesh", "interfaces", "graph", "fem"},
    "results": {"models", "baselines", "scaling", "solve", "truth", "fem", "io", "graph", "mesh", "interfaces"},
    "train": {"results", "models", "scaling", "solve", "fem", "io", "graph", "mesh", "interfaces"},
}
ROOMS["studies"] = set(ROOMS)
ROOMS["cli"] = set(ROOMS)

# Third-party package -> paths (below geoop/, beginnings count) that may import it.
ANYWHERE = ("",)
PACKAGES: dict[str, tuple[str, ...]] = {
    "numpy": ANYWHERE,
    "scipy": ANYWHERE,
    "torch": ANYWHERE,
    "meshio": ("io/", "studies/plots/"),
    "pyvista": ("io/", "studies/plots/"),
    "vtk": ("io/", "studies/plots/"),
    "vtkmodules": ("io/", "studies/plots/"),
    "h5py": ("io/", "studies/plots/"),
    "matplotlib": ("studies/plots/",),
    "trame": ("studies/plots/viewing",),
    "mpl_toolkits": ("studies/plots/",),  # comes with matplotlib
    "safetensors": ("io/checkpoint",),
    "trimesh": ("io/", "mesh/repair"),
    "gmsh": ("io/cad", "mesh/generate"),
    "warp": ("mesh/distance", "graph/neighbors"),
    "pyarrow": ("studies/sweep/table",),
    "pymetis": ("graph/partition",),
    "torch_scatter": ("graph/segment",),
    "torchdiffeq": ("layers/time_steps",),
    "sklearn": ("baselines/", "graph/"),
    "skfem": ("fem/",),
    "pyamg": ("fem/",),
    "filelock": ("train/alone.py",),
    "lightning": ("train/",),
    "torch_geometric": ("graph/", "operators/", "train/"),  # the border of data, and the adapter of PyG layers
    "dask": ("studies/", "truth/running"),
    "distributed": ("studies/", "truth/running"),
    "threadpoolctl": ("studies/", "truth/running"),
    "typer": ("cli/",),
    "rich": ("cli/", "train/"),
}

BANNED_NAMES = {"utils", "util", "core", "common", "base", "helpers", "helper", "misc", "manager", "handler", "engine", "wrapper"}

MAX_FILE = 400
MAX_CLASS = 200
MAX_FUNCTION = 60  # 40 is the aim
MAX_CONSTRUCTOR = 8
MAX_SIZES = 12  # of a model: its sizes are plain numbers in the checkpoint and in the table of presets
MAX_UNEXPLAINED = 5  # lines of a method that its name may explain alone

# Exceptions, with their reason: files that are tables of constants; functions that may hand on **kwargs.
LONG_TABLES: dict[str, str] = {}
PASS_THROUGH = {"to": "moves tensors: has the signature of torch.Tensor.to"}

# Packages that `import geoop` must not load: together they take seconds.
HEAVY = ("torch", "torch_geometric", "lightning", "pyvista", "vtkmodules", "meshio", "trimesh", "sklearn", "warp", "matplotlib", "gmsh")


@dataclass(frozen=True)
class Module:
    """A file of the package: its path below geoop/, its text, its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> tuple[str, ...]:
        """Folders between geoop/ and the file."""
        return tuple(self.path.split("/")[:-1])

    @property
    def room(self) -> str:
        """Name of the room, or of the module that lies directly in geoop/."""
        return self.path.split("/")[0].removesuffix(".py")

    def at(self, node: ast.AST, message: str) -> str:
        """A finding, in the form file:line: message."""
        return f"geoop/{self.path}:{getattr(node, 'lineno', 1)}: {message}"

    def definitions(self) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
        """Every class and function with its qualified name, nested ones included."""

        def visit(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    yield prefix + child.name, child
                    yield from visit(child, f"{prefix}{child.name}.")
                else:
                    yield from visit(child, prefix)

        yield from visit(self.tree, "")

    def imports(self) -> Iterator[tuple[ast.AST, tuple[str, ...]]]:
        """Every import at any depth as an absolute dotted name: ("geoop", "mesh", "cells", "Cells"), ("numpy",)."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node, tuple(alias.name.split("."))
            elif isinstance(node, ast.ImportFrom):
                start = ("geoop", *self.package[: len(self.package) - node.level + 1]) if node.level else ()
                module = tuple(node.module.split(".")) if node.module else ()
                for alias in node.names:
                    yield node, (*start, *module, alias.name)
            elif isinstance(node, ast.Call) and _called(node) in ("import_module", "importlib.import_module", "__import__") and node.args:
                name = node.args[0]
                if isinstance(name, ast.Constant) and isinstance(name.value, str) and not name.value.startswith("."):
                    yield node, tuple(name.value.split("."))


@functools.cache
def read_package(folder: Path) -> list[Module]:
    """All modules below ``folder``."""
    files = sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)
    texts = [(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")) for path in files]
    return [Module(name, text, ast.parse(text, filename=name)) for name, text in texts]


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def imports_point_down(module: Module) -> Iterator[str]:
    """A room imports only the rooms that the table gives it; leaves import leaves; nobody enters by the front door."""
    if module.path in ("__init__.py", "__main__.py") or module.room == "cli":
        return
    allowed = (ROOMS[module.room] | {module.room} if module.room in ROOMS else set()) | LEAVES
    for node, name in module.imports():
        if name[0] != "geoop":
            continue
        target = name[1] if len(name) > 1 else ""
        if target not in ROOMS and target not in LEAVES:
            yield module.at(node, f"imports {'.'.join(name)} from the front door; import it from its own file")
        elif target not in allowed:
            rooms = ", ".join(sorted(allowed - LEAVES - {module.room})) or "leaves only"
            yield module.at(node, f"{module.room} may not import {target} (it may import: {rooms})")


def rooms_are_known(module: Module) -> Iterator[str]:
    """Every folder of geoop is a room of the table, every module directly in it a leaf."""
    if module.package and module.room not in ROOMS:
        yield module.at(module.tree, f"room '{module.room}' is not in the table")
    if not module.package and module.room not in LEAVES | {"__init__", "__main__"}:
        yield module.at(module.tree, f"'{module.path}' lies in no room")


def third_party_is_contained(module: Module) -> Iterator[str]:
    """A third-party package is imported only where the table says; one that is not in the table, nowhere."""
    for node, name in module.imports():
        package = name[0]
        if package == "geoop" or package in sys.stdlib_module_names:
            continue
        if package not in PACKAGES:
            yield module.at(node, f"{package} is not in the table of third-party packages")
        elif not module.path.startswith(PACKAGES[package]):
            yield module.at(node, f"{package} may be imported only in {', '.join(PACKAGES[package])}")


def names_say_something(module: Module) -> Iterator[str]:
    """No file and no folder has a name under which anything could lie."""
    for part in module.path.removesuffix(".py").split("/"):
        if part.lower().strip("_") in BANNED_NAMES:
            yield module.at(module.tree, f"'{part}' says nothing about what lies there")


def nothing_is_too_long(module: Module) -> Iterator[str]:
    """Files, classes and functions fit in a head."""
    lines = len(module.text.splitlines())
    if lines > MAX_FILE and module.path not in LONG_TABLES:
        yield module.at(module.tree, f"{lines} lines, at most {MAX_FILE}")
    for name, node in module.definitions():
        limit = MAX_CLASS if isinstance(node, ast.ClassDef) else MAX_FUNCTION
        if _length(node) > limit:
            yield module.at(node, f"{name} has {_length(node)} lines, at most {limit}")


def constructors_are_short(module: Module) -> Iterator[str]:
    """A constructor takes built parts, not their parameters. (Dataclasses are records and have no constructor of their own.)"""
    for name, node in module.definitions():
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            count = len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs) - 1
            most = MAX_SIZES if module.room == "models" else MAX_CONSTRUCTOR
            if count > most:
                yield module.at(node, f"{name} takes {count} parameters, at most {most}")


def library_is_silent(module: Module) -> Iterator[str]:
    """Library code neither prints nor ends the process; the command line does."""
    if module.room == "cli" or module.path == "__main__.py":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _called(node) in ("print", "input", "exit", "quit", "sys.exit", "os._exit", "os.abort"):
            yield module.at(node, f"calls {_called(node)}")
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if ast.unparse(raised) == "SystemExit":
                yield module.at(node, "raises SystemExit")


def arguments_are_named(module: Module) -> Iterator[str]:
    """No function hands on keyword arguments that it does not know."""
    for name, node in module.definitions():
        if isinstance(node, ast.ClassDef) or node.args.kwarg is None or node.name in PASS_THROUGH:
            continue
        catch_all = node.args.kwarg.arg
        calls = (call for call in ast.walk(node) if isinstance(call, ast.Call))
        if any(k.arg is None and isinstance(k.value, ast.Name) and k.value.id == catch_all for call in calls for k in call.keywords):
            yield module.at(node, f"{name} passes **{catch_all} through")


def public_things_are_explained(module: Module) -> Iterator[str]:
    """Public classes and functions have a docstring; so have their longer methods, unless a base class may have explained them."""
    for node in module.tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield module.at(node, f"{node.name} has no docstring")
        if isinstance(node, ast.ClassDef) and not node.bases:
            for method in node.body:
                is_public = isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and not method.name.startswith("_")
                if is_public and _length(method) > MAX_UNEXPLAINED and not ast.get_docstring(method):
                    yield module.at(method, f"{node.name}.{method.name} has no docstring")


RULES: list[Callable[[Module], Iterator[str]]] = [
    imports_point_down,
    rooms_are_known,
    third_party_is_contained,
    names_say_something,
    nothing_is_too_long,
    constructors_are_short,
    library_is_silent,
    arguments_are_named,
    public_things_are_explained,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule(rule):
    findings = [finding for module in read_package(PACKAGE) for finding in rule(module)]
    assert not findings, f"{rule.__doc__}\n" + "\n".join(findings)


def test_exceptions_are_still_needed():
    modules = read_package(PACKAGE)
    assert set(PASS_THROUGH) <= {node.name for module in modules for _, node in module.definitions()}
    assert set(LONG_TABLES) <= {module.path for module in modules}


def test_the_table_of_rooms_has_no_cycle():
    seen: set[str] = set()
    for room, below in ROOMS.items():  # in the order of the table every room comes after those it imports
        assert below <= seen, f"{room} may import {below - seen}, which stand below it"
        seen.add(room)


# Files that break a rule, and what the finding must say.
BROKEN: list[tuple[Callable[[Module], Iterator[str]], str, str, str]] = [
    (imports_point_down, "mesh/a.py", "from ..graph.pointset import PointSet", "mesh may not import graph"),
    (imports_point_down, "mesh/deep/a.py", "from ...io import reading", "mesh may not import io"),
    (imports_point_down, "io/__init__.py", "from ..interfaces import result", "io may not import interfaces"),
    (imports_point_down, "io/a.py", "def f():\n    import geoop.train.fit", "io may not import train"),
    (imports_point_down, "models/a.py", "if TYPE_CHECKING:\n    from geoop.results import surrogate", "models may not import results"),
    (imports_point_down, "solve/a.py", "import importlib\nimportlib.import_module('geoop.models.gino')", "solve may not import models"),
    (imports_point_down, "encoders/a.py", "from ..operators.attention import Attention", "encoders may not import operators"),
    (imports_point_down, "operators/a.py", "from ..decoders.local import Local", "operators may not import decoders"),
    (imports_point_down, "decoders/a.py", "from .. import encoders", "decoders may not import encoders"),
    (imports_point_down, "errors.py", "from .mesh.mesh import Mesh", "errors may not import mesh"),
    (imports_point_down, "studies/a.py", "from geoop import read", "front door"),
    (imports_point_down, "studies/a.py", "import geoop", "front door"),
    (rooms_are_known, "plumbing/a.py", "", "room 'plumbing' is not in the table"),
    (rooms_are_known, "things.py", "", "lies in no room"),
    (third_party_is_contained, "mesh/a.py", "import pyvista as pv", "pyvista may be imported only in"),
    (third_party_is_contained, "results/a.py", "def f():\n    from lightning.pytorch import Trainer", "lightning may be imported only in"),
    (third_party_is_contained, "graph/radius.py", "import warp as wp", "warp may be imported only in mesh/distance"),
    (third_party_is_contained, "graph/a.py", "import tensorflow", "not in the table"),
    (names_say_something, "mesh/utils.py", "", "'utils' says nothing"),
    (names_say_something, "mesh/core/a.py", "", "'core' says nothing"),
    (names_say_something, "mesh/_base.py", "", "'_base' says nothing"),
    (nothing_is_too_long, "mesh/a.py", "x = 1\n" * 401, "401 lines, at most 400"),
    (nothing_is_too_long, "mesh/a.py", "class A:\n" + "    x = 1\n" * 200, "A has 201 lines, at most 200"),
    (nothing_is_too_long, "mesh/a.py", "class A:\n    def f(self):\n" + "        x = 1\n" * 60, "A.f has 61 lines, at most 60"),
    (constructors_are_short, "mesh/a.py", "class A:\n    def __init__(self, a, b, c, d, e, f, g, *, h, i): ...", "takes 9 parameters"),
    (library_is_silent, "mesh/a.py", "def f():\n    print(1)", "calls print"),
    (library_is_silent, "mesh/a.py", "import sys\nsys.exit(1)", "calls sys.exit"),
    (library_is_silent, "mesh/a.py", "raise SystemExit(1)", "raises SystemExit"),
    (arguments_are_named, "mesh/a.py", "class A:\n    def f(self, **options):\n        return g(1, **options)", "A.f passes **options through"),
    (public_things_are_explained, "mesh/a.py", "def f(): ...", "f has no docstring"),
    (public_things_are_explained, "mesh/a.py", "class A:\n    'A.'\n    def f(self):\n" + "        x = 1\n" * 5, "A.f has no docstring"),
]


@pytest.mark.parametrize(("rule", "path", "text", "finding"), BROKEN, ids=[f"{rule.__name__}-{finding[:30]}" for rule, _, _, finding in BROKEN])
def test_rule_finds(tmp_path, rule, path, text, finding):
    """Each rule can fail: a package with one broken file gets one finding, at that file."""
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    findings = [found for module in read_package(tmp_path) for found in rule(module)]
    assert len(findings) == 1
    assert findings[0].startswith(f"geoop/{path}:")
    assert finding in findings[0]


SOUND = '''
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import GeoopError
from . import cells
from .cells import Cells

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class Record:
    """Nine entries."""
    a: int; b: int; c: int; d: int; e: int; f: int; g: int; h: int; i: int


def check(**arrays):
    """Keywords that are used, not handed on."""
    return list(arrays), dict(**{"a": 1})


def _private(): return check(a=1)
'''


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_accepts(tmp_path, rule):
    """No rule complains about what is allowed."""
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "a.py").write_text(SOUND, encoding="utf-8")
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "app.py").write_text("import sys\nimport typer\nimport geoop\nprint(geoop.read)\nsys.exit(2)\n", encoding="utf-8")
    assert [found for module in read_package(tmp_path) for found in rule(module)] == []


def _modules_after(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after ``code``."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.split())


LIGHT_NAMES = "geoop.read, geoop.read_case, geoop.Case, geoop.OperatingPoint, geoop.Mesh, geoop.Field, geoop.inspect"


@pytest.mark.parametrize("code", ["import geoop", "import geoop.cli.app", f"import geoop; {LIGHT_NAMES}"])
def test_import_is_cheap(code):
    assert _modules_after(code).isdisjoint(HEAVY)


def test_import_changes_nothing():
    """`import geoop` loads only itself and its version: no room."""
    loaded = {name for name in _modules_after("import geoop") if name.split(".")[0] == "geoop"}
    assert loaded == {"geoop", "geoop.version"}


def test_every_public_name_exists():
    import geoop

    for name in geoop.__all__:
        assert getattr(geoop, name) is not None
    assert set(geoop.__all__) <= set(dir(geoop))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = geoop.nothing


def _tracked() -> list[str]:
    """Files of the repository: known to git, or new and not ignored."""
    try:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [line for line in answer.stdout.splitlines() if (ROOT / line).is_file()]


def test_top_level_is_fixed():
    allowed = {"pyproject.toml", "geoop", "meshes", "tests", "examples", "tools", "README.md", ".ci", ".gitignore", "LICENSE"}
    assert {name.split("/")[0] for name in _tracked()} <= allowed


def test_no_machine_is_named():
    """No path of one machine, and no address of a package index, except the one place that may name PyTorch's."""
    words = [b"/" + b"work/", b"/" + b"tmp/", b"/" + b"opt/", b"/" + b"root/", b"pypi" + b".org", b"download" + b".pytorch.org"]
    allowed = {("tools/environment.py", words[-1])}
    found = {(name, word) for name in _tracked() if not name.startswith("meshes/") for word in words if word in (ROOT / name).read_bytes()}
    assert found <= allowed


def test_readme_explains_the_architecture():
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    _, heading, section = text.partition("\n## Architecture")
    assert heading, "README.md has no section 'Architecture'"
    section = section.partition("\n## ")[0]
    present = {module.room for module in read_package(PACKAGE) if module.package}
    missing = [room for room in ROOMS if room in present and f"`{room}/`" not in section and f"`{room}`" not in section]
    assert not missing, f"section 'Architecture' of README.md does not mention {missing}"
