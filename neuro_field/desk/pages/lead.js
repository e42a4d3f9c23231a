"use strict";
// The page on which a coil is led or followed: what the server tells is drawn, what a person does is told the server.

/** One press of a key: mm, or degrees; with shift as much more. */
const STEP = 1, TURN = 5, MORE = 5;

/** Without a word from the server nothing is shown after so long, ms: of a coil that is followed, and of one that is led. */
const SILENT = { followed: 500, led: 4000 };

/** What keys and buttons do: towards the patient's front and right, and clockwise seen from outside. */
const MOVES = {
  ArrowUp: { forwards: STEP }, ArrowDown: { forwards: -STEP }, ArrowLeft: { right: -STEP }, ArrowRight: { right: STEP },
  ",": { turned: -TURN }, ".": { turned: TURN }, "<": { turned: -MORE * TURN }, ">": { turned: MORE * TURN },
};

const part = (id) => document.getElementById(id);

class Bench {
  constructor(scene, words, space) {
    Object.assign(this, { scene, words, space });
    this.bullseye = new Bullseye(part("bullseye"), words);
    this.newest = null;
    this.values = null;
    this.lostAt = -1;
    this.heard = performance.now();
    this.state("lost", "");
    this._connect();
    setInterval(() => this._watch(), 100);
  }

