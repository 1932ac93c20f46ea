"""What the fake OpenRouter can answer: bodies as the real one writes them, and ways to misbehave.

A behaviour is a function that gets a `Call` and answers it; `events` and those built on it take
parts to send: a dictionary is an event, bytes go out as they are, a number is a pause in seconds.
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
    """One request as it came; `body` is the parsed JSON, None without one."""

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
        if not isinstance(self.body, dict):  # the client left before its body came
            return ""
        content = self.body["messages"][-1].get("content") or ""
        if isinstance(content, str):
            return content
        return " ".join(part["text"] for part in content if part["type"] == "text")


class ClientGoneError(Exception):
    """The client closed its connection before it was answered in full."""


class Gate:
    """Something closed that a call can wait for, beside its socket, until it is opened."""

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
    """What a call needs of its server: gates, and word that the server stops."""

    stopped: Gate

    def gate(self) -> Gate:
        """Return a gate that the next `release()` opens."""


class Call:
    """One request being answered: everything that a behaviour may do to its connection."""

    def __init__(self, fake: Gates, connection: socket.socket, request: Request) -> None:
        self.request = request
        self.keep_alive = True
        self._fake = fake
        self._connection = connection

    def send(self, data: bytes) -> None:
        """Put bytes on the wire just as they are."""
        try:
            self._connection.sendall(data)
        except OSError:
            raise ClientGoneError from None

    def head(self, status: int, headers: Headers) -> None:
        headers = {"Date": formatdate(usegmt=True), **headers}
        lines = [f"HTTP/1.1 {status} Fake", *(f"{key}: {value}" for key, value in headers.items())]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def whole(self, status: int, body: bytes, headers: Headers) -> None:
        """Answer at once with a body of known length."""
        self.head(status, {"Content-Length": str(len(body)), **headers})
        self.send(body)

    def json(self, status: int, body: object, headers: Headers | None = None) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        self.whole(status, data, {"Content-Type": "application/json", **(headers or {})})

    def start(self, headers: Headers = EVENT_STREAM) -> None:
        """Begin a body of unknown length, to be sent by `chunk` and ended by `end`."""
        self.head(200, {"Transfer-Encoding": "chunked", **headers})

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self) -> None:
        self.send(b"0\r\n\r\n")

    def part(self, part: object) -> None:
        """Do what a part says: send an event or bytes, or pause."""
        if isinstance(part, int | float):
            self.pause(part)
        else:
            self.chunk(part if isinstance(part, bytes) else sse(part))

    def pause(self, seconds: float | None = None, gate: Gate | None = None) -> None:
        """Wait for the time or the gate; raise ClientGoneError if the client leaves meanwhile."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            selector.register(self._fake.stopped, selectors.EVENT_READ)
            if gate:
                selector.register(gate, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(seconds)}
        if ready & {self._connection, self._fake.stopped}:
            raise ClientGoneError

    def gate(self) -> Gate:
        """Return a gate that the next `release()` opens; take it before the client can call it."""
        return self._fake.gate()

    def wait_at(self, gate: Gate) -> None:
        try:
            self.pause(gate=gate)
        finally:
            gate.close()

    def reset(self) -> None:
        """Break the connection with RST, as a dying server or a cut cable does."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.keep_alive = False


Behaviour = Callable[[Call], None]


# ---- Bodies ---------------------------------------------------------------------------------


def sse(event: object) -> bytes:
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def completion(text: object, *, model: str = MODEL, finish: str | None = "stop", **message: object) -> Json:
    """The JSON of an answer that is not streamed; further fields go into its message."""
    choice = {
        "index": 0,
        "finish_reason": finish,
        "native_finish_reason": finish,
        "message": {"role": "assistant", "content": text, "refusal": None, **message},
    }
    return {**_envelope("chat.completion", model), "choices": [choice], "usage": USAGE}


def chunk(text: object, *, model: str = MODEL, finish: str | None = None, **delta: object) -> Json:
    """One event of a streamed answer; further fields go into its delta."""
    choice = {"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}
    return {**_envelope("chat.completion.chunk", model), "choices": [choice]}


def usage_chunk(model: str = MODEL) -> Json:
    """The last event of a stream: what was used, and no choice."""
    return {**_envelope("chat.completion.chunk", model), "choices": [], "usage": USAGE}


def _envelope(kind: str, model: str) -> Json:
    return {"id": "gen-1", "provider": "Fake", "model": model, "object": kind, "created": CREATED}


def error_body(code: object, message: str = "Provider returned error", metadata: Json | None = None) -> Json:
    """An error as OpenRouter words it, with the account's id that nobody may see."""
    error: Json = {"code": code, "message": message}
    if metadata:
        error["metadata"] = metadata
    return {"error": error, "user_id": "user_2SECRET"}


