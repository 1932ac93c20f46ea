"""A minimal client of the Bot API, to call our server directly."""

import json
from typing import Any, Self

import requests

from bot_api.server import BotApiServer


class BotClient:
    """Calls methods over one keep-alive connection, with the parameters as a form, as bots do."""

    def __init__(self, server: BotApiServer) -> None:
        self.base = f"{server.url}/bot{server.token}"
        self.session = requests.Session()
        self.session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def answer(self, method: str, files: Any = None, **params: Any) -> dict[str, Any]:
        """Return the whole answer, also of a refused call."""
        form = {
            key: json.dumps(value) if isinstance(value, dict | list) else value
            for key, value in params.items()
        }
        response = self.session.post(f"{self.base}/{method}", data=form, files=files, timeout=30)
        answer: dict[str, Any] = response.json()
        assert response.status_code == answer.get("error_code", 200)
        return answer

    def call(self, method: str, files: Any = None, **params: Any) -> Any:
        """Return the result of a call that must succeed."""
        answer = self.answer(method, files, **params)
        assert answer["ok"], answer
        return answer["result"]

    def refusal(self, method: str, files: Any = None, **params: Any) -> str:
        """Return the error description of a call that must be refused."""
        answer = self.answer(method, files, **params)
        assert not answer["ok"], answer
        return str(answer["description"])

    def updates(self, **params: Any) -> list[dict[str, Any]]:
        """Return what getUpdates returns."""
        found: list[dict[str, Any]] = self.call("getUpdates", **params)
        return found
