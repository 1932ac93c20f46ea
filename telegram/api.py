"""Calls to the Bot API through the library: parameters sent as a body, and no token in any error."""

import io
from typing import Any, Protocol

import requests
from telebot import apihelper

from settings import Settings
from telegram.routes import Route, Routes, routes_of

DOWNLOAD_TIMEOUT_S = (10, 60)  # to connect, and between two chunks

# With several routes to Telegram, one that silently died is abandoned within half a minute.
CONNECT_S, ANSWER_S, LONG_POLL_S = 5, 15, 10


class TelegramError(Exception):
    """A failed call; the text names the method and the cause, never a URL or a person's message."""

    def __init__(self, method: str, cause: str) -> None:
        super().__init__(f"{method}: {cause}")


class UnreachableError(TelegramError):
    """No usable answer came; the call may have taken effect or not."""


class RefusedError(TelegramError):
    """Telegram refused the call; `retry_after` is in seconds, `moved_to` the id of a group's supergroup."""

    def __init__(
        self, method: str, code: int, description: str, retry_after: float = 0, moved_to: int = 0
    ) -> None:
        super().__init__(method, f"{code} {description}")
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.moved_to = moved_to

    def says(self, *fragments: str) -> bool:
        """Return whether the description has one of these lower-case fragments; Telegram's case varies."""
        return any(fragment in self.description.lower() for fragment in fragments)


class Door(Protocol):
    """The outside world: Telegram, or the terminal in its place."""

    def call(self, method: str, **params: Any) -> Any:
        """Call one function of `apihelper` and return the result as plain data; raises TelegramError."""

    def download(self, file_id: str) -> bytes:
        """Fetch a file that somebody sent, 20 MB at most; raises TelegramError."""


class Telegram:
    """The Bot API with one bot's token."""

    def __init__(self, settings: Settings) -> None:
        self.date = ""  # the last answer's Date header
        self._token = settings.token
        self._session = _session(settings)
        self._routes = Routes(routes_of(settings), self._answers)
        apihelper.API_URL = "https://by-route/bot{0}/{1}"  # type: ignore[assignment]
        apihelper.CUSTOM_REQUEST_SENDER = self._post  # type: ignore[assignment]

    @property
    def route(self) -> str:
        """The current route, without passwords."""
        return str(self._routes.current)

    def call(self, method: str, **params: Any) -> Any:
        """Call one function of `apihelper` and return the result as plain data; raises TelegramError."""
        if "long_polling_timeout" in params and not self._routes.is_only_one:
            params["long_polling_timeout"] = min(params["long_polling_timeout"], LONG_POLL_S)
        try:
            return getattr(apihelper, method)(self._token, **{name: _file(it) for name, it in params.items()})
        except apihelper.ApiTelegramException as exc:
            retry_after, moved_to = _parameter(exc, "retry_after"), _parameter(exc, "migrate_to_chat_id")
            raise RefusedError(method, exc.error_code, exc.description, retry_after, int(moved_to)) from None
        except apihelper.ApiException as exc:  # the library rejects an answer that _is_answer accepted
            raise UnreachableError(method, type(exc).__name__) from None

    def download(self, file_id: str) -> bytes:
        """Fetch a file that somebody sent, 20 MB at most; raises TelegramError."""
        path = self.call("get_file", file_id=file_id)["file_path"]
        route = self._routes.current
        # Not through the library: it sets no timeout, and its exceptions contain the URL with the token.
        try:
            url = f"{route.url}/file/bot{self._token}/{path}"
            response = self._session.get(url, timeout=DOWNLOAD_TIMEOUT_S, proxies=route.proxies)
        except requests.RequestException as exc:
            raise self._failed(route, "download", type(exc).__name__) from None
        if response.status_code != 200:
            raise UnreachableError("download", f"HTTP {response.status_code}")
        return response.content

    def _post(
        self,
        _verb: str,
        url: str,
        params: Any = None,
        files: Any = None,
        timeout: Any = None,
        **_more: Any,
    ) -> requests.Response:
        """Send as a body what the library would put into the URL, even the text of a message."""
        method = url.rpartition("/")[2]
        route = self._routes.current
        try:
            response = self._session.post(
                f"{route.url}/bot{self._token}/{method}",
                data=params,
                files=files,
                timeout=self._timeout(method, timeout, uploads=bool(files)),
                proxies=route.proxies,
            )
        except requests.RequestException as exc:  # its text contains the URL with the token
            raise self._failed(route, method, type(exc).__name__) from None
        self.date = response.headers.get("Date", "")
        response.encoding = "utf-8"  # else requests guesses the encoding, which is slow
        if not _is_answer(response):
            raise self._failed(route, method, f"HTTP {response.status_code} без ответа Telegram")
        return response

    def _timeout(self, method: str, given: Any, *, uploads: bool) -> Any:
        """Return the timeouts for connecting and for the answer; shorter if there is another route."""
        if self._routes.is_only_one or uploads:
            return given
        connect, read = given
        return min(connect, CONNECT_S), LONG_POLL_S + 5 if method == "getUpdates" else min(read, ANSWER_S)

    def _failed(self, route: Route, method: str, cause: str) -> UnreachableError:
        """Look for another route, and return the error; the call is not repeated: it may have worked."""
        self._routes.lost(route)
        return UnreachableError(method, cause)

    def _answers(self, route: Route) -> bool:
        """Return whether Telegram answers on a route, even with an error about the token."""
        try:
            response = self._session.post(
                f"{route.url}/bot{self._token}/getMe", timeout=(CONNECT_S, CONNECT_S), proxies=route.proxies
            )
        except requests.RequestException:
            return False
        return _is_answer(response)


def _file(param: Any) -> Any:
    """Return bytes wrapped as a file: the library formats bytes for its log, 80 MB for a 10 MB document.

    It does so at every log level: pyTelegramBotAPI 4.37.1, apihelper._make_request.
    """
    return io.BytesIO(param) if isinstance(param, bytes) else param


def _parameter(exc: apihelper.ApiTelegramException, name: str) -> float:
    """Return a number from Telegram's ResponseParameters, 0 if it is missing."""
    parameters = exc.result_json.get("parameters")
    value = parameters.get(name) if isinstance(parameters, dict) else None
    return value if isinstance(value, int | float) else 0


def _is_answer(response: requests.Response) -> bool:
    """Return whether it is Telegram's answer; on a proxy's page the library fails in three different ways."""
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        return False
    if not isinstance(answer, dict):
        return False
    return "result" in answer if answer.get("ok") else {"ok", "error_code", "description"} <= answer.keys()


def _session(settings: Settings) -> requests.Session:
    """Make the session that all threads share; it reads the environment once, not at every call."""
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=64))
    found = session.merge_environment_settings(settings.telegram_api_url[0], {}, None, None, None)
    if not settings.telegram_proxy:
        session.proxies = dict(found["proxies"])
    session.verify = found["verify"]
    session.trust_env = False
    return session
