"""How soon the leading page shows what a tracker sends, in a headless Chromium, and whether memory grows.

    python benchmarks/page.py PLAN HEAD LIVE [--seconds 60] [--rate 20]

A tracker in a process of its own sends moving poses over OpenIGTLink; the server's clock tells when a packet came, when
the values for it were there, and when the browser said that its graphics processor had drawn them.
"""

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import psutil

from neuro_field.clinic.study import plan_of
from neuro_field.desk.leading import LeadPage
from neuro_field.desk.server import serving
from neuro_field.desk.serving import Followed, Keeping, lead_page
from neuro_field.field.solver import Solver
from neuro_field.navigation.addresses import address_of
from neuro_field.navigation.receiving import Frames
from neuro_field.search.steering import Steering
from neuro_field.store.heads import read_head
from neuro_field.store.lives import read_live
from neuro_field.store.plans import planned_head, read_plan

FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")

#: Sends poses around one, as fast as it is told, until it is ended.
TRACKER = """
import json, socket, struct, sys, time
import numpy as np
port, rate, pose = int(sys.argv[1]), float(sys.argv[2]), np.array(json.loads(sys.argv[3]))
server = socket.create_server(("127.0.0.1", port))
print("ready", flush=True)
link, _ = server.accept()
link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
n = 0
while True:
    n += 1
    step = np.eye(4)
    step[:2, 3] = 8 * np.cos(n / 7), 8 * np.sin(n / 9)
    step[2, 3] = -3
    body = (pose @ step)[:3].T.astype(">f4").tobytes()
    now = time.time()
    stamp = (int(now) << 32) + int((now % 1) * 2**32)
    link.sendall(struct.pack(">H12s20sQQQ", 1, b"TRANSFORM", b"Coil", stamp, 48, 0) + body)
    time.sleep(1 / rate)
"""


def page_of(plan: Path, head: Path, live: Path, port: int, room: Path) -> LeadPage:
    """The page of a plan, followed."""
    model = planned_head(plan, read_head(head))
    solver = Solver(model)
    made, _ = plan_of(read_plan(plan), None)
    steering = Steering.of(solver, made.coil, made, 4.0)
    address = address_of(f"igtl://127.0.0.1:{port}/Coil")
    followed = Followed(address, Frames("simnibs"))
    page = lead_page(solver, steering, made, Keeping(room / "led"), live=read_live(live, model), followed=followed)
    page.reading.of(solver.solve(made.coil, made.best.placement))  # what an exact solve keeps, from the beginning
    return page


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measured(page: LeadPage, tracked: int, options: argparse.Namespace, pose: list) -> None:
    """Prints what was found."""
    from playwright.sync_api import sync_playwright

    port, addresses, ready = free_port(), [], threading.Event()

    def told(address: str) -> None:
        addresses.append(address)
        ready.set()

    command = [sys.executable, "-c", TRACKER, str(tracked), str(options.rate), json.dumps(pose)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tracker:
        tracker.stdout.readline()
        threading.Thread(target=lambda: asyncio.run(serving([page], "127.0.0.1", port, told)), daemon=True).start()
        ready.wait(60)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=options.chromium, args=FLAGS)
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            tab.goto(addresses[0])
            tab.wait_for_selector("body.live", timeout=60_000)
            tab.wait_for_timeout(5000)
            page.times.clear()
            before, spent = memory(tab), -work()
            tab.wait_for_timeout(1000 * options.seconds)
            after, spent = memory(tab), spent + work()
            times = np.array(page.times)
            browser.close()
        tracker.kill()
    values, painted = 1e3 * (times[:, 1] - times[:, 0]), 1e3 * (times[:, 2] - times[:, 0])
    print(f"{len(page.shown.surface.triangles)} triangles, {len(page.shown.surface.points)} vertices")
    print(f"{len(times)} frames in {options.seconds} s, {options.rate} packets a second")
    for name, found in (("values", values), ("painted", painted)):
        ranks = np.percentile(found, [50, 95])
        print(f"packet to {name}: median {ranks[0]:.0f} ms, 95 % {ranks[1]:.0f} ms, worst {found.max():.0f} ms")
    print(f"the browser worked {1e3 * spent / max(len(times), 1):.0f} ms of processor time for each frame")
    for name in before:
        print(f"{name}: {before[name] / 1e6:.1f} MB before, {after[name] / 1e6:.1f} MB after")
    print(f"load of the machine: {statistics.fmean(psutil.getloadavg()):.1f} on {psutil.cpu_count()} processors")


def work() -> float:
    """Processor seconds of the browser so far, all its processes."""
    own = [each for each in psutil.Process().children(recursive=True) if "chrom" in each.name()]
    return sum(sum(each.cpu_times()[:2]) for each in own)


def memory(tab) -> dict[str, float]:
    """Bytes: of the server's process, and of the page's scripts after they were tidied."""
    session = tab.context.new_cdp_session(tab)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return {"server": float(psutil.Process().memory_info().rss), "page": float(heap)}


def main() -> None:
    """As the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("plan", "head", "live"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    tracked = free_port()
    with tempfile.TemporaryDirectory() as folder:
        page = page_of(options.plan, options.head, options.live, tracked, Path(folder))
        pose = page.shown.steering.ranked[0].head_from_coil.tolist()
        measured(page, tracked, options, pose)


if __name__ == "__main__":
    main()
