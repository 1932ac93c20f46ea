"""The bot to compare with: the bare library with its defaults, which sends back what it gets."""

import os

import telebot
from telebot import apihelper
from telebot.types import Message


def main() -> None:
    """Echo until killed."""
    apihelper.API_URL = os.environ["TELEGRAM_API_URL"] + "/bot{0}/{1}"  # type: ignore[assignment]
    bot = telebot.TeleBot(os.environ["TOKEN"])

    @bot.message_handler(content_types=["text"])  # type: ignore[untyped-decorator]
    def echo(message: Message) -> None:
        bot.reply_to(message, message.text or "")

    bot.infinity_polling()


if __name__ == "__main__":
    main()
