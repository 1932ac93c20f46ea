"""What people write in `.env`: values in quotes, addresses of servers and proxies."""

import re
from urllib.parse import urlsplit

DIRECT = "direct"  # among proxies: none


def unquoted(text: str) -> str:
    """Return a value without the blanks and quotes that get into the environment with it."""
    return text.strip().strip("\"'").strip()


def host_of(url: str) -> str:
    """Return the host of a URL, "" if it has none or a port that cannot be."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") if parts.port != 0 else ""
    except ValueError:
        return ""


def is_address(text: str, *schemes: str) -> bool:
    """Return whether it is one of a host, and of a port that exists if one is given."""
    scheme, _, _ = text.partition("://")
    return bool(scheme.lower() in schemes and host_of(text) and text.split() == [text])


def is_proxy(text: str) -> bool:
    """Return whether it is the address of a proxy, or `direct`.

    What comes of any other is worse than an error: without a host PySocks goes no way round at all, and of
    an unknown scheme requests makes a ValueError or a default.
    """
    is_link = re.search(r"[^/:]/[^/]|[?#]", text)  # like https://t.me/proxy?server=…
    return text.lower() == DIRECT or (not is_link and is_address(text, "http", "https", "socks5", "socks5h"))
