#!/usr/bin/env python3
"""Draw the README's finding as an image: docs/finding.svg.

    docs/picture.py PROGRAM            write the image
    docs/picture.py --check PROGRAM    exit with 1 if the image is not what the program prints now

The script runs `sessionlint check` on the broken stream in the README and draws its coloured output cell by cell. The
same output gives the same bytes. It needs Python 3.9 or later and only the standard library.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path
from xml.sax.saxutils import escape

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"
IMAGE = DOCS / "finding.svg"

COMMAND = "sessionlint check session.ndjson"

# The size of a terminal cell and the space around the text, in the image's units.
CELL, LINE, SIZE = 8.4, 18, 14
PADDING, ASCENT = 20, 15

FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
BACKGROUND, BORDER, TEXT, FAINT, PROMPT = "#161b22", "#30363d", "#dce3ea", "#8b949e", "#56d364"
# Indexed by SGR number minus 30. The bright colours, from 90, look the same.
COLOURS = ["#8b949e", "#ff7b72", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#76e3ea", "#f0f6fc"]

SGR = re.compile(r"\x1b\[([0-9;]*)m")


def broken_stream():
    """Return the README's broken recording, the one block that is not linted."""
    blocks = re.findall(r"^```\w+ sessionlint=skip\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
    if len(blocks) != 1:
        sys.exit(f"{README.name} should have one block that says sessionlint=skip; it has {len(blocks)}")
    return blocks[0]


def coloured_output(program):
    """Return what the program prints about that recording, whatever the environment says about colours and widths."""
    program = Path(program).resolve()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "session.ndjson").write_bytes(broken_stream().encode())
        arguments = [str(program), *COMMAND.split()[1:], "--color", "always", "--no-config"]
        kept = {name: os.environ[name] for name in ("PATH", "SystemRoot") if name in os.environ}
        try:
            ran = subprocess.run(arguments, cwd=folder, env=kept, stdin=subprocess.DEVNULL, capture_output=True)
        except OSError as error:
            sys.exit(f"cannot run {program}: {error.strerror}")
    if ran.returncode != 1 or ran.stderr or not ran.stdout:
        said = ran.stderr.decode(errors="replace")
        sys.exit(f"{program} should find something and exit with 1; it exited with {ran.returncode}: {said}")
    return ran.stdout.decode("utf-8")


def style_after(style, parameters):
    """Return the style after an escape sequence."""
    style = dict(style)
    for code in (int(number or 0) for number in parameters.split(";")):
        if code == 0:
            style = {}
        elif code == 1:
            style["font-weight"] = "bold"
        elif code == 2:
            style["fill"] = FAINT
        elif code == 4:
            style["text-decoration"] = "underline"
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style["fill"] = COLOURS[code % 10]
        elif code == 39:
            style.pop("fill", None)
        else:
            sys.exit(f"the output has the escape sequence SGR {code}, which {Path(__file__).name} cannot draw yet")
    return style


def styled(line, style):
    """Return a line as pairs of style and text, and the style at its end."""
    pieces = SGR.split(line)
    spans = [(style, pieces[0])]
    for parameters, text in zip(pieces[1::2], pieces[2::2]):
        style = style_after(style, parameters)
        spans.append((style, text))
    return [(style, text) for style, text in spans if text], style


def cells(text):
    """Return how many terminal columns a text takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def number(value):
    return f"{value:.1f}".removesuffix(".0")


def drawn(spans, row):
    """Return a line as an SVG element, and its width in columns.

    Each piece between runs of spaces gets its own position and width, so that everything lines up in any font and
    however white space is treated.
    """
    column, parts = 0, []
    for style, text in spans:
        look = "".join(f' {name}="{value}"' for name, value in style.items())
        for piece in re.finditer(r"\S+(?: \S+)*", text):
            x = PADDING + (column + cells(text[:piece.start()])) * CELL
            place = f'x="{number(x)}" textLength="{number(cells(piece[0]) * CELL)}" lengthAdjust="spacingAndGlyphs"'
            parts.append(f"<tspan {place}{look}>{escape(piece[0])}</tspan>")
        column += cells(text)
    return f'<text y="{PADDING + ASCENT + row * LINE}">{"".join(parts)}</text>', column


def image(output):
    lines = [[({"fill": PROMPT, "font-weight": "bold"}, "$"), ({}, f" {COMMAND}")]]
    style = {}
    for line in output.splitlines():
        spans, style = styled(line, style)
        lines.append(spans)
    texts, columns = zip(*(drawn(spans, row) for row, spans in enumerate(lines)))
    width, height = round(2 * PADDING + max(columns) * CELL), 2 * PADDING + len(lines) * LINE
    frame = f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="10"'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-labelledby="title">',
        f'<title id="title">{escape(COMMAND)}, and the finding that it reports</title>',
        f'{frame} fill="{BACKGROUND}" stroke="{BORDER}"/>',
        f'<g font-family="{FONTS}" font-size="{SIZE}" fill="{TEXT}">',
        *texts,
        "</g>",
        "</svg>",
        "",
    ])


def main():
    parser = argparse.ArgumentParser(description="Draw the README's finding as an image.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the image is out of date")
    parser.add_argument("program", metavar="PROGRAM", help="the sessionlint to run, such as target/debug/sessionlint")
    arguments = parser.parse_args()

    now = image(coloured_output(arguments.program)).encode()
    if not arguments.check:
        IMAGE.write_bytes(now)
        return
    there = IMAGE.read_bytes() if IMAGE.is_file() else None
    if there != now:
        state = "is missing" if there is None else "is not what the program prints now"
        sys.exit(f"docs/{IMAGE.name} {state}; write it with: docs/picture.py {arguments.program}")


if __name__ == "__main__":
    main()
