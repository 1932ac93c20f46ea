"""Removes from a model's text its reasoning, and the control tokens of its chat template.

Servers should do this; many do not. Text arrives in arbitrary pieces, so what may become a tag is held
back until that is known.
"""

import re
from collections.abc import Iterator

from openrouter.place import Place

# What reasoning starts with, only at the start of an answer: elsewhere the answer talks about the tag.
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
# What a template puts before an answer, and closing tags without any reasoning before them.
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
    "<s> ",  # without the blank it is HTML's strikethrough
    "<s>\n",
    "<bos>",
)
_TOKEN = re.compile(
    r"<[|｜][^\s<>|｜]{1,40}[|｜]>|</s>|<(?:eos|pad|start_of_turn|end_of_turn|end_of_utterance|end_of_text)>",
    re.IGNORECASE,
)
# After the answer, if the server does not stop it, the model goes on with somebody else's turn.
_NEXT_TURN = ("<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|user|>")
_LOOKED_FOR = re.compile(rf"{_TOKEN.pattern}|{_CLOSING_TAG}", re.IGNORECASE)
_PARTIAL = r"(?:<(?:[|｜][^\s<>|｜]{0,40}[|｜]?|/?[a-z_:]{0,20}))?"
# The end of the text so far, if it may turn out to be the tokens that end the answer.
_LAST = re.compile(rf"\s*(?:(?:{_TOKEN.pattern})\s*)*{_PARTIAL}", re.IGNORECASE)
_PARTIAL_END = re.compile(rf"{_PARTIAL}\Z", re.IGNORECASE)
_LONGEST_END = 500
_LONGEST_BLANKS = 4000  # after these, stop waiting for a tag: some models never stop sending blanks


class Thoughts:
    """A filter for the text of one answer as it arrives; `thinking` is whether the model is reasoning."""

    def __init__(self) -> None:
        self.thinking = False
        self.took_back = False  # whether the last `feed` found that all text before it was reasoning
        self._begun = False  # whether the answer proper has begun
        self._tagged = False  # whether something before it was removed
        self._over = False  # whether the model has gone on to somebody else's turn
        self._held = ""
        self._place = Place()

    def feed(self, text: str, *, final: bool = False) -> str:
        """Return the part of the text, and of what was held back before, that a person should see."""
        self._held = "" if self._over else self._held + text
        self.took_back = False
        while True:
            while self.thinking or not self._begun:
                if not (self._think() if self.thinking else self._begin(final=final)):
                    return ""
            said = "".join(self._say(final=final))
            if self._begun:
                return said

    def _think(self) -> bool:
        """Drop reasoning; returns whether it has ended."""
        end = _CLOSING.search(self._held)
        self._held = self._held[end.end() if end else -_LONGEST_CLOSING :]
        self.thinking = end is None
        return not self.thinking

    def _begin(self, *, final: bool) -> bool:
        """Drop a tag or token before the answer, or begin it; returns whether the text sufficed to decide."""
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
        """Yield the answer without tokens; hold back what may become one."""
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
            elif token.lower() in _NEXT_TURN:
                self._over, self._held = True, ""
        partial = None if final else _PARTIAL_END.search(self._held)
        rest = partial[0] if partial else ""
        yield self._place.after(self._held.removesuffix(rest))
        self._held = rest

    def _is_text(self, token: str, rest: str, *, final: bool) -> bool | None:
        """Return whether the answer mentions this token, by the text around it; None: too early to say."""
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
        """Start over: the opening tag was in the prompt, so all text so far was reasoning."""
        self.took_back = True
        self._begun, self._tagged, self._place = False, True, Place()


def _is_tag(found: str) -> bool:
    """Return whether this is a closing tag of reasoning, not a control token."""
    return not _TOKEN.match(found)
