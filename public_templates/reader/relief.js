// Where a picture is dark: by how much each pixel lies below the light around it. Clauses are of ISO/IEC 18004:2015.

const BLOCK = 8; // pixels of a block's side
const REACH = 3; // blocks around one whose edges decide what is dark in it
const FLAT = 40; // weight of the whole picture, as the contrast of an edge in every block

/** Pixels of a canvas as grey: {width, height, grey}, one byte each. */
export const greyOf = (rgba, width, height) => {
  const grey = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < grey.length; i++, at += 4) grey[i] = (rgba[at] * 77 + rgba[at + 1] * 151 + rgba[at + 2] * 28) >> 8;
  return { width, height, grey };
};

/** The picture in half its size, each pixel the mean of four: large modules become such that blocks can judge. */
export const halved = ({ width, height, grey }) => {
  const [across, down] = [width >> 1, height >> 1];
  const half = new Uint8Array(across * down);
  for (let y = 0; y < down; y++) {
    for (let x = 0, at = 2 * y * width; x < across; x++, at += 2) {
      half[y * across + x] = (grey[at] + grey[at + 1] + grey[at + width] + grey[at + width + 1] + 2) >> 2;
    }
  }
  return { width: across, height: down, grey: half };
};

/** The picture in twice its size: modules of two pixels become such that runs can be measured. */
export const doubled = ({ width, height, grey }) => {
  const [across, down] = [width * 2 - 2, height * 2 - 2];
  const twice = new Uint8Array(across * down);
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const [at, right, below] = [(y >> 1) * width + (x >> 1), x & 1, (y & 1) * width];
      twice[y * across + x] = (grey[at] + grey[at + right] + grey[at + below] + grey[at + right + below]) >> 2;
    }
  }
  return { width: across, height: down, grey: twice };
};

/** The picture with what differs from four pixels around brought out, for modules that have run into each other. */
export const crisp = ({ width, height, grey }) => {
  const made = new Uint8ClampedArray(grey);
  const far = 4;
  for (let y = far; y < height - far; y++) {
    for (let x = far, i = y * width + far; x < width - far; x++, i++) {
      made[i] = 3 * grey[i] - (grey[i - far] + grey[i + far] + grey[i - far * width] + grey[i + far * width]) / 2;
    }
  }
  return { width, height, grey: made };
};

/**
 * The relief of a picture: {width, height, at}, `at` above 0 where it is dark (5.3.1 knows no grey; a camera does).
 * The threshold of a block is the middle between dark and light of the blocks around, edges counting most, so that
 * uneven light moves it and noise on plain paper does not.
 */
export const reliefOf = (picture) => {
  const { width, height, grey } = picture;
  const thresholds = thresholdsOf(picture);
  const { columns, rows } = thresholds;
  const at = new Int16Array(width * height);
  const left = new Int32Array(width);
  const part = new Float32Array(width);
  for (let x = 0; x < width; x++) {
    const column = Math.min(Math.max(x / BLOCK - 0.5, 0), columns - 1.001);
    left[x] = column;
    part[x] = column - left[x];
  }
  const line = new Float32Array(columns);
  for (let y = 0; y < height; y++) {
    const row = Math.min(Math.max(y / BLOCK - 0.5, 0), rows - 1.001);
    const [top, below] = [Math.floor(row), row - Math.floor(row)];
    for (let c = 0; c < columns; c++) {
      line[c] = thresholds.values[top * columns + c] * (1 - below) + thresholds.values[(top + 1) * columns + c] * below;
    }
    for (let x = 0, i = y * width; x < width; x++, i++) {
      at[i] = line[left[x]] + (line[left[x] + 1] - line[left[x]]) * part[x] - grey[i] + 0.5;
    }
  }
  return { width, height, at };
};

const thresholdsOf = ({ width, height, grey }) => {
  const [columns, rows] = [Math.max(2, Math.ceil(width / BLOCK)), Math.max(2, Math.ceil(height / BLOCK))];
  const weights = new Float32Array(columns * rows);
  const middles = new Float32Array(columns * rows);
  let [weight, sum] = [1, 128];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let [low, high] = [255, 0];
      const [right, bottom] = [Math.min((column + 1) * BLOCK, width), Math.min((row + 1) * BLOCK, height)];
      for (let y = row * BLOCK; y < bottom; y++) {
        for (let i = y * width + column * BLOCK, end = y * width + right; i < end; i++) {
          const value = grey[i];
          if (value < low) low = value;
          if (value > high) high = value;
        }
      }
      const here = row * columns + column;
      weights[here] = high > low ? (high - low) ** 2 : 0;
      middles[here] = weights[here] * (low + high) / 2;
      weight += weights[here];
      sum += middles[here];
    }
  }
  const flat = FLAT * FLAT;
  const near = [spread(weights, columns, rows), spread(middles, columns, rows)];
  const values = near[0].map((each, i) => (near[1][i] + flat * sum / weight) / (each + flat));
  return { columns, rows, values };
};

/** The sums over the blocks around each block. */
const spread = (values, columns, rows) => {
  const across = new Float32Array(values.length);
  const sums = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let c = Math.max(0, column - REACH); c <= Math.min(columns - 1, column + REACH); c++) sum += values[row * columns + c];
      across[row * columns + column] = sum;
    }
  }
  for (let row = 0; row < rows; row++) {
    for (let r = Math.max(0, row - REACH); r <= Math.min(rows - 1, row + REACH); r++) {
      for (let column = 0; column < columns; column++) sums[row * columns + column] += across[r * columns + column];
    }
  }
  return sums;
};

/** The relief between pixels, a pixel's middle at .5; 0 outside of the picture, which is neither dark nor light. */
export const sample = ({ width, height, at }, x, y) => {
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  if (left < 0 || top < 0 || left >= width - 1 || top >= height - 1) return 0;
  const [right, below, i] = [x - 0.5 - left, y - 0.5 - top, top * width + left];
  const upper = at[i] + (at[i + 1] - at[i]) * right;
  return upper + (at[i + width] + (at[i + width + 1] - at[i + width]) * right - upper) * below;
};
