// Opens a viewer's page and prints as JSON what happens there.
// node page.js PLAYWRIGHT CHROMIUM URL SCREENSHOT PATIENCE [without-library | low-latency]
// low-latency: also what hls.js says of its distance to the live edge, and how far the picture is behind the publisher's clock.
// without-library: as built without hls.js, in a browser that can't play HLS itself.
const { createRequire } = require("module");
const os = require("os");
const path = require("path");
const fs = require("fs");
const [, , playwright, executablePath, url, screenshot, patience, variant] = process.argv;
const { chromium } = createRequire(__filename)(playwright);

const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
];
const WATCHED_MS = 4000;
const LOOKS = 20;
const LOOK_MS = 250;

const clock = (page) => page.evaluate(() => {
  const video = document.querySelector("video");
  return { at: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames };
});

async function watch(page) {
  const limit = 20000 * Number(patience);
  await page.goto(url, { timeout: limit });
  await page.waitForSelector("video", { timeout: limit });
  await page.evaluate(() => document.querySelector("video").play().catch(() => {}));
  await page.waitForFunction(() => document.querySelector("video").currentTime > 0 &&
    document.querySelector("video").readyState >= 3, null, { timeout: limit });
  const before = await clock(page);
  const first = await page.locator("video").screenshot();
  await page.waitForTimeout(WATCHED_MS);
  const after = await clock(page);
  const second = await page.locator("video").screenshot({ path: `${screenshot}-video.png` });
  await page.screenshot({ path: `${screenshot}.png` });
  return {
    advanced: after.at - before.at,
    watched: WATCHED_MS / 1000,
    frames: after.frames - before.frames,
    differs: !first.equals(second),
    bold: await page.locator("b").count(),
  };
}

async function watchLowLatency(page) {
  const parts = [];
  const refused = [];
  page.on("response", (response) => {
    if (new URL(response.url()).pathname.startsWith("/parts/")) parts.push(response.url());
    if (response.status() >= 400) refused.push(`${response.status()} ${response.url()}`);
  });
  const seen = await watch(page);
  const behindMuxer = [];
  for (let i = 0; i < LOOKS; ++i) {
    await page.waitForTimeout(LOOK_MS);
    behindMuxer.push(await page.evaluate(() => (Date.now() - hls.playingDate?.getTime()) / 1000));
  }
  const player = await page.evaluate("({ latency: hls.latency, target: hls.targetLatency, isLow: hls.lowLatencyMode })");
  return { ...seen, ...player, parts: parts.length, refused, behindMuxer };
}

const VARIANTS = { "without-library": withoutLibrary, "low-latency": watchLowLatency };

async function withoutLibrary(page) {
  const limit = 20000 * Number(patience);
  await page.route("**/hls.js", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
  await page.addInitScript(() => { HTMLMediaElement.prototype.canPlayType = () => ""; });
  await page.goto(url, { timeout: limit });
  await page.waitForFunction(() => document.getElementById("elsewhere").open, null, { timeout: limit });
  await page.screenshot({ path: `${screenshot}.png` });
  const text = (selector) => page.locator(selector).innerText();
  return {
    headline: await text("#headline"),
    detail: await text("#detail"),
    addresses: await page.locator("#elsewhere code").allInnerTexts(),
    covered: await page.locator("#cover").isVisible(),
    spins: await page.locator("#spinner").isVisible(),
    behind: await text("#latency"),
    inSight: await page.evaluate(() => [...document.querySelectorAll("#headline, #elsewhere code")].every((element) => {
      const box = element.getBoundingClientRect();
      return box.top >= 0 && box.bottom <= innerHeight;
    })),
  };
}

async function main() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "minuteswarm-chromium-"));
  const browser = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: ARGUMENTS });
  const page = await browser.newPage();
  const home = new URL(url).host;
  const foreign = [];
  const complaints = [];
  page.on("request", (request) => {
    const to = new URL(request.url());
    if (to.protocol.startsWith("http") && to.host !== home) foreign.push(request.url());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  let seen;
  try {
    seen = await (VARIANTS[variant] || watch)(page);
  } catch (error) {
    seen = { error: String(error) };
    await page.screenshot({ path: `${screenshot}-failed.png` }).catch(() => {});
  }
  console.log(JSON.stringify({ ...seen, foreign, complaints }));
  await browser.close();
  fs.rmSync(profile, { recursive: true, force: true });
}

main();
