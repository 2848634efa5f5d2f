"""Facts about Python source, read from its syntax tree and nothing else."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
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

    Shape:  `module` is its dotted name; `imports` are dotted names as written,
            `from a import b` as `a.b`. `broad_excepts` are the lines that swallow any
            Exception.
    """

    path: str
    module: str
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
    """List the groups of neighbours, at any level, that import each other in a circle.

    Neighbours are the modules and packages directly below one package; what a package
    holds counts as the package itself.
    """
    graph = _neighbour_graph(sources)
    reachable = {name: _reach(graph, name) for name in graph}
    groups = {
        tuple(
            sorted(
                {name, *(other for other in seen if name in reachable.get(other, ()))}
            )
        )
        for name, seen in reachable.items()
        if name in seen
    }
    return [list(group) for group in sorted(groups)]


def _neighbour_graph(sources: Sequence[Source]) -> Mapping[str, set[str]]:
    modules = {source.module for source in sources}
    graph: defaultdict[str, set[str]] = defaultdict(set)
    for source in sources:
        for target in source.imports:
            found = target if target in modules else target.rpartition(".")[0]
            if found in modules:
                one, other = _fork(source.module, found)
                graph[one].update({other} - {one})
    return dict(graph)


def _fork(one: str, other: str) -> tuple[str, str]:
    """Cut two dotted names behind the first part in which they differ."""
    ones, others = one.split("."), other.split(".")
    pairs = zip(ones, others, strict=False)
    depth = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) + 1
    is_ancestor = depth > min(len(ones), len(others))
    return (
        (one, one)
        if is_ancestor
        else (".".join(ones[:depth]), ".".join(others[:depth]))
    )


def _reach(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(graph.get(name, ()))
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
