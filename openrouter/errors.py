"""What can go wrong with a question, in words for the person who asked it."""

from enum import Enum


class Kind(Enum):
    """What can be done about an error."""

    UPSTREAM = "another model may answer"
    UNREACHABLE = "the service, or its proxy, cannot be reached; another service may answer"
    EMPTY = "the model had no words; another may have"
    MINUTE_CAP = "the account asked too often: wait `retry_after_s`, the model does not matter"
    DAILY_CAP = "the account's free questions are used up, whatever the model"
    DATA_POLICY = "the owner has to allow free endpoints in the privacy settings"
    ACCOUNT = "the owner has to see to the key, the balance, the rights or the way to the service"
    TOO_LONG = "a model that holds more may answer"
    REQUEST = "the question or the settings have to change"


class OpenRouterError(Exception):
    """A question that got no answer: the HTTP `status`, and `msg`, a Russian sentence with what to do.

    `kind` says what can help; `model_gone`, that nobody offers the model any more. `partial` is the
    text that arrived before the failure; `hint` is where the owner finds the remedy if `msg` does not
    say; `retry_after_s` is in seconds (also set when a busy model names a time). `short` is the
    reason in two or three words, to follow the model's name.
    """

    def __init__(
        self,
        status: int,
        msg: str,
        *,
        kind: Kind | None = None,
        model_gone: bool = False,
        retry_after_s: float | None = None,
        hint: str = "",
        short: str = "",
    ) -> None:
        super().__init__(status, msg)
        self.status = status
        self.msg = msg
        self.kind = kind or _kind(status)
        self.model_gone = model_gone
        self.retry_after_s = retry_after_s
        self.hint = hint
        self.short = short or ("пустой ответ" if kind is Kind.EMPTY else f"недоступна: {status}")
        self.partial = ""

    def __str__(self) -> str:
        return f"[{self.status}] {self.msg}"

    @property
    def falls_back(self) -> bool:
        """Whether another model may be asked; not after part of the answer has arrived."""
        return self.kind in (Kind.UPSTREAM, Kind.EMPTY, Kind.UNREACHABLE) and not self.partial

    @property
    def is_of_the_service(self) -> bool:
        """Whether no model of this service can help, but one of another service may."""
        return self.kind in _OF_THE_SERVICE and not self.partial


_OF_THE_SERVICE = (Kind.UNREACHABLE, Kind.MINUTE_CAP, Kind.DAILY_CAP, Kind.ACCOUNT)


_OF_THE_MODEL = (404, 408, 409, 410, 423, 424, 425, 429, 451, 499)  # the other 4xx blame the question


def _kind(status: int) -> Kind:
    if status in (401, 402, 403, 407) or 300 <= status < 400:
        return Kind.ACCOUNT
    return Kind.UPSTREAM if status in _OF_THE_MODEL or status >= 500 else Kind.REQUEST


OTHER_MODEL = "Повторите вопрос или выберите другую модель: /models."
OTHER_WORDS = "Спросите другими словами или выберите другую модель: /models."
KEY_HINT = "Ключ создают на openrouter.ai/settings/keys и пишут в .env: OPENROUTER_API_KEY=…"


def no_key(*, own_server: bool) -> OpenRouterError:
    hint = KEY_HINT + (". Своему серверу подойдёт любое слово." if own_server else "")
    msg = "Отсутствует OPENROUTER_API_KEY (.env)."
    return OpenRouterError(401, msg, hint=hint, short="недоступна: нет ключа")


def no_answer(finish_reason: str | None) -> OpenRouterError:
    """Return the error for an answer with nothing visible in it, by its finish reason."""
    if finish_reason == "content_filter":
        msg = f"Фильтр не пропустил ответ модели. {OTHER_WORDS}"
        return OpenRouterError(502, msg, kind=Kind.EMPTY, short="фильтр")
    if finish_reason == "length":
        msg = (
            "Модель потратила все токены на размышления. Спросите короче, увеличьте MAX_TOKENS "
            "или выберите другую модель: /models."
        )
    else:
        msg = f"Модель вернула пустой ответ. {OTHER_MODEL}"
    return OpenRouterError(502, msg, kind=Kind.EMPTY)


def unreadable() -> OpenRouterError:
    return OpenRouterError(502, f"Ответ сервиса не разобрать. {OTHER_MODEL}")


def cut_short() -> OpenRouterError:
    return OpenRouterError(502, f"Ответ модели оборвался. {OTHER_MODEL}")
