"""The contract file: valid, complete, and held to the errors and the configuration."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from schemathesis.core.result import Ok

from appliance.config.model import Config, Renditions, Server, Uploads
from appliance.domain import errors
from appliance.domain.renditions import Format, Preset
from appliance.domain.upload_options import MAX_ALT_CHARS, MAX_TITLE_CHARS
from appliance.http.api.contract import build_contract
from appliance.http.links import EXTENSIONS
from appliance.http.problems import STATUSES

# raised by commands or at start-up, never in a reply: a new error class goes here or into the contract
OUTSIDE_HTTP = {
    "invalid-configuration",
    "data-directory-locked",
    "unfit-installation",
    "clock-jumped",
    "purge-failed",
    "server-not-running",
    "command-failed",
    "ban-unknown",
    "key-unknown",
    "catalogue-damaged",
    "catalogue-not-in-use",
    "catalogue-too-new",
    "node-name-in-use",
    "node-directory-in-use",
    "node-schema-differs",
    "node-clock-differs",
    "node-store-differs",
    "node-secret-differs",
}
METHODS = {"get", "put", "post", "patch", "delete", "head", "options"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build_contract(Config())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_code_of_a_reply_is_an_error_class_and_the_other_way_round(document: dict[str, Any]) -> None:
    classes = {sub.code for sub in errors.ApplianceError.kinds() if sub.__module__.startswith(errors.__name__)}
    listed = document["components"]["schemas"]["ProblemCode"]["enum"]
    assert set(listed) == classes - OUTSIDE_HTTP
    assert len(listed) == len(set(listed))


def test_every_code_has_a_status_that_some_operation_documents(document: dict[str, Any]) -> None:
    documented = {status for _, operation in operations(document) for status in operation["responses"]}
    listed = document["components"]["schemas"]["ProblemCode"]["enum"]
    assert {fault.code for fault in STATUSES} == set(listed)
    assert {str(status.value) for status in STATUSES.values()} <= documented


def test_every_code_is_explained_where_its_status_is(document: dict[str, Any]) -> None:
    responses = document["components"]["responses"].values()
    for fault in STATUSES:
        assert any(fault.code in response["description"] for response in responses), fault.code


def test_every_reference_leads_to_a_component_and_every_component_is_used(document: dict[str, Any]) -> None:
    kinds = ("schemas", "parameters", "headers", "responses")
    there = {f"#/components/{kind}/{name}" for kind in kinds for name in document["components"][kind]}
    assert set(references(document)) == there


def test_every_schema_is_a_json_schema(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}), name


def test_schemathesis_reads_every_operation(document: dict[str, Any]) -> None:
    loaded = schemathesis.openapi.from_dict(document)
    loaded.validate()
    read = [operation.ok() for operation in loaded.get_all_operations() if isinstance(operation, Ok)]
    assert {operation.label for operation in read} == {name for name, _ in operations(document)}


def test_operation_ids_are_unique_and_every_operation_names_its_faults(document: dict[str, Any]) -> None:
    seen = [operation["operationId"] for _, operation in operations(document)]
    assert len(seen) == len(set(seen))
    for name, operation in operations(document):
        assert {"500", "503"} <= operation["responses"].keys(), name


def resolved(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """The component that `value` refers to, or `value` itself."""
    found: Any = document
    for part in value.get("$ref", "").split("/")[1:]:
        found = found[part]
    return found if "$ref" in value else value


def successes(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for status, response in operation["responses"].items():
        if status.startswith(("2", "3")):
            yield resolved(document, response)


def has_example(document: dict[str, Any], operation: dict[str, Any]) -> bool:
    parts = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
    parts += operation.get("requestBody", {}).get("content", {}).values()
    for response in successes(document, operation):
        parts += response.get("content", {}).values()
        parts += [resolved(document, header) for header in response.get("headers", {}).values()]
    return any("example" in part for part in parts)


def test_every_operation_has_a_description_a_known_tag_and_an_example(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"].endswith("."), name
        assert set(operation["tags"]) <= tags, name
        assert has_example(document, operation), name


def test_every_body_that_is_sent_has_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
            assert "example" in body or "examples" in body, f"{name}: {media_type}"


def test_examples_are_what_their_schemas_allow(document: dict[str, Any]) -> None:
    seen = 0
    for name, operation in operations(document):
        bodies = [operation.get("requestBody", {}), *successes(document, operation)]
        media = [each for body in bodies for each in body.get("content", {}).values()]
        for each in [*media, *(resolved(document, parameter) for parameter in operation.get("parameters", []))]:
            if "example" in each:
                seen += 1
                schema = {"allOf": [each["schema"]], "components": document["components"]}
                assert jsonschema_rs.is_valid(schema, each["example"]), f"{name}: {each['example']}"
    assert seen > 100


def test_nothing_in_it_trips_client_generators(document: dict[str, Any]) -> None:
    """What they stumble over.

    They need a type next to `const`, and refuse it in parameters. They read a pattern from a text's start, and can't
    match one with a time. A body without a schema is JSON to them. They make constructors called New….
    """

    def check(value: object) -> None:
        if isinstance(value, dict):
            if "const" in value and not isinstance(value["const"], dict):
                assert "type" in value, value
            if isinstance(pattern := value.get("pattern"), str):
                assert pattern.startswith("^"), value
                assert value.get("format") != "date-time", value
            assert value.get("schema") != {}, value
            for inner in value.values():
                check(inner)
        elif isinstance(value, list):
            for inner in value:
                check(inner)

    check(document)
    assert not [name for name, each in document["components"]["parameters"].items() if "const" in each["schema"]]
    assert not [name for name in document["components"]["schemas"] if name.startswith("New")]


def test_path_parameters_are_those_of_the_path(document: dict[str, Any]) -> None:
    shared = document["components"]["parameters"]
    for name, operation in operations(document):
        parameters = [
            shared[p["$ref"].rpartition("/")[2]] if "$ref" in p else p for p in operation.get("parameters", [])
        ]
        named = {p["name"] for p in parameters if p["in"] == "path"}
        assert named == {part.partition("}")[0] for part in name.split("{")[1:]}, name


def test_only_changes_of_an_image_or_album_need_the_token(document: dict[str, Any]) -> None:
    secured = {name for name, operation in operations(document) if {"deleteToken": []} in operation.get("security", [])}
    changes = {f"{method} /api/v1/{kind}/{{slug}}" for method in ("PATCH", "DELETE") for kind in ("images", "albums")}
    invites = "/api/v1/albums/{slug}/invites"
    assert secured == changes | {f"GET {invites}", f"POST {invites}", f"DELETE {invites}/{{invite}}"}


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"title": "Cat", "alt": None}, True),
        ({"expires_in": 1}, True),
        ({"expires_in": "30d"}, True),
        ({"expires_at": "2027-01-01T00:00:00Z"}, True),
        ({"deleted": False}, True),
        ({}, True),
        ({"deleted": True}, False),
        ({"expires_in": "4w"}, True),
        ({"title": "two\nlines"}, True),
        ({"title": "a\x00b"}, False),
        ({"expires_in": 0}, False),
        ({"expires_in": "0d"}, False),
        ({"expires_in": "3 weeks"}, False),
        ({"expires_in": 5, "expires_at": "2027-01-01T00:00:00Z"}, False),
        ({"title": "x" * 201}, False),
        ({"owner": "me"}, False),
    ],
)
def test_changes_take_the_known_members_only(document: dict[str, Any], changes: object, allowed: bool) -> None:
    schema = {"$ref": "#/components/schemas/Changes", "components": document["components"]}
    assert jsonschema_rs.is_valid(schema, changes) is allowed


def test_lengths_and_media_types_are_those_of_the_code(document: dict[str, Any]) -> None:
    schemas, parameters = document["components"]["schemas"], document["components"]["parameters"]
    for holder in ("Image", "Changes", "UploadForm", "ManageForm"):
        assert schemas[holder]["properties"]["title"]["maxLength"] == MAX_TITLE_CHARS
        assert schemas[holder]["properties"]["alt"]["maxLength"] == MAX_ALT_CHARS
    assert parameters["Title"]["schema"]["maxLength"] == MAX_TITLE_CHARS
    assert schemas["Image"]["properties"]["media_type"]["enum"] == list(EXTENSIONS)
    assert set(parameters["Extension"]["schema"]["enum"]) == set(EXTENSIONS.values())


def test_the_served_contract_has_the_figures_of_the_configuration() -> None:
    config = Config(
        server=Server(public_url="https://pics.example"),
        uploads=Uploads(max_expiry_days=10),
        renditions=Renditions(presets=(Preset("tiny", 100),), formats=(Format.WEBP,)),
    )
    served = build_contract(config)
    assert served["servers"] == [{"url": "https://pics.example"}]
    components = served["components"]
    assert components["parameters"]["Preset"]["schema"]["enum"] == ["tiny"]
    assert components["parameters"]["Format"]["schema"]["enum"] == ["webp"]
    assert components["schemas"]["ExpiresIn"]["oneOf"][0]["maximum"] == 864_000
    assert build_contract(replace(config, renditions=Renditions())) != served
    json.dumps(served)
