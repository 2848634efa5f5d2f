"""Facts about Python source, read from its syntax tree and nothing else."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_BRANCHES = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ExceptHandler,
    ast.comprehension,
)
_WIDE = ("Exception", "BaseException")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function or method.

    Units:  `lines` runs from `def` to the last line, docstring included;
            `complexity` counts branches plus one, as McCabe does.
    """

    place: str
    lines: int
    complexity: int
    slots: int
    typed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file.

    Shape:  `module` is its dotted name, `package` the folder it stands in; `imports`
            are dotted names as written, `from a import b` as `a.b`.
            `broad_excepts` are the lines that swallow any Exception.
    """

    path: str
    module: str
    package: str
    lines: int
    functions: Sequence[Function]
    imports: Sequence[str]
    any_count: int
    broad_excepts: Sequence[int]


def read_sources(root: Path, folders: Sequence[str]) -> list[Source]:
    """Read every Python file below some folders of `root`, in a stable order."""
    paths = (path for folder in folders for path in (root / folder).rglob("*.py"))
    return [read_source(root, path) for path in sorted(paths)]


def read_source(root: Path, path: Path) -> Source:
    """Measure one file; raises SyntaxError when it is not Python."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, filename=str(path))
    name = path.relative_to(root).as_posix()
    parts = name.removesuffix(".py").split("/")
    module = ".".join(parts).removesuffix(".__init__")
    nodes = list(ast.walk(tree))
    return Source(
        path=name,
        module=module,
        package=".".join(parts[:-1]),
        lines=len(text.splitlines()),
        functions=[
            _function(name, node) for node in nodes if isinstance(node, FunctionNode)
        ],
        imports=[target for node in nodes for target in _imports(node)],
        any_count=sum(
            isinstance(node, ast.Name) and node.id == "Any" for node in nodes
        ),
        broad_excepts=[
            node.lineno
            for node in nodes
            if isinstance(node, ast.ExceptHandler) and _is_broad(node)
        ],
    )


def find_cycles(sources: Sequence[Source]) -> list[list[str]]:
    """List the groups of packages that import each other in a circle."""
    graph = _package_graph(sources)
    reachable = {package: _reach(graph, package) for package in graph}
    groups = {
        tuple(sorted({package, *(o for o in seen if package in reachable[o])}))
        for package, seen in reachable.items()
        if package in seen
    }
    return [list(group) for group in sorted(groups)]


def _package_graph(sources: Sequence[Source]) -> Mapping[str, set[str]]:
    package_of = {source.module: source.package for source in sources}
    graph: dict[str, set[str]] = {source.package: set() for source in sources}
    for source in sources:
        for target in source.imports:
            found = package_of.get(target) or package_of.get(target.rpartition(".")[0])
            if found is not None and found != source.package:
                graph[source.package].add(found)
    return graph


def _reach(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        package = waiting.pop()
        if package not in seen:
            seen.add(package)
            waiting.extend(graph[package])
    return seen


def _function(path: str, node: FunctionNode) -> Function:
    arguments = [
        *node.args.posonlyargs,
        *node.args.args,
        *node.args.kwonlyargs,
        *(each for each in (node.args.vararg, node.args.kwarg) if each is not None),
    ]
    notes = [each.annotation for each in arguments if each.arg not in ("self", "cls")]
    notes.append(node.returns)
    return Function(
        place=f"{path}:{node.lineno} {node.name}",
        lines=(node.end_lineno or node.lineno) - node.lineno + 1,
        complexity=1 + sum(_is_branch(each) for each in _own_nodes(node)),
        slots=len(notes),
        typed=sum(note is not None for note in notes),
    )


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a function without the functions inside it, which count for themselves."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, FunctionNode):
            yield child
            yield from _own_nodes(child)


def _is_branch(node: ast.AST) -> bool:
    if isinstance(node, ast.match_case):
        is_default = (
            isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None
        )
        return not is_default
    return isinstance(node, _BRANCHES)


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module is not None:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_broad(node: ast.ExceptHandler) -> bool:
    """Tell whether a handler catches everything and may keep it to itself."""
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    is_wide = any(
        each is None or (isinstance(each, ast.Name) and each.id in _WIDE)
        for each in caught
    )
    return is_wide and not any(isinstance(each, ast.Raise) for each in ast.walk(node))
