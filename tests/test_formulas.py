"""Formulas become readable and keep their meaning."""

import pytest

from telegram.formulas import readable
from telegram.markdown import markdown


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{-b \pm \sqrt{b^2-4ac}}{2a}", "(-b ± √(b²-4ac))/(2a)"),
        (r"1\frac{1}{2}x", "1 1/2 x"),  # not 11/2, and not 1/(2x)
        (r"\sqrt[3]{27} \neq \sqrt[n]{27}", "∛(27) ≠ ⁿ√(27)"),
        (r"\sum_{i=1}^{n} i", "∑ᵢ₌₁ⁿ i"),
        (r"\int_0^\infty e^{-x^2} dx", "∫₀^∞ e^(-x²) dx"),
        (r"2\sin x + \log_2 8", "2 sin x + log₂ 8"),
        (r"90^\circ, 25\,\%", "90°, 25 %"),
        (r"\left( \mathbb{R}^n \right)", "( ℝⁿ )"),
        (r"\begin{cases} x=1 \\ y=2 \end{cases}", "{ x=1\ny=2"),
        (r"\begin{aligned} a &= 1 \\ b &= 2 \end{aligned}", "a = 1\nb = 2"),
        (r"\binom{n}{k}", "C(n, k)"),
        (r"v_{\text{ср}} \cdot t", "v_(ср) · t"),
        (r"\ce{H2O} \unknown{a}{b}", r"H2O \unknown{a}b"),
        (r"\{1, 2\}", "{1, 2}"),
        (r"\frac{a", "a/()"),
        (r"x^", "x"),
        ("", ""),
    ],
)
def test_a_formula_says_what_it_said(latex: str, text: str) -> None:
    assert readable(latex) == text


@pytest.mark.parametrize("latex", ["{" * 5000, "^" * 5000, r"\sqrt" * 5000, "{" * 5000 + "x" + "}" * 5000])
def test_what_is_nested_beyond_reason_is_shown_as_written(latex: str) -> None:
    assert readable(latex) == latex


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("$5 и 10$, $100", "$5 и 10$, $100"),
        ("US$5-US$10", "US$5-US$10"),
        ("$5 - 3$", "$5 - 3$"),
        (r"\(x\) и \[y\]", "(x) и [y]"),
        (r"\(x_1\) и \[y=2\]", "x₁ и y=2"),
        ("- $a_1$\n- $$b^2$$", "• a₁\n• b²"),
        ("$$\na\n- b\n= c\n$$", "a - b = c"),
        ("> \\[\n> a = b\n> \\]\n> да", "a = b\nда"),
        ("$$ не формула", "$$ не формула"),
        ("Итак:\n\\begin{align*}\na &= 1 \\\\\n  &= b\n\\end{align*}\nда", "Итак:\na = 1\n= b\nда"),
        (r"\begin{cases} 1 \\ 2 \end{cases}", "{ 1\n2"),
        (r"\begin{itemize} \item 1 \end{itemize}", r"\begin{itemize} \item 1 \end{itemize}"),
        (r"\begin{align} x=1", r"\begin{align} x=1"),
        (r"\begin{align} x=1 \end{align} и дальше", r"\begin{align} x=1 \end{align} и дальше"),
        (r"где \(a=1", "где (a=1"),
    ],
)
def test_what_is_a_formula_and_what_is_not(source: str, shown: str) -> None:
    assert markdown(source)[0] == shown
