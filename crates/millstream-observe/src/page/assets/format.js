"use strict";
// Numbers and times as people read them, and elements that take text alone.

const SVG = "http://www.w3.org/2000/svg";

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Sets a text only where it differs, so that nothing is laid out for nothing. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setClass(node, name) {
  if (node.getAttribute("class") !== name) node.setAttribute("class", name);
}

/** A name, short enough for where there is little room. */
function short(name, most = 60) {
  const chars = Array.from(name);
  return chars.length > most ? chars.slice(0, most - 1).join("") + "…" : name;
}

function count(n) {
  return n === null || n === undefined ? "∞" : Math.round(n).toLocaleString("en-US");
}

/** Three digits and a unit. */
function compact(n) {
  if (n === null || n === undefined) return "∞";
  const size = Math.abs(n);
  if (size >= 1e9) return (n / 1e9).toPrecision(3) + "G";
  if (size >= 1e6) return (n / 1e6).toPrecision(3) + "M";
  if (size >= 1e4) return (n / 1e3).toPrecision(3) + "k";
  if (size >= 1e3) return Math.round(n).toLocaleString("en-US");
  return Number.isInteger(n) || size >= 100 ? String(Math.round(n)) : n.toFixed(1);
}

function perSecond(rate) {
  return compact(Math.abs(rate) < 0.05 ? 0 : rate) + "/s";
}

function seconds(s) {
  if (s < 0.001) return Math.round(s * 1e6) + " µs";
  if (s < 1) return Math.round(s * 1e3) + " ms";
  if (s < 120) return s.toFixed(1) + " s";
  if (s < 7200) return Math.round(s / 60) + " min";
  return (s / 3600).toFixed(1) + " h";
}

function bytes(n) {
  if (n === null || n === undefined) return "not stated";
  if (n < 1024) return n + " B";
  if (n < 1048576) return (n / 1024).toFixed(1) + " KiB";
  if (n < 1073741824) return (n / 1048576).toFixed(1) + " MiB";
  return (n / 1073741824).toFixed(1) + " GiB";
}

/** A metric's name as words: `blocked_seconds` is `blocked`, with its value in seconds. */
function valueInWords(value) {
  const name = value.name.replace(/_seconds$/, "").replaceAll("_", " ") + (value.part ? " · " + short(value.part, 40) : "");
  const text = /_seconds$/.test(value.name) ? seconds(value.value)
    : /_bytes$/.test(value.name) ? bytes(value.value)
    : /_ratio$/.test(value.name) ? Math.round(value.value * 100) + " %"
    : Number.isInteger(value.value) ? count(value.value) : value.value.toPrecision(4);
  return [name, text];
}

const ROLES = {
  idle: "idle", source: "source", bottleneck: "▲ bottleneck", held_back: "held back", starved: "starved", ended: "ended",
};

const ROLES_IN_SENTENCES = {
  idle: "Nothing was asked for yet.",
  source: "It sends what it has: the flow is as fast as that.",
  bottleneck: "It is asked for items and asks for none: it has the credit, and sets the pace.",
  held_back: "It is not asked for items: what is below is slower.",
  starved: "It is asked for items, and asks for some itself: what is above is slower.",
  ended: "Nothing more will pass.",
};

function clock(millis) {
  return new Date(millis).toLocaleTimeString("en-GB");
}
