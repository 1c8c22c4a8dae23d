// The formats of `src/key.rs` and `src/token.rs`, computed anew from their documentation: what the
// Worker makes can be checked against it, and what it never made can be made here.
import { createHmac, hkdfSync, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
import { MASTER_SECRET } from "./harness.mjs";

export const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const OURS = JSON.parse(MASTER_SECRET)[0].secret;
/** The secret of another deployment. */
export const FOREIGN = "mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE";

export const random = (width) => Array.from({ length: width }, () => BASE62[randomInt(62)]).join("");

/** Takes a key apart. */
export function parts(key) {
  const [, prefix, id, secret, tag, crc] = /^([a-z0-9]+)_(\w{18})(\w{43})(\w{11})(\w{6})$/.exec(key);
  return { prefix, id, secret, tag, crc };
}

/** A key with the right checksum, and the tag that a deployment with `master` would give it, or the one that is named. */
export function key({ prefix = "clv", id = random(18), secret = random(43), tag, master = OURS } = {}) {
  tag ??= shortTag(master, "tag", "claviger/tag/1", prefix, id + secret);
  return `${prefix}_${id}${secret}${tag}${checksum(id + secret + tag)}`;
}

/** Labels and bytes of the tags of tokens, by kind. */
const TOKENS = { S: ["claviger/token/1", 8], U: ["claviger/setup/1", 16], I: ["claviger/invite/1", 16] };

/** A session (`S`), set-up (`U`) or invitation (`I`) token, made at `at`. */
export function token(kind, { account = random(8), at = Date.now(), id, secret = random(43), master = OURS } = {}) {
  id ??= base62(BigInt(Math.floor(at / 1000)), 6) + random(4);
  const [label, width] = TOKENS[kind];
  return withTag(kind + account + id + secret, label, width, master);
}

/** A token as releases before 0.2.0 made it: the ID of a session was random, and every tag had 64 bits. */
export const earlierToken = (kind, { account = random(8), id = random(10), master = OURS } = {}) =>
  withTag(kind + account + id + random(43), "claviger/token/1", 8, master);

const withTag = (covered, label, width, master) => {
  const mac = hmac(master, "cookies", label, "clv", covered);
  const tags = Array.from({ length: width / 8 }, (_, half) => base62(mac.readBigUInt64BE(8 * half), 11));
  return covered + tags.join("");
};

/** The same text with another character at `place`. */
export const changed = (text, place, to = text[place] === "7" ? "8" : "7") =>
  text.slice(0, place) + to + text.slice(place + 1);

/** The key with the checksum that goes with the rest of it. */
export const mended = (key) => key.slice(0, -6) + checksum(key.slice(key.indexOf("_") + 1, -6));

const checksum = (text) => base62(BigInt(crc32(text)), 6);

function shortTag(master, use, label, prefix, covered) {
  return base62(hmac(master, use, label, prefix, covered).readBigUInt64BE(), 11);
}

function hmac(master, use, label, prefix, covered) {
  const subkey = new Uint8Array(hkdfSync("sha256", master, "", `claviger/${use}/1`, 32));
  return createHmac("sha256", subkey).update(`${label}\0${prefix}\0${covered}`).digest();
}

function base62(number, width) {
  let text = "";
  for (let rest = number; rest > 0n; rest /= 62n) text = BASE62[Number(rest % 62n)] + text;
  return text.padStart(width, "0");
}

/** Takes a sealed key apart, by the documentation of `src/sealed.rs`. */
export function sealedParts(text) {
  const [, prefix, payload, mac, crc] = /^([a-z0-9]+)s_([\w-]+)\.([\w-]{43})(\w{6})$/.exec(text);
  return { prefix, payload, mac, crc, claims: JSON.parse(Buffer.from(payload, "base64url")) };
}

/** A sealed key with the MAC that a deployment with `master` would give it, or the one that is named. */
export function sealed({ prefix = "clv", payload, mac, master = OURS }) {
  const subkey = new Uint8Array(hkdfSync("sha256", master, "", "claviger/sealing/1", 32));
  mac ??= createHmac("sha256", subkey).update(`claviger/sealed/1\0${prefix}\0${payload}`).digest("base64url");
  return `${prefix}s_${payload}.${mac}${checksum(`${payload}.${mac}`)}`;
}

/** A sealed key's own ID with the tag that a deployment with `master` would give it. `issuer` is a key's ID, or `service`. */
export function sealedId({
  prefix = "clv",
  account,
  number = random(10),
  generation = 0,
  issuer = "service",
  master = OURS,
}) {
  const covered = account + number + base62(BigInt(generation), 6);
  return covered + shortTag(master, "tag", "claviger/sealed-id/1", prefix, covered + issuer);
}
