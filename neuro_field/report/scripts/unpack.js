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
