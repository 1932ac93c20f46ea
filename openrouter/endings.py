"""Why a model stopped: the one table of finish reasons.

OpenRouter has five (https://openrouter.ai/docs/api-reference/overview); its providers and other servers
have dozens, each with its own spelling.
"""

import re

LENGTH = "length"
FILTER = "content_filter"
INCOMPLETE = "… ответ неполный: исчерпан MAX_TOKENS."

_BY_ITSELF = "by itself"
# The meaning and its spellings, in lower case with underscores; a reason that is not here is a bad ending.
_TABLE = (
    (
        LENGTH,
        r".*length.*|.*max.*tokens?.*|.*tokens?_(limit|exhausted).*|.*context_window.*|tokens|truncated",
    ),
    (FILTER, r".*(filter|safety|spii|guardrail|moderat|sensitiv|polic|recitation|blocklist|toxic).*"),
    (FILTER, r".*(prohibited|refus|blocked|censor|copyright).*"),
    (
        _BY_ITSELF,
        r"stop|stopped|stop_(sequence|token|string)s?|eo[st]|eo[st]_(token|id)|</?s>|<\|.*\|>|end|end_turn|end_?of_?.*",
    ),
    (_BY_ITSELF, r"done|ok|completed?|finish|finished|success|normal|tool_(calls?|use)|function_call"),
    (_BY_ITSELF, r"|null|none|unspecified"),
)
_BROKEN = r"(?i).*(error|abort|cancel|interrupt|time.?out).*"


def ending(finish_reason: str | None, native: str | None = None) -> str | None:
    """Return why the model stopped: LENGTH, FILTER, or the reason as it was given; None if none was.

    The provider's own (`native`) reason counts if it is a bad one: OpenRouter has reported a broken
    connection to a provider as "stop" (https://github.com/earendil-works/pi/issues/8511).
    """
    meaning = _meaning(finish_reason)
    if meaning == _BY_ITSELF and native:
        meaning = _meaning(native)
        finish_reason = native if meaning is None and re.fullmatch(_BROKEN, native) else finish_reason
    return meaning if meaning in (LENGTH, FILTER) else finish_reason or None


def unfinished(finish_reason: str | None) -> str:
    """Return the line to put below an answer that did not end by itself; "" if it did."""
    match _meaning(finish_reason):
        case "by itself":
            return ""
        case "length":
            return INCOMPLETE
        case "content_filter":
            return "… ответ неполный: его оборвал фильтр."
    named = re.sub(r"[^\w .:-]", "", finish_reason or "")[:40].strip()
    return f"… ответ неполный: модель остановилась ({named or 'без причины'})."


def _meaning(reason: str | None) -> str | None:
    """Return the meaning of a reason; MAX_TOKENS, maxTokens and FinishReason.MAX_TOKENS are the same."""
    spelt = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", (reason or "").strip()[:100])
    spelt = re.sub(r"[\s-]+", "_", spelt).lower().rpartition(".")[2].removeprefix("finish_reason_")
    return next((meaning for meaning, pattern in _TABLE if re.fullmatch(pattern, spelt)), None)
