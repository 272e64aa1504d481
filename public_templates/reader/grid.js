// Where the modules of a symbol lie in a picture: its axes, its plane and its alignment patterns (ISO/IEC 18004:2015, 12).
import { sample } from "./relief.js";
import { alignments, textOfModules, versionOf } from "./symbol.js";

const CERTAIN = 0.6; // how much of an alignment pattern is as it should be, -1 to 1, to be taken for one

/** The plane on which pairs [column, row, x, y] lie best: a perspective by least squares, columns and rows to pixels. */
const planeOf = (pairs) => {
  const sums = Array.from({ length: 8 }, () => new Float64Array(9));
  for (const [u, v, x, y, weight] of pairs) {
    for (const line of [[u, v, 1, 0, 0, 0, -u * x, -v * x, x], [0, 0, 0, u, v, 1, -u * y, -v * y, y]]) {
      for (let i = 0; i < 8; i++) for (let j = 0; j < 9; j++) sums[i][j] += (weight || 1) * line[i] * line[j];
    }
  }
  return solved(sums);
};

/** The solution of eight linear equations, or null where they are not independent. */
const solved = (lines) => {
  for (let i = 0; i < 8; i++) {
    const best = lines.slice(i).reduce((most, line, k) => (Math.abs(line[i]) > Math.abs(lines[most][i]) ? i + k : most), i);
    [lines[i], lines[best]] = [lines[best], lines[i]];
    if (Math.abs(lines[i][i]) < 1e-12) return null;
    lines.forEach((line, k) => {
      const part = k === i ? 0 : line[i] / lines[i][i];
      if (part) for (let j = i; j < 9; j++) line[j] -= part * lines[i][j];
    });
  }
  return lines.map((line, i) => line[8] / line[i]);
};

const on = (p, u, v) => {
  const depth = p[6] * u + p[7] * v + 1;
  return [(p[0] * u + p[1] * v + p[2]) / depth, (p[3] * u + p[4] * v + p[5]) / depth];
};

/** From the middle of a finder to its outer edge, 3.5 modules away, in pixels; null where it is not there. */
const edge = (relief, { x, y, size, dark }, dx, dy) => {
  let [changes, before] = [0, 1];
  for (let far = 0; far < size * 7; far += 0.25) {
    const here = sample(relief, x + dx * far, y + dy * far) * dark;
    if (here > 0 !== before > 0 && ++changes === 3) return far - 0.25 * here / (here - before || 1);
    before = here;
  }
  return null;
};

/** The middle of a finder and the ends of its two axes, as seen along the legs of the symbol; null where they are not. */
const measured = (relief, finder, across, down) => {
  const place = { ...finder };
  for (let round = 0; round < 2; round++) {
    const ends = [across, down].map(([dx, dy]) => [edge(relief, place, dx, dy), edge(relief, place, -dx, -dy)]);
    if (ends.flat().includes(null)) return null;
    place.ends = ends;
    ends.forEach(([far, back], axis) => {
      place.x += [across, down][axis][0] * (far - back) / 2;
      place.y += [across, down][axis][1] * (far - back) / 2;
    });
  }
  [place.across, place.down] = place.ends.map(([far, back]) => (far + back) / 7); // pixels a module
  return place;
};

const toward = (from, to) => {
  const far = Math.hypot(to.x - from.x, to.y - from.y);
  return [(to.x - from.x) / far, (to.y - from.y) / far];
};

/** The versions a symbol may have, the likeliest first: from its version information, else from its measures (12 c to e). */
const versionsOf = (relief, corner, right, below, ways) => {
  const sides = [[corner, right, "across"], [corner, below, "down"]].map(([a, b, axis]) =>
    Math.hypot(b.x - a.x, b.y - a.y) * 2 / (a[axis] + b[axis]) + 7);
  const guess = ((sides[0] + sides[1]) / 2 - 17) / 4;
  const near = [0, 1, -1, 2, -2].map((off) => Math.round(guess) + off).filter((each) => each > 0 && each < 41);
  near.sort((one, other) => Math.abs(one - guess) - Math.abs(other - guess));
  if (guess < 5.5) return near.slice(0, 3);
  const block = (finder, along, beside, along_size, beside_size) => {
    let word = 0;
    for (let bit = 17; bit >= 0; bit--) {
      const [a, b] = [((bit % 3) - 7) * along_size, ((bit / 3 | 0) - 3) * beside_size];
      word = word * 2 + (sample(relief, finder.x + along[0] * a + beside[0] * b, finder.y + along[1] * a + beside[1] * b) * finder.dark > 0 ? 1 : 0);
    }
    return word;
  };
  const said = versionOf([block(right, ways[0], ways[1], right.across, right.down), block(below, ways[1], ways[0], below.down, below.across)]);
  return said && Math.abs(said - guess) < 2 + guess / 5 ? [said, ...near.filter((each) => each !== said).slice(0, 1)] : near;
};

/**
 * How much around (u, v) is like a finder (`reach` 3, 6.3.3) or an alignment pattern (`reach` 2, 6.3.6), whose last ring
 * but one is light: 1 all of it, 0 as much as not.
 */
const likeness = (relief, plane, dark, u, v, reach) => {
  let [right, all] = [0, 1];
  for (let i = -reach; i <= reach; i++) {
    for (let j = -reach; j <= reach; j++) {
      const [x, y] = on(plane, u + i, v + j);
      const here = sample(relief, x, y) * dark;
      right += Math.max(Math.abs(i), Math.abs(j)) === reach - 1 ? -here : here;
      all += Math.abs(here);
    }
  }
  return right / all;
};

