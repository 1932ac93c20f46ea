"""The Insomnia collection can be imported, and OpenRouter accepts its requests."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from support.fake_openrouter import FakeOpenRouter
from support.openrouter_replies import Request

HERE = Path(__file__).resolve().parent.parent
COLLECTION = HERE / "docs" / "insomnia.json"
CACHE = HERE / ".cache" / "insomnia"
IMPORTERS = "insomnia-importers@3.6.0"
KEY = "sk-or-v1-TEST"
VARIABLE = re.compile(r"{{ _\.(\w+) }}")
CONVERT = """
const text = require("fs").readFileSync(process.argv[1], "utf8");
require("insomnia-importers").convert(text).then(result => console.log(JSON.stringify(result)));
"""


def resources(kind: str) -> list[dict[str, Any]]:
    collection = json.loads(COLLECTION.read_text(encoding="utf-8"))
    return [resource for resource in collection["resources"] if resource["_type"] == kind]


def send(request: dict[str, Any], variables: dict[str, str]) -> requests.Response:
    """Fill in the variables and send a request from the collection, as Insomnia does."""

    def rendered(text: str) -> str:
        return VARIABLE.sub(lambda match: variables[match[1]], text)

    return requests.request(
        request["method"],
        rendered(request["url"]),
        headers={rendered(h["name"]): rendered(h["value"]) for h in request["headers"]},
        data=rendered(request["body"].get("text", "")).encode(),
        timeout=10,
    )


@pytest.fixture
def fake() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter(api_key=KEY) as server:
        yield server


def sent(fake: FakeOpenRouter) -> dict[str, Request]:
    """Send the whole collection, and return the requests received, by path."""
    (environment,) = resources("environment")
    variables = environment["data"] | {"base_url": fake.base_url, "api_key": KEY}
    for request in resources("request"):
        assert send(request, variables).status_code == 200
    return {request.path: request for request in fake.requests}


def test_every_request_is_answered(fake: FakeOpenRouter) -> None:
    assert set(sent(fake)) == {"/api/v1/key", "/api/v1/models", "/api/v1/chat/completions"}


def test_the_question_is_the_one_of_the_course(fake: FakeOpenRouter) -> None:
    asked = sent(fake)["/api/v1/chat/completions"].body
    assert asked["model"] == "openrouter/free"
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    assert (asked["temperature"], asked["max_tokens"]) == (0.2, 400)


def test_a_wrong_key_is_seen_at_once(fake: FakeOpenRouter) -> None:
    wrong = {"base_url": fake.base_url, "api_key": "sk-or-v1-WRONG", "model": "openrouter/free"}
    answers = [send(request, wrong).status_code for request in resources("request")]
    assert answers == [401, 401, 401]


def test_every_variable_is_in_the_environment_and_used() -> None:
    (environment,) = resources("environment")
    used = set(VARIABLE.findall(COLLECTION.read_text(encoding="utf-8")))
    assert used == set(environment["data"]) == {"base_url", "api_key", "model"}


def test_no_key_is_in_the_collection() -> None:
    assert "sk-or-" not in COLLECTION.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def importers() -> Path:
    """The folder with Insomnia's own importers, installed once."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("no node and npm here")
    if not (CACHE / "node_modules" / "insomnia-importers").is_dir():
        command = [npm, "install", "--no-audit", "--no-fund", "--fetch-retries=0", IMPORTERS]
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run([*command, "--prefix", str(CACHE)], check=True, capture_output=True, timeout=60)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip(f"npm could not install {IMPORTERS}")
    return CACHE


def test_insomnia_reads_the_collection(importers: Path) -> None:
    read = subprocess.run(
        [str(shutil.which("node")), "-e", CONVERT, str(COLLECTION)],
        cwd=importers,
        check=True,
        capture_output=True,
        timeout=60,
    )
    result = json.loads(read.stdout)
    assert result["type"]["id"] == "insomnia-4"
    assert [resource["_type"] for resource in result["data"]["resources"]] == [
        "workspace",
        "environment",
        *["request"] * 3,
    ]
    texts = [resource["body"].get("text") for resource in result["data"]["resources"][2:]]
    assert texts == [request["body"].get("text") for request in resources("request")]
