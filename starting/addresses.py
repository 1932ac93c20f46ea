"""What people write in `.env`: quoted values, addresses of servers and proxies."""

import re
from urllib.parse import urlsplit

DIRECT = "direct"  # in a list of proxies: no proxy


def unquoted(text: str) -> str:
    """Return a value without surrounding blanks and quotes, which may get into the environment with it."""
    return text.strip().strip("\"'").strip()


def host_of(url: str) -> str:
    """Return the host of a URL; "" if it has none, or an impossible port."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") if parts.port != 0 else ""
    except ValueError:
        return ""


def is_address(text: str, *schemes: str) -> bool:
    """Return whether this is a URL with one of the schemes, a host and, if any, a possible port."""
    scheme, _, _ = text.partition("://")
    return bool(scheme.lower() in schemes and host_of(text) and text.split() == [text])


def is_proxy(text: str) -> bool:
    """Return whether this is the address of a proxy, or `direct`.

    Anything else would fail obscurely: requests raises InvalidProxyURL without a host and InvalidURL for an
    unknown scheme, and takes a missing scheme for http.
    """
    is_link = re.search(r"[^/:]/[^/]|[?#]", text)  # like https://t.me/proxy?server=…
    return text.lower() == DIRECT or (not is_link and is_address(text, "http", "https", "socks5", "socks5h"))
