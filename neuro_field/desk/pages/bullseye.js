"use strict";
// How far the coil is off the planned placement, seen from outside the head: rings of 5, 10 and 20 mm.

const RINGS = [5, 10, 20];

class Bullseye {
  constructor(svg, words) {
    this.svg = svg;
    this.words = words;
    this.scale = 36 / 20;
    for (const ring of RINGS) {
      const circle = this._add("circle", { r: ring * this.scale, fill: "none", stroke: "#c3cad2", "stroke-width": 0.7 });
      circle.setAttribute("data-ring", ring);
      this._add("text", { x: 1, y: -ring * this.scale + 4.2, "font-size": 4.2, fill: "#55606b" }).textContent = `${ring}`;
    }
    this.names = {};
    for (const [name, x, y, anchor] of [["up", 0, -45.5, "middle"], ["down", 0, 49.5, "middle"], ["right", 49, 1.5, "end"], ["left", -49, 1.5, "start"]]) {
      this.names[name] = this._add("text", { x, y, "text-anchor": anchor, "font-size": 5.4, "font-weight": 700, fill: "#55606b" });
    }
    this.planned = this._glyph("#009e73", 1.4);
    this.held = this._glyph("#000000", 2.2);
    this.clear();
  }

  /** Nothing is known. */
  clear() {
    this.held.setAttribute("visibility", "hidden");
    this.planned.setAttribute("visibility", "hidden");
  }

  /** A coil beside the planned one, as the server tells it. */
  show(miss) {
    const opposite = { front: "back", back: "front", right: "left", left: "right", top: "bottom", bottom: "top" };
    const names = { up: miss.up, down: opposite[miss.up], right: miss.right, left: opposite[miss.right] };
    for (const [name, side] of Object.entries(names)) this.names[name].textContent = this.words[side];
    let x = miss.across * this.scale, y = -miss.upwards * this.scale;
    const far = Math.hypot(x, y), most = 39;
    if (far > most) [x, y] = [(x * most) / far, (y * most) / far];
    this.held.setAttribute("stroke-dasharray", far > most ? "2 1.6" : "none"); // beyond the rings
    this.planned.setAttribute("transform", `rotate(${miss.handle})`);
    this.held.setAttribute("transform", `translate(${x} ${y}) rotate(${miss.handle + miss.turned})`);
    for (const glyph of [this.held, this.planned]) glyph.setAttribute("visibility", "visible");
  }

  /** A ring with a line along the handle. */
  _glyph(colour, width) {
    const group = this._add("g", { stroke: colour, "stroke-width": width, fill: "none" });
    this._add("circle", { r: 3.2 }, group);
    this._add("line", { x1: 0, y1: -3.2, x2: 0, y2: -17 }, group);
    return group;
  }

  _add(kind, attributes, parent = this.svg) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    parent.append(made);
    return made;
  }
}
