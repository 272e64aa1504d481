// The reader: the QR symbols of a picture, of all versions and levels, dark on light or light on dark, mirrored or not.
import { crisp, doubled, halved, reliefOf } from "./relief.js";
import { finders, triples } from "./finders.js";
import { symbolAt } from "./grid.js";

const LARGE_PX = 600_000; // pixels of a picture that need not be looked at in twice its size

/** Whether a finder lies within a symbol that was read. */
const within = ({ x, y }, corners) => corners.every(([ax, ay], i) => {
  const [bx, by] = corners[(i + 1) % 4];
  return (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0;
});

/** The symbols of a picture in one size. */
const readAt = (picture) => {
  const relief = reliefOf(picture);
  const read = [];
  let left = finders(relief);
  for (const three of triples(left)) {
    if (!three.every((each) => left.includes(each))) continue;
    const symbol = symbolAt(relief, three);
    if (!symbol) continue;
    read.push(symbol);
    left = left.filter((each) => !three.includes(each) && !within(each, symbol.corners));
  }
  return read;
};

/**
 * The symbols of a grey picture: [{text, fnc1}]. Nothing that was not corrected in full is among them. A large picture is
 * looked at in half its size first, which is enough for most and quickest, then as it is; a small one as it is, and in
 * twice its size for small modules. Large modules and noise are seen best in smaller ones; last, those that are blurred.
 */
export const read = (picture) => {
  const half = halved(picture);
  const looks = picture.width * picture.height > LARGE_PX
    ? [() => half, () => picture, () => halved(half), () => crisp(half)]
    : [() => picture, () => half, () => doubled(picture), () => halved(half), () => crisp(picture), () => crisp(half)];
  for (const look of looks) {
    const found = readAt(look());
    if (found.length) return found.map(({ text, fnc1 }) => ({ text, fnc1 }));
  }
  return [];
};
