#!/usr/bin/env python3
"""Fails when a file includes what the add_stage lines of src/CMakeLists.txt do not allow.

Those lines are the one place where the arrows between stages are written down. Beyond them: role files
(src/*.cpp) may use every stage but no library. cli/ may use the roles and, for the tools that wire nothing
(export, inspect, link, keygen) and the options it fills, stages, but no library of theirs.
Also fails on source files longer than 500 lines and on stages that src/README.md does not name.
"""
import re
import sys
from pathlib import Path

# Which library an include belongs to; what is not listed here is not checked.
LIBRARIES = {
    "libtorrent/": "LibtorrentRasterbar::torrent-rasterbar",
    "libav": "PkgConfig::libav",
    "boost/": "Boost::headers",
    "nlohmann/": "nlohmann_json::nlohmann_json",
    "sodium": "PkgConfig::sodium",
    "isa-l": "PkgConfig::isal",
    "CLI/": "CLI11::CLI11",
}
LONGEST_FILE = 500
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)')


def stages_of(cmake):
    """{stage: (stages it may include, libraries it may include)}"""
    stages = {}
    for name, body in re.findall(r"^add_stage\((\w+)(.*?)\)", cmake, re.M | re.S):
        words = {"USES": set(), "LINKS": set()}
        current = None
        for word in body.split():
            if word in words:
                current = words[word]
            elif current is not None:
                current.add(word)
        stages[name] = (words["USES"] | {name}, words["LINKS"])
    return stages


def wrong_includes(path, folders, libraries):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, name = match.groups()
        folder = name.split("/")[0] if "/" in name else ""
        ours = quote == '"' and folder not in folders
        theirs = quote == "<" and any(
            name.startswith(prefix) and library not in libraries
            for prefix, library in LIBRARIES.items())
        if ours or theirs:
            yield f"{path}:{number}: must not include {name}"


def problems(root):
    src = root / "src"
    stages = stages_of((src / "CMakeLists.txt").read_text())
    groups = [(src / name, *allowed) for name, allowed in stages.items()]
    groups.append((src, {"", *stages}, set()))
    tools = {"base", "feed", "archive", "http", "swarm"}
    groups.append((root / "cli", {"", *tools}, {"CLI11::CLI11", "nlohmann_json::nlohmann_json"}))
    for folder, folders, libraries in groups:
        for path in sorted(folder.glob("*.[ch]pp")):
            yield from wrong_includes(path, folders, libraries)
    for folder in sorted(src.iterdir()):
        if folder.is_dir() and folder.name not in stages:
            yield f"{folder}: no add_stage line in src/CMakeLists.txt"
    guide = src / "README.md"
    text = guide.read_text() if guide.exists() else ""
    for name in stages:
        if f"`{name}`" not in text:
            yield f"{guide}: does not name the stage `{name}`"
    for top in ("src", "cli", "tests", "scripts", "examples"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".py", ".js") and path.is_file():
                lines = len(path.read_text().splitlines())
                if lines > LONGEST_FILE:
                    yield f"{path}: {lines} lines, more than {LONGEST_FILE}"


if __name__ == "__main__":
    found = list(problems(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(found) or "layers: ok")
    sys.exit(bool(found))
