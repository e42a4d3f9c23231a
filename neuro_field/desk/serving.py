"""A page on which the coil is led over the patient's scalp: the field is guessed at once and solved soon after.

The page is trame's; the server keeps the scene, the browser draws it.  Whoever has the token in the address may look
and lead; nobody else gets the patient's head.
"""

import asyncio
import secrets
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlencode

import numpy as np

from neuro_field.arrays import FloatArray
from neuro_field.errors import InputError
from neuro_field.field.field import Field
from neuro_field.field.solver import Solver
from neuro_field.findings import Finding
from neuro_field.report.directions import direction_words, offset_words, point_words, turn_words
from neuro_field.report.facts import GreyField, HeadFacts
from neuro_field.report.interactive import colour_ramp, cortex_surface
from neuro_field.report.opengl import check_opengl, off_screen
from neuro_field.report.scene import COLOURS, FIELD_MAP, node_values, polydata
from neuro_field.report.sentences import magnitude_statistic, statistic, target_title
from neuro_field.report.words import phrase, said
from neuro_field.search.plan import Plan
from neuro_field.search.steering import Held, Steering

#: What to install when trame is missing.
EXTRA = "pip install 'neuro_field[serve]'"

#: The coil must rest this long, seconds, before its field is solved.
REST = 0.4

#: One press of a key: mm, or degrees; with shift as much more.
STEP, TURN, MORE = 1.0, 5.0, 5.0

#: What keys do: towards the patient's front and right, and clockwise seen from outside.
KEYS = {
    "ArrowUp": {"forwards": STEP}, "ArrowDown": {"forwards": -STEP}, "ArrowRight": {"right": STEP},
    "ArrowLeft": {"right": -STEP}, ".": {"turned": TURN}, ",": {"turned": -TURN}, ">": {"turned": MORE * TURN},
    "<": {"turned": -MORE * TURN},
}  # fmt: skip

_STYLE = """
body { margin: 0; font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Liberation Sans", "Noto Sans CJK JP",
  "Hiragino Sans", "Yu Gothic", Meiryo, sans-serif; color: #1c2126; }
.bench { display: flex; height: 100vh; outline: none; }
.space { flex: 1; min-width: 0; position: relative; }
.panel { width: 370px; padding: 14px 18px; overflow-y: auto; border-left: 1px solid #d5dae0; box-sizing: border-box; }
.panel h1 { font-size: 1.1rem; margin: 0 0 6px; }
.panel .value { font-size: 2rem; font-weight: 700; font-variant-numeric: tabular-nums; }
.panel .soft { color: #55606b; font-size: 0.88rem; }
.panel .status { font-weight: 600; }
.panel .solved { color: #0b5d8a; }
.panel .guess { color: #9a3412; }
.panel button { font: inherit; padding: 4px 10px; margin: 0 4px 4px 0; border: 1px solid #8b97a3; background: #fff;
  cursor: pointer; }
.panel pre { font-size: 0.75rem; background: #f4f6f8; padding: 6px; overflow-x: auto; }
.ramp { height: 14px; border: 1px solid #d5dae0; }
.ticks { display: flex; justify-content: space-between; font-size: 0.85rem; }
"""


def check_trame() -> None:
    """Raise InputError where the page's parts are not installed; the message names what to install."""
    try:
        import trame.app
        import trame.ui.html
        import trame.widgets.vtk  # noqa: F401
    except ImportError:
        raise InputError(f"Serving needs trame, which is not installed: {EXTRA}") from None


