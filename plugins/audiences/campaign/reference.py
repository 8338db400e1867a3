"""Reference pages of the project's files: every key with its values, its default and what it means, from the models.

`python -m audiences.campaign.reference` writes them to `docs/reference-*.md`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from audiences.campaign.schema import schema_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.json_schema import JsonSchemaValue

_PAGES: Final = {
    "campaign": ("The campaign file", "`campaigns/*.yml`"),
    "segment": ("Saved rules", "`include/segments/*.yml`"),
    "warehouse": ("The catalog", "`include/warehouse.yml`"),
    "settings": ("Settings", "`include/settings.yml`"),
}
_MOST_WORDS: Final = 24
"""A list of more allowed words than this is cut; an editor with the schema shows them all."""


def reference_files() -> dict[str, str]:
    """Every page as its text, by its path in the project."""
    schemas = schema_files()
    return {
        f"docs/reference-{name}.md": _page(json.loads(schemas[f"include/{name}.schema.json"]), *title)
        for name, title in _PAGES.items()
    }


def _page(schema: JsonSchemaValue, title: str, files: str) -> str:
    parts = [
        f"# Reference: {title[0].lower()}{title[1:]}\n",
        f"All keys of {files}. This page is made from the models: `make schemas`. *required* keys have no default.\n",
        _table(schema),
    ]
    for name in _reachable(schema):
        definition = schema["$defs"][name]
        said = [f"## {name}\n", f"{definition.get('description') or _said(definition)}\n"]
        said += [f"A short form: {each}.\n" for each in _short_forms(definition)]
        parts += [*said, _table(_as_object(definition))]
    return "\n".join(part for part in parts if part)


def _reachable(schema: JsonSchemaValue) -> list[str]:
    """The definitions that have keys, in the order in which the file comes to them."""
    found: list[str] = []

    def visit(value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                visit(each)
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.append(name)
                visit(schema["$defs"][name])
            for key, each in value.items():
                if key != "$defs":
                    visit(each)

    visit(schema)
    return [name for name in found if "properties" in _as_object(schema["$defs"][name])]


def _as_object(definition: dict[str, Any]) -> dict[str, Any]:
    """The long form of a definition that has short ones too."""
    return next((each for each in definition.get("anyOf", ()) if "properties" in each), definition)


def _said(definition: dict[str, Any]) -> str:
    return str(_as_object(definition).get("description", ""))


def _short_forms(definition: dict[str, Any]) -> Iterator[str]:
    for each in definition.get("anyOf", ()):
        if "properties" not in each:
            yield _values(each)


def _table(definition: dict[str, Any]) -> str:
    required = definition.get("required", ())
    rows = [
        f"| `{key}` | {_values(value)} | {_default(value, key in required)} | {cell(value.get('description', ''))} |"
        for key, value in definition.get("properties", {}).items()
    ]
    return "\n".join(("| key | value | default | meaning |", "|---|---|---|---|", *rows, "")) if rows else ""


def _default(value: dict[str, Any], required: bool) -> str:
    if required:
        return "*required*"
    default = value.get("default")
    return f"`{json.dumps(default, ensure_ascii=False)}`" if default not in (None, [], {}, "") else ""


def _values(value: dict[str, Any]) -> str:
    """What may stand there, in words."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in value:
        words = [f"`{each}`" for each in value["enum"]]
        return ", ".join(words[:_MOST_WORDS]) + (" …" if len(words) > _MOST_WORDS else "")
    if "const" in value:
        return f"`{json.dumps(value['const']).strip(chr(34))}`"
    if alternatives := [*value.get("anyOf", ()), *value.get("oneOf", ()), *value.get("allOf", ())]:
        return " or ".join(dict.fromkeys(map(_values, alternatives)))
    kind = value.get("type")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array" and "prefixItems" in value:
        return f"list of {len(value['prefixItems'])}: {_values(value['prefixItems'][0])}"
    if kind == "array":
        return f"list of {_values(value.get('items') or {})}"
    if kind == "object":
        inner = value.get("additionalProperties")
        return f"keys of your own, each with {_values(inner)}" if isinstance(inner, dict) else "keys"
    return f"{kind or 'any value'}{_bounds(value)}"


def _bounds(value: dict[str, Any]) -> str:
    low, high = value.get("minimum"), value.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    if low is not None:
        return f", {low} or more"
    examples = value.get("examples")
    return f", such as `{examples[0]}`" if examples else ""


def cell(text: str) -> str:
    """A text as it may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the pages into the project in the current folder."""
    for path, text in reference_files().items():
        Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
