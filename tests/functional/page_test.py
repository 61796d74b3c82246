"""The page in a real browser: the picture moves."""
import json
import shutil
import subprocess
import urllib.request

import media
from harness import BUILD, PATIENCE, ROOT, Skip, check, main, need

PLAYWRIGHT = "playwright-core@1.65.1"


def install_playwright():
    """The browser's remote control, once per build folder."""
    folder = BUILD / "playwright"
    module = folder / "node_modules/playwright-core"
    if module.exists():
        return module
    need("npm")
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder),
                           PLAYWRIGHT], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise Skip(f"npm can't fetch {PLAYWRIGHT}: {done.stderr.decode(errors='replace').strip()[-200:]}")
    return module


def look(case, url, name, *variant):
    """What tests/functional/page.js saw at the address."""
    need("node")
    screenshots = BUILD / "screenshots"
    screenshots.mkdir(exist_ok=True)
    browser = case.run(["node", ROOT / "tests/functional/page.js", install_playwright(), need("chromium"), url,
                        screenshots / name, str(PATIENCE), *variant], "browser")
    browser.wait_exit(60)
    lines = [line for line in browser.output.splitlines() if line.startswith("{")]
    check(lines, f"the browser saw nothing: {browser.errors[-400:]}")
    return json.loads(lines[-1])


def test_the_picture_moves_in_a_browser(case):
    install_playwright()
    _, publisher = case.publish_from(media.encoder(40), "--chunk", "2", "--title", "A <b>test</b>")
    viewer = case.watch(publisher.link)
    viewer.until_status(lambda status: status["state"] == "live", 20, "plays")
    viewer.chunk(3)
    seen = look(case, viewer.url, "page")
    check("error" not in seen, seen.get("error"))
    check(seen["advanced"] > 2, f"the clock advanced {seen['advanced']} s in {seen['watched']} s")
    check(seen["frames"] > 30, f"{seen['frames']} frames were decoded")
    check(seen["differs"], "two screenshots of the picture are the same")
    check(not seen["foreign"], f"the page asks other hosts: {seen['foreign'][:3]}")
    check(not seen["complaints"], f"the page complains: {seen['complaints'][:3]}")
    check(seen["bold"] == 0, "the title became markup")


def test_without_its_player_library_the_page_says_how_to_watch(case):
    install_playwright()
    publisher = case.publish(media.recording(20), "--chunk", "2", "--loop")
    publisher.chunk(2)
    seen = look(case, publisher.url, "page-without-library", "without-library")
    check("error" not in seen, seen.get("error"))
    check(seen["covered"] and not seen["spins"], "nothing stands over the empty picture, or it goes on waiting")
    check("without its player" in seen["headline"] and "player of your own" in seen["detail"],
          f"the page says: {seen['headline']} {seen['detail']}")
    check(seen["inSight"], "what it says is out of sight")
    check(seen["behind"] == "–", f"nothing plays, {seen['behind']} behind live")
    stream, playlist = publisher.url + "stream.ts", publisher.url + "live.m3u8"
    check(seen["addresses"] == [f"mpv {stream}", f"ffplay {stream}", playlist], f"it offers {seen['addresses']}")
    for address in (stream, playlist):
        with urllib.request.urlopen(address, timeout=10 * PATIENCE) as reply:
            check(reply.read(188), f"{address} gives nothing")
    check(not seen["complaints"], f"the page complains: {seen['complaints'][:3]}")


def test_a_build_without_npm_has_an_empty_player_library(case):
    """What the page's build does is asked of it alone: the whole program takes minutes."""
    project = case.folder / "project"
    project.mkdir()
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(page NONE)\n"
        f"include({ROOT / 'src/http/page.cmake'})\n")
    for name, options in (("absent", ["-DNPM="]), ("off", ["-DMINUTESWARM_HLS_JS=OFF"])):
        build = case.folder / name
        done = case.run([need("cmake"), "-S", project, "-B", build, *options], "cmake")
        done.wait_exit(60, 0)
        library = build / "http_page/hls.js"
        check(library.exists() and library.stat().st_size == 0, f"{name}: the library is not an empty file")
        said = "MINUTESWARM_HLS_JS" in done.errors
        check(said == (name == "absent"), f"{name}: {done.errors.strip() or 'nothing'} was said")


if __name__ == "__main__":
    main()
