"use strict";
// The head in three dimensions: cortex with its field, lesion, scalp, coil, placements.

const NO_FIELD = [214, 208, 200];

/** A colour of the map for a value in V/m. */
function fieldColour(colours, value, strongest) {
  return colours[Math.min(255, Math.max(0, Math.floor((255.999 * value) / strongest)))];
}

class Space {
  /** Throws where the browser offers no WebGL. */
  constructor(holder, data, surfaces, onPoint) {
    this.holder = holder;
    this.data = data;
    this.onPoint = onPoint;
    THREE.ColorManagement.enabled = false;
    this.renderer = new THREE.WebGLRenderer({ antialias: this.smooth, preserveDrawingBuffer: true });
    this.renderer.outputColorSpace = THREE.LinearSRGBColorSpace;
    this.renderer.setClearColor(0xffffff);
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio || 1));
    holder.prepend(this.renderer.domElement);
    this.scene = new THREE.Scene();
    this.camera = new THREE.OrthographicCamera(-1, 1, 1, -1, 1, 3000);
    this.camera.up.fromArray(data.axes[2]);
    this.light = new THREE.DirectionalLight(0xffffff, 1.5);
    this.scene.add(this.light, new THREE.AmbientLight(0xffffff, 1.9));
    this.middle = new THREE.Vector3().fromArray(data.centre);
    this.controls = new THREE.OrbitControls(this.camera, this.renderer.domElement);
    this.controls.target.copy(this.middle).addScaledVector(this.camera.up, 8);
    this.controls.minZoom = 0.5;
    this.controls.maxZoom = 12;
    this.controls.addEventListener("change", () => this.draw());
    this.labels = [];
    this._build(surfaces);
    this._listen();
  }

  /** Whether edges are drawn smooth. */
  get smooth() {
    return true;
  }

  _build(surfaces) {
    const inks = this.data.inks;
    const solid = (colour) => new THREE.MeshLambertMaterial({ color: colour });
    const clear = (colour, opacity) =>
      new THREE.MeshLambertMaterial({ color: colour, transparent: true, opacity, depthWrite: false });
    this.cortex = new THREE.Mesh(shapeOf(surfaces.cortex), new THREE.MeshLambertMaterial({ vertexColors: true }));
    const count = surfaces.cortex.points.length;
    this.cortex.geometry.setAttribute("color", new THREE.BufferAttribute(new Uint8Array(count), 3, true));
    this.scene.add(this.cortex);
    if (surfaces.lesion) {
      this.lesion = new THREE.Mesh(shapeOf(surfaces.lesion), solid(inks.lesion));
      this.scene.add(this.lesion);
    }
    this.scalp = new THREE.Mesh(shapeOf(surfaces.scalp), clear(inks.scalp, 0.22));
    this.scalp.renderOrder = 2;
    this.scene.add(this.scalp);
    this.coil = new THREE.Group();
    this.coil.matrixAutoUpdate = false;
    this.scene.add(this.coil);
    this.target = new THREE.Group();
    this.point = new THREE.Mesh(new THREE.RingGeometry(1.6, 2.6, 32), overAll("#000000"));
    this.point.visible = false;
    this.scene.add(this.target, this.point);
  }

  _listen() {
    const canvas = this.renderer.domElement;
    let pressed = null;
    canvas.addEventListener("pointerdown", (event) => (pressed = [event.clientX, event.clientY]));
    canvas.addEventListener("pointerup", (event) => {
      const moved = pressed ? Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) : 99;
      if (moved < 4) this._pick(event);
    });
    new ResizeObserver(() => this.fit()).observe(this.holder);
  }

  /** Where a pointer's ray meets something first. */
  _met(event, things) {
    const box = this.renderer.domElement.getBoundingClientRect();
    const place = new THREE.Vector2(
      (2 * (event.clientX - box.left)) / box.width - 1,
      1 - (2 * (event.clientY - box.top)) / box.height,
    );
    const ray = new THREE.Raycaster();
    ray.setFromCamera(place, this.camera);
    return ray.intersectObject(things, true)[0];
  }

  /** Tells the point of the cortex under the pointer. */
  _pick(event) {
    const hit = this._met(event, this.cortex);
    if (hit) this.onPoint(hit.point.toArray());
  }

  /** Shows one hemisphere's plan: its field, target, coil and the numbered placements. */
  show(plan) {
    this.plan = plan;
    const colours = this.cortex.geometry.getAttribute("color");
    for (let i = 0; i < colours.count; i++) {
      const value = voltsPerMetre(plan.cortexField, i);
      const colour = value === null ? NO_FIELD : fieldColour(this.data.colours, value, plan.strongest);
      colours.array.set(colour, 3 * i);
    }
    colours.needsUpdate = true;
    this.target.clear();
    for (const { centre, radius } of plan.balls) {
      const ring = new THREE.Mesh(new THREE.RingGeometry(radius, radius + 1.7, 48), overAll(this.data.inks.target));
      ring.position.fromArray(centre);
      this.target.add(ring);
    }
    for (const label of this.labels) label.element.remove();
    this.labels = [];
    this._coilOf(plan);
    plan.placements.forEach((placement, index) => {
      const matrix = matrixOf(placement.head_from_coil);
      const centre = new THREE.Vector3().setFromMatrixPosition(matrix);
      const label = this._label(String(index + 1), centre, "rank", () => plan.choose(index));
      label.element.title = filled(this.data.words.rank, { rank: index + 1 });
    });
    this.from(this._side() > 0 ? "right" : "left");
  }

  /** 1 for a target on the patient's right, -1 for one on the left. */
  _side() {
    const offset = new THREE.Vector3().fromArray(this.plan.target).sub(this.middle);
    return Math.sign(offset.dot(new THREE.Vector3().fromArray(this.data.axes[0]))) || 1;
  }

  _coilOf(plan) {
    this.coil.clear();
    if (plan.casing) {
      const shape = shapeOf(plan.casing);
      const skin = new THREE.MeshLambertMaterial({ color: this.data.inks.casing, transparent: true, opacity: 0.3 });
      skin.depthWrite = false;
      const body = new THREE.Mesh(shape, skin);
      body.renderOrder = 3;
      const lines = new THREE.LineBasicMaterial({ color: this.data.inks.casing });
      this.coil.add(body, new THREE.LineSegments(new THREE.EdgesGeometry(shape, 30), lines));
    }
    this.tips = {};
    if (plan.current) { // a round coil has neither handle nor one current
      const current = new THREE.Vector3().fromArray(plan.current);
      this.tips = { handle: new THREE.Vector3(0, -92, 0), current: current.clone().multiplyScalar(46) };
      this.coil.add(arrowOf(new THREE.Vector3(0, -1, 0), 85, this.data.inks.handle));
      this.coil.add(arrowOf(current, 40, this.data.inks.current));
    }
    this.tipLabels = Object.keys(this.tips).map((name) => this._label(name, new THREE.Vector3(), name));
  }

  /** Puts the coil at one of the plan's placements. */
  place(index) {
    this.coil.matrix.copy(matrixOf(this.plan.placements[index].head_from_coil));
    this.coil.matrixWorldNeedsUpdate = true;
    for (const label of this.tipLabels) label.place.copy(this.tips[label.name]).applyMatrix4(this.coil.matrix);
    for (const label of this.labels) {
      if (label.kind === "rank") label.element.setAttribute("aria-pressed", label.name === String(index + 1));
    }
    this.placed = index;
    this.draw();
  }

  /** Turns to a named side of the patient, or to look along the coil. */
  from(name) {
    const [right, front, top] = this.data.axes.map((axis) => new THREE.Vector3().fromArray(axis));
    const ways = {
      left: right.clone().multiplyScalar(-0.84).addScaledVector(front, 0.2).addScaledVector(top, 0.5),
      right: right.clone().multiplyScalar(0.84).addScaledVector(front, 0.2).addScaledVector(top, 0.5),
      front: front.clone().addScaledVector(top, 0.15),
      back: front.clone().multiplyScalar(-1).addScaledVector(top, 0.15),
      above: top.clone().addScaledVector(front, -0.001),
    };
    let way = ways[name];
    if (!way) way = new THREE.Vector3().setFromMatrixColumn(this.coil.matrix, 2).negate();
    this.seenFrom = name;
    this.camera.zoom = 1;
    this.controls.target.copy(this.middle).addScaledVector(this.camera.up, 8);
    this.camera.position.copy(this.controls.target).addScaledVector(way.normalize(), 600);
    this.controls.update();
    this.fit();
  }

  /** Lets the keyboard do what the pointer does: arrows turn as a drag does, + and - enlarge, 0 goes back. */
  listenToKeys() {
    const canvas = this.renderer.domElement;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    const turns = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const sizes = { "+": 1.15, "=": 1.15, "-": 1 / 1.15 };
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (turns[event.key]) this.turn(...turns[event.key].map((way) => (way * Math.PI) / 18));
      else if (sizes[event.key]) this.enlarge(sizes[event.key]);
      else if (event.key === "0") this.from(this.seenFrom);
      else return;
      event.preventDefault();
    });
  }

  /** Walks the eye round the head's long axis and towards its top, radians. */
  turn(round, upwards) {
    const offset = this.camera.position.clone().sub(this.controls.target), top = this.camera.up;
    offset.applyAxisAngle(top, round);
    const side = new THREE.Vector3().crossVectors(top, offset).normalize();
    const from = offset.angleTo(top), to = Math.min(Math.max(from - upwards, 0.01), Math.PI - 0.01);
    this.camera.position.copy(this.controls.target).add(offset.applyAxisAngle(side, to - from));
    this.controls.update();
    this.draw();
  }

  enlarge(times) {
    const { minZoom, maxZoom } = this.controls;
    this.camera.zoom = Math.min(Math.max(this.camera.zoom * times, minZoom), maxZoom);
    this.draw();
  }

  /** What is shown, for who does not see it. */
  describe(words) {
    this.renderer.domElement.setAttribute("aria-label", words);
  }

  /** Puts the slices' crossing point there. */
  mark(point) {
    this.point.visible = true;
    this.point.position.fromArray(point);
    this.draw();
  }

  fit() {
    const width = this.holder.clientWidth, height = this.holder.clientHeight;
    if (!width || !height) return;
    this.renderer.setSize(width, height, false);
    const up = 140 * Math.max(1, height / width);
    Object.assign(this.camera, { left: (-up * width) / height, right: (up * width) / height, top: up, bottom: -up });
    this.draw();
  }

  draw() {
    this.camera.updateProjectionMatrix();
    this.camera.updateMatrixWorld();
    this.light.position.copy(this.camera.position).addScaledVector(this.camera.up, 250);
    this.light.target = this.cortex;
    for (const mark of [...this.target.children, this.point]) mark.quaternion.copy(this.camera.quaternion);
    this.renderer.render(this.scene, this.camera);
    for (const label of this.labels) this._put(label);
    this._edges();
  }

  _label(name, place, kind, onClick = null) {
    const element = document.createElement(onClick ? "button" : "span");
    element.className = `label ${kind}`;
    element.textContent = this.data.words[name] || name;
    if (onClick) element.addEventListener("click", onClick);
    this.holder.append(element);
    const label = { name, kind, element, place: place.clone() };
    this.labels.push(label);
    return label;
  }

  _put(label) {
    const seen = label.place.clone().project(this.camera);
    const x = ((seen.x + 1) / 2) * this.holder.clientWidth, y = ((1 - seen.y) / 2) * this.holder.clientHeight;
    label.element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translate(-50%, -50%)`;
  }

  /** The patient's sides at the edges of the view. */
  _edges() {
    const told = this.data.words;
    const words = [[told.right, told.left], [told.front, told.back], [told.top, told.bottom]];
    const across = new THREE.Vector3().setFromMatrixColumn(this.camera.matrixWorld, 0);
    const up = new THREE.Vector3().setFromMatrixColumn(this.camera.matrixWorld, 1);
    const ways = { right: across, left: across.clone().negate(), top: up, bottom: up.clone().negate() };
    for (const [edge, way] of Object.entries(ways)) {
      const parts = this.data.axes.map((axis) => way.dot(new THREE.Vector3().fromArray(axis)));
      const axis = parts.reduce((best, part, i) => (Math.abs(part) > Math.abs(parts[best]) ? i : best), 0);
      this.holder.querySelector(`.edge.${edge}`).textContent = words[axis][parts[axis] > 0 ? 0 : 1];
    }
  }
}

function shapeOf(surface) {
  const shape = new THREE.BufferGeometry();
  shape.setAttribute("position", new THREE.BufferAttribute(surface.points, 3));
  shape.setIndex(new THREE.BufferAttribute(surface.triangles, 1));
  shape.computeVertexNormals();
  return shape;
}

function matrixOf(rows) {
  return new THREE.Matrix4().set(...rows.flat());
}

/** A mark that nothing hides. */
function overAll(colour) {
  return new THREE.MeshBasicMaterial({ color: colour, depthTest: false, transparent: true, side: THREE.DoubleSide });
}

function arrowOf(direction, length, colour) {
  const ink = new THREE.MeshLambertMaterial({ color: colour });
  const shaft = new THREE.Mesh(new THREE.CylinderGeometry(1.3, 1.3, 0.75 * length, 16), ink);
  shaft.position.y = 0.375 * length;
  const tip = new THREE.Mesh(new THREE.ConeGeometry(3.6, 0.25 * length, 24), ink);
  tip.position.y = 0.875 * length;
  const arrow = new THREE.Group();
  arrow.add(shaft, tip);
  arrow.quaternion.setFromUnitVectors(new THREE.Vector3(0, 1, 0), direction.clone().normalize());
  return arrow;
}
