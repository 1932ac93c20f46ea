"""What a model said, assembled from the events that it sends."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openrouter import endings
from openrouter.errors import no_answer
from openrouter.parse import as_count, as_dict, as_list, as_str
from openrouter.refusals import refusal
from openrouter.thoughts import Thoughts
from openrouter.visible import says_something

LONGEST_NOTHING = 4000  # invisible characters; some models never stop sending them
_THINKING = ("reasoning", "reasoning_content", "reasoning_details")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said; unpacks as `text, latency_ms`.

    `model` is the one that really answered; `stopped` is whether `Abort` ended the answer early;
    `finish_reason` is "length" if the tokens ran out, "content_filter" if a filter cut it off,
    otherwise the service's own word. A field that the service does not report is None.
    """

    text: str
    latency_ms: int
    model: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    stopped: bool = False

    def __iter__(self) -> Iterator[Any]:
        return iter((self.text, self.latency_ms))

    @property
    def ran_out(self) -> bool:
        """Whether the tokens ran out: then the model can continue."""
        return self.finish_reason == endings.LENGTH

    @property
    def unfinished(self) -> str:
        """The Russian line that says why the answer is incomplete; "" if it ended by itself."""
        return endings.unfinished(self.finish_reason)


@dataclass(frozen=True, slots=True)
class Thinking:
    """The model is reasoning and has said nothing new.

    With `takes_back`, all its text so far was reasoning, too, as a tag has just shown: discard it.
    """

    takes_back: bool = False


class Draft:
    """The part of an answer that has arrived so far."""

    def __init__(self, model: str) -> None:
        self.text = ""
        self.finish_reason: str | None = None
        self._model = model
        self._usage: dict[str, Any] = {}
        # A surrogate pair may arrive split over two events; Telegram accepts no lone surrogates.
        self._join = codecs.getincrementaldecoder("utf-16-le")("replace")
        self._thoughts = Thoughts()
        self._unseen = ""  # text so far, while none of it is visible
        self._index: object = None  # of the first choice; some servers send several

    def take(self, event: dict[str, Any]) -> Iterator[str | Thinking]:
        """Add one event and yield what is new; raises OpenRouterError if it reports that the model failed."""
        self._model = as_str(event.get("model")) or self._model
        self._usage = as_dict(event.get("usage")) or self._usage
        choice = self._chosen(as_list(event.get("choices")))
        message = as_dict(choice.get("delta") or choice.get("message"))
        text = _text(message.get("content")) or _text(message.get("refusal"))
        yield from self._say(text)
        reason = as_str(choice.get("finish_reason")) or ""
        if choice.get("error") or reason.lower() == "error":
            raise refusal(200, choice)
        thought = message.get("content") or any(message.get(name) for name in _THINKING)
        if thought and (self._thoughts.thinking or not text):
            yield Thinking()
        ending = endings.ending(reason, as_str(choice.get("native_finish_reason")))
        if ending and not endings.unfinished(self.finish_reason):  # a later "stop" does not make it complete
            self.finish_reason = ending

    def rest(self) -> Iterator[str | Thinking]:
        """Yield what was held back in case more of it came."""
        yield from self._say("", final=True)

    def answer(self, latency_ms: int, *, stopped: bool) -> Answer:
        """Return what has arrived; raises OpenRouterError if that is nothing and nobody stopped it."""
        if not self.text and not stopped:
            raise no_answer(self.finish_reason)
        return Answer(
            text=self.text,
            latency_ms=latency_ms,
            model=self._model,
            finish_reason=self.finish_reason,
            prompt_tokens=as_count(self._usage.get("prompt_tokens")),
            completion_tokens=as_count(self._usage.get("completion_tokens")),
            stopped=stopped,
        )

    def _chosen(self, choices: list[Any]) -> dict[str, Any]:
        """Return the part of the first choice, which alone is followed; {} if the event has none of it."""
        for choice in map(as_dict, choices):
            index = choice.get("index")
            self._index = index if self._index is None else self._index
            if index is None or index == self._index:
                return choice
        return {}

    def _say(self, text: str, *, final: bool = False) -> Iterator[str | Thinking]:
        whole = self._join.decode(text.encode("utf-16-le", "surrogatepass"), final)
        said = self._thoughts.feed(whole, final=final)
        if self._thoughts.took_back:
            self.text = self._unseen = ""
            yield Thinking(takes_back=True)
        piece = self._unseen + said
        if not self.text and not says_something(piece):
            self._unseen = piece
            if len(piece) > LONGEST_NOTHING:
                raise no_answer(self.finish_reason)
        elif piece:
            self._unseen = ""
            self.text += piece
            yield piece


def _text(content: object) -> str:
    """Return the text of a message's content, which is a string or an array of parts."""
    if isinstance(content, str):
        return content
    parts = [as_dict(part) for part in as_list(content)]
    return "".join(
        as_str(part.get("text")) or as_str(part.get("refusal")) or ""
        for part in parts
        if part.get("type") not in ("thinking", "reasoning")
    )
