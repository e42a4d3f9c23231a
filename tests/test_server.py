"""The server of pages, and what the leading page is made of, without a browser."""

import asyncio
import json
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from serving import folders_in, free_port, live_in, served, skip_without_aiohttp
from tiny_study import tiny_head, tiny_study

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.desk.newest import Newest
from neuro_field.desk.server import Site
from neuro_field.desk.shown import Shown, fewer_triangles
from neuro_field.desk.watching import Watcher
from neuro_field.search.bullseye import Miss, Seat, gap_along

skip_without_aiohttp()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return folders_in(tmp_path_factory.mktemp("serving"))


@pytest.fixture(scope="module")
def live(folders):
    return live_in(folders)


@pytest.fixture(scope="module")
def address(folders):
    with served(folders) as found:
        yield found


def test_the_server_answers_to_its_own_name_and_pages_alone(address):
    """Asked as a browser cannot be made to: by hand."""
    from aiohttp import ClientSession, WSServerHandshakeError

    origin, token = re.match(r"(http://[^/]+)/lead/#(.+)", address).groups()
    key = {"Authorization": f"Bearer {token}"}
    assert len(token) >= 32

    async def asked():
        async with ClientSession() as session:

            async def status(path, **headers):
                async with session.get(origin + path, headers=headers, allow_redirects=False) as answer:
                    return answer.status, answer.headers, await answer.read()

            assert (await status("/lead/data/scene"))[0] == 401
            assert (await status("/lead/data/scene", Authorization="Bearer wrong"))[0] == 401
            code, headers, body = await status("/lead/data/scene", **key)
            assert code == 200
            assert json.loads(body)["placements"]
            for refused in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
                assert (await status("/lead/data/scene", **key, **refused))[0] == 403
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            for path in ("/lead/../server.py", "/lead/%2e%2e/server.py", "/lead/none.js", "/none/", "/lead/data/none"):
                code, headers, body = await status(path, **key)
                assert code == 404, path
                assert headers["Content-Security-Policy"] == policy
            for path in ("/lead/", "/lead/words.json", "/lead/lead.js"):
                body = (await status(path))[2].decode()
                assert token not in body
                assert "style=" not in body.split("<body")[-1] or path != "/lead/"
            with pytest.raises(WSServerHandshakeError):
                await session.ws_connect(f"{origin}/lead/socket", headers={"Origin": "http://evil.example"})
            for shown in ("{}", '{"token": "wrong"}', "[", '{"token": 3}'):
                async with session.ws_connect(f"{origin}/lead/socket") as socket:
                    await socket.send_str(shown)
                    assert (await socket.receive()).data == 4401
            async with session.ws_connect(f"{origin}/lead/socket") as socket:
                await socket.send_str(json.dumps({"token": token}))
                for nonsense in (
                    "[",
                    '{"do": "at"}',
                    '{"do": "step", "right": "x"}',
                    '{"do": "at", "point": [1e999, 0, 0]}',
                ):
                    await socket.send_str(nonsense)
                assert (await socket.receive()).type.name in ("TEXT", "BINARY")

    asyncio.run(asked())


def test_every_start_has_another_token():
    page = SimpleNamespace(name="lead", files={}, data={})
    first, second = (Site([page], "localhost", 8080) for _ in range(2))
    assert first.token != second.token
    assert first.knows(first.token)
    assert not first.knows(second.token)
    assert first.hosts == {f"{name}:8080" for name in ("localhost", "127.0.0.1", "[::1]")}
    assert Site([page], "ward-7.example", 80).hosts == {"ward-7.example:80", "ward-7.example"}


def test_mistakes_end_in_one_line(folders, live, capsys, monkeypatch):
    plan = ["serve", str(folders / "PLAN")]
    whole = [*plan, "--head", str(folders / "HEAD")]
    other = folders / "OTHER"
    if not other.exists():
        nf.write(
            nf.live_field(nf.Solver(tiny_head(), tolerance=1e-3), nf.load_coil("circular-90mm"), snapshots=20), other
        )
    for command, told in (
        (plan, "name it: neuro-field serve PLAN --head HEAD"),
        (["serve", str(folders / "HEAD")], "--side left or right"),
        ([*whole, "--live", str(other)], "The live field is of the coil"),
        ([*whole, "--follow", "nobody://x"], "must be one of igtl:"),
        ([*whole, "--follow", "localite://x"], "give axes and space"),
        ([*whole, "--follow", "igtl://x"], "Name the coil's device"),
        ([*whole, "--follow", "igtl://x/Coil?axes=mine"], "Input axes of --follow must be one of"),
        ([*whole, "--follow", "navinibs://x/Coil?reference=Head"], "give --registration"),
        ([*whole, "--follow", "invesalius://x"], "name the T1"),
        ([*whole, "--follow", "replay:none.tsv"], "There is no navigator file"),
        ([*whole, "--registration", "x.csv"], "give --follow"),
        ([*whole, "--to", "nobody"], "must be one of localite"),
        ([*whole, "--language", "xx"], "language"),
    ):
        assert main(command) == 2, command
        said = capsys.readouterr().err
        assert told in said, said
        assert "Traceback" not in said
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    assert main(whole) == 2
    assert "pip install 'neuro_field[serve]'" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(folders, capsys):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = ["serve", str(folders / "PLAN"), "--head", str(folders / "HEAD"), "--host", "127.0.0.1"]
        assert main([*command, "--port", port]) == 2
    assert "give another --port" in capsys.readouterr().err


