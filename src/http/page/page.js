"use strict";

const byId = (id) => document.getElementById(id);
const video = byId("player");
const hasLibrary = () => window.Hls !== undefined && window.Hls.isSupported();
const playsHls = () => video.canPlayType("application/vnd.apple.mpegurl") !== "";

const POLL = 1000; // ms
const RETRY = 2000;

let status = { state: "connecting" };
let stream = null; // path of the continuous stream, e.g. /stream.ts; null while unknown
let mode = "live"; // or "start"
let isRecording = false; // the broadcast was over before: played from its start
let hls = null;
let isPlaying = false; // a source is attached
let hasPlayed = false; // something of this broadcast
let isUnplayable = false;
let attempt = 0; // an answer to an older one is not acted upon
let retryAt = 0; // not to be attached again before

// What is said over the picture. Nothing: the picture is free.
function cover(headline, options = {}) {
  byId("cover").hidden = !headline;
  byId("headline").textContent = headline || "";
  byId("detail").textContent = options.detail || "";
  byId("spinner").hidden = !options.isWaiting;
  byId("action").hidden = !options.action;
  byId("action").textContent = options.action || "";
  byId("action").onclick = options.onAction || null;
}

function rate(bits) {
  if (!(bits >= 0)) return "–";
  if (bits < 1e6) return `${Math.round(bits / 1e3)} kbit/s`;
  return `${(bits / 1e6).toFixed(1)} Mbit/s`;
}

// Known to the swarm but not yet released, plus released but not yet shown.
function secondsBehind() {
  const swarm = status.latency ? status.latency.now / 1000 : NaN;
  const shown = hls && mode === "live" && Number.isFinite(hls.latency) ? hls.latency : 0;
  return swarm + shown;
}

function showFigures() {
  const behind = secondsBehind();
  const isKnown = isPlaying && behind >= 0 && status.state === "live";
  byId("latency").textContent = isKnown ? `${behind.toFixed(1)} s` : "–";
  byId("peers").textContent = status.peers ? String(status.peers.length) : "–";
  byId("down").textContent = rate(status.rates && status.rates.down);
  byId("up").textContent = rate(status.rates && status.rates.up);
}

function showState() {
  const title = status.title || "minuteswarm";
  byId("title").textContent = title;
  document.title = status.title ? `${title} – minuteswarm` : title;
  byId("state").textContent = status.state;
  byId("state").dataset.state = status.state;
  byId("unmute").hidden = !(isPlaying && video.muted && byId("cover").hidden);
  byId("modes").hidden = !isPlaying || !(hasLibrary() || playsHls());
  byId("go-live").hidden = isRecording || status.state === "ended";
  byId("go-live").setAttribute("aria-pressed", String(mode === "live"));
  byId("go-start").setAttribute("aria-pressed", String(mode === "start"));
}

function showAddresses() {
  const root = location.origin;
  byId("mpv").textContent = `mpv ${root}${stream || "/stream"}`;
  byId("ffplay").textContent = `ffplay ${root}${stream || "/stream"}`;
  byId("playlist").textContent = `${root}/live.m3u8`;
}

function giveUp(headline, detail) {
  detach();
  isUnplayable = true;
  video.controls = false;
  cover(headline, { detail });
  byId("elsewhere").open = true;
  byId("elsewhere").scrollIntoView({ block: "nearest" });
}

function detach() {
  attempt += 1;
  isPlaying = false;
  if (hls) hls.destroy();
  hls = null;
  video.removeAttribute("src");
  video.load();
}

function retryLater() {
  detach();
  retryAt = Date.now() + RETRY;
}

function isAudio() { return stream === "/stream.mp3" || stream === "/stream.aac"; }

// With parts the playlist says how close to the edge one can play. Without, not closer than two seconds: measured to
// play without a stall from chunks of 1 to 10 s.
function liveSettings(playlist) {
  if (playlist.includes("#EXT-X-PART-INF")) {
    return { lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.2, backBufferLength: 60 };
  }
  const match = /#EXT-X-TARGETDURATION:(\d+)/.exec(playlist);
  const targetDuration = match ? Number(match[1]) : 4;
  const distance = Math.max(2, 1.5 * targetDuration);
  return {
    liveSyncDuration: distance,
    liveMaxLatencyDuration: distance + 7,
    maxLiveSyncPlaybackRate: 1.2,
    backBufferLength: 60,
  };
}

