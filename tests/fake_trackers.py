"""Trackers that misbehave, each a server in a process of its own: told by lines what to do, as in "send pose.json".

    python fake_trackers.py KIND PORT POSE.json

KIND is igtl, brainsight, localite, navinibs or invesalius; the pose is a 4x4 of rows, told twenty times a second until
standard input says something else: "send" (as it is), "stall", "drop" (close and listen again), "mirror", "metres",
"scale", "identity", "null", "blocked", "damage", "away", "old" (time stamps of five seconds ago), "far".
"""

import asyncio
import json
import sys
import time

import numpy as np


def spoiled(pose, how):
    """The pose as such a tracker tells it; None for none."""
    out = np.array(pose, dtype=float)
    if how == "mirror":
        out[:3, 0] *= -1
    elif how == "metres":
        out[:3, 3] /= 1000
    elif how == "scale":
        out[:3, :3] *= 1.02
    elif how == "identity":
        out = np.eye(4)
    elif how == "away":
        out[:3, 1:3] *= -1
    elif how == "far":
        out[:3, 3] -= 60 * out[:3, 2]
    elif how in ("null", "blocked"):
        return None
    return out


class Fake:
    """What it does now, and to whom it speaks."""

    def __init__(self, kind, port, pose):
        self.kind, self.port, self.pose, self.how = kind, port, pose, "send"
        self.sinks = set()

    async def run(self):
        """Until standard input ends."""
        loop = asyncio.get_running_loop()
        lines = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        speaking = asyncio.create_task(getattr(self, f"speak_{self.kind}", self.speak_tcp)())
        print("ready", flush=True)
        while line := (await lines.readline()).decode().strip():
            self.how = line
            if line == "drop":
                for sink in self.sinks:
                    sink.close()
                self.sinks, self.how = set(), "send"
        speaking.cancel()

    async def speak_tcp(self):
        """To all who have connected."""
        await asyncio.start_server(self.met, "127.0.0.1", self.port)
        while True:
            await asyncio.sleep(0.05)
            if self.how != "stall" and self.kind != "localite":
                for sink in self.sinks:
                    sink.write(getattr(self, f"bytes_{self.kind}")())

    async def met(self, source, sink):
        """Somebody connects; Localite waits to be asked."""
        self.sinks.add(sink)
        asked = b""
        while data := await source.read(4096):
            asked += data
            while self.kind == "localite" and b"}" in asked:
                question, _, asked = asked.partition(b"}")
                if self.how != "stall":
                    sink.write(self.bytes_localite(json.loads(question + b"}")["get"]))

    def stamp(self):
        return time.time() - (5.0 if self.how == "old" else 0.0)

    def bytes_igtl(self):
        """OpenIGTLink by pyigtl, which is not ours."""
        from pyigtl import TransformMessage

        pose = spoiled(self.pose, self.how)
        message = TransformMessage(np.eye(4) if pose is None else pose, device_name="Coil", timestamp=self.stamp())
        if self.how == "blocked":
            message = TransformMessage(self.pose, device_name="Coil", timestamp=self.stamp())
            message.header_version, message.metadata = 2, {"Status": "MISSING"}
        other = TransformMessage(np.diag([1.0, -1, -1, 1]), device_name="Pointer", timestamp=self.stamp())
        packed = message.pack()
        if self.how == "damage":
            packed = packed[:70] + bytes([packed[70] ^ 255]) + packed[71:]
        return other.pack() + packed

    def bytes_brainsight(self):
        """Its axes look outwards."""
        pose = spoiled(self.pose, self.how)
        told = None if pose is None else (pose @ np.diag([-1.0, 1, -1, 1])).ravel().tolist()
        if self.how == "identity":
            told = np.eye(4).ravel().tolist()
        packet = {
            "packet-name": "stream:session-polaris-update", "packet-uuid": "0", "serial-number": "C-1",
            "coordinate-system": "NIfTI:S:Scanner", "tool-in-desired": told,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.stamp())) + f"{self.stamp() % 1:.3f}Z"[1:],
        }  # fmt: skip
        pulse = {"packet-name": "stream:sample-creation", "packet-uuid": "1", "sample-name": "Sample 1"}
        sent = [packet, pulse] if self.how == "pulse" else [packet]
        if self.how == "damage":
            return b"no json\x1e"
        return b"".join(json.dumps(each).encode() + b"\x1e" for each in sent)

    def bytes_localite(self, asked):
        """Its axes and, as told to the page, LPS."""
        from scipy.spatial.transform import Rotation

        if asked.endswith("status"):
            blocked = self.how == "blocked" and asked.startswith("coil")
            return json.dumps({asked: "BLOCKED" if blocked else "OK"}).encode()
        pose = spoiled(self.pose, self.how)
        if pose is None:
            return json.dumps({asked: "None"}).encode()
        axes = np.array([[0, 0, 1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
        lps = np.diag([-1.0, -1, 1, 1]) @ pose @ axes
        x, y, z, w = Rotation.from_matrix(lps[:3, :3]).as_quat()
        told = dict(zip(("q0", "qx", "qy", "qz", "x", "y", "z"), [w, x, y, z, *lps[:3, 3]], strict=True))
        return json.dumps({asked: told}).encode()

    async def speak_navinibs(self):
        """Tools beside one another: the head's stands turned in the tracker's frame."""
        import zmq
        import zmq.asyncio

        socket = zmq.asyncio.Context().socket(zmq.PUB)
        socket.bind(f"tcp://127.0.0.1:{self.port}")
        while True:
            await asyncio.sleep(0.05)
            if self.how == "stall":
                continue
            pose = spoiled(self.pose, self.how)
            world = None if pose is None else (tracker_from_head() @ pose @ np.diag([-1.0, 1, -1, 1])).tolist()
            head = None if self.how == "blocked" else tracker_from_head().tolist()
            told = {
                "Coil": {"time": self.stamp(), "transf": world, "relativeTo": "world"},
                "Head": {"time": self.stamp(), "transf": head, "relativeTo": "world"},
            }
            await socket.send_json(told)

    async def speak_invesalius(self):
        """A client, as InVesalius is one; its own space is the voxels' of an image."""
        import socketio

        client = socketio.AsyncClient(reconnection=True, reconnection_delay=0.2)
        while True:
            try:
                await client.connect(f"http://127.0.0.1:{self.port}")
                break
            except socketio.exceptions.ConnectionError:
                await asyncio.sleep(0.2)
        while True:
            await asyncio.sleep(0.05)
            if self.how != "stall" and client.connected:
                told = {"topic": "From Neuronavigation: Send coil pose", "data": {"coord": self.pose}}
                if self.how == "null":
                    told["data"] = {"coord": [None] * 6}
                await client.emit("from_neuronavigation", told)


def tracker_from_head():
    """Where the head's tool stands before the camera, mm."""
    turned = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = turned, (100.0, -50.0, 1800.0)
    return out


if __name__ == "__main__":
    asyncio.run(Fake(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])).run())
