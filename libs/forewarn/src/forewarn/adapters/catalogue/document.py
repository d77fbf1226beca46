"""YAML documents that know the file and line of everything in them.

A document stays a tree of YAML nodes until a class is built from it, so a problem in a class that extends another
one is reported where it was written, in either file.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Final

import yaml

#: Where something stands in a document: keys and positions.
Location = tuple[str | int, ...]

#: Key by which entries of a list are matched when one document extends another.
_IDENTITY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tags": "name",
        "nameplate": "name",
        "derived": "name",
        "rules": "id",
        "redundant": "id",
        "health": "column",
        "failure_modes": "id",
        "alarms": "id",
    }
)


#: The loader in C is ten times as fast; wheels of PyYAML have it on all usual machines.
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _NamedText(io.StringIO):
    """Text that names its file in the loader's marks."""

    name = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class CatalogueProblem:
    """One thing that is wrong with the catalogue."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


class UnreadableDocumentError(Exception):
    """A file that holds no usable document."""

    def __init__(self, problems: list[CatalogueProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A YAML mapping."""

    root: yaml.MappingNode

    @property
    def file(self) -> str:
        """File it was read from."""
        return str(self.root.start_mark.name)

    def text(self, key: str) -> str | None:
        """Return the value of a key, None unless it is a plain value."""
        node = _child(self.root, key)
        return str(node.value) if isinstance(node, yaml.ScalarNode) else None

    def values(self) -> dict[str, Any]:
        """Return the document as plain Python values.

        Raises
        ------
        UnreadableDocumentError
            If a value is not what YAML takes it for, like the date 2026-02-30.
        """
        try:
            values: dict[str, Any] = yaml.SafeLoader("").construct_document(self.root)
        except yaml.MarkedYAMLError as exc:
            raise UnreadableDocumentError([_not_yaml(self.file, exc)]) from exc
        except (ValueError, IndexError) as exc:  # PyYAML lets them through
            raise UnreadableDocumentError(
                [_in_file(self.file, f"not valid YAML: {exc}; put texts into quotes")]
            ) from exc
        return values

    def problem(self, location: Location, text: str) -> CatalogueProblem:
        """Report a problem at a place or, if that place is missing, at its nearest parent."""
        node: yaml.Node = self.root
        mark = node.start_mark
        for step in location:
            key, child = _key(node, step), _child(node, step)
            if child is None:
                break
            node, mark = child, (key or child).start_mark
        return CatalogueProblem(file=str(mark.name), line=mark.line + 1, key=_key_text(location), text=text)


def read_document(source: Traversable) -> Document:
    """Read a file.

    Raises
    ------
    UnreadableDocumentError
        If it cannot be read, is not YAML, not exactly one mapping, or says something twice.
    """
    file = str(source)
    try:
        text = _NamedText(source.read_text(encoding="utf-8"))
        text.name = file
        root = _Loader(text).get_single_node()
    except OSError as exc:
        raise UnreadableDocumentError([_in_file(file, f"cannot be read: {exc.strerror}")]) from exc
    except UnicodeDecodeError as exc:
        raise UnreadableDocumentError([_in_file(file, f"is not UTF-8 text: {exc.reason}")]) from exc
    except yaml.MarkedYAMLError as exc:
        raise UnreadableDocumentError([_not_yaml(file, exc)]) from exc
    except yaml.YAMLError as exc:
        raise UnreadableDocumentError([_in_file(file, f"not valid YAML: {exc}")]) from exc
    if not isinstance(root, yaml.MappingNode):
        raise UnreadableDocumentError([_in_file(file, "the document must be a mapping that starts with 'name:'")])
    problems = list(_key_problems(root, (), set()))
    if problems:
        raise UnreadableDocumentError(problems)
    return Document(root)


def extended(base: Document, extension: Document) -> Document:
    """Return a document with the additions and changes of another one.

    ``twin`` is changed key by key. In lists of named entries, an entry with a known name is changed key by key and a
    new one is appended. Everything else is replaced.
    """
    return Document(_changed(base.root, extension.root, _changed_section))


def _changed(
    base: yaml.MappingNode,
    extension: yaml.Node,
    change: Callable[[str, yaml.Node, yaml.Node], yaml.Node] = lambda _key, _old, new: new,
) -> yaml.MappingNode:
    pairs = {key.value: (key, value) for key, value in base.value}
    for key, value in extension.value:
        old = pairs.get(key.value)
        pairs[key.value] = (key, value if old is None else change(key.value, old[1], value))
    return yaml.MappingNode(extension.tag, list(pairs.values()), extension.start_mark, extension.end_mark)


def _changed_section(key: str, base: yaml.Node, extension: yaml.Node) -> yaml.Node:
    if key in _IDENTITY and isinstance(base, yaml.SequenceNode) and isinstance(extension, yaml.SequenceNode):
        return _changed_list(_IDENTITY[key], base, extension)
    if isinstance(base, yaml.MappingNode) and isinstance(extension, yaml.MappingNode):
        return _changed(base, extension)
    return extension


def _changed_list(identity: str, base: yaml.SequenceNode, extension: yaml.SequenceNode) -> yaml.SequenceNode:
    entries: list[yaml.Node] = list(base.value)
    names = [_name(entry, identity) for entry in entries]
    for entry in extension.value:
        name = _name(entry, identity)
        old = entries[names.index(name)] if name in names else None
        if name is None or not isinstance(old, yaml.MappingNode):
            entries.append(entry)
        else:
            entries[names.index(name)] = _changed(old, entry)
    return yaml.SequenceNode(extension.tag, entries, extension.start_mark, extension.end_mark)


def _name(entry: yaml.Node, identity: str) -> str | None:
    node = _child(entry, identity)
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def _key(node: yaml.Node, step: str | int) -> yaml.Node | None:
    """Return the node of an entry's key, where people look for it; its value may begin lines below."""
    if isinstance(node, yaml.MappingNode):
        return next((key for key, _ in node.value if key.value == step), None)
    return None


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child: yaml.Node = node.value[step]
        return child
    return None


def _key_text(location: Location) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def _key_problems(node: yaml.Node, within: Location, visited: set[int]) -> Iterator[CatalogueProblem]:
    """Report keys that occur twice in a mapping: YAML forbids them, but the parser silently keeps the last one."""
    if id(node) in visited:  # an alias, perhaps of something around it
        return
    visited.add(id(node))
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            here = (*within, str(key.value))
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                yield CatalogueProblem(
                    file=str(key.start_mark.name), line=line, key=_key_text(within), text="keys must be words"
                )
                continue
            if key.value in lines:
                text = f"is given twice; the first time in line {lines[key.value]}"
                yield CatalogueProblem(file=str(key.start_mark.name), line=line, key=_key_text(here), text=text)
            lines.setdefault(key.value, line)
            yield from _key_problems(value, here, visited)
    elif isinstance(node, yaml.SequenceNode):
        for position, child in enumerate(node.value):
            yield from _key_problems(child, (*within, position), visited)


def _in_file(file: str, text: str) -> CatalogueProblem:
    return CatalogueProblem(file=file, line=0, key="", text=text)


def _not_yaml(file: str, exc: yaml.MarkedYAMLError) -> CatalogueProblem:
    line = exc.problem_mark.line + 1 if exc.problem_mark else 0
    if exc.context == "expected a single document in the stream":
        return CatalogueProblem(
            file=file, line=line, key="", text="a file holds one document: put the second one into its own file"
        )
    context = f" ({exc.context})" if exc.context else ""
    return CatalogueProblem(file=file, line=line, key="", text=f"not valid YAML: {exc.problem}{context}")
