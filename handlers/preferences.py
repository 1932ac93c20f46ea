"""/settings: a person's settings, changed by buttons."""

from commands import MORE, Call, WrongArgumentsError, button, command
from handlers.choices import CHOICES, choose, chosen
from handlers.note_words import own, tied
from telegram.replies import Button, Reply


@command("settings", "", "Настройки", group=MORE)
def settings(call: Call) -> Reply:
    """/settings: the current choices, and a button for each alternative."""
    return _shown(call)


@button("set")
def press_choice(call: Call) -> Reply:
    """A choice's button: it applies from now on."""
    which, value = own(call, 2)
    if which > len(CHOICES) or value > len(CHOICES[which - 1].values):
        raise WrongArgumentsError
    choice = CHOICES[which - 1]
    choose(call, choice, choice.values[value - 1][0])
    return _shown(call, in_place=True)


def _shown(call: Call, *, in_place: bool = False) -> Reply:
    lines, rows = ["Настройки"], []
    for which, choice in enumerate(CHOICES, 1):
        current = chosen(call, choice)
        lines += ["", f"{choice.question}:"]
        for value, (name, label) in enumerate(choice.values, 1):
            lines.append(f"{'●' if name == current else '○'} {label}")
            if name != current:
                rows.append([Button(f"{choice.question}: {label}", "set", tied(call, which, value))])
    return Reply("\n".join(lines), buttons=rows, in_place=in_place)
