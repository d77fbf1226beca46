"""Reads the catalogue of asset classes from YAML files."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from forewarn.adapters.catalogue.document import (
    CatalogueProblem,
    Document,
    UnreadableDocumentError,
    extended,
    read_document,
)
from forewarn.adapters.catalogue.rules import rule_findings
from forewarn.adapters.catalogue.schema_words import schema_findings
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.physics.derive import plan
from forewarn.domain.physics.registry import nearest

Catalogue = Mapping[str, AssetClass]

_EXTENDS: Final = "extends"


class CatalogueError(Exception):
    """Catalogue files cannot be used; the message names file, line, key and cure of every problem."""

    @classmethod
    def of(cls, problems: Iterable[CatalogueProblem]) -> "CatalogueError":
        """Report all problems at once, in the order of files and lines."""
        lines = [str(problem) for problem in sorted(set(problems))]
        if len(lines) == 1:
            return cls(lines[0])
        return cls("\n".join((f"{len(lines)} problems in the catalogue:", *(f"  {line}" for line in lines))))


def load_catalogue(directory: Path | None = None) -> Catalogue:
    """Load the built-in classes and those of ``directory``.

    A class of ``directory`` is added, or replaces the built-in one of the same name. With ``extends: NAME`` it starts
    from that class; without a name of its own it replaces that class.

    Parameters
    ----------
    directory
        Holds a file ``*.yaml`` or ``*.yml`` for each class. Hidden files and subdirectories are ignored.

    Raises
    ------
    CatalogueError
        If the directory does not exist or has no such file, or if files cannot be used.
    """
    built_in = _built_in()
    own = [] if directory is None else _read(_own_files(directory))
    families = _Families(built_in, _by_name(own))
    classes = [
        _built_in_class(name) if document is built_in.get(name) else _class_of(document)
        for name, document in ((name, families.resolve(newest, name)) for name, newest in families.newest.items())
    ]
    problems = [problem for outcome in classes if not isinstance(outcome, AssetClass) for problem in outcome]
    if problems:
        raise CatalogueError.of(problems)
    return MappingProxyType({outcome.name: outcome for outcome in classes if isinstance(outcome, AssetClass)})


@cache
def _built_in() -> Mapping[str, Document]:
    """Return the built-in documents; they ship with the package and do not change while it runs."""
    return MappingProxyType(_by_name(_read(_yaml_files(files("forewarn") / "catalogue"))))


@cache
def _built_in_class(name: str) -> AssetClass | list[CatalogueProblem]:
    """Return the class of a built-in document that extends no other."""
    return _class_of(_built_in()[name])


def _own_files(directory: Path) -> list[Traversable]:
    if not directory.is_dir():
        raise CatalogueError(f"CATALOGUE_PATH: {directory} is not a directory")
    found = _yaml_files(directory)
    if not found:
        raise CatalogueError(
            f"CATALOGUE_PATH: {directory} has no file *.yaml or *.yml; leave it unset to use the built-in classes only"
        )
    return found


def _yaml_files(directory: Traversable) -> list[Traversable]:
    found = (f for f in directory.iterdir() if f.name.endswith((".yaml", ".yml")) and not f.name.startswith("."))
    return sorted((f for f in found if f.is_file()), key=lambda f: f.name)


def _read(sources: Iterable[Traversable]) -> list[Document]:
    documents: list[Document] = []
    problems: list[CatalogueProblem] = []
    for source in sources:
        try:
            documents.append(read_document(source))
        except UnreadableDocumentError as exc:
            problems += exc.problems
    if problems:
        raise CatalogueError.of(problems)
    return documents


def _by_name(documents: Iterable[Document]) -> dict[str, Document]:
    """Return documents by class name; one without a name is kept under its file, for the schema to refuse."""
    named: dict[str, Document] = {}
    problems: list[CatalogueProblem] = []
    for document in documents:
        name = document.text("name") or document.text(_EXTENDS) or document.file
        if name in named:
            problems.append(document.problem(("name",), f"class {name!r} is described in {named[name].file} too"))
        named.setdefault(name, document)
    if problems:
        raise CatalogueError.of(problems)
    return named


class _Families:
    """Documents and the classes they extend."""

    def __init__(self, built_in: Mapping[str, Document], own: Mapping[str, Document]) -> None:
        self._built_in = built_in
        self.newest = {**built_in, **own}

    def resolve(self, document: Document, name: str, heirs: tuple[str, ...] = ()) -> Document:
        """Return a document merged with the class it extends.

        Raises
        ------
        CatalogueError
            If that class does not exist, or classes extend each other in a circle.
        """
        base_name = document.text(_EXTENDS)
        if base_name is None:
            return document
        # a class that extends its own name means the built-in one
        known = self._built_in if base_name == name else self.newest
        base = known.get(base_name)
        if base is None:
            text = f"there is no class {base_name!r}{nearest(base_name, known)}"
            raise CatalogueError.of([document.problem((_EXTENDS,), text)])
        if base_name in heirs:
            chain = " → ".join((*heirs, name, base_name))
            raise CatalogueError.of([document.problem((_EXTENDS,), f"classes extend each other in a circle: {chain}")])
        whole = extended(self.resolve(base, base_name, (*heirs, name)), document)
        whole.root.value = [(key, value) for key, value in whole.root.value if key.value != _EXTENDS]
        return whole


def _class_of(document: Document) -> AssetClass | list[CatalogueProblem]:
    try:
        raw = document.values()
    except UnreadableDocumentError as exc:
        return exc.problems
    found = rule_findings(raw)
    try:
        asset_class = AssetClass.model_validate(raw)
    except ValidationError as exc:
        found += schema_findings(exc, AssetClass, raw)
    else:
        if not found:
            plan(asset_class)  # from here on the class can be computed
            return asset_class
    return [document.problem(location, text) for location, text in found]
