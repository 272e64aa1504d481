// The reader: the QR symbols of a picture, of all versions and levels, dark on light or light on dark, mirrored or not.
import { doubled, halved, reliefOf } from "./relief.js";
import { finders, triples } from "./finders.js";
import { symbolAt } from "./grid.js";

const DOUBLED_PX = 700_000; // pixels of a picture that is looked at in twice its size too

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
 * The symbols of a grey picture: [{text, fnc1}]. Nothing that was not corrected in full is among them. Looked at as it
 * is, then smaller, for large modules, blur and noise, then larger, for small modules.
 */
export const read = (picture) => {
  const sizes = [(each) => each, halved, (each) => halved(halved(each))];
  if (picture.width * picture.height <= DOUBLED_PX) sizes.push(doubled);
  for (const sized of sizes) {
    const found = readAt(sized(picture));
    if (found.length) return found.map(({ text, fnc1 }) => ({ text, fnc1 }));
  }
  return [];
};