/** The alignment pattern next to (u, v), not more than `far` modules away: [likeness, u, v]. */
const alignment = (relief, plane, dark, u, v, far) => {
  let best = [-1, u, v];
  for (const [step, reach] of [[0.5, far], [0.2, 0.4]]) {
    const [, middleU, middleV] = best;
    for (let a = -reach; a <= reach + 0.01; a += step) {
      for (let b = -reach; b <= reach + 0.01; b += step) {
        const like = likeness(relief, plane, dark, middleU + a, middleV + b, 2) - 0.004 * Math.hypot(a, b);
        if (like > best[0]) best = [like, middleU + a, middleV + b];
      }
    }
  }
  return best;
};

/** The plane of a symbol, bent to the alignment patterns that are found from `plane` on, the lower right one first. */
const aligned = (relief, plane, dark, version, base) => {
  const middles = alignments(version);
  const last = middles[middles.length - 1];
  const known = base.slice();
  const find = (u, v, far) => {
    const [like, foundU, foundV] = alignment(relief, plane, dark, u + 0.5, v + 0.5, far);
    if (like > CERTAIN) known.push([u + 0.5, v + 0.5, ...on(plane, foundU, foundV)]);
    return like > CERTAIN;
  };
  if (!last || !find(last, last, Math.min(3 + version / 3, 9))) return plane;
  plane = planeOf(known) || plane;
  if (version < 7) return plane;
  for (const u of middles) for (const v of middles) if ((u > 6 || v > 6) && (u < last || v < last) && !(u === 6 && v === last) && !(u === last && v === 6)) find(u, v, 1.5);
  return planeOf(known) || plane;
};

/** How dark each module is: the mean of five points of it. */
const darkness = (relief, plane, side, dark) => {
  const found = new Float32Array(side * side);
  for (let v = 0; v < side; v++) {
    for (let u = 0; u < side; u++) {
      let sum = 0;
      for (const [a, b] of [[0.5, 0.5], [0.3, 0.5], [0.7, 0.5], [0.5, 0.3], [0.5, 0.7]]) {
        const [x, y] = on(plane, u + a, v + b);
        sum += sample(relief, x, y);
      }
      found[v * side + u] = sum * dark;
    }
  }
  return found;
};

/** The same where neighbours have run into each other: what differs from the four around counts more. */
const sharpened = (values, side) => values.map((value, i) => {
  const [x, y] = [i % side, i / side | 0];
  const near = (x ? values[i - 1] : 0) + (x < side - 1 ? values[i + 1] : 0) + (y ? values[i - side] : 0) + (y < side - 1 ? values[i + side] : 0);
  return value * 2 - near / 4;
});

/** How many modules of the two timing patterns are as they should be (6.3.5), 0 to 1. */
const timing = (relief, plane, side, dark) => {
  let right = 0;
  for (let k = 8; k < side - 8; k++) {
    for (const [u, v] of [[k, 6], [6, k]]) if (sample(relief, ...on(plane, u + 0.5, v + 0.5)) * dark > 0 === (k % 2 === 0)) right++;
  }
  return right / (2 * (side - 16));
};

/** The symbol whose finders are `three`: {text, fnc1, corners in pixels}, or null. */
export const symbolAt = (relief, three) => {
  const ways = [toward(three[0], three[1]), toward(three[0], three[2])];
  const places = [];
  for (const finder of three) {
    const place = measured(relief, finder, ...ways);
    if (!place) return null;
    places.push(place);
  }
  const [corner, right, below] = places;
  const { dark } = corner;
  for (const version of versionsOf(relief, corner, right, below, ways)) {
    const side = version * 4 + 17;
    const base = [[3.5, 3.5, corner.x, corner.y], [side - 3.5, 3.5, right.x, right.y], [3.5, side - 3.5, below.x, below.y]];
    for (const start of starts(base, places, ways, side)) {
      if (!start || version < 10 && timing(relief, start, side, dark) < 0.6) continue;
      if (base.some(([u, v]) => likeness(relief, start, dark, u, v, 3) < CERTAIN)) continue;
      const plane = aligned(relief, start, dark, version, base);
      if (timing(relief, plane, side, dark) < 0.7) continue;
      const values = darkness(relief, plane, side, dark);
      for (const each of [values, sharpened(values, side)]) {
        const read = textOfModules(Uint8Array.from(each, (value) => (value > 0 ? 1 : 0)), version);
        if (read) return { ...read, corners: [[0, 0], [side, 0], [side, side], [0, side]].map(([u, v]) => on(plane, u, v)) };
      }
    }
  }
  return null;
};

/** Planes to begin with: from all edges of the three finders, which show a perspective, and the even one. */
const starts = (base, places, ways, side) => {
  const edges = places.flatMap(({ x, y, ends }, i) => ends.flatMap(([far, back], axis) => [far, -back].map((length, k) => [
    base[i][0] + (axis ? 0 : k ? -3.5 : 3.5), base[i][1] + (axis ? (k ? -3.5 : 3.5) : 0),
    x + ways[axis][0] * length, y + ways[axis][1] * length])));
  const [corner, right, below] = base;
  const even = [side - 3.5, side - 3.5, right[2] + below[2] - corner[2], right[3] + below[3] - corner[3]];
  return [planeOf([...base.map((each) => [...each, 4]), ...edges]), planeOf([...base, even])];
};
