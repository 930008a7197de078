// The access key, the tokens that are signed with it, and requests to the REST API.

const STORED = "hubcast-access-key";
const API_VERSION = "2024-12-01";

/** Where this server is; tokens are made for it. */
export const endpoint = location.origin;

/** Whether this page may sign tokens. Browsers let only secure pages do so: https, or localhost. */
export const canSign = globalThis.crypto?.subtle !== undefined;

/** Says what to do where a page cannot sign tokens. */
export const cannotSign =
  `This page cannot sign tokens, because browsers offer cryptography only to pages on https or localhost, ` +
  `and this one comes from ${endpoint}. Open it on the machine of the server as ` +
  `http://localhost:${location.port || 80}/, ` +
  `or bring the port here with: ssh -L ${location.port || 8080}:localhost:${location.port || 80} ${location.hostname}`;

/** Returns the access key, or "". It lives as long as this browser tab. */
export function accessKey() {
  return sessionStorage.getItem(STORED) ?? "";
}

/** Remembers the access key, or forgets it with "". */
export function setAccessKey(key) {
  if (key) sessionStorage.setItem(STORED, key);
  else sessionStorage.removeItem(STORED);
}

/** Takes the key out of an address like `http://localhost:8080/#key=...`, so that it is not seen or bookmarked. */
export function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("key");
  if (!key) return;
  setAccessKey(key);
  history.replaceState(null, "", location.pathname + location.search);
}

/** Signs claims: a JSON Web Token with HMAC-SHA-256, whose key is the text of the access key. */
async function sign(claims) {
  if (!canSign) throw new Error(cannotSign);
  if (!accessKey()) throw new Error("This needs the access key: enter it at the top of the page.");
  const encoder = new TextEncoder();
  const base64 = (bytes) =>
    btoa(String.fromCharCode(...bytes))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  const part = (value) => base64(encoder.encode(JSON.stringify(value)));
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(accessKey()), algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, encoder.encode(signed));
  return `${signed}.${base64(new Uint8Array(signature))}`;
}

/** Makes the token of a client, good for an hour. It says who the client is and what it may do. */
export function clientToken({ hub, user, roles, groups }) {
  const now = Math.floor(Date.now() / 1000);
  return sign({
    aud: `${endpoint}/client/hubs/${hub}`,
    iat: now,
    exp: now + 3600,
    ...(user && { sub: user }),
    ...(roles.length > 0 && { role: roles }),
    ...(groups.length > 0 && { "webpubsub.group": groups }),
  });
}

/**
 * Asks the REST API, each time with a token of its own: `ask("POST", ["hubs", "chat"], { verb: "send", ... })` asks for
 * `/api/hubs/chat/:send`.
 */
export async function ask(method, path, { verb, query = {}, contentType, body } = {}) {
  const names = path.map(encodeName).join("/");
  const url = new URL(`/api/${names}${verb ? `/:${verb}` : ""}`, endpoint);
  const now = Math.floor(Date.now() / 1000);
  const token = await sign({ aud: url.href, iat: now, exp: now + 60 });
  url.search = new URLSearchParams({ ...query, "api-version": API_VERSION });
  const headers = { Authorization: `Bearer ${token}`, ...(contentType && { "Content-Type": contentType }) };
  return fetch(url, { method, headers, body, signal: AbortSignal.timeout(10_000) });
}

/** Tells whether the server knows the access key; asks something that changes nothing. */
export async function isKeyGood() {
  const answer = await ask("GET", ["hubs", "chat", "groups", "console", "connections"], {
    query: { top: 1 },
  });
  return answer.status !== 401;
}

/** Makes a name fit for a path. Some names cannot stand there: a request would go somewhere else. */
function encodeName(name) {
  if (name === "" || name === "." || name === ".." || name.includes("/")) {
    throw new Error(
      `The REST API cannot name “${name}”: no name is empty, a dot or two, or has a slash in it.`,
    );
  }
  return encodeURIComponent(name);
}
