"""A tool made from a function: its arguments, and the lean schemas that clients see."""

import inspect
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp.types import Tool as ListedTool
from mcp.types import ToolAnnotations
from pydantic import TypeAdapter

from mcp_server.errors import InvalidInput
from mcp_server.models.change import Note
from mcp_server.models.fields import ID_OR_NAME
from mcp_server.protocol.edge import Written
from mcp_server.protocol.message import TOO_MANY, has_too_many_values

Schema: TypeAlias = dict[str, Any]
Function = TypeVar("Function", bound=Callable[..., Any])
NULL = {"type": "null"}
# The output schema of each tool, because pydantic takes long to generate them. A test compares both.
STORED = Path(__file__).parents[1] / "data" / "results.json"


class Arguments(FuncMetadata):
    """A tool's arguments. Objects and lists may also be JSON text, which some clients send.

    The SDK would parse every text as JSON that is not declared as exactly `str`, and lose a note "null". It
    would also parse after the checks of the arguments.
    """

    nested: frozenset[str]

    def unpacked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Parse the texts that hold an object or a list. Any other text stays, and is validated as text."""
        return arguments | {name: parsed(name, arguments[name]) for name in self.nested & arguments.keys()}

    def pre_parse_json(self, data: dict[str, Any]) -> dict[str, Any]:
        return data


def parsed(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if has_too_many_values(value):
        raise InvalidInput(f"{name}: holds {TOO_MANY}. Send less at once.")
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return cast(Any, found) if isinstance(found, dict | list) else value


def reads(tool: Tool | ListedTool) -> bool:
    """Whether a tool only reads."""
    return bool(tool.annotations and tool.annotations.read_only_hint)


def to_tool(
    function: Callable[..., Any], title: str, hints: ToolAnnotations, output: Schema | None = None
) -> Tool:
    """Make a tool from a function: its name, its docstring, its arguments, and the schema of its result."""
    tool = Tool.from_function(
        function,
        title=title,
        description=inspect.getdoc(function),
        annotations=hints,
        structured_output=False,
    )
    schema = without_hints(lean(tool.parameters))
    parameters: Schema = {**described_once(schema, set()), "additionalProperties": False}
    arguments = Arguments(
        arg_model=tool.fn_metadata.arg_model,
        output_schema=output,
        nested=frozenset(
            name for name, schema in parameters["properties"].items() if schema["type"] in ("object", "array")
        ),
    )
    return tool.model_copy(update={"parameters": parameters, "fn_metadata": arguments})


@cache
def stored_schemas() -> dict[str, Schema]:
    """Return the stored output schemas by the names of their tools."""
    return json.loads(STORED.read_text(encoding="utf-8"))


def result_schema(result: Any) -> Schema:
    """Return the whole schema of what a tool returns. For a write, this includes its change."""
    if get_origin(result) is not Written:
        return lean(TypeAdapter(result).json_schema(mode="serialization"))
    (written,) = get_args(result)
    schema, note = result_schema(written), result_schema(Note)
    return {**schema, "properties": {**schema["properties"], **note["properties"]}}


def output_schema(result: Any) -> Schema:
    """Return the part of a result's schema that is listed: clients load all of them before the first call.

    For reads, these are the types of all fields. For writes, the required fields and `change_id`.
    docs/tools.md describes the rest, which the schema does not rule out.
    """
    schema = result_schema(result)
    required = schema.get("required", [])
    if get_origin(result) is not Written:
        return {**outline(schema), "required": required}
    fields = {name: {"type": schema["properties"][name]["type"]} for name in (*required, "change_id")}
    return {"type": "object", "properties": fields, "required": required}


def outline(schema: Schema) -> Schema:
    """Keep the types of a schema and of everything within it."""
    result: Schema = {"type": schema["type"]}
    if "properties" in schema:
        result["properties"] = {name: outline(field) for name, field in schema["properties"].items()}
    if "items" in schema:
        result["items"] = outline(schema["items"])
    return result


def spread(function: Function) -> Function:
    """Turn the fields of `**fields: Unpack[SomeTypedDict]` into separate arguments, required ones first.

    A field that is added to the model is then added to the tool.
    """
    signature = inspect.signature(function)
    *own, last = signature.parameters.values()
    (fields,) = get_args(get_type_hints(function, include_extras=True)[last.name])
    types = get_type_hints(fields, include_extras=True)
    arguments = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if name in fields.__required_keys__ else None,
            annotation=types[name],
        )
        for name in sorted(types, key=lambda name: name not in fields.__required_keys__)
    ]
    function.__signature__ = signature.replace(parameters=[*own, *arguments])  # pyright: ignore[reportFunctionMemberAccess]
    return function


def lean(schema: Schema, definitions: Schema | None = None) -> Schema:
    """Shorten a schema: no titles, references or empty defaults, no null for fields that can be omitted.

    Errors name the limits of lists, so schemas need not.
    """
    definitions = definitions or cast(Schema, schema.get("$defs", {}))
    if "$ref" in schema:
        referred = definitions[schema["$ref"].rpartition("/")[2]]
        return lean({**referred, **without(schema, "$ref")}, definitions)
    if NULL in schema.get("anyOf", ()):
        (kept,) = (option for option in schema["anyOf"] if option != NULL)
        return lean({**kept, **without(schema, "anyOf")}, definitions)
    result = without(schema, "title", "$defs", "readOnly", "maxItems", "minItems")
    if result.get("default", ...) in (None, "", []) or result.get("default") is False:
        del result["default"]
    if "properties" in result:
        # Computed fields are omitted when they are null, like all others.
        computed = {name for name, field in result["properties"].items() if field.get("readOnly")}
        required = [name for name in result.pop("required", ()) if name not in computed]
        result |= {"required": required} if required else {}
        result["properties"] = {
            name: lean(field, definitions) for name, field in result["properties"].items()
        }
    if "items" in result:
        result["items"] = lean(result["items"], definitions)
    return result


def without_hints(schema: Schema) -> Schema:
    """Drop `Id or name` of arguments called …_id: the instructions say so of all of them."""
    if "items" in schema:
        return {**schema, "items": without_hints(schema["items"])}
    if "properties" not in schema:
        return schema
    fields = {name: without_hints(field) for name, field in schema["properties"].items()}
    return {
        **schema,
        "properties": {
            name: without(field, "description")
            if name.endswith("_id") and field.get("description") == ID_OR_NAME
            else field
            for name, field in fields.items()
        },
    }


def described_once(schema: Schema, seen: set[str]) -> Schema:
    """Drop each description of an inner field that an outer or an earlier field has already."""
    if "items" in schema:
        rows = undescribed(schema["items"], seen)
        seen.add(rows.get("description", ""))
        return {**schema, "items": described_once(rows, seen)}
    if "properties" not in schema:
        return schema
    fields = {name: undescribed(field, seen) for name, field in schema["properties"].items()}
    seen.update(field["description"] for field in fields.values() if "description" in field)
    return {**schema, "properties": {name: described_once(field, seen) for name, field in fields.items()}}


def undescribed(field: Schema, seen: set[str]) -> Schema:
    return without(field, "description") if field.get("description") in seen else field


def without(schema: Schema, *keys: str) -> Schema:
    return {key: value for key, value in schema.items() if key not in keys}
