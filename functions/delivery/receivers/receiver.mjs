// A product that receives events (POST /events) and decides about changes (POST /decisions).
//
// Needs Node 18 or newer and no packages:
//
//     DELIVERY_SIGNING_KEY=whsec_... PORT=8090 node receiver.mjs
//
// DELIVERY_SIGNING_KEY  one key, or two keys separated by a blank while one replaces the other
// DECISION_SIGNING_KEY  the same for questions; without it they are checked with the keys above
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
const routes = {
  "POST /events": { keys: eventKeys, handle: receive },
  "POST /decisions": { keys: decisionKeys.length > 0 ? decisionKeys : eventKeys, handle: decide },
};

const server = createServer(async (request, response) => {
  try {
    const [status, content] = await answer(request);
    if (content === undefined) {
      response.writeHead(status).end();
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
