"""JSON Schemas of the project's files, for editors: allowed keys and values, with what each key means.

An editor's language server completes and checks a file by them; what depends on the catalog (names of properties and
events, operators by type) is checked by `audiences validate`. `python -m audiences.campaign.schema` writes them to
`include/*.schema.json`.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from audiences.campaign.catalog import Catalog
from audiences.campaign.model import Campaign
from audiences.campaign.rules import SavedRules
from audiences.campaign.settings import Settings

_MODELS: dict[str, type[BaseModel]] = {
    "campaign": Campaign,
    "segment": SavedRules,
    "warehouse": Catalog,
    "settings": Settings,
}
_BOUNDS = {"ge": "minimum", "le": "maximum"}


def schema_files() -> dict[str, str]:
    """Every schema as the text of its file, by the file's path in the project."""
    return {
        f"include/{name}.schema.json": json.dumps(_schema(model), indent=2, ensure_ascii=False) + "\n"
        for name, model in _MODELS.items()
    }


def _schema(model: type[BaseModel]) -> JsonSchemaValue:
    schema = model.model_json_schema(schema_generator=_ForEditors)
    return {"$schema": _ForEditors.schema_dialect, **schema}


class _ForEditors(GenerateJsonSchema):
    """Pydantic's schema with the text under each field, without generated titles and without offers of `null`."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        model = schema["cls"]
        generated = super().model_schema(schema)
        for name, text in _field_texts(model).items():
            key = model.model_fields[name].alias or name
            generated["properties"][key] = {**_as_standardised(generated["properties"][key]), "description": text}
        return generated

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        generated = super().default_schema(schema)
        return {key: value for key, value in generated.items() if key != "default" or value is not None}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # pydantic's signature
        return False


def _as_standardised(value: JsonSchemaValue) -> JsonSchemaValue:
    """In words of JSON Schema: a decimal's default as a number, and bounds behind a validator, which Pydantic leaves as its own
    (pydantic issue 11576, open in 2.14)."""
    written = {_BOUNDS.get(key, key): each for key, each in value.items()}
    if written.get("type") == "number" and isinstance(written.get("default"), str):
        written["default"] = json.loads(written["default"])
    return written


def _field_texts(model: type[BaseModel]) -> dict[str, str]:
    """The string literals under the fields of a model and of the models that it derives from.

    Pydantic can read them too (`use_attribute_docstrings`), but then at every import, for a tenth of a second.
    """
    texts: dict[str, str] = {}
    for each in reversed(model.__mro__):
        body = _class_body(each) if each.__module__.startswith("audiences.") else []
        for statement, following in pairwise(body):
            match statement, following:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    texts[name] = inspect.cleandoc(text)
    return {name: text for name, text in texts.items() if name in model.model_fields}


def _class_body(model: type) -> list[ast.stmt]:
    """Nothing for a model that is made from a table: it has no text of its own here."""
    return _class_bodies(model.__module__).get(model.__name__, [])


@cache
def _class_bodies(module: str) -> dict[str, list[ast.stmt]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}


def main() -> None:
    """Write the schemas into the project in the current folder."""
    for path, text in schema_files().items():
        Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
