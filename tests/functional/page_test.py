"""The page in a real browser: the picture moves."""
import json
import shutil
import subprocess

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


def look(case, url, name):
    """What tests/functional/page.js saw at the address."""
    need("node")
    screenshots = BUILD / "screenshots"
    screenshots.mkdir(exist_ok=True)
    browser = case.run(["node", ROOT / "tests/functional/page.js", install_playwright(), need("chromium"), url,
                        screenshots / name, str(PATIENCE)], "browser")
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


if __name__ == "__main__":
    main()
