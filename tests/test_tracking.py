"""Trackers over the network: what they tell comes into the image, and nothing that is wrong, old or unseen does."""

import asyncio
import json
import struct
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from browser import Tab, browser, picture_folder
from fake_trackers import tracker_from_head
from serving import Bench, folders_in, free_port, served, skip_without_aiohttp
from tiny_study import tiny_head, tiny_study

import neuro_field as nf
from neuro_field.cli import main
from neuro_field.desk.following import Follower
from neuro_field.desk.keeping import Keeper
from neuro_field.desk.serving import Followed, Keeping, lead_page
from neuro_field.errors import InputError
from neuro_field.findings import Finding, Refusal
from neuro_field.navigation.addresses import SENDERS, address_of
from neuro_field.navigation.files import Export, read_navigator
from neuro_field.navigation.frames import ImageFrames
from neuro_field.navigation.igtl import IgtlReader, crc64
from neuro_field.navigation.invesalius import invesalius_text, live_pose
from neuro_field.navigation.receiving import AXES, Frames, check_seat
from neuro_field.navigation.registration import Registration
from neuro_field.navigation.sessions import recorded_poses
from neuro_field.navigation.sightings import Clock, Sighting
from neuro_field.report.words import said
from neuro_field.search.steering import Steering

skip_without_aiohttp()

SCALP = nf.sphere_head((70, 80, 90), edge=9.0).scalp
POSE = nf.Placement.on(SCALP, above=(-40, 10, 80), handle_towards=(-60, -60, 70), gap=6.0)

#: How each may misbehave, and what is said of it.
WRONG = {
    "igtl": {
        "stall": "silent", "mirror": "mirrored", "metres": "metres", "scale": "not-rigid", "identity": "not-seen",
        "away": "looks-away", "old": "late", "far": "off-scalp", "damage": "damaged", "blocked": "not-seen",
    },
    "brainsight": {"null": "not-seen", "stall": "silent", "mirror": "mirrored", "identity": "not-seen", "old": "late"},
    "localite": {"blocked": "not-seen", "null": "not-seen", "stall": "silent", "metres": "metres"},
    "navinibs": {"blocked": "not-seen", "null": "not-seen", "stall": "silent", "scale": "not-rigid", "old": "late"},
    "invesalius": {"null": "not-seen", "stall": "silent"},
}  # fmt: skip


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A T1 whose scanner frame is the head frame, with a scaled and shifted grid."""
    affine = np.diag([1.0, 1.2, 0.9, 1.0])
    affine[:3, 3] = -100, -110, -90
    made = nib.Nifti1Image(np.zeros((200, 190, 200), np.uint8), affine)
    made.set_sform(affine, 1)
    made.set_qform(affine, 1)
    path = tmp_path_factory.mktemp("image") / "T1.nii.gz"
    nib.save(made, path)
    return ImageFrames.read(path)


def own_numbers(placement, image):
    """What InVesalius tells of a coil, by its own marker file."""
    lines = invesalius_text([nf.Marker("x", placement)], image).splitlines()
    row = dict(zip(lines[1].replace('"', "").split("\t"), lines[2].split("\t"), strict=True))
    return [float(row[name]) for name in ("x", "y", "z", "alpha", "beta", "gamma")]


def address_and_frames(kind, port, image):
    if kind == "navinibs":
        address = address_of(f"navinibs://127.0.0.1:{port}/Coil?reference=Head")
        return address, Frames(address.axes, image_from_reference=np.eye(4))
    path = {"igtl": "/Coil", "brainsight": "/C-1", "localite": "/coil_0?axes=localite&space=lps"}.get(kind, "")
    address = address_of(f"{kind}://127.0.0.1:{port}{path}")
    return address, Frames(address.axes, address.space, image=image)


@asynccontextmanager
async def fake(kind, port, pose):
    """A function that tells it what to do."""
    script = Path(__file__).with_name("fake_trackers.py")
    command = (sys.executable, str(script), kind, str(port), json.dumps(pose))
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    running = await asyncio.create_subprocess_exec(*command, **pipes)
    try:
        assert await asyncio.wait_for(running.stdout.readline(), 30) == b"ready\n"
        yield lambda how: running.stdin.write(f"{how}\n".encode())
    finally:
        running.kill()
        await running.wait()
        running._transport.close()


class Told:
    """What a follower has told, with times."""

    def __init__(self):
        self.seen, self.lost, self.pulses, self.lag = [], [], 0, 0.0

    async def measure_lag(self):
        """How late this loop wakes at worst: what a busy machine adds to every time that is told."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            self.lag = max(self.lag, time.monotonic() - began - 0.01)

    async def until(self, true, seconds=60.0):
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, (self.lost[-3:], len(self.seen))
            await asyncio.sleep(0.005)

    def follow(self, follower):
        def pulse():
            self.pulses += 1

        return asyncio.create_task(
            follower.run(
                lambda placement, gap, arrived: self.seen.append((arrived, placement, gap)),
                lambda why: self.lost.append((time.monotonic(), why)),
                pulse,
            )
        )


