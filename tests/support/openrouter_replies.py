"""The fake OpenRouter's answers: bodies as the real one writes them, and ways to misbehave.

A behaviour is a function that answers a `Call`. `events` and the behaviours built on it take parts to send: a
dictionary is an event, bytes are sent unchanged, a number is a pause in seconds.
"""

import json
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Protocol

MODEL = "deepseek/deepseek-chat-v3.1:free"
USAGE = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14, "cost": 0}
EVENT_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
PROCESSING = b": OPENROUTER PROCESSING\n\n"
DONE = b"data: [DONE]\n\n"
CREATED = 1763942400

Json = dict[str, Any]
Headers = Mapping[str, str]


# ---- A request, and the means to answer it --------------------------------------------------


@dataclass
class Request:
    """One request; `body` is the parsed JSON, None if there is none."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any = None
    arrived: float = field(default_factory=time.monotonic)

    @property
    def streamed(self) -> bool:
        return bool(isinstance(self.body, dict) and self.body.get("stream"))

    @property
    def question(self) -> str:
        """The text of the last message."""
        if not isinstance(self.body, dict):  # the client left before its body arrived
            return ""
        content = self.body["messages"][-1].get("content") or ""
        if isinstance(content, str):
            return content
        return " ".join(part["text"] for part in content if part["type"] == "text")


class ClientGoneError(Exception):
    """The client closed its connection before the answer was complete."""


class Gate:
    """A closed gate that a call can wait for, together with its socket, until somebody opens it."""

    def __init__(self) -> None:
        self._inside, self._outside = socket.socketpair()

    def fileno(self) -> int:
        return self._inside.fileno()

    def open(self) -> None:
        self._outside.close()

    def close(self) -> None:
        self._outside.close()
        self._inside.close()


class Gates(Protocol):
    """What a call needs from its server: gates, one of them open once the server stops."""

    stopped: Gate

    def gate(self) -> Gate:
        """Return a gate that the next `release()` opens."""


class Call:
    """One request being answered, and everything a behaviour can do to its connection."""

    def __init__(self, fake: Gates, connection: socket.socket, request: Request) -> None:
        self.request = request
        self.keep_alive = True
        self._fake = fake
        self._connection = connection

    def send(self, data: bytes) -> None:
        """Send bytes unchanged."""
        try:
            self._connection.sendall(data)
        except OSError:
            raise ClientGoneError from None

    def head(self, status: int, headers: Headers) -> None:
        headers = {"Date": formatdate(usegmt=True), **headers}
        lines = [f"HTTP/1.1 {status} Fake", *(f"{key}: {value}" for key, value in headers.items())]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def whole(self, status: int, body: bytes, headers: Headers) -> None:
        """Send a complete response, with Content-Length."""
        self.head(status, {"Content-Length": str(len(body)), **headers})
        self.send(body)

    def json(self, status: int, body: object, headers: Headers | None = None) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        self.whole(status, data, {"Content-Type": "application/json", **(headers or {})})

    def start(self, headers: Headers = EVENT_STREAM) -> None:
        """Start a chunked response; continue with `chunk`, finish with `end`."""
        self.head(200, {"Transfer-Encoding": "chunked", **headers})

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self) -> None:
        self.send(b"0\r\n\r\n")

    def part(self, part: object) -> None:
        """Send an event or bytes, or pause for a number of seconds."""
        if isinstance(part, int | float):
            self.pause(part)
        else:
            self.chunk(part if isinstance(part, bytes) else sse(part))

    def pause(self, seconds: float | None = None, gate: Gate | None = None) -> None:
        """Wait for the time or the gate; raise ClientGoneError if the client leaves or the server stops."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            selector.register(self._fake.stopped, selectors.EVENT_READ)
            if gate:
                selector.register(gate, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(seconds)}
        if ready & {self._connection, self._fake.stopped}:
            raise ClientGoneError

    def gate(self) -> Gate:
        """Return a gate that the next `release()` opens; get it before the client can cause that call."""
        return self._fake.gate()

    def wait_at(self, gate: Gate) -> None:
        try:
            self.pause(gate=gate)
        finally:
            gate.close()

    def reset(self) -> None:
        """Make the connection end with RST, as after a crash or a cut cable."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.keep_alive = False


Behaviour = Callable[[Call], None]


# ---- Bodies ---------------------------------------------------------------------------------


def sse(event: object) -> bytes:
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def completion(text: object, *, model: str = MODEL, finish: str | None = "stop", **message: object) -> Json:
    """Return the JSON of a non-streamed answer; extra fields go into its message."""
    choice = {
        "index": 0,
        "finish_reason": finish,
        "native_finish_reason": finish,
        "message": {"role": "assistant", "content": text, "refusal": None, **message},
    }
    return {**_envelope("chat.completion", model), "choices": [choice], "usage": USAGE}


def chunk(text: object, *, model: str = MODEL, finish: str | None = None, **delta: object) -> Json:
    """Return one event of a streamed answer; extra fields go into its delta."""
    choice = {"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}
    return {**_envelope("chat.completion.chunk", model), "choices": [choice]}


def usage_chunk(model: str = MODEL) -> Json:
    """Return the last event of a stream: the usage, without a choice."""
    return {**_envelope("chat.completion.chunk", model), "choices": [], "usage": USAGE}


def _envelope(kind: str, model: str) -> Json:
    return {"id": "gen-1", "provider": "Fake", "model": model, "object": kind, "created": CREATED}


def error_body(code: object, message: str = "Provider returned error", metadata: Json | None = None) -> Json:
    """Return an error body like OpenRouter's, with the account's id, which must not leak."""
    error: Json = {"code": code, "message": message}
    if metadata:
        error["metadata"] = metadata
    return {"error": error, "user_id": "user_2SECRET"}


def model_entry(key: str, name: str, *, price: str = "0", **changes: object) -> Json:
    """Return one entry of GET /models; `inputs`, `outputs` and any of its fields can be changed."""
    architecture = {
        "modality": "text->text",
        "input_modalities": changes.pop("inputs", ["text"]),
        "output_modalities": changes.pop("outputs", ["text"]),
        "tokenizer": "Other",
        "instruct_type": None,
    }
    return {
        "id": key,
        "canonical_slug": key.removesuffix(":free"),
        "name": name,
        "created": CREATED,
        "description": f"{name}: a model.",
        "context_length": 131072,
        "architecture": architecture,
        "pricing": {"prompt": price, "completion": price, "request": "0", "image": "0"},
        "top_provider": {"context_length": 131072, "max_completion_tokens": None},
        "per_request_limits": None,
        "supported_parameters": ["max_tokens", "reasoning", "temperature"],
        "expiration_date": None,
        **changes,
    }


def default_models() -> list[Json]:
    """Return five free models, a paid one, a paid router, an expired one and a classifier."""
    sees = ["text", "image"]
    return [
        model_entry(MODEL, "DeepSeek: DeepSeek V3.1 (free)", context_length=163840),
        model_entry("google/gemma-4-31b-it:free", "Google: Gemma 4 31B (free)", inputs=sees),
        model_entry("nvidia/nemotron-3-ultra-550b-a55b:free", "NVIDIA: Nemotron 3 Ultra (free)"),
        model_entry("cohere/north-mini-code:free", "Cohere: North Mini Code (free)"),
        model_entry("openrouter/free", "Free Models Router", context_length=200000, inputs=sees),
        model_entry("openai/gpt-6-luna", "OpenAI: GPT-6 Luna", price="0.00000125"),
        model_entry("openrouter/auto", "Auto Router", price="-1"),
        model_entry("poolside/laguna:free", "Laguna (free)", expiration_date="2026-01-31"),
        model_entry("parallel/decisions-fast:free", "Decisions Fast", outputs=["decisions"]),
    ]


def default_key() -> Json:
    return {
        "label": "sk-or-v1-TES...EST",
        "limit": None,
        "usage": 0,
        "is_free_tier": True,
        "creator_user_id": "user_2SECRET",
        "free_model_daily_requests": {"used": 12, "limit": 50, "remaining": 38},
    }


# ---- Behaviours -----------------------------------------------------------------------------


def answer(text: str, *, model: str | None = None, finish: str = "stop", thinking: str = "") -> Behaviour:
    """Answer correctly with this text, streamed word by word if the client asked for it."""

    def behave(call: Call) -> None:
        who = model or call.request.body["model"]
        if call.request.streamed:
            words = text.split(" ")
            pieces = [*(word + " " for word in words[:-1]), words[-1]]
            stream(*pieces, model=who, finish=finish, thinking=thinking)(call)
        else:
            reply = completion(text, model=who, finish=finish, reasoning=thinking or None)
            call.json(200, reply)

    return behave


def stream(
    *pieces: str,
    delay: float = 0.0,
    model: str | None = None,
    finish: str = "stop",
    thinking: str = "",
    hold_after: int | None = None,
) -> Behaviour:
    """Stream these pieces, `delay` seconds before each; after `hold_after` pieces wait for `release()`."""

    def behave(call: Call) -> None:
        who = model or call.request.body["model"]
        gate = call.gate() if hold_after is not None else None
        call.start()
        call.part(PROCESSING)
        call.part(chunk(None, model=who, role="assistant"))
        if thinking:
            call.part(chunk("", model=who, reasoning=thinking))
        for number, piece in enumerate((*pieces, None)):
            if gate and number == hold_after:
                call.wait_at(gate)
            if piece is not None:
                call.pause(delay)
                call.part(chunk(piece, model=who))
        _finish(call, who, finish)

    return behave


def _finish(call: Call, model: str, reason: str) -> None:
    for part in (chunk(None, model=model, finish=reason), usage_chunk(model), DONE):
        call.part(part)
    call.end()


def events(*parts: object, end: bool = True) -> Behaviour:
    """Stream exactly these parts; with `end=False` the connection closes in the middle of the body."""

    def behave(call: Call) -> None:
        call.start()
        for part in parts:
            call.part(part)
        if end:
            call.end()
        call.keep_alive = end

    return behave


def slices(data: bytes, size: int, *, headers: Headers = EVENT_STREAM) -> Behaviour:
    """Send a body in slices of `size` bytes, which split characters and lines."""

    def behave(call: Call) -> None:
        call.start(headers)
        for start in range(0, len(data), size):
            call.chunk(data[start : start + size])
        call.end()

    return behave


def body(data: object, *, code: int = 200, padding: bytes = b"") -> Behaviour:
    """Answer with this JSON or these bytes, preceded by the padding."""
    raw = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
    return lambda call: call.whole(code, padding + raw, {"Content-Type": "application/json"})


def status(
    code: int,
    message: str = "Provider returned error",
    *,
    headers: Headers | None = None,
    metadata: Json | None = None,
) -> Behaviour:
    """Answer with an HTTP error status and OpenRouter's error body."""
    return lambda call: call.json(code, error_body(code, message, metadata), headers)


