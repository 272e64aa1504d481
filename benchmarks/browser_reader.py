"""``python -m benchmarks.browser_reader``: our reader for browsers beside zxing-cpp, on the same pictures of labels.

Ours runs in Chromium as browsers get it, zxing-cpp compiled on this machine: for each way of taking a picture, how many
symbols each of them read, and the middle time a picture. Exit status 1 when ours read a symbol wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import zxingcpp
from playwright.async_api import Page, async_playwright

from benchmarks import machine
from benchmarks.machine import machine_line
from benchmarks.pictures import Grey, Shot, taken
from labels.symbol import matrix
from portal import browser_reader

PICTURES_DEFAULT: Final = 40
PICTURES_MAX: Final = 1_000
_HERE: Final = "http://localhost/"
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_READ: Final = """async (sizes) => {
  const bytes = new Uint8Array(await (await fetch("/pictures")).arrayBuffer());
  const worker = new Worker("/check/reader.js");
  const answer = () => new Promise((told, failed) => {
    worker.onmessage = (event) => told(event.data);
    worker.onerror = failed;
  });
  await answer();
  const all = [];
  let at = 0;
  for (const [width, height] of sizes) {
    const pixels = new Uint8Array(width * height * 4);
    for (let i = 0; i < width * height; i++, at++) pixels.fill(bytes[at], i * 4, i * 4 + 3);
    const [next, begin] = [answer(), performance.now()];
    worker.postMessage({ pixels: pixels.buffer, width, height }, [pixels.buffer]);
    const found = await next;
    all.push([found.map((each) => [each.rawValue, each.fnc1]), performance.now() - begin]);
  }
  worker.terminate();
  return all;
}"""
_Rng = np.random.Generator
_WAYS: Final[Mapping[str, Callable[[_Rng], Shot]]] = {
    "straight": lambda r: Shot(side=r.uniform(120, 440)),
    "turned": lambda r: Shot(side=r.uniform(120, 330), turn_deg=r.uniform(0, 360)),
    "tilted": lambda r: Shot(side=r.uniform(160, 300), turn_deg=r.uniform(0, 360), tilt=r.uniform(0.08, 0.2)),
    "far": lambda r: Shot(side=r.uniform(75, 110), turn_deg=r.uniform(0, 360)),
    "blurred": lambda r: Shot(side=r.uniform(150, 330), turn_deg=r.uniform(-20, 20), blur=r.uniform(0.4, 0.8)),
    "noisy": lambda r: Shot(side=r.uniform(150, 330), turn_deg=r.uniform(0, 360), noise=r.uniform(20, 60)),
    "faint": lambda r: Shot(side=r.uniform(150, 330), turn_deg=r.uniform(0, 360), dark=110, light=145, noise=3),
    "shaded": lambda r: Shot(side=r.uniform(150, 330), turn_deg=r.uniform(0, 360), shade=r.uniform(0.8, 1.4), noise=4),
    "inverse": lambda r: Shot(side=r.uniform(150, 330), turn_deg=r.uniform(0, 360), inverse=True, noise=4),
    "mirrored": lambda r: Shot(side=r.uniform(150, 330), turn_deg=r.uniform(0, 360), mirrored=True, noise=4),
    "of a camera": lambda r: Shot(
        width=1280,
        height=960,
        side=r.uniform(180, 600),
        turn_deg=r.uniform(0, 360),
        tilt=r.uniform(0, 0.12),
        blur=r.uniform(0.1, 0.5),
        noise=r.uniform(4, 18),
        dark=int(r.integers(30, 70)),
        light=int(r.integers(140, 220)),
        shade=r.uniform(0, 0.8),
    ),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader says of one picture: text and FNC1 of each symbol, and how long it took."""

    symbols: tuple[tuple[str, int], ...]
    took_ms: float


async def seen_by_ours(page: Page, pictures: Sequence[Grey]) -> list[Seen]:
    """What our reader says of the pictures, in their order, in the browser of ``page``."""
    every = b"".join(picture.tobytes() for picture in pictures)
    script = browser_reader.script()
    await page.route("**/*", lambda route: route.fulfill(body="<title>.</title>", content_type="text/html"))
    await page.route("**/pictures", lambda route: route.fulfill(body=every))
    await page.route("**/reader.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    await page.goto(_HERE)
    said = await page.evaluate(_READ, [[picture.shape[1], picture.shape[0]] for picture in pictures])
    return [Seen(tuple((text, fnc1) for text, fnc1 in symbols), took_ms) for symbols, took_ms in said]


def seen_by_zxing(picture: Grey) -> Seen:
    """What zxing-cpp says of a picture; its processor time."""
    wanted = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    begin = time.process_time()
    found = zxingcpp.read_barcodes(picture, formats=wanted)
    took_ms = (time.process_time() - begin) * 1_000
    return Seen(tuple((each.text, 0) for each in found), took_ms)


async def _ours(pictures: Sequence[Grey]) -> list[Seen]:
    program = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page()
        seen = await seen_by_ours(page, pictures)
        await browser.close()
    return seen


def _count(value: str) -> int:
    number = int(value)
    if not 1 <= number <= PICTURES_MAX:
        raise argparse.ArgumentTypeError(f"{value} is not 1 to {PICTURES_MAX:,}")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures, read them twice, tell; 1 when a symbol was read wrong by ours."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.browser_reader", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--pictures", type=_count, default=PICTURES_DEFAULT, help="pictures for each way of taking them"
    )
    parser.add_argument("--seed", type=int, default=1, help="other pictures for another number")
    asked = parser.parse_args(arguments)
    rng = np.random.default_rng(asked.seed)
    print(machine_line(machine.describe()))
    total, wrong = [0, 0], 0
    for way, shot in _WAYS.items():
        numbers = rng.integers(0, 10**8, asked.pictures)
        links = [f"https://id.example.com/01/09506000134352/21/TQEB{number:08d}" for number in numbers]
        pictures = [taken(matrix(link), shot(rng), rng) for link in links]
        both = (asyncio.run(_ours(pictures)), [seen_by_zxing(picture) for picture in pictures])
        read = [sum(each.symbols == ((link, 0),) for each, link in zip(one, links, strict=True)) for one in both]
        middle = [statistics.median(each.took_ms for each in one) for one in both]
        wrong += sum(
            bool({text for text, _ in each.symbols} - {link}) for each, link in zip(both[0], links, strict=True)
        )
        total = [sum(pair) for pair in zip(total, read, strict=True)]
        print(
            f"{way}: of {len(links)} ours {read[0]}, {middle[0]:.1f} ms a picture;"
            f" zxing-cpp {read[1]}, {middle[1]:.1f} ms a picture"
        )
    print(f"together: of {len(_WAYS) * asked.pictures} ours {total[0]}, zxing-cpp {total[1]}; ours read {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