  /** Says what a person did. */
  say(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  state(kind, words) {
    document.body.className = `${kind}${this.scene.follow ? " followed-coil" : ""}`;
    part("status").textContent = words;
    part("save").disabled = kind === "lost";
  }

  _connect() {
    this.socket = talk();
    this.socket.addEventListener("message", (event) => {
      this.heard = performance.now();
      if (typeof event.data === "string") this._told(JSON.parse(event.data));
      else this._pictured(event.data);
    });
    this.socket.addEventListener("close", (event) => {
      if (event.code === 4401) return this.lose(this.words["no-key"], "stop");
      setTimeout(() => this._connect(), 1000);
    });
  }

  _told(news) {
    if (news.lost !== undefined) {
      this.lostAt = news.number;
      this.newest = null;
      this.lose(news.lost, news.level);
    }
    if (news.note !== undefined) part("note").textContent = news.note;
    if (news.solving && !document.body.classList.contains("lost")) part("status").textContent = `${this.kindWords} · ${this.words.solving}`;
    if (news.saved !== undefined) {
      part("saved").textContent = news.folder ? `${this.words.saved}: ${news.saved} ${this.words["in-folder"]} ${news.folder}` : news.saved;
    }
  }

  /** A picture: its values are kept even where a newer one comes before it is drawn. */
  _pictured(data) {
    const length = new DataView(data).getUint32(0, true);
    const told = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    if (!told.same) this.values = told.step ? new Uint16Array(data, 4 + length) : null;
    if (told.number <= this.lostAt) return this.say({ do: "drawn", number: told.number });
    const waiting = this.newest !== null;
    this.newest = { told, repaint: !told.same || (waiting && this.newest.repaint), values: this.values };
    if (told.same && this.painted !== this.values) this.newest.repaint = true;
    if (!waiting) requestAnimationFrame(() => this._draw());
  }

  _draw() {
    const picture = this.newest;
    this.newest = null;
    if (!picture) return;
    const { told, values } = picture;
    if (this.space) {
      this.space.put(told.pose);
      if (picture.repaint) this.space.paint(values, told.step || this.step);
      this.space.draw();
    }
    if (told.step) this.step = told.step;
    this.painted = values;
    this.tell(told);
    const drawn = () => this.say({ do: "drawn", number: told.number });
    if (this.space) this.space.whenDrawn(drawn);
    else requestAnimationFrame(drawn);
  }

  /** Nothing is seen: no coil, no field, no figure stays. */
  lose(why, level) {
    this.painted = undefined;
    if (this.space) this.space.vanish();
    this.bullseye.clear();
    for (const id of ["strength", "share", "rank", "off-along", "off-handle", "off-tilt", "off-gap", "place", "direction", "centre", "lift", "pose"]) {
      part(id).textContent = ["strength", "share"].includes(id) ? "–" : "";
    }
    this.veil(this.words.none, why);
    this.state("lost", this.words.none);
  }

  veil(title, words) {
    const small = document.createElement("small");
    small.textContent = words;
    part("veil").replaceChildren(...(title ? [title, small] : []));
  }

  /** The figures and words of a picture. */
  tell(told) {
    const say = this.words;
    this.veil("", "");
    part("note").textContent = "";
    this.kindWords = say[told.kind];
    let words = this.kindWords;
    if (told.kind === "exact") {
      words += ` (${told.seconds.toFixed(1)} s)`;
      if (told.difference !== null) words += ` · ${say.difference} ${(100 * told.difference).toFixed(1)} %`;
    } else words += ` · ${say.wait}`;
    this.state(told.kind, words);
    part("strength").textContent = told.strength.toFixed(3);
    part("share").textContent = `${(100 * told.share).toFixed(0)} %`;
    part("rank").textContent = `${say.share}; ${say.rank} ${told.rank} ${say["of-tried"]} ${told.tried}`;
    part("rank").title = say["rank-note"];
    this._miss(told);
    part("place").textContent = told.words.place;
    part("direction").textContent = told.words.handle;
    part("centre").textContent = told.words.centre;
    part("lift").textContent = told.lift === null ? "" : `${told.lift.toFixed(1)} mm`;
    part("pose").textContent = told.pose.map((row) => row.map((value) => value.toFixed(4).padStart(9)).join(" ")).join("\n");
    part("status").dataset.moves = told.moves;
  }

  _miss(told) {
    const say = this.words, miss = told.miss;
    const set = (id, main, small) => {
      const line = document.createElement("small");
      line.textContent = small;
      part(id).replaceChildren(main, line);
    };
    if (!miss) {
      this.bullseye.clear();
      for (const id of ["off-along", "off-handle", "off-tilt", "off-gap"]) part(id).textContent = "–";
      return;
    }
    this.bullseye.show(miss);
    const opposite = { front: "back", right: "left", top: "bottom", back: "front", left: "right", bottom: "top" };
    const toward = (value, side) => `${Math.abs(value).toFixed(1)} ${say[value >= 0 ? side : opposite[side]]}`;
    set("off-along", `${miss.along.toFixed(1)} mm`, `${toward(miss.upwards, miss.up)}, ${toward(miss.across, miss.right)}`);
    set("off-handle", `${Math.abs(miss.turned).toFixed(0)}°`, Math.abs(miss.turned) < 0.5 ? "" : say[miss.turned > 0 ? "clockwise" : "counter"]);
    set("off-tilt", `${miss.tilted.toFixed(0)}°`, "");
    set("off-gap", `${told.gap.toFixed(1)} mm`, `${say["gap-planned"]} ${miss.planned_gap.toFixed(1)}`);
  }

  /** A server that says nothing is no server: what it said last is not shown as new. */
  _watch() {
    const limit = this.scene.follow ? SILENT.followed : SILENT.led;
    if (performance.now() - this.heard <= limit || this.gone === this.heard) return;
    this.gone = this.heard;
    this.newest = null;
    this.lose(this.words.gone, "stop");
  }
}

/** Buttons, keys and views. */
function listen(bench, scene, words) {
  const move = (name, more) => {
    const step = {};
    for (const [way, by] of Object.entries(MOVES[name])) step[way] = more && !"<>".includes(name) ? MORE * by : by;
    bench.say({ do: "step", ...step });
  };
  const arrows = { ArrowUp: ["front", "↑"], ArrowDown: ["back", "↓"], ArrowLeft: ["left", "←"], ArrowRight: ["right", "→"], ",": ["turn", "↺"], ".": ["turn", "↻"] };
  for (const [name, [say, sign]] of Object.entries(arrows)) part("pad").append(pressed(`${words[say]} ${sign}`, (more) => move(name, more)));
  scene.placements.forEach((_, index) => {
    const made = button(String(index + 1), () => {
      bench.say({ do: "rank", rank: index });
      [...part("ranks").children].forEach((other, i) => other.setAttribute("aria-pressed", i === index));
    });
    made.setAttribute("aria-label", `${words.planned} ${index + 1}`);
    made.setAttribute("aria-pressed", index === 0);
    part("ranks").append(made);
  });
  for (const name of ["left", "above", "right", "front", "back", "along-coil"]) {
    if (bench.space) document.querySelector(".views").append(button(words[`view-${name}`], () => bench.space.from(name)));
  }
  part("save").addEventListener("click", () => bench.say({ do: "save" }));
  if (!scene.follow) {
    document.addEventListener("keydown", (event) => {
      if (!(event.key in MOVES) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      move(event.key, event.shiftKey);
    });
  }
}

function button(words, onClick) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.addEventListener("click", onClick);
  return made;
}

/** A button that goes on while it is held down. */
function pressed(words, onPress) {
  const made = button(words, (event) => onPress(event.shiftKey));
  let timer = null;
  const stop = () => clearInterval(timer);
  made.addEventListener("pointerdown", (event) => {
    stop();
    const began = performance.now();
    timer = setInterval(() => performance.now() - began > 450 && onPress(event.shiftKey), 120);
  });
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) made.addEventListener(end, stop);
  return made;
}

