"""Point `openrouter_client` at a server through its environment variables."""

import pytest

KEY = "sk-or-v1-TEST"
SETTINGS = {
    "OPENROUTER_API_KEY",
    "OPENROUTER_BASE_URL",
    "OPENROUTER_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
}


def point_at(monkeypatch: pytest.MonkeyPatch, base_url: str, *, key: str = KEY, proxy: str = "") -> None:
    """Set the three settings, and remove all others that could redirect requests."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("OPENROUTER_BASE_URL", base_url)
    monkeypatch.setenv("OPENROUTER_API_KEY", key)
    monkeypatch.setenv("OPENROUTER_PROXY", proxy)
