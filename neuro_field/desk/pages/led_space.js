"use strict";
// The head with a coil that moves: the report's own space, led.

class LedSpace extends Space {
  /** `onLead` is told a point of the scalp where the coil is wished to be. */
  constructor(holder, data, surfaces, words, onLead) {
    super(holder, data, surfaces, () => {});
    this.words = words;
    this.onLead = onLead;
    this.plan = {
      target: data.target, casing: surfaces.coil, current: data.current, placements: [], balls: data.balls,
      strongest: data.strongest, cortexField: { step: 0, values: [] },
    };
    this.show(this.plan);
    this._pin();
    this.vanish();
    this._drag();
  }

  /** Smooth edges cost a browser without a graphics processor more than all else together. */
  get smooth() {
    const trial = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
    if (!trial) return false;
    const named = trial.getExtension("WEBGL_debug_renderer_info");
    const name = named ? trial.getParameter(named.UNMASKED_RENDERER_WEBGL) : "";
    trial.getExtension("WEBGL_lose_context")?.loseContext();
    return !/swiftshader|llvmpipe|software/i.test(name);
  }

  /** The coil at a pose, rows of numbers. */
  put(rows) {
    this.coil.visible = true;
    this.coil.matrix.copy(matrixOf(rows));
    this.coil.matrixWorldNeedsUpdate = true;
    for (const label of this.tipLabels) {
      label.place.copy(this.tips[label.kind]).applyMatrix4(this.coil.matrix);
      label.element.hidden = false;
    }
  }

  /** The field at the vertices: value k stands for (k - 1) step V/m. */
  paint(values, step) {
    const colours = this.cortex.geometry.getAttribute("color"), out = colours.array, map = this.data.colours;
    const scale = (255.999 * step) / this.plan.strongest;
    for (let i = 0; i < colours.count; i++) {
      const colour = values ? map[Math.min(255, ((values[i] - 1) * scale) | 0)] : NO_FIELD;
      out[3 * i] = colour[0];
      out[3 * i + 1] = colour[1];
      out[3 * i + 2] = colour[2];
    }
    colours.needsUpdate = true;
  }

  /** Calls back when the graphics processor has done what it was told. */
  whenDrawn(done) {
    const gl = this.renderer.getContext();
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const look = () => {
      const state = fence ? gl.clientWaitSync(fence, 0, 0) : gl.WAIT_FAILED;
      if (state === gl.TIMEOUT_EXPIRED) return setTimeout(look, 2);
      gl.deleteSync(fence);
      return done();
    };
    setTimeout(look, 0);
  }

  /** No coil and no field. */
  vanish() {
    this.coil.visible = false;
    for (const label of this.tipLabels) label.element.hidden = true;
    this.paint(null, 0);
    this.draw();
  }

  _pin() {
    const [from, to] = this.data.pin.map((point) => new THREE.Vector3().fromArray(point));
    const shaft = new THREE.Mesh(
      new THREE.CylinderGeometry(0.9, 0.9, from.distanceTo(to), 12),
      new THREE.MeshLambertMaterial({ color: this.data.inks.target }),
    );
    shaft.position.copy(from).add(to).multiplyScalar(0.5);
    shaft.quaternion.setFromUnitVectors(new THREE.Vector3(0, 1, 0), to.clone().sub(from).normalize());
    this.scene.add(shaft);
    this._label(this.words.target, to, "target");
  }

  _pick(event) {
    const hit = this.onLead && this._met(event, this.scalp);
    if (hit) this.onLead(hit.point.toArray());
  }

  /** A drag that begins on the coil leads it; the view does not turn meanwhile.  A tap on it is one on the scalp there. */
  _drag() {
    const canvas = this.renderer.domElement;
    let first = null, dragged = null, asked = false;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.onLead || !event.isPrimary || !this.coil.visible || !this._met(event, this.coil)) return;
      first = dragged = event;
      this.controls.enabled = false;
      event.stopImmediatePropagation();
      canvas.setPointerCapture(event.pointerId);
    }, { capture: true });
    canvas.addEventListener("pointermove", (event) => {
      if (!dragged || Math.hypot(event.clientX - first.clientX, event.clientY - first.clientY) < 4) return;
      dragged = event;
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        if (dragged) this._pick(dragged);
      });
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => {
        if (dragged && dragged === first && end === "pointerup") this._pick(first);
        first = dragged = null;
        this.controls.enabled = true;
      });
    }
  }
}