@pytest.mark.parametrize("kind", WRONG)
def test_a_tracker_is_followed_and_what_is_wrong_is_refused_in_words(kind, image):
    """Every fake runs in its own process; after each misbehaviour the coil is seen again."""
    pytest.importorskip({"navinibs": "zmq", "invesalius": "socketio", "igtl": "pyigtl"}.get(kind, "json"))

    async def run():
        port, told = free_port(), Told()
        address, frames = address_and_frames(kind, port, image)
        pose = own_numbers(POSE, image) if kind == "invesalius" else POSE.head_from_coil.tolist()
        async with fake(kind, port, pose) as do:
            following = told.follow(Follower(address, frames, SCALP))
            lagging = asyncio.create_task(told.measure_lag())
            await told.until(lambda: told.seen, 60)
            _, placement, gap = told.seen[-1]
            assert np.abs(placement.head_from_coil - POSE.head_from_coil).max() < 1e-3
            assert gap == pytest.approx(6.0, abs=0.3)
            for how, code in WRONG[kind].items():
                told.lost.clear()
                do(how)
                await told.until(lambda: told.lost)
                when, why = told.lost[0]
                assert why.code == f"track-{code}", how
                assert when - told.seen[-1][0] < 0.5 + told.lag
                assert said(why).endswith((".", "?"))
                count = len(told.seen)
                await asyncio.sleep(0.12)
                assert len(told.seen) == count, f"{how}: an old or refused pose was told"
                do("send")
                await told.until(lambda count=count: len(told.seen) > count)
            if kind == "brainsight":
                do("pulse")
                await told.until(lambda: told.pulses)
            if kind in ("igtl", "brainsight"):
                do("drop")
                await told.until(lambda: told.lost[-1][1].code == "track-connection-ended")
                count = len(told.seen)
                await told.until(lambda: len(told.seen) > count)
            following.cancel()
            lagging.cancel()
            await asyncio.gather(following, lagging, return_exceptions=True)

    asyncio.run(run())


def test_nobody_there_and_tools_of_other_names_are_told():
    async def run():
        port, told = free_port(), Told()
        address = address_of(f"igtl://127.0.0.1:{port}/Other")
        following = told.follow(Follower(address, Frames("simnibs"), SCALP))
        await told.until(lambda: told.lost)
        assert told.lost[-1][1].code == "track-no-connection"
        pytest.importorskip("pyigtl")
        async with fake("igtl", port, POSE.head_from_coil.tolist()):
            await told.until(lambda: told.lost[-1][1].code == "track-which-tool")
            assert told.lost[-1][1].values["met"] == ("Coil", "Pointer")
        assert not told.seen
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    asyncio.run(run())


def test_pyigtls_own_server_is_followed():
    """A server that is not ours, in this process."""
    pyigtl = pytest.importorskip("pyigtl")
    import signal

    port, told = free_port(), Told()
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGTERM, signal.SIGINT)}
    server = pyigtl.OpenIGTLinkServer(port=port, local_server=True)

    async def run():
        following = told.follow(Follower(address_of(f"igtl://127.0.0.1:{port}/Coil"), Frames("simnibs"), SCALP))
        for version in (1, 2):
            count = len(told.seen)
            for _ in range(40):
                message = pyigtl.TransformMessage(POSE.head_from_coil, device_name="Coil")
                message.header_version = version
                server.send_message(message, wait=False)
                await asyncio.sleep(0.05)
                if len(told.seen) > count + 2:
                    break
            assert len(told.seen) > count + 2, told.lost
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    try:
        asyncio.run(run())
        assert np.abs(told.seen[-1][1].head_from_coil - POSE.head_from_coil).max() < 1e-4
    finally:
        server.stop()
        for sign, handler in before.items():
            signal.signal(sign, handler)


