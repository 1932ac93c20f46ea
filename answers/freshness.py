"""Reads the list of models again at the start and every few hours: free models last only weeks."""

import logging
import sqlite3
import threading

from db import FileReplacedError
from openrouter_client import (
    OpenRouterError,
    described_fallback,
    fallback_model,
    fetch_models,
)
from storage.registry import Registry

log = logging.getLogger(__name__)
REFRESH_S, FAILED_REFRESH_S = 6 * 3600, 10 * 60


def refresh(registry: Registry, timeout_s: float = 60) -> bool:
    """Update the registry from the service's list; return whether it listed any; raises OpenRouterError."""
    return registry.sync(fetch_models(timeout_s))


def refresh_fallback(registry: Registry) -> None:
    """Update the second service's row from what it reports about its model, or from the settings."""
    try:
        registry.sync_fallback(described_fallback() or fallback_model())
    except OpenRouterError as exc:
        log.info("Запасной сервис не описал свою модель: %s", exc)


def keep_fresh(registry: Registry, stopping: threading.Event) -> None:
    """Refresh the registry from time to time until the bot stops."""
    while not stopping.is_set():
        try:
            refresh_fallback(registry)
            refresh(registry)
            stopping.wait(REFRESH_S)
        except FileReplacedError:
            return  # the polling loop notices it, too, and stops the bot
        except (OpenRouterError, sqlite3.Error) as exc:
            log.info("Список моделей не прочитан, остаётся прежний: %s", exc)
            stopping.wait(FAILED_REFRESH_S)
