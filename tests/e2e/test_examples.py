"""The examples as their readers meet them: each program is started, played with by a real client, and stopped. The
programs are those in the directory HUBBUB_EXAMPLES."""

import os
from pathlib import Path

import pytest
from client import Client
from hub import Hub

EXAMPLES = os.environ.get("HUBBUB_EXAMPLES")
pytestmark = pytest.mark.skipif(not EXAMPLES, reason="HUBBUB_EXAMPLES does not name the directory of the examples")
INVALID_PARAMS, FORBIDDEN = -32602, -32024
CONFIGURATION = 78


class Example(Hub):
    """One example's process: as the hub's, but its command line is an address and nothing else."""

    def __init__(self, name, env=None):
        super().__init__(env={"HUBBUB_SERVER_DRAIN_PERIOD": "100ms"} | (env or {}))
        self.command = [str(Path(EXAMPLES) / name), "127.0.0.1:0"]


@pytest.fixture
def start():
    """start(name, env=…) starts an example that is stopped, and held to account, after the test."""
    started = []

    def launch(name, **kwargs):
        started.append(Example(name, **kwargs))
        return started[-1].start()

    yield launch
    for example in started:
        if example.process.returncode is None:
            example.stop()


async def next_data(client, topic):
    message = await client.next("topic.message")
    assert message["topic"] == topic
    return message["data"]


@pytest.mark.parametrize("name", ["echo", "chat", "game_room"])
def test_a_wrong_address_ends_with_what_to_do(name):
    example = Example(name)
    example.command[1] = "nowhere"
    example.launch()
    assert example.wait_exit() == CONFIGURATION
    assert "--listen" in example.log and "HOST:PORT" in example.log


def test_an_example_takes_the_environment_as_the_program_does(start):
    assert '"event":"listening"' in start("echo", env={"HUBBUB_LOG_FORMAT": "json"}).log


# echo


async def test_echo_fills_in_what_was_left_out(start):
    async with await Client.open(start("echo")) as client:
        assert await client.call("text.repeat", {"text": "ho"}) == "hoho"
        assert await client.call("text.repeat", {"text": "ho", "times": 3, "separator": " "}) == "ho ho ho"
        assert await client.call("text.repeat", {"text": "ho", "separator": None}) == "hoho"
        assert await client.call("text.repeat", ["ha", 1]) == "ha"
        assert await client.call("numbers.summarize", {"values": [1, 2.5, 5.5]}) == {"sum": 9.0, "mean": 3.0}


async def test_echo_names_the_member_that_is_wrong(start):
    async with await Client.open(start("echo")) as client:
        for params, field in (
            ({}, "text"),
            ({"text": ""}, "text"),
            ({"text": "x" * 101}, "text"),
            ({"text": "ho", "times": 0}, "times"),
            ({"text": "ho", "times": 11}, "times"),
            ({"text": "ho", "times": "3"}, "times"),
            ({"text": "ho", "separator": 1}, "separator"),
        ):
            error = await client.fails("text.repeat", params)
            assert (error.code, error.data["field"]) == (INVALID_PARAMS, field), params
        error = await client.fails("numbers.summarize", {"values": []})
        assert (error.code, error.message) == (1, "nothing has no mean")


async def test_echo_describes_its_methods(start):
    async with await Client.open(start("echo")) as client:
        document = await client.call("rpc.discover")
        method = next(method for method in document["methods"] if method["name"] == "text.repeat")
        assert [param["name"] for param in method["params"]] == ["text", "times", "separator"]
        assert method["summary"] == "The text, that many times."


# chat


async def test_chat_is_heard_by_the_room_and_by_nobody_else(start):
    hub = start("chat")
    async with await Client.open(hub) as ann, await Client.open(hub) as bob, await Client.open(hub) as eve:
        assert await ann.call("chat.join", {"room": "tea", "nick": "ann"}) == {"members": ["ann"]}
        assert await bob.call("chat.join", {"room": "tea", "nick": "bob"}) == {"members": ["ann", "bob"]}
        await eve.call("chat.join", {"room": "coffee", "nick": "ann"})
        await bob.call("chat.say", {"text": "hello"})
        await ann.call("chat.leave")
        await bob.call("chat.say", {"text": "gone"})
        await bob.call("chat.leave")
        heard = [await next_data(ann, "room.tea") for _ in range(3)]
        assert heard == [
            {"event": "joined", "nick": "ann"},
            {"event": "joined", "nick": "bob"},
            {"event": "said", "nick": "bob", "text": "hello"},
        ]
        assert await next_data(bob, "room.tea") == {"event": "joined", "nick": "bob"}
        assert await next_data(bob, "room.tea") == {"event": "said", "nick": "bob", "text": "hello"}
        assert await next_data(bob, "room.tea") == {"event": "left", "nick": "ann"}
        assert await next_data(bob, "room.tea") == {"event": "said", "nick": "bob", "text": "gone"}
        await eve.call("ping")
        assert await next_data(eve, "room.coffee") == {"event": "joined", "nick": "ann"}
        for client in (ann, bob, eve):
            assert client.inbox["topic.message"].empty()


