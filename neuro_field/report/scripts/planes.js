"use strict";
// Three linked slices through the image, with field, target and lesion over it.

/** Axes that run rightwards and upwards in each slice, the axis across it, and what its left and right edges show. */
const PLANES = [
  { name: "axial", across: 0, up: 1, through: 2, left: "left", right: "right" },
  { name: "coronal", across: 0, up: 2, through: 1, left: "left", right: "right" },
  { name: "sagittal", across: 1, up: 2, through: 0, left: "back", right: "front" },
];

/** Up to this share of the strongest the image shows through unchanged, and from there on less and less. */
const FAINTEST = 0.2;

class Planes {
  constructor(canvases, data, blocks, onPoint) {
    this.data = data;
    this.image = blocks.image;
    this.tissues = blocks.tissues;
    this.onPoint = onPoint;
    this.shown = { field: true, lesion: true, target: true };
    this.point = [0, 0, 0];
    this.views = PLANES.map((plane, i) => ({ ...plane, canvas: canvases[i], scratch: [sheet(), sheet()] }));
    const values = this.tissues.values;
    this.hasLesion = values.some((tag) => data.lesion_tags.includes(tag));
    for (const view of this.views) {
      view.canvas.style.flex = `${this._extent(view.across)} 1 0`; // one scale for all three
      this._listen(view);
    }
  }

  show(plan) {
    this.plan = plan;
  }

  /** Crosses the slices at a point (mm). */
  go(point) {
    this.point = point.map((value, axis) => {
      const low = this.image.origin[axis];
      return Math.min(Math.max(value, low), low + (this.image.shape[axis] - 1) * this.image.step);
    });
    this.draw();
  }

  draw() {
    for (const view of this.views) this._draw(view);
  }

