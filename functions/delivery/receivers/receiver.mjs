// A product that receives events (POST /events) and decides about changes (POST /decisions).
//
// With HANDOVER_SIGNING_KEY it also has a sign-up page, which takes buyers over from the landing page
// (POST /sign-up).
//
// Needs Node 18 or newer and no packages:
//
//     DELIVERY_SIGNING_KEY=whsec_... PORT=8090 node receiver.mjs
//
// DELIVERY_SIGNING_KEY  one key, or two keys separated by a blank while one replaces the other
// DECISION_SIGNING_KEY  the same for questions; without it they are checked with the keys above
// HANDOVER_SIGNING_KEY  the same for handovers
// HANDOVER_ISSUER       the landing page's origin, as in https://signup.example.com
// HANDOVER_AUDIENCE     this program's origin, as in https://app.example.com
// PORT                  0 takes a free port; the address is printed

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

// An older message may be a replay of a recorded one. Keep the machine's clock right.
const TOLERANCE_SECONDS = 5 * 60;

// Events have a few KB. The limit keeps a stranger from filling the memory.
const LARGEST_BODY = 1024 * 1024;

// A real product keeps the ids in its database, under a unique index, and inserts an id in the
// same transaction as what the event does. Here they are lost when the program ends.
const seenIds = new Set();

/** The keys of a setting: `whsec_` and base64, separated by blanks. */
function readKeys(setting) {
  const texts = (process.env[setting] ?? "").split(/\s+/).filter((text) => text !== "");
  return texts.map((text) => {
    const isKey = /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text);
    const key = Buffer.from(text.slice("whsec_".length), "base64");
    if (!isKey || key.length < 24 || key.length > 64) {
      console.error(`${setting} must be \`whsec_\` and the base64 of 24 to 64 bytes`);
      process.exit(1);
    }
    return key;
  });
}

