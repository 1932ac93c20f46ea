"""The fake Telegram sends files again by id and in albums, and refuses what Telegram refuses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot_api.server import BotApiServer
from support.bot_client import BotClient

WRONG_FILE = "Bad Request: wrong file identifier/HTTP URL specified"
METHODS = {
    "video": "sendVideo",
    "animation": "sendAnimation",
    "audio": "sendAudio",
    "voice": "sendVoice",
    "video_note": "sendVideoNote",
}


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer() as running:
        yield running


@pytest.fixture
def bot(server: BotApiServer) -> Iterator[BotClient]:
    with BotClient(server) as client:
        yield client


def photo(server: BotApiServer) -> str:
    return str(server.send_photo(b"JPEG")["photo"][-1]["file_id"])


def document(server: BotApiServer) -> str:
    return str(server.send_file(b"data", "a.txt")["document"]["file_id"])


def album(*items: tuple[str, str]) -> str:
    return json.dumps([{"type": kind, "media": file_id} for kind, file_id in items])


@pytest.mark.parametrize("kind", METHODS)
def test_a_file_is_sent_again_by_its_id(server: BotApiServer, bot: BotClient, kind: Any) -> None:
    record = server.send_media(kind)[kind]
    sent = bot.call(METHODS[kind], chat_id=1, **{kind: record["file_id"]})
    assert sent[kind] == record
    assert bot.refusal(METHODS[kind], chat_id=1, **{kind: "FILE99"}) == WRONG_FILE


def test_a_sticker_a_photo_and_a_document_too(server: BotApiServer, bot: BotClient) -> None:
    sticker = server.sticker()["sticker"]["file_id"]
    assert bot.call("sendSticker", chat_id=1, sticker=sticker)["sticker"]["emoji"] == "👍"
    known = photo(server)
    assert bot.call("sendPhoto", chat_id=1, photo=known)["photo"][0]["file_id"] == known
    assert bot.call("sendDocument", chat_id=1, document=document(server))["document"]["file_name"] == "a.txt"


def test_a_file_of_one_kind_is_none_of_another(server: BotApiServer, bot: BotClient) -> None:
    assert "can't use file of type photo as voice" in bot.refusal("sendVoice", chat_id=1, voice=photo(server))


def test_a_file_that_telegram_has_lost_is_refused(server: BotApiServer, bot: BotClient) -> None:
    known = photo(server)
    server.forget(known)
    assert bot.refusal("sendPhoto", chat_id=1, photo=known) == WRONG_FILE
    assert bot.refusal("getFile", file_id=known).endswith("temporarily unavailable")


def test_an_album_is_several_messages_of_one_group(server: BotApiServer, bot: BotClient) -> None:
    video = server.send_media("video")["video"]["file_id"]
    sent = bot.call("sendMediaGroup", chat_id=1, media=album(("photo", photo(server)), ("video", video)))
    assert [list({"photo", "video"} & message.keys()) for message in sent] == [["photo"], ["video"]]
    assert len({message["media_group_id"] for message in sent}) == 1


def test_an_album_with_a_lost_file_is_refused_as_a_whole(server: BotApiServer, bot: BotClient) -> None:
    items = album(("photo", photo(server)), ("photo", "FILE99"))
    assert bot.refusal("sendMediaGroup", chat_id=1, media=items) == WRONG_FILE
    assert server.messages(1) == []


def test_what_makes_no_album_is_refused(server: BotApiServer, bot: BotClient) -> None:
    one, two = ("photo", photo(server)), ("document", document(server))
    assert "2 to 10" in bot.refusal("sendMediaGroup", chat_id=1, media=album(one))
    assert "2 to 10" in bot.refusal("sendMediaGroup", chat_id=1, media=album(*[one] * 11))
    assert "can't be mixed" in bot.refusal("sendMediaGroup", chat_id=1, media=album(one, two))


def test_a_caption_is_at_most_1024_units(server: BotApiServer, bot: BotClient) -> None:
    voice = server.send_media("voice")["voice"]["file_id"]
    bot.call("sendVoice", chat_id=1, voice=voice, caption="😀" * 512)
    assert bot.refusal("sendVoice", chat_id=1, voice=voice, caption="😀" * 512 + "а").endswith(
        "message caption is too long"
    )


def test_a_chat_may_refuse_reactions(server: BotApiServer, bot: BotClient) -> None:
    said = server.say("а")["message_id"]
    ok = json.dumps([{"type": "emoji", "emoji": "👌"}])
    assert bot.call("setMessageReaction", chat_id=1, message_id=said, reaction=ok) is True
    server.chats[1].reactions_refused = True
    refusal = bot.refusal("setMessageReaction", chat_id=1, message_id=said, reaction=ok)
    assert refusal == "Bad Request: REACTION_INVALID"


def test_a_caption_can_be_edited_by_the_person(server: BotApiServer, bot: BotClient) -> None:
    bot.updates(allowed_updates=["message", "edited_message"])
    said = server.send_photo(b"JPEG", caption="было")
    server.edit(said, "стало #так")
    edited = bot.updates()[-1]["edited_message"]
    assert (edited["caption"], edited["caption_entities"][0]["type"]) == ("стало #так", "hashtag")
    assert edited["photo"] == said["photo"]


def test_a_forced_reply_has_only_fields_that_telegram_knows(server: BotApiServer, bot: BotClient) -> None:
    server.chat(1)
    bot.call("sendMessage", chat_id=1, text="а", reply_markup={"force_reply": True, "selective": True})
    assert server.violations == []
    bot.call("sendMessage", chat_id=1, text="а", reply_markup={"force_reply": True, "once": True})
    assert server.violations == ["sendMessage: ForceReply has no field 'once'"]
