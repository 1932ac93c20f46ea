"""The choices of /settings, and reading and saving what a person chose."""

from dataclasses import dataclass

from commands import Call


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting; its first value is the default."""

    key: str
    question: str
    values: tuple[tuple[str, str], ...]  # (stored value, label)

    @property
    def default(self) -> str:
        """The stored value that applies until the person chooses."""
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
    """Return the stored value of the person's choice."""
    return call.app.preferences.get(call.user_id, choice.key, choice.default)


def choose(call: Call, choice: Choice, value: str) -> None:
    """Save the person's choice."""
    call.app.preferences.put(call.user_id, choice.key, value)
