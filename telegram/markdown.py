"""A model's Markdown as text and entities for Telegram.

The parser (``dialect``) finds the markup; this module renders its tokens in order.
Nothing here does I/O: pictures and links are never fetched.
"""

import re

from markdown_it.token import Token

from telegram.dialect import PARSER
from telegram.formulas import readable
from telegram.splitting import Entity, trimmed
from telegram.tables import aligned
from telegram.writer import Writer

_UNWELCOME = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufdd0-\ufdef]")
# An answer of only these characters has just begun, or has nothing visible.
_NOTHING = re.compile("[#>*_~`|$\\s\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff-]*")
_STYLES = {"strong": "bold", "em": "italic", "s": "strikethrough"}
_LINE_ACROSS = "————————"
_TASKS = {"[ ] ": "☐", "[x] ": "✅", "[X] ": "✅"}
_NEGATIVE = re.compile(r"\d[\d.,\s]*(?:$|[°%=<>≈+*/×·^])")  # 5, 5 °C, 5 = 7; not 5 apples
_LINK = re.compile(r"(?:https?://[^\s/?#]|tg://|mailto:)\S*", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def markdown(text: str) -> tuple[str, list[Entity]]:
    """Return a model's Markdown as text and entities; any text is accepted, also half an answer.

    HTML and anything else that is not Markdown is shown as written, pictures as links.
    The text is empty if there is nothing to show yet.
    """
    source = _clean(text)
    renderer = _Renderer(source)
    renderer.write_blocks(PARSER.parse(source))
    plain, entities = trimmed(renderer.text, renderer.entities)
    return (plain, entities) if entities or not _NOTHING.fullmatch(plain) else ("", [])


def _clean(text: str) -> str:
    """Return the text without characters that Telegram does not accept, such as lone surrogates."""
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNWELCOME.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


class _Renderer(Writer):
    """Renders the tokens of a parsed text."""

    def __init__(self, source: str = "") -> None:
        super().__init__()
        self._source = source.split("\n")
        self._line = -1  # of the source, where the last block begins
        self._lists = 0  # how many lists are open
        self._urls: list[str] = []  # of the open links

    # Blocks

    def write_blocks(self, tokens: list[Token]) -> None:
        for i, token in enumerate(tokens):
            if token.map and token.nesting >= 0 and token.tag not in ("ul", "ol", "li"):
                self._begin_block(token.map[0])
            match token.type:
                case "bullet_list_open" | "ordered_list_open":
                    self._lists += 1
                case "bullet_list_close" | "ordered_list_close":
                    self._lists -= 1
                case "list_item_open":
                    self._begin_item(token, tokens[i + 2])
                case "heading_open":
                    self.begin("bold")
                case "blockquote_open":
                    self.begin("blockquote")
                case "heading_close":
                    self.end("bold")
                case "blockquote_close":
                    self.end("blockquote")
                case "fence" | "code_block" | "formula" | "table":
                    self._write_pre(token)
                case "hr":
                    self.gap += _LINE_ACROSS
                case "inline":
                    self.write_inline(token.children or [])
        self._keep_number()

    def _write_pre(self, token: Token) -> None:
        if token.type == "formula":
            self.code(readable(token.content), "pre")
        elif token.type == "table":
            rows = [[_cell(cell) for cell in row] for row in token.meta["rows"]]
            self.code(aligned(rows, token.meta["rule"]), "pre")
        elif token.content.strip():
            language = {"language": token.info.split()[0]} if token.info.strip() else {}
            self.code(token.content.rstrip("\n"), "pre", **language)

    def _begin_block(self, line: int) -> None:
        """Put an empty line before a block if the source has one."""
        if line != self._line:
            self._line = line
            is_apart = line > 0 and not self._source[line - 1].strip(" \t>")
            self.gap = self.gap.rstrip("\n") + ("\n\n" if is_apart else "\n")

    def _begin_item(self, item: Token, first: Token) -> None:
        """Set the marker of a list item: a number as the model wrote it, or a bullet."""
        line = item.map[0] if item.map else 0
        before = self.marker if line == self._line else ""  # the marker of the enclosing item
        if not before:
            self._keep_number()
            before = "  " * (self._lists - 1)
        self._begin_block(line)
        marker = item.info + item.markup if item.info else _bullet(item.markup, first.content)
        task = _TASKS.get(first.content[:4])
        if task and first.children:
            first.children[0].content = first.children[0].content[4:]
            marker = f"{marker} {task}" if item.info else task
        self.marker = f"{before}{marker} "

    def _keep_number(self) -> None:
        """Write the number of an empty list item; an empty bullet is dropped."""
        if any(char.isdigit() for char in self.marker):
            self.write("")
        self.marker = ""

    # In a line

    def write_inline(self, tokens: list[Token]) -> None:
        for i, token in enumerate(tokens):
            match token.type:
                case "text" | "html_inline":
                    self.write(token.content)
                case "softbreak" | "hardbreak":
                    self.write("\n")
                case "strong_open" | "em_open" | "s_open":
                    self.begin(_STYLES[token.tag])
                case "strong_close" | "em_close" | "s_close":
                    self.end(_STYLES[token.tag])
                case "code_inline":
                    self.code(token.content, "code")
                case "formula":
                    self.code(readable(token.content), "code")
                case "link_open":
                    self._begin_link(str(token.attrs["href"]), is_empty=tokens[i + 1].type == "link_close")
                case "link_close":
                    self._end_link()
                case "image":
                    self._write_image(token)

    def _begin_link(self, url: str, *, is_empty: bool = False) -> None:
        self._urls.append(url)
        if not url:
            self.write("[")
        if _LINK.fullmatch(url):
            self.begin("text_link", url=url)
        if is_empty:
            self.write(url)

    def _end_link(self) -> None:
        url = self._urls.pop()
        if not url:
            self.write("]()")
        if _LINK.fullmatch(url):
            self.end("text_link")

    def _write_image(self, image: Token) -> None:
        url = str(image.attrs["src"])
        alt = "".join(" " if "break" in token.type else token.content for token in image.children or [])
        if url.startswith("tg:"):  # a custom emoji: its alternative text is the plain emoji
            self.write(alt)
        else:
            self.write("🖼 " if url else "!")
            self._begin_link(url)
            self.write(alt or "изображение")
            self._end_link()


def _bullet(sign: str, content: str) -> str:
    """Return the bullet to show; a "+" or "-" that may be a number's sign is kept."""
    return sign if sign == "+" or (sign == "-" and _NEGATIVE.match(content)) else "•"


def _cell(source: str) -> str:
    """Return a table cell as text: line breaks become blanks, and a link's URL follows its text."""
    (line,) = PARSER.parseInline(source)
    tokens = line.children or []
    for token in tokens:
        if token.type == "html_inline" and _BREAK.fullmatch(token.content):
            token.content = " "
    renderer = _Renderer()
    renderer.write_inline(tokens)
    urls = [f"({e['url']})" for e in renderer.entities if "url" in e and e["url"] not in renderer.text]
    return " ".join(renderer.text.split() + urls)