def serve(
    solver: Solver, steering: Steering, plan: Plan, *, host: str = "localhost", port: int = 8080, language: str = "en",
    ready: Callable[[str], None] = lambda address: None,
) -> None:  # fmt: skip
    """Serve the page until it is stopped.

    Parameters
    ----------
    solver : Solver
        For the exact fields.
    steering : Steering
    plan : Plan
        Whose target, and whose ranked placements are offered.
    host : str
        "localhost", or the name or address of this machine under which others may reach it.
    port : int
    language : {"en", "ja"}
        Of the page.
    ready : callable
        Called with the address, token included, when the page can be opened.

    Raises
    ------
    InputError
        If the port cannot be used, or as `check_trame`.
    PictureError
        If this machine has no OpenGL library.
    """
    check_trame()
    check_opengl()
    with off_screen():
        bench = Bench(solver, steering, plan, language)
        token = secrets.token_urlsafe(24)
        query = urlencode({"sessionURL": f"ws://{host}:{port}/ws", "secret": token})
        bench.server.cli.set_defaults(authKey=token)
        bench.server.controller.on_server_ready.add(lambda **_: ready(f"http://{host}:{port}/index.html?{query}"))
        try:
            with _no_arguments():
                bench.server.start(
                    host=host, port=port, open_browser=False, show_connection_info=False, disable_logging=True,
                    timeout=0, backend="aiohttp",
                )  # fmt: skip
        except OSError as error:
            raise InputError(
                f"The page cannot be served at {host}:{port}: {error.strerror}; give another --port."
            ) from None
        finally:
            bench.close()


@contextmanager
def _no_arguments() -> Any:
    """Keeps trame from reading our own command line."""
    kept, sys.argv = sys.argv, sys.argv[:1]
    try:
        yield
    finally:
        sys.argv = kept