def test_bytes_of_openigtlink_are_read_in_any_pieces_and_damage_is_found():
    body = POSE.head_from_coil[:3].T.astype(">f4").tobytes()
    assert crc64(b"123456789") == 0x6C40DF5F0B497347  # the check value of CRC-64/ECMA-182
    head = struct.pack(">H12s20sQQQ", 1, b"TRANSFORM", b"Coil", (7 << 32) + (1 << 31), len(body), crc64(body))
    image = struct.pack(">H12s20sQQQ", 1, b"IMAGE", b"Video", 0, 100_000, 0) + bytes(100_000)
    whole = image + head + body
    for size in (1, 13, 4096, len(whole)):
        reader = IgtlReader("Coil")
        pieces = (whole[i : i + size] for i in range(0, len(whole), size)) if size > 1 else [whole]
        (found,) = [each for piece in pieces for each in reader.feed(piece)]
        assert np.abs(found.pose - POSE.head_from_coil).max() < 1e-4
        assert found.stamp == 7.5
    with pytest.raises(InputError, match="damaged"):
        list(IgtlReader("Coil").feed(head + body[:-1] + b"x"))
    with pytest.raises(InputError, match="no bytes of OpenIGTLink"):
        list(IgtlReader("Coil").feed(b"GET / HTTP/1.1\r\n" * 10))


def test_every_senders_axes_are_proper_and_lps_is_turned():
    for axes in AXES.values():
        assert np.linalg.det(axes) == pytest.approx(1.0)
    lps = np.diag([-1.0, -1, 1, 1]) @ POSE.head_from_coil
    for name, axes in AXES.items():
        told = Sighting.of(lps @ np.linalg.inv(axes))
        assert np.abs(Frames(name, "LPS").placement(told).head_from_coil - POSE.head_from_coil).max() < 1e-9
    unsaid = [kind for kind, sender in SENDERS.items() if not sender.axes]
    assert unsaid == ["localite"]  # never guessed


def test_tools_alone_need_a_registration_and_the_calibration_is_used():
    tool_from_coil = np.eye(4)
    tool_from_coil[:3, 3] = 5.0, -30.0, 12.0
    image_from_reference = np.eye(4)
    image_from_reference[:3, 3] = 10.0, 20.0, -30.0
    reference_from_tool = np.linalg.inv(image_from_reference) @ POSE.head_from_coil @ np.linalg.inv(tool_from_coil)
    seen = tracker_from_head() @ reference_from_tool
    told = Sighting.of(seen).beside(tracker_from_head())
    frames = Frames("simnibs", "RAS", image_from_reference, tool_from_coil)
    assert np.abs(frames.placement(told).head_from_coil - POSE.head_from_coil).max() < 1e-9
    with pytest.raises(Refusal, match="track-unregistered"):
        Frames("simnibs").placement(told)
    assert Sighting.of(seen).beside(None).why == "reference"
    with pytest.raises(Refusal, match="track-metres"):
        frames.placement(Sighting.of(seen * [1, 1, 1, 1e-3] + np.diag([0, 0, 0, 1 - 1e-3])).beside(tracker_from_head()))


def test_landmarks_bring_the_reference_into_the_image_and_mirrored_ones_are_refused():
    marked = {"Nz": (0, 85, -40), "Iz": (0, -118, -23), "LPA": (-86, -20, -48), "RPA": (85, -20, -48)}
    marked = {name: np.array(place, dtype=float) for name, place in marked.items()}
    head_from_tracker = np.linalg.inv(tracker_from_head())
    touched = {name: (tracker_from_head() @ [*place, 1])[:3] for name, place in marked.items()}
    made = Registration.of(touched, marked)
    np.testing.assert_allclose(made.image_from_reference, head_from_tracker, atol=1e-9)
    assert made.error < 1e-9
    swapped = {**touched, "LPA": touched["RPA"], "RPA": touched["LPA"]}
    with pytest.raises(InputError, match="miss the marked ones"):
        Registration.of(swapped, marked)
    with pytest.raises(InputError, match="millimetres"):
        Registration.of({name: place / 1000 for name, place in touched.items()}, marked)
    with pytest.raises(InputError, match="three landmarks"):
        Registration.of({"Nz": touched["Nz"], "Iz": touched["Iz"]}, marked)


