#!/usr/bin/env python3
"""A still of `andon run --watch` as SVG.

    andon run --station STATION.toml --watch > screens.txt
    python3 docs/pictures/still.py screens.txt -o docs/pictures/watch.svg [--screen N]

Into a file the view writes all screens, each behind a form feed. The last one is taken, or the N-th
(from 1, or from the end with a minus). Needs nothing but Python.
"""

import argparse
import base64
import html
import re
import struct
import zlib

CELL_W, CELL_H, FONT = 8.4, 18, 14
PAD = 22
GROUND, TEXT, DIM = "#10141a", "#d7dde5", "#6d7885"
COLOURS = {31: "#ff5c57", 32: "#4ecb71", 33: "#ffb648", 34: "#57a5ff"}
CODE = re.compile(r"\x1b\[([0-9;]*)m")


class Style:
    """What the codes so far amount to."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.fore = self.back = None
        self.bold = self.dim = False

    def take(self, codes):
        numbers = [int(n or 0) for n in codes.split(";")]
        while numbers:
            n = numbers.pop(0)
            if n == 0:
                self.clear()
            elif n == 1:
                self.bold = True
            elif n == 2:
                self.dim = True
            elif n in COLOURS:
                self.fore = COLOURS[n]
            elif n in (38, 48) and numbers[:1] == [2]:
                colour = tuple(numbers[1:4])
                del numbers[:4]
                if n == 38:
                    self.fore = colour
                else:
                    self.back = colour

    def fill(self):
        return self.fore or (DIM if self.dim else TEXT)


def signs(line):
    """The signs of a line, each with its column and style."""
    style, column, at = Style(), 0, 0
    while at < len(line):
        code = CODE.match(line, at)
        if code:
            style.take(code[1])
            at = code.end()
            continue
        yield column, line[at], style.fill(), style.back, style.bold
        column += 1
        at += 1


def png(rows):
    """Rows of (r, g, b) as a PNG file."""
    raw = b"".join(b"\0" + bytes(c for pixel in row for c in pixel) for row in rows)

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    data = zlib.compress(raw, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def draw(text):
    """One screen as SVG."""
    lines = text.rstrip("\n").split("\n")
    columns = max(sum(1 for _ in signs(line)) for line in lines)
    width, height = columns * CELL_W + 2 * PAD, len(lines) * CELL_H + 2 * PAD
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="ui-monospace, \'DejaVu Sans Mono\', '
        f'Menlo, Consolas, monospace" font-size="{FONT}">',
        f'<rect width="100%" height="100%" rx="10" fill="{GROUND}"/>',
    ]
    pixels, first = [], None
    for row, line in enumerate(lines):
        top = PAD + row * CELL_H
        run = []

        def flush():
            # Blanks at the ends are not drawn: renderers do not agree how wide they are.
            while run and run[0][1] == " ":
                run.pop(0)
            while run and run[-1][1] == " ":
                run.pop()
            if run:
                start, _, fill, _, bold = run[0]
                words = html.escape("".join(sign for _, sign, *_ in run))
                weight = ' font-weight="bold"' if bold else ""
                out.append(
                    f'<text x="{PAD + start * CELL_W:.1f}" y="{top + 0.74 * CELL_H:.1f}" '
                    f'fill="{fill}"{weight} xml:space="preserve" lengthAdjust="spacingAndGlyphs" '
                    f'textLength="{len(run) * CELL_W:.1f}">{words}</text>'
                )
            run.clear()

        upper, lower = [], []
        for sign in signs(line):
            column, letter, fill, back, bold = sign
            left = PAD + column * CELL_W
            if letter == "▀":
                flush()
                first = first or (left, top)
                upper.append(fill)
                lower.append(back)
            elif letter in "█─":
                # Drawn, so that one joins the next in every font.
                flush()
                rise, thick = (3, CELL_H - 6) if letter == "█" else (CELL_H / 2 - 0.5, 1)
                out.append(
                    f'<rect x="{left:.1f}" y="{top + rise:.1f}" width="{CELL_W + 0.1:.1f}" '
                    f'height="{thick}" fill="{fill}"/>'
                )
            else:
                if run and run[-1][2:] != sign[2:]:
                    flush()
                run.append(sign)
        flush()
        if upper:
            pixels += [upper, lower]
    if pixels:
        data = base64.b64encode(png(pixels)).decode()
        left, top = first
        out.append(
            f'<image x="{left:.1f}" y="{top}" width="{len(pixels[0]) * CELL_W:.1f}" '
            f'height="{len(pixels) * CELL_H / 2:.1f}" preserveAspectRatio="none" '
            f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        )
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("screens")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--screen", type=int, default=-1)
    given = parser.parse_args()
    with open(given.screens, encoding="utf-8") as file:
        screens = file.read().split("\x0c")[1:]
    chosen = screens[given.screen - 1 if given.screen > 0 else given.screen]
    with open(given.output, "w", encoding="utf-8") as file:
        file.write(draw(chosen))


if __name__ == "__main__":
    main()
