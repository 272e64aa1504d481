// Reads the pictures of a camera beside the page, which stays at hand meanwhile; it answers in the browser's own words.
import { greyOf } from "./relief.js";
import { read } from "./read.js";

onmessage = ({ data: { pixels, width, height } }) => {
  const found = read(greyOf(new Uint8Array(pixels), width, height));
  postMessage(found.map(({ text, fnc1 }) => ({ rawValue: text, format: "qr_code", fnc1 })));
};
postMessage([]); // ready