def test_a_pose_must_look_at_the_scalp_from_nought_to_forty_mm():
    assert check_seat(SCALP, POSE) == pytest.approx(6.0, abs=0.3)
    assert check_seat(SCALP, POSE.moved(along_z=-33)) == pytest.approx(39.0, abs=0.3)
    for placement, code in (
        (POSE.moved(along_z=9), "track-inside"), (POSE.moved(along_z=-36), "track-off-scalp"),
        (POSE.moved(tilted_x=180), "track-looks-away"),
    ):  # fmt: skip
        with pytest.raises(Refusal, match=code):
            check_seat(SCALP, placement)


def test_what_lay_about_before_it_arrived_is_late():
    clock = Clock()
    assert clock.late(None, 5.0) == 0
    assert clock.late(100.0, 7.0) == 0  # their clocks differ by 93 s
    assert clock.late(100.1, 7.1) == pytest.approx(0)
    assert clock.late(100.1, 8.0) == pytest.approx(0.9)  # the same again
    assert clock.late(101.0, 7.95) == 0  # quicker than ever


def test_invesalius_tells_live_what_its_files_tell(image):
    assert np.abs(live_pose(own_numbers(POSE, image), image) @ AXES["invesalius"] - POSE.head_from_coil).max() < 1e-6
    for wrong in (None, [1, 2, 3], [None] * 6, ["a"] * 6):
        with pytest.raises(InputError):
            live_pose(wrong, image)


def test_a_session_is_read_up_to_its_last_whole_line_and_by_delivered(tmp_path):
    folders_in(tmp_path)
    best = tiny_study().contralesional.best.placement
    recorder = Keeper(tmp_path / "PLAN_led", ["localite"], Export()).session("figure8-70mm")
    assert not (tmp_path / "PLAN_led").exists()  # nothing seen, nothing written
    for shift in (0.0, 2.0):
        recorder.seen(best.moved(along_x=shift), 4.0, 1.0)
        time.sleep(0.1)
        recorder.lost()
        recorder.lost()
    text = recorder.path.read_text()  # not closed: what a killed program leaves
    assert [line.split("\t")[1] for line in text.splitlines()[4:]] == ["seen", "lost", "seen", "lost"]
    read = read_navigator(recorder.path)
    assert len(read.markers) == 2
    assert np.abs(read.markers[0].placement.head_from_coil - best.head_from_coil).max() < 1e-9
    recorder.pulse(best, 4.0, 1.0)
    whole = recorder.path.read_text()
    recorder.close()
    recorder.path.write_text(whole + whole.splitlines()[-1][:90])
    markers, notes = recorded_poses([recorder.path])
    assert [marker.name.split()[0] for marker in markers] == ["pulse"]
    assert any("last line" in note for note in notes)
    command = ["delivered", str(tmp_path / "HEAD"), "--plan", str(tmp_path / "PLAN"), "--poses", str(recorder.path)]
    assert main([*command, "-o", str(tmp_path / "ledger.tsv")]) == 0
    assert len((tmp_path / "ledger.tsv").read_text().splitlines()) == 2
    again = Keeper(tmp_path / "PLAN_led", ["localite"], Export()).session("x")
    again.seen(best, 4.0, 1.0)
    again.close()
    assert again.path != recorder.path


def test_a_recording_is_shown_again_at_its_own_pace_and_ends(tmp_path):
    recorder = Keeper(tmp_path / "led", ["localite"], Export()).session("figure8-70mm")
    for placement in (POSE, POSE.moved(along_x=10)):
        recorder.seen(placement, 6.0, 1.0)
        time.sleep(0.3)
    recorder.lost()
    recorder.close()

    async def run():
        told = Told()
        following = told.follow(Follower(address_of(f"replay:{recorder.path}"), Frames("simnibs"), SCALP))
        began = time.monotonic()
        await told.until(lambda: told.lost)
        assert told.lost[0][1].values["why"] == "lost"
        assert time.monotonic() - began > 0.5
        places = [placement.center for _, placement, _ in told.seen]
        assert np.abs(places[0] - POSE.center).max() < 1e-9
        assert np.linalg.norm(places[-1] - POSE.center) == pytest.approx(10)
        await told.until(lambda: told.lost[-1][1].code == "track-replay-ended")
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    asyncio.run(run())


