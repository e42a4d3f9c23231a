"use strict";
// The page's data, as report/interactive.py packed it: bytes, surfaces, blocks of voxels.

/** A typed array from {type, shape, data}: little-endian bytes, gzip, base64. */
async function unpacked(packed) {
  const letters = atob(packed.data), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new globalThis[packed.type](await new Response(stream).arrayBuffer());
}

/** {points, triangles} of a surface, mm; null stays null. */
async function unpackedSurface(packed) {
  if (!packed) return null;
  const places = await unpacked(packed.points);
  const points = new Float32Array(places.length);
  for (let i = 0; i < places.length; i++) points[i] = packed.origin[i % 3] + packed.step * places[i];
  const triangles = new Uint32Array(await unpacked(packed.triangles));
  for (let i = 1; i < triangles.length; i++) triangles[i] += triangles[i - 1];
  return { points, triangles };
}

/** {step, values} of a field: value k stands for (k - 1) step V/m, 0 for none. */
async function unpackedField(packed) {
  return { step: packed.step, values: await unpacked(packed.values) };
}

/** A field's value in V/m, or null where there is none. */
function voltsPerMetre(field, index) {
  const value = field.values[index];
  return value ? (value - 1) * field.step : null;
}

/** Voxels along the axes of the head frame: index of [i, j, k] is (i ny + j) nz + k. */
class Block {
  constructor(packed, values) {
    this.origin = packed.origin;
    this.step = packed.step;
    this.shape = packed.values.shape;
    this.values = values;
  }

  static async of(packed) {
    return new Block(packed, await unpacked(packed.values));
  }

  /** The voxel of a point, or -1 outside. */
  at(point) {
    let index = 0;
    for (let axis = 0; axis < 3; axis++) {
      const place = Math.round((point[axis] - this.origin[axis]) / this.step);
      if (place < 0 || place >= this.shape[axis]) return -1;
      index = index * this.shape[axis] + place;
    }
    return index;
  }

  /** How far the index moves for one step along each axis. */
  get strides() {
    return [this.shape[1] * this.shape[2], this.shape[2], 1];
  }
}

/** To MNI152 of a point of the head frame, mm: affine, and what a warp adds on its grid, as mni_map in report/interactive.py. */
async function mniMap(packed) {
  if (!packed) return null;
  const values = packed.warp && (await unpacked(packed.warp.values));
  return (point) => {
    const out = packed.affine.slice(0, 3).map((row) => row[0] * point[0] + row[1] * point[1] + row[2] * point[2] + row[3]);
    if (!values) return out;
    const { origin, step, unit, values: { shape } } = packed.warp;
    const first = [], share = [];
    for (let axis = 0; axis < 3; axis++) {
      const place = Math.min(Math.max((point[axis] - origin[axis]) / step, 0), shape[axis] - 1);
      first.push(Math.min(Math.floor(place), shape[axis] - 2));
      share.push(place - first[axis]);
    }
    for (let corner = 0; corner < 8; corner++) {
      let weight = unit, index = 0;
      for (let axis = 0; axis < 3; axis++) {
        const on = (corner >> axis) & 1;
        weight *= on ? share[axis] : 1 - share[axis];
        index = index * shape[axis] + first[axis] + on;
      }
      for (let axis = 0; axis < 3; axis++) out[axis] += weight * values[3 * index + axis];
    }
    return out;
  };
}
