"""The page of the REST API: every operation and schema of spec/openapi.yaml."""

from __future__ import annotations

from typing import Any

from spec import cell, code, header, load, properties, resolve, type_of

METHODS = ("get", "post", "put", "patch", "delete")


def page() -> str:
    document = load("openapi.yaml")
    lines = header(
        "REST API",
        "Every operation of an agent over HTTP, from its OpenAPI document.",
        source="spec/openapi.yaml",
    )
    info = document["info"]
    lines += [
        f"Version {info['version']}. The whole document, for other tools: [openapi.yaml](openapi.yaml). The"
        " Python method of an operation has the operation's name; see [Clients](client.md).",
        "",
        info["description"],
        "",
    ]
    lines += security(document)
    for tag in document["tags"]:
        lines += [f"## {tag['name']} {{ #tag-{tag['name']} }}", "", tag.get("description", ""), ""]
        for path, item in document["paths"].items():
            for method in METHODS:
                operation = item.get(method)
                if operation and tag["name"] in operation["tags"]:
                    lines += operation_lines(document, path, method, operation, item.get("parameters", []))
    lines += ["## Error answers", "", "| status | what it says |", "|---|---|"]
    lines += ["| " + " | ".join(row) + " |" for row in errors(document)]
    lines += ["", "## Schemas", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += schema_lines(document, name, schema)
    return "\n".join(lines) + "\n"


def security(document: dict[str, Any]) -> list[str]:
    lines = ["## Credentials", "", "| header | |", "|---|---|"]
    for scheme in document["components"]["securitySchemes"].values():
        lines.append(f"| `{scheme['name']}` | {cell(scheme.get('description', ''))} |")
    return [*lines, ""]


def operation_lines(
    document: dict[str, Any], path: str, method: str, operation: dict[str, Any], shared: list[Any]
) -> list[str]:
    name = operation["operationId"]
    reference = f"synapse_sdk.clients.agent.AgentClient.{name}"
    lines = [
        f"### {name} {{ #{name} }}",
        "",
        f"`{method.upper()} {path.removeprefix('/')}` · [`client.{name}()`][{reference}]",
        "",
        operation.get("description", operation["summary"]),
        "",
    ]
    parameters = [resolve(document, one) for one in [*shared, *operation.get("parameters", [])]]
    if parameters:
        lines += ["| parameter | in | type | |", "|---|---|---|---|"]
        for one in parameters:
            words = cell(one.get("description", ""))
            if "default" in one["schema"]:
                words += f" (default {code(one['schema']['default'])})"
            lines.append(f"| `{one['name']}` | {one['in']} | {type_of(one['schema'])} | {words} |")
        lines.append("")
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        lines += [f"Body, `{media}`: {type_of(content['schema'])}", ""]
    lines += ["| answer | |", "|---|---|"]
    others: list[str] = []
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer = resolve(document, answer)
            content = next(iter(answer.get("content", {}).values()), None)
            what = f"{type_of(content['schema'])}: " if content else ""
            lines.append(f"| {status} | {what}{cell(answer['description'])} |")
        else:
            others.append(status)
    lines.append(f"| {', '.join(others)} | [an error](#error-answers) |")
    return [*lines, ""]


def errors(document: dict[str, Any]) -> list[tuple[str, str]]:
    found: dict[str, dict[str, None]] = {}
    for item in document["paths"].values():
        for method in METHODS:
            for status, answer in item.get(method, {}).get("responses", {}).items():
                if not status.startswith("2"):
                    words = cell(resolve(document, answer)["description"])
                    found.setdefault(status, {})[words] = None
    return [(status, "<br>".join(words)) for status, words in sorted(found.items())]


def schema_lines(document: dict[str, Any], name: str, schema: dict[str, Any]) -> list[str]:
    lines = [f"### {name}", ""]
    if "description" in schema:
        lines += [schema["description"], ""]
    if "enum" in schema:
        return [*lines, "One of " + ", ".join(code(value) for value in schema["enum"]) + ".", ""]
    table = properties(document, schema)
    if not table:
        lines += [f"{type_of(schema)}".capitalize() if "oneOf" not in schema else type_of(schema), ""]
    return [*lines, *table]