  _listen(view) {
    const move = (event) => {
      const box = view.canvas.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
      const point = this.point.slice();
      point[view.across] = this._low(view.across) + x * this._extent(view.across);
      point[view.up] = this._low(view.up) + (1 - y) * this._extent(view.up);
      this.onPoint(point);
    };
    view.canvas.addEventListener("pointerdown", (event) => {
      view.canvas.setPointerCapture(event.pointerId);
      move(event);
    });
    view.canvas.addEventListener("pointermove", (event) => event.buttons & 1 && move(event));
    view.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this._step(view.through, event.deltaY > 0 ? -1 : 1);
    }, { passive: false });
    view.canvas.addEventListener("keydown", (event) => {
      const steps = {
        ArrowLeft: [view.across, -1], ArrowRight: [view.across, 1], ArrowDown: [view.up, -1], ArrowUp: [view.up, 1],
        PageDown: [view.through, -1], PageUp: [view.through, 1],
      };
      if (!steps[event.key]) return;
      event.preventDefault();
      this._step(...steps[event.key]);
    });
  }

  _step(axis, by) {
    const point = this.point.slice();
    point[axis] += by;
    this.onPoint(point);
  }

  _low(axis) {
    return this.image.origin[axis] - this.image.step / 2;
  }

  _extent(axis) {
    return this.image.shape[axis] * this.image.step;
  }

  _draw(view) {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(view.canvas.clientWidth * ratio);
    if (!width) return;
    const scale = width / this._extent(view.across);
    view.canvas.width = width;
    view.canvas.height = Math.round(scale * this._extent(view.up));
    const pen = view.canvas.getContext("2d");
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, view.canvas.width, view.canvas.height);
    pen.imageSmoothingQuality = "high";
    this._lay(pen, view, scale, this.image, view.scratch[0], (values, index, out, o) => {
      out[o] = out[o + 1] = out[o + 2] = values[index];
      out[o + 3] = 255;
    });
    if (this.shown.field) this._field(pen, view, scale);
    if (this.shown.lesion && this.hasLesion) this._lesion(pen, view, scale, ratio);
    if (this.shown.target) this._target(pen, view, scale, ratio);
    this._cross(pen, view, scale, ratio);
  }

  /** Lays one layer of a block over the slice; ``paint`` turns a voxel into red, green, blue, alpha. */
  _lay(pen, view, scale, block, paper, paint) {
    const [columns, rows] = [block.shape[view.across], block.shape[view.up]];
    const layer = Math.round((this.point[view.through] - block.origin[view.through]) / block.step);
    if (layer < 0 || layer >= block.shape[view.through]) return;
    paper.width = columns;
    paper.height = rows;
    const sheetPen = paper.getContext("2d");
    const pixels = sheetPen.createImageData(columns, rows);
    const strides = block.strides, first = layer * strides[view.through];
    for (let row = 0; row < rows; row++) {
      let index = first + (rows - 1 - row) * strides[view.up];
      for (let column = 0; column < columns; column++) {
        paint(block.values, index, pixels.data, 4 * (row * columns + column));
        index += strides[view.across];
      }
    }
    sheetPen.putImageData(pixels, 0, 0);
    const x = (block.origin[view.across] - block.step / 2 - this._low(view.across)) * scale;
    const bottom = (block.origin[view.up] - block.step / 2 - this._low(view.up)) * scale;
    const height = rows * block.step * scale;
    pen.drawImage(paper, x, pen.canvas.height - bottom - height, columns * block.step * scale, height);
  }

  _field(pen, view, scale) {
    const field = this.plan.slicesField, colours = this.data.colours, strongest = this.plan.strongest;
    const block = Object.create(this.tissues, { values: { value: field.values } });
    this._lay(pen, view, scale, block, view.scratch[1], (values, index, out, o) => {
      const value = voltsPerMetre(field, index);
      const share = value === null ? 0 : value / strongest;
      if (share < FAINTEST) return;
      const colour = fieldColour(colours, value, strongest);
      out.set(colour, o);
      out[o + 3] = 255 * Math.min(0.85, (1.7 * (share - FAINTEST)) / (1 - FAINTEST));
    });
  }

  /** Where a point of the slice's two axes lies on the canvas. */
  _place(view, scale, across, up, height) {
    return [(across - this._low(view.across)) * scale, height - (up - this._low(view.up)) * scale];
  }

  /** The lesion's outline: marching squares between voxel centres. */
  _lesion(pen, view, scale, ratio) {
    const block = this.tissues, strides = block.strides, height = pen.canvas.height;
    const layer = Math.round((this.point[view.through] - block.origin[view.through]) / block.step);
    if (layer < 0 || layer >= block.shape[view.through]) return;
    const inside = new Set(this.data.lesion_tags);
    const at = (i, j) =>
      inside.has(block.values[layer * strides[view.through] + i * strides[view.across] + j * strides[view.up]]) ? 1 : 0;
    const middles = [[0.5, 0], [1, 0.5], [0.5, 1], [0, 0.5]]; // of the edges: lower, right, upper, left
    pen.beginPath();
    for (let i = 0; i + 1 < block.shape[view.across]; i++) {
      for (let j = 0; j + 1 < block.shape[view.up]; j++) {
        const corners = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
        const cut = middles.filter((_, e) => corners[e] !== corners[(e + 1) % 4]);
        for (let e = 0; e + 1 < cut.length; e += 2) {
          const ends = [cut[e], cut[e + 1]].map(([di, dj]) =>
            this._place(
              view, scale, block.origin[view.across] + (i + di) * block.step,
              block.origin[view.up] + (j + dj) * block.step, height,
            ));
          pen.moveTo(...ends[0]);
          pen.lineTo(...ends[1]);
        }
      }
    }
    stroke(pen, "#ffffff", 3.4 * ratio);
    stroke(pen, this.data.inks.lesion, 2 * ratio);
  }

  /** The target's balls where the slice cuts them. */
  _target(pen, view, scale, ratio) {
    for (const { centre, radius } of this.plan.balls) {
      const aside = Math.abs(centre[view.through] - this.point[view.through]);
      if (aside >= radius) continue;
      const [x, y] = this._place(view, scale, centre[view.across], centre[view.up], pen.canvas.height);
      pen.beginPath();
      pen.arc(x, y, Math.sqrt(radius ** 2 - aside ** 2) * scale, 0, 2 * Math.PI);
      stroke(pen, "#ffffff", 3.6 * ratio);
      stroke(pen, this.data.inks.target, 2.2 * ratio);
    }
  }

  _cross(pen, view, scale, ratio) {
    const height = pen.canvas.height, width = pen.canvas.width, gap = 7 * ratio;
    const [x, y] = this._place(view, scale, this.point[view.across], this.point[view.up], height);
    pen.beginPath();
    for (const [from, to] of [[[0, y], [x - gap, y]], [[x + gap, y], [width, y]], [[x, 0], [x, y - gap]], [[x, y + gap], [x, height]]]) {
      pen.moveTo(...from);
      pen.lineTo(...to);
    }
    stroke(pen, "rgba(120, 220, 255, 0.8)", ratio);
    const told = this.data.words;
    pen.font = `600 ${13 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
    pen.textBaseline = "top";
    pen.fillStyle = "#fff";
    pen.fillText(told[view.left], 6 * ratio, 6 * ratio);
    pen.textAlign = "right";
    pen.fillText(told[view.right], width - 6 * ratio, 6 * ratio);
    pen.textAlign = "left";
    pen.textBaseline = "bottom";
    pen.fillText(`${told[view.name]}, ${"xyz"[view.through]} = ${this.point[view.through].toFixed(0)} mm`, 6 * ratio, height - 5 * ratio);
  }
}

function sheet() {
  return document.createElement("canvas");
}

function stroke(pen, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
}