def test_a_slow_browser_is_sent_the_newest_picture_and_nothing_piles_up():
    sent = []

    class Socket:
        async def send_bytes(self, data):
            sent.append(data)

        async def send_str(self, text):
            sent.append(text)

    async def run():
        watcher = Watcher(Socket())
        sending = asyncio.create_task(watcher.run())
        for number in range(500):
            watcher.show(picture(number))
            watcher.beat({"beat": number})
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        pictures = [number_of(data) for data in sent if isinstance(data, bytes)]
        assert len(pictures) == 1  # it has not said that it has drawn the first
        watcher.drawn()
        await asyncio.sleep(0.01)
        assert number_of([data for data in sent if isinstance(data, bytes)][-1]) == 499
        watcher.show(picture(500))
        watcher.forget()
        watcher.drawn()
        await asyncio.sleep(0.01)
        assert number_of([data for data in sent if isinstance(data, bytes)][-1]) == 499
        for number in range(500):
            watcher.tell({"note": number})
        assert len(watcher._news) <= 50
        sending.cancel()
        newest = Newest()
        for number in range(10):
            newest.put(number)
        assert await newest.take() == 9
        assert newest.peek() is None

    asyncio.run(run())


def picture(number):
    from neuro_field.desk.frames import Picture

    return Picture(number, nf.Placement(np.eye(4)), "live", np.arange(4.0), 1.0, {}, 0.0)


def number_of(data):
    length = int.from_bytes(data[:4], "little")
    return json.loads(data[4 : 4 + length])["number"]


def test_what_is_off_a_planned_placement_is_told_as_it_was_moved():
    head = nf.sphere_head((70, 80, 90), edge=9.0)
    planned = nf.Placement.on(head.scalp, above=(0, 0, 92), handle_towards=(0, -90, 92))

    def missed(placement):
        return Miss.of(Seat.of(head.scalp, planned), planned, Seat.of(head.scalp, placement), placement)

    turned = missed(planned.moved(turned=-12))
    assert (turned.turned, turned.along, turned.tilted) == pytest.approx((-12, 0, 0), abs=0.1)
    assert missed(planned.moved(along_z=-7)).gap == pytest.approx(7, abs=0.1)
    assert missed(planned.moved(tilted_x=6)).tilted == pytest.approx(6, abs=0.3)
    angle = np.deg2rad(20)
    there = 92 * np.array([np.sin(angle), 0, np.cos(angle)])
    aside = missed(nf.Placement.on(head.scalp, above=there, handle_towards=there - 50 * np.eye(3)[1]))
    assert (aside.up, aside.right) == ("front", "right")
    assert (aside.along, aside.across) == pytest.approx((90 * angle, 90 * angle), rel=0.03)
    assert aside.upwards == pytest.approx(0, abs=1.5)
    assert (aside.turned, aside.tilted) == pytest.approx((0, 0), abs=2.5)
    assert gap_along(head.scalp, np.array([0, 0, 96.0]), np.array([0, 0, -1.0])) == pytest.approx(6, abs=0.3)
    assert gap_along(head.scalp, np.array([0, 0, 80.0]), np.array([0, 0, -1.0])) == pytest.approx(-10, abs=0.3)
    assert gap_along(head.scalp, np.array([0, 0, 135.0]), np.array([0, 0, -1.0])) is None
    assert gap_along(head.scalp, np.array([0, 0, 96.0]), np.array([0, 0, 1.0])) is None


def test_the_cortex_shown_is_a_part_of_the_one_that_is_known(live):
    from neuro_field.search.steering import Steering

    whole = live.sheet.surface
    chosen, triangles = fewer_triangles(whole, 900)
    assert 500 < len(triangles) <= 900
    assert triangles.max() < len(chosen)
    assert np.ptp(whole.points[chosen], axis=0) == pytest.approx(np.ptp(whole.points, axis=0), rel=0.08)
    plan = tiny_study().contralesional
    steering = Steering.of(nf.Solver(tiny_head(), tolerance=1e-3), plan.coil, plan, 4.0)
    shown = Shown.of(steering, live, most=900)
    placement = plan.best.placement
    np.testing.assert_allclose(shown.at_once(placement), live.magnE(placement)[chosen], rtol=1e-5)
    assert replace(shown, live=replace(shown.live, most_unspanned=0.0)).at_once(placement) is None