async def test_chat_tells_why_it_refuses(start):
    hub = start("chat")
    async with await Client.open(hub) as ann, await Client.open(hub) as bob:
        assert (await ann.fails("chat.say", {"text": "hello"})).code == 3
        assert (await ann.fails("chat.leave")).code == 3
        await ann.call("chat.join", {"room": "tea", "nick": "ann"})
        assert (await ann.fails("chat.join", {"room": "coffee", "nick": "ann"})).code == 1
        error = await bob.fails("chat.join", {"room": "tea", "nick": "ann"})
        assert (error.code, error.message) == (2, "somebody here is called ann")
        assert (await bob.fails("chat.join", {"room": "no topic", "nick": "bob"})).code == -32030
        assert (await bob.fails("chat.join", {"room": "tea", "nick": ""})).code == INVALID_PARAMS
        # Refused calls left no trace.
        assert await bob.call("chat.join", {"room": "tea", "nick": "bob"}) == {"members": ["ann", "bob"]}


async def test_chat_cannot_be_spoken_in_or_heard_past_its_own_methods(start):
    async with await Client.open(start("chat")) as eve:
        for method, params in (
            ("topic.publish", {"topic": "room.tea", "data": {"event": "said", "nick": "ann", "text": "forged"}}),
            ("topic.subscribe", {"topic": "room.tea"}),
            ("hub.broadcast", {"data": 1}),
        ):
            assert (await eve.fails(method, params)).code == FORBIDDEN


async def test_chat_keeps_a_member_who_is_cut_off_for_the_grace_time(start):
    hub = start("chat")
    async with await Client.open(hub) as ann, await Client.open(hub) as bob:
        await ann.call("chat.join", {"room": "tea", "nick": "ann"})
        ann.abort()
        await ann.closed()
        hub.wait_event("connection closed")
        assert (await bob.fails("chat.join", {"room": "tea", "nick": "ann"})).code == 2


async def test_chat_members_leave_when_their_session_ends(start):
    hub = start("chat", env={"HUBBUB_SESSION_GRACE": "300ms"})
    async with await Client.open(hub) as ann, await Client.open(hub) as bob, await Client.open(hub) as cat:
        for client, nick in ((ann, "ann"), (bob, "bob"), (cat, "cat")):
            await client.call("chat.join", {"room": "tea", "nick": nick})
        await bob.call("session.close")
        while (event := await next_data(ann, "room.tea"))["event"] == "joined":
            pass
        assert event == {"event": "left", "nick": "bob"}
        cat.abort()
        assert await next_data(ann, "room.tea") == {"event": "left", "nick": "cat"}
        await ann.call("chat.leave")
        assert await ann.call("chat.join", {"room": "tea", "nick": "cat"}) == {"members": ["cat"]}


# game_room


async def test_game_moves_players_tick_by_tick_and_keeps_them_on_the_field(start):
    hub = start("game_room")
    async with await Client.open(hub) as ann, await Client.open(hub) as bob:
        assert ann.code in (await ann.call("game.join", {"name": "ann"}))["players"]
        await bob.call("game.join", {"name": "bob"})
        await ann.notify("game.steer", {"dx": 1, "dy": -1})
        await bob.notify("game.steer", {"dx": 9, "dy": 0})  # no such step: not taken
        places, tick = [(0, 0)], None
        while places[-1][0] < 5:
            state = await next_data(ann, "game")
            assert tick is None or state["tick"] == tick + 1
            tick = state["tick"]
            player = state["players"][ann.code]
            places.append((player["x"], player["y"]))
        assert all(after[0] - before[0] in (0, 1) and after[1] == 0 for before, after in zip(places, places[1:]))
        assert bob.code in state["players"] and state["players"][bob.code]["x"] == 0


async def test_game_hints_lead_to_the_coin(start):
    async with await Client.open(start("game_room")) as ann:
        error = await ann.fails("game.hint")
        assert (error.code, error.message) == (1, "join first")
        await ann.call("game.join", {"name": "ann"})
        while (await next_data(ann, "game"))["players"][ann.code]["score"] == 0:
            await ann.notify("game.steer", await ann.call("game.hint"))


async def test_game_players_leave_with_their_session(start):
    hub = start("game_room", env={"HUBBUB_SESSION_GRACE": "300ms"})
    async with await Client.open(hub) as ann, await Client.open(hub) as bob, await Client.open(hub) as cat:
        for client in (ann, bob, cat):
            await client.call("game.join", {"name": "x"})
        assert set((await ann.call("game.join", {"name": "again"}))["players"]) == {ann.code, bob.code, cat.code}
        await bob.call("session.close")
        cat.abort()
        while set((await next_data(ann, "game"))["players"]) != {ann.code}:
            pass
