"""The base model of every section of the campaign file: frozen, strict, each key documented.

A key's documentation is the docstring of its field. It is read from the source only when a schema or a page
is written: done whenever a model is defined, as Pydantic offers, it takes half the time of loading them all.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


def _exact(value: object) -> object:
    return str(value) if isinstance(value, float) else value


Dollars = Annotated[
    Decimal, BeforeValidator(_exact), Field(gt=0, le=1_000_000, decimal_places=9, allow_inf_nan=False)
]


class Section(BaseModel):
    """A section of the campaign file: frozen, and unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe each key in the JSON schema."""
        schema = handler(core_schema)
        described = handler.resolve_ref_schema(schema).get("properties", {})
        for name, meaning in cls.meanings().items():
            described[cls.model_fields[name].alias or name]["description"] = meaning
        return schema

    @classmethod
    def meanings(cls) -> Mapping[str, str]:
        """Return what each field means, by its name; read from the source."""
        found: dict[str, str] = {}
        for model in reversed(cls.mro()):
            if issubclass(model, Section):
                found |= _docstrings(model)
        return {name: found[name] for name in cls.model_fields if name in found}


def _docstrings(model: type[Section]) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(definition, ast.ClassDef)
    for field, text in pairwise(definition.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                yield name, inspect.cleandoc(said)
