"""What delivery does when Telegram refuses, with a clock that the test controls."""

from typing import Any

import pytest

from telegram.api import RefusedError
from telegram.delivery import EDIT_PAUSE_S, MAX_SLOWER, Delivery, Pause, UndeliverableError
from telegram.updates import Place

CHAT = Place(7)
TOO_MANY = RefusedError("", 429, "Too Many Requests: retry after 3", retry_after=3)
AT_ONCE = RefusedError("", 429, "Too Many Requests: retry after 0")


class World:
    """A Telegram that refuses on demand, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.refusals: list[RefusedError] = []  # for the next calls, in order
        self.calls: list[tuple[str, int]] = []  # method and chat of each call
        self.params: list[dict[str, Any]] = []  # parameters of each call
        self.delivery = Delivery(self, lambda: self.now)

    def call(self, method: str, **params: Any) -> Any:
        self.calls.append((method, params["chat_id"]))
        self.params.append(params)
        if self.refusals:
            raise self.refusals.pop(0)
        return {"message_id": 1}

    def download(self, file_id: str) -> bytes:
        raise NotImplementedError(file_id)

    def send(self, method: str = "send_message", place: Place = CHAT, **more: Any) -> float:
        """Make a call and return the seconds to wait; 0 if it was sent."""
        more |= {"message_id": 1} if method == "edit_message_text" else {}
        try:
            self.delivery.attempt(place, method, text="слово", **more)
        except Pause as exc:
            return exc.seconds
        return 0

    def edit_pause(self) -> float:
        """Edit a message, and return the seconds to wait before the next edit."""
        assert self.send("edit_message_text") == 0
        return self.send("edit_message_text")

    def refuse(self, times: int, refusal: RefusedError = TOO_MANY) -> list[float]:
        """Be refused `times` times, wait out each pause, and return the pauses."""
        pauses = []
        for _ in range(times):
            self.refusals.append(refusal)
            pauses.append(self.send())
            self.now += pauses[-1]
        return pauses


@pytest.fixture
def world() -> World:
    return World()


# ---- Too many requests ----------------------------------------------------------------------


@pytest.mark.parametrize(("refused", "factor"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 8), (50, 8)])
def test_edits_are_slower_after_each_429_but_not_without_end(world: World, refused: int, factor: int) -> None:
    world.refuse(refused)
    assert world.edit_pause() == pytest.approx(factor * EDIT_PAUSE_S)


def test_twenty_quiet_seconds_later_edits_have_their_pace_again(world: World) -> None:
    world.refuse(3)
    world.now += 20
    assert world.edit_pause() == pytest.approx(EDIT_PAUSE_S)


def test_after_a_few_quiet_seconds_edits_are_still_slower(world: World) -> None:
    world.refuse(3)
    world.now += 8
    assert EDIT_PAUSE_S < world.edit_pause() < MAX_SLOWER * EDIT_PAUSE_S


def test_the_quiet_time_begins_when_the_wait_is_over(world: World) -> None:
    world.refusals.append(RefusedError("", 429, "Too Many Requests: retry after 60", retry_after=60))
    assert world.send() == 60
    world.now += 60
    assert world.edit_pause() == pytest.approx(2 * EDIT_PAUSE_S)


def test_a_429_that_names_no_time_is_waited_for_longer_and_longer(world: World) -> None:
    pauses = world.refuse(6, AT_ONCE)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 8 * pauses[0] > 0
    assert world.send() == 0
    assert world.refuse(1, AT_ONCE)[0] < pauses[2], "after a success it begins anew"


def test_after_a_429_for_typing_nothing_goes_to_that_chat(world: World) -> None:
    world.refusals.append(TOO_MANY)
    world.delivery.typing(CHAT)
    assert world.send() == pytest.approx(3)
    assert world.send(place=Place(8)) == 0
    world.now += 3
    assert world.send() == 0


# ---- Refused for good -----------------------------------------------------------------------

FINAL = [
    "Forbidden: bot was blocked by the user",
    "Bad Request: chat not found",
    "Bad Request: TOPIC_CLOSED",
    "Bad Request: TOPIC_DELETED",
    "Bad Request: message thread not found",
    "Bad Request: not enough rights to send text messages to the chat",
    "Bad Request: not enough rights to send documents to the chat",
    "Bad Request: have no rights to send a message",
    "Bad Request: need administrator rights in the channel chat",
    "Bad Request: CHAT_WRITE_FORBIDDEN",
    "Bad Request: CHAT_SEND_PLAIN_FORBIDDEN",
    "Bad Request: CHAT_ADMIN_REQUIRED",
    "Bad Request: PRIVACY_PREMIUM_REQUIRED",
    "Bad Request: BOT_GROUPS_BLOCKED",
    "Bad Request: CHANNEL_MONOFORUM_UNSUPPORTED",
    "Bad Request: CHAT_RESTRICTED",
    "Bad Request: CHANNEL_PRIVATE",
    "Bad Request: PEER_ID_INVALID",
    "Bad Request: user is deactivated",
    "Bad Request: group chat was upgraded to a supergroup chat",
    "Bad Request: group chat was deactivated",
]


@pytest.mark.parametrize("description", FINAL)
@pytest.mark.parametrize("method", ["send_message", "edit_message_text"])
def test_where_nobody_can_be_written_to_it_is_given_up_at_once(
    world: World, method: str, description: str
) -> None:
    world.refusals.append(RefusedError(method, 403 if "Forbidden" in description else 400, description))
    with pytest.raises(UndeliverableError):
        world.send(method)
    assert len(world.calls) == 1


@pytest.mark.parametrize("method", ["send_photo", "send_voice", "send_data", "send_media_group"])
@pytest.mark.parametrize(
    "description", ["not enough rights to send photos to the chat", "VOICE_MESSAGES_FORBIDDEN"]
)
def test_where_a_kind_of_file_is_forbidden_words_may_be_allowed(
    world: World, method: str, description: str
) -> None:
    world.refusals.append(RefusedError(method, 400, f"Bad Request: {description}"))
    with pytest.raises(RefusedError):
        world.send(method)
    assert world.send() == 0


@pytest.mark.parametrize(
    "description",
    [
        "Bad Request: message text is empty",
        "Bad Request: message is too long",
        "Bad Request: reply markup is too long",
        "Bad Request: BUTTON_DATA_INVALID",
    ],
)
def test_what_is_our_mistake_is_not_taken_for_a_closed_chat(world: World, description: str) -> None:
    world.refusals.append(RefusedError("", 400, description))
    with pytest.raises(RefusedError):
        world.send()


def test_a_group_that_became_a_supergroup_is_written_to_there(world: World) -> None:
    group = Place(-5)
    description = "Bad Request: group chat was upgraded to a supergroup chat"
    world.refusals.append(RefusedError("", 400, description, moved_to=-1005))
    assert world.send(place=group) == 0
    assert world.send(place=group) == 0
    assert [chat for _, chat in world.calls] == [-5, -1005, -1005]


# ---- Refused in part ------------------------------------------------------------------------

PARTS: dict[str, Any] = {"entities": ["bold"], "reply_parameters": "quote", "reply_markup": "buttons"}


@pytest.mark.parametrize(
    ("description", "part"),
    [
        ("can't parse entities: unsupported start tag", "entities"),
        ("ENTITY_BOUNDS_INVALID", "entities"),
        ("ENTITIES_TOO_LONG", "entities"),
        ("message is too long", "entities"),
        ("MESSAGE_TOO_LONG", "entities"),
        ("message to be replied not found", "reply_parameters"),
        ("message to reply not found", "reply_parameters"),
        ("REPLY_MESSAGE_ID_INVALID", "reply_parameters"),
        ("BUTTON_DATA_INVALID", "reply_markup"),
        ("BUTTON_COPY_TEXT_INVALID", "reply_markup"),
        ("reply markup is too long", "reply_markup"),
    ],
)
def test_what_is_refused_for_one_part_goes_without_it(world: World, description: str, part: str) -> None:
    world.refusals.append(RefusedError("", 400, f"Bad Request: {description}"))
    assert world.send(**PARTS) == 0
    sent = world.params[-1]
    assert {name: sent[name] for name in PARTS} == PARTS | {part: None}


def test_what_is_refused_without_that_part_too_is_our_mistake(world: World) -> None:
    world.refusals += [RefusedError("", 400, "Bad Request: message is too long")] * 2
    with pytest.raises(RefusedError):
        world.send(**PARTS)
    assert len(world.calls) == 2


@pytest.mark.parametrize(
    "description",
    [
        "message to edit not found",
        "message can't be edited",
        "MESSAGE_ID_INVALID",
        "MESSAGE_EDIT_TIME_EXPIRED",
    ],
)
def test_a_message_that_is_gone_is_sent_anew(world: World, description: str) -> None:
    world.refusals.append(RefusedError("", 400, f"Bad Request: {description}"))
    assert world.send("edit_message_text") == 0
    assert [method for method, _ in world.calls] == ["edit_message_text", "send_message"]


@pytest.mark.parametrize(
    "description", ["message is not modified: specified new message content", "MESSAGE_NOT_MODIFIED"]
)
def test_an_edit_that_would_change_nothing_is_none(world: World, description: str) -> None:
    world.refusals.append(RefusedError("", 400, f"Bad Request: {description}"))
    assert world.send("edit_message_text") == 0
    assert len(world.calls) == 1
