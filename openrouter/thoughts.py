"""Takes out of a model's text what is none: its thoughts, and the control tokens of its template.

Servers should do this; many do not. Text comes in any pieces, so what may yet become a tag is held
back until that is known.
"""

import re
from collections.abc import Iterator

from openrouter.place import Place

# What thoughts begin with, at the beginning of an answer only: elsewhere the tag is spoken of.
_OPENING = (
    *(f"<{tag}>" for tag in ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think")),
    "[think]",
    "◁think▷",
    "<|begin_of_thought|>",
    "<|channel|>analysis<|message|>",
    "<|channel|>commentary<|message|>",
    "<|channel>thought",
)
_CLOSING_TAG = r"</(?:think|thinking|thoughts?|reasoning|seed:think)\s*>"
_CLOSING = re.compile(
    rf"{_CLOSING_TAG}|\[/think\]|◁/think▷"
    r"|<\|end_of_thought\|>|<\|end\|>|<\|channel\|>final<\|message\|>|<channel\|>",
    re.IGNORECASE,
)
_LONGEST_CLOSING = 32
# What a template begins an answer with, and a closing tag of no thoughts at all.
_PREAMBLE = (
    *(f"</{tag}>" for tag in ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think")),
    "<|channel|>final<|message|>",
    "<|start|>assistant",
    "<|im_start|>assistant",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<start_of_turn>model",
    "<|assistant|>",
    "<|message|>",
    "<|begin_of_solution|>",
    "<|begin_of_text|>",
    "<channel|>",
    "<s> ",  # without the blank it strikes out, in HTML
    "<s>\n",
    "<bos>",
)
_TOKEN = re.compile(
    r"<[|｜][^\s<>|｜]{1,40}[|｜]>|</s>|<(?:eos|pad|end_of_turn|end_of_utterance|end_of_text)>", re.IGNORECASE
)
_LOOKED_FOR = re.compile(rf"{_TOKEN.pattern}|{_CLOSING_TAG}", re.IGNORECASE)
_PARTIAL = r"(?:<(?:[|｜][^\s<>|｜]{0,40}[|｜]?|/?[a-z_:]{0,20}))?"
# The end of what has come, when it may turn out to be tokens at the very end of the answer.
_LAST = re.compile(rf"\s*(?:(?:{_TOKEN.pattern})\s*)*{_PARTIAL}", re.IGNORECASE)
_PARTIAL_END = re.compile(rf"{_PARTIAL}\Z", re.IGNORECASE)
_LONGEST_END = 500
_LONGEST_BLANKS = 4000  # behind which no tag is waited for: some models never stop sending them


class Thoughts:
    """A filter for the text of one answer, as it comes; `thinking` says what the model is at."""

    def __init__(self) -> None:
        self.thinking = False
        self.took_back = False  # in the last call: all that had been returned before it was thought
        self._begun = False  # the answer proper
        self._tagged = False  # something before it was taken out
        self._held = ""
        self._place = Place()

    def feed(self, text: str, *, final: bool = False) -> str:
        """Return what of the text, and of what was held back before, a person is to see."""
        self._held += text
        self.took_back = False
        while True:
            while self.thinking or not self._begun:
                if not (self._think() if self.thinking else self._begin(final=final)):
                    return ""
            said = "".join(self._say(final=final))
            if self._begun:
                return said

    def _think(self) -> bool:
        """Drop thoughts; returns whether they have ended."""
        end = _CLOSING.search(self._held)
        self._held = self._held[end.end() if end else -_LONGEST_CLOSING :]
        self.thinking = end is None
        return not self.thinking

    def _begin(self, *, final: bool) -> bool:
        """Drop a tag or a token before the answer; returns whether more is known now."""
        start = self._held.lstrip()
        tag = next((tag for tag in (*_OPENING, *_PREAMBLE) if start[: len(tag)].lower() == tag), None)
        if tag:
            self.thinking = tag in _OPENING
            self._tagged = True
            self._held = start[len(tag) :]
        elif (
            final
            or len(self._held) > _LONGEST_BLANKS
            or not any(tag.startswith(start.lower()) for tag in (*_OPENING, *_PREAMBLE))
        ):
            self._begun = True
            self._held = start if self._tagged else self._held
        else:
            return False
        return True

    def _say(self, *, final: bool) -> Iterator[str]:
        """Yield the answer without tokens; what may yet become one waits."""
        while found := _LOOKED_FOR.search(self._held):
            yield self._place.after(self._held[: found.start()])
            token, rest = found[0], self._held[found.end() :]
            is_text = self._is_text(token, rest, final=final)
            self._held = token + rest if is_text is None else rest
            if is_text:
                yield self._place.after(token)
            elif is_text is None:
                return
            elif _is_tag(token):
                self._take_back()
                return
        partial = None if final else _PARTIAL_END.search(self._held)
        rest = partial[0] if partial else ""
        yield self._place.after(self._held.removesuffix(rest))
        self._held = rest

    def _is_text(self, token: str, rest: str, *, final: bool) -> bool | None:
        """Return whether the answer speaks of this token, by what is around it; None: too early to say."""
        closes = _is_tag(token)
        if self._place.knows(token) or (closes and self._tagged):
            return True
        if self._place.glued:
            return False
        if closes and not (final or rest.strip(" ") or len(rest) > _LONGEST_END):
            return None
        if not closes and len(rest) <= _LONGEST_END and _LAST.fullmatch(rest):
            return False if final else None
        return not self._place.alone(rest)

    def _take_back(self) -> None:
        """Begin anew: the opening tag was part of the prompt, so all until now was thought."""
        self.took_back = True
        self._begun, self._tagged, self._place = False, True, Place()


def _is_tag(found: str) -> bool:
    """Return whether this is the closing tag of thoughts, and no token."""
    return not _TOKEN.match(found)
