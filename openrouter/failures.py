"""What a failed connection means, in our own words: the texts of these exceptions contain URLs."""

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, ProxyError, SSLError
from urllib3.exceptions import LocationValueError

from openrouter.errors import Kind, OpenRouterError
from openrouter.ways import Way

_WRONG_ADDRESS = (MissingSchema, InvalidSchema, InvalidURL, LocationValueError)


def leads_nowhere(trouble: requests.RequestException, *, connected: bool) -> bool:
    """Return whether this way does not reach the service at all, given that no response has come yet."""
    if isinstance(trouble, ProxyError | SSLError):
        return True
    return isinstance(trouble, requests.ConnectionError) and not connected


def explained(trouble: Exception, way: Way | None, *, connected: bool) -> OpenRouterError:
    """Return the error to show."""
    # requests has no exception of its own for a SOCKS proxy that does not connect.
    refused = isinstance(trouble, requests.ConnectionError) and not connected and way and way.is_socks
    if isinstance(trouble, ProxyError) or refused:
        return _unreachable("Прокси не пускает к сервису. Проверьте OPENROUTER_PROXY.")
    if isinstance(trouble, SSLError):
        return _unreachable("Защищённое соединение не удалось. Проверьте часы компьютера и прокси.")
    if isinstance(trouble, _WRONG_ADDRESS):
        msg = (
            "Адрес в OPENROUTER_BASE_URL или OPENROUTER_PROXY не годится: "
            "он должен начинаться с http:// или https://."
        )
        return OpenRouterError(400, msg, kind=Kind.REQUEST)
    if connected:
        return OpenRouterError(503, "Соединение с сервисом оборвалось. Повторите вопрос.")
    return _unreachable("Нет связи с сервисом моделей. Проверьте интернет и прокси.")


def _unreachable(msg: str) -> OpenRouterError:
    return OpenRouterError(503, msg, kind=Kind.UNREACHABLE)