/** What is told once: target, scale, what is followed, what has to be said. */
function tellOnce(scene, words) {
  document.title = `${scene.title} · neuro_field`;
  part("title").textContent = `${words["field-in"]}: ${scene.title}`;
  part("strongest").textContent = `≥ ${scene.strongest.toFixed(2)} V/m ${words.scale}`;
  part("how").textContent = words[scene.follow ? "how-follow" : "how"];
  part("coil").textContent = scene.coilName;
  part("statistic").textContent = `${scene.statistic}; ${scene.size}`;
  for (const note of scene.notes) part("foot").append(line(note, ""));
  const paint = part("ramp").getContext("2d");
  scene.colours.forEach((colour, i) => {
    paint.fillStyle = `rgb(${colour.join(" ")})`;
    paint.fillRect(i, 0, 1, 12);
  });
  if (!scene.follow) return;
  part("followed").hidden = false;
  part("followed").append(line(`${words.following}: ${scene.follow.kind} ${scene.follow.where}`, "soft"));
  for (const note of scene.follow.notes) part("followed").append(line(note.text, note.level));
}

function line(words, kind) {
  const made = document.createElement("p");
  made.className = kind;
  made.textContent = words;
  return made;
}

async function start() {
  const { language, words } = await (await fetch("words.json")).json();
  document.documentElement.lang = language;
  document.title = words.page;
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = words[place.dataset.say];
  const stop = (why) => {
    part("veil").textContent = why;
    document.body.className = "lost";
  };
  part("veil").textContent = words.loading;
  const scene = KEY ? await held("scene") : null;
  if (!scene) return stop(words["no-key"]);
  const [cortex, lesion, scalp, coil] = await Promise.all([scene.cortex, scene.lesion, scene.scalp, scene.coil].map(unpackedSurface));
  tellOnce(scene, words);
  let space = null, bench = null;
  try {
    const lead = scene.follow ? null : (point) => bench.say({ do: "at", point });
    space = new LedSpace(part("space"), scene, { cortex, lesion, scalp, coil }, words, lead);
  } catch (error) {
    console.warn(error);
    part("how").textContent = words["no-webgl"];
  }
  bench = new Bench(scene, words, space);
  listen(bench, scene, words);
  if (space) space.from(space._side() > 0 ? "right" : "left");
  window.bench = bench;
  document.documentElement.dataset.page = "ready";
}

start().catch((error) => {
  part("veil").textContent = error.message;
  throw error;
});
