// The three corners of a symbol: finder patterns, and which three of them belong together (ISO/IEC 18004:2015, 12 b).

const FINDERS_MAX = 72; // in one picture; those that most lines cross are kept
const NEAR_MAX = 10; // finders around a corner
const TRIPLES_MAX = 100; // in one picture
const LINES = 500; // rows looked at in one picture, about

/** Finder patterns of a relief: [{x, y, size, dark, votes}], `size` pixels a module, `dark` 1, or -1 of light on dark. */
export const finders = (relief) => {
  const { width, height, at } = relief;
  const found = [];
  const step = Math.max(1, Math.round(height / LINES));
  const ends = new Int32Array(width + 1);
  for (let y = step >> 1; y < height; y += step) {
    let count = 0;
    for (let x = 1, i = y * width; x < width; x++) if (at[i + x] > 0 !== at[i + x - 1] > 0) ends[count++] = x;
    for (let k = 5; k < count; k++) {
      const total = ends[k] - ends[k - 5];
      if (!isFinder(ends[k - 4] - ends[k - 5], ends[k - 3] - ends[k - 4], ends[k - 2] - ends[k - 3], ends[k - 1] - ends[k - 2], ends[k] - ends[k - 1])) continue;
      const each = crossed(relief, (ends[k - 3] + ends[k - 2]) / 2, y + 0.5, total);
      if (each) add(found, each);
    }
  }
  return found.filter((each) => each.votes > 1).sort((one, other) => other.votes - one.votes).slice(0, FINDERS_MAX);
};

/** Runs of 1:1:3:1:1 modules, each half a module off at the most; a pixel more where modules are small (12 a). */
const isFinder = (a, b, c, d, e) => {
  const size = (a + b + c + d + e) / 7;
  const off = size * 0.5 + 0.5;
  return size >= 1 && Math.abs(a - size) < off && Math.abs(b - size) < off && Math.abs(c - 3 * size) < 2 * off
    && Math.abs(d - size) < off && Math.abs(e - size) < off;
};

/** What a line along a row met, crossed downwards, along the row again, and aslant; null where it is no finder. */
const crossed = (relief, x, y, total) => {
  const down = runs(relief, x, y, 0, 1, total);
  if (!down || down.total > total * 2.5 || total > down.total * 2.5) return null;
  const across = runs(relief, x, y + down.off, 1, 0, total);
  if (!across) return null;
  const aslant = [1, -1].some((way) => runs(relief, x + across.off, y + down.off, way, 1, total));
  if (!aslant) return null;
  const dark = relief.at[Math.floor(y + down.off) * relief.width + Math.floor(x + across.off)] > 0 ? 1 : -1;
  return { x: x + across.off, y: y + down.off, size: Math.sqrt(across.total * down.total) / 7, dark, votes: 1 };
};

/** The runs through a point in steps of whole pixels: their length together, and how far off their middle is. */
const runs = ({ width, height, at }, x, y, dx, dy, longest) => {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  if (left < 0 || top < 0 || left >= width || top >= height) return null;
  const inner = at[top * width + left] > 0;
  const half = (sign) => { // pixels of the middle run, of the ring of the other colour, and of the outer ring
    const lengths = [0, 0, 0];
    for (let k = sign > 0 ? 0 : 1, part = 0; k < longest * 2; k++) {
      const [px, py] = [left + k * sign * dx, top + k * sign * dy];
      if (px < 0 || py < 0 || px >= width || py >= height) return part === 2 ? lengths : null;
      if ((at[py * width + px] > 0) === (inner === (part !== 1))) lengths[part]++;
      else if (++part === 3) return lengths;
      else lengths[part] = 1;
    }
    return null;
  };
  const [one, other] = [half(1), half(-1)];
  if (!one || !other || !isFinder(other[2], other[1], one[0] + other[0], one[1], one[2])) return null;
  const total = one[0] + other[0] + one[1] + other[1] + one[2] + other[2];
  return { total, off: (one[0] - other[0]) / 2 + (dx ? left - x : top - y) };
};

const add = (found, each) => {
  for (const known of found) {
    const near = Math.max(known.size, each.size) * 2.5;
    if (known.dark !== each.dark || Math.abs(known.x - each.x) > near || Math.abs(known.y - each.y) > near) continue;
    const votes = known.votes + 1;
    for (const name of ["x", "y", "size"]) known[name] += (each[name] - known[name]) / votes;
    known.votes = votes;
    return;
  }
  found.push(each);
};

/**
 * Threes that may be one symbol, the squarest and smallest first: [corner, right, below], turned so that `below` is
 * clockwise. Of the finders around a corner the nearest are looked at: those of its own symbol are among them.
 */
export const triples = (found) => {
  const all = [];
  for (const corner of found) {
    const near = found.filter((each) => each !== corner && each.dark === corner.dark && alike(each, corner));
    const far = (each) => Math.hypot(each.x - corner.x, each.y - corner.y);
    near.sort((one, other) => far(one) - far(other));
    near.slice(0, NEAR_MAX).forEach((one, i, few) => few.slice(0, i).forEach((other) => {
      const three = alike(one, other) && squareness(corner, one, other);
      if (three && three.off < 2.5) all.push(three);
    }));
  }
  return all.sort((one, other) => one.off - other.off).slice(0, TRIPLES_MAX).map(({ three }) => three);
};

const alike = (one, other) => one.size < 2.5 * other.size && other.size < 2.5 * one.size;

/** How far three are from a right angle with equal legs that a version can have (14 to 170 modules). */
const squareness = (corner, one, other) => {
  const [ax, ay, bx, by] = [one.x - corner.x, one.y - corner.y, other.x - corner.x, other.y - corner.y];
  const [a, b] = [Math.hypot(ax, ay), Math.hypot(bx, by)];
  const size = (corner.size + one.size + other.size) / 3;
  if (Math.min(a, b) < size * 8 || Math.max(a, b) > size * 220) return null;
  const skew = Math.abs(ax * bx + ay * by) / (a * b);
  const sizes = Math.abs(Math.log(corner.size / one.size)) + Math.abs(Math.log(corner.size / other.size));
  const three = ax * by - ay * bx > 0 ? [corner, one, other] : [corner, other, one];
  return { off: skew * 1.5 + Math.abs(Math.log(a / b)) + sizes + Math.log(a / size / 8) / 4, three };
};