def test_a_pulse_is_kept_where_the_coil_was_seen_last_drawn_or_not(tmp_path):
    """A picture lags behind what a tracker sees; the session does not."""
    plan, solver = tiny_study().contralesional, nf.Solver(tiny_head(), tolerance=1e-3)
    page = lead_page(solver, Steering.of(solver, plan.coil, plan, 4.0), plan, Keeping(tmp_path / "led"))
    best = plan.best.placement
    page._pulse()  # nothing has been seen
    for shift in (0.0, 3.0, 6.0):
        page._seen(best.moved(along_x=shift), 5.0, time.monotonic())
    page._pulse()
    page._lost(Finding("track-silent", "warn", {"seconds": 0.3}))
    page._pulse()
    page.recorder.close()
    assert page._picture is None
    (marker,), _ = recorded_poses([page.recorder.path])
    np.testing.assert_allclose(marker.placement.center, best.moved(along_x=6.0).center, atol=1e-3)


@pytest.mark.parametrize(("age", "shown"), [(0.1, True), (0.6, False)])
def test_what_a_slow_machine_draws_too_late_is_not_shown(tmp_path, age, shown):
    """A followed coil's picture that is older than half a second is taken away, whatever the tracker says."""
    plan, solver = tiny_study().contralesional, nf.Solver(tiny_head(), tolerance=1e-3)
    followed = Followed(address_of("igtl://127.0.0.1:9/Coil"), Frames("simnibs"))
    page = lead_page(
        solver, Steering.of(solver, plan.coil, plan, 4.0), plan, Keeping(tmp_path / "led"), followed=followed
    )  # fmt: skip

    async def run():
        page.follower.why = None
        page._show(page._drawn(lambda _: plan.best.placement, time.monotonic()))
        page._picture = replace(page._picture, arrived=time.monotonic() - age)
        beating = asyncio.create_task(page._beating())
        await asyncio.sleep(0)
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)

    asyncio.run(run())
    assert (page._picture is not None) == shown
    assert (page._why is not None and page._why.code == "lead-slow") == (not shown)


def test_the_page_follows_shows_not_seen_and_never_an_old_field_and_a_kill_leaves_its_session(tmp_path):
    """In a real browser; the fake tracker stalls, mirrors, and comes back."""
    pytest.importorskip("pyigtl")
    import subprocess

    folders_in(tmp_path)
    best, port = tiny_study().contralesional.best.placement, free_port()
    script = [sys.executable, str(Path(__file__).with_name("fake_trackers.py")), "igtl", str(port)]
    shots = picture_folder(tmp_path)
    with (
        subprocess.Popen(
            [*script, json.dumps(best.head_from_coil.tolist())], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as tracker,
        browser() as chromium,
        served(tmp_path, "--follow", f"igtl://127.0.0.1:{port}/Coil") as address,
    ):  # fmt: skip

        def do(how):
            tracker.stdin.write(f"{how}\n".encode())
            tracker.stdin.flush()

        tab = Tab(chromium)
        bench = Bench(tab, address)
        bench.wait("exact")
        assert np.abs(bench.pose - best.head_from_coil).max() < 1e-3
        assert bench.painted() > 0
        assert "handle on -y" in bench.page.inner_text("#followed")
        assert not bench.page.locator("#pad").is_visible()
        tab.shot(shots, "follow-seen")
        for how, words in (("stall", "silent"), ("mirror", "mirrored"), ("identity", "empty pose")):
            do(how)
            bench.until(lambda: bench.kind == "lost", 60)
            assert words in bench.veil
            assert bench.painted() == 0
            assert bench.page.inner_text("#strength") == "–"
            assert bench.page.evaluate("bench.space.coil.visible") is False
            assert bench.page.is_disabled("#save")
            tab.shot(shots, f"follow-{how}")
            bench.page.wait_for_timeout(250)
            assert bench.painted() == 0
            do("send")
            bench.until(lambda: bench.kind != "lost" and bench.painted() > 0, 60)
        assert tab.complaints == []
        tracker.kill()
        tab.context.close()
    (session,) = (tmp_path / "PLAN_led").glob("session-*.tsv")
    markers, _ = recorded_poses([session])
    assert len(markers) > 3
    assert np.abs(markers[0].placement.head_from_coil - best.head_from_coil).max() < 1e-3
