"""The reference as people read it, made from the document that machines read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_LONGEST_LIST: Final = 12


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    is_required: bool
    text: str


@dataclass(frozen=True)
class Operation:
    """One address with one method; `takes` are its parameters, `body` and `answer` the fields of both."""

    anchor: str
    method: str
    path: str
    permission: str
    title: str
    more: str
    takes: tuple[Field, ...]
    body_type: str
    body: tuple[Field, ...]
    status: str
    answer: tuple[Field, ...]


@dataclass(frozen=True)
class Chapter:
    title: str
    operations: tuple[Operation, ...]


def chapters(document: Mapping[str, Any]) -> list[Chapter]:
    """Every operation of the document, by the first part of its address."""
    found: dict[str, list[Operation]] = {}
    for path, operations in document["paths"].items():
        short = path.removeprefix("/api/v1")
        for method in _METHODS:
            if method in operations:
                title = short.split("/")[1]
                found.setdefault(title, []).append(_operation(document, method, path, operations[method]))
    return [Chapter(title, tuple(each)) for title, each in found.items()]


def _operation(document: Mapping[str, Any], method: str, path: str, given: Mapping[str, Any]) -> Operation:
    title, _line, more = str(given.get("description", "")).partition("\n")
    body_type, body = _content(document, given.get("requestBody", {}), is_deep=True)
    status = next(str(code) for code in given["responses"] if str(code).startswith("2"))
    answers = given["responses"].get(status) or given["responses"][int(status)]
    return Operation(
        anchor=given["operationId"],
        method=method.upper(),
        path=path,
        permission=given["security"][0]["ApiKey"][0],
        title=_words(title),
        more=_words(" ".join(more.split())),
        takes=tuple(_parameter(document, each) for each in given.get("parameters", ())),
        body_type=body_type,
        body=body,
        status=status,
        answer=_content(document, answers)[1],
    )


def _words(text: object) -> str:
    """A sentence of the document in the active language; the document itself is English for everybody."""
    plain = str(text).replace("`", "")
    return gettext(plain) if plain else ""


def _parameter(document: Mapping[str, Any], given: Mapping[str, Any]) -> Field:
    schema = given.get("schema", {})
    text = given.get("description") or schema.get("description", "")
    return Field(given["name"], _kind(document, schema), bool(given.get("required")), _words(text))


def _content(
    document: Mapping[str, Any], holder: Mapping[str, Any], *, is_deep: bool = False
) -> tuple[str, tuple[Field, ...]]:
    for media_type, content in holder.get("content", {}).items():
        return media_type, tuple(_fields(document, content.get("schema", {}), "", is_deep))
    return "", ()


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any], within: str, is_deep: bool) -> Iterator[Field]:
    """The fields of an object or of the objects of a list; those of the objects in it follow when `is_deep`."""
    named = _one(document, schema)
    required = named.get("required", ())
    for name, each in named.get("properties", {}).items():
        text = _resolved(document, each).get("description", "")
        yield Field(within + name, _kind(document, each), name in required, _words(text))
        if is_deep:
            is_list = _resolved(document, each).get("type") == "array"
            yield from _fields(document, each, f"{within}{name}{'[]' if is_list else ''}.", is_deep)


def _one(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object itself, or what a list is made of."""
    named = _resolved(document, schema)
    if named.get("type") != "array":
        return named
    items = named.get("items", {})
    return _resolved(document, (items.get("anyOf") or [items])[0])


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The type in a word or two."""
    if "anyOf" in schema:
        kinds = [_kind(document, each) for each in schema["anyOf"]]
        return " | ".join(dict.fromkeys(kind for kind in kinds if kind))
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        kind = _resolved(document, schema).get("type", "")
        return name if kind == "object" else str(kind)
    if "enum" in schema:
        values = [str(each) for each in schema["enum"]]
        return " | ".join(values) if len(values) <= _LONGEST_LIST else "string"
    if schema.get("type") == "array":
        return f"[{_kind(document, schema.get('items', {}))}]"
    return str(schema.get("format") or schema.get("const") or schema.get("type", ""))


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][str(schema["$ref"]).rpartition("/")[2]]
    return found
