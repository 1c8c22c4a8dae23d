// A software authenticator: makes passkeys on P-256, and signs with them as browsers send it.
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { ORIGIN } from "./journey.mjs";

/** Bits of the flags of authenticator data. */
export const [UP, UV, BE, BS, AT] = [1, 4, 8, 16, 64];

const HOST = new URL(ORIGIN).hostname;
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
export const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

/** Encodes the head of a CBOR value. */
function head(major, value) {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 255]);
}

/** Encodes integers, texts, bytes, and maps of them. */
export function cbor(value) {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  const entries = [...value].flatMap(([key, member]) => [cbor(key), cbor(member)]);
  return Buffer.concat([head(5, value.size), ...entries]);
}

/** A passkey, and what a test may change of its answers. */
export class Passkey {
  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.privateKey = privateKey;
    this.publicKey = publicKey.export({ format: "jwk" });
    this.id = randomBytes(16);
    this.counter = 0;
    this.handle = null;
  }

  /** Answers the options of a prompt that makes a passkey. */
  create(options, { flags = UP | UV | AT, host = HOST, origin = ORIGIN, type = "webauthn.create", ...changes } = {}) {
    this.handle = options.user.id;
    const coordinate = (name) => Buffer.from(this.publicKey[name], "base64url");
    const key = new Map([
      [1, 2],
      [3, changes.alg ?? -7],
      [-1, 1],
      [-2, coordinate("x")],
      [-3, coordinate("y")],
    ]);
    const credential = [Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, cbor(key)];
    const data = Buffer.concat([this.#data(host, flags), ...credential, changes.tail ?? Buffer.alloc(0)]);
    const attestation = new Map([
      ["fmt", "none"],
      ["attStmt", new Map()],
      ["authData", data],
    ]);
    return {
      client_data: clientData(type, changes.challenge ?? options.challenge, origin),
      attestation_object: base64url(changes.attestation ?? cbor(attestation)),
      transports: ["internal"],
    };
  }

  /** Answers the options of a prompt that uses a passkey. The counter rises first. */
  get(options, { flags = UP | UV, host = HOST, origin = ORIGIN, type = "webauthn.get", ...changes } = {}) {
    if (changes.counter === undefined && this.counter > 0) this.counter += 1;
    const data = Buffer.concat([this.#data(host, flags, changes.counter), changes.tail ?? Buffer.alloc(0)]);
    const client = clientData(type, changes.challenge ?? options.challenge, origin);
    const signed = Buffer.concat([data, sha256(Buffer.from(client, "base64url"))]);
    return {
      credential_id: base64url(changes.id ?? this.id),
      client_data: client,
      authenticator_data: base64url(data),
      signature: base64url(sign("sha256", signed, changes.key ?? this.privateKey)),
      ...(changes.handle !== null && { user_handle: changes.handle ?? this.handle }),
    };
  }

  #data(host, flags, counter = this.counter) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    return Buffer.concat([sha256(host), Buffer.from([flags]), number]);
  }
}

const clientData = (type, challenge, origin) =>
  base64url(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