def model_entry(key: str, name: str, *, price: str = "0", **changes: object) -> Json:
    """One entry of GET /models; `inputs`, `outputs` and any field of the entry can be changed."""
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
    """Five free ones, then a paid one, a paid router, an expired one, a classifier."""
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
    """Answer properly with this text, streamed word by word or not, as the client asked."""

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
    """Stream these pieces, `delay` seconds before each; after `hold_after` wait for `release()`."""

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
    """Stream exactly these parts; without `end` the connection closes in mid-body."""

    def behave(call: Call) -> None:
        call.start()
        for part in parts:
            call.part(part)
        if end:
            call.end()
        call.keep_alive = end

    return behave


def slices(data: bytes, size: int, *, headers: Headers = EVENT_STREAM) -> Behaviour:
    """Send a body in slices of `size` bytes, cutting through letters and lines."""

    def behave(call: Call) -> None:
        call.start(headers)
        for start in range(0, len(data), size):
            call.chunk(data[start : start + size])
        call.end()

    return behave


def body(data: object, *, code: int = 200, padding: bytes = b"") -> Behaviour:
    """Answer with this JSON, or these bytes, after some padding."""
    raw = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
    return lambda call: call.whole(code, padding + raw, {"Content-Type": "application/json"})


def status(
    code: int,
    message: str = "Provider returned error",
    *,
    headers: Headers | None = None,
    metadata: Json | None = None,
) -> Behaviour:
    """Refuse with an HTTP status and OpenRouter's error body."""
    return lambda call: call.json(code, error_body(code, message, metadata), headers)


def daily_cap(reset_ms: int, *, in_headers: bool = True) -> Behaviour:
    """Refuse because the account's free requests of the day are used up."""
    reset = {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0"}
    reset["X-RateLimit-Reset"] = str(reset_ms)
    message = (
        "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"
    )
    metadata = {"headers": reset, "limit_source": "openrouter_free_tier_daily"}
    return status(429, message, headers=reset if in_headers else None, metadata=metadata)


def html(code: int) -> Behaviour:
    """Answer with a page, as a proxy or the edge does."""
    page = b"<html><head><title>Error</title></head><body>cloudflare user_2SECRET</body></html>"
    return lambda call: call.whole(code, page, {"Content-Type": "text/html"})


def hang(*parts: object, headers: bool = True) -> Behaviour:
    """Go silent for ever: before the headers, or after them and these parts."""

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
    """Stream some parts, then the same one for ever: `repeat(PROCESSING)` is endless comments."""

    def behave(call: Call) -> None:
        events(*after, end=False)(call)
        while True:
            call.part(part)
            call.pause(delay)

    return behave


def drip(data: bytes, *, delay: float = 0.02) -> Behaviour:
    """Send raw bytes, status line included, one by one, and the last of them for ever."""

    def behave(call: Call) -> None:
        position = 0
        while True:
            call.send(data[position : position + 1] or data[-1:])
            call.pause(delay)
            position += 1

    return behave