def daily_cap(reset_ms: int, *, in_headers: bool = True) -> Behaviour:
    """Answer 429: the account's free requests for the day are used up."""
    reset = {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0"}
    reset["X-RateLimit-Reset"] = str(reset_ms)
    message = (
        "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"
    )
    metadata = {"headers": reset, "limit_source": "openrouter_free_tier_daily"}
    return status(429, message, headers=reset if in_headers else None, metadata=metadata)


def html(code: int) -> Behaviour:
    """Answer with an HTML page, as a proxy or Cloudflare does."""
    page = b"<html><head><title>Error</title></head><body>cloudflare user_2SECRET</body></html>"
    return lambda call: call.whole(code, page, {"Content-Type": "text/html"})


def hang(*parts: object, headers: bool = True) -> Behaviour:
    """Hang forever: before the headers, or after them and these parts."""

    def behave(call: Call) -> None:
        if headers:
            events(*parts, end=False)(call)
        call.pause()

    return behave


def reset(*parts: object, headers: bool = True) -> Behaviour:
    """Break the connection: before the headers, or after them and these parts."""

    def behave(call: Call) -> None:
        if headers:
            events(*parts, end=False)(call)
        call.reset()

    return behave


def repeat(part: object, *, after: Iterable[object] = (), delay: float = 0.02) -> Behaviour:
    """Stream some parts, then one part forever: `repeat(PROCESSING)` sends endless comments."""

    def behave(call: Call) -> None:
        events(*after, end=False)(call)
        while True:
            call.part(part)
            call.pause(delay)

    return behave


def drip(data: bytes, *, delay: float = 0.02) -> Behaviour:
    """Send raw bytes (status line included) one at a time, then the last one forever."""

    def behave(call: Call) -> None:
        position = 0
        while True:
            call.send(data[position : position + 1] or data[-1:])
            call.pause(delay)
            position += 1

    return behave
