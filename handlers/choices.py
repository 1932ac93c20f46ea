"""What a person can choose between, once for all: /settings shows it, others go by it."""

from dataclasses import dataclass

from commands import Call


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose; the first value is the one of those who have not chosen."""

    key: str
    question: str
    values: tuple[tuple[str, str], ...]  # as it is kept, as it is called

    @property
    def default(self) -> str:
        """The value of those who have not chosen."""
        return self.values[0][0]


PLAIN = Choice(
    "plain",
    "Сообщение без команды",
    (("note", "это заметка"), ("ask", "это вопрос модели"), ("each", "каждый раз спрашивать")),
)
RECEIPT = Choice(
    "receipt", "Когда заметка сохранена", (("message", "ответить сообщением"), ("reaction", "поставить 👌"))
)
LEAVE = Choice(
    "note_ask",
    "Заметки для /note_ask и «Кратко»",
    (("", "спросить, когда понадобится"), ("yes", "отправлять модели"), ("no", "не отправлять")),
)
CHOICES = (PLAIN, RECEIPT, LEAVE)


def chosen(call: Call, choice: Choice) -> str:
    """Return what a person has chosen."""
    return call.app.preferences.get(call.user_id, choice.key, choice.default)


def choose(call: Call, choice: Choice, value: str) -> None:
    """Remember what a person has chosen."""
    call.app.preferences.put(call.user_id, choice.key, value)
