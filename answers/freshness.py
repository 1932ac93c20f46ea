"""The list of models is read anew at the start and every few hours: free ones come and go within weeks."""

import logging
import sqlite3
import threading

from db import FileReplacedError
from openrouter_client import (
    OpenRouterError,
    described_fallback,
    fallback_model,
    fetch_models,
    is_openrouter,
)
from storage.registry import Registry

log = logging.getLogger(__name__)
REFRESH_S, FAILED_REFRESH_S = 6 * 3600, 10 * 60


def refresh(registry: Registry, timeout_s: float = 60) -> bool:
    """Make the registry what the service lists, and return whether it was a list; raises OpenRouterError."""
    return registry.sync(fetch_models(timeout_s), free_only=is_openrouter())


def refresh_fallback(registry: Registry) -> None:
    """Make the row of the second service what that tells of its model, or what the settings tell."""
    try:
        registry.sync_fallback(described_fallback() or fallback_model())
    except OpenRouterError as exc:
        log.info("Запасной сервис не описал свою модель: %s", exc)


def keep_fresh(registry: Registry, stopping: threading.Event) -> None:
    """Refresh the registry from time to time until somebody stops the bot."""
    while not stopping.is_set():
        try:
            refresh_fallback(registry)
            refresh(registry)
            stopping.wait(REFRESH_S)
        except FileReplacedError:
            return  # the polling loop notices it, too, and ends the bot
        except (OpenRouterError, sqlite3.Error) as exc:
            log.info("Список моделей не прочитан, остаётся прежний: %s", exc)
            stopping.wait(FAILED_REFRESH_S)