class Bench:
    """The scene, the coil as it is held, and what is told of it."""

    plotter: Any

    def __init__(self, solver: Solver, steering: Steering, plan: Plan, language: str = "en") -> None:
        from trame.app import get_server

        self.solver, self.steering, self.plan, self.language = solver, steering, plan, language
        self.say = partial(phrase, language=language)
        self.facts = HeadFacts.of(steering.head)
        self.server = get_server(f"neuro_field {secrets.token_hex(4)}", client_type="vue3")
        self.state = self.server.state
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="solve")
        self.moves = 0
        self._strongest = max(float(plan.best.metrics.peak), 1e-12)
        self._build_scene()
        self._build_page()
        self.held = self._take(steering.holding(plan.best.placement))

    def close(self) -> None:
        """Ends the solving and the drawing."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.plotter.close()

    # ---- what people do

    async def key(self, name: str, shift: bool = False) -> None:
        """A key was pressed, or the button that stands for it."""
        step = KEYS.get(name)
        if step:
            more = MORE if shift and name not in "<>" else 1.0
            await self._lead(lambda: self.steering.stepped(self.held, **{way: more * by for way, by in step.items()}))

    async def pointed(self, event: dict[str, Any] | None = None) -> None:
        """A click: the coil goes to the scalp under the pointer."""
        ray = (event or {}).get("ray")
        if ray is None:
            return
        hits, _ = self.scalp.ray_trace(*np.asarray(ray, dtype=np.float64), first_point=False)
        if len(hits):
            first = hits[np.argmin(np.linalg.norm(hits - np.asarray(ray[0]), axis=1))]
            await self._lead(lambda: self.steering.at(np.asarray(first, dtype=np.float64), self.held.angle))

    async def choose(self, rank: int) -> None:
        """One of the plan's placements was asked for."""
        await self._lead(lambda: self.steering.holding(self.steering.ranked[int(rank)]))

    async def _lead(self, move: Callable[[], Held]) -> None:
        """Moves the coil, tells the guess at once, and the exact field once the coil rests."""
        try:
            self.held = self._take(move())
        except InputError as error:
            self.state.status, self.state.exact = str(error), False
            return
        self.view.update()
        self.state.flush()
        await self.solved(self.moves)

    # ---- what they are shown

    def _take(self, held: Held) -> Held:
        """Puts the coil there with the guessed field."""
        self.moves += 1
        self.state.move = self.moves
        for actor in self.coil:
            actor.user_matrix = held.placement.head_from_coil
        self.cortex["E"] = self.steering.estimate(self.points, held.placement).astype(np.float32)
        self._tell(held, self.steering.strength(held.placement))
        self.state.status, self.state.exact = self.say("serve.resting"), False
        return held

    async def solved(self, number: int) -> None:
        """Solves the field exactly and shows it, unless the coil has moved on."""
        await asyncio.sleep(REST)
        if number != self.moves:
            return
        held = self.held
        self.state.status = self.say("serve.solving")
        self.state.flush()
        loop = asyncio.get_running_loop()
        try:
            field: Field | None = await loop.run_in_executor(self.pool, self._solve, held, number)
        except InputError as error:
            self.state.status = str(error)
            self.state.flush()
            return
        if field is None or number != self.moves:
            return
        values = node_values(field.head, GreyField.of(field))[self.nodes]
        self.cortex["E"] = values.astype(np.float32)
        self._tell(held, self.steering.target.mean(field))
        self.state.status = self.say("serve.solved", seconds=sum(field.report.seconds.values()))
        self.state.exact = True
        self.view.update()
        self.state.flush()

    def _solve(self, held: Held, number: int) -> Field | None:
        if number != self.moves:
            return None
        return self.solver.solve(self.steering.coil, held.placement)

    def _tell(self, held: Held, strength: float) -> None:
        """The figures and words of a placement."""
        tried, axes, side = self.steering.tried, self.facts.axes, self.steering.target.side
        self.state.strength = f"{strength:.3f}"
        share, rank = strength / self.steering.planned, self.steering.rank(strength)
        self.state.ranked = self.say("serve.ranked", share=share, rank=rank, tried=len(tried))
        near = self.facts.near(held.placement.center, 1)
        self.state.place = self.say("serve.no-landmarks")
        if near:
            self.state.place = offset_words(near[0][2], axes, near[0][0], self.language)
        direction = direction_words(held.placement.handle_direction, axes, side, self.language)
        self.state.handle = f"{direction} ({turn_words(held.placement, axes, self.language)})"
        self.state.centre = f"{point_words(held.placement.center)} mm"
        self.state.lift = f"{held.lift:.1f} mm"
        rows = np.round(held.placement.head_from_coil, 4) + 0.0
        self.state.pose = "\n".join("  ".join(f"{value:9.4f}" for value in row) for row in rows)

    def _build_scene(self) -> None:
        import pyvista

        head, coil = self.steering.head, self.steering.coil
        surface, self.nodes = cortex_surface(head)
        self.points: FloatArray = surface.points
        self.cortex, self.scalp = polydata(surface), polydata(head.scalp)
        self.cortex["E"] = np.zeros(len(self.points), dtype=np.float32)
        self.plotter = pyvista.Plotter(off_screen=True)
        self.plotter.set_background("white")
        self.plotter.add_mesh(
            self.cortex, scalars="E", cmap=FIELD_MAP, clim=(0.0, self._strongest), show_scalar_bar=False, ambient=0.3
        )
        lesion = head.region("lesion")
        if lesion.any():
            self.plotter.add_mesh(polydata(head.mesh.boundary(lesion)), color=COLOURS["lesion"], ambient=0.3)
        self.plotter.add_mesh(self._pin(), color=COLOURS["target"], ambient=0.4)
        self.plotter.add_mesh(self.scalp, color=COLOURS["scalp"], opacity=0.25)
        for words in self._sides():
            self.plotter.add_mesh(words, color="#55606B", lighting=False)
        shapes = [
            (_arrow((0, -1, 0), 85.0), COLOURS["handle"]),
            (_arrow(coil.initial_e_direction, 40.0), COLOURS["current"]),
        ]
        self.coil = [self.plotter.add_mesh(shape, color=colour, ambient=0.3) for shape, colour in shapes]
        if coil.casing is not None:
            casing = polydata(coil.casing)
            self.coil.append(self.plotter.add_mesh(casing, color=COLOURS["casing"], opacity=0.35))
        self._aim()

    def _pin(self) -> Any:
        """From the target out through the scalp."""
        import pyvista

        target, scalp = self.steering.target, self.steering.head.scalp
        foot = scalp.points[scalp.tree.query(target.center)[1]]
        top = foot + 14.0 * (foot - target.center) / max(float(np.linalg.norm(foot - target.center)), 1e-9)
        return pyvista.Line(target.center, top).tube(radius=0.9) + pyvista.Sphere(radius=3.0, center=top)

    def _sides(self) -> list[Any]:
        """The patient's sides as letters that stand around the head."""
        import pyvista

        right, anterior, superior = self.facts.axes
        points, middle = self.steering.head.scalp.points, self.points.mean(axis=0)
        out = []
        for letter, outwards in (("R", right), ("L", -right), ("A", anterior), ("P", -anterior)):
            letters = pyvista.Text3D(letter, depth=0.0, height=13.0, center=(0, 0, 0))
            pose = np.eye(4)
            reach = float(((points - middle) @ outwards).max())
            pose[:3, :3] = np.stack([np.cross(superior, outwards), superior, outwards], axis=1)
            pose[:3, 3] = middle + (reach + 8.0) * outwards - 25.0 * superior
            out.append(letters.transform(pose, inplace=False))
        return out

    def _aim(self) -> None:
        """The eye, on the target's side."""
        right, anterior, superior = self.facts.axes
        target = self.steering.target
        side = 1 if (target.center - self.points.mean(axis=0)) @ right > 0 else -1
        middle = self.points.mean(axis=0)
        self.plotter.camera.focal_point = middle
        self.plotter.camera.position = middle + 700 * (0.84 * side * right + 0.2 * anterior + 0.5 * superior)
        self.plotter.camera.up = superior
        self.plotter.camera.parallel_projection = True
        self.plotter.camera.parallel_scale = 150.0

    def _build_page(self) -> None:
        from trame.ui.html import DivLayout
        from trame.widgets import client, html
        from trame.widgets import vtk as widgets

        self.state.trame__title = f"neuro_field: {self.say('serve.title')}"
        target = self.plan.target
        title = target_title(target, self.language)
        self.state.title = self.say(
            "serve.heading", target=title
        )  # shown as text by the browser: a name in the template would be code
        self.state.statistic = self.say("serve.statistic", statistic=statistic(target, self.language))
        self.state.estimate = self.say("serve.estimate", size=magnitude_statistic(target, self.language))
        with (
            DivLayout(self.server),
            html.Div(
                classes="bench", tabindex=0, autofocus=True,
                keydown=(self.key, "[$event.key, $event.shiftKey]"),
            ),
        ):  # fmt: skip
            client.Style(_STYLE)
            with html.Div(classes="space"):
                self.view = widgets.VtkLocalView(
                    self.plotter.render_window, picking_modes=("picking", ["click"]), click=(self.pointed, "[$event]"),
                )  # fmt: skip
            with html.Div(classes="panel"):
                html.H1("{{ title }}")
                html.Div("{{ strength }} V/m", classes="value")
                html.Div("{{ statistic }}", classes="soft")
                html.P(
                    "{{ status }}", classes=("exact ? 'status solved' : 'status guess'",),
                    raw_attrs=[':data-move="move"'],
                )  # fmt: skip
                html.P("{{ ranked }}")
                html.Div(classes="ramp", style=f"background: linear-gradient(to right, {colour_ramp()})")
                with html.Div(classes="ticks"):
                    html.Span("0")
                    html.Span(self.say("serve.scale", field=self._strongest))
                html.P(self.say("serve.keys"), classes="soft")
                self._buttons(html)
                for name in ("place", "handle", "centre", "lift"):
                    html.P(f"<b>{self.say(f'serve.{name}')}:</b> {{{{ {name} }}}}")
                html.Div(self.say("serve.pose"), classes="soft")
                html.Pre("{{ pose }}")
                html.P("{{ estimate }}", classes="soft")
                html.P(said(Finding("page-serves-face", "note"), self.language), classes="soft face")
                html.P(self.say("disclaimer"), classes="soft")

    def _buttons(self, html: Any) -> None:
        """The keys once more, and the placements of the plan."""
        labels = {"ArrowUp": "front", "ArrowDown": "back", "ArrowLeft": "left", "ArrowRight": "right", ",": "turn-left",
                  ".": "turn-right"}  # fmt: skip
        with html.Div():
            for name, words in labels.items():
                html.Button(self.say(f"serve.{words}"), click=(self.key, f"['{name}', $event.shiftKey]"))
        with html.Div(self.say("serve.planned")):
            for rank in range(len(self.steering.ranked)):
                html.Button(str(rank + 1), click=(self.choose, f"[{rank}]"))


def _arrow(direction: Any, length: float) -> Any:
    import pyvista

    return pyvista.Arrow(
        direction=direction, scale=length, tip_length=0.25, tip_radius=3.6 / length, shaft_radius=1.3 / length
    )