/** Why a message is refused; undefined if one of the keys has signed exactly this body. */
function whyNotGenuine(keys, headers, body, now) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  if (!id || !timestamp || !signatures) {
    return "a webhook-* header is missing";
  }
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS) {
    return "the timestamp is not within five minutes of this machine's clock";
  }
  // The bytes as they arrived: JSON that was parsed and written again has another signature.
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`, "latin1"), body]);
  const sign = (key) => Buffer.from(createHmac("sha256", key).update(signed).digest("base64"));
  const expected = keys.map(sign);
  // Several signatures are separated by blanks; one that matches is enough.
  for (const entry of signatures.split(" ")) {
    if (!entry.startsWith("v1,")) {
      continue;
    }
    const signature = Buffer.from(entry.slice("v1,".length), "latin1");
    // timingSafeEqual takes the same time wherever the first difference is; `===` doesn't. It wants
    // equal lengths, and the length of a signature is no secret.
    const isEqual = (one) => one.length === signature.length && timingSafeEqual(one, signature);
    if (expected.some(isEqual)) {
      return undefined;
    }
  }
  return "no signature matches";
}

// How far the clocks of the landing page and this machine may differ.
const SKEW_SECONDS = 60;

// The ids of handovers that were used, each with the time at which it expires. A real product keeps
// them in its database, under a unique index, until then: two processes must not both accept one.
const usedHandovers = new Map();

/** The JSON object in a part of a JWT; undefined if there is none. */
function decodedObject(part) {
  return /^[A-Za-z0-9_-]+$/.test(part) ? readObject(Buffer.from(part, "base64url")) : undefined;
}

/** The claims of a handover, or why it is refused. */
function takeHandover({ keys, issuer, audience }, token, now) {
  const [headerPart, claimsPart, signaturePart, more] = token.split(".");
  if (!headerPart || !claimsPart || signaturePart === undefined || more !== undefined) {
    return { reason: "it is no JWT" };
  }
  // The algorithm is ours to choose, not the token's: `none` and all others are refused.
  const header = decodedObject(headerPart);
  if (header?.alg !== "HS256" || "crit" in header) {
    return { reason: "its algorithm is not HS256" };
  }
  const signature = Buffer.from(signaturePart, "latin1");
  const isGenuine = keys.some((key) => {
    const text = createHmac("sha256", key).update(`${headerPart}.${claimsPart}`).digest("base64url");
    const one = Buffer.from(text);
    return one.length === signature.length && timingSafeEqual(one, signature);
  });
  if (!isGenuine) {
    return { reason: "no key has signed it" };
  }
  const claims = decodedObject(claimsPart);
  if (claims.iss !== issuer || claims.aud !== audience) {
    return { reason: "it is from another page, or for another one" };
  }
  if (!(claims.iat - SKEW_SECONDS <= now && now < claims.exp)) {
    return { reason: "it is not valid now" };
  }
  // Only now, so that a forgery can't use up an id.
  for (const [used, end] of usedHandovers) {
    if (end <= now) {
      usedHandovers.delete(used);
    }
  }
  if (usedHandovers.has(claims.jti)) {
    return { reason: "it was used before" };
  }
  usedHandovers.set(claims.jti, claims.exp);
  return { claims };
}

function escaped(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * The page of a buyer who comes from the landing page.
 *
 * A real product signs the person in here, as `tenantId` and `objectId`, and never as the e-mail
 * address; asks what it wants to know; sets the account of `subscriptionId` up; and then calls
 * POST /subscriptions/{id}/activate of the API. The request comes from another site, so it carries
 * none of this site's SameSite cookies: don't add the subscription to a session that is there.
 */
function signUp({ person, subscriptionId }) {
  const words = escaped(`Welcome, ${person.name ?? ""}! ${subscriptionId}`);
  return `<!doctype html><title>Sign up</title><p>${words}</p>`;
}

function takeOver(body) {
  const handovers = new URLSearchParams(body.toString("utf8")).getAll("handover");
  const token = handovers.length === 1 ? handovers[0] : "";
  const { claims, reason } = takeHandover(handover, token, Date.now() / 1000);
  if (reason !== undefined) {
    console.error(`refused a handover: ${reason}`);
    // The landing page issues a new one to the buyer who comes back.
    const again = escaped(`${handover.issuer}/landing`);
    return [401, `<!doctype html><title>Sign up</title><a href="${again}">Please try again.</a>`];
  }
  console.log(`handover ${claims.subscriptionId} ${claims.role}`);
  return [200, signUp(claims)];
}

/** Takes an event; returns the status and the answer. */
function receive(event) {
  if (![event.id, event.type, event.subject].every((value) => typeof value === "string")) {
    return [400];
  }
  if (!seenIds.has(event.id)) {
    seenIds.add(event.id);
    // Store the event or put it in a queue here, and do slow work after the answer. A type that
    // this program doesn't know is acknowledged as well: any other answer brings it again.
    console.log(`${event.type} ${event.subject}`);
  }
  return [204];
}

/** Accepts or rejects a change. It only looks: the event that follows says what came of it. */
function decide(question) {
  const { type, change, subscription } = question;
  if (type !== "saas-fulfillment.decision.v1" || !change || !subscription) {
    return [400];
  }
  const inUse = seatsInUse(subscription.id);
  const isTooFew = change.of === "seats" && typeof change.to === "number" && change.to < inUse;
  const decision = isTooFew
    ? { decision: "reject", reason: `${inUse} seats are in use` }
    : { decision: "accept" };
  console.log(`${type} ${subscription.id} ${decision.decision}`);
  return [200, decision];
}

/** A real product looks this up, quickly: the answer is due within three seconds. */
function seatsInUse(_subscriptionId) {
  return 3;
}

/** The body as it arrived; undefined if it is too large. */
async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= LARGEST_BODY) {
      chunks.push(chunk);
    }
  }
  return length <= LARGEST_BODY ? Buffer.concat(chunks) : undefined;
}

/** The JSON object in a body; undefined if there is none. */
function readObject(body) {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function answer(request) {
  const route = routes[`${request.method} ${request.url}`];
  if (route === undefined) {
    return [404];
  }
  const body = await readBody(request);
  if (body === undefined) {
    return [413];
  }
  if (route.takeOver !== undefined) {
    return route.takeOver(body);
  }
  const reason = whyNotGenuine(route.keys, request.headers, body, Date.now() / 1000);
  if (reason !== undefined) {
    console.error(`refused: ${reason}`);
    return [401];
  }
  const message = readObject(body);
  return message === undefined ? [400] : route.handle(message);
}

const eventKeys = readKeys("DELIVERY_SIGNING_KEY");
const decisionKeys = readKeys("DECISION_SIGNING_KEY");
if (eventKeys.length === 0) {
  console.error("DELIVERY_SIGNING_KEY is not set");
  process.exit(1);
}
const handover = {
  keys: readKeys("HANDOVER_SIGNING_KEY"),
  issuer: process.env.HANDOVER_ISSUER,
  audience: process.env.HANDOVER_AUDIENCE,
};
if (handover.keys.length > 0 && !(handover.issuer && handover.audience)) {
  console.error("HANDOVER_ISSUER and HANDOVER_AUDIENCE must be set beside HANDOVER_SIGNING_KEY");
  process.exit(1);
}
const routes = {
  "POST /events": { keys: eventKeys, handle: receive },
  "POST /decisions": { keys: decisionKeys.length > 0 ? decisionKeys : eventKeys, handle: decide },
  ...(handover.keys.length > 0 && { "POST /sign-up": { takeOver } }),
};

const server = createServer(async (request, response) => {
  try {
    const [status, content] = await answer(request);
    if (content === undefined) {
      response.writeHead(status).end();
    } else if (typeof content === "string") {
      response.writeHead(status, { "content-type": "text/html; charset=utf-8" }).end(content);
    } else {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(content));
    }
  } catch {
    // The sender went away in the middle of its request.
    response.destroy();
  }
});
server.requestTimeout = 10_000;
server.listen(Number(process.env.PORT ?? "8090"), "127.0.0.1", () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});