async function attachLibrary(path) {
  const mine = attempt;
  const response = await fetch(path, { cache: "no-store" });
  if (mine !== attempt) return;
  if (!response.ok) return retryLater();
  const playlist = await response.text();
  if (mine !== attempt) return;
  const settings = mode === "live" ? liveSettings(playlist) : { startPosition: 0 };
  hls = new window.Hls(settings);
  // Not taken as a setting without a distance, which would stand against the playlist's own.
  if (settings.lowLatencyMode) hls.config.liveMaxLatencyDurationCount = 5;
  hls.on(window.Hls.Events.ERROR, (name, problem) => onLibraryError(problem));
  hls.loadSource(path);
  hls.attachMedia(video);
}

let recoveries = 0;
function onLibraryError(problem) {
  if (problem.details === window.Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR ||
      problem.details === window.Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR) {
    giveUp("This browser can't play the broadcast's codecs", "A player of your own can:");
  } else if (problem.fatal && problem.type === window.Hls.ErrorTypes.MEDIA_ERROR && recoveries < 3) {
    recoveries += 1;
    hls.recoverMediaError();
  } else if (problem.fatal) {
    retryLater();
  }
}

async function attach() {
  detach();
  isPlaying = true;
  const path = mode === "live" ? "/live.m3u8" : "/dvr.m3u8";
  byId("screen").classList.toggle("is-audio", isAudio());
  video.controls = true;
  cover(isAudio() ? null : "Loading…", { isWaiting: true });
  const isWhole = mode === "live" || isRecording; // the continuous stream is what is wanted
  if (isWhole && (isAudio() || stream === "/stream.mp4")) video.src = stream;
  else if (hasLibrary()) await attachLibrary(path).catch(retryLater);
  else if (playsHls()) video.src = path;
  else return giveUp("This page was built without its player", "Watch it in a player of your own:");
  play();
}

function play() {
  const mine = attempt;
  video.play().catch((problem) => {
    if (mine !== attempt || problem.name !== "NotAllowedError") return;
    cover("Ready", { action: isAudio() ? "Listen" : "Play", onAction: () => video.play() });
  });
}

function choose(wanted) {
  mode = wanted;
  recoveries = 0;
  if (stream) attach();
  showState();
}

// The playlist says where to begin.
async function learnKind() {
  const response = await fetch("/live.m3u8", { cache: "no-store" });
  if (!response.ok) return false;
  const wasRecording = isRecording;
  isRecording = (await response.text()).includes("#EXT-X-START");
  if (isRecording !== wasRecording) mode = isRecording ? "start" : "live";
  return true;
}

function coverEnd() {
  const canReplay = hasLibrary() || playsHls();
  const action = canReplay ? "Watch from the start" : null;
  cover("The broadcast has ended", { action, onAction: () => choose("start") });
}

// Follows the state from one poll to the next.
async function follow() {
  if (isUnplayable) return;
  if (status.state === "starting") {
    if (isPlaying) detach();
    const peers = status.peers ? status.peers.length : 0;
    const detail = peers ? "Connected; the first bytes are on their way." : "Looking for peers.";
    return cover("Waiting for the broadcast", { detail, isWaiting: true });
  }
  if (stream === null) {
    const response = await fetch("/stream", { method: "HEAD" });
    if (response.ok && await learnKind()) stream = new URL(response.url).pathname;
    showAddresses();
  }
  if (isPlaying || stream === null) return;
  if (status.state === "ended" && (!isRecording || hasPlayed)) coverEnd();
  else if (Date.now() >= retryAt) attach();
}

// What comes next may be another broadcast.
function forget() {
  stream = null;
  hasPlayed = false;
}

async function poll() {
  try {
    const response = await fetch("/api/status", { cache: "no-store" });
    const before = status.event;
    status = await response.json();
    if (status.event !== before) forget();
    await follow();
  } catch {
    status = { state: "offline", title: status.title };
    forget();
    if (!isPlaying) cover("minuteswarm has stopped", { detail: "Start it again and this page goes on." });
  }
  showState();
  showFigures();
  setTimeout(poll, POLL);
}

video.addEventListener("playing", () => { hasPlayed = true; cover(null); recoveries = 0; showState(); });
video.addEventListener("volumechange", showState);
video.addEventListener("ended", () => { detach(); if (status.state === "ended") coverEnd(); });
video.addEventListener("error", () => {
  if (isPlaying && !hls && video.hasAttribute("src")) retryLater();
});
byId("unmute").addEventListener("click", () => { video.muted = false; });
byId("go-live").addEventListener("click", () => choose("live"));
byId("go-start").addEventListener("click", () => choose("start"));
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const text = byId(button.dataset.copy).textContent;
    await navigator.clipboard.writeText(text).catch(() => {});
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}

showAddresses();
poll();
